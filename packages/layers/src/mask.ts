/**
 * Masks of what counts: the rows that a loader did not make up, the steps that are not padding. Owns their meaning (true,
 * or 1, counts) and how they stretch over a tensor; normalisation and losses consume them.
 */
import { arange, type Shape, ShapeError, showShape, type Tensor } from '@nn/core';

export interface MaskOptions {
  /**
   * What counts: bool or numbers, true or 1 for samples, false or 0 for padding. [N], the `mask` of a loader's batch, or
   * [N, ...] along the axes that follow the channels: `sequenceMask(lengths, steps)`.
   */
  readonly mask?: Tensor;
}

/** A mask over a tensor [N, channels, ...space]: where elements count, and how many do for each channel. */
interface Counted {
  readonly keep: Tensor;
  /** A scalar, at least 1. */
  readonly count: Tensor;
}

/**
 * The steps of padded sequences that count, from their lengths [N]: bool [N, steps], true at the first `lengths[n]`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { sequenceMask } from '@nn/layers';
 * const mask = sequenceMask(tensor(Int32Array.of(1, 3)), 3);
 * console.log(await mask.array()); // => [[true, false, false], [true, true, true]]
 */
export function sequenceMask(lengths: Tensor, steps: number): Tensor {
  if (lengths.rank !== 1) {
    throw new ShapeError('sequenceMask', `the lengths must be [N], got ${showShape(lengths.shape)}.`, {
      shape: lengths.shape,
    });
  }
  return arange(steps).less(lengths.cast('int32').unsqueeze(1));
}

/** A mask as it lies over an input [N, channels, ...space]. */
export function maskLike(layer: string, mask: Tensor, input: Tensor): Counted {
  const { shape } = mask;
  const [batch, , ...space] = input.shape;
  const rest = space.slice(shape.length - 1).map(() => 1);
  if (shape[0] !== batch || shape.slice(1).some((size, axis) => size !== space[axis])) {
    const forms = `[${batch}]${space.length === 0 ? '' : ` nor ${showShape([batch ?? 0, ...space])}`}`;
    throw new ShapeError(
      layer,
      `the mask ${showShape(shape)} is not ${forms}, of the input ${showShape(input.shape)}.`,
      {
        layer,
        mask: shape,
        shape: input.shape,
      },
    );
  }
  const keep = asBooleans(mask).reshape([shape[0] ?? 0, 1, ...shape.slice(1), ...rest]);
  const times = space.slice(shape.length - 1).reduce((product, size) => product * size, 1);
  return { keep, count: keep.cast('float32').sum().mul(times).maximum(1) };
}

/** Where losses [N, ...] count, by a mask of their first axes: bool, with an axis of 1 for each that the mask lacks. */
export function keepOver(loss: string, mask: Tensor, losses: { readonly shape: Shape }): Tensor {
  const { shape } = mask;
  if (shape.length > losses.shape.length || shape.some((size, axis) => size !== losses.shape[axis])) {
    throw new ShapeError(
      loss,
      `the mask ${showShape(shape)} does not fit the losses ${showShape(losses.shape)}: it must have their first axes, [N] or more.`,
      { loss, mask: shape, losses: losses.shape },
    );
  }
  return asBooleans(mask).reshape([...shape, ...losses.shape.slice(shape.length).map(() => 1)]);
}

/** A mask as booleans. */
export function asBooleans(mask: Tensor): Tensor {
  return mask.cast('bool');
}
