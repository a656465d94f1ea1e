/**
 * One axis computed anew as weighted sums of a few of its elements: what interpolation and adaptive pooling are made of.
 * The tables are worked out on the host, in double precision.
 */
import type { Node } from '../graph/node.ts';
import { multiply } from '../ops/arithmetic.ts';
import { gather } from '../ops/indexing.ts';
import { sum } from '../ops/reduce.ts';
import { reshape } from '../ops/views.ts';
import { table } from './tables.ts';

/** For each new element the elements that it is made of, and their weights. Shorter rows are filled up by weights of 0. */
export interface Taps {
  readonly places: readonly (readonly number[])[];
  readonly weights: readonly (readonly number[])[];
}

/** An int32 table [rows, taps] as a tensor; rows are filled up with their last element. */
export function placesNode(places: Taps['places'], x: Node): Node {
  const width = Math.max(...places.map((row) => row.length));
  const data = Int32Array.from(
    places.flatMap((row) => Array.from({ length: width }, (_, k) => row[Math.min(k, row.length - 1)]!)),
  );
  return table(data, [places.length, width], x);
}

/** x with `axis` replaced by weighted sums. */
export function resample(x: Node, axis: number, { places, weights }: Taps): Node {
  const width = Math.max(...places.map((row) => row.length));
  if (width === 1 && weights.every(([weight]) => weight === 1)) {
    const isSame = places.length === x.shape[axis] && places.every(([place], k) => place === k);
    return isSame ? x : gather(x, reshape(placesNode(places, x), [-1]), axis);
  }
  const data = Float32Array.from(weights.flatMap((row) => Array.from({ length: width }, (_, k) => row[k] ?? 0)));
  const behind = x.shape.slice(axis + 1).map(() => 1);
  const factors = table(data, [places.length, width, ...behind], x);
  return sum(multiply(gather(x, placesNode(places, x), axis), factors), axis + 1);
}

/** Where PyTorch's adaptive pooling cuts an axis: window i from floor(i in / out) to ceil((i + 1) in / out). */
export function adaptiveWindows(size: number, count: number): number[][] {
  return Array.from({ length: count }, (_, i) => {
    const start = Math.floor((i * size) / count);
    return Array.from({ length: Math.ceil(((i + 1) * size) / count) - start }, (_, k) => start + k);
  });
}

/** The mean of each adaptive window. */
export function adaptiveTaps(size: number, count: number): Taps {
  const places = adaptiveWindows(size, count);
  return { places, weights: places.map((row) => row.map(() => 1 / row.length)) };
}
