/** Pipelines: the same batches whoever computes them and wherever the loop begins; the order, filters, packing, streams, workers. */
import { cpu } from '@nn/backend-cpu';
import { type Stateful, setDefaultBackend, ValueError } from '@nn/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { moons } from '../problems/points.ts';
import { DataLoader } from '../samples/loader.ts';
import { lengthSampler } from '../sampling/length.ts';
import { poissonSampler } from '../sampling/poisson.ts';
import { weightedSampler } from '../sampling/weighted.ts';
import { feistel } from './order.ts';
import { dataPipeline } from './pipeline.ts';
import { servePipeline } from './serve.ts';
import type { Source, StreamSource } from './source.ts';

beforeAll(() => setDefaultBackend(cpu()));

/** Everything that a batch holds, as plain lists. */
async function contents(batch: object): Promise<Record<string, unknown>> {
  const read: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(batch)) {
    if (typeof value?.array === 'function') read[name] = await value.array();
    else if (name === 'lengths') read[name] = await contents(value);
    else read[name] = ArrayBuffer.isView(value) ? Array.from(value as Int32Array) : value;
  }
  return read;
}

async function all(batches: AsyncIterable<object>): Promise<Record<string, unknown>[]> {
  const list: Record<string, unknown>[] = [];
  for await (const batch of batches) list.push(await contents(batch));
  return list;
}

