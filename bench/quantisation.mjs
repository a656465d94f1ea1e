/**
 * Whole numbers beside float32, in nn and in onnxruntime-web: the same networks, the same weights, one thread, taking turns in one process.
 * Each answer is checked against float32 before its time counts. Run from the sources by
 * `node --conditions=@nn/source bench/quantisation.mjs` after `npm run bench` has installed the libraries once; prints the tables of
 * docs/benchmarks.md. `--native`: nn's native backend in place of WebAssembly.
 */

import { cpu } from '@nn/backend-cpu';
import { native } from '@nn/backend-native';
import { quantise } from '@nn/compress';
import { compile, setDefaultBackend, setSeed, uniform } from '@nn/core';
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '@nn/layers';
import { encodeOnnx } from '@nn/onnx';
import { print } from './harness/print.mjs';
import { median } from './harness/statistics.mjs';

const { env, InferenceSession, Tensor } = await import('onnxruntime-web');
env.wasm.numThreads = 1;
env.logLevel = 'error';
const backend = process.argv.includes('--native') ? native({ wait: true }) : cpu();
if ('ready' in backend) await backend.ready();
setDefaultBackend(backend);

/** @type {Record<string, { readonly shape: readonly number[], readonly make: () => Sequential }>} */
const networks = {
  'MLP 784-512-256-10': {
    shape: [784],
    make: () => new Sequential(new Linear(784, 512), new ReLU(), new Linear(512, 256), new ReLU(), new Linear(256, 10)),
  },
  'CNN, 5x5': {
    shape: [1, 28, 28],
    make: () =>
      new Sequential(
        ...[new Conv2d(1, 32, 5), new ReLU(), new MaxPool2d(2), new Conv2d(32, 64, 5), new ReLU(), new MaxPool2d(2)],
        ...[new Flatten(), new Linear(1024, 128), new ReLU(), new Linear(128, 10)],
      ),
  },
  'depthwise 3x3': {
    shape: [64, 28, 28],
    make: () => new Sequential(new Conv2d(64, 64, 3, { padding: 1, groups: 64 })),
  },
  'separable, 64 to 128': {
    shape: [64, 14, 14],
    make: () =>
      new Sequential(
        ...[new Conv2d(64, 64, 3, { padding: 1, groups: 64 }), new ReLU(), new Conv2d(64, 128, 1), new ReLU()],
        ...[new Conv2d(128, 128, 3, { padding: 1, groups: 128 }), new ReLU(), new Conv2d(128, 128, 1)],
      ),
  },
  'CNN, 3x3': {
    shape: [1, 28, 28],
    make: () =>
      new Sequential(
        ...[new Conv2d(1, 32, 3), new ReLU(), new Conv2d(32, 64, 3), new ReLU(), new MaxPool2d(2)],
        ...[new Flatten(), new Linear(9216, 128), new ReLU(), new Linear(128, 10)],
      ),
  },
};

/** @typedef {{ readonly name: string, readonly run: () => Promise<Float32Array>, samples: number[], count: number }} Contender */

/** A model on nn, compiled. @param {string} name @param {Sequential} model @param {import('@nn/core').Tensor} x @returns {Promise<Contender>} */
async function ours(name, model, x) {
  const run = compile((/** @type {import('@nn/core').Tensor} */ input) => model.forward(input));
  return {
    name,
    run: async () => /** @type {Float32Array} */ (await (await run(x)).data()),
    samples: [],
    count: 1,
  };
}

