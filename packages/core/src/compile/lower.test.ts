/** Kernels: equal ones are one object, whatever their buffers, offsets and scalars. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import type { Kernel, Program } from '../backend.ts';
import { conv2d, gradients, type Tensor, tensor } from '../index.ts';
import { prepare } from '../testing.ts';
import { deviceOf } from './device.ts';

const backend = prepare(reference());

const programOf = (...roots: readonly Tensor[]): Program =>
  deviceOf(backend).prepare(
    roots.map(({ node }) => node),
    [],
  ).plan.program;
const kernelsOf = (...roots: readonly Tensor[]): Kernel[] => programOf(...roots).steps.map(({ kernel }) => kernel);
const matrix = (rows: number, columns: number): Tensor =>
  tensor(new Float32Array(rows * columns), { shape: [rows, columns] });

describe('equal kernels are one object', () => {
  test('in one program and in two', () => {
    const [x, y] = [matrix(2, 3), matrix(2, 3)];
    const [a, b] = kernelsOf(x.mul(2).exp(), y.mul(3).exp());
    expect(a).toBe(b);
    expect(kernelsOf(matrix(2, 3).mul(9).exp())[0]).toBe(a);
  });

  test('at another offset of the same buffer', () => {
    const rows = matrix(4, 3)
      .mul(2)
      .split(4)
      .map((row) => row.exp());
    const program = programOf(...rows);
    const kernels = new Set(program.steps.slice(-4).map(({ kernel }) => kernel));
    expect(kernels.size).toBe(1);
  });

  test('with scalars at other positions of the program', () => {
    const [x, y] = [matrix(2, 2), matrix(2, 2)];
    const program = programOf(x.mul(2).add(3).exp(), y.mul(5).add(7).exp());
    expect(program.steps[0]?.kernel).toBe(program.steps[1]?.kernel);
    expect(program.steps.map(({ scalars }) => scalars)).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  test('so a network unrolled in time has few', () => {
    const [inward, around] = [matrix(3, 4), matrix(4, 4)];
    const run = (length: number): number => {
      let state = matrix(2, 4).mul(0);
      const x = tensor(new Float32Array(length * 6), { shape: [length, 2, 3] });
      for (let time = 0; time < length; time++) state = x.at(time).matmul(inward).add(state.matmul(around)).tanh();
      const loss = state.square().mean();
      return new Set(kernelsOf(loss, ...gradients(loss, [inward, around]))).size;
    };
    expect(run(40) - run(20)).toBeLessThanOrEqual(4);
  });
});

describe('unequal kernels have unequal keys:', () => {
  const x = matrix(2, 3);
  test.each<[string, Tensor, Tensor]>([
    ['another function', x.exp(), x.sin()],
    ['another domain', x.exp(), matrix(3, 2).exp()],
    ['another constant', x.gelu(), x.gelu('tanh')],
    ['another reduction', x.max(1), x.sum(1)],
    ['another axis', matrix(3, 3).sum(0), matrix(3, 3).sum(1)],
    ['another dtype', x.cast('int32'), x.cast('bool')],
    ['-0 and 0', x.maximum(tensor([0, 0, 0])), x.minimum(tensor([0, 0, 0]))],
  ])('%s', (_, a, b) => {
    expect(kernelsOf(a).map(({ key }) => key)).not.toEqual(kernelsOf(b).map(({ key }) => key));
  });
});

describe('hints', () => {
  const hintOf = (x: Tensor): Kernel['hint'] => kernelsOf(x).at(-1)?.hint;

  test('a product names its axes and operands', () => {
    const [kernel] = kernelsOf(matrix(4, 5).matmul(matrix(5, 3))) as [Kernel];
    const { hint, value } = kernel;
    expect(hint).toMatchObject({ kind: 'contraction', batch: [], rows: [0], columns: [1], inner: [2] });
    if (hint?.kind !== 'contraction') return expect.fail('no contraction');
    expect(value[hint.left]).toMatchObject({ op: 'load', read: 0 });
    expect(value[hint.right]).toMatchObject({ op: 'load', read: 1 });
  });

  test('a batch of products too', () => {
    const batch = tensor(new Float32Array(24), { shape: [2, 3, 4] });
    expect(hintOf(batch.matmul(batch.transpose()))).toMatchObject({ batch: [0], rows: [1], columns: [2], inner: [3] });
  });

  test('a convolution and its gradients name their form', () => {
    const x = tensor(new Float32Array(32), { shape: [1, 2, 4, 4] });
    const w = tensor(new Float32Array(24), { shape: [3, 2, 2, 2] });
    const y = conv2d(x, w, { stride: 2, padding: 1 });
    const forms = kernelsOf(y, ...gradients(y.square().sum(), [x, w])).map(({ hint }) => hint);
    expect(forms.flatMap((hint) => (hint?.kind === 'conv' ? [hint.form] : [])).sort()).toEqual([
      'forward',
      'input',
      'weight',
    ]);
  });

  test('running sums, ranks and scatter-adds are named', () => {
    expect(hintOf(matrix(2, 5).cumsum(1))).toMatchObject({ kind: 'scan', axis: 1 });
    expect(kernelsOf(matrix(2, 5).argSort()).map(({ hint }) => hint?.kind)).toContain('rank');
    const added = matrix(4, 2).scatterAdd([1, 1], matrix(2, 2));
    expect(hintOf(added)).toMatchObject({ kind: 'scatter', axis: 0 });
  });
});

test('loads of a dense view have no division left', () => {
  const x = tensor(new Float32Array(24), { shape: [2, 3, 4] });
  const heads = x.reshape([2, 3, 2, 2]).permute([0, 2, 1, 3]);
  const ops = kernelsOf(heads.mul(2)).flatMap(({ value }) => value.map(({ op }) => op));
  expect(ops).not.toContain('floorDiv');
  expect(ops).not.toContain('floorMod');
});
