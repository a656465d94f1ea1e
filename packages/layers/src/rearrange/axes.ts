/** Axes joined, cut, exchanged and repeated, as layers. Nothing is computed: all are views. */
import { ShapeError, showShape, type Tensor } from '@nn/core';
import { countOf, type Layer, requireWhole } from '../layer.ts';

/**
 * Joins the axes `from` to `to` (both included) into one; by default all but the batch: [N, ...] to [N, rest].
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { Flatten } from '@nn/layers';
 * console.log(new Flatten().forward(zeros([4, 8, 7, 7])).shape); // => [4, 392]
 */
export class Flatten implements Layer {
  readonly from: number;
  readonly to: number;

  constructor(from = 1, to = -1) {
    this.from = from;
    this.to = to;
  }

  forward(input: Tensor): Tensor {
    return input.flatten(this.from, this.to);
  }

  toString(): string {
    return 'Flatten()';
  }
}

/**
 * Cuts an axis into several: [..., a b, ...] to [..., a, b, ...], as PyTorch's `nn.Unflatten`. One of the sizes may be -1, which
 * is what is left. Throws ShapeError where they do not multiply to the size of the axis.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { Unflatten } from '@nn/layers';
 * console.log(new Unflatten(1, [2, -1]).forward(zeros([4, 8])).shape); // => [4, 2, 4]
 */
export class Unflatten implements Layer {
  readonly axis: number;
  readonly sizes: readonly number[];

  constructor(axis: number, sizes: readonly number[]) {
    this.axis = axis;
    this.sizes = [...sizes];
  }

  forward(input: Tensor): Tensor {
    const axis = this.axis < 0 ? this.axis + input.rank : this.axis;
    const size = input.shape[axis];
    const known = countOf(this.sizes.filter((length) => length !== -1));
    const missing = this.sizes.filter((length) => length === -1).length;
    const rest = size === undefined || known === 0 ? Number.NaN : size / known;
    const sizes = this.sizes.map((length) => (length === -1 ? rest : length));
    if (size === undefined || missing > 1 || !sizes.every(Number.isInteger) || countOf(sizes) !== size) {
      throw new ShapeError(
        String(this),
        `axis ${this.axis} of ${showShape(input.shape)}${size === undefined ? ' does not exist' : ` has ${size} elements`}, which ${showShape(this.sizes)} do not make.`,
        { layer: String(this), shape: input.shape },
      );
    }
    return input.reshape([...input.shape.slice(0, axis), ...sizes, ...input.shape.slice(axis + 1)]);
  }

  toString(): string {
    return `Unflatten(${this.axis}, ${showShape(this.sizes)})`;
  }
}

/**
 * The axes in another order, that of the batch among them; Keras' `Permute` leaves it out and counts from 1. Throws ShapeError
 * for another number of axes.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { Permute } from '@nn/layers';
 * console.log(new Permute([0, 2, 3, 1]).forward(zeros([4, 8, 5, 6])).shape); // => [4, 5, 6, 8]
 */
export class Permute implements Layer {
  readonly axes: readonly number[];

  constructor(axes: readonly number[]) {
    this.axes = [...axes];
  }

  forward(input: Tensor): Tensor {
    return input.permute(this.axes);
  }

  toString(): string {
    return `Permute(${this.axes.join(', ')})`;
  }
}

/**
 * Each sample so many times along a new axis: [N, width] to [N, count, width], as Keras' `RepeatVector`. Throws ShapeError for
 * another rank.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { RepeatVector } from '@nn/layers';
 * console.log(await new RepeatVector(2).forward(tensor([[1, 2]])).array()); // => [[[1, 2], [1, 2]]]
 */
export class RepeatVector implements Layer {
  readonly count: number;

  constructor(count: number) {
    this.count = count;
    requireWhole(String(this), 'count', count);
  }

  forward(input: Tensor): Tensor {
    const [batch, width] = input.shape;
    if (input.rank !== 2 || batch === undefined || width === undefined) {
      throw new ShapeError(String(this), `takes [N, width], got ${showShape(input.shape)}.`, {
        layer: String(this),
        shape: input.shape,
      });
    }
    return input.unsqueeze(1).expand([batch, this.count, width]);
  }

  toString(): string {
    return `RepeatVector(${this.count})`;
  }
}
