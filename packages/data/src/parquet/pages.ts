/**
 * The pages of one column in one row group, looked through before the decoder sees them: sizes that lie inside, values that are all there,
 * memory that stays within a limit. They are unpacked for it, and handed over unpacked. After
 * <https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>.
 */
import type { Budget } from '../readers/budget.ts';
import type { Unpack } from './codecs.ts';
import { checkAlp, checkDeltas, checkDeltaTexts, checkRuns, checkTexts } from './encodings.ts';
import { type Cursor, readStruct, type Struct, skip } from './thrift.ts';

/** A column of values, one for each row or none. */
export interface Column {
  readonly name: string;
  /** Parquet's physical type. */
  readonly type: string;
  /** Bytes of a value where all have as many. */
  readonly typeLength: number;
  readonly isOptional: boolean;
  readonly isDecimal: boolean;
}

const [dataPage, indexPage, dictionaryPage, dataPage2] = [0, 1, 2, 3];
const [plain, plainDictionary, runs, deltas, deltaLengths, deltaTexts, runsDictionary, split, alp] = [
  0, 2, 3, 5, 6, 7, 8, 9, 10,
];

/** Bytes of a value of the types that have as many each. */
const widths: Readonly<Record<string, number>> = { INT32: 4, FLOAT: 4, INT64: 8, DOUBLE: 8, INT96: 12 };

/** Digits of decimals are counted in numbers as long as their bytes: more than 32 bytes, 76 digits, no writer has. */
const longestDecimal = 32;

/**
 * Goes over the pages of `chunk` that hold the first `rows` of its `total` rows. Returns what each unpacks to, by the
 * place of its packed bytes. Throws an `Error` that says what is wrong, and what `budget` throws.
 */
export async function checkedPages(
  chunk: Uint8Array,
  column: Column,
  { rows, total }: { readonly rows: number; readonly total: number },
  unpack: Unpack,
  budget: Budget,
): Promise<Map<number, Uint8Array>> {
  const pages = new Map<number, Uint8Array>();
  const cursor: Cursor = { bytes: chunk, at: 0 };
  let [seen, page, words] = [0, 0, -1];
  const unpacked = async (packed: Uint8Array, length: number): Promise<Uint8Array> => {
    budget.take(length);
    const bytes = await unpack(packed, length);
    pages.set(packed.byteOffset - chunk.byteOffset, bytes);
    return bytes;
  };
  for (; seen < rows; page++) {
    if (cursor.at >= chunk.length - 1) throw new Error(`it ends after ${seen} of ${rows} values`);
    try {
      const header = readStruct(cursor);
      const kind = numberOf(header, 1, 'kind');
      const [size, packedSize] = [numberOf(header, 2, 'size'), numberOf(header, 3, 'packed size')];
      const packed = chunk.subarray(cursor.at, cursor.at + packedSize);
      skip(cursor, packedSize);
      if (kind === dictionaryPage) {
        const head = structOf(header, 7);
        words = numberOf(head, 1, 'number of values');
        checkEncoding(numberOf(head, 2, 'encoding'), [plain, plainDictionary]);
        checkPlain({ bytes: await unpacked(packed, size), at: 0 }, column, words);
        budget.take(8 * words);
      } else if (kind === dataPage) {
        const head = structOf(header, 5);
        const count = numberOf(head, 1, 'number of values');
        const body: Cursor = { bytes: await unpacked(packed, size), at: 0 };
        let given = count;
        if (column.isOptional) {
          checkEncoding(numberOf(head, 3, 'encoding of levels'), [runs]);
          const length = new DataView(body.bytes.buffer, body.bytes.byteOffset, body.bytes.byteLength).getUint32(
            0,
            true,
          );
          skip(body, 4);
          const end = body.at + length;
          if (end > body.bytes.length) throw new Error('the levels leave the page');
          given = checkRuns({ bytes: body.bytes.subarray(0, end), at: body.at }, 1, count);
          body.at = end;
        }
        checkValues(body, column, numberOf(head, 2, 'encoding'), given, words, budget, false);
        seen += count;
      } else if (kind === dataPage2) {
        const head = structOf(header, 8);
        const [count, nulls] = [numberOf(head, 1, 'number of values'), numberOf(head, 2, 'number of nulls')];
        const [levels, repeats] = [numberOf(head, 5, 'length of levels'), numberOf(head, 6, 'length of levels')];
        if (repeats !== 0 || levels > packed.length || levels > size || (!column.isOptional && levels + nulls > 0)) {
          throw new Error('the levels leave the page');
        }
        if (numberOf(head, 3, 'number of rows') !== count) throw new Error('rows and values are not as many');
        if (nulls > count) throw new Error(`${nulls} of ${count} values are missing`);
        if (column.isOptional) {
          const given = checkRuns({ bytes: packed.subarray(0, levels), at: 0 }, 1, count);
          if (given !== count - nulls) throw new Error(`${count - given} of ${count} values are missing, not ${nulls}`);
        }
        const rest = packed.subarray(levels);
        const isPacked = head.get(7) !== false && size > levels;
        budget.take(isPacked ? 0 : rest.length);
        const bytes = isPacked ? await unpacked(rest, size - levels) : rest;
        checkValues({ bytes, at: 0 }, column, numberOf(head, 4, 'encoding'), count - nulls, words, budget, true);
        seen += count;
      } else {
        throw new Error(kind === indexPage ? 'pages of an index are not read' : `there are no pages of kind ${kind}`);
      }
      if (seen > total) throw new Error(`with it there are ${seen} values for ${total} rows`);
    } catch (error) {
      throw error instanceof Error && !('code' in error) ? new Error(`page ${page + 1}: ${error.message}`) : error;
    }
  }
  return pages;
}

