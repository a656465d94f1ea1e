/**
 * Max pooling with windows at random steps (Graham 2014): sizes shrink by any factor. Owns where windows begin; a sample and a
 * channel have steps of their own.
 */
import { arange, checkOptions, type PooledMaxima, ShapeError, showShape, type Tensor, uniform, where } from '@nn/core';
import { countOf, type Layer, perAxis, requireSpace, requireWhole } from '../layer.ts';

export interface FractionalMaxPoolOptions {
  /** The size of the output. */
  readonly outputSize?: number | readonly number[];
  /** Instead of it, the share of the input's size, between 0 and 1. */
  readonly outputRatio?: number | readonly number[];
}

abstract class FractionalMaxPool implements Layer {
  readonly size: readonly number[];
  readonly outputSize: readonly number[] | null;
  readonly outputRatio: readonly number[] | null;

  constructor(rank: number, size: number | readonly number[], options: FractionalMaxPoolOptions) {
    const name = `FractionalMaxPool${rank}d`;
    checkOptions(name, options, ['outputSize', 'outputRatio']);
    const { outputSize, outputRatio } = options;
    if ((outputSize === undefined) === (outputRatio === undefined)) {
      throw new ShapeError(name, 'takes outputSize or outputRatio: give one of them.', { outputSize, outputRatio });
    }
    this.size = perAxis(name, 'size', size, rank);
    this.outputSize = outputSize === undefined ? null : perAxis(name, 'outputSize', outputSize, rank);
    this.outputRatio = outputRatio === undefined ? null : perAxis(name, 'outputRatio', outputRatio, rank);
    for (const length of [...this.size, ...(this.outputSize ?? [])]) requireWhole(name, 'each size', length);
    if (this.outputRatio?.some((ratio) => !(ratio > 0 && ratio < 1))) {
      throw new ShapeError(name, `outputRatio is ${showShape(this.outputRatio)}: it must lie between 0 and 1.`, {
        outputRatio,
      });
    }
  }

  /** `samples` [N, channels, axes] from 0 to 1 say where windows begin; drawn anew for each call by default. */
  forward(input: Tensor, samples?: Tensor): Tensor {
    return this.withIndices(input, samples).values;
  }

  /** As `forward`, with the flat index of each maximum in its channel: PyTorch's `return_indices`. */
  withIndices(input: Tensor, samples?: Tensor): PooledMaxima {
    const rank = this.size.length;
    requireSpace(String(this), input, rank);
    const [batch = 0, channels = 0, ...space] = input.shape;
    const expected = [batch, channels, rank];
    const drawn = samples ?? uniform(expected);
    if (showShape(drawn.shape) !== showShape(expected)) {
      throw new ShapeError(String(this), `samples must be ${showShape(expected)}, got ${showShape(drawn.shape)}.`, {
        layer: String(this),
        samples: drawn.shape,
      });
    }
    const outputs = space.map((length, axis) => this.#outputLength(length, axis));
    // flat places in the channel: [N, channels, out, ..., window, ...]
    let places: Tensor | null = null;
    for (const [axis, length] of space.entries()) {
      const size = this.size[axis] ?? 1;
      const count = outputs[axis] ?? 1;
      const along = startsOf(drawn.at([], [], this.sampleOf(axis)), length, count, size);
      const windows = along
        .unsqueeze(-1)
        .add(arange(size))
        .mul(countOf(space.slice(axis + 1)));
      const shape = new Array<number>(2 * rank).fill(1);
      shape[axis] = count;
      shape[rank + axis] = size;
      const spread = windows.reshape([batch, channels, ...shape]);
      places = places === null ? spread : places.add(spread);
    }
    const windowSize = countOf(this.size);
    const flat = (places ?? drawn).reshape([batch, channels, countOf(outputs) * windowSize]);
    const pixels = input.reshape([batch, channels, countOf(space)]);
    const rows = pixels.takeAlong(flat, 2).reshape([batch, channels, countOf(outputs), windowSize]);
    const best = rows.stopGradient().argMax(3).unsqueeze(3);
    const indices = flat
      .reshape([batch, channels, countOf(outputs), windowSize])
      .takeAlong(best, 3)
      .squeeze(3);
    const form = [batch, channels, ...outputs];
    return { values: pixels.takeAlong(indices, 2).reshape(form), indices: indices.reshape(form) };
  }

  /** Which of the samples is that of an axis. */
  protected abstract sampleOf(axis: number): number;

  #outputLength(length: number, axis: number): number {
    const count = this.outputSize?.[axis] ?? Math.floor(length * (this.outputRatio?.[axis] ?? 1));
    const size = this.size[axis] ?? 1;
    if (count >= 1 && count + size - 1 <= length) return count;
    throw new ShapeError(
      String(this),
      `an axis of ${length} is too short for ${count} windows of ${size}: it needs ${Math.max(1, count) + size - 1}.`,
      { layer: String(this), length, count, size },
    );
  }

  toString(): string {
    return `FractionalMaxPool${this.size.length}d(${this.size.join('x')})`;
  }
}

/** floor((i + u) a) - floor(u a) for a = (length - size) / (count - 1); the last window touches the end. [N, channels, count]. */
function startsOf(sample: Tensor, length: number, count: number, size: number): Tensor {
  const i = arange(count);
  const step = count === 1 ? 0 : (length - size) / (count - 1);
  const u = sample.unsqueeze(-1);
  const starts = u.add(i).mul(step).floor().sub(u.mul(step).floor()).cast('int32');
  return where(i.equal(count - 1), length - size, starts).clamp(0, length - size);
}

/**
 * The largest value of windows at random steps: [N, channels, height, width] to [N, channels, height', width']. (Graham 2014.)
 * As PyTorch's `nn.FractionalMaxPool2d`, also in evaluation. Throws ShapeError for another rank and for sizes that do not fit.
 *
 * @example
 * import { uniform } from '@nn/core';
 * import { FractionalMaxPool2d } from '@nn/layers';
 * const layer = new FractionalMaxPool2d(2, { outputRatio: 0.7 });
 * console.log(layer.forward(uniform([1, 1, 10, 10])).shape); // => [1, 1, 7, 7]
 */
export class FractionalMaxPool2d extends FractionalMaxPool {
  constructor(size: number | readonly number[], options: FractionalMaxPoolOptions) {
    super(2, size, options);
  }

  /** The samples are those of width and height, in that order, as in PyTorch. */
  protected override sampleOf(axis: number): number {
    return 1 - axis;
  }
}

/**
 * The largest value of windows at random steps: [N, channels, depth, height, width] to [N, channels, depth', height', width']. (Graham 2014.)
 * As PyTorch's `nn.FractionalMaxPool3d`, also in evaluation. Throws ShapeError for another rank and for sizes that do not fit.
 *
 * @example
 * import { uniform } from '@nn/core';
 * import { FractionalMaxPool3d } from '@nn/layers';
 * const layer = new FractionalMaxPool3d(2, { outputRatio: 0.7 });
 * console.log(layer.forward(uniform([1, 1, 10, 10, 10])).shape); // => [1, 1, 7, 7, 7]
 */
export class FractionalMaxPool3d extends FractionalMaxPool {
  constructor(size: number | readonly number[], options: FractionalMaxPoolOptions) {
    super(3, size, options);
  }

  /** The samples are those of depth, height and width. */
  protected override sampleOf(axis: number): number {
    return axis;
  }
}
