/**
 * JSON that gives back the same numbers: NaN, the infinities and -0, which JSON has no words for, are stored as
 * `{ "$number": "NaN" }`. A schedule's best loss begins at infinity, and must after a resume, too.
 */

/** What JSON holds, with every kind of number. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const tag = '$number';

/** Whether the value is made of null, booleans, numbers, text, and plain lists and objects of such. */
export function isJson(value: unknown): value is Json {
  if (value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string')
    return true;
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.every(isJson);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (prototype === Object.prototype || prototype === null) && !(tag in value) && Object.values(value).every(isJson)
  );
}

export function stringifyExactly(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'number' || (Number.isFinite(part) && !Object.is(part, -0))) return part;
    return { [tag]: Object.is(part, -0) ? '-0' : String(part) };
  });
}

/** The inverse of `stringifyExactly`; throws a `SyntaxError` as `JSON.parse` does. */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || !(tag in part)) return part;
    return Number(part[tag]);
  });
}
