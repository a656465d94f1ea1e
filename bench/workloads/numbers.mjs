/**
 * The numbers that all libraries compute with: made from a counter, so that every process makes the same ones.
 * `libraries/pytorch.py` has the same two functions.
 */

/** The finaliser of MurmurHash3 on a 32-bit number. @param {number} value */
function mix(value) {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * `length` multiples of 2^-23 in [-1, 1), times `bound`.
 * @param {number} seed @param {number} length @param {number} [bound]
 */
export function uniform(seed, length, bound = 1) {
  const values = new Float32Array(length);
  const start = Math.imul(seed, 0x9e3779b1);
  for (let i = 0; i < length; i++) values[i] = ((mix(start + i) >>> 8) * 2 ** -23 - 1) * bound;
  return values;
}

/** `length` whole numbers below `count`. @param {number} seed @param {number} length @param {number} count */
export function integers(seed, length, count) {
  const values = new Int32Array(length);
  const start = Math.imul(seed, 0x9e3779b1);
  for (let i = 0; i < length; i++) values[i] = (mix(start + i) >>> 8) % count;
  return values;
}

/** @param {readonly number[]} shape */
export const sizeOf = (shape) => shape.reduce((product, extent) => product * extent, 1);
