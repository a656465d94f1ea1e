/**
 * Models from folders as Hugging Face has them: config.json says which architecture, safetensors files hold its parameters,
 * tokenizer.json its tokens. Owns the choice of the architecture and what names differ by; the files are read by @nn/serialize.
 */
import { type AbortSignalLike, checkOptions, excerpt, FormatError, isNNError, namedParameters } from '@nn/core';
import { loadModel, type Source } from '@nn/serialize';
import { isAddress, type JsonSource, readBytes, readJson } from '../read.ts';
import { loadTokenizer, type TokenizerLibrary } from '../tokenizers/load.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { Bert, BertForMaskedLM, BertForSequenceClassification } from './bert.ts';
import { GPT2 } from './gpt2.ts';
import { Llama } from './llama.ts';
import { Marian } from './marian.ts';
import { Configuration } from './parts.ts';
import { T5 } from './t5.ts';

/** The models that a config.json may name. */
export type PretrainedModel = GPT2 | Llama | Bert | BertForMaskedLM | BertForSequenceClassification | Marian | T5;

/**
 * Where the files are: a folder on disk or on a server, or the files by name, as a page has them from a file input; null for one
 * that is not there.
 */
export type PretrainedFolder = string | ((name: string) => Promise<object | null>);

export interface FromPretrainedOptions {
  /** Runs tokenizers whose parts our own models do not know: `huggingFace` of '@nn/text/hugging-face'. */
  readonly library?: TokenizerLibrary;
  readonly signal?: AbortSignalLike;
}

export interface Pretrained<M extends PretrainedModel = PretrainedModel> {
  readonly model: M;
  /** Null where the folder has no tokenizer.json. */
  readonly tokenizer: Tokenizer | null;
  /** The contents of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** How an architecture is made, and which names of files it does not take. */
interface Kind {
  make(config: Configuration): PretrainedModel;
  /** The model's name for a name of the file; null for what it does not need. */
  rename(name: string, expected: ReadonlySet<string>): string | null;
}

/** Names with or without what stands before those of the bare model. */
const prefixed =
  (prefix: string, ignored: RegExp) =>
  (name: string, expected: ReadonlySet<string>): string | null => {
    if (expected.has(name)) return name;
    if (expected.has(prefix + name)) return prefix + name;
    if (name.startsWith(prefix) && expected.has(name.slice(prefix.length))) return name.slice(prefix.length);
    return ignored.test(name) ? null : name;
  };

/** What is known, by model_type; made when it is asked for, so that a page without it carries no architectures. */
function knownKinds(): Readonly<Record<string, Kind>> {
  const decoder: Kind = {
    make: (config) => new Llama(Llama.optionsOf(config)),
    rename: prefixed('model.', /rotary_emb\.inv_freq$|^lm_head\.weight$/),
  };
  return {
    gpt2: {
      make: (config) => new GPT2(GPT2.optionsOf(config)),
      rename: prefixed('transformer.', /\.attn\.(masked_)?bias$|^lm_head\.weight$/),
    },
    llama: decoder,
    mistral: decoder,
    qwen2: decoder,
    bert: { make: bertOf, rename: renamedBert },
    marian: {
      make: (config) => new Marian(Marian.optionsOf(config)),
      rename: prefixed('model.', /embed_tokens\.weight$|embed_positions\.weight$|^lm_head\.weight$/),
    },
    t5: {
      make: (config) => new T5(T5.optionsOf(config)),
      rename: prefixed(
        '',
        /embed_tokens\.weight$|^lm_head\.weight$|^decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight$/,
      ),
    },
  };
}

/**
 * The model and tokenizer of a folder in Hugging Face's form: config.json, model.safetensors (or its parts, or pytorch_model.bin)
 * and tokenizer.json. Of model_type gpt2, llama, mistral, qwen2, bert, marian and t5; BERT with the head that `architectures` names.
 *
 * Throws FormatError that names the file and the field for what is missing, damaged or not supported; nothing of the folder is run.
 *
 * @example
 * import { mkdtempSync, writeFileSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { saveModel } from '@nn/serialize';
 * import { fromPretrained, GPT2 } from '@nn/text';
 * const folder = mkdtempSync(`${tmpdir()}/`);
 * const config = { model_type: 'gpt2', vocab_size: 50, n_positions: 16, n_embd: 8, n_layer: 2, n_head: 2 };
 * writeFileSync(`${folder}/config.json`, JSON.stringify(config));
 * const made = new GPT2({ vocabularySize: 50, contextLength: 16, dimension: 8, layers: 2, heads: 2 });
 * await saveModel(`${folder}/model.safetensors`, made);
 * const { model } = await fromPretrained(folder);
 * console.log(String(model)); // => GPT2(2 layers of 8)
 */
export async function fromPretrained(
  folder: PretrainedFolder,
  options: FromPretrainedOptions = {},
): Promise<Pretrained> {
  checkOptions('fromPretrained', options, ['library', 'signal']);
  const { library, signal } = options;
  const files = new Folder(folder, signal);
  const config = new Configuration(await files.json('config.json'));
  const name = config.text('model_type');
  const kinds = knownKinds();
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind === undefined) {
    throw new FormatError(
      'fromPretrained/config',
      `model_type is '${excerpt(name)}', which is not known: ${Object.keys(kinds).join(', ')} are.`,
      { model_type: name },
    );
  }
  const model = kind.make(config);
  await loadWeights(files, model, kind, signal);
  const json = await files.maybeJson('tokenizer.json');
  const configuration = json === null ? null : await files.maybeJson('tokenizer_config.json');
  const given = { ...(configuration && { configuration }), ...(library && { library }), ...(signal && { signal }) };
  const tokenizer = json === null ? null : await loadTokenizer(json, given);
  return { model, tokenizer, config: config.json };
}

