/**
 * A program that every rank runs: all calls of a group with all kinds of numbers, then training. What rank 0 finds is printed as
 * one line of JSON. Started by mpirun, or with `workers N` as arguments.
 */

import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import { type Parameter, parameter, parameters, setDefaultBackend, setSeed, type Tensor, tensor } from '@nn/core';
import { DataLoader, moons } from '@nn/data';
import { crossEntropy, Linear, Sequential, tanh } from '@nn/layers';
import { Accuracy } from '@nn/metrics';
import { Adam, SGD } from '@nn/optim';
import { Training } from '@nn/train';
import {
  agree,
  bf16,
  dataParallel,
  type Group,
  GroupError,
  localSgd,
  type Numbers,
  partOf,
  powerSgd,
  sharded,
  workers,
} from './index.ts';
import { mpi } from './mpi/index.ts';

const [kind, count, timeout = '20000', what = 'all'] = process.argv.slice(2);
const options = { timeout: Number(timeout) };
const group = kind === 'workers' ? await workers(Number(count), options) : await mpi(options);
setDefaultBackend(cpu());

const kinds = [Float32Array, Float64Array, Int32Array] as const;

function filled(Kind: (typeof kinds)[number], length: number, value: (at: number) => number): Numbers {
  const values = new Kind(length);
  for (let at = 0; at < length; at++) values[at] = value(at);
  return values;
}

/** Whether all calls give what they must; long arrays go in pieces. */
async function calls(): Promise<string[]> {
  const { rank, size } = group;
  const wrong: string[] = [];
  const check = (name: string, found: Numbers, expected: (at: number) => number): void => {
    const at = found.findIndex((value, place) => value !== expected(place));
    if (at >= 0) wrong.push(`${name}[${at}] is ${found[at]}, not ${expected(at)}`);
  };
  const ranks = (size * (size - 1)) / 2;
  for (const Kind of kinds) {
    for (const length of [0, 1, 7, 300_000]) {
      const own = (): Numbers => filled(Kind, length, (at) => rank + (at % 100));
      const name = `${Kind.name}(${length})`;
      for (const fixed of [false, true]) {
        check(`sum of ${name}`, await group.allReduce(own(), 'sum', { fixed }), (at) => ranks + size * (at % 100));
      }
      check(`max of ${name}`, await group.allReduce(own(), 'max'), (at) => size - 1 + (at % 100));
      check(`min of ${name}`, await group.allReduce(own(), 'min'), (at) => at % 100);
      const root = size - 1;
      check(`broadcast of ${name}`, await group.broadcast(own(), root), (at) => root + (at % 100));
      const gathered = await group.allGather(own());
      check(`gather of ${name}`, gathered, (at) => Math.floor(at / length) + ((at % length) % 100));
      const [from] = partOf(length, rank, size);
      check(`part of ${name}`, await group.reduceScatter(own()), (at) => ranks + size * ((from + at) % 100));
    }
    const each = await group.allGatherEach(filled(Kind, 5 * rank, (at) => 100 * rank + at));
    check('ranks in gather of each', Int32Array.of(each.length), () => size);
    for (const [from, values] of each.entries()) {
      check('lengths in gather of each', Int32Array.of(values.length), () => 5 * from);
      check('gather of each', values, (at) => 100 * from + at);
    }
    const lists = await group.allGatherLists([filled(Kind, rank, (at) => at - rank), [], [rank / 8]]);
    for (const [from, [one, none, other]] of lists.entries()) {
      check(
        'lists of ranks',
        Int32Array.of(lists.length, one?.length ?? -1, none?.length ?? -1),
        (at) => [size, from, 0][at]!,
      );
      check('numbers of lists', Float64Array.of(...(one ?? []), ...(other ?? [])), (at) =>
        at === from ? from / 8 : at - from,
      );
    }
    const parts = filled(Kind, 3 * size, (at) => 100 * rank + at);
    check('all to all', await group.allToAll(parts), (at) => 100 * Math.floor(at / 3) + 3 * rank + (at % 3));
  }
  // calls made at once run one after the other
  const many = await Promise.all([1, 2, 3].map((value) => group.allReduce(Int32Array.of(value))));
  check('calls at once', Int32Array.from(many.flatMap((one) => [...one])), (at) => size * (at + 1));
  return wrong;
}

