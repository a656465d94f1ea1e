/**
 * What is fitted to a table: how each column becomes numbers. Plain JSON, to store with a model. `fit.ts` finds it, `table.ts`
 * applies it, `raw.ts` reads it back and applies it to rows that are no table.
 */
import type { DatePart } from './dates.ts';

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

/** One element for each category, or the index of the category. */
export interface CategoryEncoding {
  readonly name: string;
  readonly kind: 'oneHot' | 'index';
  readonly categories: readonly string[];
  readonly fill: string | null;
  /** What becomes of a category that was not there: an error where not given; 'ignore': only zeros, or the index -1. */
  readonly unknown?: 'ignore';
}

/** The mean of the target for each category; `otherwise` for a category that was not there and for missing values. */
export interface TargetEncoding {
  readonly name: string;
  readonly kind: 'target';
  readonly categories: readonly string[];
  readonly values: readonly number[];
  readonly otherwise: number;
}

/** Parts of a moment, those that return as sine and cosine. */
export interface DateEncoding {
  readonly name: string;
  readonly kind: 'date';
  readonly parts: readonly DatePart[];
  /** Milliseconds since 1970. */
  readonly fill: number | null;
}

/** The columns of inputs and targets in order, and how each becomes numbers. */
export interface TableEncoding {
  readonly inputs: readonly ColumnEncoding[];
  readonly targets: readonly ColumnEncoding[];
}
