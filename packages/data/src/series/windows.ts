/**
 * From one long series to samples: a window of the past as input, what follows as target. Owns which moments stand together;
 * part a series in time (`timeSeriesFolds`) before, or leave a gap, so that no window looks into the test part.
 */
import { checkChoices, checkOptions, ShapeError, ValueError } from '@nn/core';
import { checkWhole } from '../check-whole.ts';
import { allocateLike, type DataArray, Dataset, type Elements, elementCount, everyIndex } from '../samples/dataset.ts';

export interface WindowOptions {
  /** Moments in a window. */
  readonly length: number;
  /** Moments to predict; 1 where not given. */
  readonly horizon?: number;
  /** Moments between the last of a window and the first to predict that are left out; 0 where not given. */
  readonly gap?: number;
  /** Moments from the start of one window to the next; 1 where not given. */
  readonly stride?: number;
  /** Which elements of a moment to predict, of a series [moments, elements]; all where not given. */
  readonly targets?: readonly number[];
  /**
   * What becomes of a window in whose inputs or targets NaN stands for a value that is missing: 'error' where not given; 'skip' leaves it
   * out, 'keep' keeps it. Windows know no clock: where a sensor was off, put NaN for each moment that is missing.
   */
  readonly missing?: 'error' | 'skip' | 'keep';
}

/** Windows with what follows them; `starts` says at which moment each begins. */
export type Windows<Data extends Elements = Elements> = Dataset<{
  readonly inputs: DataArray<Data>;
  readonly targets: DataArray<Data>;
  readonly starts: DataArray<Int32Array>;
}>;

/**
 * Windows of a series [moments] or [moments, elements]: inputs [windows, length] or [windows, length, elements],
 * targets [windows, horizon] or [windows, horizon, chosen elements]. Moments follow each other evenly. Normalise the
 * series by its training part first. Throws a `ShapeError` where the series is shorter than one window with its
 * horizon, and a `ValueError` for a missing value (`missing`).
 *
 * @example
 * import { dense, slidingWindows } from '@nn/data';
 * const { inputs, targets } = slidingWindows(dense([1, 2, 3, 4, 5]), { length: 2, horizon: 2 }).fields;
 * console.log(inputs.data, targets.data, targets.shape);
 * // => Float64Array(4) [ 1, 2, 2, 3 ] Float64Array(4) [ 3, 4, 4, 5 ] [ 2, 2 ]
 */
export function slidingWindows<Data extends Elements>(series: DataArray<Data>, options: WindowOptions): Windows<Data> {
  checkOptions('slidingWindows', options, ['length', 'horizon', 'gap', 'stride', 'targets', 'missing']);
  checkChoices('slidingWindows', options, { missing: ['error', 'skip', 'keep'] });
  const { length, horizon = 1, gap = 0, stride = 1 } = options;
  checkWhole('slidingWindows', { length, horizon, stride });
  checkWhole('slidingWindows', { gap }, 0);
  if (!ArrayBuffer.isView(series?.data) || !Array.isArray(series.shape)) {
    throw new ValueError('slidingWindows', 'a series is { data, shape }, as dense(values) makes it.');
  }
  const { data, shape } = series;
  if (shape.length !== 1 && shape.length !== 2) {
    throw new ShapeError(
      'slidingWindows',
      `a series is [moments] or [moments, elements], this one is [${shape.join(', ')}].`,
      { shape },
    );
  }
  const moments = shape[0]!;
  const width = elementCount(shape, 1);
  const chosen = chosenElements(options.targets, shape.length, width);
  const needed = length + gap + horizon;
  if (moments < needed) {
    throw new ShapeError(
      'slidingWindows',
      `the series has ${moments} moments, one window of ${length}, a gap of ${gap} and a horizon of ${horizon} need ${needed}.`,
      { moments, needed },
    );
  }
  const placed = Int32Array.from(
    { length: Math.floor((moments - needed) / stride) + 1 },
    (_, window) => window * stride,
  );
  const starts = wholeWindows(series, placed, { ...options, horizon, gap }, chosen);
  const count = starts.length;
  const inputs = allocateLike(data, count * length * width);
  const targets = allocateLike(data, count * horizon * chosen.length);
  let at = 0;
  for (let window = 0; window < count; window++) {
    const start = starts[window]!;
    inputs.set(data.subarray(start * width, (start + length) * width), window * length * width);
    for (let step = 0; step < horizon; step++) {
      const moment = start + length + gap + step;
      for (const element of chosen) targets[at++] = data[moment * width + element]!;
    }
  }
  const elements = shape.length === 1 ? [] : [width];
  const predicted = shape.length === 1 ? [] : [chosen.length];
  return new Dataset({
    inputs: { data: inputs, shape: [count, length, ...elements] },
    targets: { data: targets, shape: [count, horizon, ...predicted] },
    starts: { data: starts, shape: [count] },
  });
}

function chosenElements(targets: readonly number[] | undefined, rank: number, width: number): readonly number[] {
  if (!targets) return [...everyIndex(width)];
  if (targets.length === 0)
    throw new ValueError('slidingWindows', 'targets is empty; leave it out to predict all elements.');
  for (const element of targets) {
    if (rank === 2 && Number.isInteger(element) && element >= 0 && element < width) continue;
    throw new ValueError(
      'slidingWindows',
      rank === 2
        ? `targets names element ${element}; a moment has ${width}, from 0.`
        : 'targets chooses among the elements of a moment, which a series [moments] has not.',
      { element },
    );
  }
  return targets;
}

/** The windows that miss no value, or all of them where those are kept. */
function wholeWindows(
  { data, shape }: DataArray,
  starts: Int32Array,
  { length, horizon, gap, missing = 'error' }: WindowOptions & { readonly horizon: number; readonly gap: number },
  chosen: readonly number[],
): Int32Array {
  if (missing === 'keep') return starts;
  const [moments, width] = [shape[0]!, elementCount(shape, 1)];
  const every = [...everyIndex(width)];
  const misses = (moment: number, elements: readonly number[]): boolean =>
    elements.some((element) => Number.isNaN(data[moment * width + element]));
  // How many moments miss one of these elements, up to each moment: two of the sums tell of any run.
  const sums = (elements: readonly number[]): Int32Array => {
    const sum = new Int32Array(moments + 1);
    for (let moment = 0; moment < moments; moment++) {
      sum[moment + 1] = sum[moment]! + Number(misses(moment, elements));
    }
    return sum;
  };
  const [ofInputs, ofTargets] = [sums(every), sums(chosen)];
  const isWhole = (start: number): boolean => {
    const target = start + length + gap;
    return ofInputs[start + length] === ofInputs[start] && ofTargets[target + horizon] === ofTargets[target];
  };
  if (missing === 'skip') {
    const whole = starts.filter(isWhole);
    if (whole.length > 0) return whole;
    throw new ValueError(
      'slidingWindows',
      `a value is missing in each of ${starts.length} windows; fill values, or take shorter windows.`,
    );
  }
  const start = starts.find((each) => !isWhole(each));
  if (start === undefined) return starts;
  let moment = start;
  while (moment < start + length && !misses(moment, every)) moment++;
  if (moment === start + length) for (moment += gap; !misses(moment, chosen); ) moment++;
  throw new ValueError(
    'slidingWindows',
    `moment ${moment} misses a value (NaN); fill it, or leave out such windows by missing: 'skip'.`,
    { moment },
  );
}
