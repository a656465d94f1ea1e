/** The multivariate normal distribution. */
import {
  cholesky,
  diagonal,
  normal,
  ShapeError,
  type Tensor,
  type TensorLike,
  triangularSolve,
  tril,
  ValueError,
} from '@nn/core';
import { commonShape, type Distribution, Reparameterised, type Shape, toTensor } from './distribution.ts';

/** The covariance [..., K, K], or its lower triangular factor. */
export type ByCovariance =
  | { readonly covariance: TensorLike; readonly scaleTril?: undefined }
  | { readonly scaleTril: TensorLike; readonly covariance?: undefined };

/**
 * The normal distribution of vectors with a location [..., K] and a covariance [..., K, K], or its lower triangular factor
 * `scaleTril` (the covariance is its product with its transpose), which saves a factorisation. A covariance that is not
 * positive definite is refused when a value is read.
 *
 * @example
 * import { MultivariateNormal } from '@nn/distributions';
 * const pair = new MultivariateNormal([0, 0], { covariance: [[1, 0.5], [0.5, 1]] });
 * console.log((await pair.logProbability([1, 1]).item()).toFixed(4)); // => -2.3607
 */
export class MultivariateNormal extends Reparameterised {
  readonly name: string = 'MultivariateNormal';
  readonly location: Tensor;
  readonly scaleTril: Tensor;

  constructor(location: TensorLike, parameters: ByCovariance) {
    if ((parameters.covariance === undefined) === (parameters.scaleTril === undefined)) {
      throw new ValueError('MultivariateNormal', 'needs either covariance or scaleTril, and not both.');
    }
    const mean = toTensor(location);
    const matrix = toTensor(parameters.covariance ?? (parameters.scaleTril as TensorLike));
    const k = mean.shape.at(-1);
    if (k === undefined || matrix.shape.at(-1) !== k || matrix.shape.at(-2) !== k) {
      throw new ShapeError(
        'MultivariateNormal',
        `a location [${mean.shape.join(', ')}] needs matrices [..., K, K] with its last size as K, got [${matrix.shape.join(', ')}].`,
        { location: mean.shape, matrix: matrix.shape },
      );
    }
    const batch = commonShape('MultivariateNormal', mean.shape.slice(0, -1), matrix.shape.slice(0, -2));
    super(batch, [k]);
    this.location = mean.expand([...batch, k]);
    const factor = parameters.covariance === undefined ? tril(matrix) : cholesky(matrix);
    this.scaleTril = factor.expand([...batch, k, k]);
  }

  get mean(): Tensor {
    return this.location;
  }

  get variance(): Tensor {
    return this.scaleTril.square().sum(-1);
  }

  get covariance(): Tensor {
    return this.scaleTril.matmul(this.scaleTril.transpose());
  }

  logProbability(value: TensorLike): Tensor {
    const distance = toTensor(value).sub(this.location).unsqueeze(-1);
    const standard = triangularSolve(this.scaleTril, distance).squeeze(-1);
    return standard.square().sum(-1).mul(-0.5).sub(this.#logDet()).sub(this.#constant());
  }

  entropy(): Tensor {
    return this.#logDet().add(this.#constant() + 0.5 * (this.eventShape[0] as number));
  }

  klDivergence(other: Distribution): Tensor {
    if (!(other instanceof MultivariateNormal)) throw this.noDivergence(other);
    // (tr(S'^-1 S) + d^T S'^-1 d - K) / 2 + log det L' - log det L
    const inside = triangularSolve(other.scaleTril, this.scaleTril).square().sum([-1, -2]);
    const distance = this.location.sub(other.location).unsqueeze(-1);
    const between = triangularSolve(other.scaleTril, distance).square().sum([-1, -2]);
    const half = inside
      .add(between)
      .sub(this.eventShape[0] as number)
      .mul(0.5);
    return half.add(other.#logDet()).sub(this.#logDet());
  }

  protected draw(shape: Shape): Tensor {
    const noise = normal([...shape, ...this.eventShape]).unsqueeze(-1);
    return this.scaleTril.matmul(noise).squeeze(-1).add(this.location);
  }

  /** log det of the factor. */
  #logDet(): Tensor {
    return diagonal(this.scaleTril, { axes: [-2, -1] })
      .abs()
      .log()
      .sum(-1);
  }

  #constant(): number {
    return 0.5 * Math.log(2 * Math.PI) * (this.eventShape[0] as number);
  }
}
