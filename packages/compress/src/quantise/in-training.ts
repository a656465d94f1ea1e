/**
 * Layers that train as if they were quantised: weights and inputs are rounded to the levels that they will have, with the gradient
 * straight through. (Jacob et al. 2018; torch.ao's quantisation-aware training.) `quantise` makes integer layers of them afterwards.
 */
import { isTraining, type Parameter, parameter, type Shape, stack, type Tensor, where } from '@nn/core';
import { type Conv1d, type Conv2d, type Conv3d, type Layer, Linear } from '@nn/layers';
import { fakeQuantise } from './fake-quantise.ts';
import { type Outputs, rowsOf } from './projections.ts';
import { type Levels, type Symmetry, sevenBits } from './scheme.ts';

/** Layers that can be trained like this. */
export type Trainable = Linear | Conv1d | Conv2d | Conv3d;

/** The share of a new batch in the bounds of an input. */
const rate = 0.01;
const smallestScale = 2 ** -23;

/**
 * A Linear or convolutional layer whose weight and input are rounded in every call. Its parameters are those of the layer that it
 * stands for; the bounds of its inputs follow those of the batches in training, as with `MovingAverageObserver`.
 */
export class QuantisedInTraining implements Layer {
  readonly layer: Trainable;
  readonly symmetry: Symmetry;
  readonly levels: Levels;
  weight: Parameter;
  bias: Parameter | null;
  /** [2]: the bounds of the inputs so far; both 0 before the first batch. Null where each row has its own range, as in recurrent layers. */
  inputRange: Parameter | null;

  constructor(
    layer: Trainable,
    options: { readonly symmetry: Symmetry; readonly levels?: Levels; readonly rangeOfRows?: boolean },
  ) {
    this.layer = layer;
    this.symmetry = options.symmetry;
    this.levels = options.levels ?? sevenBits;
    this.weight = layer.weight;
    this.bias = layer.bias;
    this.inputRange = options.rangeOfRows === true ? null : parameter([0, 0], { buffer: true });
    // the layer inside has the same parameters: walks are to find them once, under these names
    Object.defineProperty(this, 'layer', { enumerable: false });
  }

  /** `outputs`: those of a Linear layer that are wanted, all by default. */
  forward(x: Tensor, outputs?: Outputs): Tensor {
    const { layer } = this;
    const input = this.#rounded(x);
    const weight = this.#weight();
    if (layer instanceof Linear) {
      const y = input.matmul(rowsOf(weight, outputs).transpose());
      return this.bias === null ? y : y.add(rowsOf(this.bias, outputs));
    }
    // the cast: the layer computes with what stands in its field, a parameter or what is computed of one
    return withWeight(layer, weight as Parameter, () => layer.forward(input));
  }

  #rounded(x: Tensor): Tensor {
    const { low, high } = this.levels;
    const { bottom, top } = this.#bounds(x.stopGradient());
    const scale = top
      .sub(bottom)
      .div(high - low)
      .maximum(smallestScale);
    const zeroPoint = bottom.div(scale).round().neg().add(low).clamp(low, high);
    return fakeQuantise(x, { scale, zeroPoint, low, high });
  }

  /** Of all inputs so far, or [..., 1] of each row; 0 is within. */
  #bounds(values: Tensor): { readonly bottom: Tensor; readonly top: Tensor } {
    const { inputRange } = this;
    if (inputRange === null) {
      const [least, most] = [values.min(-1, { keepAxes: true }), values.max(-1, { keepAxes: true })];
      return { bottom: least.minimum(0), top: most.maximum(0) };
    }
    if (isTraining()) {
      const isNew = inputRange.equal(0).all();
      const [min, max] = [values.min(), values.max()];
      const moved = (bound: Tensor, index: number): Tensor => {
        const last = inputRange.at(index);
        return where(isNew, bound, last.add(bound.sub(last).mul(rate)));
      };
      inputRange.assign(stack([moved(min, 0), moved(max, 1)]));
    }
    return { bottom: inputRange.at(0).minimum(0), top: inputRange.at(1).maximum(0) };
  }

  #weight(): Tensor {
    const { weight, symmetry } = this;
    const low = symmetry === 'onnx' ? -127 : -128;
    const rest = weight.shape.map((_, axis) => axis).slice(1);
    const most = weight.stopGradient().abs().max(rest);
    const scale = most.div((127 - low) / 2).maximum(smallestScale);
    return fakeQuantise(weight, { scale, low, high: 127, axis: 0 });
  }

  multiplyAdds(inputs: readonly Shape[], output: Shape): number {
    return this.layer.multiplyAdds(inputs, output);
  }

  toString(): string {
    return `QuantisedInTraining(${String(this.layer)})`;
  }
}

/** Calls with another weight in the layer's field. */
function withWeight<T>(layer: { weight: Parameter }, weight: Parameter, call: () => T): T {
  const own = layer.weight;
  layer.weight = weight;
  try {
    return call();
  } finally {
    layer.weight = own;
  }
}
