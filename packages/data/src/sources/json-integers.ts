/**
 * Whole numbers in JSON that have more digits than a double keeps, as identifiers of posts and users: `JSON.parse` rounds them without a
 * word. They are looked for only in texts that have 16 digits in a row.
 */

/** What stands at a place of the text: a string, a whole number without a fraction or an exponent, any other number, or a sign. */
const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[[\]{},:]/g;

/** A value, the place where it stands in the text, and the way to it, as `user.ids[2]`. */
export interface LongInteger {
  readonly digits: string;
  readonly at: number;
  readonly path: string;
}

/** All of them, in their order. `text` is JSON. */
export function longIntegers(text: string): LongInteger[] {
  if (!/\d{16}/.test(text)) return [];
  const found: LongInteger[] = [];
  /** The way to what is open: the name of a field, the number of an item. */
  const way: (string | number)[] = [];
  /** A text that may be the name of a field, until a colon says that it is. */
  let last = '';
  for (const match of text.matchAll(token)) {
    const [part] = match;
    const { length } = way;
    if (part === '{') way.push('');
    else if (part === '[') way.push(0);
    else if (part === '}' || part === ']') way.pop();
    else if (part === ':') way[length - 1] = JSON.parse(last) as string;
    else if (part === ',' && typeof way[length - 1] === 'number') way[length - 1] = Number(way[length - 1]) + 1;
    else if (part.startsWith('"')) last = part;
    else if (/^-?\d{16,}$/.test(part) && !Number.isSafeInteger(Number(part))) {
      const names = way.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`));
      found.push({ digits: part, at: match.index, path: names.join('').replace(/^\./, '') });
    }
  }
  return found;
}

/** The text with each of them as a string of its digits. */
export function withLongTexts(text: string, long: readonly LongInteger[]): string {
  let result = '';
  let end = 0;
  for (const { digits, at } of long) {
    result += `${text.slice(end, at)}"${digits}"`;
    end = at + digits.length;
  }
  return result + text.slice(end);
}
