/** Values that are there, or promises of them: what follows is done now where nothing has to be waited for. Owns no value. */

/**
 * What `next` gives for the values: now where none of them is a promise, else the promise of it. For libraries whose work takes
 * microseconds where a device answers at once (`dataAtOnce`), for a promise and its turn would take as long.
 *
 * @example
 * import { whenAll } from '@nn/core';
 * const sum = ([a, b]: readonly number[]) => a! + b!;
 * console.log(whenAll([1, 2], sum)); // => 3
 * console.log(await whenAll([1, Promise.resolve(2)], sum)); // => 3
 */
export function whenAll<const Values extends readonly unknown[], Result>(
  values: Values,
  next: (values: { readonly [Place in keyof Values]: Awaited<Values[Place]> }) => Result | Promise<Result>,
): Result | Promise<Result> {
  // the cast: none of them is a promise
  return values.some((value) => value instanceof Promise)
    ? Promise.all(values).then(next)
    : next(values as Parameters<typeof next>[0]);
}
