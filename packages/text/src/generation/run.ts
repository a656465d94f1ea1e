/**
 * How each kind of model is asked for the next token, again and again: a decoder with its cache, an encoder-decoder with its memory,
 * a recurrent one with its state. Owns what is kept between two tokens; which token is taken is up to generate.ts and beam.ts.
 */
import { compile, evaluate, type Parameter, parameter, type Tensor, tensor } from '@nn/core';
import type { KeyValueCache } from '@nn/layers';
import type { AttentionLSTM } from '../models/attention-lstm.ts';
import type { Memory, TargetCall } from '../models/encoder-decoder.ts';
import type { ExtendedSource, PointerGenerator } from '../models/pointer-generator.ts';
import type { DecoderCall } from '../models/sight.ts';

/** What generation needs of a decoder: GPT2, Llama, or one of your own. */
export interface CausalModel {
  readonly contextLength: number;
  /** ids [N, L] to [N, L, dimension]. */
  features(ids: Tensor, call?: DecoderCall): Tensor;
  /** [..., dimension] to scores [..., vocabularySize]. */
  scores(features: Tensor): Tensor;
  caches(batch: number, capacity: number): KeyValueCache[];
}

/** What generation needs of an encoder-decoder: Marian, T5, or one of your own. */
export interface SequenceModel {
  readonly contextLength: number;
  readonly startId: number;
  readonly endId: number;
  readonly paddingId: number;
  memoryOf(source: Tensor, mask?: Tensor): Memory;
  decode(target: Tensor, memory: Memory, call?: TargetCall): Tensor;
  scores(features: Tensor): Tensor;
  caches(batch: number, capacity: number): KeyValueCache[];
}

/** The models that `generate` and `beamSearch` take. */
export type Generative = CausalModel | SequenceModel | AttentionLSTM | PointerGenerator;

/** Many prompts, or sources, of one width. */
export interface PromptRows {
  /** Ids of each row, padding left out. */
  readonly rows: readonly (readonly number[])[];
  /** Of a pointer-generator: the unknown words of each row. */
  readonly source: ExtendedSource | null;
}

/** Asks a model for what comes next. */
export interface DecodingRun {
  /** Scores [N, vocabulary] of the first token. */
  start(): Promise<Float32Array>;
  /** Scores after one more token for each row; `order` takes other rows' pasts in place of their own. */
  next(ids: readonly number[], order?: readonly number[]): Promise<Float32Array>;
}

export interface RunOptions {
  /** Whether what was computed for earlier tokens is kept. */
  readonly cached: boolean;
  /** How many tokens may come. */
  readonly tokens: number;
  /** Whether rows change places. */
  readonly reorders: boolean;
}

export function isSequenceModel(model: Generative): model is SequenceModel {
  return 'memoryOf' in model;
}

export function isPointerGenerator(model: Generative): model is PointerGenerator {
  return 'network' in model && 'gate' in model;
}

export function isRecurrent(model: Generative): model is AttentionLSTM {
  return 'bridgeHidden' in model;
}

export function runOf(model: Generative, prompts: PromptRows, options: RunOptions): DecodingRun {
  if (isPointerGenerator(model)) return pointerRun(model, prompts);
  if (isRecurrent(model)) return recurrentRun(model, prompts);
  if (isSequenceModel(model)) return sequenceRun(model, prompts, options);
  return causalRun(model, prompts, options);
}

const floats = async (scores: Tensor): Promise<Float32Array> => scores.data('float32');

const column = (ids: readonly number[]): Tensor => tensor(Int32Array.from(ids), { shape: [ids.length, 1] });

/** Widths of prompts and caches are multiples of these, so that programs serve again. */
const WIDTH = 16;
const CAPACITY = 64;

const roundUp = (size: number, step: number, most: number): number =>
  Math.max(size, Math.min(most, Math.ceil(size / step) * step));

function causalRun(model: CausalModel, { rows }: PromptRows, { cached, tokens, reorders }: RunOptions): DecodingRun {
  const longest = Math.max(...rows.map((row) => row.length));
  const width = roundUp(longest, WIDTH, Math.max(longest, model.contextLength - tokens));
  const { ids, padding } = leftPadded(rows, width);
  const last = (x: Tensor, call: DecoderCall): Tensor => model.scores(model.features(x, call).at([], -1));
  if (!cached) {
    let sequences = rows.map((row) => [...row]);
    const again = (): Promise<Float32Array> => {
      const whole = leftPadded(
        sequences,
        roundUp(Math.max(...sequences.map((row) => row.length)), WIDTH, model.contextLength),
      );
      return floats(evaluate(() => last(whole.ids, { padding: whole.padding })));
    };
    return {
      start: again,
      next: (given, order) => {
        sequences = given.map((id, n) => [...(sequences[order?.[n] ?? n] ?? []), id]);
        return again();
      },
    };
  }
  const caches = model.caches(rows.length, roundUp(width + tokens, CAPACITY, model.contextLength));
  const step = stepOf(reorders, caches, (x) => last(x, { caches, padding }));
  return { start: () => floats(evaluate(() => last(ids, { caches, padding }))), next: step };
}

/** A compiled step: rows change places first where they may. */
function stepOf(
  reorders: boolean,
  caches: readonly KeyValueCache[],
  scores: (ids: Tensor) => Tensor,
): DecodingRun['next'] {
  if (!reorders) {
    const plain = compile((ids: Tensor) => evaluate(() => scores(ids)));
    return async (ids) => floats(await plain(column(ids)));
  }
  const moved = compile((ids: Tensor, order: Tensor) =>
    evaluate(() => {
      for (const cache of caches) cache.reorder(order);
      return scores(ids);
    }),
  );
  return async (ids, order) => {
    const places = order ?? ids.map((_, n) => n);
    return floats(await moved(column(ids), tensor(Int32Array.from(places))));
  };
}

