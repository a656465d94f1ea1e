/**
 * What a table does not say about itself: the separator, whether the first line names the columns, and what each column
 * holds. Every decision that could be wrong is put into words, for nothing of it may happen silently.
 * It counts what a walk over the text finds (`csv-scan.ts`, `csv-values.ts`) and stores no cell.
 */
import { isNNError } from '@nn/core';
import { quoted } from '../messages.ts';
import { type DataWarning, warningOf } from '../warning.ts';
import type { ColumnKind } from './csv.ts';
import type { FieldKind } from './csv-scan.ts';
import { fieldText, scanRecords } from './csv-scan.ts';
import type { Decimal } from './csv-values.ts';
import { canBe, classify, isBlankMark } from './csv-values.ts';

/** A cell for a message. */
type Seen = {
  readonly line: number;
  readonly text: string;
};

/** What stands in one column, counted. */
export class ColumnFacts {
  /** Values that are not missing and not a mark like n/a. */
  present = 0;
  numbers = 0;
  booleans = 0;
  /** Well-known marks for missing values that nobody named. */
  blanks = 0;
  readonly #counts = { point: 0, comma: 0, plain: 0, depends: 0 };
  odd: Seen | undefined;
  blank: Seen | undefined;
  marked: Seen | undefined;
  code: Seen | undefined;
  long: Seen | undefined;

  /** Takes note of a value that is not missing. */
  add(text: string, line: number, blanksCount: boolean): void {
    const can = classify(text);
    if (can === 0 && blanksCount && isBlankMark(text)) {
      this.blanks++;
      this.blank ??= { line, text };
      return;
    }
    this.present++;
    if (can & canBe.boolean) this.booleans++;
    if (!(can & (canBe.point | canBe.comma))) {
      if (!(can & canBe.boolean)) this.odd ??= { line, text };
      return;
    }
    this.numbers++;
    if (can & canBe.point) this.#counts.point++;
    if (can & canBe.comma) this.#counts.comma++;
    if (can & canBe.plain) this.#counts.plain++;
    else this.marked ??= { line, text };
    if (can & canBe.depends) this.#counts.depends++;
    if (can & canBe.code) this.code ??= { line, text };
    if (can & canBe.long) this.long ??= { line, text };
  }

  /** Whether all numbers can be read in this notation. */
  all(notation: 'point' | 'comma' | 'plain'): boolean {
    return this.#counts[notation] === this.numbers;
  }

  /** Whether some number has another value in the other notation. */
  get depends(): boolean {
    return this.#counts.depends > 0;
  }

  /** The notation that alone can read all numbers of this column, where one does. */
  get evident(): Decimal | undefined {
    if (!this.depends || this.all('point') === this.all('comma')) return undefined;
    return this.all('point') ? '.' : ',';
  }
}

/** How a column is read. */
export interface Decision {
  readonly kind: ColumnKind;
  readonly decimal: Decimal;
  /** Whether marks like n/a count as missing. */
  readonly blanks: boolean;
}

/** The notation that numbers with marks have, from the columns that leave no doubt. */
export function tableDecimal(facts: readonly ColumnFacts[]): Decimal | undefined {
  const evident = new Set(facts.filter((each) => !each.all('plain')).map((each) => each.evident));
  evident.delete(undefined);
  return evident.size === 1 ? [...evident][0] : undefined;
}

