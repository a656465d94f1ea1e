/** Rule 10 of life: what becomes one kernel, what is stored, and that nothing expensive is computed twice. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import type { Alu, Limits, Program } from '../backend.ts';
import { concat, conv2d, gradients, maxPool, type Tensor, tensor, uniform, zeros } from '../index.ts';
import { sizeOf } from '../shape.ts';
import { prepare } from '../testing.ts';
import { deviceOf } from './device.ts';

prepare(reference());

function programOf(roots: readonly Tensor[] | Tensor, limits: Partial<Limits> = {}): Program {
  return deviceOf(reference({ limits })).prepare(
    [roots].flat().map(({ node }) => node),
    [],
  ).plan.program;
}

const stepsOf = (roots: readonly Tensor[] | Tensor, limits?: Partial<Limits>): number =>
  programOf(roots, limits).steps.length;

/** How often a scalar function stands in the kernels of a program. */
function countOf(program: Program, op: Alu): number {
  const bodies = program.steps.flatMap(({ kernel }) => [kernel.value, kernel.epilogue ?? []]);
  return bodies.flat().filter((operation) => operation.op === op).length;
}

const matrix = (rows = 4, columns = 5): Tensor => tensor(new Float32Array(rows * columns), { shape: [rows, columns] });

describe('rule 10: one kernel for', () => {
  test('a chain of operations', () => {
    let x = matrix();
    for (let k = 0; k < 10; k++) x = x.mul(2).add(1);
    expect(stepsOf(x)).toBe(1);
  });

  test('a chain through views', () => {
    expect(stepsOf(matrix().exp().transpose().reshape([2, 10]).flip(0).at([0, 1]).mul(2))).toBe(1);
  });

  test('a reduction of what is computed on the way in', () => {
    expect(stepsOf(matrix().square().sum(1))).toBe(1);
  });

  test('a reduction and what is made of each of its results', () => {
    expect(stepsOf(matrix().sum(1).mul(0.5).add(1).tanh())).toBe(1);
    expect(stepsOf(matrix().mean(1).reshape([2, 2]).exp())).toBe(1);
  });

  test('a product with bias and activation', () => {
    const bias = tensor([1, 2, 3]);
    expect(stepsOf(matrix(4, 5).matmul(matrix(5, 3)).add(bias).relu())).toBe(1);
  });

  test('a product whose heads are merged, which walks the axes of the result', () => {
    const four = (...shape: number[]): Tensor => tensor(new Float32Array(sizeOf(shape)), { shape });
    const [a, b] = [four(2, 3, 4, 5), four(2, 3, 5, 6)];
    const merged = (x: Tensor): Tensor => x.permute([0, 2, 1, 3]).reshape([2, 4, -1]);
    const [step, ...others] = programOf(merged(a.matmul(b))).steps;
    expect(others).toEqual([]);
    const hint = { batch: [0, 2], rows: [1], columns: [3], inner: [4] };
    expect(step?.kernel).toMatchObject({ domain: [2, 4, 3, 6], hint });
    expect(step?.kernel.epilogue).toBeUndefined();
    const boxes = programOf(concat([merged(a.matmul(b)), merged(a.matmul(b).mul(2))], 2)).steps;
    expect(boxes.map(({ into }) => [into?.shape, into?.start])).toEqual([
      [
        [2, 4, 6, 6],
        [0, 0, 0, 0],
      ],
      [
        [2, 4, 6, 6],
        [0, 0, 3, 0],
      ],
    ]);
    expect(stepsOf(a.matmul(b).permute([0, 3, 1, 2]))).toBe(2); // columns stay neighbours
  });

  test('a convolution with bias and activation', () => {
    const y = conv2d(zeros([1, 2, 5, 5]).add(tensor(1)), tensor(new Float32Array(54), { shape: [3, 2, 3, 3] }));
    expect(stepsOf(y.add(tensor([[[1]], [[2]], [[3]]])).relu())).toBe(2); // the computed input is stored first
  });

  test('a random number and its use', () => {
    expect(
      stepsOf(
        uniform([5])
          .less(0.5)
          .cast('float32')
          .mul(tensor([1, 2, 3, 4, 5])),
      ),
    ).toBe(1);
  });
});

