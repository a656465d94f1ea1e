/**
 * What the right results are. Operations are computed here in double precision, whole or in samples; losses and logits
 * of the models come from PyTorch in double precision (`fixtures/reference.json`, written by `libraries/pytorch.py --reference`).
 * A library whose result differs gets no time.
 */
import { readFileSync } from 'node:fs';
import { checkedSteps, operands, outcomeOf, samplePlaces } from './operations.mjs';

/** @typedef {import('./list.mjs').Workload} Workload */
/** @typedef {import('./operations.mjs').Outcome} Outcome */
/** @typedef {{ losses?: number[], values?: number[] } & Partial<Outcome>} Result  of a model, or of an operation */

/** @type {Map<string, Outcome & { tolerance: number }>} */
const known = new Map();
/** @type {{ losses: Record<string, number[]>, logits: Record<string, number[]> }} */
const reference = JSON.parse(readFileSync(new URL('fixtures/reference.json', import.meta.url), 'utf8'));

/**
 * Says what is wrong with a result, or null. `variant` names a library whose update rule differs, as documented in
 * `libraries/list.mjs`.
 * @param {Workload} workload @param {Result} result @param {string} [variant] @param {number} [steps] of a training
 * @returns {string | null}
 */
export function findFault(workload, result, variant = '', steps = checkedSteps) {
  if (workload.kind === 'train') {
    const expected = reference.losses[workload.model + variant] ?? [];
    return compare('loss of step', result.losses ?? [], expected.slice(0, steps), 1e-3, 0);
  }
  if (workload.kind === 'generate') {
    return compare('logit', result.values ?? [], reference.logits[`${workload.model}-token`] ?? [], 1e-3, 1e-4);
  }
  if (workload.kind === 'infer') {
    const expected = (reference.logits[workload.model + variant] ?? []).slice(0, 10 * workload.batch);
    return compare('logit', result.values ?? [], expected, 1e-3, 1e-5);
  }
  const expected = known.get(workload.name) ?? expectedOutcome(workload);
  known.set(workload.name, expected);
  const { length = 0, sum = Number.NaN, samples = [] } = result;
  if (length !== expected.length) return `${length} values instead of ${expected.length}`;
  return (
    compare('sample', samples, expected.samples, 1e-5, expected.tolerance) ??
    compare('sum of all', [sum], [expected.sum], 1e-6, expected.tolerance * Math.sqrt(length) * 10)
  );
}

/** @param {string} what @param {number[]} actual @param {number[]} expected @param {number} relative @param {number} absolute */
function compare(what, actual, expected, relative, absolute) {
  if (expected.length === 0) return `no reference for the ${what}`;
  if (actual.length !== expected.length) return `${actual.length} times '${what}' instead of ${expected.length}`;
  for (let k = 0; k < expected.length; k++) {
    const [a = Number.NaN, e = Number.NaN] = [actual[k], expected[k]];
    if (!(Math.abs(a - e) <= relative * Math.abs(e) + absolute)) return `${what} ${k} is ${a} instead of ${e}`;
  }
  return null;
}

/** @param {Workload} workload @returns {Outcome & { tolerance: number }} */
function expectedOutcome(workload) {
  const { kind, size } = workload;
  const [a, b, c, d] = /** @type {[Float32Array, Float32Array, Float32Array, Float32Array]} */ (operands(workload));
  const places = samplePlaces(workload);
  if (kind === 'matmul') {
    const samples = places.map((place) => {
      const [row, column] = [Math.floor(place / size), place % size];
      let sum = 0;
      for (let k = 0; k < size; k++) sum += at(a, row * size + k) * at(b, k * size + column);
      return sum;
    });
    // The sum of all products: the column sums of A times the row sums of B.
    let sum = 0;
    for (let k = 0; k < size; k++) {
      let [left, right] = [0, 0];
      for (let i = 0; i < size; i++) [left, right] = [left + at(a, i * size + k), right + at(b, k * size + i)];
      sum += left * right;
    }
    return { length: size * size, sum, samples, tolerance: 1e-6 * size };
  }
  const values = {
    add: () => Float64Array.from({ length: size }, (_, i) => at(a, i) + at(b, i)),
    conv: () => convolve(a, b, size),
    chain: () => Float64Array.from({ length: size }, (_, i) => chain(at(a, i), at(b, i), at(c, i), at(d, i))),
    rowSum: () => Float64Array.from({ length: size }, (_, row) => total(a.subarray(row * size, (row + 1) * size))),
    softmax: () => softmax(a, size),
  }[/** @type {'chain'} */ (kind)]();
  const tolerance = { add: 1e-6, conv: 1e-4, chain: 2e-6, rowSum: 1e-4, softmax: 1e-8 }[/** @type {'chain'} */ (kind)];
  return { ...outcomeOf(values, places), tolerance };
}

/** @param {Float32Array} values @param {number} k */
const at = (values, k) => /** @type {number} */ (values[k]);
/** @param {number} a @param {number} b @param {number} c @param {number} d */
const chain = (a, b, c, d) => Math.tanh(a * b + c) / (1 + Math.exp(-d));
/** @param {Float32Array | Float64Array} values */
function total(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** 8 images of 32 channels to 64, 3x3, the size kept. @param {Float32Array} x @param {Float32Array} w @param {number} size */
function convolve(x, w, size) {
  const area = size * size;
  const y = new Float64Array(8 * 64 * area);
  for (let image = 0; image < 8; image++) {
    for (let output = 0; output < 64; output++) {
      const plane = y.subarray((image * 64 + output) * area, (image * 64 + output + 1) * area);
      for (let input = 0; input < 32; input++) {
        const source = x.subarray((image * 32 + input) * area, (image * 32 + input + 1) * area);
        for (let tap = 0; tap < 9; tap++) {
          const weight = at(w, (output * 32 + input) * 9 + tap);
          addShifted(plane, source, weight, Math.floor(tap / 3) - 1, (tap % 3) - 1, size);
        }
      }
    }
  }
  return y;
}

/** plane[r, c] += weight * source[r + down, c + right], zeros outside. @param {Float64Array} plane @param {Float32Array} source @param {number} weight @param {number} down @param {number} right @param {number} size */
function addShifted(plane, source, weight, down, right, size) {
  for (let row = Math.max(0, -down); row < Math.min(size, size - down); row++) {
    for (let column = Math.max(0, -right); column < Math.min(size, size - right); column++) {
      const place = row * size + column;
      plane[place] = /** @type {number} */ (plane[place]) + weight * at(source, place + down * size + right);
    }
  }
}

/** @param {Float32Array} values @param {number} width */
function softmax(values, width) {
  const result = Float64Array.from(values, (x) => Math.exp(x));
  for (let start = 0; start < result.length; start += width) {
    const row = result.subarray(start, start + width);
    const sum = total(row);
    for (let k = 0; k < width; k++) row[k] = /** @type {number} */ (row[k]) / sum;
  }
  return result;
}
