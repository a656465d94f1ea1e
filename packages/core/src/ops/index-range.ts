/**
 * Whether indices lie inside of what they choose from. Operations clamp or ignore what lies outside, since a device raises
 * no errors; so it is looked for wherever values are known before they run: on the host, and in eager debugging.
 */
import type { TensorData } from '../backend.ts';
import { ValueError } from '../errors.ts';
import { hooks } from '../graph/hooks.ts';
import { Data, type Node, Placeholder } from '../graph/node.ts';
import { Cast } from './functions.ts';
import { Reshape } from './views.ts';

/** What indices must be to be inside. */
export interface IndexRange {
  readonly operation: string;
  /** What they choose from, for the message: `axis 0 of [3, 4]`, `2 classes`. */
  readonly from: string;
  readonly size: number;
  /** The lowest index; 0 by default. */
  readonly low?: number;
  /** An index that means nothing and may stand anywhere. */
  readonly ignored?: number | undefined;
}

/**
 * Checks indices now where their values are on the host, and when they were computed in eager debugging. `debugOnly`: an
 * operation that says what it does with those outside has that done unless somebody looks closely.
 */
export function requireInside(index: Node, range: IndexRange, debugOnly = false): void {
  const values = debugOnly ? null : valuesOnHost(index);
  if (values === null) hooks.onIndices?.(index, (computed) => outside(computed, range));
  else {
    const error = outside(values, range);
    if (error !== null) throw error;
  }
}

/** The error that names the first index outside, or null. */
function outside(values: TensorData, { operation, from, size, low = 0, ignored }: IndexRange): ValueError | null {
  for (let k = 0; k < values.length; k++) {
    const value = Math.trunc(values[k]!);
    if ((value >= low && value < size) || value === ignored) continue;
    return new ValueError(
      operation,
      `index ${value} is outside of ${from}: indices go from ${low} to ${size - 1}${ignored === undefined ? '' : `, and ${ignored} is ignored`}.`,
      { operation, index: value, size },
    );
  }
  return null;
}

/**
 * The values that were made on the host, seen through reshapes and casts: not those of results that somebody read, or a read
 * would change what follows. Of a row of `vmap` those of all rows, or null with `isExact`.
 */
export function valuesOnHost(index: Node, isExact = false): TensorData | null {
  let source = index;
  while (source.primitive === Reshape || source.primitive === Cast || source.primitive === Placeholder) {
    const behind = source.primitive === Placeholder ? (source.attributes as Node | null) : source.inputs[0]!;
    if (behind === null || (isExact && source.primitive === Placeholder)) return null;
    source = behind;
  }
  if (source.primitive !== Data || source.dtype === 'float16' || source.dtype === 'bfloat16') return null;
  return source.storage?.host ?? null;
}
