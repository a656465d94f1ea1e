import { recording, reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import { deviceOf } from './compile/device.ts';
import {
  autocast,
  castParameters,
  checkpoint,
  compile,
  conv2d,
  gradients,
  parameter,
  replace,
  type Tensor,
  tensor,
  uniform,
  where,
} from './index.ts';
import { prepare } from './testing.ts';

prepare(reference());

const matrix = (rows: number, columns: number): Tensor => uniform([rows, columns]);
const programOf = (...roots: Tensor[]) =>
  deviceOf(reference()).prepare(
    roots.map(({ node }) => node),
    [],
  ).plan.program;
const large = (program: ReturnType<typeof programOf>, size: number): string[] =>
  program.buffers
    .slice(program.inputs)
    .filter(({ shape }) => shape.reduce((a, b) => a * b, 1) >= size)
    .map(({ dtype }) => dtype);

describe('half floats in memory', () => {
  const x = tensor([1.001, -2, 3]).cast('bfloat16');

  test('are float32 to operations', async () => {
    expect(x.dtype).toBe('bfloat16');
    expect(x.mul(2).dtype).toBe('float32');
    expect(await x.mul(2).array()).toEqual([2, -4, 6]);
    expect(await x.mul(0.5).floor().array()).toEqual([0, -1, 1]);
    expect(await where(x.less(0), 0.25, x).array()).toEqual([1, 0.25, 3]);
    expect(await x.sum().item()).toBe(2);
    expect(await x.argMax(0).item()).toBe(2);
    expect(await x.cumsum(0).array()).toEqual([1, -1, 2]);
    expect(await x.add(tensor([1, 1, 1])).array()).toEqual([2, -1, 4]);
    expect(await x.add(0).array()).toEqual([1, -2, 3]);
    expect(await x.add(tensor(Int32Array.of(1, 1, 1))).array()).toEqual([2, -1, 4]);
    expect(await x.floor().array()).toEqual([1, -2, 3]);
  });

  test('of two kinds meet in float32', async () => {
    const y = tensor([1, 1, 1]).cast('float16');
    expect(x.maximum(y).dtype).toBe('float32');
    expect(await x.mul(y).array()).toEqual([1, -2, 3]);
  });

  test('have no bits to combine', () => {
    expect(() => x.bitwiseAnd(1)).toThrow('and: float32 has no bits to combine');
  });

  test('are read by products as they are', () => {
    const [a, b] = [parameter(matrix(6, 5).cast('bfloat16')), parameter(matrix(5, 4).cast('bfloat16'))];
    const { steps, buffers } = programOf(a.matmul(b));
    expect(steps.at(-1)?.kernel).toMatchObject({ reads: ['bfloat16', 'bfloat16'], hint: { kind: 'contraction' } });
    const made = buffers.filter(({ dtype, shape }) => dtype === 'float32' && shape.length === 2);
    expect(made.map(({ shape }) => shape.join())).toEqual(['6,4']);
  });

  test('are read by convolutions as they are', () => {
    const [image, weight] = [uniform([1, 2, 5, 5]).cast('float16'), uniform([3, 2, 3, 3]).cast('float16')];
    const { steps } = programOf(conv2d(image, weight));
    expect(steps.at(-1)?.kernel).toMatchObject({ reads: ['float16', 'float16'], hint: { kind: 'conv' } });
  });

  test('pass gradients, which are float32 and were rounded nowhere', async () => {
    const w = parameter(tensor([[1.001], [2]]).cast('bfloat16'));
    const [slope] = gradients(
      tensor([[0.3, 0.7]])
        .matmul(w)
        .sum(),
      [w],
    );
    expect(slope.dtype).toBe('float32');
    expect(await slope.array()).toEqual([[Math.fround(0.3)], [Math.fround(0.7)]]);
  });
});

describe('autocast', () => {
  test('stores operands of products, and what gradients need, as half floats', () => {
    const [w, v] = [parameter(matrix(40, 30)), parameter(matrix(30, 40))];
    const x = parameter(matrix(50, 40));
    const network = (): Tensor => x.matmul(w).relu().matmul(v).gelu().matmul(w).softmax().square().mean();
    const loss = autocast('bfloat16', network);
    expect(large(programOf(loss, ...gradients(loss, [w, v])), 1500)).not.toContain('int32');
    const count = (of: () => Tensor): number => {
      const value = of();
      const program = programOf(value, ...gradients(value, [w, v]));
      const size = { float32: 4, bfloat16: 2 } as Record<string, number>;
      const slots = new Map<number, number>();
      for (const { slot, dtype, shape } of program.buffers.slice(program.inputs)) {
        const bytes = size[dtype]! * shape.reduce((a, b) => a * b, 1);
        slots.set(slot, Math.max(slots.get(slot) ?? 0, bytes));
      }
      return [...slots.values()].reduce((a, b) => a + b, 0);
    };
    expect(count(() => autocast('bfloat16', network)) / count(network)).toBeLessThan(0.8);
  });

  test('a relu and its gradient need one tensor of half floats', () => {
    const [x, w] = [parameter(matrix(64, 32)), parameter(matrix(32, 64))];
    const loss = autocast('float16', () => x.matmul(w).relu().matmul(w.transpose()).sum());
    const kept = programOf(loss, ...gradients(loss, [w])).buffers.filter(({ shape }) => shape.join() === '64,64');
    expect(kept.map(({ dtype }) => dtype)).toEqual(['float16', 'float16']); // forwards and what comes back
  });

  test('rounds what products read, not what they give', async () => {
    const [x, w] = [tensor([[1.001, 1]]), tensor([[1], [0.001]])];
    const y = autocast('bfloat16', () => x.matmul(w));
    expect(await y.item()).toBeCloseTo(1.0009995, 6); // 1 + bfloat16(0.001)
    expect(await autocast('bfloat16', () => autocast('float32', () => x.matmul(w))).item()).toBeCloseTo(1.002, 6);
    expect(await x.matmul(w).item()).toBeCloseTo(1.002, 6);
  });

  test('stands inside of a compiled function, and says so', async () => {
    const product = compile((x: Tensor) => x.matmul(x).sum());
    const half = compile((x: Tensor) => autocast('bfloat16', () => x.matmul(x).sum()));
    const x = tensor([[1.001]]);
    for (const _ of [1, 2]) {
      expect(await (await product(x)).item()).toBeCloseTo(1.002001, 6);
      expect(await (await half(x)).item()).toBe(1);
    }
    expect(() => autocast('bfloat16', () => product(x))).toThrow(
      'A compiled function is async too: put autocast inside of it, compile((x) => autocast(() => ...)).',
    );
  });

  test('reads a parameter that was assigned before', async () => {
    const [x, w] = [tensor([[1, 1]]), parameter([[1], [2]])];
    for (const turn of [1, 2, 3]) {
      w.assign(w.mul(2).stopGradient());
      expect(await autocast('float16', () => x.matmul(w)).item()).toBe(3 * 2 ** turn);
    }
  });

  test('what is computed again for a gradient is computed alike', async () => {
    const w = parameter([[1.001]]);
    const f = checkpoint((x) => x.matmul(w).matmul(w));
    const x = tensor([[1.001]]);
    const loss = autocast('bfloat16', () => f(x).sum());
    const [slope] = gradients(loss, [w]);
    expect(await slope.item()).toBe(2);
  });

  test('errors', () => {
    expect(() => autocast('float64' as never, () => 0)).toThrow(
      "autocast: the dtype is float64: it must be 'bfloat16', 'float16' or 'float32'.",
    );
    expect(() => autocast('float16', async () => 0)).toThrow('autocast: the function must not be async');
  });
});

describe('castParameters', () => {
  test('there and back, in programs that run', async () => {
    const backend = recording(reference());
    const model = {
      weight: parameter([[1.001, 2]], { backend }),
      mean: parameter([0], { backend, buffer: true }),
    };
    await model.weight.mul(1).data();
    expect(castParameters(model, 'bfloat16')).toEqual(['weight']);
    expect([model.weight.dtype, model.mean.dtype]).toEqual(['bfloat16', 'float32']);
    expect(model.weight.toString()).toContain('bfloat16 [1, 2]');
    await model.weight.mul(1).data();
    expect(model.weight.isWaiting).toBe(false);
    await replace([[model.weight, model.weight.add(1)]]);
    expect(model.weight.dtype).toBe('bfloat16');
    castParameters(model, 'float32', 'weight');
    expect(model.weight.dtype).toBe('float32');
  });

  test('values are rounded once', async () => {
    const model = { weight: parameter([1.001, 2]) };
    castParameters(model, 'float16');
    castParameters(model, 'float32');
    expect(await model.weight.array()).toEqual([1.0009765625, 2]);
    expect(() => castParameters(model, 'int8' as never)).toThrow('castParameters: the dtype is int8: it must be');
    expect(() => castParameters(model, 'float16', 'bias')).toThrow('castParameters: no parameter fits bias');
  });
});
