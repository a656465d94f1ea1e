/**
 * Reads tokenizer.json. Owns the checks of the file and the choice: what our own models can do they do, the rest goes through
 * a library where one is given (../hugging-face).
 */
import { type AbortSignalLike, checkOptions, excerpt, FormatError, ValueError } from '@nn/core';
import { type JsonSource, readJson } from '../read.ts';
import { BytePairModel } from './byte-pair.ts';
import type { TokenModel } from './model.ts';
import { type SpecialTokens, type Template, templateFromJson, usualRoles } from './special.ts';
import { Tokenizer } from './tokenizer.ts';
import { UnigramModel } from './unigram.ts';
import { WordLevelModel } from './word-level.ts';
import { WordPieceModel } from './word-piece.ts';

/** Code of others that runs what a tokenizer.json says. */
export interface TokenizerLibrary {
  readonly name: string;
  model(json: object, configuration: object, tokens: readonly string[], unknownId: number | null): Promise<TokenModel>;
}

export interface LoadTokenizerOptions {
  /** The contents of tokenizer_config.json, which tells roles of special tokens. */
  readonly configuration?: object;
  /** Roles of special tokens, in place of those that the files tell. */
  readonly special?: SpecialTokens;
  /** What cuts text where our own models do not know a part of the file: `huggingFace` of '@nn/text/hugging-face'. */
  readonly library?: TokenizerLibrary;
  /** 'library': the library also where our own models, which are faster, know every part; the ids are the same. Default 'own'. */
  readonly engine?: 'own' | 'library';
  readonly signal?: AbortSignalLike;
}

/** A part of tokenizer.json, as far as it is looked at. */
interface Part {
  readonly type?: string;
  readonly [name: string]: unknown;
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
}

/** tokenizer.json after the check. */
interface TokenizerFile {
  readonly normalizer: Part | null;
  readonly pre_tokenizer: Part | null;
  readonly post_processor: Part | null;
  readonly decoder: Part | null;
  readonly model: Part;
  readonly added_tokens: readonly AddedToken[];
}

/**
 * The tokenizer of a tokenizer.json. Byte-level BPE, BERT's WordPiece, SentencePiece's unigram model as `trainUnigram` writes it,
 * characters and words are ours; everything else needs a `library`, as `huggingFace` of '@nn/text/hugging-face'.
 *
 * Throws FormatError that names the part of the file that is damaged or not known.
 *
 * @example
 * import { loadTokenizer, trainBpe } from '@nn/text';
 * const trained = await trainBpe(['to be or not to be'], { size: 260 });
 * const loaded = await loadTokenizer(trained.toJSON());
 * console.log(loaded.decode(loaded.encode('not to be'))); // => not to be
 */
export async function loadTokenizer(source: JsonSource, options: LoadTokenizerOptions = {}): Promise<Tokenizer> {
  checkOptions('loadTokenizer', options, ['configuration', 'special', 'library', 'engine', 'signal']);
  const { configuration = {}, library, engine = 'own', signal } = options;
  if (engine !== 'own' && (engine !== 'library' || library === undefined)) {
    throw new ValueError(
      'loadTokenizer',
      `engine is ${String(engine)}: it must be 'own', or 'library' where a library is given.`,
      { engine },
    );
  }
  const json = await readJson('loadTokenizer', source, signal);
  const file = checkedFile(json);
  const tokens = tokensOf(file);
  const template = templateFromJson(file.post_processor as Parameters<typeof templateFromJson>[0]);
  const special = options.special ?? specialOf(file, configuration, template, new Set(tokens));
  const unknownId = special.unknown === undefined ? null : tokens.indexOf(special.unknown);
  const own = engine === 'library' ? null : ownModel(file, tokens);
  const model = own ?? (await library?.model(json, configuration, tokens, unknownId));
  if (model === undefined) {
    throw new FormatError(
      'loadTokenizer',
      `our own models do not know all parts of this file (${partsOf(file)}): import { huggingFace } from '@nn/text/hugging-face' and give { library: huggingFace }.`,
    );
  }
  return new Tokenizer({ model, special, template });
}

