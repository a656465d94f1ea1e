/**
 * What half floats save and cost: planned memory, bytes moved and time of inference and of a training step, in float32 and with products
 * on bfloat16 and float16, and of models whose parameters are half floats; with a folder of MNIST's digits the accuracy after
 * training in each instead. Run by `node --conditions=@nn/source bench/half.mjs [FOLDER]`; prints tables of docs/benchmarks.md.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuUsage } from 'node:process';
import { gunzipSync } from 'node:zlib';
import { cpu } from '@nn/backend-cpu';
import { cost } from '@nn/compress';
import { autocast, castParameters, compile, noGradient, setDefaultBackend, setSeed, tensor, uniform } from '@nn/core';
import {
  Conv2d,
  crossEntropy,
  Flatten,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
  TransformerEncoder,
  TransformerEncoderLayer,
} from '@nn/layers';
import { Adam, GradScaler } from '@nn/optim';
import { print } from './harness/print.mjs';

setDefaultBackend(cpu());
const cnn = () =>
  new Sequential(
    ...[new Conv2d(1, 16, 5), new ReLU(), new MaxPool2d(2), new Conv2d(16, 32, 5), new ReLU(), new MaxPool2d(2)],
    ...[new Flatten(), new Linear(512, 64), new ReLU(), new Linear(64, 10)],
  );
const mlp = () =>
  new Sequential(
    new Flatten(),
    new Linear(784, 512),
    new ReLU(),
    new Linear(512, 256),
    new ReLU(),
    new Linear(256, 10),
  );

class Gpt {
  encoder = new TransformerEncoder(
    () =>
      new TransformerEncoderLayer(256, 4, {
        feedForward: 1024,
        batchFirst: true,
        activation: 'gelu',
        normFirst: true,
        dropout: 0,
      }),
    2,
  );
  head = new Linear(256, 64);
  /** @param {import('@nn/core').Tensor} x */
  forward(x) {
    return this.head.forward(this.encoder.forward(x, { causal: true })).mean(1);
  }
}

/** @type {Record<string, { make: () => any, shape: number[], classes: number }>} */
const models = {
  'MLP 784-512-256-10, 64 rows': { make: mlp, shape: [64, 784], classes: 10 },
  'CNN, 5x5, 64 pictures': { make: cnn, shape: [64, 1, 28, 28], classes: 10 },
  'GPT, 2 blocks of 256, 4 x 128': { make: () => new Gpt(), shape: [4, 128, 256], classes: 64 },
};
/** @type {readonly ('float32' | 'bfloat16' | 'float16')[]} */
const dtypes = ['float32', 'bfloat16', 'float16'];
const megabytes = (/** @type {number} */ bytes) => (bytes / 2 ** 20).toFixed(2);
const median = (/** @type {number[]} */ values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** Milliseconds of processor time of each way, in turns. @param {(() => Promise<unknown>)[]} ways @param {number} rounds */
async function times(ways, rounds) {
  for (const way of ways) for (let i = 0; i < 3; i++) await way();
  const found = ways.map(() => /** @type {number[]} */ ([]));
  for (let round = 0; round < rounds; round++) {
    for (const [k, way] of ways.entries()) {
      const start = cpuUsage();
      for (let i = 0; i < 4; i++) await way();
      const used = cpuUsage(start);
      found[k]?.push((used.user + used.system) / 4000);
    }
  }
  return found.map(median);
}

const folder = process.argv[2];
if (folder === undefined) {
  print('| model | | float32 | bfloat16 | float16 | parameters too, bfloat16 | parameters too, float16 |');
  print('| --- | --- | ---: | ---: | ---: | ---: | ---: |');
}
for (const [name, { make, shape, classes }] of folder === undefined ? Object.entries(models) : []) {
  setSeed(1);
  const x = tensor(await uniform(shape).data(), { shape });
  const y = tensor(Int32Array.from({ length: shape[0] ?? 1 }, (_, i) => i % classes));
  const ways = [
    ...dtypes.map((dtype) => ({ dtype, cast: false })),
    ...dtypes.slice(1).map((dtype) => ({ dtype, cast: true })),
  ];
  const rows = { inference: /** @type {any[]} */ ([]), training: /** @type {any[]} */ ([]) };
  for (const { dtype, cast } of ways) {
    const model = make();
    if (cast) castParameters(model, dtype);
    await noGradient(() => model.forward(x)).data(); // parameters are where they are to be
    const answer = compile((/** @type {any} */ input) => autocast(dtype, () => noGradient(() => model.forward(input))));
    const optimizer = new Adam(model, { learningRate: 0.001 });
    const scaler = dtype === 'float16' ? new GradScaler() : null;
    const step = async () => {
      const loss = autocast(dtype, () => crossEntropy(model.forward(x), y));
      await (scaler === null ? optimizer.step(loss) : scaler.step(optimizer, loss));
      return loss.item();
    };
    const once = await cost(async () => void (await autocast(dtype, () => noGradient(() => model.forward(x))).data()));
    rows.inference.push({ cost: once, run: async () => (await answer(x)).data() });
    rows.training.push({ cost: await cost(async () => void (await step())), run: step });
  }
  for (const [what, all] of Object.entries(rows)) {
    const cells = (/** @type {(row: any) => string} */ of) => all.map(of).join(' | ');
    print(
      `| ${name} | ${what}, planned memory, MB | ${cells(({ cost: { memoryBytes } }) => megabytes(memoryBytes))} |`,
    );
    print(`| | of it beside parameters, MB | ${cells(({ cost: { workingBytes } }) => megabytes(workingBytes))} |`);
    print(`| | moved, MB | ${cells(({ cost: { bytesMoved } }) => megabytes(bytesMoved))} |`);
    const found = await times(
      all.map(({ run }) => run),
      5,
    );
    print(`| | time, ms | ${found.map((value) => value.toFixed(2)).join(' | ')} |`);
  }
}

if (folder !== undefined) {
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
  const [train, test, trainLabels, testLabels] = [images('train'), images('t10k'), labels('train'), labels('t10k')];
  print('| percent of digits | float32 | bfloat16 | float16, scaled | bfloat16 parameters too |');
  print('| --- | ---: | ---: | ---: | ---: |');
  for (const [name, make, epochs] of /** @type {const} */ ([
    ['MLP', mlp, 4],
    ['CNN', cnn, 3],
  ])) {
    const row = [];
    for (const [dtype, cast] of /** @type {const} */ ([
      ['float32', false],
      ['bfloat16', false],
      ['float16', false],
      ['bfloat16', true],
    ])) {
      setSeed(3);
      const model = make();
      if (cast) castParameters(model, dtype);
      const optimizer = new Adam(model, { learningRate: 0.001 });
      const scaler = dtype === 'float16' ? new GradScaler() : null;
      for (let epoch = 0; epoch < epochs; epoch++) {
        for (let from = 0; from + 64 <= trainLabels.length; from += 64) {
          const x = train.slice([from, 0, 0, 0], [from + 64, 1, 28, 28]);
          const loss = autocast(dtype, () =>
            crossEntropy(model.forward(x), tensor(trainLabels.slice(from, from + 64))),
          );
          await (scaler === null ? optimizer.step(loss) : scaler.step(optimizer, loss));
        }
      }
      const answers = await autocast(dtype, () => noGradient(() => model.forward(test)))
        .argMax(1)
        .data();
      row.push((100 * answers.filter((answer, at) => answer === testLabels[at]).length) / testLabels.length);
    }
    print(`| ${name} | ${row.map((value) => value.toFixed(2)).join(' | ')} |`);
  }
}
