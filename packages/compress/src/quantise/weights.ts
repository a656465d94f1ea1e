/**
 * Weights as whole numbers: of 8 bits with a scale for each output, or of 4 or 8 bits with a scale for each group of neighbours along
 * the inputs. Owns the rounding, on the host, and how numbers of four bits lie in bytes.
 */
import { levelOf, type Symmetry, symmetricQuantisation } from './scheme.ts';

/** A weight [outputs, ...rest] of 8 bits. */
export interface ChannelWeight {
  readonly levels: Int8Array;
  /** [outputs] */
  readonly scales: Float32Array;
}

function rowOf(values: Float32Array, row: number, length: number): Float32Array {
  return values.subarray(row * length, (row + 1) * length);
}

function scaleOf(values: Float32Array, symmetry: Symmetry, bits = 8): ReturnType<typeof symmetricQuantisation> {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return symmetricQuantisation(-most, most, { symmetry, bits });
}

/** Each of `outputs` rows by a symmetric scale of its own. */
export function quantiseChannels(values: Float32Array, outputs: number, symmetry: Symmetry): ChannelWeight {
  const length = values.length / outputs;
  const levels = new Int8Array(values.length);
  const scales = new Float32Array(outputs);
  for (let row = 0; row < outputs; row++) {
    const own = rowOf(values, row, length);
    const quantisation = scaleOf(own, symmetry);
    scales[row] = quantisation.scale;
    own.forEach((value, at) => {
      levels[row * length + at] = levelOf(value, quantisation);
    });
  }
  return { levels, scales };
}

/** Numbers that share a scale, by default; those of GGML's and GPTQ's smallest groups. */
export const groupSize = 32;

/** A weight [outputs, inputs] in groups along the inputs, the last of which is filled up with zeros. */
export interface GroupedWeight {
  /** Of 8 bits: int8 [outputs, groups, size]. Of 4 bits: uint8 [outputs, groups, size / 2], level + 8 of i and i + size / 2 in byte i. */
  readonly levels: Int8Array | Uint8Array;
  /** [outputs, groups] */
  readonly scales: Float32Array;
  readonly groups: number;
}

export function quantiseGroups(
  values: Float32Array,
  outputs: number,
  bits: 4 | 8,
  size: number,
  symmetry: Symmetry,
): GroupedWeight {
  const inputs = values.length / outputs;
  const groups = Math.ceil(inputs / size);
  const scales = new Float32Array(outputs * groups);
  const bytes = bits === 8 ? size : size / 2;
  const levels = bits === 8 ? new Int8Array(outputs * groups * bytes) : new Uint8Array(outputs * groups * bytes);
  for (let row = 0; row < outputs; row++) {
    const own = rowOf(values, row, inputs);
    for (let group = 0; group < groups; group++) {
      const place = row * groups + group;
      const part = own.subarray(group * size, (group + 1) * size);
      const quantisation = scaleOf(part, symmetry, bits);
      scales[place] = quantisation.scale;
      for (let at = 0; at < size; at++) {
        const level = at < part.length ? levelOf(part[at]!, quantisation) : 0;
        if (bits === 8) levels[place * bytes + at] = level;
        else if (at < bytes) levels[place * bytes + at] = level + 8;
        else levels[place * bytes + at - bytes] = levels[place * bytes + at - bytes]! | ((level + 8) << 4);
      }
    }
  }
  return { levels, scales, groups };
}
