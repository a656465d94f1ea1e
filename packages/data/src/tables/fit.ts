/**
 * Finds how the columns of a table become numbers: categories, fill-ins, scales, means of the target. Fit on the training part
 * alone. Applying what was found is `table.ts`.
 */
import { checkChoices, checkOptions, ValueError } from '@nn/core';
import { listed, quoted } from '../messages.ts';
import type { Column, Table } from '../readers/csv.ts';
import { fitNormalization } from '../samples/normalization.ts';
import { kFolds } from '../splits/folds.ts';
import { type DataWarning, warningOf } from '../warning.ts';
import { type DatePart, dateForms, dateParts, namesOfPart, numbersOfPart, parseDate } from './dates.ts';
import type { ColumnEncoding, DateEncoding, NumberEncoding, TableEncoding } from './encoding.ts';
import { checkFill, type Fill, fillCategory, fillDate, fillNumber, ownCategory } from './fills.ts';
import { fitMeans } from './means.ts';
import {
  categoryAt,
  checkSizes,
  columnFinder,
  type EncodedTable,
  encodeTable,
  fittedAs,
  fittedTo,
  isMissing,
  milliseconds,
  takeRows,
  widthOf,
} from './table.ts';

/** 'standard': mean 0, deviation 1. 'minMax': 0 to 1. 'robust': median 0, quartiles 1 apart. 'maxAbs': -1 to 1, 0 stays. */
export type Scale = 'none' | 'standard' | 'minMax' | 'robust' | 'maxAbs';

export interface ColumnOptions {
  /**
   * 'number'; 'oneHot', an element for each category; 'ordinal', the place of the category in `order`; 'target', the mean of
   * the target in that category; 'date'. Numbers are numbers and categories one-hot where not given.
   */
  readonly encode?: 'number' | 'oneHot' | 'ordinal' | 'target' | 'date';
  readonly fill?: Fill;
  /** For numbers: one more element that is 1 where the value is missing. */
  readonly indicator?: boolean;
  readonly scale?: Scale;
  /** For 'ordinal': the categories from first to last; by code points where not given. */
  readonly order?: readonly string[];
  /** For 'oneHot' and 'ordinal': 'ignore' gives a category that was not there only zeros, or -1. */
  readonly unknown?: 'error' | 'ignore';
  /** For 'target': so many rows of the mean over all are added to each category; 10 where not given. */
  readonly smoothing?: number;
  /** For 'date': year, month and weekday where not given. */
  readonly parts?: readonly DatePart[];
}

export interface TableOptions {
  /** What to predict. One column of categories or booleans gives classes, others give numbers. */
  readonly targets: string | readonly string[];
  /** What to predict it from; all other columns where not given. */
  readonly inputs?: readonly string[];
  /** Missing inputs: 'error', or 'fill' with the mean of numbers and the most frequent category. Missing targets are always an error. */
  readonly missing?: 'error' | 'fill';
  /** How numbers among the inputs, and the years and days of dates, are scaled; 'none' where not given. */
  readonly scale?: Scale;
  /** Categories that are not there when fitted: an error where not given. */
  readonly unknown?: 'error' | 'ignore';
  /** What is different for some inputs, by column. */
  readonly columns?: Readonly<Record<string, ColumnOptions>>;
  /** Takes what is suspicious, a sentence each; `console.warn` where not given. */
  readonly onWarning?: (message: string, warning: DataWarning) => void;
}

const known = ['targets', 'inputs', 'missing', 'scale', 'unknown', 'columns', 'onWarning'];
const scales: readonly Scale[] = ['none', 'standard', 'minMax', 'robust', 'maxAbs'];
const choices = { missing: ['error', 'fill'], scale: scales, unknown: ['error', 'ignore'] } as const;
const choicesOfColumn = {
  encode: ['number', 'oneHot', 'ordinal', 'target', 'date'],
  scale: scales,
  unknown: ['error', 'ignore'],
  indicator: [true, false],
} as const;
const knownOfColumn = ['encode', 'fill', 'indicator', 'scale', 'order', 'unknown', 'smoothing', 'parts'];

/**
 * Finds categories (in the order of their code points), fill-ins and scales for the columns of a table. With a target-encoded
 * column the rows that were fitted must be encoded by `fitEncodeTable`.
 *
 * @example
 * import { encodeTable, fitTable, inputNames, parseCsv } from '@nn/data';
 * const table = parseCsv('size,color,name\n1,red,a\n2,blue,b\n');
 * const encoding = fitTable(table, { targets: 'name' });
 * console.log(inputNames(encoding), encodeTable(table, encoding).fields.inputs.data);
 * // => [ 'size', 'color=blue', 'color=red' ] Float64Array(6) [ 1, 0, 1, 2, 1, 0 ]
 */
