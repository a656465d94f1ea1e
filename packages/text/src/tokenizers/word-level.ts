/** One token for each character or each word of a text. Owns both; what stands for what is not in the vocabulary, too. */
import { idsOf, type ModelJson, type TokenModel, vocabularyObject } from './model.ts';
import { characters, plainWords } from './split.ts';

export interface WordLevelOptions {
  readonly unit: 'character' | 'word';
  readonly lowercase: boolean;
  /** The token of what is unknown; without it that is left out. */
  readonly unknown: string | null;
}

export class WordLevelModel implements TokenModel {
  readonly kind: string = 'WordLevel';
  readonly tokens: readonly string[];
  readonly options: WordLevelOptions;
  readonly #ids: ReadonlyMap<string, number>;

  constructor(tokens: readonly string[], options: WordLevelOptions) {
    this.tokens = tokens;
    this.options = options;
    this.#ids = idsOf(tokens);
  }

  encode(text: string, ids: number[], onUnknown: (piece: string) => void): void {
    const { unknown } = this.options;
    const unknownId = unknown === null ? undefined : this.#ids.get(unknown);
    for (const piece of unitsOf(text, this.options)) {
      const id = this.#ids.get(piece);
      if (id !== undefined) {
        ids.push(id);
        continue;
      }
      onUnknown(piece);
      if (unknownId !== undefined) ids.push(unknownId);
    }
  }

  decode(tokens: readonly string[]): string {
    return tokens.join(this.options.unit === 'word' ? ' ' : '');
  }

  json(): ModelJson {
    const { unit, lowercase, unknown } = this.options;
    const isWord = unit === 'word';
    return {
      normalizer: lowercase ? { type: 'Lowercase' } : null,
      pre_tokenizer: isWord
        ? { type: 'Whitespace' }
        : { type: 'Split', pattern: { Regex: '(?s).' }, behavior: 'Isolated', invert: false },
      decoder: isWord ? null : { type: 'Fuse' },
      model: { type: 'WordLevel', vocab: vocabularyObject(this.tokens), unk_token: unknown ?? '' },
    };
  }
}

/** The characters or words of a text. */
export function unitsOf(text: string, { unit, lowercase }: WordLevelOptions): readonly string[] {
  const same = lowercase ? text.toLowerCase() : text;
  return unit === 'word' ? plainWords(same) : characters(same);
}
