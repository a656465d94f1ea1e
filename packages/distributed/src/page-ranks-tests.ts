/**
 * What each rank runs in a page: a worker that the page starts, and those that it starts itself. All calls, then training; rank 0
 * tells the page what it found.
 */
import { cpu } from '@nn/backend-cpu';
import { parameters, setDefaultBackend, setSeed } from '@nn/core';
import { DataLoader, moons } from '@nn/data';
import { crossEntropy, Linear, Sequential, tanh } from '@nn/layers';
import { Adam } from '@nn/optim';
import { Training } from '@nn/train';
import { dataParallel, type Group, workers } from './index.ts';

/** What a worker posts to the page beside what groups say to each other. */
export interface Told {
  readonly size: number;
  readonly name: string;
  readonly sums: readonly number[];
  readonly gathered: readonly number[];
  readonly values: readonly number[];
  readonly loss: number;
}

const size = Number(new URL(location.href).searchParams.get('ranks') ?? '1');

async function train(group: Group): Promise<Pick<Told, 'values' | 'loss'>> {
  setDefaultBackend(cpu({ threads: 1 }));
  setSeed(1);
  const model = new Sequential(new Linear(2, 8), tanh, new Linear(8, 2));
  const slice = { index: group.rank, count: group.size };
  const training = new Training({
    group,
    model,
    optimizer: await dataParallel(new Adam(model, { learningRate: 0.05 }), group),
    data: new DataLoader(moons(45, { seed: 1 }), { batchSize: 16, shuffle: true, seed: 1, slice }),
    step: ({ inputs, targets }) => crossEntropy(model.forward(inputs), targets),
    epochs: 2,
  });
  const { history } = await training.run();
  const values = await Promise.all(parameters(model).map(async (one) => [...(await one.data())]));
  return { values: values.flat(), loss: history.at(-1)!.values.loss };
}

const group = await workers(size);
const sums = await group.allReduce(Float32Array.from({ length: 300_000 }, (_, at) => group.rank + (at % 10)));
const gathered = await group.allGather(Int32Array.of(group.rank));
const trained = await train(group);
if (group.rank === 0) {
  const told: Told = {
    size: group.size,
    name: group.name,
    sums: [...sums.subarray(0, 3)],
    gathered: [...gathered],
    ...trained,
  };
  postMessage({ told });
}
await group.close();
if (group.rank === 0) postMessage({ closed: true });
