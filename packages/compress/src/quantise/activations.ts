/**
 * Activations as bytes: by a range that was found before (static), or by that of each sample as it comes (dynamic). Owns the rounding
 * of a layer's input; the product with the weights is in `layers.ts`.
 */
import { lowBits, type Parameter, parameter, type Tensor, tensor } from '@nn/core';
import { type Levels, type Quantisation, sevenBits } from './scheme.ts';

/** An input as whole numbers, and what they mean: scale * (levels - zeroPoint). */
export interface QuantisedInput {
  /** int32, in the shape of the input; bytes in memory. */
  readonly levels: Tensor;
  /** [] or a number for each sample. */
  readonly scale: Tensor;
  /** As `scale`, int32. */
  readonly zeroPoint: Tensor;
}

/** How the input of a layer becomes whole numbers. Found as a part of the layer by walks over parameters. */
export class InputQuantiser {
  /** [], of a range that is known; null where each sample has its own. */
  scale: Parameter | null = null;
  /** [] int32 */
  zeroPoint: Parameter | null = null;
  readonly levels: Levels;

  constructor(known: Quantisation | null, levels: Levels = sevenBits) {
    this.levels = known ?? levels;
    if (known === null) return;
    this.scale = parameter(known.scale, { buffer: true });
    this.zeroPoint = parameter(known.zeroPoint, { dtype: 'int32', buffer: true });
  }

  /** `axes`: those that share a range where each sample has its own; all but the first one or ones. */
  apply(x: Tensor, axes: readonly number[]): QuantisedInput {
    const { low, high } = this.levels;
    const { scale, zeroPoint } = this.#of(x, axes);
    const levels = x.mul(scale.reciprocal()).round().add(zeroPoint.cast('float32')).clamp(low, high);
    // of few bits without a sign: said in the program, so that products may rely on it
    const bits = Math.log2(high + 1);
    if (low === 0 && bits <= 7 && Number.isInteger(bits)) {
      return { levels: lowBits(levels.cast('uint8'), bits), scale, zeroPoint };
    }
    return { levels: levels.cast(low < 0 ? 'int8' : 'uint8').cast('int32'), scale, zeroPoint };
  }

  #of(x: Tensor, axes: readonly number[]): { readonly scale: Tensor; readonly zeroPoint: Tensor } {
    if (this.scale !== null && this.zeroPoint !== null) return { scale: this.scale, zeroPoint: this.zeroPoint };
    const { low, high } = this.levels;
    const bottom = x.min(axes, { keepAxes: true }).minimum(0);
    const top = x.max(axes, { keepAxes: true }).maximum(0);
    const scale = top
      .sub(bottom)
      .div(high - low)
      .maximum(2 ** -23);
    const zeroPoint = tensor(low).sub(bottom.div(scale).round()).clamp(low, high).cast('int32');
    return { scale, zeroPoint };
  }

  toString(): string {
    const { low, high } = this.levels;
    return `InputQuantiser(${low} to ${high}, ${this.scale === null ? 'the range of each sample' : 'a known range'})`;
  }
}
