/**
 * Normalisation of data: fit on the training part, apply to any. The fitted numbers are plain JSON, to store with a model.
 * It works on typed arrays; the loader applies it batch by batch, so that bytes stay bytes in memory.
 */
import type { Shape } from '@nn/core';
import { checkChoices, checkOptions, realmTag, ShapeError, ValueError } from '@nn/core';
import type { DataArray, Elements } from './dataset.ts';
import { elementCount } from './dataset.ts';

/**
 * y = (x - offset) / divisor, with one pair for each element of a sample ('element', columns of a table), for each
 * index of axis 1 ('channel', images [N, C, H, W]) or for all ('array').
 */
export interface Normalization {
  readonly per: 'element' | 'channel' | 'array';
  readonly offset: readonly number[];
  readonly divisor: readonly number[];
}

export interface FitOptions {
  /**
   * 'standard': mean 0, standard deviation 1 (of the population). 'minMax': into `range`. 'robust': median 0, quartiles 1
   * apart, which a few far values do not move. 'maxAbs': the largest magnitude becomes 1, and 0 stays 0.
   */
  readonly kind?: 'standard' | 'minMax' | 'robust' | 'maxAbs';
  readonly per?: Normalization['per'];
  /** Where 'minMax' puts the smallest and the largest value. */
  readonly range?: readonly [low: number, high: number];
}

/**
 * Finds the normalisation of an array of samples [N, ...]. Statistics are taken in double precision by Welford's
 * method (1962). What is constant only moves, it is not divided. Throws a `ValueError` for NaN or infinities,
 * and where numbers beyond 1e150 make some.
 *
 * @example
 * import { fitNormalization, normalize } from '@nn/data';
 * const heights = { data: new Float32Array([150, 170, 190]), shape: [3, 1] };
 * const fit = fitNormalization(heights, { kind: 'minMax' });
 * console.log(normalize(heights, fit).data); // => Float32Array(3) [ 0, 0.5, 1 ]
 */
export function fitNormalization(array: DataArray, options: FitOptions = {}): Normalization {
  checkOptions('fitNormalization', options, ['kind', 'per', 'range']);
  checkChoices('fitNormalization', options, {
    kind: ['standard', 'minMax', 'robust', 'maxAbs'],
    per: ['element', 'channel', 'array'],
  });
  const { kind = 'standard', per = 'element', range = [0, 1] } = options;
  const { data, shape } = array;
  const [low, high] = range;
  if (!(high > low)) {
    throw new ValueError('fitNormalization', `range [${low}, ${high}] is empty; its second number must be larger.`, {
      range,
    });
  }
  if (data.length === 0) {
    throw new ValueError('fitNormalization', `no samples in an array of shape [${shape.join(', ')}].`, { shape });
  }
  const { groups, run } = layout('fitNormalization', shape, per);
  const offset = new Array<number>(groups).fill(0);
  const divisor = new Array<number>(groups).fill(1);
  if (kind === 'standard') {
    const seen = new Array<number>(groups).fill(0);
    const squares = new Array<number>(groups).fill(0);
    for (let i = 0; i < data.length; i++) {
      const group = Math.floor(i / run) % groups;
      const x = finite(data, i, shape);
      seen[group] = seen[group]! + 1;
      const before = x - offset[group]!;
      offset[group] = offset[group]! + before / (seen[group] as number);
      squares[group] = squares[group]! + before * (x - (offset[group] as number));
    }
    for (let group = 0; group < groups; group++) {
      const deviation = Math.sqrt(squares[group]! / seen[group]!);
      if (deviation > 0) divisor[group] = deviation;
    }
  } else if (kind === 'robust') {
    const values = Array.from({ length: groups }, () => new Float64Array(data.length / groups));
    const seen = new Array<number>(groups).fill(0);
    for (let i = 0; i < data.length; i++) {
      const group = Math.floor(i / run) % groups;
      values[group]![seen[group]!++] = finite(data, i, shape);
    }
    values.forEach((sorted, group) => {
      sorted.sort();
      offset[group] = quantile(sorted, 0.5);
      const width = quantile(sorted, 0.75) - quantile(sorted, 0.25);
      if (width > 0) divisor[group] = width;
    });
  } else if (kind === 'maxAbs') {
    const most = new Array<number>(groups).fill(0);
    for (let i = 0; i < data.length; i++) {
      const group = Math.floor(i / run) % groups;
      most[group] = Math.max(most[group]!, Math.abs(finite(data, i, shape)));
    }
    for (let group = 0; group < groups; group++) if (most[group]! > 0) divisor[group] = most[group]!;
  } else {
    const least = new Array<number>(groups).fill(Number.POSITIVE_INFINITY);
    const most = new Array<number>(groups).fill(Number.NEGATIVE_INFINITY);
    for (let i = 0; i < data.length; i++) {
      const group = Math.floor(i / run) % groups;
      const x = finite(data, i, shape);
      if (x < least[group]!) least[group] = x;
      if (x > most[group]!) most[group] = x;
    }
    for (let group = 0; group < groups; group++) {
      // low + (x - least) / (most - least) * (high - low) = (x - (least - low * divisor)) / divisor
      const width = most[group]! - least[group]!;
      if (width > 0) divisor[group] = width / (high - low);
      offset[group] = least[group]! - low * divisor[group]!;
    }
  }
  for (let group = 0; group < groups; group++) {
    if (Number.isFinite(offset[group]) && Number.isFinite(divisor[group])) continue;
    throw new ValueError(
      'fitNormalization/too-large',
      `the numbers of ${per} ${group} are so large that their ${kind === 'standard' ? 'squares' : 'differences'} are infinite; divide them first.`,
      { group },
    );
  }
  return { per, offset, divisor };
}

