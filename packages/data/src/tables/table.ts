/**
 * From the columns of a table to samples, by an encoding that was fitted (`fit.ts`); and choice of rows.
 * Errors name line and column.
 */
import { FormatError, realmTag, ValueError } from '@nn/core';
import { listed, quoted } from '../messages.ts';
import type { Column, Table } from '../readers/csv.ts';
import { canBe, classify } from '../readers/csv-values.ts';
import type { Classified, DataArray } from '../samples/dataset.ts';
import { Dataset } from '../samples/dataset.ts';
import { dateForms, farthest, namesOfPart, numbersOfPart, parseDate } from './dates.ts';
import { type ColumnEncoding, checkEncoding, type FittedAs, type TableEncoding } from './encoding.ts';

/** Which table an encoding was fitted to, while both live: its rows must not be target-encoded by their own targets. */
export const fittedTo: WeakMap<TableEncoding, Table> = new WeakMap<TableEncoding, Table>();

/** The table of which one is a part, for its rows are the same: their lines tell which. */
const wholes: WeakMap<Table, Table> = new WeakMap<Table, Table>();

/** Whether two tables share a row. */
function shareRows(a: Table, b: Table): boolean {
  if (a === b) return true;
  if ((wholes.get(a) ?? a) !== (wholes.get(b) ?? b)) return false;
  const lines = new Set(a.lines);
  return b.lines.some((line) => lines.has(line));
}

/** A table as samples. */
export type EncodedTable = Dataset<{
  readonly inputs: DataArray<Float64Array>;
  readonly targets: DataArray<Float64Array> | DataArray<Int32Array>;
}>;

/**
 * The names of the inputs' elements: the column, 'column=category', 'column missing', or the column and a part of its date.
 *
 * @example
 * import { fitTable, inputNames, parseCsv } from '@nn/data';
 * const table = parseCsv('size,color,kind\n1,red,a\n2,blue,b\n');
 * console.log(inputNames(fitTable(table, { targets: 'kind' }))); // => [ 'size', 'color=blue', 'color=red' ]
 */
export function inputNames(encoding: TableEncoding): string[] {
  return encoding.inputs.flatMap((column) => {
    if (column.kind === 'oneHot') return column.categories.map((category) => `${column.name}=${category}`);
    if (column.kind === 'date') return column.parts.flatMap(namesOfPart).map((part) => `${column.name} ${part}`);
    return column.kind === 'number' && column.indicator ? [column.name, `${column.name} missing`] : [column.name];
  });
}

/** The number of elements that a column becomes. */
export function widthOf(column: ColumnEncoding): number {
  if (column.kind === 'oneHot') return column.categories.length;
  if (column.kind === 'date') return column.parts.flatMap(namesOfPart).length;
  return column.kind === 'number' && column.indicator ? 2 : 1;
}

/**
 * The table as samples: inputs float64 [rows, elements]; targets int32 [rows] for one column of categories, otherwise
 * float64 [rows, columns]. They are doubles so that normalising them loses no digit; a loader's tensors are float32.
 * To predict, encode the inputs alone, by `{ ...encoding, targets: [] }`, which gives targets [rows, 0]. Throws a
 * `FormatError` with line and column for a missing value without fill-in and for a category that was not there when the
 * encoding was fitted, and a `ValueError` for more than 2^31 elements.
 *
 * @example
 * import { encodeTable, fitTable, parseCsv } from '@nn/data';
 * const table = parseCsv('x,kind\n1,plum\n2,apple\n');
 * const { inputs, targets } = encodeTable(table, fitTable(table, { targets: 'kind' })).fields;
 * console.log(inputs.data, targets.data); // => Float64Array(2) [ 1, 2 ] Int32Array(2) [ 1, 0 ]
 */