function sequenceRun(
  model: SequenceModel,
  { rows }: PromptRows,
  { cached, tokens, reorders }: RunOptions,
): DecodingRun {
  const width = roundUp(Math.max(...rows.map((row) => row.length)), WIDTH, model.contextLength);
  const { ids: source, mask } = rightPadded(rows, width, model.paddingId);
  const made = evaluate(() => model.memoryOf(source, mask));
  // kept as they are, so that a step reads them instead of encoding again
  const memory: Memory = {
    layers: made.layers.map(({ key, value }) => ({ key: kept(key), value: kept(value) })),
    hidden: made.hidden,
  };
  const start = rows.map(() => model.startId);
  const last = (x: Tensor, call: TargetCall, at = -1): Tensor => model.scores(model.decode(x, memory, call).at([], at));
  if (!cached) {
    let sequences = start.map((id) => [id]);
    const again = (): Promise<Float32Array> => {
      const length = sequences[0]?.length ?? 1;
      // what comes later is not seen
      const whole = rightPadded(sequences, roundUp(length, WIDTH, model.contextLength), model.paddingId);
      return floats(evaluate(() => last(whole.ids, {}, length - 1)));
    };
    return {
      start: again,
      next: (given, order) => {
        sequences = given.map((id, n) => [...(sequences[order?.[n] ?? n] ?? []), id]);
        return again();
      },
    };
  }
  const capacity = roundUp(tokens + 1, CAPACITY, model.contextLength);
  const caches = model.caches(rows.length, capacity);
  const step = stepOf(reorders, caches, (x) => last(x, { caches }));
  return { start: () => step(start), next: step };
}

function recurrentRun(model: AttentionLSTM, { rows }: PromptRows): DecodingRun {
  const width = Math.max(...rows.map((row) => row.length));
  const { ids: source, mask } = rightPadded(rows, width, model.paddingId);
  const encoded = evaluate(() => model.encode(source, mask));
  const memory = { output: kept(encoded.memory.output), keys: kept(encoded.memory.keys), mask };
  return recurrent(model.startId, rows.length, encoded.state, (ids, state) => {
    const found = model.step(model.targetEmbedding.forward(ids), memory, state);
    return { state: found.state, scores: model.scores(found.features) };
  });
}

function pointerRun(model: PointerGenerator, { rows, source }: PromptRows): DecodingRun {
  const plain = source ?? extendedOf(rows, model);
  const encoded = evaluate(() => model.encode(plain));
  const { output, keys, mask } = encoded.memory;
  const memory = { output: kept(output), keys: kept(keys), mask };
  return recurrent(model.startId, rows.length, encoded.state, (ids, state) => {
    const found = model.step(model.embed(ids), plain, memory, state);
    return { state: found.state, scores: found.logProbabilities };
  });
}

function extendedOf(rows: PromptRows['rows'], model: PointerGenerator): ExtendedSource {
  const { ids, mask } = rightPadded(rows, Math.max(...rows.map((row) => row.length)), model.paddingId);
  return { ids, extended: ids, mask, unknown: 0 };
}

/** A model whose past is a state: of each step the next one is kept. */
function recurrent<S extends object>(
  startId: number,
  batch: number,
  first: S,
  step: (ids: Tensor, state: S) => { readonly state: S; readonly scores: Tensor },
): DecodingRun {
  const parts = entriesOf(first).map(([name, value]) => [name, kept(value)] as const);
  const compiled = compile((ids: Tensor, order: Tensor) =>
    evaluate(() => {
      const state: unknown = Object.fromEntries(parts.map(([name, value]) => [name, value.gather(order, 0)]));
      const found = step(ids, state as S); // the cast: the entries are those of the state
      const next = new Map(entriesOf(found.state));
      for (const [name, value] of parts) value.assign(next.get(name) ?? value);
      return found.scores;
    }),
  );
  const next: DecodingRun['next'] = async (ids, order) => {
    const places = order ?? ids.map((_, n) => n);
    return floats(await compiled(tensor(Int32Array.from(ids)), tensor(Int32Array.from(places))));
  };
  return { start: () => next(new Array<number>(batch).fill(startId)), next };
}

/** The cast: states are records of tensors. */
const entriesOf = (state: object): [string, Tensor][] => Object.entries(state) as [string, Tensor][];

/** A value that stays, outside of training. */
function kept(x: Tensor): Parameter {
  return parameter(x, { buffer: true });
}

function leftPadded(rows: PromptRows['rows'], width: number): { readonly ids: Tensor; readonly padding: Tensor } {
  const values = new Int32Array(rows.length * width);
  for (const [n, row] of rows.entries()) values.set(row, (n + 1) * width - row.length);
  return {
    ids: tensor(values, { shape: [rows.length, width] }),
    padding: tensor(Int32Array.from(rows, (row) => width - row.length)),
  };
}

function rightPadded(
  rows: PromptRows['rows'],
  width: number,
  paddingId: number,
): { readonly ids: Tensor; readonly mask: Tensor } {
  const values = new Int32Array(rows.length * width).fill(paddingId);
  const mask = new Uint8Array(rows.length * width);
  for (const [n, row] of rows.entries()) {
    values.set(row, n * width);
    mask.fill(1, n * width, n * width + row.length);
  }
  const shape = [rows.length, width];
  return { ids: tensor(values, { shape }), mask: tensor(mask, { shape, dtype: 'bool' }) };
}
