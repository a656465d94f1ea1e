/**
 * What all distributions share: shapes, the arguments of their constructors, and draws. A distribution is tensors with a
 * meaning: everything that it gives is arithmetic on them, lazy and differentiable.
 */
import { isTensor, noGradient, ShapeError, type Tensor, type TensorLike, tensor, ValueError, zeros } from '@nn/core';

export type Shape = readonly number[];

/** The parameters of a distribution as float32 tensors of one shape, by NumPy's rule of broadcasting. */
export function broadcast(operation: string, ...parameters: readonly TensorLike[]): Tensor[] {
  const given = parameters.map(toTensor);
  const shape = given.reduce<Shape>((all, x) => commonShape(operation, all, x.shape), []);
  return given.map((x) => x.expand(shape));
}

/** A float32 tensor of anything that stands for one. */
export function toTensor(x: TensorLike): Tensor {
  if (isTensor(x)) return x.dtype === 'float32' ? x : x.cast('float32');
  return zeros([]).add(x);
}

export function commonShape(operation: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [left, right] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    if (left !== right && left !== 1 && right !== 1) {
      throw new ShapeError(operation, `[${a.join(', ')}] and [${b.join(', ')}] do not broadcast.`, { a, b });
    }
    return left === 1 ? right : left;
  });
}

/** A plain number that a parameter cannot be is refused at once; of tensors the values are not known yet. */
export function requirePositive(operation: string, parameters: Readonly<Record<string, TensorLike>>): void {
  for (const [name, value] of Object.entries(parameters)) {
    if (typeof value !== 'number' || value > 0) continue;
    throw new ValueError(operation, `${name} must be above 0, got ${value}.`, { [name]: value });
  }
}

export abstract class Distribution {
  /** The name of the class, also where names are shortened. */
  abstract readonly name: string;
  /** The shape of independent distributions that are held as one. */
  readonly batchShape: Shape;
  /** The shape of one value: [] of numbers, [K] of vectors. */
  readonly eventShape: Shape;

  constructor(batchShape: Shape, eventShape: Shape = []) {
    this.batchShape = batchShape;
    this.eventShape = eventShape;
  }

  /** The expected value, [...batchShape, ...eventShape]. */
  abstract get mean(): Tensor;
  /** The variance of each element, [...batchShape, ...eventShape]. */
  abstract get variance(): Tensor;
  /** The natural logarithm of the density or probability of values [..., ...eventShape], which broadcast: -Infinity for those that cannot occur. */
  abstract logProbability(value: TensorLike): Tensor;
  /** The entropy in nats, [...batchShape]. */
  abstract entropy(): Tensor;
  /** The divergence of Kullback and Leibler from `other`, in nats, [...batchShape]. Throws ValueError where there is no formula for the pair. */
  abstract klDivergence(other: Distribution): Tensor;
  /** Draws [...shape, ...batchShape, ...eventShape] in whatever way; gradients may pass. */
  protected abstract draw(shape: Shape): Tensor;

  /** Values [...sampleShape, ...batchShape, ...eventShape], through which no gradient passes. Seeded by `setSeed` or `withRandom`. */
  sample(sampleShape: Shape = []): Tensor {
    return noGradient(() => this.draw([...sampleShape, ...this.batchShape]));
  }

  /** @internal The error for a pair of distributions. */
  protected noDivergence(other: Distribution): ValueError {
    return new ValueError('klDivergence', `there is no formula from ${this.name} to ${other.name}.`, {
      from: this.name,
      to: other.name,
    });
  }
}

/** A distribution whose draws are differentiable functions of its parameters. */
export abstract class Reparameterised extends Distribution {
  /** As `sample`, with gradients to the parameters (the pathwise estimator; Kingma and Welling 2014). */
  rsample(sampleShape: Shape = []): Tensor {
    return this.draw([...sampleShape, ...this.batchShape]);
  }
}

/**
 * The divergence of Kullback and Leibler, the expected log p(x) - log q(x) for x of p, in nats: [...batchShape].
 *
 * @example
 * import { klDivergence, Normal } from '@nn/distributions';
 * console.log(await klDivergence(new Normal(0, 1), new Normal(1, 1)).item()); // => 0.5
 */
export function klDivergence(p: Distribution, q: Distribution): Tensor {
  return p.klDivergence(q);
}

/** Numbers as a tensor for products along a last axis. */
export const vector = (values: readonly number[]): Tensor => tensor(Float32Array.from(values));
