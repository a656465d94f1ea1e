/**
 * Whether a step waits for pictures: small JPEGs, decoded and augmented in a pipeline, in this thread or in workers, feed a step of a
 * convolutional network. Prints the processor time of a batch and of a step, which says whether a free worker keeps up, and the
 * share of the wall clock that steps waited. Bundled into a file, because its workers load it again:
 * npx esbuild packages/vision/bench/loading.ts --bundle --platform=node --format=esm --conditions=@nn/source --outfile=/tmp/loading.mjs && node /tmp/loading.mjs
 */
import process from 'node:process';
import { Worker, workerData } from 'node:worker_threads';
import { cpu } from '@nn/backend-cpu';
import { compile, setDefaultBackend, setSeed, type Tensor } from '@nn/core';
import { dataPipeline, RandomSequence, servePipeline } from '@nn/data';
import { Conv2d, crossEntropy, Flatten, Linear, MaxPool2d, relu, Sequential } from '@nn/layers';
import { Adam } from '@nn/optim';
import { encode } from 'jpeg-js';
import { augment, colorJitter, compose, decodeImage, planes, randomCrop, randomFlip } from '../src/index.ts';

const [side, count, different, batchSize] = [32, 2048, 128, 32];

/** A disc of some colour on another, as the bytes of a JPEG. */
function jpeg(index: number): Uint8Array {
  const random = new RandomSequence(index);
  const [x, y, radius] = [random.uniform() * side, random.uniform() * side, 3 + 10 * random.uniform()];
  const colors = Array.from({ length: 6 }, () => 255 * random.uniform());
  const data = new Uint8Array(4 * side * side).map((_, at) => {
    const pixel = at >> 2;
    const isInside = Math.hypot((pixel % side) - x, Math.floor(pixel / side) - y) < radius;
    return colors[(at & 3) + (isInside ? 3 : 0)] ?? 255;
  });
  return Uint8Array.from(encode({ width: side, height: side, data }, 85).data);
}

const transform = compose(
  randomFlip(),
  randomCrop(side, { padding: 4 }),
  colorJitter({ brightness: 0.3, contrast: 0.3 }),
);
const samples = () =>
  dataPipeline({ length: count, get: (index: number) => ({ bytes: jpegs[index % different]!, label: index % 10 }) })
    .map(async ({ bytes, label }, { random }) => augment(transform, { image: await decodeImage(bytes), label }, random))
    .map(({ image, label }) => ({ inputs: planes(image), targets: label }));

/** Made once, because writing a JPEG takes longer than reading it. */
const given = (Object(workerData) as { readonly jpegs?: readonly Uint8Array[] }).jpegs;
const jpegs = given ?? Array.from({ length: different }, (_, index) => jpeg(index));
if (given !== undefined) servePipeline(samples());
else await main();

async function main(): Promise<void> {
  setDefaultBackend(cpu());
  setSeed(1);
  const model = new Sequential(
    ...[new Conv2d(3, 32, 3, { padding: 1 }), relu, new MaxPool2d(2)],
    ...[new Conv2d(32, 64, 3, { padding: 1 }), relu, new MaxPool2d(2)],
    ...[new Flatten(), new Linear(64 * (side / 4) ** 2, 10)],
  );
  const optimizer = new Adam(model, { learningRate: 1e-3 });
  const step = compile((inputs: Tensor, targets: Tensor) => {
    const loss = crossEntropy(model.forward(inputs.div(255)), targets);
    void optimizer.step(loss);
    return loss;
  });
  const start = (): Worker => new Worker(new URL(import.meta.url), { workerData: { jpegs } });
  const options = { shuffle: true, seed: 1, dtypes: { targets: 'int32' } } as const;

  const { inputs, targets } = await samples().batch(batchSize, options).peek();
  const spent = async (work: () => Promise<unknown>): Promise<number> => {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  const ofStep = async (): Promise<void> => {
    for (let k = 0; k < 20; k++) await (await step(inputs, targets)).item();
  };
  const ofBatch = async (): Promise<void> => {
    let left = 20;
    for await (const _ of samples().batch(batchSize, { ...options, prefetch: 0 })) if (--left === 0) break;
  };
  for (const work of [ofStep, ofBatch]) await work();
  const rounds: (readonly [number, number])[] = [];
  for (let round = 0; round < 5; round++) rounds.push([(await spent(ofStep)) / 20, (await spent(ofBatch)) / 20]);
  const median = (at: 0 | 1): number => rounds.map((pair) => pair[at]).sort((a, b) => a - b)[2]!;
  process.stdout.write(
    `processor time: a step ${median(0).toFixed(1)} ms, decoding and augmenting its ${batchSize} pictures ${median(1).toFixed(1)} ms\n`,
  );

  for (const workers of [0, 1]) {
    const batches = samples().batch(batchSize, {
      ...options,
      prefetch: 4,
      ...(workers > 0 && { workers: { count: workers, start } }),
    });
    for (let epoch = 0; epoch < 2; epoch++) {
      let [waited, asked, made] = [0, performance.now(), 0];
      const began = asked;
      for await (const batch of batches) {
        waited += performance.now() - asked;
        await (await step(batch.inputs as Tensor, batch.targets as Tensor)).item();
        made++;
        asked = performance.now();
      }
      const whole = performance.now() - began;
      if (epoch === 0) continue; // starts the workers
      process.stdout.write(
        `${workers} workers: ${(whole / made).toFixed(1)} ms a step, ${((100 * waited) / whole).toFixed(0)} % of it waiting for pictures\n`,
      );
    }
    batches.close();
  }
}