/** A file on onnxruntime-web. @param {string} name @param {Uint8Array} file @param {Float32Array} values @param {readonly number[]} shape @returns {Promise<Contender>} */
async function theirs(name, file, values, shape) {
  const session = await InferenceSession.create(file, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
  const feeds = { [session.inputNames[0] ?? '']: new Tensor('float32', values, shape) };
  const output = session.outputNames[0] ?? '';
  return {
    name,
    run: async () => /** @type {Float32Array} */ ((await session.run(feeds))[output]?.data),
    samples: [],
    count: 1,
  };
}

/** The largest difference, as a share of the largest magnitude. @param {Float32Array} found @param {Float32Array} exact */
function distance(found, exact) {
  const most = exact.reduce((sum, value) => Math.max(sum, Math.abs(value)), 0);
  return found.reduce((sum, value, at) => Math.max(sum, Math.abs(value - (exact[at] ?? 0))), 0) / most;
}

/** Milliseconds of processor time: a neighbour that takes the core away is not counted. */
function busy() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Rounds in turn; milliseconds for one run, the median. @param {Contender[]} contenders @param {number} rounds */
async function measure(contenders, rounds) {
  for (const contender of contenders) {
    for (let k = 0; k < 20; k++) await contender.run();
    const start = performance.now();
    await contender.run();
    contender.count = Math.max(1, Math.round(10 / (performance.now() - start)));
  }
  for (let round = 0; round < rounds; round++) {
    for (let k = 0; k < contenders.length; k++) {
      const contender = /** @type {Contender} */ (contenders[(k + round) % contenders.length]);
      const start = busy();
      for (let turn = 0; turn < contender.count; turn++) await contender.run();
      contender.samples.push((busy() - start) / contender.count);
    }
  }
  return new Map(
    contenders.map(({ name, samples }) => [name, { median: median(samples), least: Math.min(...samples) }]),
  );
}

const digits = (/** @type {number} */ value) => value.toPrecision(3);
const rounds = Number(process.env.ROUNDS ?? 30);

print(
  '| network, batch | nn float32, ms | nn, seen ranges | nn, the same, prefer speed | nn, the same of 6 bits | nn, ranges of samples | onnxruntime float32 | onnxruntime int8 | nn int8 / float32 | prefer speed / float32 | 6 bits / float32 | nn int8 / onnxruntime int8 |',
);
print('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
// the names of networks, and parts of them, to run
const wanted = process.env.NETWORKS;
for (const [name, { shape, make }] of Object.entries(networks)) {
  if (wanted !== undefined && !name.includes(wanted)) continue;
  for (const batch of [1, 64]) {
    setSeed(1);
    const x = uniform([batch, ...shape]);
    const values = /** @type {Float32Array} */ (await x.data());
    const model = (/** @type {any} */ options) => {
      setSeed(2);
      const made = make();
      return options === null ? Promise.resolve(made) : quantise(made, options).then(() => made);
    };
    const plain = await model(null);
    const seen = await model({ mode: 'static', calibration: [x] });
    const fast = await model({ mode: 'static', calibration: [x], prefer: 'speed' });
    const six = await model({ mode: 'static', calibration: [x], levels: { low: 0, high: 63 } });
    const own = await model({ mode: 'dynamic' });
    // onnxruntime knows all 256 levels, and needs no clip for them
    const whole = await model({ mode: 'static', calibration: [x], levels: { low: 0, high: 255 }, symmetry: 'onnx' });
    const contenders = [
      await ours('float32', plain, x),
      await ours('seen', seen, x),
      await ours('fast', fast, x),
      await ours('six', six, x),
      await ours('own', own, x),
      await theirs('float32 of onnxruntime', await encodeOnnx(plain, [batch, ...shape]), values, [batch, ...shape]),
      await theirs('int8 of onnxruntime', await encodeOnnx(whole, [batch, ...shape]), values, [batch, ...shape]),
    ];
    const exact = await /** @type {Contender} */ (contenders[0]).run();
    for (const { name: who, run } of contenders) {
      const off = distance(await run(), exact);
      if (!(off < 0.05)) throw new Error(`${name}, ${who}: ${off} away from float32`);
    }
    const times = await measure(contenders, rounds);
    const at = (/** @type {string} */ who) => times.get(who)?.median ?? Number.NaN;
    const row = ['float32', 'seen', 'fast', 'six', 'own', 'float32 of onnxruntime', 'int8 of onnxruntime'].map((who) =>
      digits(at(who)),
    );
    const ratios = [
      at('float32') / at('seen'),
      at('float32') / at('fast'),
      at('float32') / at('six'),
      at('int8 of onnxruntime') / at('seen'),
    ].map((ratio) => `${ratio.toFixed(2)} x`);
    print(`| ${name}, ${batch} | ${[...row, ...ratios].join(' | ')} |`);
  }
}

print(
  '\n| Linear, batch 1 | float32, ms | weights of 8 bits | weights of 4 bits | bytes of weights, float32 / 4 bits | 4 bits / float32 |',
);
print('| --- | ---: | ---: | ---: | ---: | ---: |');
for (const size of wanted === undefined ? [512, 1024, 2048, 4096] : []) {
  setSeed(1);
  const x = uniform([1, size]);
  await x.data();
  const contenders = [];
  let smaller = 0;
  for (const bits of [0, 8, 4]) {
    setSeed(2);
    const layer = new Sequential(new Linear(size, size, { bias: false }));
    if (bits !== 0) {
      const { bytesBefore, bytesAfter } = await quantise(layer, { mode: 'weights', bits });
      smaller = bytesBefore / bytesAfter;
    }
    contenders.push(await ours(String(bits), layer, x));
  }
  const times = await measure(contenders, rounds);
  const at = (/** @type {string} */ bits) => times.get(bits)?.median ?? Number.NaN;
  print(
    `| ${size} x ${size} | ${['0', '8', '4'].map((bits) => digits(at(bits))).join(' | ')} | ${smaller.toFixed(1)} | ${(at('0') / at('4')).toFixed(2)} x |`,
  );
}
