/**
 * From the columns of a table to samples: choice of columns, categories as numbers, missing values.
 * Fit on the training part (categories, fill-ins), apply to any; what is fitted is plain JSON, to store with a model.
 */
import { FormatError, ValueError } from '@nn/core';
import type { Column, Table } from '../readers/csv.ts';
import { listed, quoted } from '../readers/csv-scan.ts';
import type { DataArray } from '../samples/dataset.ts';
import { Dataset } from '../samples/dataset.ts';

/** How a column becomes numbers. `fill` stands in for missing values; null where they are an error. */
export type ColumnEncoding =
  | { readonly name: string; readonly kind: 'number'; readonly fill: number | null }
  | {
      readonly name: string;
      readonly kind: 'oneHot' | 'index';
      readonly categories: readonly string[];
      readonly fill: string | null;
    };

/** The columns of inputs and targets in order, and how each becomes numbers. */
export interface TableEncoding {
  readonly inputs: readonly ColumnEncoding[];
  readonly targets: readonly ColumnEncoding[];
}

export interface TableOptions {
  /** What to predict. One column of categories or booleans gives classes, others give numbers. */
  readonly targets: string | readonly string[];
  /** What to predict it from; all other columns where not given. */
  readonly inputs?: readonly string[];
  /** Missing inputs: 'error', or 'fill' with the mean of numbers and the most frequent category. Missing targets are always an error. */
  readonly missing?: 'error' | 'fill';
  /** Takes what is suspicious, a sentence each; `console.warn` where not given. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Finds categories (in the order of their code points) and fill-ins for the columns of a table.
 *
 * @example
 * import { encodeTable, fitTable, inputNames, parseCsv } from '@nn/data';
 * const table = parseCsv('size,color,name\n1,red,a\n2,blue,b\n');
 * const encoding = fitTable(table, { targets: 'name' });
 * console.log(inputNames(encoding), encodeTable(table, encoding).fields.inputs.data);
 * // => [ 'size', 'color=blue', 'color=red' ] Float64Array(6) [ 1, 0, 1, 2, 1, 0 ]
 */
export function fitTable(table: Table, options: TableOptions): TableEncoding {
  const targets = typeof options.targets === 'string' ? [options.targets] : options.targets;
  const isTarget = new Set(targets);
  const inputs = options.inputs ?? table.columns.map(({ name }) => name).filter((name) => !isTarget.has(name));
  for (const [what, names] of Object.entries({ inputs, targets })) {
    if (names.length === 0) throw new ValueError(`fitTable: ${what} names no column.`, { [what]: names });
  }
  const fill = options.missing === 'fill';
  const { onWarning = (message: string) => console.warn(message) } = options;
  const columnOf = columnFinder('fitTable', table);
  const encoding: TableEncoding = {
    inputs: inputs.map((name) => fitColumn(columnOf(name), 'oneHot', fill)),
    targets: targets.map((name) => fitColumn(columnOf(name), 'index', false)),
  };
  for (const column of [...encoding.inputs, ...encoding.targets]) {
    const warning = suspicion(table, column);
    if (warning !== undefined) onWarning(warning);
  }
  return encoding;
}

/** What to say of a column in which nearly every row has a category of its own: a name or a number, not a property. */
function suspicion(table: Table, column: ColumnEncoding): string | undefined {
  const rows = table.lines.length;
  if (column.kind === 'number' || column.categories.length <= 20 || column.categories.length < rows / 2) {
    return undefined;
  }
  return `fitTable: ${table.name}: column ${quoted(column.name)} has ${column.categories.length} categories in ${rows} rows, of which nothing can be learned; leave it out by naming the inputs, or read it as numbers.`;
}

/**
 * The names of the inputs' elements: the column, or 'column=category'.
 *
 * @example
 * import { fitTable, inputNames, parseCsv } from '@nn/data';
 * const table = parseCsv('size,color,kind\n1,red,a\n2,blue,b\n');
 * console.log(inputNames(fitTable(table, { targets: 'kind' }))); // => [ 'size', 'color=blue', 'color=red' ]
 */
export function inputNames(encoding: TableEncoding): string[] {
  return encoding.inputs.flatMap((column) =>
    column.kind === 'oneHot' ? column.categories.map((category) => `${column.name}=${category}`) : [column.name],
  );
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
export function encodeTable(
  table: Table,
  encoding: TableEncoding,
): Dataset<{
  readonly inputs: DataArray<Float64Array>;
  readonly targets: DataArray<Float64Array> | DataArray<Int32Array>;
}> {
  const rows = table.lines.length;
  const inputs = encodeColumns(table, encoding.inputs);
  const targets = encodeColumns(table, encoding.targets);
  const classes = encoding.targets.length === 1 && encoding.targets[0]?.kind === 'index';
  return new Dataset({
    inputs,
    targets: classes ? { data: Int32Array.from(targets.data), shape: [rows] } : targets,
  });
}

/**
 * The rows of a table in which none of these columns (all where not given) is missing.
 *
 * @example
 * import { dropMissing, parseCsv } from '@nn/data';
 * console.log(dropMissing(parseCsv('x,y\n1,\n2,3\n')).lines); // => Int32Array(1) [ 3 ]
 */
export function dropMissing(table: Table, names?: readonly string[]): Table {
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
      throw new ValueError(`takeRows: ${table.name} has no row ${row} among ${table.lines.length}.`, { row });
    }
  }
  return {
    ...table,
    lines: Int32Array.from(rows, (row) => table.lines[row]!),
    columns: table.columns.map((column) =>
      column.kind === 'category'
        ? { ...column, values: Array.from(rows, (row) => column.values[row] as string | null) }
        : { ...column, values: Float64Array.from(rows, (row) => column.values[row]!) },
    ),
  };
}

