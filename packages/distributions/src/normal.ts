/** The normal distribution. */
import { normal, type Tensor, type TensorLike } from '@nn/core';
import {
  broadcast,
  type Distribution,
  Reparameterised,
  requirePositive,
  type Shape,
  toTensor,
} from './distribution.ts';

/**
 * The normal distribution with a location (mean) and a scale (standard deviation), which broadcast.
 *
 * @example
 * import { Normal } from '@nn/distributions';
 * const standard = new Normal(0, 1);
 * console.log((await standard.logProbability(0).item()).toFixed(4)); // => -0.9189
 * console.log((await standard.entropy().item()).toFixed(4)); // => 1.4189
 */
export class Normal extends Reparameterised {
  readonly name: string = 'Normal';
  readonly location: Tensor;
  readonly scale: Tensor;

  constructor(location: TensorLike, scale: TensorLike) {
    requirePositive('Normal', { scale });
    const [mean, deviation] = broadcast('Normal', location, scale) as [Tensor, Tensor];
    super(mean.shape);
    this.location = mean;
    this.scale = deviation;
  }

  get mean(): Tensor {
    return this.location;
  }

  get variance(): Tensor {
    return this.scale.square();
  }

  logProbability(value: TensorLike): Tensor {
    const standard = toTensor(value).sub(this.location).div(this.scale);
    return standard
      .square()
      .mul(-0.5)
      .sub(this.scale.log())
      .sub(0.5 * Math.log(2 * Math.PI));
  }

  entropy(): Tensor {
    return this.scale.log().add(0.5 * Math.log(2 * Math.PI) + 0.5);
  }

  klDivergence(other: Distribution): Tensor {
    if (!(other instanceof Normal)) throw this.noDivergence(other);
    // (r^2 + d^2 - 1) / 2 - log r  with  r = scale / scale', d = (location - location') / scale'
    const ratio = this.scale.div(other.scale);
    const distance = this.location.sub(other.location).div(other.scale);
    return ratio.square().add(distance.square()).sub(1).mul(0.5).sub(ratio.log());
  }

  protected draw(shape: Shape): Tensor {
    return normal(shape).mul(this.scale).add(this.location);
  }
}