export function encodeTable(table: Table, encoding: TableEncoding): EncodedTable;
export function encodeTable(table: Table, encoding: TableEncoding, ...more: readonly unknown[]): EncodedTable {
  if (more.length > 0) {
    throw new ValueError(
      'encodeTable',
      'takes a table and what fitTable found, and no options; those are of fitTable.',
    );
  }
  checkEncoding('encodeTable', encoding);
  const rows = table.lines.length;
  const leak = encoding.inputs.find(({ kind }) => kind === 'target');
  const fitted = leak && fittedTo.get(encoding);
  if (fitted && shareRows(fitted, table)) {
    throw new ValueError(
      'encodeTable',
      `column ${quoted(leak.name)} is target-encoded, and these rows were fitted: each would see its own target. Use fitEncodeTable for them.`,
      { column: leak.name },
    );
  }
  const inputs = encodeColumns(table, encoding.inputs, false);
  const targets = encodeColumns(table, encoding.targets, true);
  const classes = encoding.targets.length === 1 && encoding.targets[0]?.kind === 'index';
  return new Dataset({
    inputs,
    targets: classes ? { data: Int32Array.from(targets.data), shape: [rows] } : targets,
  });
}

/**
 * The same samples, typed as those of classes, as losses and samplers of classes want them. Throws a `ValueError` where the targets
 * are numbers: a column of 0 and 1 is one unless it was read as categories.
 *
 * @example
 * import { classified, encodeTable, fitTable, parseCsv } from '@nn/data';
 * const table = parseCsv('size,good\n1,0\n9,1\n', { kinds: { good: 'category' } });
 * const train = classified(encodeTable(table, fitTable(table, { targets: 'good' })));
 * const classes: Int32Array = train.fields.targets.data;
 * console.log(classes); // => Int32Array(2) [ 0, 1 ]
 */
export function classified(samples: EncodedTable): Classified<Float64Array> {
  const { inputs, targets } = samples.fields;
  if (isClasses(targets)) return new Dataset({ inputs, targets });
  throw new ValueError(
    'classified',
    `the targets are numbers [${targets.shape.join(', ')}], not classes: read their column as categories, as parseCsv(text, { kinds: { name: 'category' } }), and let it be the only target.`,
    { shape: targets.shape },
  );
}

function isClasses(targets: EncodedTable['fields']['targets']): targets is DataArray<Int32Array> {
  return realmTag(targets.data) === 'Int32Array';
}

/**
 * The rows of a table in which none of these columns (all where not given) is missing.
 *
 * @example
 * import { dropMissing, parseCsv } from '@nn/data';
 * console.log(dropMissing(parseCsv('x,y\n1,\n2,3\n')).lines); // => Int32Array(1) [ 3 ]
 */
export function dropMissing(table: Table, names?: readonly string[]): Table {
  if (typeof names === 'string') throw new ValueError('dropMissing', `takes a list of columns: [${quoted(names)}].`);
  const columns = names ? names.map(columnFinder('dropMissing', table)) : table.columns;
  const rows = [...table.lines.keys()].filter((row) => columns.every((column) => !isMissing(column, row)));
  return takeRows(table, rows);
}

/**
 * These rows of a table, in this order; to fit an encoding on a part of it.
 *
 * @example
 * import { parseCsv, takeRows } from '@nn/data';
 * console.log(takeRows(parseCsv('x\n1\n2\n3\n'), [2, 0]).lines); // => Int32Array(2) [ 4, 2 ]
 */
export function takeRows(table: Table, rows: ArrayLike<number>): Table {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (!Number.isInteger(row) || row < 0 || row >= table.lines.length) {
      throw new ValueError('takeRows', `${table.name} has no row ${row} among ${table.lines.length}.`, { row });
    }
  }
  const part: Table = {
    ...table,
    lines: Int32Array.from(rows, (row) => table.lines[row]!),
    columns: table.columns.map((column) =>
      column.kind === 'category'
        ? { ...column, values: Array.from(rows, (row) => column.values[row] as string | null) }
        : { ...column, values: Float64Array.from(rows, (row) => column.values[row]!) },
    ),
  };
  wholes.set(part, wholes.get(table) ?? table);
  return part;
}

