/**
 * The search with beams: several beginnings at a time, the best of which go on. Owns scores of whole sequences and which of them are
 * kept; the model's scores come from run.ts.
 */
import { type AbortSignalLike, checkOptions, repeatInterleave, type Tensor, ValueError } from '@nn/core';
import { breathing } from '../breathe.ts';
import type { ExtendedSource } from '../models/pointer-generator.ts';
import { logSumExp } from './choose.ts';
import { type Constraint, checkAllow, maskOf } from './constraint.ts';
import { wordsOf } from './generate.ts';
import { checkEnds, type Prompt, type Task, type TaskOptions, taskOf } from './prompts.ts';
import { type Generative, runOf } from './run.ts';
import { largest } from './select.ts';
import { textOf } from './text-stream.ts';

export interface BeamSearchOptions extends TaskOptions {
  /** How many beginnings go on at a time. Default 4. */
  readonly beams?: number;
  /** The sum of log-probabilities is divided by the length to this power: above 0 longer texts win. Default 1. */
  readonly lengthPenalty?: number;
  /** How many of the best are given back. Default 1. */
  readonly results?: number;
  /** Which tokens may come. */
  readonly allow?: Constraint;
  /** Default true. */
  readonly cache?: boolean;
  readonly signal?: AbortSignalLike;
}

/** A whole sequence that the search found. */
export interface Hypothesis {
  /** Empty without a tokenizer. */
  readonly text: string;
  /** Without the end token. */
  readonly ids: readonly number[];
  /** logProbability / length^lengthPenalty, with the end token counted. */
  readonly score: number;
  readonly logProbability: number;
}

interface Beam {
  readonly ids: readonly number[];
  readonly logProbability: number;
}

/** The beams of one prompt. */
interface Search {
  beams: Beam[];
  done: (Beam & { readonly score: number })[];
  isDone: boolean;
}

/**
 * The most probable continuations that a search with beams finds, best first, for each prompt. A search ends when it has as many
 * finished texts as beams and no beginning can become better. (Sutskever, Vinyals and Le 2014; scores as Hugging Face has them.)
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend } from '@nn/core';
 * import { beamSearch, Marian } from '@nn/text';
 * setDefaultBackend(cpu());
 * const model = new Marian({ vocabularySize: 12, dimension: 8, encoderLayers: 1, decoderLayers: 1, heads: 2 });
 * const [found] = await beamSearch(model, [[3, 4, 0]], { beams: 3, maxTokens: 5 });
 * console.log((found?.[0].ids.length ?? 9) <= 5); // => true
 */
export async function beamSearch(
  model: Generative,
  prompt: Prompt,
  options: BeamSearchOptions = {},
): Promise<(readonly [Hypothesis, ...Hypothesis[]])[]> {
  checkOptions('beamSearch', options, [
    ...['tokenizer', 'maxTokens', 'endId', 'beams', 'lengthPenalty', 'results'],
    ...['allow', 'cache', 'signal'],
  ]);
  const { beams = 4, lengthPenalty = 1, results = 1, allow, cache = true, signal } = options;
  for (const [name, value] of Object.entries({ beams, results })) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new ValueError('beamSearch', `${name} is ${value}: it must be a whole number of at least 1.`, {
      [name]: value,
    });
  }
  if (!Number.isFinite(lengthPenalty)) {
    throw new ValueError('beamSearch', `lengthPenalty is ${lengthPenalty}: it must be a number.`, { lengthPenalty });
  }
  checkAllow('beamSearch', allow);
  if (results > beams) throw new ValueError('beamSearch', `${results} results need as many beams, there are ${beams}.`);
  const task = taskOf('beamSearch', model, prompt, options);
  const rest = breathing(signal);
  const repeated = {
    rows: task.rows.flatMap((row) => new Array<readonly number[]>(beams).fill(row)),
    source: task.source === null ? null : repeatedSource(task.source, beams),
  };
  const run = runOf(model, repeated, { cached: cache, tokens: task.maxTokens, reorders: true });
  const searches = task.rows.map((): Search => ({ beams: [{ ids: [], logProbability: 0 }], done: [], isDone: false }));
  signal?.throwIfAborted();
  let scores = await run.start();
  checkEnds('beamSearch', options, scores.length / repeated.rows.length);
  for (let step = 0; step < task.maxTokens; step++) {
    await rest();
    const width = scores.length / repeated.rows.length;
    const next: number[] = [];
    const order: number[] = [];
    for (const [n, search] of searches.entries()) {
      const own = scores.subarray(n * beams * width, (n + 1) * beams * width);
      const kept = search.isDone ? [] : advance(search, own, width, n, { beams, lengthPenalty, allow, task });
      for (let b = 0; b < beams; b++) {
        next.push(kept[b]?.id ?? 0);
        order.push(n * beams + (kept[b]?.from ?? 0));
      }
    }
    if (searches.every(({ isDone }) => isDone) || step + 1 === task.maxTokens) break;
    scores = await run.next(next, order);
  }
  const words = wordsOf(prompt);
  return searches.map((search, n) => resultsOf(search, lengthPenalty, results, options, words[n] ?? []));
}

