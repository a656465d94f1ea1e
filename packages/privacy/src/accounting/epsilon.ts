/** Epsilon of steps that are planned, and the noise that a wanted epsilon needs: before any training. */
import { checkOptions, ValueError } from '@nn/core';
import { firstBelow } from './bisect.ts';
import { epsilonByGdp } from './gdp.ts';
import { checkDelta, checkSteps, type PrivateSteps } from './mechanism.ts';
import { epsilonByPrv } from './prv.ts';
import { epsilonByRdp } from './rdp.ts';

/**
 * How epsilon is counted: `rdp`, a bound that is quick; `prv`, a bound that is tight to 0.02; `gdp`, an approximation
 * that may be too low.
 */
export type AccountingMethod = 'rdp' | 'prv' | 'gdp';

const methods: Readonly<Record<AccountingMethod, (history: readonly PrivateSteps[], delta: number) => number>> = {
  rdp: epsilonByRdp,
  prv: epsilonByPrv,
  gdp: epsilonByGdp,
};

/** Throws ValueError for a name that is none of the methods. */
export function checkMethod(operation: string, method: string): asserts method is AccountingMethod {
  if (Object.hasOwn(methods, method)) return;
  throw new ValueError(operation, `method is '${method}': it must be 'rdp', 'prv' or 'gdp'.`, { method });
}

/** Epsilon of a history, which was checked. */
export function epsilonOfHistory(history: readonly PrivateSteps[], delta: number, method: AccountingMethod): number {
  return methods[method](history, delta);
}

export interface EpsilonOptions extends PrivateSteps {
  /** The chance that the guarantee may fail: well below 1 / the number of samples. */
  readonly delta: number;
  /** Default 'rdp'. */
  readonly method?: AccountingMethod;
}

/**
 * The epsilon that so many steps of DP-SGD on Poisson-sampled batches have, for plans: a training is accounted by its
 * `PrivateOptimizer`, from the loader itself. (Abadi et al. 2016; the methods' papers stand in their files.)
 *
 * @example
 * import { epsilonOf } from '@nn/privacy';
 * const plan = { noiseMultiplier: 1.5, sampleRate: 0.04, steps: 2250, delta: 1e-5 };
 * console.log(epsilonOf(plan).toFixed(4), epsilonOf({ ...plan, method: 'prv' }).toFixed(2)); // => 7.3291 6.78
 */
export function epsilonOf(options: EpsilonOptions): number {
  checkOptions('epsilonOf', options, ['noiseMultiplier', 'sampleRate', 'steps', 'delta', 'method']);
  const { delta, method = 'rdp' } = options;
  checkSteps('epsilonOf', options);
  checkDelta('epsilonOf', delta);
  checkMethod('epsilonOf', method);
  return epsilonOfHistory([options], delta, method);
}

export interface NoiseOptions {
  /** What is wanted. */
  readonly epsilon: number;
  readonly delta: number;
  /** The chance of each sample to be in a batch: `loader.sampleRate`. */
  readonly sampleRate: number;
  /** Give either steps or epochs. */
  readonly steps?: number;
  /** An epoch has 1 / sampleRate steps. */
  readonly epochs?: number;
  /** Default 'rdp'. */
  readonly method?: AccountingMethod;
}

/**
 * The least noise multiplier with which so many steps stay within epsilon. Throws ValueError where no noise up to 10,000
 * is enough.
 *
 * @example
 * import { noiseFor } from '@nn/privacy';
 * console.log(noiseFor({ epsilon: 8, delta: 1e-5, sampleRate: 0.04, epochs: 90 }).toFixed(3)); // => 1.416
 */
export function noiseFor(options: NoiseOptions): number {
  checkOptions('noiseFor', options, ['epsilon', 'delta', 'sampleRate', 'steps', 'epochs', 'method']);
  const { epsilon, delta, sampleRate, epochs, method = 'rdp' } = options;
  if ((options.steps === undefined) === (epochs === undefined)) {
    throw new ValueError('noiseFor', 'give either steps or epochs.');
  }
  const steps = options.steps ?? Math.ceil((epochs ?? 0) / sampleRate - 1e-9);
  if (!(epsilon > 0)) throw new ValueError('noiseFor', `epsilon is ${epsilon}: it must be above 0.`, { epsilon });
  checkSteps('noiseFor', { noiseMultiplier: 1, sampleRate, steps });
  checkDelta('noiseFor', delta);
  checkMethod('noiseFor', method);
  const excess = (noiseMultiplier: number): number =>
    epsilonOfHistory([{ noiseMultiplier, sampleRate, steps }], delta, method) - epsilon;
  // epsilon by `prv` takes a second, so the search starts at the noise of `rdp`, which is enough, or nearly
  const start = method === 'prv' ? noiseFor({ epsilon, delta, sampleRate, steps }) : 1;
  const [factor, precision] = method === 'prv' ? [1.1, 1e-3] : [2, 1e-5];
  let high = start;
  while (quietly(() => excess(high)) > 0) {
    high *= factor;
    if (high > 10_000) {
      throw new ValueError(
        'noiseFor',
        `no noise gives epsilon ${epsilon} at delta ${delta} after ${steps} steps: take fewer steps or a lower sampleRate.`,
        { epsilon, delta, steps },
      );
    }
  }
  let low = high / factor;
  while (low > 1e-3 && quietly(() => excess(low)) <= 0) [low, high] = [low / factor, low];
  return firstBelow((noise) => quietly(() => excess(noise)), low, high, precision);
}

/** With noise so low that it cannot be counted, too much of it is given. */
function quietly(excess: () => number): number {
  try {
    return excess();
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
