/** Trainings and trials in worker threads, whose module is bundled as users of plain Node would. */
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { cpu } from '@nn/backend-cpu/javascript';
import { setDefaultBackend, tensor } from '@nn/core';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DivergedError } from '../diverged-error.ts';
import { crossValidate } from '../search/cross-validate.ts';
import { search } from '../search/search.ts';
import { choice } from '../search/space.ts';
import type { WorkerLike } from './channel.ts';
import { serveTraining, trainInWorker } from './run.ts';
import type { served } from './served-tests.ts';
import { openPool } from './trials.ts';
import { giveWeights } from './weights.ts';
import { makeModel, makeTraining, trial } from './worker-tests.ts';

type Task = typeof served;

let home = '';
const start = (): Worker => new Worker(join(home, 'worker.mjs'));
beforeAll(async () => {
  setDefaultBackend(cpu());
  home = mkdtempSync(join(tmpdir(), 'nn-workers-'));
  await build({
    entryPoints: [join(import.meta.dirname, 'served-tests.ts')],
    outfile: join(home, 'worker.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@nn/source'],
    banner: { js: 'globalThis.nnTestWorker = true;' },
    logLevel: 'error',
  });
});
afterAll(() => rmSync(home, { recursive: true }));

describe('trainInWorker', () => {
  test('has the events, values and weights of the same training here, one run after the other', async () => {
    const own = makeTraining({ learningRate: 0.02, epochs: 2 });
    const ownEvents: string[] = [];
    for await (const event of own) if (event.type !== 'step') ownEvents.push(JSON.stringify(event));
    const worker = start();
    try {
      for (let time = 0; time < 2; time++) {
        const run = trainInWorker<Task>(worker, { learningRate: 0.02, epochs: 2 });
        const events: string[] = [];
        for await (const event of run) if (event.type !== 'step') events.push(JSON.stringify(event));
        expect(events).toEqual(ownEvents);
        const { why, step, history, weights } = await run.outcome;
        expect([why, step]).toEqual(['done', 10]);
        expect(history).toEqual(own.history);
        const model = makeModel();
        await giveWeights(model, weights);
        const x = tensor([[1, -1]]);
        const here = own.model as typeof model;
        expect(await model.forward(x).array()).toEqual(await here.forward(x).array());
      }
    } finally {
      await worker.terminate();
    }
  });

  test('pauses, shows its weights meanwhile, goes on, and is aborted', async () => {
    const worker = start();
    const controller = new AbortController();
    const run = trainInWorker<Task>(
      worker,
      { learningRate: 0.01, epochs: 1e6 },
      { signal: controller.signal, every: 0 },
    );
    const seen: number[] = [];
    try {
      for await (const { type, step } of run) {
        if (type !== 'step') continue;
        seen.push(step);
        if (seen.length === 3) {
          run.pause();
          const first = await run.weights();
          expect([...first.keys()]).toEqual(['0.weight', '0.bias', '2.weight', '2.bias']);
          expect(first.get('0.weight')!.data).not.toEqual(new Float32Array(16));
          await new Promise((resolve) => setTimeout(resolve, 30));
          expect(await run.weights()).toEqual(first);
          run.resume();
        }
        if (seen.length === 10) controller.abort();
      }
      expect(seen).toEqual(seen.map((_, at) => at + 1));
      expect((await run.outcome).why).toBe('aborted');
      await expect(run.weights()).rejects.toThrow('WorkerRun: the training is over: its weights are in the outcome.');
    } finally {
      await worker.terminate();
    }
  });

  test('the weights of a paused training are those at which it stands, though a step was under way', async () => {
    const worker = start();
    const run = trainInWorker<Task>(worker, { learningRate: 0.1, epochs: 1e6, waits: 60 }, { every: 0 });
    const seen: number[] = [];
    const heard = (count: number): Promise<void> =>
      new Promise((resolve) => {
        const timer = setInterval(() => {
          if (seen.length < count) return;
          clearInterval(timer);
          resolve();
        }, 1);
      });
    void (async () => {
      for await (const { type, step } of run) if (type === 'step') seen.push(step);
    })();
    try {
      for (let time = 0; time < 2; time++) {
        await heard(seen.length + 2);
        run.pause();
        const first = await run.weights();
        const at = seen.length;
        run.pause();
        expect(await run.weights()).toEqual(first);
        await new Promise((resolve) => setTimeout(resolve, 200));
        expect(await run.weights()).toEqual(first);
        expect(seen.length).toBe(at);
        run.resume();
      }
      run.pause();
      run.resume();
      expect((await run.weights()).size).toBe(4);
      run.pause();
      run.abort();
      expect((await run.outcome).why).toBe('aborted');
    } finally {
      await worker.terminate();
    }
  });

  test('a worker trains once at a time, and again after a training that was aborted', async () => {
    const worker = start();
    const settings = { learningRate: 0.01, epochs: 1e6 };
    try {
      const first = trainInWorker<Task>(worker, settings);
      const second = trainInWorker<Task>(worker, { ...settings, epochs: 2 });
      const [weights] = await Promise.all([
        first.weights(), // asked for before the model is there
        expect(second.outcome).rejects.toThrow(
          'trainInWorker: this worker trains already: wait for the outcome of that training, or start a worker for each.',
        ),
      ]);
      expect(weights.size).toBe(4);
      first.abort();
      expect((await first.outcome).why).toBe('aborted');
      const third = await trainInWorker<Task>(worker, { ...settings, epochs: 2 }).outcome;
      expect([third.why, third.history.length]).toEqual(['done', 2]);
      const aborted = trainInWorker<Task>(worker, settings, { signal: AbortSignal.abort() });
      expect((await aborted.outcome).why).toBe('aborted');
    } finally {
      await worker.terminate();
    }
  });

  test('what a listener throws, and settings that cannot be sent, are the outcome', async () => {
    const worker = start();
    const onEvent = (): never => {
      throw new RangeError('of the page');
    };
    try {
      const run = trainInWorker<Task>(worker, { learningRate: 0.01, epochs: 1e6 }, { onEvent });
      await expect(run.outcome).rejects.toThrow('of the page');
      const wrong = { learningRate: 0.01, epochs: 1, also: () => 1 };
      await expect(trainInWorker<Task>(worker, wrong).outcome).rejects.toThrow('could not be cloned');
    } finally {
      await worker.terminate();
    }
  });

  test('rejects with what was thrown there, and when the worker is gone', async () => {
    const worker = start();
    const run = trainInWorker<Task>(worker, { learningRate: -1, epochs: 1 });
    await expect(run.outcome).rejects.toBeInstanceOf(RangeError);
    await expect(run.outcome).rejects.toThrow('learningRate is below 0');
    const diverged = trainInWorker<Task>(worker, { learningRate: 1e38, epochs: 9 }).outcome;
    await expect(diverged).rejects.toBeInstanceOf(DivergedError);
    await expect(diverged).rejects.toMatchObject({
      ...{ isNNError: true, kind: 'value/Training', data: { step: expect.any(Number) } },
      stack: expect.stringContaining('worker.mjs'),
    });
    const other = trainInWorker<Task>(worker, { learningRate: 0.1, epochs: 1e6 });
    const walk = (async () => {
      for await (const _ of other);
    })();
    await worker.terminate();
    await expect(walk).rejects.toThrow('the worker ended with code 1');
    expect(() => serveTraining(makeTraining)).toThrow('serveTraining: this is no worker: call it in a module');
    await expect(giveWeights({ other: makeModel() }, new Map())).rejects.toThrow(
      'giveWeights: the model and the weights differ in other.0.weight',
    );
  });
});