/** What a column holds, and what to say about it. */
export function decide(
  column: string,
  facts: ColumnFacts,
  options: {
    readonly decimal: Decimal | undefined;
    readonly others: Decimal | undefined;
    readonly separator: string;
    readonly rows: number;
  },
  say: (warning: DataWarning) => void,
): Decision {
  const decimal = notationOf(facts, options);
  const at = (seen: Seen): string => `${quoted(seen.text)} (line ${seen.line})`;
  const tell = (reason: string, what: string, data: Readonly<Record<string, unknown>> = {}): void =>
    say(warningOf(`parseCsv/${reason}`, `column ${quoted(column)}: ${what}`, { column, ...data }));
  const category = `kinds: { ${JSON.stringify(column)}: 'category' }`;
  const { present, numbers, booleans, blanks } = facts;
  if (present === 0) {
    if (blanks === 0 && options.rows > 0) tell('no-value', 'has no value; it is read as numbers that are all missing.');
    return { kind: blanks === 0 ? 'number' : 'category', decimal: '.', blanks: false };
  }
  const kind = numbers === present && decimal !== null ? 'number' : booleans === present ? 'boolean' : 'category';
  if (kind === 'category') {
    if (numbers === present && facts.marked) {
      const marks = facts.all('point') || facts.all('comma');
      if (options.decimal !== undefined) {
        const other = options.decimal === '.' ? ',' : '.';
        tell(
          'other-notation',
          `${at(facts.marked)} is no number with decimal: '${options.decimal}', so each value became a category: pass decimal: '${other}', or leave it out.`,
          facts.marked,
        );
      } else if (marks) {
        tell(
          'two-notations',
          `${at(facts.marked)} is one number with a decimal comma and another with commas between thousands; the column became categories: pass decimal: ',' or decimal: '.'.`,
          facts.marked,
        );
      } else {
        tell(
          'mixed-notations',
          `some numbers have decimal points and some decimal commas, as ${at(facts.marked)}; the column became categories: write them in one way.`,
          facts.marked,
        );
      }
    } else if (numbers >= 3 && numbers >= present / 2) {
      const odd = facts.odd ?? facts.marked;
      tell(
        'mostly-numbers',
        `${numbers} of ${present} values are numbers, ${odd ? `${at(odd)} is none` : 'others are none'}, so each value became a category: name it in missing, or say ${category}.`,
        { numbers, present, ...odd },
      );
    }
    return { kind, decimal: '.', blanks: false };
  }
  if (facts.blank) {
    tell(
      'missing-mark',
      `${at(facts.blank)} is taken for a missing value, with ${blanks} such of ${present + blanks}; or say ${category}.`,
      { ...facts.blank, blanks, count: present + blanks },
    );
  }
  if (kind === 'number') {
    if (facts.marked) {
      const how = decimal === ',' ? 'a decimal comma' : 'marks between thousands';
      const other = decimal === ',' ? '.' : ',';
      const doubt = facts.depends ? `; pass decimal: '${decimal}' to confirm, or decimal: '${other}'` : '';
      if (options.decimal === undefined) {
        tell(
          decimal === ',' ? 'decimal-comma' : 'thousands-mark',
          `${at(facts.marked)} is read as a number with ${how}${doubt}.`,
          facts.marked,
        );
      }
    } else if (options.others === ',' && facts.depends && facts.all('comma') && options.decimal === undefined) {
      tell(
        'decimal-point',
        "its points are read as decimal points, though other columns have decimal commas; or pass decimal: ','.",
      );
    }
    if (facts.long) {
      tell(
        'lost-digits',
        `${at(facts.long)} has more digits than a number keeps, which are lost; if it names something, say ${category}.`,
        facts.long,
      );
    } else if (facts.code) {
      tell(
        'lost-zeros',
        `${at(facts.code)} begins with a zero, which a number drops; if it names something, say ${category}.`,
        facts.code,
      );
    }
  }
  return { kind, decimal: decimal ?? '.', blanks: blanks > 0 };
}

/** The notation of a column's numbers; null where it has none, or cannot be told. */
function notationOf(
  facts: ColumnFacts,
  { decimal, others, separator }: { decimal: Decimal | undefined; others: Decimal | undefined; separator: string },
): Decimal | null {
  const can = (mark: Decimal): boolean => facts.all(mark === '.' ? 'point' : 'comma');
  if (decimal !== undefined) return can(decimal) ? decimal : null;
  if (facts.all('plain')) return '.';
  if (!can('.') || !can(',')) return can('.') ? '.' : can(',') ? ',' : null;
  if (!facts.depends) return '.';
  // 1,234 and nothing else: other columns may tell, and so does the separator: where the comma is the decimal mark, it
  // cannot part columns, and where it parts them, a comma in a field is a thousands mark.
  if (others !== undefined) return others;
  return separator === ';' ? ',' : separator === ',' ? '.' : null;
}

/** Whether the first record looks like the others: a number stands over each column of numbers, and there is one. */
export function looksLikeData(first: readonly ColumnFacts[], rest: readonly ColumnFacts[]): boolean {
  let numeric = 0;
  for (const [i, facts] of rest.entries()) {
    const isNumeric = facts.present > 0 && facts.numbers >= facts.present * 0.9;
    const head = first[i]!;
    if (isNumeric && head.present > 0 && head.numbers === 0) return false;
    if (isNumeric && head.numbers > 0) numeric++;
  }
  return numeric > 0;
}

const separators = [',', ';', '\t', '|'] as const;
const sampleSize = 50;

/**
 * The separator of the first records: the first of , ; tab | that parts all of them into equally many fields, more than
 * one; a later one where it leaves clearly more numbers. ',' where none does.
 */
export function inferSeparator(text: string, name: string, start: number): string {
  const found: { separator: string; numbers: number }[] = [];
  for (const separator of separators) {
    let fields = 0;
    let columns = 0;
    let records = 0;
    let cells = 0;
    let numbers = 0;
    let even = true;
    const scan = {
      field(from: number, end: number, kind: FieldKind): void {
        fields++;
        if (records > 0) cells++;
        if (records > 0 && end - from < 64 && classify(fieldText(text, from, end, kind, true).trim())) numbers++;
      },
      record(): boolean {
        if (columns === 0) columns = fields;
        even &&= fields === columns;
        records++;
        fields = 0;
        return even && records < sampleSize;
      },
    };
    try {
      scanRecords(text, { name, separator, start, skipBlank: true }, scan);
    } catch (error) {
      if (!isNNError(error)) throw error;
      continue; // quotes that are wrong for this separator
    }
    if (even && columns > 1 && (records > 1 || separator === ',')) {
      found.push({ separator, numbers: cells > 0 ? numbers / cells : 0 });
    }
  }
  let best = found[0];
  for (const each of found) if (best && each.numbers > best.numbers + 0.2) best = each;
  return best?.separator ?? ',';
}