export function fitTable(table: Table, options: TableOptions): TableEncoding {
  checkOptions('fitTable', options, known);
  checkChoices('fitTable', options, choices);
  const targets = typeof options.targets === 'string' ? [options.targets] : options.targets;
  const isTarget = new Set(Array.isArray(targets) ? targets : []);
  const inputs = options.inputs ?? table.columns.map(({ name }) => name).filter((name) => !isTarget.has(name));
  checkRoles(inputs, targets);
  if (table.lines.length === 0) {
    throw new ValueError('fitTable', `${table.name} has no rows, so there is nothing to fit.`);
  }
  const { onWarning = (message: string) => console.warn(message), columns = {} } = options;
  for (const [name, own] of Object.entries(columns)) {
    if (!inputs.includes(name)) {
      throw new ValueError(
        'fitTable',
        `columns tells of ${quoted(name)}, which is no input; they are ${listed(inputs)}.`,
        {
          column: name,
        },
      );
    }
    const place = `fitTable: column ${quoted(name)}`;
    checkOptions(place, own, knownOfColumn);
    checkChoices(place, own, choicesOfColumn);
    if (own.fill !== undefined) checkFill(place, own.fill);
    checkList(place, 'order', own.order, "texts from first to last, as ['low', 'high']");
    checkList(place, 'parts', own.parts, "parts of dates, as ['year', 'month']");
    for (const part of own.parts ?? []) checkChoices(place, { part }, { part: dateParts });
  }
  const columnOf = columnFinder('fitTable', table);
  const fittedTargets = targets.map((name) => fitTargetColumn(columnOf(name)));
  const encoding: TableEncoding = {
    targets: fittedTargets,
    inputs: inputs.map((name) => {
      const own = Object.hasOwn(columns, name) ? columns[name]! : {};
      return fitInput(table, columnOf(name), own, options, fittedTargets);
    }),
  };
  for (const column of [...encoding.inputs, ...encoding.targets]) {
    const warning = suspicion(table, column);
    if (warning !== undefined) onWarning(`fitTable: ${table.name}: ${warning.message}`, warning);
  }
  fittedTo.set(encoding, table);
  return encoding;
}

/**
 * Fits, and encodes the rows that were fitted. A target-encoded column is encoded out of fold: the means that a row gets come from
 * the other folds, so that its own target is not among its inputs. The encoding itself is fitted on all rows, for any others.
 *
 * @example
 * import { fitEncodeTable, parseCsv } from '@nn/data';
 * const table = parseCsv(`city,price\n${'a,1\nb,3\n'.repeat(10)}`);
 * const columns = { city: { encode: 'target', smoothing: 0 } } as const;
 * const { samples, encoding } = fitEncodeTable(table, { targets: 'price', columns });
 * console.log(samples.fields.inputs.data[0], encoding.inputs[0]?.kind); // => 1 target
 */
export function fitEncodeTable(
  table: Table,
  options: TableOptions & { readonly folds?: number; readonly seed?: number },
): { readonly encoding: TableEncoding; readonly samples: EncodedTable } {
  // without options `fitTable` says what is missing
  const { folds = 5, seed = 0, ...rest } = { ...options };
  const encoding = fitTable(table, rest);
  fittedTo.delete(encoding);
  const samples = encodeTable(table, encoding);
  const target = encoding.targets[0]!;
  const { data, shape } = samples.fields.inputs;
  let start = 0;
  for (const column of encoding.inputs) {
    if (column.kind === 'target') {
      for (const { train, test } of kFolds(table, { folds, seed, shuffle: true })) {
        const others = takeRows(table, train);
        const { smoothing } = rest.columns?.[column.name] ?? {};
        const own = fitMeans(others, columnFinder('fitEncodeTable', others)(column.name), [target], smoothing);
        const { inputs } = encodeTable(takeRows(table, test), { inputs: [own], targets: [] }).fields;
        test.forEach((row, i) => {
          data[row * shape[1]! + start] = inputs.data[i]!;
        });
      }
    }
    start += widthOf(column);
  }
  fittedTo.set(encoding, table);
  return { encoding, samples };
}

