/** Lime: a linear model of a few features that says the same near one input. */
import { checkOptions, hostUniform, type Tensor, tensor, ValueError, vmap, where } from '@nn/core';
import { type Explained, requireWhole, scorerOf, sumOfEach, type TargetOptions } from '../model.ts';
import { weightedLasso } from './least-squares.ts';
import { absenceOf, type GroupOptions, maskOf, playersOf, readScores, scoresWith, spread } from './players.ts';

export interface LimeOptions extends TargetOptions, GroupOptions {
  /** What stands for a feature that is not there: a number, or a tensor that spreads over the input. Default 0. */
  readonly baseline?: number | Tensor | undefined;
  /** How many inputs around x are looked at. Default 50, as in Captum. */
  readonly samples?: number;
  /** How far an input is from x: 1 - cosine, or the Euclidean distance. Default 'cosine'. */
  readonly distance?: 'cosine' | 'euclidean';
  /** The width of the kernel exp(-distance^2 / (2 width^2)) that weighs them. Default 1. */
  readonly width?: number;
  /** The lasso's penalty: the larger, the fewer features are left. Default 0.01; 0 is least squares. */
  readonly alpha?: number;
}

export interface LimeResult {
  /** The coefficient of each feature, on all of its elements: of the shape of the input. */
  readonly attributions: Tensor;
  /** One number a feature: [N, features]. */
  readonly coefficients: Tensor;
  readonly intercepts: Tensor;
  /** The share of the weighted variance around each sample that its linear model explains: [N]. */
  readonly fidelity: Tensor;
}

/**
 * The coefficients of a linear model of the features that are there, fitted to scores of inputs from which each feature is
 * missing by chance 1/2, the near ones counting more. Defaults are Captum's: a lasso. (Ribeiro et al. 2016.)
 *
 * @example
 * import { setSeed, tensor, type Tensor } from '@nn/core';
 * import { lime } from '@nn/explain';
 * setSeed(1);
 * const model = (x: Tensor) => x.mul(tensor([3, -2, 1])).sum(1);
 * const { coefficients } = await lime(model, tensor([[5, 1, 4]]), { alpha: 0 });
 * console.log((await coefficients.array(2)).map((row) => row.map(Math.round))); // => [[15, -2, 4]]
 */
export async function lime(model: Explained, x: Tensor, options: LimeOptions = {}): Promise<LimeResult> {
  const operation = 'lime';
  checkOptions(operation, options, ['target', 'groups', 'baseline', 'samples', 'distance', 'width', 'alpha']);
  const { samples: looks = 50, distance = 'cosine', width = 1, alpha = 0.01 } = options;
  requireWhole(operation, 'samples', looks, 2);
  if (!(width > 0)) throw new ValueError(operation, `width is ${width}: it is above 0.`);
  if (!(alpha >= 0)) throw new ValueError(operation, `alpha is ${alpha}: it is 0 or more.`);
  if (distance !== 'cosine' && distance !== 'euclidean') {
    throw new ValueError(operation, `distance is '${String(distance)}': it is 'cosine' or 'euclidean'.`);
  }
  const players = playersOf(operation, x, options.groups);
  const absence = absenceOf(operation, x, options);
  const rows = Array.from({ length: looks }, () => Uint8Array.from(hostUniform(players.count), (u) => Number(u < 0.5)));
  const present = maskOf(players, rows);
  const apart = vmap((mask: Tensor) => distances(distance, x, where(mask, x, absence.baseline)))(present);
  const scores = await readScores(scoresWith(scorerOf(operation, model, options.target), x, absence, present));
  const far = await apart.data();
  const [n = 0] = x.shape;
  const fits = Array.from({ length: n }, (_, sample) =>
    weightedLasso(
      rows,
      rows.map((__, r) => scores[r * n + sample] as number),
      rows.map((__, r) => Math.exp(-((far[r * n + sample] as number) ** 2) / (2 * width ** 2))),
      alpha,
    ),
  );
  const coefficients = fits.flatMap((fit) => [...fit.coefficients]);
  return {
    attributions: spread(coefficients, n, players),
    coefficients: tensor(coefficients).reshape([n, players.count]),
    intercepts: tensor(fits.map(({ intercept }) => intercept)),
    fidelity: tensor(fits.map(({ score }) => score)),
  };
}

/** [N] */
function distances(kind: 'cosine' | 'euclidean', a: Tensor, b: Tensor): Tensor {
  if (kind === 'euclidean') return sumOfEach(a.sub(b).square()).sqrt();
  const lengths = sumOfEach(a.square()).mul(sumOfEach(b.square())).sqrt();
  return sumOfEach(a.mul(b)).div(lengths.maximum(1e-8)).mul(-1).add(1);
}