/** Numbers with a random part; late, and not in the order in which they were asked for. */
const late: Source<number> = {
  length: 50,
  get: (index) => (index % 3 === 0 ? new Promise((resolve) => setTimeout(resolve, (index * 7) % 5, index)) : index),
};
const noisy = () =>
  dataPipeline(late)
    .map((x, { random }) => ({ x, noise: random.uniform() }))
    .filter(({ x }) => x % 5 !== 1)
    .map(({ x, noise }, { random, epoch, position }) => ({ x, noise: [noise, random.normal()], epoch, position }));

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('the order', () => {
  it.each([false, true])('is that of a DataLoader with the same seed, shuffle %s', async (shuffle) => {
    const dataset = moons(70, { seed: 3 });
    const options = { shuffle, seed: 5, padTo: { samples: [32] } };
    const loader = new DataLoader(dataset, { batchSize: 32, ...options });
    const batches = dataPipeline(dataset).batch(32, options);
    for (let epoch = 0; epoch < 2; epoch++) {
      const expected = [];
      for (const batch of loader) expected.push(await contents(batch));
      expect(await all(batches)).toEqual(expected);
    }
    expect(batches.epoch).toBe(2);
  });

  it('of many samples needs no list: every number once, another order for each seed and epoch', () => {
    for (const size of [1, 2, 3, 10, 1000, 4096, 4097]) {
      const at = feistel(size, 1, 0);
      expect(new Set(numbers(size).map(at)).size, `${size}`).toBe(size);
      expect(Math.max(...numbers(size).map(at))).toBe(size - 1);
    }
    const first = (seed: number, stream: number) =>
      numbers(20)
        .map(feistel(1000, seed, stream))
        .join();
    expect(new Set([first(1, 0), first(2, 0), first(1, 1)]).size).toBe(3);
    // where the first sample goes is uniform: chi squared over 10 bins of 1,000 seeds; 27.9 is exceeded once in 1,000 times
    const bins = new Array<number>(10).fill(0);
    for (let seed = 0; seed < 1000; seed++) bins[Math.floor(feistel(5000, seed, 7)(0) / 500)]! += 1;
    expect(bins.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0)).toBeLessThan(27.9);
  });

  it('of two million samples is there at once, and its state is a few numbers', async () => {
    const source = { length: 2_000_000, get: (index: number) => index };
    const batches = dataPipeline(source)
      .map((inputs) => ({ inputs }))
      .batch(4, { shuffle: true, seed: 1, dtypes: { inputs: 'int32' } });
    const seen: unknown[] = [];
    for await (const { inputs } of batches) {
      seen.push(...((await inputs.array()) as number[]));
      if (seen.length === 40) break;
    }
    expect(new Set(seen).size).toBe(40);
    expect(Math.max(...(seen as number[]))).toBeGreaterThan(1_000_000);
    expect(JSON.stringify(batches.hostState()).length).toBeLessThan(250);
  });

  it('by blocks reads few blocks at a time, each sample once', async () => {
    const reads: number[] = [];
    const source: Source<number> = {
      length: 103,
      blocks: numbers(11).map((block) => block * 10),
      get(index) {
        reads.push(Math.floor(index / 10));
        return index;
      },
    };
    const batches = dataPipeline(source)
      .map((x) => ({ x }))
      .batch(10, { shuffle: 'blocks', window: 2, seed: 4, prefetch: 0 });
    const seen = (await all(batches)).flatMap(({ x }) => x as number[]);
    expect([...seen].sort((a, b) => a - b)).toEqual(numbers(103));
    expect(seen.slice(0, 20)).not.toEqual([...seen.slice(0, 20)].sort((a, b) => a - b));
    expect(new Set(reads.slice(0, 20)).size).toBe(2);
    expect((await all(batches)).flatMap(({ x }) => x as number[])).not.toEqual(seen);
    expect(
      () =>
        dataPipeline([1])
          .map((x) => ({ x }))
          .batch(1, { shuffle: 'blocks' }).length,
    ).toThrow("DataPipeline: shuffle: 'blocks' needs a source that tells its blocks; use shuffle: true.");
  });

  it('of a sampler may repeat samples, end batches and leave them empty', async () => {
    const weights = [0, 1, 0, 3, 0];
    const drawn = dataPipeline(numbers(5))
      .map((x, { random }) => ({ x, noise: random.uniform() }))
      .batch(4, { sampler: weightedSampler(weights), seed: 2 });
    const values = await all(drawn);
    expect(values.flatMap(({ x }) => x as number[]).every((x) => x === 1 || x === 3)).toBe(true);
    // a sample that is drawn again gets other random numbers
    const noise = values.flatMap((batch) => batch.noise as number[]);
    expect(new Set(noise).size).toBe(noise.length);

    const words = [[1], [1, 2, 3, 4], [2], [4, 3, 2, 1], [3], [5, 6, 7, 8]];
    const byLength = dataPipeline(words)
      .map((letters) => ({ letters }))
      .batch(3, { sampler: lengthSampler(words.map(({ length }) => length)), sequences: ['letters'], seed: 1 });
    expect(byLength.length).toBe(2);
    expect((await all(byLength)).map(({ lengths }) => lengths)).toEqual([
      { letters: [1, 1, 1] },
      { letters: [4, 4, 4] },
    ]);

    const rare = dataPipeline(numbers(20))
      .map((x) => ({ x: [x, x] }))
      .batch(1, { sampler: poissonSampler(20), seed: 1 });
    const shapes = [];
    for await (const { x, count } of rare) shapes.push([x.shape[0] === count, x.shape[1]]);
    expect(shapes.length).toBe(rare.length);
    expect(new Set(shapes.map(String))).toEqual(new Set(['true,2']));
  });

  it('gives each of several processes its rows of the batch', async () => {
    const rows = (index: number) =>
      all(
        dataPipeline(late)
          .map((x) => ({ x }))
          .batch(7, { shuffle: true, seed: 1, slice: { index, count: 3 } }),
      );
    const whole = await all(
      dataPipeline(late)
        .map((x) => ({ x }))
        .batch(7, { shuffle: true, seed: 1 }),
    );
    const parts = await Promise.all([0, 1, 2].map(rows));
    const joined = whole.map((_, i) => parts.flatMap((part) => part[i]!.x as number[]));
    expect(joined).toEqual(whole.map(({ x }) => x));
    expect(parts[0]!.map(({ globalCount }) => globalCount)).toEqual([7, 7, 7, 7, 7, 7, 7, 1]);
  });
});

