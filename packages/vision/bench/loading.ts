/**
 * Whether a step waits for pictures: photographs of ants and bees as JPEGs of 32 x 32 pixels, decoded and augmented in a pipeline, in this thread or in
 * workers, feed a step of a convolutional network. Prints the processor time of a batch and of a step, which says whether a free worker keeps
 * up, and how long steps waited by the clock. Bundled into a file, because its workers load it again; needs ../shared/data and a python3 with PIL.
 * npx esbuild packages/vision/bench/loading.ts --bundle --platform=node --format=esm --conditions=@nn/source --outfile=/tmp/loading.mjs && node /tmp/loading.mjs
 */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { Worker, workerData } from 'node:worker_threads';
import { cpu } from '@nn/backend-cpu';
import { compile, setDefaultBackend, setSeed, type Tensor } from '@nn/core';
import { dataPipeline, servePipeline } from '@nn/data';
import { Conv2d, crossEntropy, Flatten, Linear, MaxPool2d, relu, Sequential } from '@nn/layers';
import { Adam } from '@nn/optim';
import { augment, colorJitter, compose, decodeImage, planes, randomCrop, randomFlip } from '../src/index.ts';

const [side, count, batchSize] = [32, 2048, 32];

/** The photographs, made small by PIL: each with its length in front, four bytes. */
function smallPhotographs(): Uint8Array[] {
  const program = `
import io, struct, sys, tarfile
from PIL import Image
photos = tarfile.open(sys.argv[1])
for member in photos.getmembers():
    if member.name.endswith('.jpg'):
        out = io.BytesIO()
        Image.open(photos.extractfile(member)).convert('RGB').resize((32, 32)).save(out, 'JPEG', quality=85)
        sys.stdout.buffer.write(struct.pack('>I', len(out.getvalue())) + out.getvalue())
`;
  const { stdout, status } = spawnSync(process.argv[2] ?? 'python3', [
    '-c',
    program,
    '../shared/data/images/ants-bees.tar.gz',
  ]);
  if (status !== 0) throw new Error('no python3 with PIL, or no ../shared/data/images/ants-bees.tar.gz');
  const list: Uint8Array[] = [];
  for (let at = 0; at < stdout.length; at += 4 + stdout.readUInt32BE(at)) {
    list.push(new Uint8Array(stdout.subarray(at + 4, at + 4 + stdout.readUInt32BE(at))));
  }
  return list;
}

const transform = compose(
  randomFlip(),
  randomCrop(side, { padding: 4 }),
  colorJitter({ brightness: 0.3, contrast: 0.3 }),
);
const samples = () =>
  dataPipeline({ length: count, get: (index: number) => ({ bytes: jpegs[index % jpegs.length]!, label: index % 10 }) })
    .map(async ({ bytes, label }, { random }) => augment(transform, { image: await decodeImage(bytes), label }, random))
    .map(({ image, label }) => ({ inputs: planes(image), targets: label }));

const given = (Object(workerData) as { readonly jpegs?: readonly Uint8Array[] }).jpegs;
const jpegs = given ?? smallPhotographs();
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
        `${workers} workers: ${(whole / made).toFixed(1)} ms a step, ${(waited / made).toFixed(2)} ms or ${((100 * waited) / whole).toFixed(1)} % of it waiting for pictures\n`,
      );
    }
    batches.close();
  }
}