interface Rules {
  readonly beams: number;
  readonly lengthPenalty: number;
  readonly allow: Constraint | undefined;
  readonly task: Task;
}

const scoreOf = (logProbability: number, length: number, penalty: number): number => logProbability / length ** penalty;

/** One step of a search: which beams go on, with which token, and from which beam. */
function advance(
  search: Search,
  scores: Float32Array,
  width: number,
  row: number,
  { beams, lengthPenalty, allow, task }: Rules,
): { readonly id: number; readonly from: number }[] {
  const candidates: { readonly id: number; readonly from: number; readonly total: number }[] = [];
  for (const [from, beam] of search.beams.entries()) {
    const own = scores.subarray(from * width, (from + 1) * width);
    const norm = logSumExp('beamSearch', own, row, beam.ids.length);
    const allowed = maskOf('beamSearch', allow, { row, ids: beam.ids }, { ...task, width });
    const values = allowed === null ? own : own.map((score, id) => (allowed[id] ? score : Number.NEGATIVE_INFINITY));
    // with an end token among them there are still enough
    for (const id of largest(values, Math.min(width, beams + task.ends.size))) {
      if (values[id] === Number.NEGATIVE_INFINITY) break;
      candidates.push({ id, from, total: beam.logProbability + values[id]! - norm });
    }
  }
  candidates.sort((a, b) => b.total - a.total);
  const kept: { id: number; from: number }[] = [];
  const next: Beam[] = [];
  for (const [place, { id, from, total }] of candidates.entries()) {
    const { ids } = search.beams[from]!;
    if (task.ends.has(id)) {
      // an end that is not among the best beams is no better than what goes on
      if (place < beams)
        search.done.push({ ids, logProbability: total, score: scoreOf(total, ids.length + 1, lengthPenalty) });
      continue;
    }
    kept.push({ id, from });
    next.push({ ids: [...ids, id], logProbability: total });
    if (next.length === beams) break;
  }
  search.beams = next;
  search.done.sort((a, b) => b.score - a.score);
  search.done.length = Math.min(search.done.length, beams);
  const best = next[0];
  const worst = search.done[beams - 1];
  search.isDone =
    best === undefined ||
    (worst !== undefined && worst.score >= scoreOf(best.logProbability, best.ids.length, lengthPenalty));
  return kept;
}

function resultsOf(
  search: Search,
  penalty: number,
  count: number,
  { tokenizer }: BeamSearchOptions,
  words: readonly string[],
): readonly [Hypothesis, ...Hypothesis[]] {
  const open = search.isDone
    ? []
    : search.beams.map((beam) => ({ ...beam, score: scoreOf(beam.logProbability, beam.ids.length, penalty) }));
  const all = [...search.done, ...open].sort((a, b) => b.score - a.score).slice(0, count);
  const [first, ...rest] = all.map(({ ids, score, logProbability }): Hypothesis => {
    return { text: tokenizer === undefined ? '' : textOf(tokenizer, ids, words), ids, score, logProbability };
  });
  if (first === undefined) throw new ValueError('beamSearch', 'the constraint allows no text.');
  return [first, ...rest];
}

/** Each row of a source as many times as there are beams. */
function repeatedSource(source: ExtendedSource, beams: number): ExtendedSource {
  const { ids, extended, unknown, mask } = source;
  const rows = (x: Tensor): Tensor => repeatInterleave(x, beams, 0);
  return { ids: rows(ids), extended: rows(extended), unknown, ...(mask && { mask: rows(mask) }) };
}