describe('a worker that serves nothing', () => {
  const started: Worker[] = [];
  const mute = (): Worker => {
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    started.push(worker);
    return worker;
  };
  afterAll(() => Promise.all(started.map((worker) => worker.terminate())));

  test('ends the wait for its training, which is not there later either', async () => {
    const run = trainInWorker<Task>(mute(), { learningRate: 0.02, epochs: 1 }, { patience: 100 });
    const walk = async (): Promise<void> => {
      for await (const _ of run) expect.unreachable();
    };
    const message =
      'trainInWorker: a worker said nothing for 100 milliseconds: does its module call serveTraining(...)? One that takes longer to load needs more patience.';
    await expect(walk()).rejects.toThrow(message);
    await expect(run.outcome).rejects.toThrow(message);
    expect(() => trainInWorker<Task>(mute(), { learningRate: 0.02, epochs: 1 }, { patience: 0 })).toThrow(
      'trainInWorker: patience is 0: give milliseconds, above 0.',
    );
  });

  test('ends a search, whose other trials would wait as long', async () => {
    const space = { learningRate: choice([1e-5, 1e-3, 0.1]) };
    await expect(
      search({ space, strategy: 'grid', workers: { start: mute, count: 2, patience: 100 } }),
    ).rejects.toThrow('search: a worker said nothing for 100 milliseconds: does its module call serveTrials(trial)?');
    await expect(
      search({ space, strategy: 'grid', workers: { start, count: 1, patience: Number.NaN } }),
    ).rejects.toThrow('search: workers: patience is NaN');
  });
});

