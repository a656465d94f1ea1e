/**
 * Whether indices lie inside of what they choose from. Operations clamp or ignore what lies outside, since a device raises
 * no errors; so it is looked for wherever values are known before they run: on the host, in the arguments of each call of a
 * compiled function, and in eager debugging.
 */
import type { TensorData } from '../backend.ts';
import { ValueError } from '../errors.ts';
import { hooks } from '../graph/hooks.ts';
import { Argument, Data, type Node, Placeholder } from '../graph/node.ts';
import { type ArgumentCheck, currentRecorder } from '../graph/recorder.ts';
import { Where } from './compare.ts';
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
  /** Whether what stands behind the point is dropped without a word, as casts do it; else it is no index. */
  readonly isCut?: boolean;
  /** An index that means nothing and may stand anywhere. */
  readonly ignored?: number | undefined;
}

/**
 * Checks indices now where their values are on the host, with each call where they are an argument of a compiled function, and
 * when they were computed in eager debugging. What a mask hides, `where(mask, index, inside)`, may be anything. `debugOnly`: an
 * operation that says what it does with those outside has that done unless somebody looks closely.
 */
export function requireInside(index: Node, range: IndexRange, debugOnly = false): void {
  const { values, mask } = debugOnly ? unknown : sourcesOf(index);
  const recorder = currentRecorder();
  if (recorder !== null && values?.primitive === Argument && (mask === null || mask.primitive === Argument)) {
    // the casts: what an argument has for attributes is its position
    const [at, over] = [values.attributes as number, mask === null ? null : (mask.attributes as number)];
    const key = [at, over, range.size, range.low, range.isCut, range.ignored].join();
    const check: ArgumentCheck = (given) => {
      checkNow(given[at]!.node, over === null ? null : given[over]!.node, range);
    };
    // a layer that has looked calls a gather that looks again: the first is nearer to the user
    if (!recorder.checks.has(key)) recorder.checks.set(key, check);
  }
  if (values === null || !checkNow(values, mask, range)) {
    hooks.onIndices?.(index, (computed) => outside(computed, null, range));
  }
}

/** Throws where values on the host are outside; false where there are none. */
function checkNow(index: Node, mask: Node | null, range: IndexRange): boolean {
  const values = dataOf(index);
  const shown = mask === null ? null : dataOf(mask);
  if (values === null || (mask !== null && shown === null)) return false;
  const error = outside(values, shown, range);
  if (error !== null) throw error;
  return true;
}

/** The error that names the first index outside, of those that are shown, or null. */
function outside(
  values: TensorData,
  shown: TensorData | null,
  { operation, from, size, low = 0, isCut = true, ignored }: IndexRange,
): ValueError | null {
  for (let k = 0; k < values.length; k++) {
    if (shown !== null && !shown[k]) continue;
    // casts to int32 drop what is behind the point, and low is at most 0
    const given = values[k]!;
    if (given > low - 1 && given < size) {
      if (isCut || Number.isInteger(given)) continue;
      return new ValueError(operation, `${given} is no index: ${from} are chosen by whole numbers.`, {
        operation,
        index: given,
        size,
      });
    }
    const value = Math.trunc(given);
    if (value === ignored) continue;
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
  const source = sourceOf(index, isExact);
  return source === null ? null : dataOf(source);
}

function dataOf({ primitive, dtype, storage }: Node): TensorData | null {
  if (primitive !== Data || dtype === 'float16' || dtype === 'bfloat16') return null;
  return storage?.host ?? null;
}

/** Where the values of indices come from, null where that is not known, and those of a mask over them, if there is one. */
interface Sources {
  readonly values: Node | null;
  readonly mask: Node | null;
}

const unknown: Sources = { values: null, mask: null };

function sourcesOf(index: Node): Sources {
  const source = sourceOf(index);
  if (source?.primitive !== Where) return { values: source, mask: null };
  const [mask, values] = source.inputs.map((input) => sourceOf(input));
  return mask && values && mask.size === values.size ? { values, mask } : unknown;
}

/** What stands behind reshapes, casts and, unless `isExact`, rows of `vmap`; null where that is not known. */
function sourceOf(index: Node, isExact = false): Node | null {
  let source = index;
  while (source.primitive === Reshape || source.primitive === Cast || source.primitive === Placeholder) {
    const behind = source.primitive === Placeholder ? (source.attributes as Node | null) : source.inputs[0]!;
    if (behind === null || (isExact && source.primitive === Placeholder)) return null;
    source = behind;
  }
  return source;
}
