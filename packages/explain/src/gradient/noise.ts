/** Explanations that chance has a part in: of inputs with noise, and from baselines that are drawn. */
import {
  arange,
  checkOptions,
  gradientsOrNull,
  isTensor,
  normal,
  randomInteger,
  showShape,
  type Tensor,
  uniform,
  ValueError,
  vmap,
  zerosLike,
} from '@nn/core';
import {
  checkedInputs,
  type Explained,
  formed,
  type Inputs,
  type Like,
  listOf,
  requireWhole,
  scorerOf,
  type TargetOptions,
} from '../model.ts';
import { type Attribution, withDelta } from './integrated.ts';

export interface SmoothGradOptions {
  /** How many noisy inputs. Default 5. */
  readonly samples?: number;
  /** The standard deviation of the noise. Default 1. */
  readonly standardDeviation?: number;
  /**
   * The mean of the explanations (SmoothGrad), the mean of their squares, or their variance (VarGrad). Default 'mean'.
   */
  readonly kind?: 'mean' | 'square' | 'variance';
}

/**
 * An explanation of the input, made calmer: the mean of the explanations of x + N(0, standardDeviation). All samples are one batch of
 * one program. (Smilkov et al. 2017; squares: Hooker et al. 2019; variance: Adebayo et al. 2018.)
 *
 * @example
 * import { setSeed, tensor, type Tensor } from '@nn/core';
 * import { inputTimesGradient, smoothGrad } from '@nn/explain';
 * setSeed(1);
 * const model = (x: Tensor) => x.square().sum(1);
 * const smooth = smoothGrad((x) => inputTimesGradient(model, x), tensor([[3, 1]]), { samples: 2000, standardDeviation: 0.1 });
 * const [[a = 0, b = 0] = []] = await smooth.array(2);
 * console.log(a.toFixed(0), b.toFixed(0)); // => 18 2
 */
export function smoothGrad<const I extends Inputs>(
  method: (inputs: I) => Like<I>,
  inputs: I,
  options: SmoothGradOptions = {},
): Like<I> {
  checkOptions('smoothGrad', options, ['samples', 'standardDeviation', 'kind']);
  const { samples = 5, standardDeviation = 1, kind = 'mean' } = options;
  requireWhole('smoothGrad', 'samples', samples);
  if (!(standardDeviation >= 0)) {
    throw new ValueError(
      'smoothGrad',
      `standardDeviation is ${standardDeviation}: it is 0 or more, in units of the input.`,
    );
  }
  if (!['mean', 'square', 'variance'].includes(kind)) {
    throw new ValueError('smoothGrad', `kind is '${String(kind)}': it is 'mean', 'square' or 'variance'.`);
  }
  const { list } = checkedInputs('smoothGrad', inputs);
  const explanations = vmap(
    (_: Tensor) => {
      const noisy = list.map((x) => x.add(normal(x.shape, { standardDeviation })));
      // the cast: as many tensors as the inputs are
      return listOf(method((isTensor(inputs) ? noisy[0] : noisy) as I));
    },
    { random: 'different' },
  )(arange(samples));
  const made = explanations.map((all) => {
    if (kind === 'mean') return all.mean(0);
    const squares = all.square().mean(0);
    return kind === 'square' ? squares : all.variance(0, { correction: 0 });
  });
  return formed(inputs, made);
}

export interface GradientShapOptions extends TargetOptions {
  /** What is drawn from: [B, ...] in place of the [N, ...] of the input; of several inputs one each. */
  readonly baselines: Inputs;
  /** How many points between a drawn baseline and the input. Default 5. */
  readonly samples?: number;
  /** The standard deviation of noise on the input. Default 0. */
  readonly standardDeviation?: number;
}

/**
 * Expected gradients: the mean over drawn baselines b and places between them and x of (x - b) dF/dx. Approximates Shapley
 * values over the baselines; `convergenceDelta` is the distance to F(x) minus the mean of F(b). (Lundberg and Lee 2017; Erion
 * et al. 2021.)
 *
 * @example
 * import { setSeed, tensor, type Tensor } from '@nn/core';
 * import { gradientShap } from '@nn/explain';
 * setSeed(1);
 * const model = (x: Tensor) => x.mul(tensor([3, -2])).sum(1);
 * const { attributions } = gradientShap(model, tensor([[5, 1]]), { baselines: tensor([[1, 1]]) });
 * console.log(await attributions.array()); // => [[12, 0]]
 */
export function gradientShap<const I extends Inputs>(
  model: Explained,
  inputs: I,
  options: GradientShapOptions,
): Attribution<Like<I>> {
  const operation = 'gradientShap';
  checkOptions(operation, options, ['target', 'baselines', 'samples', 'standardDeviation']);
  const { samples: draws = 5, standardDeviation = 0 } = options;
  requireWhole(operation, 'samples', draws);
  const { list, samples } = checkedInputs(operation, inputs);
  const from = listOf(options.baselines);
  const count = checkBaselines(operation, list, from);
  const score = scorerOf(operation, model, options.target);
  const drawn = vmap(
    (_: Tensor) => {
      const chosen = randomInteger([samples], 0, count);
      const place = uniform([samples]);
      const ends = list.map((x) => (standardDeviation === 0 ? x : x.add(normal(x.shape, { standardDeviation }))));
      const differences = ends.map((x, k) => x.sub((from[k] as Tensor).gather(chosen, 0)));
      const points = ends.map((x, k) => {
        const left = place.mul(-1).add(1);
        return x.sub((differences[k] as Tensor).mul(left.reshape([samples, ...x.shape.slice(1).map(() => 1)])));
      });
      const slopes = gradientsOrNull(score(points).sum(), points);
      return points.map((x, k) => (slopes[k] ?? zerosLike(x)).mul(differences[k] as Tensor));
    },
    { random: 'different' },
  )(arange(draws));
  const baselineScores = score(from).mean().expand([samples]);
  const found = withDelta(
    drawn.map((all) => all.mean(0)),
    score(list),
    baselineScores,
  );
  return { ...found, attributions: formed(inputs, found.attributions) };
}

function checkBaselines(operation: string, list: readonly Tensor[], from: readonly Tensor[]): number {
  const count = from[0]?.shape[0] ?? 0;
  list.forEach(({ shape }, k) => {
    const other = from[k]?.shape ?? [];
    if (other.slice(1).join() === shape.slice(1).join() && other[0] === count && count > 0) return;
    throw new ValueError(
      operation,
      `the baselines of input ${k}, ${showShape(shape)}, are ${showShape(other)}: give [B, ${shape.slice(1).join(', ')}].`,
    );
  });
  return count;
}
