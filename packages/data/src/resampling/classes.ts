/**
 * What all resampling shares: the classes of a dataset, how many samples each shall have, and the samples nearest to one.
 * Distances are Euclidean, all pairs are looked at: n^2 d steps, seconds for ten thousand samples.
 */
import { realmTag, ValueError } from '@nn/core';
import { type DataArray, type Dataset, elementCount, isRagged } from '../samples/dataset.ts';

export interface ResampleOptions {
  /** The field of inputs, 'inputs' where not given. */
  readonly inputs?: string;
  /** The field of classes, whole numbers [samples]; 'targets' where not given. */
  readonly targets?: string;
  readonly seed?: number;
}

export interface CountOptions {
  /**
   * How many samples classes shall have in the end. Where not given, all have as many as the largest (for oversampling) or
   * the smallest (for undersampling).
   */
  readonly counts?: Readonly<Record<number, number>>;
  /** Stop at smaller classes of at least so many for each sample of the largest one: 1 is even, 0.5 half as many. */
  readonly ratio?: number;
}

/** The samples of each class, classes in ascending order. */
export interface Classes {
  readonly targets: ArrayLike<number>;
  readonly members: ReadonlyMap<number, Int32Array>;
  readonly smallest: number;
  readonly largest: number;
}

export function classesOf(operation: string, dataset: Dataset, name = 'targets'): Classes {
  const field = Object.hasOwn(dataset.fields, name) ? dataset.fields[name] : undefined;
  if (!field || isRagged(field) || field.shape.length !== 1 || realmTag(field.data).startsWith('Float')) {
    throw new ValueError(
      operation,
      `targets '${name}' must name a field of whole numbers, one a sample; there are ${Object.keys(dataset.fields).join(', ')}.`,
      { targets: name },
    );
  }
  const lists = new Map<number, number[]>();
  field.data.forEach((target, index) => {
    const list = lists.get(target);
    if (list) list.push(index);
    else lists.set(target, [index]);
  });
  if (lists.size < 2) {
    throw new ValueError(operation, `there is ${lists.size} class; two are needed to be out of balance.`, {
      classes: lists.size,
    });
  }
  const members = new Map(
    [...lists].sort(([a], [b]) => a - b).map(([target, list]) => [target, Int32Array.from(list)]),
  );
  const sizes = [...members.values()].map(({ length }) => length);
  return { targets: field.data, members, smallest: Math.min(...sizes), largest: Math.max(...sizes) };
}

/** The number of samples that each class shall have; `over` raises it, otherwise it falls. */
export function wantedCounts(
  operation: string,
  { members, smallest, largest }: Classes,
  { counts, ratio = 1 }: CountOptions,
  over: boolean,
): ReadonlyMap<number, number> {
  if (!(ratio > 0 && ratio <= 1) || (counts && ratio !== 1)) {
    throw new ValueError(
      operation,
      counts ? 'counts and ratio both say how many; leave one out.' : `ratio ${ratio} is not above 0 and at most 1.`,
      { ratio },
    );
  }
  for (const name of Object.keys(counts ?? {})) {
    if (!members.has(Number(name))) {
      throw new ValueError(operation, `counts names class ${name}; there are ${[...members.keys()].join(', ')}.`, {
        class: name,
      });
    }
  }
  return new Map(
    [...members].map(([target, { length }]) => {
      const even = over
        ? Math.max(length, Math.floor(largest * ratio))
        : Math.min(length, Math.floor(smallest / ratio));
      const count = counts ? (counts[target] ?? length) : even;
      if (!Number.isInteger(count) || count < 1 || (over ? count < length : count > length)) {
        throw new ValueError(
          operation,
          `class ${target} has ${length} samples, counts wants ${count}; ${over ? 'oversampling only adds' : 'undersampling only removes'}.`,
          { class: target, count, size: length },
        );
      }
      return [target, count];
    }),
  );
}

/** Inputs as rows of doubles. */
export interface Rows {
  readonly data: Float64Array;
  readonly width: number;
  readonly count: number;
}

export function denseInputs(operation: string, dataset: Dataset, name = 'inputs'): DataArray {
  const field = Object.hasOwn(dataset.fields, name) ? dataset.fields[name] : undefined;
  if (!field || isRagged(field)) {
    throw new ValueError(
      operation,
      `inputs '${name}' must name a field of samples of one size; there are ${Object.keys(dataset.fields).join(', ')}.`,
      { inputs: name },
    );
  }
  const wrong = field.data.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    const width = elementCount(field.shape, 1);
    throw new ValueError(
      operation,
      `sample ${Math.floor(wrong / width)}, element ${wrong % width} is ${field.data[wrong]}; fill or drop missing values first.`,
      { sample: Math.floor(wrong / width) },
    );
  }
  return field;
}

export function rowsOf({ data, shape }: DataArray): Rows {
  return { data: Float64Array.from(data), width: elementCount(shape, 1), count: shape[0]! };
}

/** The `k` nearest of `among` to row `from`, itself left out, nearest first; of equally near ones the earlier. */
export function nearest({ data, width }: Rows, from: number, among: Int32Array, k: number): Int32Array {
  const found = new Int32Array(k);
  const distances = new Float64Array(k).fill(Number.POSITIVE_INFINITY);
  let filled = 0;
  const start = from * width;
  for (const index of among) {
    if (index === from) continue;
    let distance = 0;
    const other = index * width;
    for (let i = 0; i < width; i++) distance += (data[start + i]! - data[other + i]!) ** 2;
    if (filled === k && distance >= distances[k - 1]!) continue;
    let at = filled < k ? filled++ : k - 1;
    for (; at > 0 && distances[at - 1]! > distance; at--) {
      distances[at] = distances[at - 1]!;
      found[at] = found[at - 1]!;
    }
    distances[at] = distance;
    found[at] = index;
  }
  return found.subarray(0, filled);
}

/** Throws unless a class has more samples than neighbours are asked for. */
export function checkNeighbors(operation: string, k: number, available: number, of: string): void {
  if (Number.isInteger(k) && k >= 1 && k < available) return;
  if (available < 2) {
    throw new ValueError(
      operation,
      `${of} has ${available} sample, which has no neighbor; use randomOversample for it.`,
      {
        neighbors: k,
        available,
      },
    );
  }
  throw new ValueError(
    operation,
    `${k} neighbors of ${of}, which has ${available} samples; choose 1 to ${available - 1}.`,
    { neighbors: k, available },
  );
}