/** What finds a column by name, or throws. */
export function columnFinder(operation: string, table: Table): (name: string) => Column {
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  return (name) => {
    const column = columns.get(name);
    if (column) return column;
    throw new ValueError(
      `${operation}: ${table.name} has no column ${quoted(name)}; it has ${listed([...columns.keys()])}.`,
      { column: name },
    );
  };
}

function isMissing(column: Column, row: number): boolean {
  return column.kind === 'category' ? column.values[row] === null : Number.isNaN(column.values[row]);
}

/** Booleans are numbers as inputs and the classes 'false' and 'true' as targets. */
function fitColumn(column: Column, categorical: 'oneHot' | 'index', fill: boolean): ColumnEncoding {
  const { name } = column;
  if (column.kind !== 'category' && !(column.kind === 'boolean' && categorical === 'index')) {
    let sum = 0;
    let count = 0;
    for (const value of column.values) {
      if (Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
    return { name, kind: 'number', fill: fill && count > 0 ? sum / count : null };
  }
  if (column.kind !== 'category') return { name, kind: categorical, categories: ['false', 'true'], fill: null };
  const counts = new Map<string, number>();
  for (const value of column.values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  const categories = [...counts.keys()].sort();
  let frequent: string | null = null;
  for (const category of categories) {
    if (frequent === null || counts.get(category)! > counts.get(frequent)!) frequent = category;
  }
  return { name, kind: categorical, categories, fill: fill ? frequent : null };
}

function encodeColumns(table: Table, encodings: readonly ColumnEncoding[]): DataArray<Float64Array> {
  const rows = table.lines.length;
  const widths = encodings.map((encoding) => (encoding.kind === 'oneHot' ? encoding.categories.length : 1));
  const width = widths.reduce((a, b) => a + b, 0);
  if (rows * width > 2 ** 31) {
    const widest = encodings[widths.indexOf(Math.max(...widths))]?.name ?? '';
    throw new ValueError(
      `encodeTable: ${table.name}: ${rows} rows of ${width} elements are more than 2^31; column ${quoted(widest)} has the most categories: leave it out, or encode fewer rows at a time.`,
      { rows, width },
    );
  }
  const data = new Float64Array(rows * width);
  const columnOf = columnFinder('encodeTable', table);
  let start = 0;
  encodings.forEach((encoding, i) => {
    const column = columnOf(encoding.name);
    const indices = new Map(
      encoding.kind === 'number' ? [] : encoding.categories.map((category, at) => [category, at]),
    );
    const fail = (row: number, what: string): never => {
      const line = table.lines[row];
      throw new FormatError(`encodeTable: ${table.name}, line ${line}, column ${quoted(encoding.name)}: ${what}`, {
        line,
        column: encoding.name,
      });
    };
    const missing = (row: number): never =>
      fail(row, 'the value is missing; fill it, or drop the row with dropMissing.');
    for (let row = 0; row < rows; row++) {
      const at = row * width + start;
      if (encoding.kind === 'number') {
        if (column.kind === 'category') {
          fail(row, `${quoted(column.values[row] ?? '')} is a category, the encoding was fitted to numbers.`);
        }
        data[at] = isMissing(column, row) ? (encoding.fill ?? missing(row)) : (column.values[row] as number);
      } else {
        const value = categoryAt(column, row) ?? encoding.fill ?? missing(row);
        const index =
          indices.get(value) ?? fail(row, `${quoted(value)} is none of the categories ${listed(encoding.categories)}.`);
        if (encoding.kind === 'oneHot') data[at + index] = 1;
        else data[at] = index;
      }
    }
    start += widths[i]!;
  });
  return { data, shape: [rows, width] };
}

/** The category as text. Columns read as numbers elsewhere (1, 2, 3) count by their decimal form. */
function categoryAt(column: Column, row: number): string | null {
  if (isMissing(column, row)) return null;
  if (column.kind === 'category') return column.values[row] as string;
  if (column.kind === 'boolean') return column.values[row] === 1 ? 'true' : 'false';
  return String(column.values[row]);
}
