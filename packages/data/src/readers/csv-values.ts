/**
 * What a field of a table may be: a number in one of two notations, true or false, a mark for a missing value.
 * Each field is looked at once, character by character, so time is linear whatever stands in it.
 * Which notation a column has is decided in `csv-infer.ts`.
 */

/** How numbers are written: the decimal mark. The other mark, spaces and apostrophes may part groups of three digits. */
export type Decimal = '.' | ',';

/** What one field may be read as; several at once. */
export const canBe = {
  /** A number with a decimal point: 1234.5, 1,234.5, 1 234.5 */
  point: 1,
  /** A number with a decimal comma: 1234,5 1.234,5 1 234,5 */
  comma: 2,
  /** A number as programs write it: no marks but a point and an exponent. */
  plain: 4,
  boolean: 8,
  /** Its value differs between the two notations, as of 1,234. */
  depends: 16,
  /** A whole number that begins with a zero, as of a code: 01234 */
  code: 32,
  /** A whole number of more digits than a double keeps. */
  long: 64,
} as const;

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** Space, no-break space, narrow no-break space, apostrophes: they part groups in every notation. */
function isGroupMark(code: number): boolean {
  return code === 0x20 || code === 0xa0 || code === 0x202f || code === 0x27 || code === 0x2019;
}

/** What the field may be read as, as a sum of `canBe`; 0 for text. Spaces around it were dropped. */
export function classify(text: string): number {
  if (text.length === 4 || text.length === 5) {
    const lower = text.toLowerCase();
    if (lower === 'true' || lower === 'false') return canBe.boolean;
  }
  let at = 0;
  const first = text.charCodeAt(0);
  if (first === 43 || first === 45) at++;
  const begin = at;
  // Marks in their order, and how many digits stand before each: '1.234,5' has '.', ',' after 1 and 3 digits.
  let marks = '';
  let digits = 0;
  let run = 0;
  let wholeGroups = true; // every run between two marks has three digits, the first one to three
  let significant = 0;
  let end = at;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (isDigit(code)) {
      run++;
      digits++;
      if (significant > 0 || code !== 48) significant++;
      continue;
    }
    const mark = code === 46 ? '.' : code === 44 ? ',' : isGroupMark(code) ? ' ' : '';
    if (mark === '') break;
    if (marks === '' ? run < 1 || run > 3 : run !== 3) wholeGroups = false;
    if (marks.length < 3 || (marks.length < 8 && !marks.endsWith(mark))) marks += mark;
    run = 0;
  }
  if (digits === 0) return 0;
  if (end < text.length) {
    const code = text.charCodeAt(end);
    if (code !== 69 && code !== 101) return 0;
    let i = end + 1;
    const sign = text.charCodeAt(i);
    if (sign === 43 || sign === 45) i++;
    if (i >= text.length) return 0;
    for (; i < text.length; i++) if (!isDigit(text.charCodeAt(i))) return 0;
  }
  let can = 0;
  if (marks === '' || marks === '.') can |= canBe.plain;
  if (fits(marks, '.', wholeGroups, run)) can |= canBe.point;
  if (fits(marks, ',', wholeGroups, run)) can |= canBe.comma;
  if (can === 0) return 0;
  if (/[.,]/.test(marks)) can |= canBe.depends;
  if (marks === '' && end === text.length) {
    if (digits > 1 && text.charCodeAt(begin) === 48) can |= canBe.code;
    if (significant > 15 && !Number.isSafeInteger(Number(text))) can |= canBe.long;
  }
  return can;
}

/**
 * Whether marks (at most the first eight; more of one kind count once past the third) are those of a number: groups of
 * three digits parted by one kind of mark, then at most one decimal mark.
 */
function fits(marks: string, decimal: Decimal, wholeGroups: boolean, lastRun: number): boolean {
  if (marks === '' || marks === decimal) return true;
  const point = marks.indexOf(decimal);
  const groups = point < 0 ? marks : marks.slice(0, point);
  if (point >= 0 && point !== marks.length - 1) return false;
  for (const mark of groups) if (mark !== groups[0]) return false;
  return wholeGroups && (point >= 0 || lastRun === 3);
}

/** The number that a field stands for, which `classify` said it can be in this notation. */
export function numberOf(text: string, decimal: Decimal): number {
  const plain = Number(text);
  if (decimal === '.' && !Number.isNaN(plain)) return plain;
  const marks = decimal === '.' ? /[, '\u00a0\u202f\u2019]/g : /[. '\u00a0\u202f\u2019]/g;
  return Number(text.replace(marks, '').replace(',', '.'));
}

/** What people write for a value that is not there, beyond what is always taken for missing. */
const blanks: ReadonlySet<string> = new Set([
  ...['n/a', '#n/a', 'na', 'n.a.', '#na', '<na>', 'nan', '-nan', '#nan', 'null', 'nil', 'none', 'missing', 'unknown'],
  ...['undefined', '-', '--', '---', '?', '.', '...', '\\n', '#value!', '#div/0!', '#ref!', '\u2013', '\u2014'],
]);

/** Whether the field is a well-known mark for a missing value. */
export function isBlankMark(text: string): boolean {
  return text.length <= 9 && blanks.has(text.toLowerCase());
}
