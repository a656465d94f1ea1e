/** The smallest pushes that make a network wrong: FGSM and PGD. To measure robustness, and to train for it. */
import { checkOptions, gradients, type Tensor, uniform, ValueError } from '@nn/core';
import { crossEntropy } from '@nn/layers';
import { callerOf, checkedInputs, type Explained, requireWhole, sumOfEach } from '../model.ts';

export interface AttackOptions {
  /** How far each element may move (the sphere's radius for PGD's 'l2'), in units of the input. */
  readonly epsilon: number;
  /** The bounds of valid inputs. Default none. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** Whether the labels are wanted answers, which the attack moves towards. Default false: away from the true ones. */
  readonly targeted?: boolean;
  /** The loss of each sample [N] of the model's output. Default the cross entropy of logits [N, classes]. */
  readonly loss?: (output: Tensor, labels: Tensor) => Tensor;
}

const names = ['epsilon', 'minimum', 'maximum', 'targeted', 'loss'];

/**
 * x + epsilon sign(dL/dx): one step against the labels [N], by exactly epsilon in every element that has a slope. Lazy.
 * (Goodfellow et al. 2015.)
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { fgsm } from '@nn/explain';
 * const model = (x: Tensor) => x.mul(tensor([1, 2])); // logits
 * const x = tensor([[1, 0.25]]);
 * console.log(await fgsm(model, x, tensor([0], { dtype: 'int32' }), { epsilon: 0.25 }).array()); // => [[0.75, 0.5]]
 */
export function fgsm(model: Explained, x: Tensor, labels: Tensor, options: AttackOptions): Tensor {
  checkOptions('fgsm', options, names);
  checkAttack('fgsm', options);
  const slope = slopeOf('fgsm', model, x, labels, options);
  return bounded(x.add(slope.sign().mul(options.epsilon)), options);
}

export interface PgdOptions extends AttackOptions {
  /** How many steps. Default 10. */
  readonly steps?: number;
  /** How far a step goes. Default epsilon / 4. */
  readonly stepSize?: number;
  /** What epsilon measures: each element, or the Euclidean length of the whole push. Default 'infinity'. */
  readonly norm?: 'infinity' | 'l2';
  /** Starts from a random place within epsilon. Default false. */
  readonly randomStart?: boolean;
}

/**
 * Many small steps against the labels [N], each followed by a projection into the ball of epsilon around x. A step is one
 * program, the same for all. (Madry et al. 2018.)
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { pgd } from '@nn/explain';
 * const model = (x: Tensor) => x.mul(tensor([1, 2]));
 * const moved = await pgd(model, tensor([[1, 0.25]]), tensor([0], { dtype: 'int32' }), { epsilon: 0.5 });
 * console.log(await moved.array()); // => [[0.5, 0.75]]
 */
export async function pgd(model: Explained, x: Tensor, labels: Tensor, options: PgdOptions): Promise<Tensor> {
  const operation = 'pgd';
  checkOptions(operation, options, [...names, 'steps', 'stepSize', 'norm', 'randomStart']);
  checkAttack(operation, options);
  const { epsilon, steps = 10, stepSize = epsilon / 4, norm = 'infinity', randomStart = false } = options;
  requireWhole(operation, 'steps', steps);
  if (!(stepSize > 0)) throw new ValueError(operation, `stepSize is ${stepSize}: it is above 0.`);
  if (norm !== 'infinity' && norm !== 'l2') {
    throw new ValueError(operation, `norm is '${String(norm)}': it is 'infinity' or 'l2'.`);
  }
  const inside = (moved: Tensor): Tensor => {
    const push = moved.sub(x);
    const near = norm === 'infinity' ? push.clamp(-epsilon, epsilon) : shortened(push, epsilon);
    return bounded(x.add(near), options);
  };
  let now = randomStart ? inside(x.add(uniform(x.shape, { low: -epsilon, high: epsilon }))) : x;
  for (let step = 0; step < steps; step++) {
    const slope = slopeOf(operation, model, now.stopGradient(), labels, options);
    const direction = norm === 'infinity' ? slope.sign() : slope.div(lengthsOf(slope).maximum(1e-12));
    now = inside(now.add(direction.mul(stepSize)));
    await now.data(); // each step is a program of its own
  }
  return now;
}

/** dL/dx, towards more loss; towards less where the labels are wanted. */
function slopeOf(operation: string, model: Explained, x: Tensor, labels: Tensor, options: AttackOptions): Tensor {
  const { samples } = checkedInputs(operation, x);
  const { targeted = false, loss = (y: Tensor, t: Tensor) => crossEntropy(y, t, { reduction: 'none' }) } = options;
  if (labels.shape[0] !== samples) {
    throw new ValueError(operation, `${labels.shape[0] ?? 0} labels for ${samples} samples: give one for each.`);
  }
  const losses = loss(callerOf(operation, model)([x]), labels);
  const [slope] = gradients(losses.sum(), [x]);
  return targeted ? slope.neg() : slope;
}

function bounded(x: Tensor, { minimum, maximum }: AttackOptions): Tensor {
  return minimum === undefined && maximum === undefined ? x : x.clamp(minimum ?? null, maximum ?? null);
}

/** The Euclidean length of each sample, as [N, 1, ...]. */
function lengthsOf(x: Tensor): Tensor {
  return sumOfEach(x.square())
    .sqrt()
    .reshape([x.shape[0] as number, ...x.shape.slice(1).map(() => 1)]);
}

function shortened(push: Tensor, epsilon: number): Tensor {
  const length = lengthsOf(push);
  return push.mul(length.maximum(1e-12).reciprocal().mul(epsilon).minimum(1));
}

function checkAttack(operation: string, { epsilon, minimum, maximum }: AttackOptions): void {
  if (!(epsilon > 0)) throw new ValueError(operation, `epsilon is ${epsilon}: it is above 0.`);
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
    throw new ValueError(operation, `the bounds ${minimum} and ${maximum} leave no room.`);
  }
}