describe('batches', () => {
  it('are the same whatever is fetched ahead, and whatever number of workers makes them', async () => {
    const options = { shuffle: true, seed: 9 } as const;
    const expected = await all(noisy().batch(8, { ...options, prefetch: 0 }));
    expect(expected.map(({ count }) => count)).toEqual([8, 8, 8, 8, 8]);
    expect(await all(noisy().batch(8, { ...options, prefetch: 7 }))).toEqual(expected);
    for (const count of [1, 3]) {
      const ends: (() => void)[] = [];
      const start = () => {
        const { port1, port2 } = new MessageChannel();
        servePipeline(noisy(), port1);
        port2.start();
        const terminate = () => port2.close();
        ends.push(terminate);
        return Object.assign(port2, { terminate });
      };
      const batches = noisy().batch(8, { ...options, workers: { count, start } });
      expect(await all(batches)).toEqual(expected);
      expect(ends).toHaveLength(count);
      batches.close();
    }
  });

  it.each([
    ['filtered', () => noisy().batch(7, { shuffle: true, seed: 3 })],
    [
      'plain',
      () =>
        dataPipeline(late)
          .map((x) => ({ x }))
          .batch(7, { shuffle: true, seed: 3 }),
    ],
    ['packed', () => packing()],
    ['of a stream', () => streamed({ shuffle: true, window: 16 })],
    ['of a stream in its order', () => streamed({})],
  ])('%s go on from every place with the same ones', async (_, make: () => Stateful & AsyncIterable<object>) => {
    const whole = make();
    const expected = [...(await all(whole)), ...(await all(whole))];
    for (let stop = 1; stop < expected.length; stop++) {
      const before = make();
      const seen: unknown[] = [];
      while (seen.length < stop) {
        for await (const batch of before) {
          seen.push(await contents(batch));
          if (seen.length === stop) break;
        }
      }
      const after = make();
      after.loadHostState(JSON.parse(JSON.stringify(before.hostState())));
      while (seen.length < expected.length) seen.push(...(await all(after)));
      expect(seen).toEqual(expected);
    }
  });

  it('take numbers, lists, typed arrays and arrays with shapes; numbers are float32 unless said otherwise', async () => {
    const batches = dataPipeline([1, 2])
      .map((x) => ({
        number: x,
        is: x > 1,
        list: [x, x],
        bytes: Uint8Array.of(x),
        image: { data: Float32Array.of(x, 0, 0, 0), shape: [1, 2, 2] },
        kind: x,
      }))
      .batch(2, { dtypes: { kind: 'int32' }, normalize: { bytes: { per: 'array', offset: [0], divisor: [2] } } });
    const { number, is, list, bytes, image, kind } = await batches.peek();
    expect([number, is, list, bytes, image, kind].map(({ dtype, shape }) => `${dtype} ${shape}`)).toEqual([
      'float32 2',
      'float32 2',
      'float32 2,2',
      'float32 2,1',
      'float32 2,1,2,2',
      'int32 2',
    ]);
    expect(await bytes.array()).toEqual([[0.5], [1]]);
    expect([batches.position, batches.length]).toEqual([0, 1]);
  });

  it('pad sequences to buckets and leave out a smaller last batch', async () => {
    const words = dataPipeline([[1], [1, 2, 3], [4, 5], [6]]).map((letters) => ({ letters }));
    const options = {
      sequences: ['letters'],
      dtypes: { letters: 'int32' },
      padTo: { length: [4], values: { letters: -1 } },
    } as const;
    const batches = await all(words.batch(3, { ...options, dropLast: true }));
    expect(batches.map(({ letters, lengths }) => [letters, lengths])).toEqual([
      [
        [
          [1, -1, -1, -1],
          [1, 2, 3, -1],
          [4, 5, -1, -1],
        ],
        { letters: [1, 3, 2] },
      ],
    ]);
  });

  it('say what does not fit, and with which sample', async () => {
    const failing = async (samples: readonly unknown[], options: object = {}) => {
      try {
        await all(dataPipeline(samples as { x: number }[]).batch(4, options));
      } catch (error) {
        return (error as Error).message;
      }
      return 'nothing';
    };
    expect(await failing(['plum'])).toBe(
      'DataPipeline.batch: sample 0 is plum; a sample is an object with numbers by name, as { inputs, targets }: map() makes one.',
    );
    expect(await failing([{ x: [1] }, { x: [1, 2] }])).toBe(
      "DataPipeline.batch: 'x' has the shape [2] in sample 1, [1] in sample 0; where lengths differ, say sequences: ['x'].",
    );
    expect(await failing([{ x: 1 }, { y: 1 }])).toBe(
      'DataPipeline.batch: sample 1 has y, sample 0 has x; they must be equal.',
    );
    expect(await failing([{ x: 1.5 }], { dtypes: { x: 'int32' } })).toBe(
      "DataPipeline.batch: 'x' of sample 0 holds 1.5, which is no whole number of the kind Int32Array.",
    );
    expect(await failing([{ x: ['a'] }])).toBe("DataPipeline.batch: 'x' of sample 0 holds a, which is no number.");
    expect(await failing([{ x: null }])).toBe(
      "DataPipeline.batch: 'x' of sample 0 is null; numbers, lists of numbers or { data, shape } can be batched.",
    );
    expect(await failing([{ x: 1 }], { dtypes: { z: 'int32' } })).toBe(
      "DataPipeline.batch: there is no field 'z'; samples have x.",
    );
    expect(() => dataPipeline(3 as never)).toThrow(
      'dataPipeline: takes a list, a Dataset, a source { length, get(index) }, or a stream { shards, open(shard, skip) }.',
    );
  });

  it('want a sample for each index', async () => {
    const source = { length: 3, get: (x: number) => x, getMany: async () => [1] };
    await expect(
      all(
        dataPipeline(source)
          .map((x) => ({ x }))
          .batch(3),
      ),
    ).rejects.toThrow('DataPipeline: getMany gave 1 samples for 3 indices; it must give one for each.');
  });

  it('name the sample at which a function failed, end on a signal, and refuse two loops at once', async () => {
    const broken = dataPipeline(numbers(9)).map((x) => {
      if (x === 5) throw new RangeError('five');
      return { x };
    });
    const seen: number[] = [];
    const walk = async () => {
      for await (const { count } of broken.batch(2)) seen.push(count);
    };
    const error = await walk().catch((thrown) => thrown);
    expect(error.message).toBe('DataPipeline: map() failed at sample 5: five');
    expect([error.kind, error.data, error.cause]).toEqual([
      'value/DataPipeline/function',
      { sample: 5, position: 5, epoch: 0, stage: 0 },
      new RangeError('five'),
    ]);
    const rejecting = dataPipeline(numbers(9))
      .filter((x) => x > 2)
      .map(async (x) => (x === 4 ? Promise.reject('a text') : { x }));
    await expect(all(rejecting.batch(2))).rejects.toThrow(
      'DataPipeline: map(), function 2 of 2, failed at sample 4: a text',
    );
    expect(seen).toEqual([2, 2]);

    const controller = new AbortController();
    const stopped = dataPipeline(late)
      .map((x) => ({ x }))
      .batch(5, { signal: controller.signal });
    await expect(
      (async () => {
        for await (const _ of stopped) controller.abort(new Error('enough'));
      })(),
    ).rejects.toThrow('enough');
    expect(stopped.position).toBe(5);

    const leaving = new AbortController();
    const never: StreamSource<number> = {
      shards: 1,
      async *open() {
        await new Promise(() => undefined);
        yield 1;
      },
    };
    const hangs = dataPipeline(never)
      .map((x) => ({ x }))
      .batch(1, { signal: leaving.signal });
    setTimeout(() => leaving.abort(new Error('gone')), 5);
    await expect(all(hangs)).rejects.toThrow('gone');

    const twice = dataPipeline(numbers(9))
      .map((x) => ({ x }))
      .batch(2);
    await expect(
      (async () => {
        for await (const _ of twice) for await (const __ of twice) break;
      })(),
    ).rejects.toThrow('BatchPipeline: this loop was overtaken by another loop');
  });

  it('refuse the state of other data', () => {
    const batches = (count: number, shuffle = true) =>
      dataPipeline(numbers(count))
        .map((x) => ({ x }))
        .batch(2, { shuffle, seed: 1 });
    const state = batches(8).hostState();
    expect(() => batches(9).loadHostState(state)).toThrow(
      'BatchPipeline: the state to restore has the size 8, this pipeline has 9; they must be equal.',
    );
    expect(() => batches(8, false).loadHostState(state)).toThrow(
      'BatchPipeline: the state to restore has the shuffle true, this pipeline has false; they must be equal.',
    );
    expect(() => batches(8).loadHostState({})).toThrow(
      'BatchPipeline: the state to restore is not that of a pipeline.',
    );
    expect(() => batches(8).loadHostState({ ...state, position: 9 })).toThrow(
      "BatchPipeline: the state to restore stands after sample 9, batch 0, where this pipeline's epoch has no end of a batch.",
    );
  });
});

