/** Looking closely: eager computation, the first NaN by name and line, and programs as text. */
import { reference } from '@nn/conformance';
import { afterEach, describe, expect, test } from 'vitest';
import { debug, explain, gradients, parameter, profile, replace, tensor } from './index.ts';
import { prepare } from './testing.ts';

prepare(reference());

afterEach(() => debug({ eager: false, validate: true }));

describe('debug', () => {
  test('names the operation that made the first NaN or infinity, and its line', async () => {
    debug({ eager: true });
    const bad = tensor([1, -1]).sqrt();
    const later = bad.mul(2).sum();
    await expect(later.item()).rejects.toThrow(/^sqrt made NaN at \[1\] from finite numbers/);
  });

  test('says nothing of what comes from infinite inputs, and stops saying', async () => {
    debug({ eager: true });
    expect(await tensor([Number.POSITIVE_INFINITY]).mul(2).item()).toBe(Number.POSITIVE_INFINITY);
    debug({ eager: false });
    expect(await tensor([-1]).sqrt().item()).toBeNaN();
  });

  test('computes the same numbers, steps included', async () => {
    const train = async (): Promise<unknown> => {
      const weight = parameter([1, 2]);
      for (let step = 0; step < 3; step++) {
        const loss = weight.square().sum();
        const [slope] = gradients(loss, [weight]);
        await replace([[weight, weight.sub(slope.mul(0.1))]], [loss]);
      }
      return weight.array();
    };
    const fast = await train();
    debug({ eager: true });
    expect(await train()).toEqual(fast);
  });

  test('makes a console show values, and type and shape again when it is over', async () => {
    const shown = (x: object): unknown => Reflect.get(x, Symbol.for('nodejs.util.inspect.custom')).call(x);
    const x = parameter([1, 2], { name: 'x' });
    expect(shown(x)).toBe('Parameter x float32 [2]');
    debug({ eager: true });
    const sum = x.add(1);
    await sum.data();
    expect(shown(sum)).toBe('Tensor float32 [2] { 2, 3 }');
    debug({ eager: false });
    expect(shown(sum)).toBe('Tensor float32 [2]');
  });
});

describe('explain', () => {
  test('shows the graph and the kernels', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const text = explain(x.matmul(x).add(1).relu().sum(1));
    expect(text).toMatch(/graph\n {2}#0 data\(\) float32\[2, 2\]/);
    expect(text).toContain('contraction(#0, ');
    expect(text).toContain('program: 1 inputs, 1 scalars, 2 steps, 1 outputs, 2 kernels');
    expect(text).toContain('#contraction');
    expect(text.split('\n').at(-1)).toBe('return %2');
  });

  test('is the same text for the same structure, and runs nothing', () => {
    const text = (value: number): string => explain(tensor([value]).mul(value).exp());
    expect(text(1)).toBe(text(2));
  });

  test('shows what shares memory', () => {
    const x = tensor(new Float32Array(64), { shape: [8, 8] });
    expect(explain(x.softmax())).toContain('┌');
    const y = x.matmul(x).sub(x.sum());
    expect(explain(y.exp(), y.sum(0))).toContain('return');
  });

  test('names parameters', () => {
    expect(explain(parameter([1], { name: 'weight' }).mul(2))).toContain('parameter weight()');
  });
});

test('profile without a clock on the device measures nothing, and gives the results', async () => {
  let value = 0;
  const report = await profile(async () => {
    value = await tensor([1, 2]).sum().item();
  });
  expect([value, report.kernels]).toEqual([3, []]);
  expect(JSON.parse(report.toChromeTrace())).toEqual({ traceEvents: [], displayTimeUnit: 'ms' });
});
