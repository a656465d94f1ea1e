/**
 * Text token by token, as an async iterator. Owns the loop over steps and rows, and when a row is done; scores come from run.ts, the
 * choice among them is in choose.ts.
 */
import { type AbortSignalLike, checkOptions, hostUniform, randomValue, ValueError } from '@nn/core';
import type { ExtendedSource } from '../models/pointer-generator.ts';
import { type ChoiceOptions, checkChoice, choiceNames, logSumExp, TokenChoice } from './choose.ts';
import { type Constraint, checkAllow, maskOf } from './constraint.ts';
import { checkEnds, type Prompt, type TaskOptions, taskOf } from './prompts.ts';
import { type Generative, runOf } from './run.ts';
import { TextStream } from './text-stream.ts';

export interface GenerateOptions extends ChoiceOptions, TaskOptions {
  /** Texts that end a row; they are not given out. Needs the tokenizer. */
  readonly stop?: string | readonly string[];
  /** Which tokens may come: `oneOfTexts`, `textConstraint`, or a function of your own. */
  readonly allow?: Constraint;
  /** Of the draws; the same seed gives the same text. Default: from the seed of core. */
  readonly seed?: number;
  /** Whether keys and values of earlier tokens are kept; without it each token computes all again, to the same result. Default true. */
  readonly cache?: boolean;
  /** Ends the generation: the iterator throws the signal's reason. */
  readonly signal?: AbortSignalLike;
}

const optionNames = [
  ...[...choiceNames, 'tokenizer', 'maxTokens', 'endId'],
  ...['stop', 'allow', 'seed', 'cache', 'signal'],
];

/** Why a row ended: by its end token, a stop string, `maxTokens`, or because the model has no more positions. */
export type Finish = 'end' | 'stop' | 'length' | 'context';

/** A token of a row. */
export interface GeneratedToken {
  /** Which prompt it belongs to. */
  readonly row: number;
  readonly id: number;
  /** Text that is sure now: empty while a character is not complete, or may begin a stop string. Empty without a tokenizer. */
  readonly text: string;
  /** The logarithm of the probability that the model gave it, before temperature and penalties. */
  readonly logProbability: number;
  /** Set with the last token of a row. */
  readonly finish: Finish | null;
}

/** A row while it grows. */
interface Row {
  readonly prompt: readonly number[];
  readonly generated: number[];
  readonly stream: TextStream | null;
  isDone: boolean;
}

/**
 * Generates token by token: for a decoder what follows the prompts, for an encoder-decoder the target of the sources. Prompts of
 * unequal length go together; of each step each row that is not done gives a token. Memory and programs are the same for each
 * token. Yields to the event loop; leaving the loop ends it.
 *
 * Throws ValueError for options that mean nothing and prompts without tokens. A prompt that is too long is cut, with a warning.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend, setSeed } from '@nn/core';
 * import { characterTokenizer, generate, GPT2 } from '@nn/text';
 * setDefaultBackend(cpu());
 * setSeed(1);
 * const tokenizer = characterTokenizer(['abcdefgh']);
 * const model = new GPT2({ vocabularySize: 8, contextLength: 32, dimension: 8, layers: 1, heads: 2 });
 * let said = '';
 * for await (const { text } of generate(model, 'ab', { tokenizer, maxTokens: 5, temperature: 0.8, topK: 4, seed: 3 })) said += text;
 * console.log(said.length); // => 5
 */
