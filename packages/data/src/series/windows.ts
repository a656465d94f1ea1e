/**
 * From one long series to samples: a window of the past as input, what follows as target. Owns which moments stand together;
 * part a series in time (`timeSeriesFolds`) before, or leave a gap, so that no window looks into the test part.
 */
import { checkOptions, ShapeError, ValueError } from '@nn/core';
import { allocateLike, type DataArray, Dataset, type Elements, elementCount } from '../samples/dataset.ts';

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
}

/** Windows with what follows them; `starts` says at which moment each begins. */
export type Windows<Data extends Elements = Elements> = Dataset<{
  readonly inputs: DataArray<Data>;
  readonly targets: DataArray<Data>;
  readonly starts: DataArray<Int32Array>;
}>;

/**
 * Windows of a series [moments] or [moments, elements]: inputs [windows, length] or [windows, length, elements], targets [windows, horizon] or
 * [windows, horizon, chosen elements]. Normalise the series by its training part first. Throws a `ShapeError` where the
 * series is shorter than one window with its horizon.
 *
 * @example
 * import { dense, slidingWindows } from '@nn/data';
 * const { inputs, targets } = slidingWindows(dense([1, 2, 3, 4, 5]), { length: 2, horizon: 2 }).fields;
 * console.log(inputs.data, targets.data, targets.shape);
 * // => Float64Array(4) [ 1, 2, 2, 3 ] Float64Array(4) [ 3, 4, 4, 5 ] [ 2, 2 ]
 */
export function slidingWindows<Data extends Elements>(series: DataArray<Data>, options: WindowOptions): Windows<Data> {
  checkOptions('slidingWindows', options, ['length', 'horizon', 'gap', 'stride', 'targets']);
  const { length, horizon = 1, gap = 0, stride = 1 } = options;
  for (const [name, value, least] of [
    ['length', length, 1],
    ['horizon', horizon, 1],
    ['gap', gap, 0],
    ['stride', stride, 1],
  ] as const) {
    if (Number.isInteger(value) && value >= least) continue;
    throw new ValueError('slidingWindows', `${name} ${value} is not a whole number, ${least} or more.`, {
      [name]: value,
    });
  }
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
  const count = Math.floor((moments - needed) / stride) + 1;
  const inputs = allocateLike(data, count * length * width);
  const targets = allocateLike(data, count * horizon * chosen.length);
  const starts = new Int32Array(count);
  let at = 0;
  for (let window = 0; window < count; window++) {
    const start = window * stride;
    starts[window] = start;
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
  if (!targets) return Array.from({ length: width }, (_, i) => i);
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