function checkedFile(json: object): TokenizerFile {
  const { model, added_tokens = [], ...others } = json as Partial<TokenizerFile>;
  const wrong = (part: string, words: string): never => {
    throw new FormatError(`loadTokenizer/${part}`, words, { part });
  };
  if (typeof model !== 'object' || model === null) {
    return wrong('model', "the file has no 'model': it is no tokenizer.json.");
  }
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, ...others };
  for (const name of ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder'] as const) {
    const part = parts[name];
    if (part !== null && (typeof part !== 'object' || typeof part.type !== 'string')) {
      wrong(name, `'${name}' must be null, or an object with a type.`);
    }
  }
  if (!Array.isArray(added_tokens)) wrong('added_tokens', "'added_tokens' must be a list.");
  for (const [i, token] of added_tokens.entries()) {
    if (typeof token?.content === 'string' && Number.isInteger(token.id) && token.id >= 0) continue;
    wrong('added_tokens', `entry ${i} of 'added_tokens' has no id from 0 and content.`);
  }
  return { ...parts, model, added_tokens };
}

/** So many ids without a token are no mistake. */
const MOST_HOLES = 1024;

/** Tokens by id, those of the model and those added. */
function tokensOf({ model, added_tokens }: TokenizerFile): string[] {
  const tokens: string[] = [];
  const put = (token: string, id: unknown): void => {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > 2 ** 23) {
      throw new FormatError(
        'loadTokenizer/vocab',
        `in 'vocab' the id of '${excerpt(token)}' is ${excerpt(String(id))}: it must be a whole number from 0.`,
        { token },
      );
    }
    tokens[id] = token;
    highest = Math.max(highest, id);
  };
  let highest = -1;
  const { vocab } = model;
  if (Array.isArray(vocab)) {
    for (const [id, entry] of vocab.entries()) {
      const [token, score] = Array.isArray(entry) ? entry : [];
      if (typeof token !== 'string' || typeof score !== 'number') {
        throw new FormatError('loadTokenizer/vocab', `entry ${id} of 'vocab' is no pair of a piece and its score.`, {
          id,
        });
      }
      put(token, id);
    }
  } else if (typeof vocab === 'object' && vocab !== null) {
    for (const [token, id] of Object.entries(vocab)) {
      const other = typeof id === 'number' ? tokens[id] : undefined;
      put(token, id);
      if (other === undefined) continue;
      throw new FormatError(
        'loadTokenizer/vocab',
        `in 'vocab' '${excerpt(other)}' and '${excerpt(token)}' have the same id, ${id}.`,
        { token, id },
      );
    }
  } else throw new FormatError('loadTokenizer/vocab', "the model has no 'vocab'.");
  for (const { content, id } of added_tokens) put(content, id);
  // files have holes at times, where tokens were taken away; few, or a small file would become a large list
  const known = Object.keys(tokens).length;
  if (highest > 2 * known + MOST_HOLES) {
    throw new FormatError(
      'loadTokenizer/vocab',
      `ids go up to ${highest}, but there are only ${known} tokens: an id is wrong.`,
      { id: highest },
    );
  }
  for (let id = 0; id < tokens.length; id++) tokens[id] ??= `<hole ${id}>`;
  return tokens;
}

/** Roles by tokenizer_config.json, then by the template, then by usual names. */
function specialOf(
  file: TokenizerFile,
  configuration: object,
  template: Template,
  known: ReadonlySet<string>,
): SpecialTokens {
  const names = {
    padding: 'pad_token',
    unknown: 'unk_token',
    begin: 'bos_token',
    end: 'eos_token',
    separator: 'sep_token',
    mask: 'mask_token',
  } as const;
  const told = new Map(Object.entries(configuration as Record<string, unknown>));
  const named = Object.entries(names).flatMap(([role, name]) => {
    const value = told.get(name);
    const token = typeof value === 'object' && value !== null ? (value as { content?: unknown }).content : value;
    return typeof token === 'string' && known.has(token) ? [[role, token] as const] : [];
  });
  // what BERT calls cls_token begins its texts
  const cls = told.get('cls_token');
  const begin = typeof cls === 'string' && known.has(cls) && !told.has('bos_token') ? { begin: cls } : {};
  const added = file.added_tokens.filter(({ special }) => special !== false).map(({ content }) => content);
  const isSpecial = new Set(added);
  const places = [...template.single, ...template.pair].flatMap((place) => ('token' in place ? [place.token] : []));
  const usual = usualRoles((token) => isSpecial.has(token) || places.includes(token));
  const modelUnknown = file.model.unk_token;
  const unknown = typeof modelUnknown === 'string' && known.has(modelUnknown) ? { unknown: modelUnknown } : {};
  return { ...usual, ...unknown, ...begin, ...Object.fromEntries(named), more: [...new Set([...added, ...places])] };
}

