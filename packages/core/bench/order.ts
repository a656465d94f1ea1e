/**
 * What running values, quantiles, scatters and searches cost that are arithmetic on primitives, in milliseconds (medians),
 * beside those that are primitives: the running sum, the sort, scatterAdd.
 * Run: npx tsx --conditions=@nn/source packages/core/bench/order.ts [words of names]
 */
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import * as core from '../src/index.ts';

core.setDefaultBackend(cpu());
core.setSeed(1);

interface Subject {
  readonly name: string;
  readonly run: () => core.Tensor;
}

const rows = core.uniform([64, 1024]);
const line = core.uniform([1_000_000]);
const index = core.randomInteger([100_000], 0, 10_000);
const values = core.uniform([100_000]);
const base = core.zeros([10_000]);
const edges = core.linspace(0, 1, 1000);

function subjects(): Subject[] {
  const { cumprod, cummax, logCumSumExp, median, quantile, mode, scatter, scatterReduce, searchSorted, histogram } =
    core;
  const slope = (f: (x: core.Tensor) => core.Tensor): (() => core.Tensor) => {
    return () => core.gradients(f(rows).sum(), [rows])[0]!;
  };
  return [
    { name: 'cumsum [64, 1024] (primitive)', run: () => rows.cumsum(1) },
    { name: 'cumprod [64, 1024]', run: () => cumprod(rows, 1) },
    { name: 'cummax [64, 1024]', run: () => cummax(rows, 1).values },
    { name: 'logCumSumExp [64, 1024]', run: () => logCumSumExp(rows, 1) },
    { name: 'cumprod gradient [64, 1024]', run: slope((x) => cumprod(x, 1)) },
    { name: 'logCumSumExp gradient [64, 1024]', run: slope((x) => logCumSumExp(x, 1)) },
    { name: 'cumsum [1e6] (primitive)', run: () => line.cumsum(0) },
    { name: 'cumprod [1e6]', run: () => cumprod(line, 0) },
    { name: 'cummax [1e6]', run: () => cummax(line, 0).values },
    { name: 'sort [64, 1024] (primitive)', run: () => rows.sort(1).values },
    { name: 'median [64, 1024]', run: () => median(rows, 1).values },
    { name: 'quantile [64, 1024]', run: () => quantile(rows, [0.25, 0.75], { axis: 1 }) },
    { name: 'mode [64, 1024]', run: () => mode(rows, 1).values },
    { name: 'scatterAdd 1e5 into 1e4 (primitive)', run: () => base.scatterAdd(index, values) },
    { name: 'scatter 1e5 into 1e4', run: () => scatter(base, index, values) },
    { name: 'scatterReduce max 1e5 into 1e4', run: () => scatterReduce(base, index, values, 'max') },
    { name: 'scatterReduce product 1e5 into 1e4', run: () => scatterReduce(base, index, values, 'product') },
    { name: 'searchSorted 1e6 in 1000', run: () => searchSorted(edges, line) },
    { name: 'histogram 1e6, 20 bins', run: () => histogram(line, { bins: 20 }).counts },
  ];
}

const words = process.argv.slice(2);
const chosen = subjects().filter(({ name }) => words.every((word) => name.includes(word)));
const times = chosen.map((): number[] => []);
await Promise.all([rows, line, index, values, base, edges].map((x) => x.sum().data()));
for (let turn = 0; turn < 12; turn++) {
  for (const [k, { run }] of chosen.entries()) {
    const start = performance.now();
    // one number is read: the result must exist, and need not be copied
    await run().at('...', 0).sum().item();
    if (turn >= 2) times[k]?.push(performance.now() - start);
  }
}
for (const [k, { name }] of chosen.entries()) {
  const sorted = times[k]!.sort((a, b) => a - b);
  process.stdout.write(`${name.padEnd(40)} ${sorted[sorted.length >> 1]!.toFixed(2).padStart(9)} ms\n`);
}
