/**
 * What a training step of a translator costs: the Transformer of `--task translate` on a batch of sentences of one width, with
 * label smoothing, dropout, clipping and AdamW, in milliseconds and in tokens a second. `--profile` tells kernel by kernel where
 * the time goes. training.py beside it is the same step in PyTorch.
 * Run: npx tsx --conditions=@nn/source packages/text/bench/training.ts [--native] [--profile] [--sizes dimension,layers,batch,length,vocabulary]
 */
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import { native } from '@nn/backend-native';
import { compile, profile, setDefaultBackend, setSeed, type Tensor, tensor } from '@nn/core';
import { crossEntropy, sequenceMask } from '@nn/layers';
import { AdamW } from '@nn/optim';
import { Marian, teacherForcing } from '../src/index.ts';

const given = process.argv.slice(2);
const sizesAt = given.indexOf('--sizes');
const [dimension = 256, layers = 3, batch = 64, length = 16, vocabulary = 6000] =
  sizesAt < 0 ? [] : given[sizesAt + 1]!.split(',').map(Number);
const backend = given.includes('--native') ? native({ threads: 1 }) : cpu({ threads: 1 });
setDefaultBackend(backend);
setSeed(1);
const model = new Marian({
  ...{ vocabularySize: vocabulary, dimension, heads: 4, feedForward: 2 * dimension, contextLength: 64 },
  ...{ encoderLayers: layers, decoderLayers: layers, dropout: 0.1, startDeviation: 0.05, activation: 'relu' },
  ...{ paddingId: 0, startId: 1, endId: 2 },
});
const optimizer = new AdamW(model, { learningRate: 0.001, clip: { globalNorm: 1 } });
const ids = (): Tensor =>
  tensor(
    Int32Array.from({ length: batch * length }, () => 3 + Math.floor(Math.random() * (vocabulary - 3))),
    { shape: [batch, length] },
  );
const lengths = tensor(Int32Array.from({ length: batch }, (_, i) => length - (i % 3)));
const step = compile((sources: Tensor, targets: Tensor, real: Tensor) => {
  const mask = sequenceMask(real, length);
  const told = teacherForcing(targets, { startId: 1, mask });
  const scores = model.forward(sources, told.inputs, { sourceMask: mask });
  const loss = crossEntropy(scores.flatten(0, 1), told.targets.flatten(), { labelSmoothing: 0.1 });
  void optimizer.step(loss);
  return loss;
});
const one = async (): Promise<void> => {
  await (await step(ids(), ids(), lengths)).item();
};
for (let k = 0; k < 5; k++) await one();
if ('ready' in backend) {
  await backend.ready();
  for (let k = 0; k < 4; k++) await one();
  await backend.ready();
}
const times: number[] = [];
for (let k = 0; k < 8; k++) {
  const started = process.cpuUsage();
  await one();
  const { user, system } = process.cpuUsage(started);
  times.push((user + system) / 1000);
}
const median = [...times].sort((a, b) => a - b)[times.length >> 1]!;
const print = (line: string): boolean => process.stdout.write(`${line}\n`);
print(
  `${JSON.stringify({ dimension, layers, batch, length, vocabulary })} ${backend.info().engine} ${JSON.stringify(backend.info().details)}`,
);
print(
  `a step ${median.toFixed(1)} ms of processor time, ${Math.round((1000 * 2 * batch * length) / median)} tokens a second (source and target)`,
);
if (given.includes('--profile')) {
  const repeats = 4;
  const report = await profile(async () => {
    for (let k = 0; k < repeats; k++) await one();
  });
  print(`kernels ${(report.milliseconds / repeats).toFixed(1)} ms when timed one by one`);
  const paths = new Map<string, number>();
  for (const { kernel, path, calls, milliseconds, share, gigaflops } of report.kernels) {
    const kind = path.split(' ')[0] ?? '';
    paths.set(kind, (paths.get(kind) ?? 0) + milliseconds / repeats);
    if (share < 0.006) continue;
    const facts = [(milliseconds / repeats).toFixed(2), `${(100 * share).toFixed(1)} %`, calls / repeats, gigaflops];
    print(
      `${facts.map((fact) => (typeof fact === 'number' ? fact.toFixed(1) : fact).padStart(7)).join(' ')}  ${path.padEnd(22)} ${kernel.slice(0, 170)}`,
    );
  }
  print([...paths].map(([path, milliseconds]) => `${path || 'loops'}: ${milliseconds.toFixed(1)} ms`).join('; '));
}
