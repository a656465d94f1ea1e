/**
 * A step of DP-SGD beside the plain step of the same rows, in turns, for the MLP and the CNN of the benchmarks: ratios of the
 * processor's times, one thread.
 *
 *   npm run build && node bench/privacy.mjs
 */
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed } from '@nn/core';
import { Dataset } from '@nn/data';
import { Conv2d, crossEntropy, Linear, MaxPool2d, relu, Sequential } from '@nn/layers';
import { SGD } from '@nn/optim';
import { PoissonLoader, PrivateOptimizer } from '@nn/privacy';
import { print } from './harness/print.mjs';
import { median } from './harness/statistics.mjs';
import { textTable } from './report/format.mjs';

setDefaultBackend(cpu({ threads: 1 }));
const size = 4096;
const targets = { data: Int32Array.from({ length: size }, (_, i) => i % 10), shape: [size] };
/** @param {number[]} shape */
const inputs = (shape) => {
  const count = shape.reduce((a, b) => a * b, size);
  return { data: Float32Array.from({ length: count }, (_, i) => Math.sin(i)), shape: [size, ...shape] };
};
const models = {
  mlp: {
    shape: [784],
    rows: 128,
    build: () => new Sequential(new Linear(784, 512), relu, new Linear(512, 256), relu, new Linear(256, 10)),
  },
  cnn: {
    shape: [1, 28, 28],
    rows: 32,
    build: () =>
      new Sequential(
        ...[new Conv2d(1, 32, 3), relu, new Conv2d(32, 64, 3), relu, new MaxPool2d(2)],
        ...[
          (/** @type {import('@nn/core').Tensor} */ x) => x.flatten(1),
          new Linear(9216, 128),
          relu,
          new Linear(128, 10),
        ],
      ),
  },
};

/** @param {() => Promise<unknown>} step */
async function timed(step) {
  const start = process.cpuUsage();
  await step();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

const rows = [];
for (const [name, { shape, rows: batchSize, build }] of Object.entries(models)) {
  const dataset = new Dataset({ inputs: inputs(shape), targets });
  // both sides see the rows of one batch, its padding among them
  const loader = new PoissonLoader(dataset, { batchSize, seed: 1 });
  // what one would train on without privacy: as many rows as samples are expected, here all of a small set
  const even = new PoissonLoader(dataset.take(Array.from({ length: batchSize }, (_, i) => i)), {
    batchSize,
    capacity: batchSize,
  });
  setSeed(1);
  const plainModel = build();
  const plain = new SGD(plainModel, { learningRate: 0.01 });
  /** @type {Record<string, () => Promise<unknown>>} */
  const steps = {
    plain: () => {
      const batch = loader.draw();
      return plain.step(crossEntropy(plainModel.forward(batch.inputs), batch.targets));
    },
    unpadded: () => {
      const batch = even.draw();
      return plain.step(crossEntropy(plainModel.forward(batch.inputs), batch.targets));
    },
  };
  for (const method of /** @type {const} */ (['ghost', 'vmap'])) {
    const model = build();
    const optimizer = new PrivateOptimizer(new SGD(model, { learningRate: 0.01 }), model, {
      noiseMultiplier: 1,
      method,
    });
    steps[method] = () =>
      optimizer.step(loader.draw(), (batch) =>
        crossEntropy(model.forward(batch.inputs), batch.targets, { reduction: 'none' }),
      );
  }
  /** @type {Record<string, number[]>} */
  const times = { plain: [], unpadded: [], ghost: [], vmap: [] };
  for (const step of Object.values(steps)) for (let warm = 0; warm < 6; warm++) await step();
  for (let turn = 0; turn < 11; turn++) {
    for (const [kind, step] of Object.entries(steps)) times[kind]?.push(await timed(step));
  }
  const middle = (/** @type {string} */ kind) => median(times[kind] ?? []);
  rows.push([
    name,
    String(loader.capacity),
    middle('plain').toFixed(1),
    `${(middle('ghost') / middle('plain')).toFixed(2)} x`,
    `${(middle('vmap') / middle('plain')).toFixed(2)} x`,
    `${(middle('ghost') / middle('unpadded')).toFixed(2)} x`,
  ]);
}
print(textTable([['model', 'rows', 'plain, ms', 'ghost', 'vmap', 'ghost, padding counted'], ...rows]));
