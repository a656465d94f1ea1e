/**
 * How clean signals are, in decibels: SNR, SI-SNR, SI-SDR, SDR, and the best assignment of separated sources. Signals are
 * [..., time]; each counts once. With gradients, except SDR, which solves for a filter on the host.
 */
import { checkOptions, ShapeError, showShape, stack, type Tensor, ValueError } from '@nn/core';
import { HostMetric } from '../host-metric.ts';
import { requireSameShape, type Weighting } from '../inputs.ts';
import { type PairFormula, PairMetric, pairMean } from '../pair-metric.ts';

/** Keeps logarithms and quotients of silence finite. */
const tiny = 1e-8;

const decibels = (signal: Tensor, noise: Tensor): Tensor =>
  signal
    .square()
    .sum(-1)
    .add(tiny)
    .div(noise.square().sum(-1).add(tiny))
    .log()
    .mul(10 / Math.LN10);

const snrOf: PairFormula = (operation, p, t) => {
  requireSameShape(operation, p, t);
  return decibels(t, t.sub(p));
};

/** The part of p along t is the signal, the rest is noise. */
const siSdrOf: PairFormula = (operation, p, t) => {
  requireSameShape(operation, p, t);
  const scale = p
    .mul(t)
    .sum(-1, { keepAxes: true })
    .add(tiny)
    .div(t.square().sum(-1, { keepAxes: true }).add(tiny));
  const signal = t.mul(scale);
  return decibels(signal, p.sub(signal));
};

const siSnrOf: PairFormula = (operation, p, t) => {
  const centred = (x: Tensor): Tensor => x.sub(x.mean(-1, { keepAxes: true }));
  return siSdrOf(operation, centred(p), centred(t));
};

/**
 * The signal-to-noise ratio in decibels: the target over what differs from it. The mean over signals: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { signalToNoise } from '@nn/metrics';
 * console.log((await signalToNoise(tensor([[1.1, -0.9, 1.1, -0.9]]), tensor([[1, -1, 1, -1]])).item()).toFixed(3)); // => 20.000
 */
export function signalToNoise(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return pairMean('signalToNoise', snrOf, predictions, targets, weighting);
}

/**
 * The signal-to-noise ratio in decibels: the target over what differs from it. The mean over the signals of all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { SignalToNoise } from '@nn/metrics';
 * const metric = new SignalToNoise();
 * metric.update(tensor([[1.1, -0.9, 1.1, -0.9]]), tensor([[1, -1, 1, -1]]));
 * console.log((await metric.read()).epoch.toFixed(3)); // => 20.000
 */
export class SignalToNoise extends PairMetric {
  static override readonly name: string = 'SignalToNoise';

  constructor() {
    super('signal_to_noise', snrOf, true);
  }
}

/**
 * SI-SDR in decibels: as the signal-to-noise ratio, after the best scaling of the target. (Le Roux et al. 2019.) The
 * mean over signals: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { scaleInvariantSignalToDistortion } from '@nn/metrics';
 * console.log((await scaleInvariantSignalToDistortion(tensor([[2, 1, -2, -1]]), tensor([[1, 1, -1, -1]])).item()).toFixed(3)); // => 9.542
 */
export function scaleInvariantSignalToDistortion(
  predictions: Tensor,
  targets: Tensor,
  weighting: Weighting = {},
): Tensor {
  return pairMean('scaleInvariantSignalToDistortion', siSdrOf, predictions, targets, weighting);
}

/**
 * SI-SDR in decibels: as the signal-to-noise ratio, after the best scaling of the target. (Le Roux et al. 2019.) The
 * mean over the signals of all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ScaleInvariantSignalToDistortion } from '@nn/metrics';
 * const metric = new ScaleInvariantSignalToDistortion();
 * metric.update(tensor([[2, 1, -2, -1]]), tensor([[1, 1, -1, -1]]));
 * console.log((await metric.read()).epoch.toFixed(3)); // => 9.542
 */
export class ScaleInvariantSignalToDistortion extends PairMetric {
  static override readonly name: string = 'ScaleInvariantSignalToDistortion';

  constructor() {
    super('scale_invariant_signal_to_distortion', siSdrOf, true);
  }
}

/**
 * SI-SNR in decibels: SI-SDR of signals without their mean. (Luo and Mesgarani 2018.) The mean over signals: 0-d.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { scaleInvariantSignalToNoise } from '@nn/metrics';
 * console.log((await scaleInvariantSignalToNoise(tensor([[2, 1, -2, -1]]), tensor([[1, 1, -1, -1]])).item()).toFixed(3)); // => 9.542
 */
export function scaleInvariantSignalToNoise(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return pairMean('scaleInvariantSignalToNoise', siSnrOf, predictions, targets, weighting);
}

/**
 * SI-SNR in decibels: SI-SDR of signals without their mean. (Luo and Mesgarani 2018.) The mean over the signals of all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ScaleInvariantSignalToNoise } from '@nn/metrics';
 * const metric = new ScaleInvariantSignalToNoise();
 * metric.update(tensor([[2, 1, -2, -1]]), tensor([[1, 1, -1, -1]]));
 * console.log((await metric.read()).epoch.toFixed(3)); // => 9.542
 */
export class ScaleInvariantSignalToNoise extends PairMetric {
  static override readonly name: string = 'ScaleInvariantSignalToNoise';

  constructor() {
    super('scale_invariant_signal_to_noise', siSnrOf, true);
  }
}

/** All orders of 0 to n - 1. */
function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return permutations(n - 1).flatMap((rest) =>
    Array.from({ length: n }, (_, at) => [...rest.slice(0, at), n - 1, ...rest.slice(at)]),
  );
}

