/**
 * Which part of a file holds a model, where it is not the whole file: a checkpoint has the model in one of its dictionaries. It
 * knows names alone, no tensors; it is loaded when a file needs it.
 */
import { excerpt, FormatError } from '@nn/core';

/** The dictionary of a file that holds the model's tensors. */
export interface Chosen {
  readonly key: string;
  /** Other dictionaries that could be meant, for messages. */
  readonly others: readonly string[];
}

/**
 * The part of a file that holds a model, where no name of the whole file fits: what `key` says, or the one dictionary in
 * which names fit, or the whole file ('') where none does. Throws a `FormatError` where several could be meant, or where `key` is not there.
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
