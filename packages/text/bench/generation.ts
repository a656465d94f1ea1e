/**
 * What a token costs: a GPT of 4 layers of width 256 on one thread generates, beside the time in which its weights are summed up
 * once by the same engine (what it takes to read them), and a prompt beside the products that it consists of. In turns, medians.
 * Run: npx tsx --conditions=@nn/source packages/text/bench/generation.ts [--native]
 */
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import { native } from '@nn/backend-native';
import { compile, evaluate, parameters, setDefaultBackend, setSeed, type Tensor, tensor, uniform } from '@nn/core';
import { GPT2, generate } from '../src/index.ts';

const backend = process.argv.includes('--native') ? native({ threads: 1, wait: true }) : cpu({ threads: 1 });
if ('ready' in backend) await backend.ready();
setDefaultBackend(backend);
setSeed(1);
const [width, layers, vocabulary, context] = [256, 4, 512, 512];
const model = new GPT2({
  ...{ vocabularySize: vocabulary, contextLength: context, dimension: width, layers, heads: 4, dropout: 0 },
});
const weights = parameters(model).filter((each) => each.rank === 2);
const bytes = 4 * weights.reduce((sum, { size }) => sum + size, 0);

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Milliseconds of each token after the first few. */
async function tokenTimes(): Promise<number[]> {
  const times: number[] = [];
  let last = performance.now();
  for await (const _ of generate(model, [1, 2, 3], { maxTokens: 60, temperature: 0, endId: null })) {
    times.push(performance.now() - last);
    last = performance.now();
  }
  return times.slice(8);
}

/** The weights summed: each is read once. */
const reading = compile((x: Tensor) => weights.reduce((sum, weight) => sum.add(weight.sum()), x));
/** One vector through all weights, as a token needs it: the floor of this engine. */
const rows = weights.map(({ shape }) => tensor(new Float32Array(shape[0] ?? 0).fill(1), { shape: [1, shape[0] ?? 0] }));
const vectors = compile((x: Tensor) =>
  weights.reduce((sum, weight, i) => sum.add(rows[i]!.add(x).matmul(weight).sum()), x.sum()),
);

async function timed(work: () => Promise<Tensor>): Promise<number> {
  const started = performance.now();
  await (await work()).data();
  return performance.now() - started;
}

const ids = tensor(
  Int32Array.from({ length: context }, (_, i) => i % vocabulary),
  { shape: [1, context] },
);
const prompt = compile((x: Tensor) => evaluate(() => model.scores(model.features(x).at([], -1))));
/** Products of the same sizes, one after the other, so that none is left out. */
const [a, square] = [uniform([context, width]), uniform([width, 12 * width])];
const products = compile((x: Tensor, y: Tensor) => x.matmul(y));

const [token, read, vector, whole, product]: number[][] = [[], [], [], [], []];
for (let round = 0; round < 12; round++) {
  token!.push(median(await tokenTimes()));
  read!.push(await timed(() => reading(uniform([1]))));
  vector!.push(await timed(() => vectors(uniform([1]))));
  whole!.push(await timed(() => prompt(ids)));
  product!.push(await timed(() => products(a, square)));
}
const [t, r, v, w, p] = [token, read, vector, whole, product].map((times) => median((times ?? []).slice(4)));
// multiply-adds of a prompt: 12 width^2 a layer and token, and the two products of attention
const inWhole = layers * context * (12 * width ** 2 + 2 * context * width);
const inProduct = context * width * 12 * width;
process.stdout.write(
  [
    `${backend.info().engine} ${backend.info().details.native ?? ''}; weights ${(bytes / 1e6).toFixed(1)} MB`,
    `a token ${t!.toFixed(2)} ms; weights summed ${r!.toFixed(2)} ms (x ${(t! / r!).toFixed(2)}), a vector through them ${v!.toFixed(2)} ms (x ${(t! / v!).toFixed(2)})`,
    `a prompt of ${context} ${w!.toFixed(1)} ms = ${((2 * inWhole) / w! / 1e6).toFixed(1)} GFLOP/s; the product alone ${((2 * inProduct) / p! / 1e6).toFixed(1)} GFLOP/s: ${((100 * (inWhole / w!)) / (inProduct / p!)).toFixed(0)} %`,
    '',
  ].join('\n'),
);