describe('rule 10: nothing expensive is computed twice:', () => {
  test('a function with two consumers is stored', () => {
    const y = matrix().exp();
    const program = programOf([y.sin(), y.sum(0)]);
    expect(countOf(program, 'exp')).toBe(1);
  });

  test('a function whose elements are wanted many times is stored', () => {
    const row = tensor([1, 2, 3]).exp();
    const program = programOf(matrix(4, 3).mul(row));
    expect(countOf(program, 'exp')).toBe(1);
    expect(program.steps.map(({ kernel }) => kernel.domain)).toEqual([[3], [4, 3]]);
  });

  test('so is one behind a window', () => {
    const x = tensor(new Float32Array(16), { shape: [1, 1, 4, 4] }).tanh();
    const program = programOf(maxPool(x, { size: [2, 2], stride: 1 }));
    expect(program.steps[0]?.kernel.domain).toEqual([1, 1, 4, 4]);
  });

  test('a chain y = y + y * c that would be 3e9 nodes as a tree is a line', () => {
    let y = matrix();
    const start = y;
    for (let k = 0; k < 30; k++) y = y.add(y.mul(start));
    const program = programOf(y);
    expect(program.steps.length).toBeLessThanOrEqual(4);
    for (const { kernel } of program.steps) expect(kernel.value.length).toBeLessThanOrEqual(64);
  });

  test('a reduction with two consumers is stored', () => {
    const total = matrix().sum(1, { keepAxes: true });
    expect(stepsOf([matrix().sub(total), matrix().mul(total)])).toBe(3);
  });

  test('one cheap operation with two consumers is computed in both', () => {
    const y = matrix().add(tensor([1, 2, 3, 4, 5]));
    expect(stepsOf([y.exp(), y.sin()])).toBe(2);
  });
});

describe('rule 10: operands', () => {
  test('of a product are stored before it', () => {
    const program = programOf(matrix(4, 5).exp().matmul(matrix(5, 3)));
    expect(program.steps).toHaveLength(2);
    expect(countOf({ ...program, steps: program.steps.slice(1) }, 'exp')).toBe(0);
  });

  test('of a product may be views of memory', () => {
    expect(stepsOf(matrix(5, 4).transpose().matmul(matrix(5, 3)))).toBe(1);
    expect(stepsOf(matrix(6, 8).at([1, 5], [0, 4]).matmul(matrix(4, 3)))).toBeLessThanOrEqual(2);
  });

  test('that are compared with a stored value are stored, however cheap: both sides see the same numbers', () => {
    const [first, ...rest] = programOf(matrix().mul(0.1).argMax(1)).steps;
    expect(first?.kernel.domain).toEqual([4, 5]);
    const floatOps = rest.flatMap(({ kernel }) => kernel.value.filter(({ dtype }) => dtype === 'float32'));
    expect(floatOps.map(({ op }) => op)).not.toContain('mul');
    const leaf = matrix();
    const slopes = programOf(gradients(leaf.mul(0.1).max(1).sum(), [leaf])).steps;
    expect(slopes[0]?.kernel.domain).toEqual([4, 5]);
  });
});

describe('rule 10: the limits of the device', () => {
  const many = (): Tensor => Array.from({ length: 12 }, () => matrix()).reduce((a, b) => a.mul(b));

  test('bound the buffers that one kernel reads', () => {
    expect(stepsOf(many())).toBe(1);
    const program = programOf(many(), { maxReads: 4, maxBindings: 5 });
    expect(Math.max(...program.steps.map(({ reads }) => reads.length))).toBeLessThanOrEqual(4);
    expect(program.steps.length).toBeLessThanOrEqual(6);
  });

  test('count the written buffer among the bindings', () => {
    const program = programOf(many(), { maxReads: 12, maxBindings: 4 });
    expect(Math.max(...program.steps.map(({ reads }) => reads.length))).toBeLessThanOrEqual(3);
  });

  test('bound the length of a body', () => {
    let x = matrix();
    for (let k = 0; k < 100; k++) x = x.mul(k).sin();
    const program = programOf(x);
    expect(program.steps.length).toBeGreaterThan(2);
    for (const { kernel } of program.steps) expect(kernel.value.length).toBeLessThanOrEqual(64);
  });

  test('say whether boxes may be written: without, a joined tensor is one expression', () => {
    const pieces = (): Tensor[] => [matrix(2, 3), matrix(1, 3), matrix(2, 3)];
    const boxes = programOf(concat(pieces()));
    expect(boxes.steps.map(({ into }) => into?.start)).toEqual([
      [0, 0],
      [2, 0],
      [3, 0],
    ]);
    const whole = programOf(concat(pieces()), { inPlace: false });
    expect(whole.steps).toHaveLength(1);
    expect(countOf(whole, 'where')).toBe(2);
  });

  test('say how many pieces are joined at once', () => {
    const backend = reference({ limits: { inPlace: false, maxReads: 4, maxBindings: 5 } });
    const pieces = Array.from({ length: 30 }, (_, k) => tensor([k], { backend }));
    const { program } = deviceOf(backend).prepare([concat(pieces).node], []).plan;
    for (const { kernel, reads } of program.steps) {
      expect(kernel.value.length).toBeLessThanOrEqual(64);
      expect(reads.length).toBeLessThanOrEqual(4);
    }
  });
});

test('an outer product is a multiplication, not a product over one element', () => {
  const [step] = programOf(matrix(4, 1).matmul(matrix(1, 3))).steps;
  expect(step?.kernel.reduce).toBeUndefined();
});

test('what nobody wants is not computed', () => {
  const x = matrix();
  x.exp();
  expect(stepsOf(x.sin())).toBe(1);
  expect(stepsOf(x.exp().at([0, 0]).sum(0))).toBe(1); // a sum over nothing reads nothing
});
