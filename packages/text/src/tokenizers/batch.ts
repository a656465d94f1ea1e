/** Many texts as one rectangle of ids with masks. Owns cutting to a length and padding; the ids come from the tokenizer. */
import { ShapeError, type Tensor, tensor, ValueError } from '@nn/core';

export interface BatchOptions {
  /** The longest row in tokens, special ones included; what is longer is cut, of pairs the longer text first. Default: nothing is cut. */
  readonly maxLength?: number;
  /** Rows are padded to a multiple of this, so that batches have few widths and programs are compiled once each. Default 1. */
  readonly multipleOf?: number;
  /** Whether rows have all `maxLength`, however long the texts are. Default false. */
  readonly fixed?: boolean;
  /** On which side the padding goes: 'left' for prompts that are to go on. Default 'right'. */
  readonly padding?: 'right' | 'left';
  /** Which side of a text that is too long stays. Default 'start'. */
  readonly keep?: 'start' | 'end';
  /** Whether special tokens go around the texts. Default true. */
  readonly special?: boolean;
}

export const batchOptionNames: readonly string[] = [
  ...['maxLength', 'multipleOf', 'fixed'],
  ...['padding', 'keep', 'special'],
];

/** N texts or pairs as tensors, L tokens wide. */
export interface TokenBatch {
  /** int32 [N, L] */
  readonly ids: Tensor;
  /** bool [N, L]: which tokens are real. */
  readonly mask: Tensor;
  /** int32 [N, L]: 0 in the first text of a pair, 1 in the second. */
  readonly types: Tensor;
  /** int32 [N]: how many tokens of each row are real. */
  readonly lengths: Tensor;
  /** How many tokens of each row were cut off. */
  readonly cut: readonly number[];
  /** What the vocabulary does not have, and how often it came. */
  readonly unknown: ReadonlyMap<string, number>;
}

/** A row before padding. */
export interface EncodedRow {
  readonly ids: readonly number[];
  readonly types: readonly number[];
  readonly cut: number;
}

/** Throws ValueError for options that mean nothing. */
export function checkBatchOptions(operation: string, options: BatchOptions): void {
  const { maxLength, multipleOf = 1, fixed = false, padding = 'right', keep = 'start' } = options;
  for (const [name, value] of Object.entries({ maxLength, multipleOf })) {
    if (value === undefined || (Number.isInteger(value) && value >= 1)) continue;
    throw new ValueError(operation, `${name} is ${value}: it must be a whole number of at least 1.`, { [name]: value });
  }
  if (fixed && maxLength === undefined) throw new ValueError(operation, 'fixed needs a maxLength to pad to.');
  if (padding !== 'right' && padding !== 'left') {
    throw new ValueError(operation, `padding is ${String(padding)}: it must be 'right' or 'left'.`, { padding });
  }
  if (keep !== 'start' && keep !== 'end') {
    throw new ValueError(operation, `keep is ${String(keep)}: it must be 'start' or 'end'.`, { keep });
  }
}

/** How many tokens stay of each of two texts with `room` for both: the longer one is cut first. */
export function shares(lengths: readonly [number, number], room: number): readonly [number, number] {
  const [a, b] = lengths;
  if (a + b <= room) return lengths;
  const half = Math.floor(room / 2);
  if (a <= half) return [a, room - a];
  if (b <= room - half) return [room - b, b];
  // both are too long: the odd token goes to the longer one, to the first if none is
  return a >= b ? [room - half, half] : [half, room - half];
}

/** Rows padded to one width. */
export function padRows(
  rows: readonly EncodedRow[],
  paddingId: number,
  options: BatchOptions,
  unknown: ReadonlyMap<string, number>,
): TokenBatch {
  if (rows.length === 0) throw new ShapeError('Tokenizer.batch', 'needs at least one text.');
  const { maxLength = Number.POSITIVE_INFINITY, multipleOf = 1, fixed = false, padding = 'right' } = options;
  const longest = Math.max(1, ...rows.map(({ ids }) => ids.length));
  const rounded = Math.ceil(longest / multipleOf) * multipleOf;
  const width = fixed ? maxLength : Math.max(longest, Math.min(maxLength, rounded));
  const shape = [rows.length, width];
  const ids = new Int32Array(rows.length * width).fill(paddingId);
  const types = new Int32Array(rows.length * width);
  const mask = new Uint8Array(rows.length * width);
  for (const [n, row] of rows.entries()) {
    const start = n * width + (padding === 'left' ? width - row.ids.length : 0);
    ids.set(row.ids, start);
    types.set(row.types, start);
    mask.fill(1, start, start + row.ids.length);
  }
  return {
    ids: tensor(ids, { shape }),
    mask: tensor(mask, { shape, dtype: 'bool' }),
    types: tensor(types, { shape }),
    lengths: tensor(Int32Array.from(rows, (row) => row.ids.length)),
    cut: rows.map(({ cut }) => cut),
    unknown,
  };
}