/** What finds a column by name, or throws. */
export function columnFinder(operation: string, table: Table): (name: string) => Column {
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  return (name) => {
    const column = columns.get(name);
    if (column) return column;
    throw new ValueError(
      operation,
      `${table.name} has no column ${quoted(name)}; it has ${listed([...columns.keys()])}.`,
      { column: name },
    );
  };
}

export function isMissing(column: Column, row: number): boolean {
  return column.kind === 'category' ? column.values[row] === null : Number.isNaN(column.values[row]);
}

function encodeColumns(table: Table, encodings: readonly ColumnEncoding[], isTarget: boolean): DataArray<Float64Array> {
  const rows = table.lines.length;
  const widths = encodings.map(widthOf);
  const width = widths.reduce((a, b) => a + b, 0);
  if (rows * width > 2 ** 31) {
    const widest = encodings[widths.indexOf(Math.max(...widths))]?.name ?? '';
    throw new ValueError(
      'encodeTable',
      `${table.name}: ${rows} rows of ${width} elements are more than 2^31; column ${quoted(widest)} has the most categories: leave it out, or encode fewer rows at a time.`,
      { rows, width },
    );
  }
  const data = new Float64Array(rows * width);
  const columnOf = columnFinder('encodeTable', table);
  let start = 0;
  encodings.forEach((encoding, i) => {
    const column = columnOf(encoding.name);
    const fail = (reason: string, row: number, what: string): never => {
      const line = table.lines[row];
      throw new FormatError(
        `encodeTable/${reason}`,
        `${table.name}, line ${line}, column ${quoted(encoding.name)}: ${what}`,
        {
          name: table.name,
          line,
          column: encoding.name,
        },
      );
    };
    const write = writer(encoding, column, data, fail, isTarget);
    for (let row = 0; row < rows; row++) write(row, row * width + start);
    start += widths[i]!;
  });
  return { data, shape: [rows, width] };
}

/** What writes the elements of one row at a place. */
function writer(
  encoding: ColumnEncoding,
  column: Column,
  data: Float64Array,
  fail: (reason: string, row: number, what: string) => never,
  isTarget: boolean,
): (row: number, at: number) => void {
  const missing = (row: number): never =>
    fail('missing', row, 'the value is missing; fill it, or drop the row with dropMissing.');
  if (encoding.kind === 'number') {
    const { fill, offset = 0, divisor = 1, indicator } = encoding;
    if (column.kind === 'category') {
      // One value that is no number makes texts of a column when it is read: that one is told.
      const { values } = column;
      const odd = values.findIndex((text) => text !== null && Number.isNaN(numberOfText(text)));
      const row = odd < 0 ? values.findIndex((text) => text !== null) : odd;
      if (row >= 0) fail('category', row, `${quoted(values[row]!)} is a category, the encoding was fitted to numbers.`);
    }
    return (row, at) => {
      const isAbsent = isMissing(column, row);
      const value = isAbsent ? (fill ?? missing(row)) : (column.values[row] as number);
      if (!Number.isFinite(value)) {
        fail(
          'infinite',
          row,
          `the value is ${value}, from which nothing can be learned; drop the row, or make it a missing value.`,
        );
      }
      data[at] = (value - offset) / divisor;
      if (indicator) data[at + 1] = Number(isAbsent);
    };
  }
  if (encoding.kind === 'date') {
    return (row, at) => {
      const moment = isMissing(column, row)
        ? (encoding.fill ?? missing(row))
        : (milliseconds(column, row, encoding.from) ??
          fail('date', row, `${quoted(String(column.values[row]))} is no date ${dateForms}.`));
      data.set(
        encoding.parts.flatMap((part) => {
          const { offset, divisor } = encoding.scales?.[part] ?? { offset: 0, divisor: 1 };
          return numbersOfPart(part, moment).map((number) => (number - offset) / divisor);
        }),
        at,
      );
    };
  }
  const indices = new Map(encoding.categories.map((category, at) => [category, at]));
  if (encoding.kind === 'target') {
    return (row, at) => {
      const category = categoryAt(column, row, encoding.from);
      const index = category === null ? undefined : indices.get(category);
      data[at] = index === undefined ? encoding.otherwise : encoding.values[index]!;
    };
  }
  const { categories, unknown } = encoding;
  return (row, at) => {
    const value = categoryAt(column, row, encoding.from) ?? encoding.fill ?? missing(row);
    let index = indices.get(value);
    if (index === undefined) {
      if (unknown !== 'ignore')
        fail(
          'unknown',
          row,
          `${quoted(value)} is none of the categories ${listed(categories)}. ${isTarget ? 'Leave such rows out, or fit with rows of all classes.' : "Fit with unknown: 'ignore' where others may come."}`,
        );
      index = -1;
    }
    if (encoding.kind === 'index') data[at] = index;
    else if (index >= 0) data[at + index] = 1;
  };
}