const wave = (length: number, start: number): Float32Array =>
  Float32Array.from({ length }, (_, at) => Math.sin(0.7 * at + start));

/** A small network whose parameters are those of rank 0 only there. */
function network(): { readonly all: Parameter[]; readonly loss: (step: number, from: number, to: number) => Tensor } {
  const shapes = [[8, 4], [8], [3, 8], [3]] as const;
  const all = shapes.map((shape, at) => {
    const size = shape.reduce((product: number, extent) => product * extent, 1);
    return parameter(
      wave(size, at).map((value) => value / 2 + group.rank),
      { shape: [...shape] },
    );
  });
  const [w1, b1, w2, b2] = all as [Parameter, Parameter, Parameter, Parameter];
  return {
    all,
    loss: (step, from, to) => {
      const x = tensor(wave(32, step).slice(4 * from, 4 * to), { shape: [to - from, 4] });
      const y = tensor(wave(24, step + 0.5).slice(3 * from, 3 * to), { shape: [to - from, 3] });
      const hidden = x.matmul(w1.transpose()).add(b1).tanh();
      return hidden.matmul(w2.transpose()).add(b2).sub(y).square().mean();
    },
  };
}

interface Trained {
  readonly losses: number[];
  readonly parameters: number[][];
}

/** Five steps of a way of training, each rank with its rows of eight. */
async function trained(
  make: (all: Parameter[]) => Promise<{ stepOf(count: number, loss: Tensor): Promise<number> }>,
  rows = Array.from({ length: group.size + 1 }, (_, rank) => Math.round((8 * rank) / group.size)),
): Promise<Trained> {
  const { all, loss } = network();
  const optimizer = await make(all);
  const losses: number[] = [];
  for (let step = 0; step < 5; step++) {
    const [from, to] = [rows[group.rank]!, rows[group.rank + 1]!];
    losses.push(await optimizer.stepOf(to - from, loss(step, from, to)));
  }
  await agree(group, all);
  return { losses, parameters: await Promise.all(all.map(async (one) => [...(await one.data())])) };
}

async function training(): Promise<Record<string, Trained>> {
  const adam = (all: Parameter[]): Adam => new Adam(all, { learningRate: 0.05, clip: { globalNorm: 0.5 } });
  const uneven =
    group.size === 1 ? [0, 8] : [0, ...Array.from({ length: group.size }, (_, rank) => (rank === 0 ? 7 : 8))];
  return {
    plain: await trained((all) => dataParallel(adam(all), group)),
    buckets: await trained((all) => dataParallel(adam(all), group, { bucketBytes: 64, deterministic: true })),
    uneven: await trained((all) => dataParallel(adam(all), group), uneven),
    sharded: await trained((all) =>
      sharded((mine) => new Adam(mine, { learningRate: 0.05 }), all, group, { globalNorm: 0.5 }),
    ),
    bf16: await trained((all) => dataParallel(adam(all), group, { compress: bf16() })),
    powerSgd: await trained((all) =>
      dataParallel(adam(all), group, { compress: powerSgd({ rank: 1, startAfter: 1 }) }),
    ),
    parts: await trained(async (all) => {
      const optimizer = await dataParallel(adam(all), group);
      return {
        // the same gradient in two parts
        stepOf: async (count, loss) => {
          await optimizer.accumulate(loss.mul(0.25));
          return optimizer.stepOf(count, loss.mul(0.75));
        },
      };
    }),
    seldom: await trained(async (all) => {
      const optimizer = await localSgd(new SGD(all, { learningRate: 0.1 }), group, { every: 5, momentum: 0.5 });
      return {
        stepOf: async (_, loss) => {
          await optimizer.step(loss);
          return 0;
        },
      };
    }),
  };
}

