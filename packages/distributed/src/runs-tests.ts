/**
 * Runs of a `Training` that every rank makes, for tests: one that is killed and taken up again, one that a rank stops, one that
 * is compiled. Its argument is a `Wanted` as JSON; what rank 0 finds is printed as one line of JSON.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import { parameters, setDefaultBackend, setSeed, type Tensor } from '@nn/core';
import { DataLoader, type Fold, kFolds, moons } from '@nn/data';
import { BatchNorm1d, crossEntropy, Dropout, Linear, relu, Sequential, tanh } from '@nn/layers';
import { Accuracy, CharacterErrorRate, read } from '@nn/metrics';
import { Adam } from '@nn/optim';
import { loadCheckpoint, saveCheckpoint } from '@nn/serialize';
import { type Callback, choice, crossValidate, search, Training, validate } from '@nn/train';
import { checkpoint, resume } from '@nn/train/node';
import { dataParallel, type Group, sharded, workers } from './index.ts';
import { mpi } from './mpi/index.ts';

/** What a run is to be. */
interface Wanted {
  readonly what: 'killed' | 'noisy' | 'compiled' | 'sharded' | 'search' | 'validate';
  readonly workers?: number;
  readonly folder: string;
  /** The step after which rank 1 is killed, where the run was not taken up. */
  readonly killAt?: number;
  /** The state of a sharded optimizer that another number of ranks wrote is read, not written. */
  readonly isWritten?: boolean;
}

const wanted: Wanted = JSON.parse(process.argv[2]!);
setDefaultBackend(cpu({ threads: 1 }));
const options = { timeout: 30_000 };
const group: Group = await (wanted.workers === undefined ? mpi(options) : workers(wanted.workers, options));
const slice = { index: group.rank, count: group.size };

interface Run {
  readonly noisy?: boolean;
  readonly compile?: boolean;
  readonly folder?: string;
  readonly callbacks?: readonly Callback[];
}

/** Three epochs of moons; `noisy` with BatchNorm and Dropout, which each rank has of its own. */
async function runOf({ noisy = false, compile = false, folder, callbacks = [] }: Run) {
  setSeed(1);
  const model = noisy
    ? new Sequential(new Linear(2, 16), new BatchNorm1d(16), relu, new Dropout(0.3), new Linear(16, 2))
    : new Sequential(new Linear(2, 16), tanh, new Linear(16, 2));
  if (noisy) setSeed(7 + 10 * group.rank);
  const accuracy = new Accuracy();
  const training = new Training({
    group,
    model,
    optimizer: await dataParallel(new Adam(model, { learningRate: 0.05 }), group, { deterministic: true }),
    data: new DataLoader(moons(96, { seed: 1 }), { batchSize: 16, shuffle: true, seed: 1, slice }),
    validation: { data: new DataLoader(moons(50, { seed: 2 }), { batchSize: 16, slice }) },
    metrics: { accuracy },
    step: ({ inputs, targets }) => {
      const logits = model.forward(inputs);
      accuracy.update(logits, targets);
      return crossEntropy(logits, targets);
    },
    epochs: 3,
    readEvery: 2,
    compile,
    callbacks: [...(folder === undefined ? [] : [checkpoint({ folder, every: 2 })]), ...callbacks],
  });
  const resumed = folder !== undefined && (await resume(training, folder));
  return { training, resumed, model };
}

const valuesOf = async (model: object): Promise<number[]> =>
  (await Promise.all(parameters(model).map(async (one) => [...(await one.data())]))).flat();

async function run(how: Run): Promise<object> {
  const { training, model } = await runOf(how);
  const { why, step, history } = await training.run();
  return { why, step, history, values: await valuesOf(model) };
}

/** A run to its end, then the same again, killed in mid-step; or the second one taken up. */
async function killed(): Promise<object> {
  const { folder, killAt } = wanted;
  const reference = join(folder, 'whole.json');
  let isNew = false;
  const kill: Callback = {
    handle: (event) => {
      if (isNew && event.type === 'step' && event.step === killAt && group.rank === 1)
        process.kill(process.pid, 'SIGKILL');
    },
  };
  const found = await runOf({ folder, callbacks: [kill] });
  isNew = !found.resumed;
  if (isNew) {
    const whole = await run({});
    if (group.rank === 0) writeFileSync(reference, JSON.stringify(whole));
  }
  const { stepCount } = found.training;
  const { why, step, history } = await found.training.run();
  const mine = { why, step, history, values: await valuesOf(found.model) };
  return { from: stepCount, whole: JSON.parse(readFileSync(reference, 'utf8')), mine };
}

/** A run to its end; and one that rank 1 alone stops, taken up by a training that is made anew. */
async function noisy(): Promise<object> {
  const { folder } = wanted;
  const whole = await run({ noisy: true });
  const stop: Callback = {
    handle: (event, training) => {
      if (event.type === 'step' && event.step === 7 && group.rank === 1) training.stop();
    },
  };
  const stopped = await run({ noisy: true, folder, callbacks: [stop] });
  await group.barrier();
  const again = await run({ noisy: true, folder });
  const apart = await differences(again);
  return { whole, stopped, again, apart };
}

