/**
 * Layers that train as if they were quantised: weights and inputs are rounded to the levels that they will have, with the gradient
 * straight through. (Jacob et al. 2018; torch.ao's quantisation-aware training.) `quantise` makes integer layers of them afterwards.
 */
import { isTraining, type Parameter, parameter, type Shape, stack, type Tensor, where } from '@nn/core';
import { type Conv1d, type Conv2d, type Conv3d, type Layer, Linear } from '@nn/layers';
import { fakeQuantise } from './fake-quantise.ts';
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
  /** [2]: the bounds of the inputs so far; both 0 before the first batch. */
  inputRange: Parameter;

  constructor(layer: Trainable, options: { readonly symmetry: Symmetry; readonly levels?: Levels }) {
    this.layer = layer;
    this.symmetry = options.symmetry;
    this.levels = options.levels ?? sevenBits;
    this.weight = layer.weight;
    this.bias = layer.bias;
    this.inputRange = parameter([0, 0], { buffer: true });
    // the layer inside has the same parameters: walks are to find them once, under these names
    Object.defineProperty(this, 'layer', { enumerable: false });
  }

  forward(x: Tensor): Tensor {
    const { layer } = this;
    const input = this.#rounded(x);
    const weight = this.#weight();
    if (layer instanceof Linear) {
      const y = input.matmul(weight.transpose());
      return this.bias === null ? y : y.add(this.bias);
    }
    // the cast: the layer computes with what stands in its field, a parameter or what is computed of one
    return withWeight(layer, weight as Parameter, () => layer.forward(input));
  }

  #rounded(x: Tensor): Tensor {
    const { low, high } = this.levels;
    if (isTraining()) {
      const values = x.stopGradient();
      const isNew = this.inputRange.equal(0).all();
      const [min, max] = [values.min(), values.max()];
      const moved = (bound: Tensor, index: number): Tensor => {
        const last = this.inputRange.at(index);
        return where(isNew, bound, last.add(bound.sub(last).mul(rate)));
      };
      this.inputRange.assign(stack([moved(min, 0), moved(max, 1)]));
    }
    const bottom = this.inputRange.at(0).minimum(0);
    const top = this.inputRange.at(1).maximum(0);
    const scale = top
      .sub(bottom)
      .div(high - low)
      .maximum(smallestScale);
    const zeroPoint = bottom.div(scale).round().neg().add(low).clamp(low, high);
    return fakeQuantise(x, { scale, zeroPoint, low, high });
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
