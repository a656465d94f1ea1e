/** How far a number of a test set would be another one with other samples: percentiles over samples drawn again. */
import { checkOptions, hostUniform, RandomGenerator, ValueError, withRandom } from '@nn/core';

export interface BootstrapOptions {
  /** How often the samples are drawn again. Default 1000. */
  readonly resamples?: number;
  /** The share of the draws inside of the interval. Default 0.95. */
  readonly confidence?: number;
  /** Default 0: the same interval each time. */
  readonly seed?: number;
}

/** Percentiles of a number over resamples. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The names in BootstrapOptions, for `checkOptions`. */
export const bootstrapNames: readonly string[] = ['resamples', 'confidence', 'seed'];

/**
 * The interval of a number that is computed from `samples` samples: they are drawn again with replacement, and `statistic` is
 * given how often each was drawn. Draws for which it gives NaN (a class that is missing) are left out. (Efron 1979.)
 *
 * Throws ValueError where all draws give NaN, and where one gives no number.
 *
 * @example
 * import { bootstrapInterval } from '@nn/train';
 * const right = [1, 1, 0, 1, 1, 1, 0, 1, 1, 1]; // 8 of 10
 * const accuracy = (drawn: Uint32Array) => right.reduce((sum, hit, i) => sum + hit * (drawn[i] ?? 0), 0) / right.length;
 * const { low, high } = bootstrapInterval(right.length, accuracy);
 * console.log(low, high); // => 0.5 1
 */
export function bootstrapInterval(
  samples: number,
  statistic: (drawn: Uint32Array) => number,
  options: BootstrapOptions = {},
): Interval {
  checkOptions('bootstrapInterval', options, bootstrapNames);
  const values: number[] = [];
  if (typeof statistic !== 'function') {
    throw new ValueError(
      'bootstrapInterval',
      'statistic must be a function from how often each sample was drawn to a number.',
    );
  }
  resample('bootstrapInterval', samples, options, (drawn) => {
    const value = statistic(drawn);
    if (typeof value !== 'number') {
      throw new ValueError(
        'bootstrapInterval',
        `the statistic gave ${kindOf(value)}: it returns a number at once, await nothing in it.`,
      );
    }
    values.push(value);
  });
  return percentiles('bootstrapInterval', values, options.confidence ?? 0.95);
}

/** What something is, in a word. */
export const kindOf = (value: unknown): string =>
  value === null
    ? 'null'
    : value instanceof Promise
      ? 'a promise'
      : value === undefined
        ? 'undefined'
        : `a ${typeof value}`;

/** Calls `use` with how often each sample was drawn, once a resample. The array is used again. */
export function resample(
  operation: string,
  samples: number,
  { resamples = 1000, confidence = 0.95, seed = 0 }: BootstrapOptions,
  use: (drawn: Uint32Array) => void,
): void {
  if (!Number.isInteger(samples) || samples < 1) {
    throw new ValueError(operation, `there are ${samples} samples: one or more are needed.`, { samples });
  }
  if (!Number.isInteger(resamples) || resamples < 1) {
    throw new ValueError(operation, `resamples is ${resamples}: it is a whole number of at least 1.`, { resamples });
  }
  if (!(confidence > 0 && confidence < 1)) {
    throw new ValueError(operation, `confidence is ${confidence}: it is a share between 0 and 1.`, { confidence });
  }
  const random = new RandomGenerator(seed);
  const drawn = new Uint32Array(samples);
  for (let turn = 0; turn < resamples; turn++) {
    const places = withRandom(random, () => hostUniform(samples));
    drawn.fill(0);
    for (let i = 0; i < samples; i++) {
      const at = Math.floor((places[i] as number) * samples);
      drawn[at] = (drawn[at] as number) + 1;
    }
    use(drawn);
  }
}

/** The middle share of values that are numbers, interpolated as NumPy's percentiles. */
export function percentiles(operation: string, values: readonly number[], confidence: number): Interval {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  if (sorted.length === 0) {
    throw new ValueError(operation, 'no resample gives a number: is there a sample of each class?');
  }
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const [below, above] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
    const part = place - Math.floor(place);
    // between infinite numbers nothing lies half way
    return below === above || part === 0 ? below : below + part * (above - below);
  };
  return { low: at((1 - confidence) / 2), high: at((1 + confidence) / 2) };
}