/** A model of our own, or null where the file has a part that it does not know. */
function ownModel(file: TokenizerFile, tokens: readonly string[]): TokenModel | null {
  const { model, normalizer, pre_tokenizer: cutter, decoder } = file;
  // what is added but not special is found by rules of its own
  if (file.added_tokens.some((token) => token.special === false || !isPlainToken(token))) return null;
  if (isBytePair(model, normalizer, cutter, decoder)) {
    return new BytePairModel(tokens, mergesOf(model), { addPrefixSpace: cutter?.add_prefix_space === true });
  }
  if (model.type === 'WordPiece' && normalizer?.type === 'BertNormalizer' && cutter?.type === 'BertPreTokenizer') {
    if (decoder?.type !== 'WordPiece' || (model.continuing_subword_prefix ?? '##') !== '##') return null;
    if (normalizer.clean_text === false || normalizer.handle_chinese_chars === false) return null;
    const lowercase = normalizer.lowercase !== false;
    return new WordPieceModel(tokens, {
      unknown: String(model.unk_token ?? '[UNK]'),
      longest: Number(model.max_input_chars_per_word ?? 100),
      cleanup: decoder.cleanup !== false,
      lowercase,
      stripAccents: typeof normalizer.strip_accents === 'boolean' ? normalizer.strip_accents : lowercase,
    });
  }
  if (model.type === 'Unigram' && Array.isArray(model.vocab) && model.vocab.length === tokens.length) {
    const pieces = model.vocab as readonly (readonly [string, number])[];
    const own = typeof model.unk_id === 'number' ? new UnigramModel(pieces, model.unk_id) : null;
    return own !== null && model.byte_fallback !== true && isSame(own.json(), file) ? own : null;
  }
  if (model.type === 'WordLevel') {
    for (const unit of ['character', 'word'] as const) {
      const unknown = model.unk_token === '' || model.unk_token === undefined ? null : String(model.unk_token);
      const own = new WordLevelModel(tokens, { unit, lowercase: normalizer?.type === 'Lowercase', unknown });
      if (isSame(own.json(), file)) return own;
    }
  }
  return null;
}

function isPlainToken(token: AddedToken): boolean {
  const { lstrip, rstrip, single_word } = token as Partial<Record<'lstrip' | 'rstrip' | 'single_word', boolean>>;
  return !lstrip && !rstrip && !single_word;
}

function isBytePair(model: Part, normalizer: Part | null, cutter: Part | null, decoder: Part | null): boolean {
  const isKnown = (model.type === 'BPE' || model.type === undefined) && model.byte_fallback !== true && !model.dropout;
  const isPlain = !model.continuing_subword_prefix && !model.end_of_word_suffix && model.ignore_merges !== true;
  const isByteLevel = cutter?.type === 'ByteLevel' && cutter.use_regex !== false && decoder?.type === 'ByteLevel';
  return isKnown && isPlain && isByteLevel && normalizer === null;
}

/** Merges as pairs; older files have them as texts with a space between. */
function mergesOf(model: Part): (readonly [string, string])[] {
  if (!Array.isArray(model.merges)) throw new FormatError('loadTokenizer/merges', "the model has no list of 'merges'.");
  return model.merges.map((merge: unknown, rank: number) => {
    const [left, right, ...more]: readonly unknown[] =
      typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : [];
    if (typeof left === 'string' && typeof right === 'string' && more.length === 0) return [left, right] as const;
    throw new FormatError('loadTokenizer/merges', `merge ${rank} of 'merges' is no pair of tokens.`, { merge: rank });
  });
}

/** Whether a file says of normaliser, cutting and decoder what a model of ours would write. */
function isSame(ours: { readonly [name: string]: unknown } | object, file: TokenizerFile): boolean {
  const mine = ours as Pick<TokenizerFile, 'normalizer' | 'pre_tokenizer' | 'decoder'>;
  return (['normalizer', 'pre_tokenizer', 'decoder'] as const).every(
    (name) => JSON.stringify(mine[name]) === JSON.stringify(file[name]),
  );
}

function partsOf({ model, normalizer, pre_tokenizer, decoder }: TokenizerFile): string {
  const name = (part: Part | null): string => part?.type ?? 'none';
  return `model ${name(model)}, normalizer ${name(normalizer)}, pre_tokenizer ${name(pre_tokenizer)}, decoder ${name(decoder)}`;
}
