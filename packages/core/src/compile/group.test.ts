/** Groups: runs of steps that share rows, found where they exist and nowhere else. */
import { type BodyBuilder, buildKernel, reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import type { Kernel, Program } from '../backend.ts';
import { type Tensor, tensor } from '../index.ts';
import { prepare } from '../testing.ts';
import { deviceOf } from './device.ts';
import { findGroups, followsRows, safeGroups } from './group.ts';

const backend = prepare(reference());

const programOf = (...roots: readonly Tensor[]): Program =>
  deviceOf(backend).prepare(
    roots.map(({ node }) => node),
    [],
  ).plan.program;
const matrix = (rows = 6, columns = 8): Tensor => tensor(new Float32Array(rows * columns), { shape: [rows, columns] });

const kernelOf = (value: (body: BodyBuilder) => number): Kernel =>
  buildKernel({ domain: [4, 6], reads: ['float32'], scalars: ['int32'], value: (body) => void value(body) });

describe('a group is', () => {
  test('the steps of a softmax over rows, whose row values stay inside', () => {
    const program = programOf(matrix().softmax());
    expect(program.groups).toHaveLength(1);
    const [group] = program.groups;
    expect(group).toMatchObject({ first: 0, last: program.steps.length - 1, outer: 1 });
    expect(group?.local.length).toBe(program.steps.length - 1);
  });

  test('the steps of a layer normalisation', () => {
    const x = matrix();
    const centred = x.sub(x.mean(-1, { keepAxes: true }));
    const program = programOf(centred.div(centred.square().mean(-1, { keepAxes: true }).add(1e-5).sqrt()));
    expect(program.groups).toMatchObject([{ first: 0, outer: 1 }]);
  });

  test('several results over the same elements', () => {
    const x = matrix();
    const y = x.exp();
    const program = programOf(y, y.sin(), y.cos());
    expect(program.groups).toMatchObject([{ first: 0, last: 2, outer: 2 }]);
    expect(program.groups[0]?.local).toEqual([]);
  });
});

describe('a group is not', () => {
  test('made of steps that need each other across rows', () => {
    expect(programOf(matrix().softmax(0)).groups.every(({ outer }) => outer === 0)).toBe(true);
    const x = matrix(6, 6).exp();
    const program = programOf(x, x.transpose().sin().mul(2));
    expect(program.groups).toEqual([]);
  });

  test('made of steps of which one reads before its row, behind it, or where a number says', () => {
    const rows = [4, 6];
    const written = kernelOf((body) => body.load(0, body.flat(rows)));
    const follows = (change: (body: BodyBuilder, index: number) => number, offset = 0): boolean =>
      followsRows(
        {
          kernel: kernelOf((body) => body.load(0, change(body, body.flat(rows)))),
          write: 2,
          reads: [{ buffer: 1, offset }],
          scalars: [0],
        },
        new Map([[1, written]]),
        1,
      );
    const moved = (by: number) => (body: BodyBuilder, index: number) =>
      body.alu('add', 'int32', index, body.constant(by, 'int32'));
    expect(follows((_, index) => index)).toBe(true);
    expect(follows(moved(1), -1)).toBe(true);
    expect([follows(moved(-1)), follows(moved(1)), follows((_, index) => index, -1)]).toEqual([false, false, false]);
    expect(follows((body, index) => body.alu('add', 'int32', index, body.scalar(0, 'int32')))).toBe(false);
  });

  test('made of products', () => {
    expect(programOf(matrix(4, 4).matmul(matrix(4, 4)).matmul(matrix(4, 4))).groups).toEqual([]);
  });
});

test('a chain twice as long takes about twice the looks at its kernels, not four times', () => {
  let x = matrix();
  for (let step = 0; step < 20; step++) x = x.sub(x.mean(1, { keepAxes: true })).add(1);
  const { steps } = programOf(x);
  const looks = (turns: number): number => {
    let count = 0;
    const watched = new Map<Kernel, Kernel>();
    const watch = (kernel: Kernel): Kernel => {
      const known = watched.get(kernel);
      if (known !== undefined) return known;
      const twin = { ...kernel, key: `${kernel.key} watched` };
      const { value } = kernel;
      Object.defineProperty(twin, 'value', {
        get: () => {
          count++;
          return value;
        },
      });
      watched.set(kernel, twin);
      return twin;
    };
    const chain = Array.from({ length: turns }, (_, turn) =>
      steps.map((step) => ({
        ...step,
        kernel: watch(step.kernel),
        write: step.write + turn * steps.length,
        reads: step.reads.map((read) => ({ ...read, buffer: read.buffer + turn * steps.length })),
      })),
    ).flat();
    // two slots in turns for the means and two for the rows, as memory gives them out; the input has its own
    const slots = Array.from({ length: chain.length + 1 }, (_, buffer) =>
      buffer === 0 ? 0 : 1 + (buffer % 2) * 2 + (Math.floor(buffer / 2) % 2),
    );
    const groups = findGroups(chain, 1, [chain.length]);
    expect(groups).toHaveLength(1);
    expect(safeGroups(groups, chain, slots)).toEqual(groups);
    return count;
  };
  expect(looks(8)).toBeLessThan(2.5 * looks(4));
});
