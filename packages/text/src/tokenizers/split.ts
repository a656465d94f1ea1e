/**
 * How text falls into words before a model cuts them into tokens, and how it is normalised: the rules of GPT-2, BERT and
 * SentencePiece, as tokenizer.json names them. Owns the patterns; what becomes of a word is the models' matter.
 */

/** What each character is, of a few kinds: a table for the first 128, others as they are met. */
class Kinds {
  readonly #ofCode: (code: number) => number;
  readonly #ascii: Uint8Array;
  readonly #others: Map<number, number> = new Map();

  constructor(ofCode: (code: number) => number) {
    this.#ofCode = ofCode;
    this.#ascii = Uint8Array.from({ length: 128 }, (_, code) => ofCode(code));
  }

  at(text: string, at: number): number {
    const unit = text.charCodeAt(at);
    if (unit < 128) return this.#ascii[unit]!;
    const code = text.codePointAt(at)!;
    let kind = this.#others.get(code);
    if (kind === undefined) {
      kind = this.#ofCode(code);
      this.#others.set(code, kind);
    }
    return kind;
  }
}

/** What a character is in a text: a sign, a letter, a digit (of any script), white space. */
const [SIGN, LETTER, DIGIT, SPACE] = [0, 1, 2, 3];

const gpt2Kinds = /* @__PURE__ */ new Kinds((code) => {
  const character = String.fromCodePoint(code);
  if (/\p{L}/u.test(character)) return LETTER;
  if (/\p{N}/u.test(character)) return DIGIT;
  return /\s/u.test(character) ? SPACE : SIGN;
});

/** How many units of a string the character has that begins here. */
const widthAt = (text: string, at: number): number =>
  text.charCodeAt(at) >= 0xd800 && text.codePointAt(at)! > 0xffff ? 2 : 1;

/**
 * Visits the words of GPT-2: a contraction ('s, 'll), or letters, digits or signs with a space before them, or white space. As its
 * pattern `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, which is several times slower. (Radford et al. 2019.)
 */
export function visitGpt2Words(text: string, visit: (word: string) => void): void {
  const end = text.length;
  let start = 0;
  while (start < end) {
    let at = start + contraction(text, start);
    if (at === start) {
      let kind = gpt2Kinds.at(text, start);
      // one space belongs to what follows it
      if (kind === SPACE && text[start] === ' ' && start + 1 < end) {
        const next = gpt2Kinds.at(text, start + 1);
        if (next !== SPACE) [at, kind] = [start + 1, next];
      }
      while (at < end && gpt2Kinds.at(text, at) === kind) at += widthAt(text, at);
      // of several spaces the last is left for the word behind them
      if (kind === SPACE && at < end && at - start > 1) at--;
    }
    visit(text.slice(start, at));
    start = at;
  }
}

/** How long the contraction is that begins here; 0 for none. */
function contraction(text: string, at: number): number {
  if (text.charCodeAt(at) !== 39) return 0;
  const next = text[at + 1];
  if (next === 's' || next === 't' || next === 'm' || next === 'd') return 2;
  const two = text.slice(at + 1, at + 3);
  return two === 'll' || two === 've' || two === 're' ? 3 : 0;
}

export function gpt2Words(text: string): readonly string[] {
  const words: string[] = [];
  visitGpt2Words(text, (word) => words.push(word));
  return words;
}

