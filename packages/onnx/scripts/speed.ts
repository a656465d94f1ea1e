/**
 * Imported networks at batch 1 beside onnxruntime-web on one thread: the same file, the same input, in turns, medians and their ratio.
 * Run as users run it, bundled, because loaders that keep the names of functions cost small networks a part of their time:
 * `npx esbuild packages/onnx/scripts/speed.ts --bundle --platform=node --format=esm --conditions=@nn/source --outfile=speed.mjs`, and `node speed.mjs [NAME]`.
 * NN_ORT names the folder of onnxruntime-web, NN_ONNX that of the fixtures.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed, type Tensor, tensor } from '@nn/core';
import {
  BatchNorm2d,
  Conv2d,
  Flatten,
  LayerNorm,
  Linear,
  LSTM,
  MaxPool2d,
  ReLU,
  Sequential,
  TransformerEncoder,
  TransformerEncoderLayer,
} from '@nn/layers';
import { mobileNetV2, resnet18 } from '@nn/vision';
import { encodeOnnx } from '../src/export/encode-onnx.ts';
import { loadOnnx } from '../src/load/load-onnx.ts';

setDefaultBackend(cpu({ threads: 1 }));
setSeed(1);
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const place = process.env.NN_ORT ?? join(root, 'bench/node_modules/onnxruntime-web');
const light = join(process.env.NN_ONNX ?? resolve(root, '../shared/fixtures/onnx'), 'light');

interface Runtime {
  readonly InferenceSession: { create(bytes: Uint8Array): Promise<Session> };
  readonly Tensor: new (type: string, data: unknown, shape: readonly number[]) => unknown;
  readonly env: { wasm: { numThreads: number }; logLevel: string };
}
interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, unknown>): Promise<Record<string, { data: ArrayLike<number> }>>;
}
const runtime = (await import(pathToFileURL(join(place, 'dist/ort.node.min.mjs')).href)) as Runtime;
runtime.env.wasm.numThreads = 1;
runtime.env.logLevel = 'error';

/** The last hidden state of a sentence, and two numbers of it. */
class Reader {
  lstm: LSTM = new LSTM(64, 128, { batchFirst: true });
  head: Linear = new Linear(128, 2);
  forward(x: Tensor): Tensor {
    return this.head.forward(this.lstm.forward(x).output.at([], -1));
  }
}

const encoder = (layers: number, width: number): TransformerEncoder =>
  new TransformerEncoder(() => new TransformerEncoderLayer(width, 8, { batchFirst: true, activation: 'gelu' }), layers);

/** Decoder blocks with causal attention, from vectors of tokens to scores of the next one. */
class Gpt {
  blocks: TransformerEncoder = encoder(4, 256);
  norm: LayerNorm = new LayerNorm(256);
  head: Linear = new Linear(256, 1000);
  forward(x: Tensor): Tensor {
    return this.head.forward(this.norm.forward(this.blocks.forward(x, { causal: true })));
  }
}

type Case = readonly [name: string, shape: readonly number[], file: () => Promise<Uint8Array> | Uint8Array];
const exported = (name: string, shape: readonly number[], make: () => { forward(x: Tensor): unknown }): Case => [
  name,
  shape,
  () => encodeOnnx(make(), shape),
];
const cases: readonly Case[] = [
  exported(
    'MLP 784-512-256-10',
    [1, 784],
    () => new Sequential(new Linear(784, 512), new ReLU(), new Linear(512, 256), new ReLU(), new Linear(256, 10)),
  ),
  exported(
    'CNN of 28 x 28',
    [1, 1, 28, 28],
    () =>
      new Sequential(
        new Conv2d(1, 32, 3, { padding: 1 }),
        new BatchNorm2d(32),
        new ReLU(),
        new MaxPool2d(2),
        new Conv2d(32, 64, 3, { padding: 1 }),
        new ReLU(),
        new MaxPool2d(2),
        new Flatten(),
        new Linear(3136, 10),
      ),
  ),
  exported('LSTM, 50 steps of 128', [1, 50, 64], () => new Reader()),
  exported('Transformer encoder, 4 x 256, 64 tokens', [1, 64, 256], () => encoder(4, 256)),
  exported('GPT, 4 x 256, 128 tokens', [1, 128, 256], () => new Gpt()),
  exported('ResNet-18, 224 x 224', [1, 3, 224, 224], () => resnet18()),
  exported('MobileNetV2, 224 x 224', [1, 3, 224, 224], () => mobileNetV2()),
  ...['squeezenet', 'resnet50'].flatMap((name): Case[] => {
    const path = join(light, `light_${name}.onnx`);
    return existsSync(path) ? [[`${name} of onnx, 224 x 224`, [1, 3, 224, 224], () => readFileSync(path)]] : [];
  }),
];

const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1]!;
const print = (line: string): void => void process.stdout.write(`${line}\n`);
print('| network | nn, ms | onnxruntime-web, ms | onnxruntime / nn | outputs differ by |\n|---|---|---|---|---|');
for (const [name, shape, file] of cases.filter(([each]) => each.includes(process.argv[2] ?? ''))) {
  const bytes = new Uint8Array(await file());
  const model = await loadOnnx(bytes);
  const session = await runtime.InferenceSession.create(bytes);
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, (_, k) => Math.sin(k));
  const [input, output] = [model.inputs[0]!.name, model.outputs[0]!.name];
  const ours = async (): Promise<ArrayLike<number>> => {
    const outputs = await model.run({ [input]: tensor(values, { shape }) });
    return (outputs[output] as Tensor).data();
  };
  const theirs = async (): Promise<ArrayLike<number>> => {
    const feeds = { [session.inputNames[0]!]: new runtime.Tensor('float32', values, shape) };
    return (await session.run(feeds))[session.outputNames[0]!]!.data;
  };
  const [a, b] = [await ours(), await theirs()];
  let difference = 0;
  for (let k = 0; k < a.length; k++) difference = Math.max(difference, Math.abs(a[k]! - b[k]!) / (1 + Math.abs(b[k]!)));
  // small networks take so long to be compiled by the engine of JavaScript, on both sides
  const warm = performance.now() + 1000;
  for (let k = 0; k < 3 || (k < 1000 && performance.now() < warm); k++) for (const run of [ours, theirs]) await run();
  const times: [number[], number[]] = [[], []];
  const until = performance.now() + 4000;
  for (let round = 0; round < 2000 && (round < 7 || performance.now() < until); round++) {
    for (const [side, run] of [ours, theirs].entries()) {
      const start = performance.now();
      await run();
      times[side]!.push(performance.now() - start);
    }
  }
  const [mine, other] = times.map(median) as [number, number];
  print(
    `| ${name} | ${mine.toPrecision(3)} | ${other.toPrecision(3)} | ${(other / mine).toFixed(2)} | ${difference.toExponential(0)} |`,
  );
}
