/**
 * The one random function of nn: an integer hash of three words, the same on every device with exact integers.
 * It has no state; `random.ts` keeps the seed and counts. Backends implement the operation `random` with it.
 */

/**
 * The random number in [0, 1), a multiple of 2^-24, that belongs to a seed, a stream and a counter (each taken as 32 bits).
 * It is the first word of pcg3d: M. Jarzynski and M. Olano, "Hash Functions for GPU Rendering", JCGT 9(3), 2020.
 *
 * @example
 * import { randomValue } from '@nn/core';
 * console.log(randomValue(0, 0, 0)); // => 0.6081518530845642
 */
export function randomValue(seed: number, stream: number, counter: number): number {
  // A linear congruential step for each word, so that small inputs do not stay small.
  let x = (Math.imul(seed, 1664525) + 1013904223) | 0;
  let y = (Math.imul(stream, 1664525) + 1013904223) | 0;
  let z = (Math.imul(counter, 1664525) + 1013904223) | 0;
  // Two rounds of mixing each word with the product of the others; the shift brings high bits down in between.
  x = (x + Math.imul(y, z)) | 0;
  y = (y + Math.imul(z, x)) | 0;
  z = (z + Math.imul(x, y)) | 0;
  x ^= x >>> 16;
  y ^= y >>> 16;
  z ^= z >>> 16;
  x = (x + Math.imul(y, z)) | 0;
  // The last two lines of the second round change only y and z, which are not used.
  return (x >>> 8) * 2 ** -24;
}
