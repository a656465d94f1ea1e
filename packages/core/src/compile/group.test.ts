/** Groups: runs of steps that share rows, found where they exist and nowhere else. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import type { Program } from '../backend.ts';
import { type Tensor, tensor } from '../index.ts';
import { prepare } from '../testing.ts';
import { deviceOf } from './device.ts';

const backend = prepare(reference());

const programOf = (...roots: readonly Tensor[]): Program =>
  deviceOf(backend).prepare(
    roots.map(({ node }) => node),
    [],
  ).plan.program;
const matrix = (rows = 6, columns = 8): Tensor => tensor(new Float32Array(rows * columns), { shape: [rows, columns] });

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

  test('made of products', () => {
    expect(programOf(matrix(4, 4).matmul(matrix(4, 4)).matmul(matrix(4, 4))).groups).toEqual([]);
  });
});