/** Each column is an input or a target, once: among the inputs a target would be learned from itself. */
function checkRoles(inputs: unknown, targets: unknown): void {
  const seen = new Set<unknown>();
  for (const [what, names] of Object.entries({ targets, inputs })) {
    if (!Array.isArray(names) || names.some((name) => typeof name !== 'string')) {
      throw new ValueError('fitTable', `${what} must be a list of names of columns, as ['price'].`, { [what]: names });
    }
    if (names.length === 0) throw new ValueError('fitTable', `${what} names no column.`, { [what]: names });
    for (const name of names) {
      if (seen.has(name)) {
        throw new ValueError(
          'fitTable',
          `inputs and targets name the column ${quoted(name)} twice; a column is one of them, once.`,
          {
            column: name,
          },
        );
      }
      seen.add(name);
    }
  }
}

/** Options of a column that are lists: texts, each once, one at least. */
function checkList(place: string, option: string, list: unknown, form: string): void {
  if (list === undefined) return;
  if (!Array.isArray(list) || list.length === 0 || list.some((item) => typeof item !== 'string')) {
    throw new ValueError(place, `${option} must be a list of ${form}.`, { [option]: list });
  }
  const twice = list.find((item, i) => list.indexOf(item) !== i);
  if (twice !== undefined) throw new ValueError(place, `${option} names ${quoted(twice)} twice.`, { [option]: list });
}

/**
 * What to say of a column in which nearly every row has a category of its own (a name or a number, not a property), and of moments that
 * are likely none.
 */
function suspicion(table: Table, column: ColumnEncoding): DataWarning | undefined {
  if (column.kind === 'date') return suspiciousMoments(columnFinder('fitTable', table)(column.name));
  const rows = table.lines.length;
  if (!('categories' in column) || column.categories.length <= 20 || column.categories.length < rows / 2) {
    return undefined;
  }
  const categories = column.categories.length;
  const isDate = column.categories.every((category) => parseDate(category) !== undefined);
  const otherwise = isDate ? "encode it as 'date', for it holds dates" : 'read it as numbers';
  return warningOf(
    'fitTable/many-categories',
    `column ${quoted(column.name)} has ${categories} categories in ${rows} rows, of which nothing can be learned; leave it out by naming the inputs, or ${otherwise}.`,
    { column: column.name, categories, rows },
  );
}

/**
 * Numbers are milliseconds since 1970. Years (2024), days written as numbers (20240531) and seconds since 1970 all lie
 * in the first months of 1970 when taken for such, microseconds behind the year 9999.
 */
function suspiciousMoments({ name, kind, values }: Column): DataWarning | undefined {
  if (kind === 'category') return undefined;
  const present = values.filter((value) => !Number.isNaN(value));
  const isEarly = present.every((value) => Math.abs(value) < 1e10);
  if (present.length === 0 || (!isEarly && present.every((value) => Math.abs(value) < 2.5e14))) return undefined;
  return warningOf(
    'fitTable/moments',
    `column ${quoted(name)} is taken for milliseconds since 1970, by which ${present[0]} lies ${isEarly ? 'in the first months of 1970' : 'behind the year 9999'}; multiply seconds by 1000, divide microseconds by 1000, or read dates as text: kinds: { ${JSON.stringify(name)}: 'category' }.`,
    { column: name, value: present[0] },
  );
}

/** Booleans are the classes 'false' and 'true' as targets. */
function fitTargetColumn(column: Column): ColumnEncoding {
  const { name } = column;
  if (column.kind === 'number') return { name, kind: 'number', fill: null };
  if (column.kind === 'boolean') return { name, kind: 'index', categories: ['false', 'true'], fill: null };
  return { name, kind: 'index', categories: [...countsOf(column).keys()].sort(), fill: null };
}

