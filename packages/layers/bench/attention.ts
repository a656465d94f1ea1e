/**
 * What attention in blocks of queries saves: with all scores at once and in blocks as it chooses them by itself, output alone and with
 * the gradients of queries, keys and values: the memory in which a step computes, and its time; medians, in turns.
 * Run: npx tsx --conditions=@nn/source packages/layers/bench/attention.ts [heads x length ...]
 */
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import { gradients, setDefaultBackend, setSeed, uniform } from '@nn/core';
import { attention } from '../src/index.ts';

const width = 64;
const cases = process.argv.slice(2).map((text) => text.split('x').map(Number) as [number, number]);
const usual: [number, number][] = [
  [1, 1024],
  [1, 4096],
  [8, 1024],
  [8, 2048],
];

function subject(heads: number, length: number, isTraining: boolean, blockSize: number | undefined) {
  const backend = cpu();
  setDefaultBackend(backend);
  setSeed(1);
  const inputs = ['query', 'key', 'value'].map(() => uniform([1, heads, length, width]));
  return {
    backend,
    async run(): Promise<number> {
      setDefaultBackend(backend);
      const begin = performance.now();
      const [query, key, value] = inputs as [(typeof inputs)[0], (typeof inputs)[0], (typeof inputs)[0]];
      const { output } = attention(query, key, value, { causal: true, ...(blockSize !== undefined && { blockSize }) });
      const loss = output.square().mean();
      const read = isTraining ? gradients(loss, inputs).map((g) => g.square().sum()) : [];
      await Promise.all([loss, ...read].map((x) => x.item()));
      return performance.now() - begin;
    },
  };
}

const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1] as number;
for (const [heads, length] of cases.length > 0 ? cases : usual) {
  for (const isTraining of [false, true]) {
    // a block of all queries is all at once
    const ways = [length, undefined].map((blockSize) => subject(heads, length, isTraining, blockSize));
    const times: number[][] = ways.map(() => []);
    for (let round = 0; round < 4; round++) {
      for (const [k, way] of ways.entries()) {
        const time = await way.run();
        if (round > 0) (times[k] as number[]).push(time);
      }
    }
    ways.forEach(({ backend }, k) => {
      const scratch = (backend.info().memory.scratch / 1e6).toFixed(1);
      process.stdout.write(
        `${heads} x ${length} ${isTraining ? 'training' : 'forward'}, ${k === 0 ? 'at once' : 'blocks'}: ${scratch} MB, ${median(times[k] as number[]).toFixed(0)} ms\n`,
      );
    });
  }
}
