/**
 * Pictures a second of processor time, beside PIL and torchvision with one thread, in turns: 243 photographs of ants and bees (192 x 128 pixels, ../shared/data)
 * read, resized, and made into batches for a network (resize, random resized crop, flip, normalise). Times are those of the processor, so that what
 * else runs on the machine counts for little; medians of 9. With the folder of an installed fast-png and sharp as second and third argument they take their turns.
 *
 *   npx esbuild packages/vision/bench/throughput.ts --bundle --platform=node --format=esm --conditions=@nn/source --outfile=/tmp/pictures.mjs
 *   node /tmp/pictures.mjs [python3 with torchvision] [.../node_modules/fast-png] [.../node_modules/sharp]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { dataPipeline } from '@nn/data';
import {
  augment,
  compose,
  decodeImage,
  encodePng,
  type Image,
  imagenet,
  pixelNormalization,
  planes,
  randomFlip,
  randomResizedCrop,
  resize,
  type SharpLike,
  sharpDecoder,
} from '../src/index.ts';

const [, , interpreter = 'python3', fastPngFolder, sharpFolder] = process.argv;
const folder = mkdtempSync(join(tmpdir(), 'nn-pictures-'));

const program = `
import glob, io, os, sys, tarfile, time, torch, torchvision.transforms as T
from PIL import Image
torch.set_num_threads(1)
archive, folder = sys.argv[1:]
photos = tarfile.open(archive)
jpegs = [photos.extractfile(m).read() for m in photos.getmembers() if m.name.endswith('.jpg')]
images = [Image.open(io.BytesIO(b)).convert('RGB') for b in jpegs]
def png(image):
    out = io.BytesIO()
    image.save(out, 'PNG')
    return out.getvalue()
pngs = [png(image) for image in images]
for k, (jpeg, packed) in enumerate(zip(jpegs, pngs)):
    open(f'{folder}/{k}.jpg', 'wb').write(jpeg)
    open(f'{folder}/{k}.png', 'wb').write(packed)
shown = T.Compose([T.Resize(144), T.RandomResizedCrop(128), T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
class Photos(torch.utils.data.Dataset):
    def __len__(self):
        return len(jpegs)
    def __getitem__(self, k):
        return shown(Image.open(io.BytesIO(jpegs[k])).convert('RGB')), 0
def batches():
    for _ in torch.utils.data.DataLoader(Photos(), 32, shuffle=True):
        pass
smaller = T.Resize(96)
cases = {'read JPEG': lambda: [Image.open(io.BytesIO(b)).convert('RGB') for b in jpegs], 'read PNG': lambda: [Image.open(io.BytesIO(b)).convert('RGB') for b in pngs],
         'write PNG': lambda: [png(image) for image in images], 'resize to 96': lambda: [smaller(image) for image in images], 'batches': batches}
print(len(jpegs), flush=True)
for line in sys.stdin:
    start = time.process_time()
    cases[line.strip()]()
    print(time.process_time() - start, flush=True)
`;
const python = spawn(interpreter, ['-c', program, '../shared/data/images/ants-bees.tar.gz', folder], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
const count = Number((await answers.next()).value);
const filesOf = (kind: string): Uint8Array<ArrayBuffer>[] =>
  Array.from({ length: count }, (_, k) => new Uint8Array(readFileSync(join(folder, `${k}.${kind}`))));
const [jpegs, pngs] = [filesOf('jpg'), filesOf('png')];
rmSync(folder, { recursive: true });

setDefaultBackend(cpu({ threads: 1 }));
const images: Image[] = [];
for (const jpeg of jpegs) images.push(await decodeImage(jpeg));
const transform = compose(randomResizedCrop(128), randomFlip());
const batches = dataPipeline({ length: count, get: (index: number) => decodeImage(jpegs[index]!) })
  .map((image, { random }) => augment(transform, { image: resize(image, 144) }, random))
  .map(({ image }) => ({ inputs: planes(image), targets: 0 }))
  .batch(32, { shuffle: true, seed: 1, prefetch: 0, normalize: { inputs: pixelNormalization(imagenet) } });
const all =
  <T>(list: readonly T[], work: (item: T) => unknown) =>
  async (): Promise<void> => {
    for (const item of list) await work(item);
  };

interface Case {
  readonly name: string;
  /** What the other side calls it. */
  readonly beside: string;
  readonly work: () => Promise<void>;
}
const cases: Case[] = [
  { name: 'read JPEG', beside: 'read JPEG', work: all(jpegs, (bytes) => decodeImage(bytes)) },
  { name: 'read PNG', beside: 'read PNG', work: all(pngs, (bytes) => decodeImage(bytes)) },
  { name: 'write PNG', beside: 'write PNG', work: all(images, (image) => encodePng(image)) },
  { name: 'resize to 96', beside: 'resize to 96', work: all(images, (image) => resize(image, 96)) },
  {
    name: 'batches',
    beside: 'batches',
    async work() {
      for await (const _ of batches);
    },
  },
];
if (fastPngFolder) {
  // What is needed of it; it is no dependency of ours.
  interface FastPng {
    decode(bytes: Uint8Array): unknown;
    encode(image: Pick<Image, 'width' | 'height' | 'channels' | 'data'>): Uint8Array;
  }
  const { decode, encode }: FastPng = await import(join(fastPngFolder, 'lib/index.js'));
  cases.push({ name: 'read PNG, fast-png', beside: 'read PNG', work: all(pngs, (bytes) => decode(bytes)) });
  cases.push({ name: 'write PNG, fast-png', beside: 'write PNG', work: all(images, (image) => encode(image)) });
}
if (sharpFolder) {
  const sharp: SharpLike = createRequire(import.meta.url)(sharpFolder);
  const decoder = sharpDecoder(sharp);
  cases.push({
    name: 'read JPEG, sharp',
    beside: 'read JPEG',
    work: all(jpegs, (bytes) => decodeImage(bytes, { decoder })),
  });
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
for (const { name, beside, work } of cases) {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < 11; turn++) {
    const start = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(start);
    python.stdin.write(`${beside}\n`);
    const other = Number((await answers.next()).value);
    if (turn < 2) continue;
    ours.push((user + system) / 1e6);
    theirs.push(other);
  }
  const [nn = 0, other = 0] = [ours, theirs].map((list) => count / median(list));
  process.stdout.write(
    `${name.padEnd(20)} ${nn.toFixed(0).padStart(7)}  PIL, torchvision ${other.toFixed(0).padStart(7)}  ratio ${(other / nn).toFixed(2)}\n`,
  );
}
python.stdin.end();
