/**
 * What quantising costs in accuracy: an MLP and a CNN trained on 7,500 of MNIST's digits, their answers to 1,500 others in float32 and
 * quantised in every way. Run by `node --conditions=@nn/source bench/quantisation-accuracy.mjs FOLDER`, where the folder holds the four
 * gzipped idx files; prints a table of docs/benchmarks.md.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { cpu } from '@nn/backend-cpu';
import { quantise, quantiseInTraining } from '@nn/compress';
import { namedParameters, noGradient, setDefaultBackend, setSeed, tensor } from '@nn/core';
import { Conv2d, crossEntropy, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '@nn/layers';
import { Adam } from '@nn/optim';
import { print } from './harness/print.mjs';

setDefaultBackend(cpu());
const folder = process.argv[2] ?? '.';
const read = (/** @type {string} */ name) => gunzipSync(readFileSync(join(folder, `${name}.gz`)));
const images = (/** @type {string} */ name) => {
  const bytes = read(`${name}-images-idx3-ubyte`);
  const count = bytes.readUInt32BE(4);
  return tensor(
    Float32Array.from(bytes.subarray(16), (value) => value / 255),
    { shape: [count, 1, 28, 28] },
  );
};
const labels = (/** @type {string} */ name) => Int32Array.from(read(`${name}-labels-idx1-ubyte`).subarray(8));
const [train, test] = [images('train'), images('t10k')];
const [trainLabels, testLabels] = [labels('train'), labels('t10k')];
const batch = 64;

/** With the number of epochs. @type {Record<string, { readonly epochs: number, readonly make: () => Sequential }>} */
const networks = {
  'MLP 784-256-10': {
    epochs: 6,
    make: () => new Sequential(new Flatten(), new Linear(784, 256), new ReLU(), new Linear(256, 10)),
  },
  'CNN, 5x5x16, 5x5x32, 64': {
    epochs: 4,
    make: () =>
      new Sequential(
        ...[new Conv2d(1, 16, 5), new ReLU(), new MaxPool2d(2), new Conv2d(16, 32, 5), new ReLU(), new MaxPool2d(2)],
        ...[new Flatten(), new Linear(512, 64), new ReLU(), new Linear(64, 10)],
      ),
  },
};

/** In another order each epoch. @param {Sequential} model @param {number} epochs */
async function fit(model, epochs) {
  const optimizer = new Adam(model, { learningRate: 0.001 });
  const pixels = await train.data();
  const order = Array.from(trainLabels.keys());
  let state = 7;
  const draw = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(draw() * (i + 1));
      [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
    }
    for (let from = 0; from + batch <= order.length; from += batch) {
      const rows = order.slice(from, from + batch);
      const x = new Float32Array(batch * 784);
      rows.forEach((row, at) => {
        x.set(/** @type {Float32Array} */ (pixels.subarray(row * 784, (row + 1) * 784)), at * 784);
      });
      const y = Int32Array.from(rows, (row) => trainLabels[row] ?? 0);
      await optimizer.step(crossEntropy(model.forward(tensor(x, { shape: [batch, 1, 28, 28] })), tensor(y)));
    }
  }
}

/** A pass over 4,096 samples more. @param {Sequential} model */
async function fitOn(model) {
  const optimizer = new Adam(model, { learningRate: 0.0003 });
  for (let from = 0; from + batch <= 4096; from += batch) {
    const x = train.slice([from, 0, 0, 0], [from + batch, 1, 28, 28]);
    await optimizer.step(crossEntropy(model.forward(x), tensor(trainLabels.slice(from, from + batch))));
  }
}

/** Percent. @param {Sequential} model */
async function accuracy(model) {
  const answers = await noGradient(() => model.forward(test))
    .argMax(1)
    .data();
  return (100 * answers.filter((answer, at) => answer === testLabels[at]).length) / testLabels.length;
}

const seen = [train.slice([0, 0, 0, 0], [256, 1, 28, 28])];
/** @type {Record<string, any>} */
const ways = {
  'ranges of samples': { mode: 'dynamic' },
  bounds: { mode: 'static', calibration: seen },
  'moving bounds': { mode: 'static', calibration: seen, observer: 'movingAverage' },
  percentile: { mode: 'static', calibration: seen, observer: 'percentile' },
  histogram: { mode: 'static', calibration: seen, observer: 'histogram' },
  entropy: { mode: 'static', calibration: seen, observer: 'entropy' },
  'bounds, 8 bits': { mode: 'static', calibration: seen, levels: { low: -128, high: 127 } },
  'weights, 8 bits': { mode: 'weights' },
  'weights, 4 bits': { mode: 'weights', bits: 4 },
};
print(`| network | float32 | ${Object.keys(ways).join(' | ')} | trained with rounding |`);
print(`| --- | ${['', ...Object.keys(ways), ''].map(() => '---:').join(' | ')} |`);
for (const [name, { epochs, make }] of Object.entries(networks)) {
  setSeed(3);
  const model = make();
  await fit(model, epochs);
  const kept = new Map();
  for (const [key, parameter] of namedParameters(model)) kept.set(key, await parameter.data());
  const copy = () => {
    const made = make();
    for (const [key, parameter] of namedParameters(made)) {
      parameter.assign(tensor(kept.get(key), { shape: parameter.shape }));
    }
    return made;
  };
  const row = [await accuracy(model)];
  for (const options of Object.values(ways)) {
    const quantised = copy();
    await quantise(quantised, options);
    row.push(await accuracy(quantised));
  }
  const trained = copy();
  quantiseInTraining(trained);
  await fitOn(trained);
  await quantise(trained, { mode: 'trained' });
  row.push(await accuracy(trained));
  print(`| ${name} | ${row.map((value) => value.toFixed(2)).join(' | ')} |`);
}