/** What BERT sees: signs, those of ASCII, also `$` and `+`, and all that Unicode calls punctuation; white space; what words are of. */
const bertKinds = /* @__PURE__ */ new Kinds((code) => {
  const character = String.fromCodePoint(code);
  if (/[\p{P}!-/:-@[-`{-~]/u.test(character)) return SIGN;
  return /\s/u.test(character) ? SPACE : LETTER;
});

/** Visits the words of BERT: each sign alone, and what stands between signs and white space. */
export function visitBertWords(normalized: string, visit: (word: string) => void): void {
  const end = normalized.length;
  let start = 0;
  while (start < end) {
    const kind = bertKinds.at(normalized, start);
    let at = start + widthAt(normalized, start);
    if (kind === LETTER) while (at < end && bertKinds.at(normalized, at) === LETTER) at += widthAt(normalized, at);
    if (kind !== SPACE) visit(normalized.slice(start, at));
    start = at;
  }
}

export function bertWords(normalized: string): readonly string[] {
  const words: string[] = [];
  visitBertWords(normalized, (word) => words.push(word));
  return words;
}

export interface BertNormalization {
  /** All in lower case. */
  readonly lowercase: boolean;
  /** Letters without their accents. Default: as `lowercase`. */
  readonly stripAccents: boolean;
}

const plainAscii = /^[\t\n\r -~]*$/;

/** Text as BERT reads it: without control characters, Chinese characters apart, white space as spaces. (Devlin et al. 2019.) */
export function bertNormalized(text: string, { lowercase, stripAccents }: BertNormalization): string {
  if (plainAscii.test(text)) {
    const spaced = text.replace(/[\t\n\r]/g, ' ');
    return lowercase ? spaced.toLowerCase() : spaced;
  }
  let clean = text
    .replace(/[\t\n\r]/g, ' ')
    .replace(/[\ufffd\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, '')
    .replace(/\s/gu, ' ')
    .replace(
      /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b820}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu,
      ' $& ',
    );
  if (stripAccents) clean = clean.normalize('NFD').replace(/\p{Mn}/gu, '');
  return lowercase ? clean.toLowerCase() : clean;
}

/** What stands for a space in SentencePiece. */
export const META_SPACE = '\u2581';
const META_UNIT = 0x2581;
/**
 * Visits the words of SentencePiece without the mark that each has in front: what stands between white space, of which any run is one
 * space, and between marks that are written in the text; all in one form for what looks alike. Before the first word a mark is
 * added where there is none. (Kudo and Richardson 2018.)
 */
export function visitMetaWords(text: string, visit: (word: string) => void): void {
  const normalized = text.normalize('NFKC');
  const end = normalized.length;
  if (end === 0) return;
  for (let start = markWidth(normalized, 0); ; ) {
    let at = start;
    while (at < end && !isMark(normalized.charCodeAt(at))) at++;
    visit(normalized.slice(start, at));
    if (at === end) return;
    start = at + markWidth(normalized, at);
  }
}

export function metaWords(text: string): readonly string[] {
  const words: string[] = [];
  visitMetaWords(text, (word) => words.push(word));
  return words;
}

const isMark = (unit: number): boolean => unit === META_UNIT || isSpaceUnit(unit);

/** How long the mark is that begins here, or the white space that is read as one; 0 for none. */
function markWidth(text: string, at: number): number {
  if (text.charCodeAt(at) === META_UNIT) return 1;
  let stop = at;
  while (stop < text.length && isSpaceUnit(text.charCodeAt(stop))) stop++;
  return stop - at;
}

/**
 * Whether a code unit is white space, as Unicode says, and so the `\s` of tokenizer.json: with U+0085 and without U+FEFF, other than
 * the `\s` of JavaScript. None has two units.
 */
function isSpaceUnit(unit: number): boolean {
  if (unit < 128) return unit === 32 || (unit >= 9 && unit <= 13);
  if (unit < 0x1680) return unit === 0x85 || unit === 0xa0;
  if (unit <= 0x200a) return unit === 0x1680 || unit >= 0x2000;
  return unit === 0x2028 || unit === 0x2029 || unit === 0x202f || unit === 0x205f || unit === 0x3000;
}

/** Letters, digits and `_` together, other signs together: the `Whitespace` of tokenizer.json. */
export function plainWords(text: string): readonly string[] {
  return (
    text.match(
      /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\s]+/gu,
    ) ?? []
  );
}

/** The characters of a text by code point: surrogates stay together. */
export function characters(text: string): string[] {
  return Array.from(text);
}
