/**
 * Numbers in JSON that are no doubles: whole ones of more digits, as identifiers of posts and users, which `JSON.parse` rounds, and
 * those beyond 1.8e308, which it takes for Infinity, both without a word. They are looked for only in texts that have 16 digits in a
 * row or an exponent of three.
 */

/** What stands at a place of the text: a string, a whole number without a fraction or an exponent, any other number, or a sign. */
const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[[\]{},:]/g;

/** Where there may be any, and where there may be one beyond 1.8e308. A number is followed by neither a letter nor a quote. */
const signs = /\d{16}|\d[eE]\+?\d{3,}(?!["\w])/;
const signsOfBeyond = /\d{200}|\d[eE]\+?\d{3,}(?!["\w])/;

/** A number as it is written, the place where it stands in the text, and the way to it, as `user.ids[2]`. */
export interface LongNumber {
  readonly digits: string;
  readonly isWhole: boolean;
  readonly at: number;
  readonly path: string;
}

/** All of them in their order, or those alone that are beyond 1.8e308. `text` is JSON. */
export function longNumbers(text: string, onlyBeyond: boolean): LongNumber[] {
  if (!(onlyBeyond ? signsOfBeyond : signs).test(text)) return [];
  const found: LongNumber[] = [];
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
    else {
      const isWhole = /^-?\d+$/.test(part);
      const isKept = isWhole && !onlyBeyond ? Number.isSafeInteger : Number.isFinite;
      // the signs of objects and lists are NaN, and no number that is written is
      if (Number.isNaN(Number(part)) || isKept(Number(part))) continue;
      const names = way.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`));
      found.push({ digits: part, isWhole, at: match.index, path: names.join('').replace(/^\./, '') });
    }
  }
  return found;
}

/** The text with each of them as a string of its digits. */
export function withLongTexts(text: string, long: readonly LongNumber[]): string {
  let result = '';
  let end = 0;
  for (const { digits, at } of long) {
    result += `${text.slice(end, at)}"${digits}"`;
    end = at + digits.length;
  }
  return result + text.slice(end);
}