/** Sequences of 1 to 9 steps that count on, three rows of 12 steps. */
const sequences = numbers(60).map((i) => numbers(1 + ((i * 7) % 9)).map((step) => 100 * i + step));
const packing = () =>
  dataPipeline(sequences)
    .map((tokens) => ({ tokens, next: tokens.map((token) => token + 1) }))
    .batch(3, {
      pack: { length: 12 },
      sequences: ['tokens', 'next'],
      dtypes: { tokens: 'int32', next: 'int32' },
      shuffle: true,
      seed: 6,
    });

describe('packing', () => {
  it('puts every step into one row, apart from its neighbours, and pads little', async () => {
    const found: number[][] = [];
    let used = 0;
    let room = 0;
    for (const { tokens, next, segments, positions, lengths, indices } of await all(packing())) {
      const rows = tokens as number[][];
      let count = 0;
      rows.forEach((row, r) => {
        const own = (segments as number[][])[r]!;
        const longest = Math.max(...own);
        count += longest;
        for (let segment = 1; segment <= longest; segment++) {
          const steps = numbers(12).filter((step) => own[step] === segment);
          expect(steps.map((step) => (positions as number[][])[r]![step])).toEqual(numbers(steps.length));
          expect(steps.map((step) => (next as number[][])[r]![step])).toEqual(steps.map((step) => row[step]! + 1));
          found.push(steps.map((step) => row[step]!));
        }
        const filled = own.filter((segment) => segment > 0).length;
        expect((lengths as { tokens: number[] }).tokens[r]).toBe(filled);
        used += filled;
        room += 12;
      });
      expect((indices as number[]).length).toBe(count);
    }
    expect(found.sort((a, b) => a[0]! - b[0]!)).toEqual(sequences);
    expect(used / room).toBeGreaterThan(0.8);
  });

  it('says what cannot be packed', async () => {
    const pack = { length: 4 };
    const one = dataPipeline([[1, 2, 3, 4, 5]]).map((tokens) => ({ tokens }));
    await expect(all(one.batch(1, { pack, sequences: ['tokens'] }))).rejects.toThrow(
      'DataPipeline.batch: sample 0 has 5 steps, pack.length is 4; cut it with map(), or raise the length.',
    );
    await expect(all(one.batch(1, { pack }))).rejects.toThrow(
      "DataPipeline.batch: pack puts several samples into a row, so 'tokens' needs a number for each step: name it in sequences, or leave it out with map().",
    );
  });
});