/** The moment in a column of dates as text, or of milliseconds since 1970; undefined where there is none. */
export function milliseconds(column: Column, row: number, from?: FittedAs): number | undefined {
  if (isMissing(column, row)) return undefined;
  if (column.kind === 'category') {
    const text = column.values[row] as string;
    return parseDate(text) ?? (from === 'number' ? milliseconds(numbersOf(column.name, text), 0) : undefined);
  }
  const moment = column.values[row]!;
  return Math.abs(moment) <= farthest ? moment : undefined;
}

const numbersOf = (name: string, text: string): Column => ({
  ...{ name, kind: 'number' },
  values: Float64Array.of(numberOfText(text)),
});

/**
 * The category as text. Columns read as numbers elsewhere (1, 2, 3) count by their decimal form. `from` is what was fitted: rows as a
 * form or another file gives them may have its numbers and booleans as text, as '2.0' and 'True'.
 */
export function categoryAt(column: Column, row: number, from?: FittedAs): string | null {
  if (isMissing(column, row)) return null;
  if (column.kind === 'boolean') return column.values[row] === 1 ? 'true' : 'false';
  if (column.kind === 'number') return String(column.values[row]);
  const text = column.values[row] as string;
  if (from === 'boolean') return classify(text.trim()) & canBe.boolean ? text.trim().toLowerCase() : text;
  const number = from === 'number' ? numberOfText(text) : Number.NaN;
  return Number.isNaN(number) ? text : String(number);
}

/** What `parseCsv` reads of a text without marks between thousands: a number, true or false; NaN for anything else, as '0x10' and '1,5'. */
export function numberOfText(text: string): number {
  const trimmed = text.trim();
  const can = classify(trimmed);
  if (can & canBe.boolean) return Number(trimmed.toLowerCase() === 'true');
  return can & canBe.plain ? Number(trimmed) : Number.NaN;
}

/** What is noted of a column that was fitted, for `categoryAt`. */
export function fittedAs({ kind }: Column): { readonly from?: FittedAs } {
  return kind === 'category' ? {} : { from: kind };
}

/** Throws for numbers whose mean or deviation a number does not hold: its square must have room for many rows. */
export function checkSizes(table: Table, name: string, values: Float64Array): void {
  const row = values.findIndex((value) => Math.abs(value) > 1e150);
  if (row < 0) return;
  const value = values[row]!;
  throw new ValueError(
    'fitTable/too-large',
    `${table.name}, line ${table.lines[row]}, column ${quoted(name)}: the value is ${value}, from which ${Number.isFinite(value) ? 'no mean and no scale can be taken; divide the column' : 'nothing can be learned; drop the row, or make it a missing value'}.`,
    { line: table.lines[row], column: name, value },
  );
}