function fitInput(
  table: Table,
  column: Column,
  own: ColumnOptions,
  options: TableOptions,
  targets: readonly ColumnEncoding[],
): ColumnEncoding {
  const { name } = column;
  const encode = own.encode ?? (column.kind === 'category' ? 'oneHot' : 'number');
  const byDefault: Fill =
    options.missing === 'fill' ? (encode === 'number' || encode === 'date' ? 'mean' : 'mostFrequent') : 'error';
  const { fill = byDefault } = own;
  const refuse = (what: string): never => {
    throw new ValueError('fitTable', `${table.name}: column ${quoted(name)} ${what}`, { column: name });
  };
  if (own.indicator && encode !== 'number') refuse(`is encoded as ${encode}; indicator is for numbers.`);
  if (own.scale && encode !== 'number' && encode !== 'date') {
    refuse(`is encoded as ${encode}; scale is for numbers, and for the years and days of dates.`);
  }
  if (own.order && encode !== 'ordinal') refuse(`is encoded as ${encode}; order is for 'ordinal'.`);
  if (own.parts && encode !== 'date') refuse(`is encoded as ${encode}; parts are for 'date'.`);
  if (own.smoothing !== undefined && encode !== 'target') {
    refuse(`is encoded as ${encode}; smoothing is for 'target'.`);
  }
  if (own.unknown && encode !== 'oneHot' && encode !== 'ordinal') {
    refuse(`is encoded as ${encode}; unknown is for 'oneHot' and 'ordinal'.`);
  }
  if (encode === 'number') {
    if (column.kind === 'category')
      return refuse("has categories; encode it as 'oneHot', 'ordinal', 'target' or 'date'.");
    return fitNumber(
      table,
      column,
      own.indicator && fill === 'error' ? 'mean' : fill,
      own,
      own.scale ?? options.scale ?? 'none',
    );
  }
  if (encode === 'date') {
    const { parts = ['year', 'month', 'weekday'] } = own;
    const values = Float64Array.from({ length: table.lines.length }, (_, row) => {
      if (isMissing(column, row)) return Number.NaN;
      const moment = milliseconds(column, row);
      return (
        moment ??
        refuse(`has ${quoted(String(column.values[row]))} in line ${table.lines[row]}, which is no date ${dateForms}.`)
      );
    });
    const scales = fitParts(parts, values, own.scale ?? options.scale ?? 'none');
    return {
      name,
      kind: 'date',
      parts,
      fill: fillDate(name, values, fill),
      ...(scales && { scales }),
      ...fittedAs(column),
    };
  }
  if (encode === 'target') {
    if (own.fill !== undefined) refuse('is target-encoded; missing values get the mean over all, so leave fill out.');
    return fitMeans(table, column, targets, own.smoothing);
  }
  const counts = countsOf(column);
  const forMissing = ownCategory(name, counts, fill);
  const categories = own.order ?? [...counts.keys(), ...forMissing].sort();
  const inOrder = new Set(own.order);
  const missingInOrder = own.order && [...counts.keys()].find((category) => !inOrder.has(category));
  const unknown = own.unknown ?? options.unknown;
  if (missingInOrder !== undefined && unknown !== 'ignore')
    refuse(`has the category ${quoted(missingInOrder)}, which order leaves out.`);
  return {
    name,
    kind: encode === 'ordinal' ? 'index' : 'oneHot',
    categories,
    fill: fillCategory(name, counts, categories, fill),
    ...(unknown === 'ignore' && { unknown }),
    ...fittedAs(column),
  };
}

function fitNumber(
  table: Table,
  { name, values }: Extract<Column, { values: Float64Array }>,
  fill: Fill,
  { indicator = false }: ColumnOptions,
  scale: Scale,
): NumberEncoding {
  if (scale !== 'none' || (typeof fill === 'string' && fill !== 'error')) checkSizes(table, name, values);
  const filled = fillNumber(name, values, fill);
  const encoding: NumberEncoding = { name, kind: 'number', fill: filled, ...(indicator && { indicator }) };
  const present = values.filter((value) => !Number.isNaN(value));
  if (scale === 'none' || present.length === 0) return encoding;
  const { offset, divisor } = fitNormalization({ data: present, shape: [present.length, 1] }, { kind: scale });
  return { ...encoding, offset: offset[0]!, divisor: divisor[0]! };
}

/** Scales of the parts that are numbers, for 2024 beside points on a circle would be all that a network sees. */
function fitParts(parts: readonly DatePart[], values: Float64Array, scale: Scale): DateEncoding['scales'] {
  const present = values.filter((value) => !Number.isNaN(value));
  const numbers = parts.filter((part) => namesOfPart(part).length === 1);
  if (scale === 'none' || present.length === 0 || numbers.length === 0) return undefined;
  return Object.fromEntries(
    numbers.map((part) => {
      const data = present.map((moment) => numbersOfPart(part, moment)[0]!);
      const { offset, divisor } = fitNormalization({ data, shape: [data.length, 1] }, { kind: scale });
      return [part, { offset: offset[0]!, divisor: divisor[0]! }];
    }),
  );
}

function countsOf(column: Column): Map<string, number> {
  const counts = new Map<string, number>();
  for (let row = 0; row < column.values.length; row++) {
    const category = categoryAt(column, row);
    if (category !== null) counts.set(category, (counts.get(category) ?? 0) + 1);
  }
  return counts;
}