/** Four shards of 10, 11, 12 and 13 samples. */
const shards: StreamSource<number> = {
  shards: 4,
  *open(shard, skip) {
    for (let i = skip; i < 10 + shard; i++) yield 100 * shard + i;
  },
};
const streamed = (options: { shuffle?: boolean; window?: number }) =>
  dataPipeline(shards)
    .map((x, { random }) => ({ x, noise: random.uniform() }))
    .filter(({ x }) => x % 10 !== 4)
    .batch(6, { seed: 2, ...options });

describe('a stream', () => {
  it('comes in its order, or in drawn shards and mixed windows, each sample once', async () => {
    const values = async (options: object) => (await all(streamed(options))).flatMap(({ x }) => x as number[]);
    const inOrder = await values({});
    expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b));
    const mixed = await values({ shuffle: true, window: 16 });
    expect(mixed).not.toEqual(inOrder);
    expect([...mixed].sort((a, b) => a - b)).toEqual(inOrder);
    expect(streamed({}).length).toBe(null);
  });

  it('is closed where the loop is left', async () => {
    const closed = vi.fn();
    const source: StreamSource<number> = {
      shards: 1,
      *open() {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          closed();
        }
      },
    };
    for await (const _ of dataPipeline(source)
      .map((x) => ({ x }))
      .batch(4))
      break;
    expect(closed).toHaveBeenCalledTimes(1);
  });
});

