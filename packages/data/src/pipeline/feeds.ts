/**
 * Chunks in the order of an epoch, some of them ahead: by index, or read from a stream in drawn shards and windows. A feed also knows,
 * for each row, the place from which the rows behind it come again: a few numbers, whatever the length of the data.
 */
import { shuffledOrder, streams } from '../samples/random.ts';
import type { ChunkRequest, ChunkResult } from './chunk.ts';
import type { CollateOptions, Columns } from './collate.ts';
import { type EpochOrder, permutation } from './order.ts';
import type { StreamSource } from './source.ts';

/** A place in an epoch. In a stream also: the shard (in drawn order) and the record at which a window began, and the place in it. */
export interface Cursor {
  readonly position: number;
  readonly shard: number;
  readonly record: number;
  readonly within: number;
}

export const beginning: Cursor = { position: 0, shard: 0, record: 0, within: 0 };

/** Rows that stayed, each with its index and the place behind it. */
export interface FedChunk {
  readonly columns: Columns | null;
  readonly indices: readonly number[];
  readonly ends: readonly Cursor[];
}

export interface FeedOptions {
  readonly seed: number;
  readonly epoch: number;
  /** Chunks that are under way besides the one that is waited for. */
  readonly ahead: number;
  readonly collate: CollateOptions;
  run(request: ChunkRequest): Promise<ChunkResult>;
}

/** The chunks from a place on; the last is followed by null. */
export interface Feed {
  next(): Promise<FedChunk | null>;
  close(): Promise<void>;
}

/** Keeps `ahead` chunks under way, in their order. A failure is told when its chunk is asked for, which may be never. */
function queued(ahead: number, begin: () => Promise<FedChunk | null> | null): () => Promise<FedChunk | null> {
  const waiting: Promise<FedChunk | null>[] = [];
  let isOver = false;
  return async () => {
    while (!isOver && waiting.length <= ahead) {
      const chunk = begin();
      if (chunk === null) {
        isOver = true;
        break;
      }
      chunk.catch(() => undefined);
      waiting.push(chunk);
    }
    return (await waiting.shift()) ?? null;
  };
}

/** Positions of one request by index. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A chunk for each span. */
export function indexedFeed(order: EpochOrder, spans: Iterator<Span>, options: FeedOptions): Feed {
  const { seed, epoch, collate, run } = options;
  const begin = (): Promise<FedChunk | null> | null => {
    const { value: span, done } = spans.next();
    if (done) return null;
    const positions = Array.from({ length: span.to - span.from }, (_, i) => span.from + i);
    const indices = positions.map((position) => order.at(position));
    return run({ seed, epoch, positions, indices, collate }).then(({ columns, kept }) => ({
      columns,
      indices: kept.map((i) => indices[i]!),
      ends: kept.map((i) => ({ ...beginning, position: positions[i]! + 1 })),
    }));
  };
  return { next: queued(options.ahead, begin), close: () => Promise.resolve() };
}

export interface StreamFeedOptions extends FeedOptions {
  readonly shuffle: boolean;
  /** Samples that are mixed with each other. */
  readonly window: number;
  readonly chunkSize: number;
  readonly from: Cursor;
}

interface Read {
  readonly sample: unknown;
  readonly position: number;
  readonly end: Cursor;
}

/** Chunks of a stream: reading goes on one sample after the other, the functions run beside it. */
export function streamFeed(source: StreamSource<unknown>, options: StreamFeedOptions): Feed {
  const { seed, epoch, collate, run, chunkSize } = options;
  const samples = windows(source, options);
  // Readers of files wait their turn: a stream gives one sample after the other.
  let reading: Promise<readonly Read[]> = Promise.resolve([]);
  let isOver = false;
  const read = async (): Promise<readonly Read[]> => {
    const chunk: Read[] = [];
    while (chunk.length < chunkSize && !isOver) {
      const { value, done } = await samples.next();
      if (done) isOver = true;
      else chunk.push(value);
    }
    return chunk;
  };
  const begin = (): Promise<FedChunk | null> | null => {
    if (isOver) return null;
    const turn = reading.then(read);
    reading = turn;
    return turn.then(async (chunk) => {
      if (chunk.length === 0) return null;
      const positions = chunk.map(({ position }) => position);
      const given = chunk.map(({ sample }) => sample);
      const { columns, kept } = await run({ seed, epoch, positions, indices: positions, samples: given, collate });
      return {
        columns,
        indices: kept.map((i) => positions[i]!),
        ends: kept.map((i) => chunk[i]!.end),
      };
    });
  };
  return {
    next: queued(options.ahead, begin),
    async close() {
      isOver = true;
      await reading.catch(() => undefined);
      await samples.return(undefined);
    },
  };
}

/** The samples window by window, each window in a drawn order. The place behind a sample is the window's with a number. */
async function* windows(
  source: StreamSource<unknown>,
  { seed, epoch, shuffle, window, from }: StreamFeedOptions,
): AsyncGenerator<Read, void> {
  const size = shuffle ? window : 1;
  const shards = shuffle ? shuffledOrder(source.shards, seed, epoch) : null;
  const records = recordsOf(source, shards, from);
  let { position, within } = from;
  let start = { shard: from.shard, record: from.record };
  try {
    for (;;) {
      const held: unknown[] = [];
      let behind = start;
      while (held.length < size) {
        const { value, done } = await records.next();
        if (done) break;
        held.push(value.sample);
        behind = value.behind;
      }
      if (held.length === 0) return;
      // The window is known by its first position, which a resumed run finds again.
      const first = position - within;
      const order = shuffle ? permutation(held.length, (seed + streams.windows + first) | 0, epoch) : () => 0;
      for (; within < held.length; within++) {
        const isLast = within + 1 === held.length;
        const place = isLast ? { ...behind, within: 0 } : { ...start, within: within + 1 };
        yield { sample: held[order(within)], position, end: { position: position + 1, ...place } };
        position++;
      }
      within = 0;
      start = behind;
    }
  } finally {
    await records.return(undefined);
  }
}

/** All records from a place on, each with the place behind it. */
async function* recordsOf(
  source: StreamSource<unknown>,
  order: Int32Array | null,
  from: Cursor,
): AsyncGenerator<{ readonly sample: unknown; readonly behind: { shard: number; record: number } }, void> {
  for (let shard = from.shard; shard < source.shards; shard++) {
    let record = shard === from.shard ? from.record : 0;
    for await (const sample of source.open(order ? order[shard]! : shard, record)) {
      record++;
      yield { sample, behind: { shard, record } };
    }
  }
}
