/** Parts of messages that come from files, whose authors may have written anything. */
import { excerpt } from '@nn/core';

/** Text of a file as it may stand in a message: in quotes, on one line, not endless. */
export function quoted(text: string): string {
  return `'${excerpt(text, 60).replace(/[\r\n]+/g, ' ')}'`;
}

/** Names for a message: some of them. */
export function listed(names: readonly string[]): string {
  const shown = names
    .slice(0, 12)
    .map((name) => excerpt(name, 60))
    .join(', ');
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}
