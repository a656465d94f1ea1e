/** Steps of sequences that do not count, and layers that look at each step by itself. */
import { ShapeError, showShape, type Tensor, ValueError } from '@nn/core';
import { countOf, type Layer } from '../layer.ts';

/**
 * Sets steps to 0 whose values are all `value`, and tells which they are: [N, length, ...], the shape stays. As Keras' `Masking`,
 * but the mask is not passed on unseen: give `mask(x)` to what takes one.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { LSTM, Masking } from '@nn/layers';
 * const masking = new Masking(-1);
 * const x = tensor([[[1, 2], [-1, -1]]]);
 * console.log(await masking.mask(x).array()); // => [[true, false]]
 * const { output } = new LSTM(2, 3, { batchFirst: true }).forward(masking.forward(x), { mask: masking.mask(x) });
 * console.log(await output.at(0, 1).array()); // => [0, 0, 0]
 */
export class Masking implements Layer {
  readonly value: number;

  constructor(value = 0) {
    this.value = value;
  }

  forward(input: Tensor): Tensor {
    const counts = this.mask(input);
    const ones = input.shape.slice(2).map(() => 1);
    return input.mul(counts.cast(input.dtype).reshape([...counts.shape, ...ones]));
  }

  /** Which steps count: bool [N, length]. */
  mask(input: Tensor): Tensor {
    if (input.rank < 3) {
      throw new ShapeError(String(this), `takes [N, length, ...], got ${showShape(input.shape)}.`, {
        layer: String(this),
        shape: input.shape,
      });
    }
    const axes = input.shape.map((_, axis) => axis).slice(2);
    return input.notEqual(this.value).any(axes);
  }

  toString(): string {
    return `Masking(${this.value})`;
  }
}

/**
 * A layer for each step: [N, length, ...] to [N, length, ...], where the layer sees [N * length, ...]. As Keras'
 * `TimeDistributed`. Layers that take any leading axes, such as Linear, need it not. Throws ShapeError for an input without steps.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { Conv2d, TimeDistributed } from '@nn/layers';
 * console.log(new TimeDistributed(new Conv2d(1, 4, 3)).forward(zeros([2, 10, 1, 8, 8])).shape); // => [2, 10, 4, 6, 6]
 */
export class TimeDistributed implements Layer {
  readonly layer: Layer;

  constructor(layer: Layer) {
    if (typeof layer?.forward !== 'function') {
      throw new ValueError('TimeDistributed', 'takes a layer: an object with forward(x).');
    }
    this.layer = layer;
  }

  forward(input: Tensor): Tensor {
    const [batch, length] = input.shape;
    if (batch === undefined || length === undefined || input.rank < 3) {
      throw new ShapeError(String(this), `takes [N, length, ...], got ${showShape(input.shape)}.`, {
        layer: String(this),
        shape: input.shape,
      });
    }
    const output = this.layer.forward(input.reshape([countOf([batch, length]), ...input.shape.slice(2)]));
    return output.reshape([batch, length, ...output.shape.slice(1)]);
  }

  toString(): string {
    return `TimeDistributed(${String(this.layer)})`;
  }
}
