/** Gradients in half the bits: the upper half of a float32, with what is cut off added to the next step. */
import { type Compression, Feedback } from './compression.ts';

const word: Uint32Array<ArrayBuffer> = new Uint32Array(1);
const float: Float32Array<ArrayBuffer> = new Float32Array(word.buffer);

/** The bits of the nearest bfloat16, ties to even; NaN stays NaN. */
function halfOf(value: number): number {
  float[0] = value;
  const bits = word[0]!;
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

function fromHalf(bits: number): number {
  word[0] = bits << 16;
  return float[0]!;
}

/**
 * Sends gradients as bfloat16, half the bytes: each rank gets its part of the gradients of all ranks, adds them up in float32,
 * and sends the sums around, rounded once more. What the first rounding takes away is added to the next step.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { alone, bf16, dataParallel } from '@nn/distributed';
 * import { SGD } from '@nn/optim';
 * const optimizer = await dataParallel(new SGD([parameter([1])], { learningRate: 0.1 }), alone(), { compress: bf16() });
 * console.log(optimizer.group.size); // => 1
 */
export function bf16(): Compression {
  const feedback = new Feedback();
  return {
    async reduce(values, { group, index }) {
      feedback.add(index, values);
      const { size } = group;
      // parts of the same even length for all ranks: two halves in a word
      const part = 2 * Math.ceil(values.length / size / 2);
      const halves = new Uint16Array(part * size);
      const left = new Float32Array(values.length);
      for (let at = 0; at < values.length; at++) {
        const half = halfOf(values[at]!);
        halves[at] = half;
        // of NaN and infinities nothing is left over
        const rest = values[at]! - fromHalf(half);
        left[at] = Number.isFinite(rest) ? rest : 0;
      }
      feedback.keep(index, left);
      const received = new Uint16Array((await group.allToAll(new Int32Array(halves.buffer))).buffer);
      const sums = new Uint16Array(part);
      for (let at = 0; at < part; at++) {
        let sum = 0;
        for (let rank = 0; rank < size; rank++) sum += fromHalf(received[rank * part + at]!);
        sums[at] = halfOf(sum);
      }
      const all = new Uint16Array((await group.allGather(new Int32Array(sums.buffer))).buffer);
      for (let at = 0; at < values.length; at++) values[at] = fromHalf(all[at]!);
      return values;
    },
  };
}