/** For each mixture [N, sources, time] the SI-SNR under the best assignment of predictions to targets: [N]. */
const assignedOf: PairFormula = (operation, p, t) => {
  requireSameShape(operation, p, t);
  const [n = 0, sources = 0, time = 0] = p.shape;
  if (p.rank !== 3)
    throw new ShapeError(operation, `sources are [N, sources, time], got ${showShape(p.shape)}.`, { shape: p.shape });
  if (sources > 6)
    throw new ValueError(operation, `${sources} sources have ${sources}! orders: 6 are the most.`, { sources });
  const all = [n, sources, sources, time];
  // [N, prediction, target]
  const pairs = siSnrOf(operation, p.unsqueeze(2).expand(all), t.unsqueeze(1).expand(all));
  const means = permutations(sources).map((order) =>
    order
      .map((target, k) => pairs.at('...', k, target))
      .reduce((sum, value) => sum.add(value))
      .div(sources),
  );
  return stack(means, 0).max(0);
};

/**
 * SI-SNR in decibels of separated sources [N, sources, time] under their best order, the mean over N: 0-d. Permutation
 * invariant, so it trains separation (as its negative). (Yu et al. 2017.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { permutationInvariantSiSnr } from '@nn/metrics';
 * const [a, b] = [[2, 1, -2, -1], [1, -2, 2, -1]];
 * const value = permutationInvariantSiSnr(tensor([[b, a]]), tensor([[[1, 1, -1, -1], [1, -1, 1, -1]]]));
 * console.log((await value.item()).toFixed(3)); // => 9.542
 */
export function permutationInvariantSiSnr(predictions: Tensor, targets: Tensor, weighting: Weighting = {}): Tensor {
  return pairMean('permutationInvariantSiSnr', assignedOf, predictions, targets, weighting);
}

/**
 * SI-SNR in decibels of separated sources [N, sources, time] under their best order, the mean over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { PermutationInvariantSiSnr } from '@nn/metrics';
 * const metric = new PermutationInvariantSiSnr();
 * metric.update(tensor([[[2, 1, -2, -1]]]), tensor([[[1, 1, -1, -1]]]));
 * console.log((await metric.read()).epoch.toFixed(3)); // => 9.542
 */
export class PermutationInvariantSiSnr extends PairMetric {
  static override readonly name: string = 'PermutationInvariantSiSnr';

  constructor() {
    super('permutation_invariant_si_snr', assignedOf, true);
  }
}

export interface DistortionOptions {
  /** The length of the filter that is not counted as distortion. Default 512. */
  readonly filter?: number;
}

/** x with T x = b for the symmetric Toeplitz matrix of the first row `r`. (Levinson 1946.) */
function solveToeplitz(r: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  const [x, a] = [new Float64Array(n), new Float64Array(n)];
  let error = r[0]!;
  a[0] = 1;
  x[0] = b[0]! / error;
  for (let k = 1; k < n; k++) {
    let reflection = 0;
    for (let j = 0; j < k; j++) reflection += a[j]! * r[k - j]!;
    reflection = -reflection / error;
    const before = a.slice(0, k + 1);
    for (let j = 0; j <= k; j++) a[j] = before[j]! + reflection * before[k - j]!;
    error *= 1 - reflection ** 2;
    let rest = b[k]!;
    for (let j = 0; j < k; j++) rest -= x[j]! * r[k - j]!;
    const step = rest / error;
    for (let j = 0; j <= k; j++) x[j]! += step * a[k - j]!;
  }
  return x;
}

/** sum over t of a[t] b[t + lag]. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>, lag: number): number {
  let sum = 0;
  for (let t = 0; t + lag < b.length; t++) sum += a[t]! * b[t + lag]!;
  return sum;
}

/**
 * The signal-to-distortion ratio in decibels, the mean over all updates: what a filter of the target explains over what it
 * does not. On the host, for numbers that were read. (Vincent et al. 2006, BSS Eval version 4.)
 *
 * @example
 * import { SignalToDistortion } from '@nn/metrics';
 * const metric = new SignalToDistortion({ filter: 1 });
 * metric.update([2, 1, -2, -1], [1, 1, -1, -1]);
 * console.log((await metric.read()).epoch.toFixed(3)); // => 9.542
 */
export class SignalToDistortion extends HostMetric<
  readonly [prediction: ArrayLike<number>, target: ArrayLike<number>]
> {
  static override readonly name: string = 'SignalToDistortion';

  readonly #filter: number;

  constructor(options: DistortionOptions = {}) {
    checkOptions('SignalToDistortion', options, ['filter']);
    const { filter = 512 } = options;
    super('signal_to_distortion', true, 2);
    if (!Number.isInteger(filter) || filter < 1)
      throw new ValueError('SignalToDistortion', `filter is ${filter}: it is a number of samples, from 1.`);
    this.#filter = filter;
  }

  protected override count(prediction: ArrayLike<number>, target: ArrayLike<number>): number[] {
    if (prediction.length !== target.length) {
      throw new ShapeError(
        'SignalToDistortion',
        `${prediction.length} samples predicted, ${target.length} in the target.`,
      );
    }
    const length = Math.min(this.#filter, target.length);
    const own = Float64Array.from({ length }, (_, lag) => correlation(target, target, lag));
    const shared = Float64Array.from({ length }, (_, lag) => correlation(target, prediction, lag));
    const energy = correlation(prediction, prediction, 0);
    const filter = solveToeplitz(own, shared);
    const explained = shared.reduce((sum, value, k) => sum + value * filter[k]!, 0) / energy;
    return [10 * Math.log10(explained / (1 - explained)), 1];
  }

  protected override compute([sum = 0, count = 0]: Float64Array): number {
    return sum / count;
  }
}
