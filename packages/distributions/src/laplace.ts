/** Laplace's distribution. */
import type { Tensor, TensorLike } from '@nn/core';
import {
  broadcast,
  type Distribution,
  Reparameterised,
  requirePositive,
  type Shape,
  toTensor,
} from './distribution.ts';
import { standardExponential } from './draws.ts';

/**
 * Laplace's distribution: exponential on both sides of a location; location and scale broadcast.
 *
 * @example
 * import { Laplace } from '@nn/distributions';
 * console.log((await new Laplace(0, 1).logProbability(2).item()).toFixed(4)); // => -2.6931
 */
export class Laplace extends Reparameterised {
  readonly name: string = 'Laplace';
  readonly location: Tensor;
  readonly scale: Tensor;

  constructor(location: TensorLike, scale: TensorLike) {
    requirePositive('Laplace', { scale });
    const [mean, width] = broadcast('Laplace', location, scale) as [Tensor, Tensor];
    super(mean.shape);
    this.location = mean;
    this.scale = width;
  }

  get mean(): Tensor {
    return this.location;
  }

  get variance(): Tensor {
    return this.scale.square().mul(2);
  }

  logProbability(value: TensorLike): Tensor {
    return toTensor(value).sub(this.location).abs().div(this.scale).neg().sub(this.scale.mul(2).log());
  }

  entropy(): Tensor {
    return this.scale.mul(2).log().add(1);
  }

  klDivergence(other: Distribution): Tensor {
    if (!(other instanceof Laplace)) throw this.noDivergence(other);
    // d / s' + (s / s') exp(-d / s) - log(s / s') - 1  with the distance d of the locations
    const ratio = this.scale.div(other.scale);
    const distance = this.location.sub(other.location).abs();
    const near = ratio.mul(distance.div(this.scale).neg().exp());
    return distance.div(other.scale).add(near).sub(ratio.log()).sub(1);
  }

  protected draw(shape: Shape): Tensor {
    // the difference of two exponential numbers, which is never infinite
    const both = standardExponential(shape).sub(standardExponential(shape));
    return both.mul(this.scale).add(this.location);
  }
}
