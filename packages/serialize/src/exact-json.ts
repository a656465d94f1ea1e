/**
 * JSON that gives back the same numbers: NaN, the infinities and -0, which JSON has no words for, are stored as
 * `{ "$number": "NaN" }`. A schedule's best loss begins at infinity, and must after a resume, too.
 */
import { realmTag } from '@nn/core';
import { outlineOf } from './header-text.ts';

/** What JSON holds, with every kind of number. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const tag = '$number';

/** How deep notes and states may be nested. */
const deepest = 100;

/**
 * Whether the value is made of null, booleans, numbers, text, and plain lists and objects of such, nested 100 deep at most;
 * nothing that holds itself is.
 */
export function isJson(value: unknown, depth = 0): value is Json {
  if (value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string')
    return true;
  if (typeof value !== 'object' || depth === deepest) return false;
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth + 1));
  return (
    isPlain(value) && !Object.hasOwn(value, tag) && Object.entries(value).every(([, item]) => isJson(item, depth + 1))
  );
}

/** An object of no class, of this realm or another. */
function isPlain(value: object): boolean {
  if (realmTag(value) !== 'Object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

export function stringifyExactly(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'number' || (Number.isFinite(part) && !Object.is(part, -0))) return part;
    return { [tag]: Object.is(part, -0) ? '-0' : String(part) };
  });
}

/** The inverse of `stringifyExactly`; throws a `SyntaxError` as `JSON.parse` does, also for what is nested too deep. */
export function parseExactly(text: string): unknown {
  // The record of a checkpoint adds two levels, a tagged number one.
  const limits = { depth: deepest + 4, items: Number.POSITIVE_INFINITY };
  if (outlineOf(text, limits).depth > limits.depth)
    throw new SyntaxError(`The JSON is nested more than ${limits.depth} deep.`);
  return JSON.parse(text, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || !Object.hasOwn(part, tag)) return part;
    return Number(Object(part)[tag]);
  });
}