describe('search in workers', () => {
  const space = { learningRate: choice([1e-5, 1e-3, 0.1]) };

  test('gives the rows of one thread, whatever the number of workers', async () => {
    const settled = ({ rows }: Awaited<ReturnType<typeof search>>) => rows.map(({ seconds: _, ...row }) => row);
    const here = await search({ space, strategy: 'grid', trial, seed: 1 });
    const there = await search({ space, strategy: 'grid', workers: { start, count: 2 }, seed: 1 });
    expect(settled(there)).toEqual(settled(here));
    const asRecord = { start: () => start(), count: 1 };
    expect(settled(await search({ space, strategy: 'grid', workers: asRecord, seed: 1 }))).toEqual(settled(here));
  });

  test('folds in workers have to give numbers by name, as they have here', async () => {
    const folds = [{ learningRate: 0.1 }, { learningRate: 0.01 }];
    await expect(crossValidate(folds, { workers: { start, count: 2 } })).rejects.toThrow(
      /fold 1 of 2 gave 0\.\d+: return numbers by name/,
    );
  });

  test('what all trials threw is the cause of the error, of its class', async () => {
    const given = { space: { learningRate: choice([-1]) }, strategy: 'grid' } as const;
    for (const how of [{ trial }, { workers: { start, count: 1 } }]) {
      const error: unknown = await search({ ...given, ...how }).catch((thrown) => thrown);
      expect(error).toMatchObject({ message: 'search: all 1 trials failed, the first with: learningRate is below 0' });
      const { cause } = error as Error;
      expect(cause).toBeInstanceOf(RangeError);
      expect(cause).toMatchObject({ stack: expect.stringMatching(/makeTraining .*worker/) });
    }
    const folds = crossValidate([{ learningRate: -1 }, { learningRate: -1 }], { workers: { start, count: 1 } });
    await expect(folds).rejects.toThrow(new RangeError('fold 1 of 2: learningRate is below 0'));
  });

  test('a trial that hangs is a row when its time is over, and the next one gets another worker', async () => {
    const hanging = { learningRate: choice([99, 0.1, 0.01]) };
    const { rows } = await search({ space: hanging, strategy: 'grid', workers: { start, count: 1, timeout: 3000 } });
    expect(rows.map(({ trial: number, error }) => [number, error])).toEqual([
      [expect.any(Number), null],
      [expect.any(Number), null],
      [0, 'search: the trial took longer than 3000 milliseconds: its worker was ended.'],
    ]);
    await expect(
      search({ space: hanging, strategy: 'grid', workers: { start, count: 1, timeout: -1 } }),
    ).rejects.toThrow('search: workers: timeout is -1: give milliseconds, above 0.');
  });

  test('the signal ends a search and folds whose trials hang, and no worker is left or begun', async () => {
    const begun: Worker[] = [];
    const begin = (): Worker => {
      const worker = start();
      begun.push(worker);
      return worker;
    };
    const hanging = { space: { learningRate: choice([99, 0.1, 99, 0.01]) }, strategy: 'grid' } as const;
    const controller = new AbortController();
    const searched = search({
      ...hanging,
      workers: { start: begin, count: 2 },
      signal: controller.signal,
      onTrial: ({ settings: { learningRate } }) => learningRate === 0.1 && controller.abort(new Error('enough')),
    });
    await expect(searched).rejects.toThrow('enough');
    const folds = crossValidate([{ learningRate: 99 }], {
      workers: { start: begin, count: 1 },
      signal: AbortSignal.timeout(300),
    });
    await expect(folds).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(begun).toHaveLength(3);
    for (const { threadId } of begun) expect(threadId).toBe(-1);
  });

  test('what onTrial throws ends the search, and no worker is begun after it', async () => {
    let begun = 0;
    const begin = (): Worker => {
      begun++;
      return start();
    };
    await expect(
      search({
        space: { learningRate: choice([0.1, 99, 0.01, 0.02]) },
        strategy: 'grid',
        workers: { start: begin, count: 2 },
        onTrial: () => {
          throw new Error('not so');
        },
      }),
    ).rejects.toThrow('not so');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(begun).toBe(2);
  });

  test('a worker whose module ends at once and serves nothing is told of', async () => {
    const empty = (): Worker => new Worker('1', { eval: true });
    const wanted = 'a worker ended and had said nothing: does its module call';
    await expect(search({ space, strategy: 'grid', workers: { start: empty, count: 2 } })).rejects.toThrow(
      `search: ${wanted} serveTrials(trial)?`,
    );
    await expect(trainInWorker<Task>(empty(), { learningRate: 0.1, epochs: 1 }).outcome).rejects.toThrow(
      `trainInWorker: ${wanted} serveTraining(...)?`,
    );
  });

  test('a worker that ends or fails while it has nothing to do costs no trial and no time', async () => {
    const begun: Worker[] = [];
    const begin = (): Worker => {
      begun.push(start());
      return begun.at(-1)!;
    };
    const workers = { start: begin, count: 1 };
    const pool = openPool<{ readonly learningRate: number }, number>('search', { workers });
    const context = { seed: 1, budget: 0, state: null };
    const run = (learningRate: number) => pool.run({ input: { learningRate }, context });
    // 98 exits and 97 throws after its result
    for (const learningRate of [98, 97]) {
      expect(await run(learningRate)).toMatchObject({ result: 0 });
      await new Promise((resolve) => void begun.at(-1)!.on('exit', resolve));
      expect(await run(0.1)).toMatchObject({ result: expect.any(Number) });
    }
    expect(begun).toHaveLength(3);
    await pool.close();
    for (const { threadId } of begun) expect(threadId).toBe(-1);
  });

  test('a trial that a worker was sent while it ended goes to the next one', async () => {
    let begun = 0;
    // takes one trial, and ends when it is sent the second
    const begin = (): WorkerLike => {
      begun++;
      const worker = new EventEmitter();
      let taken = 0;
      const postMessage = ({ id }: { readonly id: number }): void => {
        if (taken++ > 0) return void queueMicrotask(() => worker.emit('exit', 1));
        for (const told of [{ type: 'taken' }, { type: 'result', result: 0.5 }])
          queueMicrotask(() => worker.emit('message', { nn: 'trial', id, ...told }));
      };
      return Object.assign(worker, { postMessage, terminate: () => undefined }) as unknown as WorkerLike;
    };
    const workers = { start: begin, count: 1 };
    const { rows } = await search({ space, strategy: 'grid', workers });
    expect(rows.map(({ error }) => error)).toEqual([null, null, null]);
    expect(begun).toBe(3);
  });

  test('a worker that dies costs its trial, not the search', async () => {
    const { rows } = await search({
      space: { learningRate: choice([1000, 0.1, 0.01]) },
      strategy: 'grid',
      workers: { start, count: 1 },
    });
    expect(rows.map(({ trial: number, error }) => [number, error])).toEqual([
      [expect.any(Number), null],
      [expect.any(Number), null],
      [0, 'the worker ended with code 7'],
    ]);
  });
});