describe('workers', () => {
  const start = (pipeline: { source: never; stages: never }) => () => {
    const { port1, port2 } = new MessageChannel();
    servePipeline(pipeline, port1);
    port2.start();
    return Object.assign(port2, { terminate: () => port2.close() });
  };

  it('of another pipeline are refused, and so is one that does not serve', async () => {
    const other = dataPipeline(numbers(4)).map((x) => ({ x })) as never;
    const batches = dataPipeline(numbers(5))
      .map((x) => ({ x }))
      .batch(2, { workers: { start: start(other) } });
    await expect(
      (async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return all(batches);
      })().then(() => all(batches)),
    ).rejects.toThrow(
      "a worker's pipeline has 4 samples and 1 functions, this one 5 and 1; make both by the same function.",
    );
    batches.close();
    const silent = dataPipeline(numbers(5))
      .map((x) => ({ x }))
      .batch(2, {
        workers: { patience: 5, start: () => ({ postMessage: () => undefined, terminate: () => undefined }) },
      });
    await expect(all(silent)).rejects.toThrow(
      'DataPipeline: a worker said nothing for 5 milliseconds: does its module call servePipeline(pipeline)?',
    );
  });

  it('end soon after a loop was left, stay from epoch to epoch, and start again with a later loop', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const make = () => dataPipeline(numbers(9)).map((x) => ({ x }));
    const served = start(make() as never);
    let [started, ended] = [0, 0];
    const counted = () => {
      started++;
      const worker = served();
      const { terminate } = worker;
      return Object.assign(worker, {
        terminate() {
          ended++;
          terminate();
        },
      });
    };
    const batches = make().batch(2, { workers: { count: 2, start: counted } });
    await all(batches);
    await all(batches);
    expect([started, ended]).toEqual([2, 0]);
    for await (const _ of batches) break;
    vi.advanceTimersByTime(900);
    for await (const _ of batches) break; // goes on in time
    vi.advanceTimersByTime(900);
    expect([started, ended]).toEqual([2, 0]);
    vi.advanceTimersByTime(100);
    expect([started, ended]).toEqual([2, 2]);
    expect((await all(batches)).map(({ x }) => x)).toEqual([[4, 5], [6, 7], [8]]);
    expect([started, ended]).toEqual([4, 2]);
    // An older loop that is closed leaves the workers to the one that overtook it.
    const older = batches[Symbol.asyncIterator]();
    await older.next();
    const younger = batches[Symbol.asyncIterator]();
    await younger.next();
    await older.return();
    vi.advanceTimersByTime(2000);
    expect([started, ended]).toEqual([4, 2]);
    expect((await younger.next()).value?.count).toBe(2);
    await younger.return();
    vi.advanceTimersByTime(1000);
    expect([started, ended]).toEqual([4, 4]);
    vi.useRealTimers();
  });

  it('that end before they serve are told of', async () => {
    const start = () => ({
      postMessage: () => undefined,
      terminate: () => undefined,
      on: (type: string, listener: (code: number) => void) => void (type === 'exit' && setTimeout(() => listener(0))),
    });
    const pipeline = dataPipeline(numbers(5)).map((x) => ({ x }));
    await expect(all(pipeline.batch(2, { workers: { start } }))).rejects.toThrow(
      'DataPipeline: a worker ended with 0 before it served: does its module call servePipeline(pipeline)?',
    );
  });

  it('are asked for, and say where a function failed', async () => {
    const none = dataPipeline(numbers(5)).map((x) => ({ x }));
    await expect(all(none.batch(2, { workers: { start: (() => undefined) as never } }))).rejects.toThrow(
      'DataPipeline.batch: workers: start must return a worker, as new Worker(...); it gave undefined.',
    );
    const make = () =>
      dataPipeline(numbers(5)).map((x) => {
        if (x === 3) throw new RangeError('three');
        return { x };
      });
    const batches = make().batch(2, { workers: { start: start(make() as never) } });
    const here: unknown = await all(make().batch(2)).catch((error) => error);
    const there: unknown = await all(batches).catch((error) => error);
    for (const error of [here, there]) {
      expect(error).toBeInstanceOf(ValueError);
      expect(error).toMatchObject({
        ...{ message: 'DataPipeline: map() failed at sample 3: three', kind: 'value/DataPipeline/function' },
        ...{ data: { sample: 3, position: 3, epoch: 0, stage: 0 }, stack: expect.stringContaining('chunk.ts') },
      });
      const { cause } = error as Error;
      expect(cause).toBeInstanceOf(RangeError);
      expect(cause).toMatchObject({ message: 'three', stack: expect.stringContaining('pipeline.test.ts') });
    }
    batches.close();
  });

  it('are no workers outside of one', () => {
    expect(() => servePipeline(dataPipeline([1]))).toThrow(
      'servePipeline: this is no worker: call it in the module that a worker is started with, or pass a port.',
    );
  });
});
