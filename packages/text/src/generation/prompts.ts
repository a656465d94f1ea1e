/** Prompts and sources as rows of ids, and how many tokens may follow them. Owns the cutting of what is too long. */
import { excerpt, isTensor, ValueError } from '@nn/core';
import type { ExtendedSource } from '../models/pointer-generator.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { type Generative, isPointerGenerator, isRecurrent, isSequenceModel, type PromptRows } from './run.ts';

/** A text (with a tokenizer), its ids, many of either, or the source of a pointer-generator. */
export type Prompt = string | readonly number[] | readonly string[] | readonly (readonly number[])[] | ExtendedSource;

/** What is asked for: rows of ids, and how many tokens come at most. */
export interface Task extends PromptRows {
  readonly maxTokens: number;
  /** How many tokens the tokenizer has; Infinity without one. */
  readonly known: number;
  /** Ids below this have a text. */
  readonly speakable: number;
  /** Tokens that end a row. */
  readonly ends: ReadonlySet<number>;
}

export interface TaskOptions {
  readonly tokenizer?: Tokenizer;
  readonly maxTokens?: number;
  /** The token that ends a text, or several; null for none. Default: that of the model, or of the tokenizer. */
  readonly endId?: number | readonly number[] | null;
}

const DEFAULT_TOKENS = 256;

/** Throws ValueError for what is no model, tokenizer or prompt, or a prompt without tokens; warns where one is cut. */
export function taskOf(operation: string, model: Generative, prompt: Prompt, options: TaskOptions): Task {
  const { maxTokens = DEFAULT_TOKENS, tokenizer } = options;
  if (!(Number.isInteger(maxTokens) && maxTokens >= 1)) {
    throw new ValueError(operation, `maxTokens is ${maxTokens}: it must be a whole number of at least 1.`, {
      maxTokens,
    });
  }
  checkModel(operation, model);
  if (tokenizer !== undefined && typeof tokenizer?.encode !== 'function') {
    throw new ValueError(operation, `tokenizer is ${kindOf(tokenizer)}: give one that was trained or loaded.`);
  }
  const source = isExtended(prompt) ? prompt : null;
  if (source !== null && !isPointerGenerator(model)) {
    throw new ValueError(operation, 'an extended source is for a PointerGenerator: give texts or ids.');
  }
  const isSource = isSequenceModel(model) || isRecurrent(model) || isPointerGenerator(model);
  const given = isExtended(prompt) ? emptyRows(prompt) : rowsOf(operation, prompt, tokenizer, isSource);
  checkVocabulary(operation, model, given);
  const context = 'contextLength' in model ? model.contextLength : Number.POSITIVE_INFINITY;
  if (context < 2) {
    throw new ValueError(operation, `the model has ${context} position: there is no room for a token that follows.`);
  }
  const ends = endsOf(model, options);
  // a pointer-generator has words of its own behind those of the tokenizer
  const known = tokenizer?.size ?? Number.POSITIVE_INFINITY;
  const texts = { known, speakable: source === null ? known : Number.POSITIVE_INFINITY };
  if (isSource) {
    const rows = given.map((row, n) => cut(operation, row, n, context, 'end', source !== null));
    return { rows, source, maxTokens: Math.min(maxTokens, context - 1), ends, ...texts };
  }
  // where not both fit, the prompt leaves half of the context to what comes
  const room = Math.max(context - maxTokens, Math.ceil(context / 2), 1);
  const rows = given.map((row, n) => cut(operation, row, n, room, 'start', false));
  const longest = Math.max(...rows.map((row) => row.length));
  return { rows, source, maxTokens: Math.min(maxTokens, context - longest), ends, ...texts };
}

/** Throws ValueError for what has not what generation asks for. */
function checkModel(operation: string, model: Generative): void {
  const given: unknown = model;
  const isOne = typeof given === 'object' && given !== null;
  if (isOne && ('caches' in given || isRecurrent(model) || isPointerGenerator(model))) return;
  const name = isOne ? given.constructor.name : kindOf(given);
  throw new ValueError(
    operation,
    `takes a model that says token after token (GPT2, Llama, Marian, T5, AttentionLSTM, PointerGenerator), got ${name}.`,
  );
}

/** Throws ValueError for an id that the model has no token for. */
function checkVocabulary(operation: string, model: Generative, rows: readonly (readonly number[])[]): void {
  const own: unknown = 'vocabularySize' in model ? model.vocabularySize : undefined;
  const size = isRecurrent(model) ? model.sourceEmbedding.weight.shape[0] : own;
  if (typeof size !== 'number') return;
  for (const [n, row] of rows.entries()) {
    const wrong = row.find((id) => id >= size);
    if (wrong === undefined) continue;
    throw new ValueError(
      operation,
      `prompt ${n} has the id ${wrong}, the model knows ${size} tokens, from 0 to ${size - 1}: give it the tokenizer that it learned with.`,
      { prompt: n, id: wrong },
    );
  }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? `an object (${value.constructor?.name ?? 'without a class'})` : typeof value;
}

