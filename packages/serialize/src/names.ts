/**
 * How the names of a file become those of a model: a part of the file (`key`), patterns (`rename`), what wrappers of
 * PyTorch put in front, and where a name fits nowhere, the nearest one. It knows names alone, no tensors.
 */
import { excerpt, FormatError, ValueError } from '@nn/core';

/**
 * The model's name for a name in the file: a function, null to leave it out; or pairs of pattern and replacement, each applied
 * to what the one before left. A text stands for whole parts between dots, `*` for any one of them, as in 'layers.*.norm'. A RegExp is replaced as in `String.replace`.
 */
export type Rename =
  | ((name: string) => string | null)
  | readonly (readonly [pattern: string | RegExp, replacement: string])[];

/** `rename` as a function. Throws a `ValueError` for patterns that are none. */
export function renaming(operation: string, rename: Rename | undefined): (name: string) => string | null {
  if (rename === undefined) return (name) => name;
  if (typeof rename === 'function') return rename;
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

/** The name without what PyTorch's wrappers add: 'module.' of DataParallel in front, '_orig_mod' of compile anywhere. */
function unwrapped(name: string): string {
  return name
    .split('.')
    .filter((part) => part !== '_orig_mod')
    .join('.')
    .replace(/^(module\.)+/, '');
}

/** The model's name for a renamed one: itself, or where the model has no such name, without wrappers. */
export function modelName(name: string, expected: ReadonlyMap<string, unknown>): string {
  if (expected.has(name)) return name;
  const bare = unwrapped(name);
  return expected.has(bare) ? bare : name;
}

/** The dictionary of a file that holds the model's tensors. */
export interface Chosen {
  readonly key: string;
  /** Other dictionaries that could be meant, for messages. */
  readonly others: readonly string[];
}

/**
 * The part of a file that holds a model: what `key` says, or the whole file where a name fits, or the one dictionary in
 * which names fit. Throws a `FormatError` where several could be meant, or where `key` is not there.
 */
export function chooseKey(
  operation: string,
  names: readonly string[],
  containers: readonly string[],
  key: string | undefined,
  fits: (name: string) => boolean,
): Chosen {
  const inside = (container: string): string[] =>
    names.filter((name) => name.startsWith(`${container}.`)).map((name) => name.slice(container.length + 1));
  if (key !== undefined) {
    if (inside(key).length > 0) return { key, others: [] };
    const known = containers.filter((container) => container !== '');
    const list =
      known.length > 0
        ? `; it has ${quotedList(known)}`
        : '; it has no dictionary of tensors but itself: leave key out';
    throw new FormatError(`${operation}/key`, `the file has no tensors under '${excerpt(key)}'${list}.`, {
      key,
      containers: known,
    });
  }
  if (names.some(fits)) return { key: '', others: [] };
  const others = containers.filter((container) => container !== '');
  const counts = others
    .map((container) => [container, inside(container).filter(fits).length] as const)
    .filter(([, count]) => count > 0);
  if (counts.length > 1) {
    const list = counts.map(([container, count]) => `'${excerpt(container)}' (${count} tensors that fit)`).slice(0, 8);
    throw new FormatError(
      `${operation}/key`,
      `the file holds several models: ${list.join(', ')}; choose one: { key: '${excerpt(counts[0]![0])}' }.`,
      {
        containers: counts.map(([container]) => container),
      },
    );
  }
  return { key: counts[0]?.[0] ?? '', others };
}

export function quotedList(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `'${excerpt(name)}'`);
  return names.length > 8 ? `${shown.join(', ')} and ${names.length - 8} more` : shown.join(', ');
}

/** The name among `names` that takes the fewest edits (Levenshtein, 1966), undefined where more than half of the longer would have to change. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  const wanted = name.slice(0, 200);
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of names) {
    const other = candidate.slice(0, 200);
    const most = Math.min(least - 1, Math.floor(Math.max(wanted.length, other.length) / 2));
    if (Math.abs(other.length - wanted.length) > most) continue;
    const edits = editDistance(wanted, other);
    if (edits <= most) [best, least] = [candidate, edits];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, k) => k);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let k = 1; k <= b.length; k++) {
      const replaced = row[k - 1]! + (a[i - 1] === b[k - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[k]! + 1, next[k - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