/**
 * The array normalised: float32 of the same shape. Throws a `ShapeError` where the samples have another size than those fitted.
 *
 * @example
 * import { normalize } from '@nn/data';
 * const pixels = { data: new Uint8Array([0, 51, 255]), shape: [3, 1] };
 * console.log(normalize(pixels, { per: 'array', offset: [0], divisor: [255] }).data); // => Float32Array(3) [ 0, 0.2, 1 ]
 */
export function normalize(array: DataArray, normalization: Normalization): DataArray<Float32Array> {
  const { offset, divisor } = normalization;
  const result = new Float32Array(array.data.length);
  const change = (x: number, group: number): number => (x - offset[group]!) / divisor[group]!;
  if (realmTag(array.data) !== 'Uint8Array' || array.data.length < 4 * 256 * offset.length) {
    return map('normalize', result, array, normalization, change);
  }
  // There are only 256 bytes: what each becomes is computed once.
  const table = Float32Array.from({ length: 256 * offset.length }, (_, i) => change(i & 255, i >> 8));
  return map('normalize', result, array, normalization, (x, group) => table[(group << 8) | x]!);
}

/**
 * The inverse of `normalize`: doubles, for what was normalised may have more digits than float32 keeps.
 *
 * @example
 * import { denormalize } from '@nn/data';
 * const scaled = { data: new Float32Array([0, 0.5]), shape: [2, 1] };
 * console.log(denormalize(scaled, { per: 'array', offset: [10], divisor: [4] }).data); // => Float64Array(2) [ 10, 12 ]
 */
export function denormalize(array: DataArray, normalization: Normalization): DataArray<Float64Array> {
  const { offset, divisor } = normalization;
  return map(
    'denormalize',
    new Float64Array(array.data.length),
    array,
    normalization,
    (y, group) => y * divisor[group]! + offset[group]!,
  );
}

function map<Result extends Float32Array | Float64Array>(
  operation: string,
  result: Result,
  { data, shape }: DataArray,
  { per, offset, divisor }: Normalization,
  change: (value: number, group: number) => number,
): DataArray<Result> {
  const { groups, run } = layout(operation, shape, per);
  if (groups !== offset.length || groups !== divisor.length) {
    throw new ShapeError(
      operation,
      `the normalisation has ${offset.length} numbers per ${per}, samples of shape [${shape.slice(1).join(', ')}] need ${groups}.`,
      { expected: offset.length, actual: groups, shape },
    );
  }
  for (let group = 0; group < groups; group++) {
    if (Number.isFinite(offset[group]) && Number.isFinite(divisor[group]) && divisor[group] !== 0) continue;
    throw new ValueError(
      operation,
      `${per} ${group} has the offset ${offset[group]} and the divisor ${divisor[group]}; both must be numbers, and the divisor not 0.`,
      { group },
    );
  }
  let i = 0;
  while (i < data.length) {
    for (let group = 0; group < groups; group++) {
      for (const end = i + run; i < end; i++) result[i] = change(data[i]!, group);
    }
  }
  return { data: result, shape };
}

/** Between the two nearest of sorted values, in a straight line (type 7 of Hyndman and Fan, 1996). */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}

/** Element i belongs to the group floor(i / run) mod groups. */
function layout(operation: string, shape: Shape, per: Normalization['per']): { groups: number; run: number } {
  if (per === 'array') return { groups: 1, run: 1 };
  if (per === 'element') return { groups: elementCount(shape, 1), run: 1 };
  if (shape.length < 2) {
    throw new ShapeError(operation, `shape [${shape.join(', ')}] has no channels; they are axis 1.`, { shape });
  }
  return { groups: shape[1]!, run: elementCount(shape, 2) };
}

function finite(data: Elements, i: number, shape: Shape): number {
  const x = data[i]!;
  if (!Number.isFinite(x)) {
    const width = elementCount(shape, 1);
    throw new ValueError(
      'fitNormalization/not-finite',
      `sample ${Math.floor(i / width)}, element ${i % width} is ${x}; fill or drop missing values first.`,
      { sample: Math.floor(i / width), element: i % width, value: x },
    );
  }
  return x;
}