/** A `Training` of all ranks: its history, what callbacks heard, and its parameters. */
async function fit(): Promise<object> {
  setSeed(1);
  const model = new Sequential(new Linear(2, 16), tanh, new Linear(16, 2));
  const accuracy = new Accuracy();
  const slice = { index: group.rank, count: group.size };
  const heard = { everywhere: 0, output: 0 };
  const training = new Training({
    model,
    optimizer: await dataParallel(new Adam(model, { learningRate: 0.05 }), group),
    data: new DataLoader(moons(90, { seed: 1 }), { batchSize: 32, shuffle: true, seed: 1, slice }),
    validation: { data: new DataLoader(moons(50, { seed: 2 }), { batchSize: 16, slice }) },
    metrics: { accuracy },
    step: ({ inputs, targets }) => {
      const logits = model.forward(inputs);
      accuracy.update(logits, targets);
      return crossEntropy(logits, targets);
    },
    epochs: 3,
    accumulate: 2,
    callbacks: [() => void heard.everywhere++, { isOutput: true, handle: () => void heard.output++ }],
    group,
  });
  const { history, step } = await training.run();
  const all = await group.allGather(Int32Array.of(heard.everywhere, heard.output));
  const { loss } = await training.evaluate(new DataLoader(moons(40, { seed: 3 }), { batchSize: 40, slice }));
  return { history, step, heard: [...all], loss, parameters: [...(await parameters(model)[0]!.data())] };
}

/** The same where samples and classes weigh differently, so that ranks with as many samples count differently. */
async function fitWeighed(accumulate: number, compile: boolean): Promise<object> {
  setSeed(1);
  const model = new Sequential(new Linear(2, 16), tanh, new Linear(16, 2));
  const slice = { index: group.rank, count: group.size };
  const training = new Training({
    model,
    optimizer: await dataParallel(new SGD(model, { learningRate: 0.5 }), group),
    data: new DataLoader(moons(90, { seed: 1 }), { batchSize: 32, shuffle: true, seed: 1, slice }),
    step: ({ inputs, targets }) => crossEntropy(model.forward(inputs), targets, { reduction: 'none' }),
    classWeights: [1, 4],
    sampleWeights: ({ inputs }) => inputs.square().sum(1),
    epochs: 3,
    accumulate,
    compile,
    group,
  });
  const { history } = await training.run();
  return { history, parameters: [...(await parameters(model)[0]!.data())] };
}

/** What a change that only one rank makes leads to. */
async function changed(): Promise<string> {
  const { all, loss } = network();
  const optimizer = await dataParallel(new SGD(all, { learningRate: 0.1 }), group, { checkEvery: 2 });
  try {
    for (let step = 0; step < 4; step++) {
      if (step === 1 && group.rank === 1) await all[1]!.assign(all[1]!.mul(1.0001));
      await optimizer.stepOf(1, loss(step, 0, 8));
    }
  } catch (error) {
    return error instanceof GroupError ? error.message : String(error);
  }
  return 'nothing';
}

/** What a rank says that waits for one that does not come. */
async function waiting(stop: (group: Group) => Promise<void> | void): Promise<string> {
  try {
    await group.barrier();
    if (group.rank === 1) await stop(group);
    await group.allReduce(Float32Array.of(1));
    return 'nothing';
  } catch (error) {
    if (!(error instanceof GroupError)) throw error;
    // the others may still have been on their way to the call
    return error.message.replace(/^barrier/, 'allReduce');
  }
}

const says = (found: object): void => {
  if (group.rank === 0) process.stdout.write(`${JSON.stringify({ name: group.name, size: group.size, ...found })}\n`);
};
if (what === 'all') {
  says({ wrong: await calls(), trained: await training() });
  await group.close();
} else if (what === 'fit') {
  says(await fit());
  await group.close();
} else if (what === 'weighed') {
  says({ plain: await fitWeighed(1, false), compiled: await fitWeighed(1, true), parts: await fitWeighed(2, true) });
  await group.close();
} else if (what === 'changed') {
  says({ said: await changed() });
  process.exit(3);
} else if (what === 'late') {
  says({ said: await waiting(() => new Promise((resolve) => setTimeout(resolve, 60_000))) });
  process.exit(3);
} else if (what === 'fails') {
  says({
    said: await waiting(() => {
      throw new Error('the disk is full');
    }),
  });
  process.exit(3);
} else if (what === 'leaves') {
  says({ said: await waiting(() => process.exit(0)) });
  process.exit(3);
} else if (what === 'killed') {
  says({ said: await waiting(() => process.kill(process.pid, 'SIGKILL') as unknown as undefined) });
  process.exit(3);
} else if (what === 'other') {
  if (group.rank === 1) await group.barrier().catch(() => undefined);
  says({ said: await group.allReduce(Float32Array.of(1)).then(String, (error: Error) => error.message) });
  process.exit(3);
}
