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

/** Throws ValueError for prompts without tokens, or texts without a tokenizer; warns where a prompt is cut. */
export function taskOf(operation: string, model: Generative, prompt: Prompt, options: TaskOptions): Task {
  const { maxTokens = DEFAULT_TOKENS, tokenizer } = options;
  if (!(Number.isInteger(maxTokens) && maxTokens >= 1)) {
    throw new ValueError(operation, `maxTokens is ${maxTokens}: it must be a whole number of at least 1.`, {
      maxTokens,
    });
  }
  const source = isExtended(prompt) ? prompt : null;
  if (source !== null && !isPointerGenerator(model)) {
    throw new ValueError(operation, 'an extended source is for a PointerGenerator: give texts or ids.');
  }
  const isSource = isSequenceModel(model) || isRecurrent(model) || isPointerGenerator(model);
  const given = isExtended(prompt) ? emptyRows(prompt) : rowsOf(operation, prompt, tokenizer, isSource);
  const context = 'contextLength' in model ? model.contextLength : Number.POSITIVE_INFINITY;
  if (isSource) {
    const rows = given.map((row, n) => cut(operation, row, n, context, 'end', source !== null));
    return { rows, source, maxTokens: Math.min(maxTokens, context - 1), ends: endsOf(model, options) };
  }
  // where not both fit, the prompt leaves half of the context to what comes
  const room = Math.max(context - maxTokens, Math.ceil(context / 2), 1);
  const rows = given.map((row, n) => cut(operation, row, n, room, 'start', false));
  const longest = Math.max(...rows.map((row) => row.length));
  return { rows, source, maxTokens: Math.min(maxTokens, context - longest), ends: endsOf(model, options) };
}

function isExtended(prompt: Prompt): prompt is ExtendedSource {
  return typeof prompt === 'object' && 'extended' in prompt && isTensor(prompt.extended);
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
  const isOne = typeof prompt === 'string' || typeof prompt[0] === 'number' || prompt.length === 0;
  // the cast: one prompt is a text or ids, several are a list of these
  const list = (isOne ? [prompt] : prompt) as readonly (string | readonly number[])[];
  return list.map((each, n) => {
    const row = typeof each === 'string' ? encoded(operation, each, n, tokenizer, isSource) : each;
    const wrong = row.find((id) => !(Number.isInteger(id) && id >= 0));
    if (wrong !== undefined) {
      throw new ValueError(operation, `prompt ${n} has the id ${wrong}: ids are whole numbers from 0.`, { prompt: n });
    }
    if (row.length === 0)
      throw new ValueError(operation, `prompt ${n} has no tokens, and there is no begin token.`, { prompt: n });
    return row;
  });
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
    `nn: ${operation}: prompt ${n} has ${row.length} tokens, the model has room for ${most}: ${gone} tokens were cut off its ${from}.`,
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
