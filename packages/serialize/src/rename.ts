/**
 * The patterns of `rename`: what a user says of how the names of a file become those of a model. Loaded where there are some.
 */
import { excerpt, ValueError } from '@nn/core';
import type { Rename } from './names.ts';

/** `rename` as a function. Throws a `ValueError` for patterns that are none. */
export function renaming(
  operation: string,
  rename: Exclude<Rename, (name: string) => unknown>,
): (name: string) => string | null {
  const rules = rename.map(([pattern, replacement], at) => {
    if (typeof replacement !== 'string' || !(typeof pattern === 'string' || pattern instanceof RegExp)) {
      throw new ValueError(
        operation,
        `rename[${at}] is no pair of pattern and replacement: ['layers.*.norm', 'blocks.*.norm1'] or [/^bert\\./, ''].`,
      );
    }
    if (pattern instanceof RegExp) return (name: string) => name.replace(pattern, replacement);
    return wholeParts(operation, pattern, replacement);
  });
  return (name) => rules.reduce((renamed, rule) => rule(renamed), name);
}

/** Replaces whole parts of a name; each `*` of the replacement is what the one of the same place in the pattern stood for. */
function wholeParts(operation: string, pattern: string, replacement: string): (name: string) => string {
  const parts = pattern.split('.');
  const stars = (text: string): number => text.split('.').filter((part) => part === '*').length;
  if (stars(replacement) > stars(pattern) || /[^.]\*|\*[^.]/.test(`${pattern}.${replacement}`)) {
    throw new ValueError(
      operation,
      `rename: '${excerpt(pattern)}' and '${excerpt(replacement)}': a * stands for one whole part, and the replacement has no more of them.`,
    );
  }
  return (name) => {
    const all = name.split('.');
    for (let at = 0; at + parts.length <= all.length; at++) {
      if (!parts.every((part, k) => part === '*' || part === all[at + k])) continue;
      const held = all.slice(at, at + parts.length).filter((_, k) => parts[k] === '*');
      const put =
        replacement === '' ? [] : replacement.split('.').map((part) => (part === '*' ? (held.shift() ?? part) : part));
      return [...all.slice(0, at), ...put, ...all.slice(at + parts.length)].join('.');
    }
    return name;
  };
}
