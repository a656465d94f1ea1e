/**
 * What the columns of an Arrow schema are: their kinds, the bytes of their values, their parts. Kinds are numbered as in
 * <https://github.com/apache/arrow/blob/main/format/Schema.fbs>.
 */
import type { Flat } from './flatbuffer.ts';

export const kinds = {
  null: 1,
  integer: 2,
  float: 3,
  bytes: 4,
  text: 5,
  boolean: 6,
  decimal: 7,
  date: 8,
  time: 9,
  timestamp: 10,
  interval: 11,
  list: 12,
  record: 13,
  union: 14,
  fixedBytes: 15,
  fixedList: 16,
  map: 17,
  duration: 18,
  longBytes: 19,
  longText: 20,
  longList: 21,
  runs: 22,
  bytesView: 23,
  textView: 24,
  listView: 25,
  longListView: 26,
} as const;

/** A column as the schema has it. */
export interface Field {
  readonly name: string;
  readonly kind: number;
  /** Bytes of a value, where all have as many. */
  readonly width: number;
  readonly children: readonly Field[];
  /** Of a dictionary: its number and the indices into it; the field is that of its values. */
  readonly dictionary: { readonly id: number; readonly width: number; readonly isSigned: boolean } | undefined;
  /** What the values are, where they are no numbers or categories. */
  readonly unfit: string | undefined;
  /** Of unions: whether each child has all rows. */
  readonly isSparse: boolean;
}

/** Whether its values are decimals, which are decoded to numbers; those of runs are of the second part. */
export const isDecimal = ({ kind, children }: Field): boolean =>
  kind === kinds.decimal || (kind === kinds.runs && isDecimal(children[1]!));

/** Bytes of values of one width, what has parts, what is no number or category. */
export function layoutOf(
  kind: number,
  type: Flat | undefined,
  children: readonly Field[],
): { readonly width: number; readonly unfit: string | undefined; readonly isSparse: boolean } {
  const of = (width: number, unfit?: string, parts = 0, isSparse = false) => {
    if (children.length < parts) throw new Error('a column has no parts');
    return { width, unfit, isSparse };
  };
  switch (kind) {
    case kinds.null:
      return of(0);
    case kinds.integer: {
      const bits = type?.int(0) ?? 0;
      if (![8, 16, 32, 64].includes(bits)) throw new Error(`numbers of ${bits} bits are none`);
      return of(bits / 8);
    }
    case kinds.time:
      // times of a day in seconds or their thousandths, or finer
      return of((type?.short(0, 1) ?? 1) < 2 ? 4 : 8);
    case kinds.float:
      return of([2, 4, 8][type?.short(0) ?? 0] ?? 0);
    case kinds.bytes:
    case kinds.longBytes:
    case kinds.bytesView:
      return of(0, 'bytes or lists of numbers');
    case kinds.text:
    case kinds.longText:
    case kinds.textView:
      return of(0);
    case kinds.boolean:
      return of(1 / 8);
    case kinds.decimal: {
      const bits = type?.int(2, 128) ?? 128;
      const scale = type?.int(1) ?? 0;
      if (scale < 0 || scale > 100) throw new Error(`decimals of ${scale} digits behind the point are none`);
      return of(bits / 8);
    }
    case kinds.date:
      return of((type?.short(0, 1) ?? 1) === 0 ? 4 : 8);
    case kinds.timestamp:
    case kinds.duration:
      return of(8);
    case kinds.interval: {
      const unit = type?.short(0) ?? 0;
      return of([4, 8, 16][unit] ?? 16, unit === 0 ? undefined : 'bytes or lists of numbers');
    }
    case kinds.list:
    case kinds.longList:
    case kinds.listView:
    case kinds.longListView:
      return of(0, 'lists', 1);
    case kinds.map:
      return of(0, 'records', 1);
    case kinds.record:
      return of(0, 'records');
    case kinds.union:
      return of(0, 'values of several types', 0, (type?.short(0) ?? 0) === 0);
    case kinds.fixedBytes:
    case kinds.fixedList: {
      const width = type?.int(0) ?? 0;
      if (width < 0) throw new Error(`${width} values in each are none`);
      return kind === kinds.fixedBytes ? of(width, 'bytes or lists of numbers') : of(width, 'lists', 1);
    }
    case kinds.runs: {
      const [ends, values] = children;
      if (!ends || !values || ends.kind !== kinds.integer || ends.width < 2) throw new Error('runs have no ends');
      return of(0, values.unfit, 2);
    }
    default:
      throw new Error(`there are no columns of kind ${kind}`);
  }
}