async function loadWeights(files: Folder, model: object, kind: Kind, signal?: AbortSignalLike): Promise<void> {
  const expected = new Set(namedParameters(model, { aliases: true }).keys());
  const rename = (name: string): string | null => kind.rename(name, expected);
  const given = { rename, ...(signal && { signal }) };
  for (const single of ['model.safetensors', 'pytorch_model.bin']) {
    const source = await files.source(single);
    if (source === null) continue;
    await namingFile(single, () => loadModel(source, model, given));
    return;
  }
  const index = await files.maybeJson('model.safetensors.index.json');
  if (index === null) {
    throw new FormatError(
      'fromPretrained',
      `${files.name} has neither model.safetensors nor its parts nor pytorch_model.bin.`,
    );
  }
  const { weight_map: map } = index as { weight_map?: unknown };
  if (typeof map !== 'object' || map === null) {
    throw new FormatError('fromPretrained', "model.safetensors.index.json has no 'weight_map'.");
  }
  const missing = new Set(namedParameters(model).keys());
  for (const part of new Set(Object.values(map).map(String))) {
    // a name of the folder alone, whatever the file says
    const source = /[\\/]|\.\./.test(part) ? null : await files.source(part);
    if (source === null)
      throw new FormatError('fromPretrained', `${files.name} has no ${excerpt(part)}, which its index names.`);
    const loaded = await namingFile(part, () => loadModel(source, model, { ...given, strict: false }));
    const left = new Set(loaded.missing);
    for (const name of missing) if (!left.has(name)) missing.delete(name);
  }
  if (missing.size === 0) return;
  const names = [...missing].slice(0, 5).join(', ');
  throw new FormatError(
    'fromPretrained',
    `no part of model.safetensors has ${names}${missing.size > 5 ? ` and ${missing.size - 5} more` : ''}.`,
  );
}

/** What goes wrong with the weights, with the name of their file in front. */
async function namingFile<T>(file: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError('fromPretrained', `${excerpt(file)}: ${error.message}`, { ...error.data, file });
  }
}

/** The files of a folder, wherever it is. */
class Folder {
  readonly name: string;
  readonly #folder: PretrainedFolder;
  readonly #signal: AbortSignalLike | undefined;

  constructor(folder: PretrainedFolder, signal: AbortSignalLike | undefined) {
    this.#folder = typeof folder === 'string' ? folder.replace(/[\\/]+$/, '') : folder;
    this.name = typeof folder === 'string' ? excerpt(folder, 300) : 'the folder';
    this.#signal = signal;
  }

  /** A file for @nn/serialize: its path, or its bytes; null where it is not there. */
  async source(name: string): Promise<Source | null> {
    const folder = this.#folder;
    if (typeof folder === 'function') return (await folder(name)) as Source | null; // the cast: weights are bytes or a Blob
    const path = `${folder}/${name}`;
    if (isAddress(path)) return readBytes('fromPretrained', path, this.#signal).catch(nullIfAbsent);
    if (typeof process === 'undefined' || !process.getBuiltinModule) return path;
    return process.getBuiltinModule('node:fs').existsSync(path) ? path : null;
  }

  async json(name: string): Promise<object> {
    const source = await this.source(name);
    if (source === null) throw new FormatError('fromPretrained', `${this.name} has no ${name}.`, { file: name });
    return readJson('fromPretrained', source satisfies JsonSource, this.#signal);
  }

  async maybeJson(name: string): Promise<object | null> {
    const source = await this.source(name);
    return source === null ? null : readJson('fromPretrained', source, this.#signal);
  }
}

/** Null where the server says that there is no such file; other failures are no answer to whether there is one. */
function nullIfAbsent(error: unknown): null {
  if (isNNError(error) && (error.data.status === 404 || error.data.status === 410)) return null;
  throw error;
}

function bertOf(config: Configuration): PretrainedModel {
  const options = Bert.optionsOf(config);
  const { architectures, id2label } = config.json;
  const [name = 'BertModel'] = Array.isArray(architectures) ? architectures : [];
  if (name === 'BertModel') return new Bert(options);
  if (name === 'BertForMaskedLM' || name === 'BertForPreTraining') return new BertForMaskedLM(options);
  if (name === 'BertForSequenceClassification') {
    const labels = typeof id2label === 'object' && id2label !== null ? Object.keys(id2label).length : 2;
    return new BertForSequenceClassification({ ...options, classes: config.number('num_labels', labels) });
  }
  throw new FormatError(
    'fromPretrained/config',
    `the architecture '${excerpt(String(name))}' is not known: BertModel, BertForMaskedLM and BertForSequenceClassification are.`,
    { field: 'architectures' },
  );
}

/** Older files write gamma and beta; a bare model has no 'bert.' in front, and other heads are left out. */
function renamedBert(name: string, expected: ReadonlySet<string>): string | null {
  const today = name.replace(/LayerNorm\.gamma$/, 'LayerNorm.weight').replace(/LayerNorm\.beta$/, 'LayerNorm.bias');
  const ignored = /position_ids$|^cls\.|^(bert\.)?pooler\.|^classifier\./;
  return prefixed('bert.', ignored)(today, expected);
}
