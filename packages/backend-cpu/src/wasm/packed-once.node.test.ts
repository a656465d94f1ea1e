/** In a loop, a matrix that is the same in every turn is packed before the first one; one that changes is packed in each. */
import { compile, gradients, parameter, profile, scan, stack, type Tensor, tensor } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { type CpuBackend, cpu } from '../index.ts';

const [turns, batch] = [3, 9];

const numbers = (backend: CpuBackend, seed: number, ...shape: number[]): Tensor => {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, at) => Math.sin(at * 1.7 + seed) / Math.sqrt(shape.at(-1)!)),
    { shape, backend },
  );
};

type Cell = (state: Tensor[], row: Tensor, fixed: Tensor[]) => Tensor[];

/** What the last turn carries and the gradient of the first matrix, by one loop or turn by turn, with the ways of its kernels. */
async function run(backend: CpuBackend, cell: Cell, state: Tensor[], x: Tensor, fixed: Tensor[], asLoop: boolean) {
  const ends = compile((...given: Tensor[]) => {
    const [first, second, rows, ...start] = given as [Tensor, Tensor, Tensor, ...Tensor[]];
    const matrices = [first, second];
    if (asLoop) {
      const step = (carry: Tensor[], row: Tensor) => ({ carry: cell(carry, row, matrices), output: carry[0]! });
      const { carry, outputs } = scan(step, start, rows);
      return [...carry, outputs];
    }
    const seen: Tensor[] = [];
    let carry = start;
    for (let turn = 0; turn < turns; turn++) {
      seen.push(carry[0]!);
      carry = cell(carry, rows.at(turn), matrices);
    }
    return [...carry, stack(seen, 0)];
  });
  const data: number[][] = [];
  const report = await profile(async () => {
    const made = (await ends(...fixed, x, ...state)) as Tensor[];
    for (const one of made) data.push([...(await one.data())]);
  });
  expect(backend.info().engine).toBe('wasm');
  return { data, paths: report.kernels.map(({ path }) => path).filter((path) => path.startsWith('gemm')) };
}

describe.each([1, 2])('products in loops, %i threads', (threads) => {
  const backend = cpu({ engine: 'wasm', threads });
  // whole panels and strips, and neither; more inner numbers than a block has
  it.each([40, 75, 401])('a constant matrix of %i columns', async (width) => {
    const fixed = [numbers(backend, 1, width, width), numbers(backend, 2, width, width)];
    const cell: Cell = ([h], row, [w, v]) => [h!.matmul(w!).add(row).tanh().matmul(v!.transpose())];
    const state = [numbers(backend, 3, batch, width)];
    const x = numbers(backend, 4, turns, batch, width);
    const loop = await run(backend, cell, state, x, fixed, true);
    const apart = await run(backend, cell, state, x, fixed, false);
    expect(loop.data).toEqual(apart.data);
    expect(loop.paths.every((path) => path.endsWith('packed once'))).toBe(true);
    expect(loop.paths.length).toBeGreaterThan(0);
    expect(apart.paths.some((path) => path.endsWith('packed once'))).toBe(false);
  });

  it('a matrix that a turn changes, and one of the turn', async () => {
    const width = 48;
    const fixed = [numbers(backend, 1, width, width), numbers(backend, 2, width, width)];
    const cell: Cell = ([h, w], row, [v]) => [h!.matmul(w!).add(h!.matmul(row)), w!.mul(0.5).add(v!)];
    const state = [numbers(backend, 3, batch, width), numbers(backend, 5, width, width)];
    const x = numbers(backend, 4, turns, width, width);
    const loop = await run(backend, cell, state, x, fixed, true);
    const apart = await run(backend, cell, state, x, fixed, false);
    expect(loop.data).toEqual(apart.data);
    expect(loop.paths.some((path) => path.endsWith('packed once'))).toBe(false);
  });

  it('gradients through a loop', async () => {
    const width = 56;
    const found = async (asLoop: boolean): Promise<number[][]> => {
      const w = parameter(numbers(backend, 1, width, width));
      const x = numbers(backend, 4, turns, batch, width);
      const step = (h: Tensor, row: Tensor) => {
        const next = h.matmul(w).add(row).tanh();
        return { carry: next, output: next };
      };
      let h = numbers(backend, 3, batch, width);
      if (asLoop) h = scan(step, h, x).carry;
      else for (let turn = 0; turn < turns; turn++) h = step(h, x.at(turn)).carry;
      const [gradient] = gradients(h.square().sum(), [w]);
      return [[...(await h.data())], [...(await gradient!.data())]];
    };
    const [loop, apart] = [await found(true), await found(false)];
    expect(loop[0]).toEqual(apart[0]);
    loop[1]!.forEach((value, at) => {
      expect(value).toBeCloseTo(apart[1]![at]!, 4);
    });
  });
});
