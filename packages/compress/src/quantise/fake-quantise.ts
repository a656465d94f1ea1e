/**
 * Values rounded to what levels can say, in float32: how a network in training feels its quantisation. The gradient passes straight
 * through where a value was within the levels, and nowhere else. (Bengio et al. 2013; torch's `fake_quantize_per_*_affine`.)
 */
import { customGradient, isTensor, ShapeError, type Tensor, tensor } from '@nn/core';
import type { Levels } from './scheme.ts';

export interface FakeQuantiseOptions extends Levels {
  /** One for all, or [size of the axis]. */
  readonly scale: Tensor | number | readonly number[];
  /** As `scale`. Default 0. */
  readonly zeroPoint?: FakeQuantiseOptions['scale'];
  /** The axis that scales and zero points run along; without it there is one of each. */
  readonly axis?: number;
}

/**
 * (clamp(round(x / scale) + zeroPoint, low, high) - zeroPoint) * scale, in the shape of `x`. The slope is 1 where x is within the
 * levels and 0 beyond; none goes to scale and zero point. Throws ShapeError where their length is not that of the axis.
 *
 * @example
 * import { fakeQuantise } from '@nn/compress';
 * import { tensor } from '@nn/core';
 * const y = fakeQuantise(tensor([0.26, 1.1, 9]), { scale: 0.5, low: 0, high: 7 });
 * console.log(await y.array()); // => [0.5, 1, 3.5]
 */
export function fakeQuantise(x: Tensor, options: FakeQuantiseOptions): Tensor {
  const { low, high, axis } = options;
  const along = (value: FakeQuantiseOptions['scale']): Tensor => {
    const given = isTensor(value) ? value : tensor(value);
    if (axis === undefined || given.size === 1) return given;
    const at = axis < 0 ? axis + x.rank : axis;
    if (given.rank !== 1 || given.shape[0] !== x.shape[at]) {
      throw new ShapeError(
        'fakeQuantise',
        `scale and zeroPoint have ${given.size} values, axis ${axis} of [${x.shape.join(', ')}] has ${x.shape[at]}: give one for each index.`,
        { shape: x.shape, axis },
      );
    }
    return given.reshape(x.shape.map((size, a) => (a === at ? size : 1)));
  };
  const scale = along(options.scale).stopGradient();
  const zeroPoint = along(options.zeroPoint ?? 0).stopGradient();
  const level = x.stopGradient().mul(scale.reciprocal()).round().add(zeroPoint);
  const value = level.clamp(low, high).sub(zeroPoint).mul(scale);
  const inside = level.greaterEqual(low).logicalAnd(level.lessEqual(high)).cast('float32');
  return customGradient(
    () => value,
    (g) => [g.mul(inside)],
  )(x);
}