function isExtended(prompt: Prompt): prompt is ExtendedSource {
  return typeof prompt === 'object' && prompt !== null && 'extended' in prompt && isTensor(prompt.extended);
}

function emptyRows({ ids }: ExtendedSource): readonly number[][] {
  return Array.from({ length: ids.shape[0] ?? 0 }, () => []);
}

function rowsOf(
  operation: string,
  prompt: Exclude<Prompt, ExtendedSource>,
  tokenizer: Tokenizer | undefined,
  isSource: boolean,
): readonly (readonly number[])[] {
  const isOne = typeof prompt === 'string' || isIds(prompt);
  if (!isOne && !Array.isArray(prompt)) {
    throw new ValueError(operation, `takes a text, ids, or a list of either as the prompt, got ${kindOf(prompt)}.`);
  }
  // the cast: one prompt is a text or ids, several are a list of these
  const list = (isOne ? [prompt] : prompt) as readonly (string | readonly number[])[];
  return list.map((each, n) => {
    const row = typeof each === 'string' ? encoded(operation, each, n, tokenizer, isSource) : each;
    if (!isIds(row)) {
      throw new ValueError(operation, `prompt ${n} is ${kindOf(row)}: it must be a text, or a list of ids.`, {
        prompt: n,
      });
    }
    const wrong = row.find((id) => !(Number.isInteger(id) && id >= 0));
    if (wrong !== undefined) {
      throw new ValueError(operation, `prompt ${n} has the id ${wrong}: ids are whole numbers from 0.`, { prompt: n });
    }
    if (row.length === 0)
      throw new ValueError(operation, `prompt ${n} has no tokens, and there is no begin token.`, { prompt: n });
    return row;
  });
}

/** Whether it is a list, perhaps a typed one, of numbers, or empty. */
function isIds(value: unknown): value is readonly number[] {
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
  return isList && (value.length === 0 || typeof (value as ArrayLike<unknown>)[0] === 'number');
}

function encoded(
  operation: string,
  text: string,
  n: number,
  tokenizer: Tokenizer | undefined,
  isSource: boolean,
): readonly number[] {
  if (tokenizer === undefined) {
    throw new ValueError(operation, 'a prompt of text needs the tokenizer: { tokenizer }.');
  }
  tellUnknown(operation, text, n, tokenizer);
  if (isSource) return tokenizer.encode(text);
  // what goes on has no end; GPT-2 begins with the token that ends
  const { begin, end } = tokenizer.ids;
  const ids = tokenizer.encode(text, { special: false });
  if (begin !== null && ids[0] !== begin) return [begin, ...ids];
  return ids.length === 0 && end !== null ? [end] : ids;
}

/** Says which pieces of a prompt the vocabulary lacks: the model answers to another text than the user wrote. */
function tellUnknown(operation: string, text: string, n: number, tokenizer: Tokenizer): void {
  const unknown = [...tokenizer.unknownIn(text)].sort((a, b) => b[1] - a[1]);
  if (unknown.length === 0) return;
  const count = unknown.reduce((sum, [, times]) => sum + times, 0);
  const shown = unknown
    .slice(0, 5)
    .map(([piece, times]) => `'${excerpt(piece, 20)}'${times > 1 ? ` ${times} times` : ''}`);
  const rest = unknown.length > 5 ? ` and ${unknown.length - 5} more` : '';
  const fate =
    tokenizer.ids.unknown === null ? 'are left out' : `are read as ${tokenizer.tokenOf(tokenizer.ids.unknown)}`;
  console.warn(
    `nn: ${operation}: prompt ${n} has ${count} pieces that the vocabulary lacks, which ${fate}: ${shown.join(', ')}${rest}. tokenizer.unknownIn(text) tells them all.`,
  );
}

function cut(
  operation: string,
  row: readonly number[],
  n: number,
  most: number,
  from: 'start' | 'end',
  isHidden: boolean,
): readonly number[] {
  if (row.length <= most || isHidden) return row;
  const gone = row.length - most;
  console.warn(
    `nn: ${operation}: prompt ${n} has ${row.length} tokens, the model has room for ${most}: ${gone} ${gone === 1 ? 'was' : 'were'} cut off its ${from}.`,
  );
  return from === 'start' ? row.slice(gone) : row.slice(0, most);
}

/** Throws ValueError for an end token of the options that the model, with scores for `tokens` of them, never says. */
export function checkEnds(operation: string, { endId }: TaskOptions, tokens: number): void {
  const wrong = [endId ?? []].flat().find((id) => !(Number.isInteger(id) && id >= 0 && id < tokens));
  if (wrong === undefined) return;
  throw new ValueError(operation, `endId is ${wrong}, which never comes: ids go from 0 to ${tokens - 1}.`, {
    endId: wrong,
  });
}

function endsOf(model: Generative, { endId, tokenizer }: TaskOptions): ReadonlySet<number> {
  if (endId === null) return new Set();
  if (endId !== undefined) return new Set(typeof endId === 'number' ? [endId] : endId);
  const own = 'endId' in model ? model.endId : (tokenizer?.ids.end ?? null);
  return new Set(own === null ? [] : [own]);
}