/** How far the values of other ranks are from those of rank 0. */
async function differences(found: object): Promise<number> {
  const { values } = found as { values: number[] };
  const all = await group.allGather(Float32Array.from(values));
  return Math.max(...all.map((value, at) => Math.abs(value - all[at % values.length]!)));
}

/** Adam spread over the ranks: its state in one file, read by an optimizer of its own and by ranks, here or in another run. */
async function shards(): Promise<object> {
  const path = join(wanted.folder, 'sharded.safetensors');
  const made = async () => {
    setSeed(1);
    const model = new Sequential(new Linear(2, 8), tanh, new Linear(8, 2));
    const adam = (mine: object): Adam => new Adam(mine, { learningRate: 0.05 });
    return { model, adam, optimizer: await sharded(adam, parameters(model), group) };
  };
  type Made = Awaited<ReturnType<typeof made>>;
  const steps = async ({ model, optimizer }: Made, from: number, to: number): Promise<void> => {
    for (let step = from; step < to; step++) {
      const loader = new DataLoader(moons(16, { seed: step }), { batchSize: 16, slice });
      for (const { inputs, targets, count } of loader) {
        await optimizer.stepOf(count, crossEntropy(model.forward(inputs), targets));
      }
    }
  };
  const first = await made();
  await steps(first, 0, 4);
  const whole = await first.optimizer.consolidate();
  if (whole !== null && !wanted.isWritten) await saveCheckpoint(path, { model: first.model, optimizer: whole });
  await steps(first, 4, 8);
  await group.barrier();
  const second = await made();
  const read = second.adam(parameters(second.model));
  await loadCheckpoint(path, { model: second.model, optimizer: read });
  await second.optimizer.distribute(read);
  await steps(second, 4, 8);
  return {
    values: await valuesOf(first.model),
    again: await valuesOf(second.model),
    stepCount: second.optimizer.stepCount,
  };
}

/** A search and a cross-validation whose trials are dealt out to the ranks. */
async function searched(): Promise<object> {
  const seen: number[] = [];
  const space = { x: choice([0, 1, 2, 3, 4]), y: choice([0, 1]) };
  const here: number[] = [];
  const { rows } = await search({
    space,
    strategy: 'grid',
    group,
    onTrial: ({ trial }) => seen.push(trial),
    trial: ({ x, y }) => {
      here.push(x);
      if (x === 4) throw new Error('too large');
      return (x - 2) ** 2 + y;
    },
  });
  const { best, rows: halved } = await search({
    space,
    strategy: 'halving',
    trials: 6,
    budget: { least: 1, most: 9 },
    seed: 3,
    group,
    trial: ({ x, y }, { budget, state }) => {
      // the bytes of one budget are there for the next, wherever it runs
      const before = state instanceof Uint8Array ? state[0]! : 0;
      return { score: x + y + before / 100, state: Uint8Array.of(before + budget) };
    },
  });
  const asha = await search({
    ...{ space, strategy: 'asha', trials: 6, budget: { least: 1, most: 9 }, seed: 3, group },
    trial: ({ x, y }) => x + y,
  });
  const folds = await crossValidate(kFolds(moons(30, { seed: 1 }), { folds: 3 }), {
    group,
    trial: ({ train, test }: Fold) => ({ rows: train.length + test.length / 100 }),
  });
  const shares = await group.allGather(Int32Array.of(here.length));
  const plain = (list: readonly object[]) => list.map((row) => ({ ...row, seconds: 0 }));
  return {
    rows: plain(rows),
    seen,
    shares: [...shares],
    halved: plain(halved),
    best: best.settings,
    asha: asha.best.score,
    folds: folds.rows,
  };
}

/** Metrics over what the ranks have together, the text's on the host, too; and a signal that one rank has. */
async function validated(): Promise<object> {
  const texts = ['abcd', 'abxd', 'xxxx', 'abc', 'abcdef'];
  const mine = texts.filter((_, at) => at % group.size === group.rank);
  const errors = new CharacterErrorRate();
  const accuracy = new Accuracy();
  setSeed(1);
  const model = new Linear(2, 2);
  const data = () => new DataLoader(moons(41, { seed: 3 }), { batchSize: 8, slice });
  const step = ({ inputs, targets }: { readonly inputs: Tensor; readonly targets: Tensor }): Tensor => {
    const logits = model.forward(inputs);
    accuracy.update(logits, targets);
    return crossEntropy(logits, targets);
  };
  errors.update(
    mine,
    mine.map(() => 'abcd'),
  );
  const { errors: readings } = await read({ errors }, { gather: (own) => group.allGatherLists(own) });
  const values = await validate(data(), step, { metrics: { accuracy }, group });
  const controller = new AbortController();
  if (group.rank === 1) controller.abort(new Error('enough'));
  const said = await validate(data(), step, { signal: controller.signal, group }).then(
    () => 'nothing',
    (error: Error) => error.message,
  );
  return { values, said, errors: readings.epoch };
}

const kinds: Readonly<Record<Wanted['what'], () => Promise<object>>> = {
  killed,
  noisy,
  compiled: async () => ({ plain: await run({}), compiled: await run({ compile: true }) }),
  sharded: shards,
  search: searched,
  validate: validated,
};
const found = await kinds[wanted.what]();
if (group.rank === 0) process.stdout.write(`${JSON.stringify(found)}\n`);
await group.close();
