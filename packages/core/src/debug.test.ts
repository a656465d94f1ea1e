/** Looking closely: eager computation, the first NaN by name and line, and programs as text. */
import { reference } from '@nn/conformance';
import { afterEach, describe, expect, test } from 'vitest';
import {
  compile,
  debug,
  explain,
  gradients,
  parameter,
  profile,
  replace,
  type Tensor,
  tensor,
  where,
} from './index.ts';
import { prepare } from './testing.ts';

prepare(reference());

afterEach(() => debug({ eager: false, validate: true }));

describe('debug', () => {
  test('names the operation that made the first NaN or infinity, and its line', async () => {
    debug({ eager: true });
    const bad = tensor([1, -1]).sqrt();
    const later = bad.mul(2).sum();
    await expect(later.item()).rejects.toThrow(
      /^sqrt made NaN at \[1\] from finite numbers, in \[2\] at .*debug\.test\.ts\S*:\d+:\d+\.$/,
    );
  });

  test('refuses a step that would spoil the parameters, and leaves them as they were', async () => {
    debug({ eager: true });
    const weight = parameter([1, 4]);
    const shift = parameter([0]);
    const counted = parameter([0], { trainable: false });
    const train = (x: number): Promise<void> => {
      counted.assign(counted.add(1));
      const loss = weight.sub(x).log().add(shift).sum();
      const [ofWeight, ofShift] = gradients(loss, [weight, shift]);
      return replace(
        [
          [weight, weight.sub(ofWeight.mul(0.1))],
          [shift, shift.sub(ofShift.mul(0.1))],
        ],
        [loss],
      );
    };
    for (let round = 0; round < 2; round++) {
      await expect(train(2)).rejects.toThrow(
        /^log made NaN at \[0\] from finite numbers, in \[2\] at .*debug\.test\.ts\S*:\d+:\d+\.$/,
      );
      expect([await weight.array(), await shift.array(), await counted.array()]).toEqual([[1, 4], [0], [0]]);
    }
    await train(0);
    expect(await counted.array()).toEqual([1]);
    expect(await shift.item()).toBeCloseTo(-0.2);
  });

  test('names the operation whose gradient is not finite', async () => {
    debug({ eager: true });
    const weight = parameter([0, 1]);
    const loss = weight.sqrt().sum();
    const [slope] = gradients(loss, [weight]);
    await expect(replace([[weight, weight.sub(slope)]], [loss])).rejects.toThrow(
      /^\w+ made Infinity at \[0\] from finite numbers, in \[2\], in the gradient of sqrt at .*debug\.test\.ts\S*:\d+:\d+\.$/,
    );
    expect(await weight.array()).toEqual([0, 1]);
  });

  test('sees into compiled functions', async () => {
    const weight = parameter([1, 1]);
    const train = compile((x: Tensor) => {
      const loss = weight.mul(x).log().sum();
      const [slope] = gradients(loss, [weight]);
      replace([[weight, weight.sub(slope.mul(0.5))]], [loss]);
      return loss;
    });
    for (let call = 0; call < 3; call++) await train(tensor([1, 1]));
    const before = [...(await weight.data())];
    debug({ eager: true });
    await expect(train(tensor([1, -1]))).rejects.toThrow(
      /^log made NaN at \[1\] .* at .*debug\.test\.ts\S*:\d+:\d+\.$/,
    );
    expect([...(await weight.data())]).toEqual(before);
    expect(await (await train(tensor([1, 1]))).item()).toBeTypeOf('number');
    // log w + log w moves by 1 / w
    const after = before.map((value) => value - 0.5 / value);
    expect((await weight.data()).every((value, k) => Math.abs(value - after[k]!) < 1e-5)).toBe(true);
  });

  test('does not repeat itself, and lets infinities be that nobody is given', async () => {
    debug({ eager: true });
    await expect(tensor([-1]).log().item()).rejects.toThrow('log made NaN');
    expect(await tensor([2]).mul(2).item()).toBe(4);
    const x = tensor([0, 1]);
    expect(await where(x.equal(0), 5, x.log()).array()).toEqual([5, 0]);
    await expect(x.log().array()).rejects.toThrow('log made -Infinity at [0]');
  });

  test('knows parameters that were not finite before', async () => {
    const weight = parameter([Number.NaN]);
    debug({ eager: true });
    expect(await weight.mul(2).item()).toBeNaN();
  });

  test('says nothing of what comes from infinite inputs, and stops saying', async () => {
    debug({ eager: true });
    expect(await tensor([Number.POSITIVE_INFINITY]).mul(2).item()).toBe(Number.POSITIVE_INFINITY);
    debug({ eager: false });
    expect(await tensor([-1]).sqrt().item()).toBeNaN();
  });

  test('computes the same numbers, steps included', async () => {
    const train = async (): Promise<number[]> => {
      const weight = parameter([1, 2]);
      for (let step = 0; step < 3; step++) {
        const loss = weight.square().sum();
        const [slope] = gradients(loss, [weight]);
        await replace([[weight, weight.sub(slope.mul(0.1))]], [loss]);
      }
      return Array.from(await weight.data(), (value) => Number(value.toPrecision(6)));
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
