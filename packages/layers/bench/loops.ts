/**
 * What a loop of the program saves: an LSTM of 32 to 5,000 steps, unrolled into the graph and as one operation: the first step of
 * training (building, planning, compiling, running), a later one, and the memory in which a step computes; medians, in turns.
 * Run: npx tsx --conditions=@nn/source packages/layers/bench/loops.ts [lengths]
 */
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import { scan, setDefaultBackend, setSeed, stack, type Tensor, uniform, zeros } from '@nn/core';
import { SGD } from '@nn/optim';
import { Linear, LSTMCell } from '../src/index.ts';

const [batch, inputs, hidden] = [32, 32, 128];
const lengths = process.argv.slice(2).map(Number);
/** Longer than this the graph of all steps takes longer than anybody waits. */
const longestUnrolled = 1000;

type State = { readonly hidden: Tensor; readonly cell: Tensor };

function training(length: number, isLoop: boolean) {
  const backend = cpu();
  setDefaultBackend(backend);
  setSeed(1);
  const model = { lstm: new LSTMCell(inputs, hidden), head: new Linear(hidden, 10) };
  const optimizer = new SGD(model, { learningRate: 0.1 });
  const x = uniform([length, batch, inputs]);
  const y = uniform([batch, 10]);
  const step = (state: State, projected: Tensor): State => {
    const next = model.lstm.step(projected, state);
    return { hidden: next.hidden, cell: next.cell };
  };
  const walk = (projected: Tensor, start: State): Tensor => {
    if (isLoop) {
      const turn = (state: State, row: Tensor) => {
        const next = step(state, row);
        return { carry: next, output: next.hidden };
      };
      return scan(turn, start, projected).outputs;
    }
    let state = start;
    const outputs: Tensor[] = [];
    for (const row of projected.split(length)) {
      state = step(state, row.squeeze(0));
      outputs.push(state.hidden);
    }
    return stack(outputs);
  };
  return {
    backend,
    async run(): Promise<number> {
      setDefaultBackend(backend);
      const begin = performance.now();
      const outputs = walk(model.lstm.project(x), { hidden: zeros([batch, hidden]), cell: zeros([batch, hidden]) });
      const loss = model.head.forward(outputs.mean(0)).sub(y).square().mean();
      optimizer.step(loss);
      await loss.item();
      return performance.now() - begin;
    },
  };
}

const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1] as number;
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
for (const length of lengths.length > 0 ? lengths : [32, 50, 100, 500, 5000]) {
  const ways = [false, true]
    .filter((isLoop) => isLoop || length <= longestUnrolled)
    .map((isLoop) => ({ isLoop, ...training(length, isLoop) }));
  const first: number[] = [];
  for (const way of ways) first.push(await way.run());
  const later: number[][] = ways.map(() => []);
  const rounds = length > 1000 ? 3 : 9;
  for (let round = 0; round < rounds; round++) {
    for (const [k, way] of ways.entries()) (later[k] as number[]).push(await way.run());
  }
  ways.forEach(({ isLoop, backend }, k) => {
    process.stdout.write(
      `${length} steps, ${isLoop ? 'a loop' : 'unrolled'}: first ${(first[k] as number).toFixed(0)} ms, later ${median(later[k] as number[]).toFixed(1)} ms, scratch ${megabytes(backend.info().memory.scratch)}\n`,
    );
  });
}
