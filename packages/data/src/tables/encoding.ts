/**
 * What is fitted to a table: how each column becomes numbers. Plain JSON, to store with a model. `fit.ts` finds it, `table.ts`
 * applies it, `raw.ts` reads it back and applies it to rows that are no table.
 */
import { checkOptions, ValueError } from '@nn/core';
import { type DatePart, dateParts, farthest } from './dates.ts';

/** How a column becomes numbers. `fill` stands in for missing values; null where they are an error. */
export type ColumnEncoding = NumberEncoding | CategoryEncoding | TargetEncoding | DateEncoding;

/** (value - offset) / divisor, then 1 where the value was missing and 0 elsewhere, if `indicator`. */
export interface NumberEncoding {
  readonly name: string;
  readonly kind: 'number';
  readonly fill: number | null;
  readonly offset?: number;
  readonly divisor?: number;
  readonly indicator?: boolean;
}

/** What the categories or moments were in the table that was fitted, where they were no text: text then counts by its value. */
export type FittedAs = 'number' | 'boolean';

/** One element for each category, or the index of the category. */
export interface CategoryEncoding {
  readonly name: string;
  readonly kind: 'oneHot' | 'index';
  readonly categories: readonly string[];
  readonly fill: string | null;
  /** What becomes of a category that was not there: an error where not given; 'ignore': only zeros, or the index -1. */
  readonly unknown?: 'ignore';
  /** Of numbers 2 and '2.0' are the category '2', of booleans 'True' is 'true'; not given for categories of text. */
  readonly from?: FittedAs;
}

/** The mean of the target for each category; `otherwise` for a category that was not there and for missing values. */
export interface TargetEncoding {
  readonly name: string;
  readonly kind: 'target';
  readonly categories: readonly string[];
  readonly values: readonly number[];
  readonly otherwise: number;
  /** As of other categories. */
  readonly from?: FittedAs;
}

/** Parts of a moment, those that return as sine and cosine. */
export interface DateEncoding {
  readonly name: string;
  readonly kind: 'date';
  readonly parts: readonly DatePart[];
  /** (number - offset) / divisor of the parts that are numbers, where they are scaled. */
  readonly scales?: Readonly<Partial<Record<DatePart, { readonly offset: number; readonly divisor: number }>>>;
  /** Milliseconds since 1970. */
  readonly fill: number | null;
  /** 'number' where the column held milliseconds since 1970. */
  readonly from?: FittedAs;
}

/** The columns of inputs and targets in order, and how each becomes numbers. */
export interface TableEncoding {
  readonly inputs: readonly ColumnEncoding[];
  readonly targets: readonly ColumnEncoding[];
}

/** Lists of columns that were looked at, for rows are often encoded one by one. */
const sound = new WeakSet<readonly ColumnEncoding[]>();

/** Throws unless it is an encoding, as `fitTable` makes it: in JavaScript options and tables come, too. */
export function checkEncoding(operation: string, encoding: TableEncoding): void {
  if (sound.has(encoding?.inputs) && sound.has(encoding.targets)) return;
  const wrong = wrongPart(encoding);
  if (wrong !== undefined) throw new ValueError(operation, `this is no encoding of fitTable: ${wrong}`);
  checkOptions(operation, encoding, ['inputs', 'targets']);
  sound.add(encoding.inputs).add(encoding.targets);
}

/** What is wrong with an encoding, in words; undefined where nothing is. */
export function wrongPart(value: unknown): string | undefined {
  const { inputs, targets } = Object(value) as { inputs?: unknown; targets?: unknown };
  for (const [what, columns] of Object.entries({ inputs, targets })) {
    if (!Array.isArray(columns)) return `${what} is no list of columns.`;
    const at = columns.findIndex((column) => !isColumn(column));
    if (at >= 0) return `${what}[${at}] is no encoding of a column, as fitTable makes it.`;
  }
  return undefined;
}

function isScale(scale: unknown): boolean {
  const { offset, divisor } = Object(scale) as Record<string, unknown>;
  return isNumber(offset) && isNumber(divisor) && divisor !== 0;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isListOf = (value: unknown, each: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(each);
const isOptional = (value: unknown, each: (item: unknown) => boolean): boolean => value === undefined || each(value);

function isColumn(column: unknown): boolean {
  const { name, kind, fill, categories, values, otherwise, parts, offset, divisor, indicator, unknown, scales, from } =
    Object(column) as Record<string, unknown>;
  if (!isText(name) || !isOptional(from, (value) => value === 'number' || value === 'boolean')) return false;
  switch (kind) {
    case 'number':
      return (
        (fill === null || isNumber(fill)) &&
        isOptional(offset, isNumber) &&
        isOptional(divisor, (value) => isNumber(value) && value !== 0) &&
        isOptional(indicator, (value) => typeof value === 'boolean')
      );
    case 'oneHot':
    case 'index':
      return (
        isListOf(categories, isText) &&
        (fill === null || isText(fill)) &&
        isOptional(unknown, (value) => value === 'ignore')
      );
    case 'target':
      return (
        isListOf(categories, isText) &&
        isListOf(values, isNumber) &&
        (values as unknown[]).length === (categories as unknown[]).length &&
        isNumber(otherwise)
      );
    case 'date':
      return (
        (fill === null || (isNumber(fill) && Math.abs(fill as number) <= farthest)) &&
        isListOf(parts, (part) => dateParts.some((one) => one === part)) &&
        Object.values(Object(scales)).every(isScale)
      );
    default:
      return false;
  }
}
