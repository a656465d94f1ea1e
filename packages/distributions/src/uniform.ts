/** The uniform distribution on an interval. */
import { type Tensor, type TensorLike, uniform, ValueError, where } from '@nn/core';
import { broadcast, type Distribution, Reparameterised, type Shape, toTensor } from './distribution.ts';
import { Normal } from './normal.ts';

/**
 * All numbers of [low, high) alike; both broadcast.
 *
 * @example
 * import { Uniform } from '@nn/distributions';
 * const unit = new Uniform(0, 2);
 * console.log((await unit.logProbability([1, 3]).array(1)).map((x) => x.toFixed(4)).join(' ')); // => -0.6931 -Infinity
 */
export class Uniform extends Reparameterised {
  readonly name: string = 'Uniform';
  readonly low: Tensor;
  readonly high: Tensor;

  constructor(low: TensorLike, high: TensorLike) {
    if (typeof low === 'number' && typeof high === 'number' && !(low < high)) {
      throw new ValueError('Uniform', `low must be below high, got ${low} and ${high}.`, { low, high });
    }
    const [first, second] = broadcast('Uniform', low, high) as [Tensor, Tensor];
    super(first.shape);
    this.low = first;
    this.high = second;
  }

  get mean(): Tensor {
    return this.low.add(this.high).mul(0.5);
  }

  get variance(): Tensor {
    return this.high.sub(this.low).square().div(12);
  }

  logProbability(value: TensorLike): Tensor {
    const x = toTensor(value);
    const isInside = x.greaterEqual(this.low).logicalAnd(x.less(this.high));
    return where(isInside, this.high.sub(this.low).log().neg(), Number.NEGATIVE_INFINITY);
  }

  entropy(): Tensor {
    return this.high.sub(this.low).log();
  }

  /** From a Uniform, infinite where that does not cover this one, or from a Normal. */
  klDivergence(other: Distribution): Tensor {
    const width = this.high.sub(this.low);
    if (other instanceof Uniform) {
      const isCovered = other.low.lessEqual(this.low).logicalAnd(this.high.lessEqual(other.high));
      return where(isCovered, other.high.sub(other.low).div(width).log(), Number.POSITIVE_INFINITY);
    }
    if (!(other instanceof Normal)) throw this.noDivergence(other);
    // the mean of (x - location')^2 is the variance plus the square of the distance of the means
    const spread = this.variance.add(this.mean.sub(other.location).square());
    return other.scale
      .log()
      .add(0.5 * Math.log(2 * Math.PI))
      .sub(width.log())
      .add(spread.div(other.variance).mul(0.5));
  }

  protected draw(shape: Shape): Tensor {
    return uniform(shape).mul(this.high.sub(this.low)).add(this.low);
  }
}
