/**
 * The adapter for `@huggingface/tokenizers`, which runs what tokenizer.json can say and our own models do not. It is loaded
 * when needed; users install it. Nothing else knows that package.
 */
import { FormatError, ValueError } from '@nn/core';
import type { TokenizerLibrary } from '../tokenizers/load.ts';
import type { ModelJson, TokenModel } from '../tokenizers/model.ts';

/** What of the library is used. */
interface Inner {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: number[] };
  decode(
    ids: number[],
    options: { readonly skip_special_tokens: boolean; readonly clean_up_tokenization_spaces: boolean },
  ): string;
}

/**
 * For `loadTokenizer(source, { library: huggingFace })`: files whose parts our own models do not know go through
 * `@huggingface/tokenizers` (`npm install @huggingface/tokenizers`), which is loaded when a file needs it.
 *
 * @example
 * import { loadTokenizer, trainBpe } from '@nn/text';
 * import { huggingFace } from '@nn/text/hugging-face';
 * const json = { ...(await trainBpe(['to be'], { size: 258 })).toJSON(), normalizer: { type: 'Lowercase' } };
 * const tokenizer = await loadTokenizer(json, { library: huggingFace });
 * console.log(tokenizer.decode(tokenizer.encode('To BE'))); // => to be
 */
export const huggingFace: TokenizerLibrary = {
  name: '@huggingface/tokenizers',
  async model(json, configuration, tokens, unknownId) {
    const { Tokenizer } = await library();
    try {
      return new HuggingFaceModel(new Tokenizer(json, configuration), json, tokens, unknownId);
    } catch (error) {
      throw new FormatError('loadTokenizer', `@huggingface/tokenizers refuses the file: ${String(error)}`);
    }
  },
};

class HuggingFaceModel implements TokenModel {
  readonly kind: string;
  readonly tokens: readonly string[];
  readonly #inner: Inner;
  readonly #json: object;
  readonly #unknownId: number | null;
  readonly #idOf: ReadonlyMap<string, number>;

  constructor(inner: Inner, json: object, tokens: readonly string[], unknownId: number | null) {
    this.#inner = inner;
    this.#json = json;
    this.tokens = tokens;
    this.#unknownId = unknownId;
    this.#idOf = new Map(tokens.map((token, id) => [token, id]));
    const { model } = json as { readonly model?: { readonly type?: string } };
    this.kind = model?.type ?? 'BPE';
  }

  encode(text: string, ids: number[], onUnknown: (piece: string) => void): void {
    for (const id of this.#inner.encode(text, { add_special_tokens: false }).ids) {
      ids.push(id);
      // the library does not tell which piece it was
      if (id === this.#unknownId) onUnknown(this.tokens[id] ?? '');
    }
  }

  decode(tokens: readonly string[]): string {
    const ids = tokens.map((token) => this.#idOf.get(token) ?? 0);
    if (ids.length === 0) return '';
    return this.#inner.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  }

  json(): ModelJson {
    // the cast: the library took the file, so it has these parts
    const { normalizer, pre_tokenizer, decoder, model } = this.#json as ModelJson;
    return { normalizer, pre_tokenizer, decoder, model };
  }
}

async function library(): Promise<typeof import('@huggingface/tokenizers')> {
  try {
    return await import('@huggingface/tokenizers');
  } catch (error) {
    throw new ValueError(
      'loadTokenizer',
      `this file needs the package @huggingface/tokenizers, which cannot be loaded: npm install @huggingface/tokenizers. ${String(error)}`,
      { package: '@huggingface/tokenizers' },
    );
  }
}