export async function* generate(
  model: Generative,
  prompt: Prompt,
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedToken, void, undefined> {
  checkOptions('generate', options, optionNames);
  checkChoice('generate', options);
  const { tokenizer, allow, signal, cache = true } = options;
  checkAllow('generate', allow);
  const stops = [options.stop ?? []].flat();
  if (stops.length > 0 && tokenizer === undefined) {
    throw new ValueError('generate', 'stop strings need the tokenizer: { tokenizer }.');
  }
  const wrong = stops.find((stop: unknown) => typeof stop !== 'string');
  if (wrong !== undefined) throw new ValueError('generate', `a stop string is ${String(wrong)}: it must be a text.`);
  if (stops.includes('')) throw new ValueError('generate', 'a stop string is empty: nothing would be said.');
  if (options.seed !== undefined && !Number.isInteger(options.seed)) {
    throw new ValueError('generate', `seed is ${options.seed}: it must be a whole number.`, { seed: options.seed });
  }
  const task = taskOf('generate', model, prompt, options);
  const { maxTokens, known, speakable } = task;
  const words = wordsOf(prompt);
  const rows = task.rows.map(
    (row, n): Row => ({
      prompt: row,
      generated: [],
      stream: tokenizer === undefined ? null : new TextStream(tokenizer, stops, words[n] ?? []),
      isDone: false,
    }),
  );
  const seed = options.seed ?? Math.floor(hostUniform(1)[0]! * 2 ** 31);
  const run = runOf(model, task, { cached: cache, tokens: maxTokens, reorders: false });
  signal?.throwIfAborted();
  let scores = await run.start();
  const width = scores.length / rows.length;
  checkEnds('generate', options, width);
  const choice = new TokenChoice(options, width);
  for (let step = 0; ; step++) {
    signal?.throwIfAborted();
    const next: number[] = [];
    for (const [n, row] of rows.entries()) {
      if (row.isDone) {
        next.push(row.generated.at(-1) ?? 0);
        continue;
      }
      const own = scores.subarray(n * width, (n + 1) * width);
      const norm = logSumExp('generate', own, n, step);
      const allowed = maskOf('generate', allow, { row: n, ids: row.generated }, { width, known, speakable });
      const id = choice.token(own, row, allowed, randomValue(seed, n, step));
      if (id < 0) {
        throw new ValueError('generate', `no token may come at step ${step} of row ${n}: the constraint allows none.`, {
          row: n,
          step,
        });
      }
      row.generated.push(id);
      next.push(id);
      const isEnd = task.ends.has(id);
      const { text, isStopped } = isEnd || row.stream === null ? { text: '', isStopped: false } : row.stream.push(id);
      const isLast = step + 1 === maxTokens;
      const full = isLast && maxTokens < (options.maxTokens ?? maxTokens) ? 'context' : 'length';
      const finish = isEnd ? 'end' : isStopped ? 'stop' : isLast ? full : null;
      row.isDone = finish !== null;
      const rest = finish !== null && finish !== 'stop' ? (row.stream?.rest() ?? '') : '';
      yield { row: n, id, text: text + rest, logProbability: own[id]! - norm, finish };
    }
    if (rows.every(({ isDone }) => isDone)) return;
    scores = await run.next(next);
  }
}

/** What came of a prompt. */
export interface Generated {
  /** Empty without a tokenizer. */
  readonly text: string;
  readonly ids: readonly number[];
  /** The sum over the tokens. */
  readonly logProbability: number;
  readonly finish: Finish;
}

/**
 * As `generate`, all at once: what follows each prompt.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend } from '@nn/core';
 * import { generateAll, GPT2 } from '@nn/text';
 * setDefaultBackend(cpu());
 * const model = new GPT2({ vocabularySize: 8, contextLength: 32, dimension: 8, layers: 1, heads: 2 });
 * const rows = await generateAll(model, [[1, 2], [3]], { maxTokens: 4, temperature: 0 });
 * console.log(rows.map(({ ids, finish }) => `${ids.length} ${finish}`)); // => [ '4 length', '4 length' ]
 */
export async function generateAll(
  model: Generative,
  prompt: Prompt,
  options: GenerateOptions = {},
): Promise<Generated[]> {
  const found: { text: string; ids: number[]; logProbability: number; finish: Finish }[] = [];
  for await (const token of generate(model, prompt, options)) {
    found[token.row] ??= { text: '', ids: [], logProbability: 0, finish: 'length' };
    const row = found[token.row]!;
    row.text += token.text;
    row.ids.push(token.id);
    row.logProbability += token.logProbability;
    row.finish = token.finish ?? row.finish;
  }
  return found;
}

/** The unknown words of an extended source. */
export function wordsOf(prompt: Prompt): readonly (readonly string[])[] {
  return typeof prompt === 'object' && 'extended' in prompt ? ((prompt as ExtendedSource).words ?? []) : [];
}
