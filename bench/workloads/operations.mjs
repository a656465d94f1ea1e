/** The operands of the single operations, and what a library reports of a result that is too large to send. */
import { uniform } from './numbers.mjs';

/** @typedef {import('./list.mjs').Workload} Workload */
/** @typedef {{ length: number, sum: number, samples: number[] }} Outcome */

/** Steps whose losses are compared: the fifth loss depends on four updates. */
export const checkedSteps = 5;
const sampleCount = 256;

/** The places of a result that are compared. @param {Workload} workload */
export function samplePlaces({ kind, size }) {
  const lengths = { matmul: size * size, softmax: size * size, conv: 8 * 64 * size * size };
  const length = lengths[/** @type {'matmul'} */ (kind)] ?? size;
  const stride = Math.max(1, Math.floor(length / sampleCount));
  return Array.from({ length: Math.min(length, sampleCount) }, (_, k) => (k * stride + ((k * 7919) % stride)) % length);
}

/** The operands of an operation, in the order of its formula. @param {Workload} workload */
export function operands({ kind, size }) {
  if (kind === 'matmul') return [uniform(11, size * size), uniform(12, size * size)];
  if (kind === 'chain') return [11, 12, 13, 14].map((seed) => uniform(seed, size));
  if (kind === 'add') return [uniform(11, size), uniform(12, size)];
  if (kind === 'conv') return [uniform(11, 8 * 32 * size * size), uniform(12, 64 * 32 * 9)];
  return [uniform(11, size * size)];
}

/** The shape of an operand. @param {Workload} workload @param {Float32Array} values */
export function operandShape({ kind, size }, values) {
  if (kind === 'conv') return values.length === 64 * 32 * 9 ? [64, 32, 3, 3] : [8, 32, size, size];
  return kind === 'matmul' || kind === 'rowSum' || kind === 'softmax' ? [size, size] : [size];
}

/** What a library reports of a large result. @param {ArrayLike<number>} values @param {readonly number[]} places @returns {Outcome} */
export function outcomeOf(values, places) {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += Number(values[k]);
  return { length: values.length, sum, samples: places.map((place) => Number(values[place])) };
}
