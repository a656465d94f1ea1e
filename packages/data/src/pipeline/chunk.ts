/**
 * The work of a pipeline on some samples: fetch them, run the functions over each, put them into columns. It depends on nothing but the
 * request, so it is the same here and in a worker, and for any number of them.
 */
import { excerpt, randomValue, ValueError } from '@nn/core';
import { RandomSequence, streams } from '../samples/random.ts';
import { type CollateOptions, type Columns, collate } from './collate.ts';
import type { Sample, Source, StreamSource } from './source.ts';
import { isStream } from './source.ts';

/** What the function of a stage is told beside the sample. */
export interface SampleContext {
  /** Where the sample stands in the source; in a stream, in the epoch. */
  readonly index: number;
  /** Where it stands in the epoch. */
  readonly position: number;
  /** The number of finished epochs. */
  readonly epoch: number;
  /** Random numbers of this sample alone: they follow from seed, epoch, position and stage, whoever computes them, and when. */
  readonly random: RandomSequence;
}

/** A function over samples. Filters answer whether the sample stays. */
export interface Stage {
  readonly kind: 'map' | 'filter';
  // Stages follow one another with types that DataPipeline has checked.
  readonly apply: (sample: never, context: SampleContext) => unknown;
}

/** A pipeline without its types: what a chunk is made by. */
export interface Work {
  readonly source: Source<unknown> | StreamSource<unknown>;
  readonly stages: readonly Stage[];
}

export interface ChunkRequest {
  readonly seed: number;
  readonly epoch: number;
  readonly positions: readonly number[];
  readonly indices: readonly number[];
  /** The samples of a stream, which were read already. */
  readonly samples?: readonly unknown[];
  readonly collate: CollateOptions;
}

export interface ChunkResult {
  /** Which of the request's samples stayed. */
  readonly kept: readonly number[];
  /** Null where none stayed. */
  readonly columns: Columns | null;
}

const dropped = Symbol('dropped');

/** Works on one chunk. Rejects with the place and, as `cause`, what a function of the pipeline threw. */
export async function runChunk({ source, stages }: Work, request: ChunkRequest): Promise<ChunkResult> {
  const { indices, positions, seed, epoch } = request;
  const samples = request.samples ?? (isStream(source) ? [] : await fetched(source, indices));
  const seeds = stages.map((_, stage) => seedOfStage(seed, epoch, stage));
  const results = samples.map((sample, i) =>
    throughStages(stages, seeds, sample, 0, { index: indices[i]!, position: positions[i]!, epoch }),
  );
  const values = results.some(isPromise) ? await Promise.all(results) : results;
  const kept = values.flatMap((value, i) => (value === dropped ? [] : [i]));
  if (kept.length === 0) return { kept, columns: null };
  // The one cast: collate looks at each of them.
  const rows = kept.map((i) => values[i] as Sample);
  const at = kept.map((i) => indices[i]!);
  return { kept, columns: collate(rows, at, request.collate) };
}

async function fetched(source: Source<unknown>, indices: readonly number[]): Promise<readonly unknown[]> {
  if (source.getMany) {
    const many = await source.getMany(indices);
    if (many?.length === indices.length) return many;
    throw new ValueError(
      'DataPipeline',
      `getMany gave ${many?.length} samples for ${indices.length} indices; it must give one for each.`,
    );
  }
  const samples = indices.map((index) => source.get(index));
  return samples.some(isPromise) ? Promise.all(samples) : samples;
}

type Place = Omit<SampleContext, 'random'>;

/** The sample behind all stages from one on, or `dropped`; a promise only where a stage gives one. */
function throughStages(
  stages: readonly Stage[],
  seeds: readonly number[],
  sample: unknown,
  from: number,
  place: Place,
): unknown {
  let value = sample;
  for (let stage = from; stage < stages.length; stage++) {
    const { kind, apply } = stages[stage]!;
    const fail = (cause: unknown): never => failed(stages, stage, place, cause);
    let result: unknown;
    try {
      result = apply(value as never, new Context(place, seeds[stage]!));
    } catch (cause) {
      fail(cause);
    }
    if (isPromise(result)) {
      const before = value;
      return result.then((settled) => {
        if (kind === 'filter' && !settled) return dropped;
        return throughStages(stages, seeds, kind === 'filter' ? before : settled, stage + 1, place);
      }, fail);
    }
    if (kind === 'filter' && !result) return dropped;
    if (kind === 'map') value = result;
  }
  return value;
}

/** Throws what a function of the pipeline threw, with the place: one sample of millions, somewhere in a worker. */
function failed(stages: readonly Stage[], stage: number, { index, position, epoch }: Place, cause: unknown): never {
  const which = stages.length === 1 ? '' : `, function ${stage + 1} of ${stages.length},`;
  const what = cause instanceof Error ? cause.message : String(cause);
  const words = `${stages[stage]!.kind}()${which} failed at sample ${index}: ${excerpt(what, 1000)}`;
  const error = new ValueError('DataPipeline/function', words, { sample: index, position, epoch, stage });
  throw Object.assign(error, { cause });
}

class Context implements SampleContext {
  readonly index: number;
  readonly position: number;
  readonly epoch: number;
  readonly #seed: number;
  #random: RandomSequence | undefined;

  constructor({ index, position, epoch }: Place, seed: number) {
    this.index = index;
    this.position = position;
    this.epoch = epoch;
    this.#seed = seed;
  }

  get random(): RandomSequence {
    this.#random ??= new RandomSequence(this.#seed, this.position);
    return this.#random;
  }
}

/** 32 bits for each seed, epoch and stage. With the position as the stream, no two samples of an epoch share numbers. */
function seedOfStage(seed: number, epoch: number, stage: number): number {
  const bits = (half: number): number =>
    Math.floor(randomValue(seed, streams.elements + stage, 2 * epoch + half) * 65536);
  return (bits(0) << 16) | bits(1);
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