/** A number that is there and not negative. */
function numberOf(fields: Struct, id: number, what: string): number {
  const value = fields.get(id);
  if (typeof value === 'number' && value >= 0) return value;
  throw new Error(`its ${what} is ${typeof value === 'number' ? value : 'not told'}`);
}

function structOf(fields: Struct, id: number): Struct {
  const value = fields.get(id);
  if (value instanceof Map) return value;
  throw new Error('its header is not whole');
}

function checkEncoding(encoding: number, known: readonly number[]): void {
  if (!known.includes(encoding)) throw new Error(`the encoding ${encoding} is not one of such values`);
}

function checkValues(
  cursor: Cursor,
  column: Column,
  encoding: number,
  count: number,
  words: number,
  budget: Budget,
  isSecond: boolean,
): void {
  const { type } = column;
  switch (encoding) {
    case plain:
      checkPlain(cursor, column, count);
      return;
    case plainDictionary:
    case runsDictionary: {
      if (words < 0) throw new Error('there is no dictionary');
      // pages of no values may have no bytes
      if (count === 0 && cursor.at === cursor.bytes.length && !isSecond) return;
      skip(cursor, 1);
      const width = cursor.bytes[cursor.at - 1]!;
      if (count > 0 && words === 0) throw new Error('the dictionary is empty');
      if (width > 0 || isSecond) checkRuns(cursor, width, count);
      return;
    }
    case runs:
      if (type !== 'BOOLEAN') break;
      skip(cursor, 4);
      checkRuns(cursor, 1, count);
      return;
    case deltas:
      if (type !== 'INT32' && type !== 'INT64') break;
      checkDeltas(cursor, count);
      return;
    case deltaLengths:
    case deltaTexts: {
      if (type !== 'BYTE_ARRAY' && !(encoding === deltaTexts && type === 'FIXED_LEN_BYTE_ARRAY')) break;
      if (column.isDecimal) break;
      const limit = 2 ** 40;
      budget.take(checkDeltaTexts({ ...cursor }, count, encoding === deltaTexts, limit));
      return;
    }
    case split: {
      const width = widthOf(column);
      if (width === undefined || type === 'INT96') break;
      skip(cursor, width * count);
      return;
    }
    case alp:
      if (type !== 'FLOAT' && type !== 'DOUBLE') break;
      checkAlp(cursor, count, type === 'DOUBLE');
      return;
  }
  throw new Error(`the encoding ${encoding} is not one of such values`);
}

function checkPlain(cursor: Cursor, column: Column, count: number): void {
  if (column.type === 'BYTE_ARRAY') {
    checkTexts(cursor, count, column.isDecimal ? longestDecimal : 2 ** 32);
    return;
  }
  const width = column.type === 'BOOLEAN' ? 1 / 8 : widthOf(column);
  if (width === undefined) throw new Error(`there are no values of type ${column.type}`);
  skip(cursor, Math.ceil(width * count));
}

function widthOf({ type, typeLength, isDecimal }: Column): number | undefined {
  if (type !== 'FIXED_LEN_BYTE_ARRAY') return widths[type];
  return typeLength > 0 && !(isDecimal && typeLength > longestDecimal) ? typeLength : undefined;
}
