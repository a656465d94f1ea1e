/** What a window is on the device: where it begins, where it lies, and what is left of it when a program fails. */
import { cpu } from '@nn/backend-cpu';
import { recording } from '@nn/conformance';
import { compile, move, parameter, prepare, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { Max, Mean, read, readings, Sum, Values } from './index.ts';

const device = recording();
beforeEach(() => {
  device.clear();
  setDefaultBackend(device);
});

/** A sum and a list of what a compiled function was given, and the function after its first three calls. */
async function compiled() {
  const [sum, values] = [new Sum(), new Values({ window: 8 })];
  let traced = 0;
  const step = compile((x: Tensor) => {
    traced++;
    sum.update(x);
    values.update(x);
    return x.mul(2);
  });
  for (const x of [1, 2, 3]) await step(tensor(x));
  return { sum, values, step, traced: () => traced };
}

describe('a window', () => {
  it('is read where it lies: without a program, before one and after one', async () => {
    const { sum, values, step, traced } = await compiled();
    const before = { ...device.counts };
    expect((await read({ sum, values })).sum.window).toBe(6);
    expect(device.counts.run).toBe(before.run);
    const sums: unknown[] = [];
    for (const x of [4, 5, 6, 7]) {
      await step(tensor(x));
      if (x % 2 === 1) sums.push((await read({ sum, values })).values.window);
    }
    expect(sums).toEqual([
      [4, 5],
      [6, 7],
    ]);
    expect(device.counts.run - before.run).toBe(4);
    expect((await sum.read()).epoch).toBe(28);
    expect(traced()).toBe(2);
  });

  it('has what steps add while a read of the one before is on its way', async () => {
    const { sum, values, step } = await compiled();
    const reading = read({ sum, values });
    for (const x of [4, 5]) step.atOnce(tensor(x)) ?? (await step(tensor(x)));
    expect(await reading).toMatchObject({ sum: { window: 6 }, values: { window: [1, 2, 3] } });
    expect(await read({ sum, values })).toMatchObject({ sum: { window: 9 }, values: { window: [4, 5] } });
  });

  it('is read without a promise where nothing has to be waited for, and else after what is on its way', async () => {
    setDefaultBackend(cpu({ engine: 'javascript' }));
    const { sum, values, step } = await compiled();
    // a list of samples is cut to those that are there when it has come
    expect(readings({ values })).toBeInstanceOf(Promise);
    expect(readings({ sum })).toEqual({ sum: { window: 6, epoch: 6 } });
    expect(readings({ sum })).toEqual({ sum: { window: 0, epoch: 6 } });
    await step(tensor(4));
    const others: ((lists: readonly (readonly ArrayLike<number>[])[]) => void)[] = [];
    const gathered = readings({ sum }, { gather: () => new Promise((resolve) => others.push(resolve)) });
    await step(tensor(5));
    const next = readings({ sum });
    expect(next).toBeInstanceOf(Promise);
    await Promise.resolve();
    others[0]!([[[4]], [[40]]]);
    expect(await gathered).toEqual({ sum: { window: 44, epoch: 50 } });
    expect(await next).toEqual({ sum: { window: 5, epoch: 55 } });
    await step(tensor(1));
    expect(readings({ sum })).toEqual({ sum: { window: 1, epoch: 56 } });
    await expect(read({ sum }, { gather: () => Promise.reject(new Error('a rank is gone')) })).rejects.toThrow(
      'is gone',
    );
    await step(tensor(2));
    expect(await read({ sum })).toEqual({ sum: { window: 2, epoch: 58 } });
  });

  it('begins anew after what was no number', async () => {
    const mean = new Mean();
    const step = compile((x: Tensor) => {
      mean.update(x);
      return x;
    });
    const windows: number[] = [];
    for (const x of [1, Number.NaN, Number.POSITIVE_INFINITY, 2, 4]) {
      await step(tensor(x));
      await step(tensor(x));
      windows.push((await mean.read()).window);
    }
    expect(windows).toEqual([1, Number.NaN, Number.POSITIVE_INFINITY, 2, 4]);
  });

  it('begins anew after a reset, and extremes begin below everything', async () => {
    const [max, sum] = [new Max(), new Sum()];
    const step = compile((x: Tensor) => {
      max.update(x);
      sum.update(x);
      return x;
    });
    for (const x of [5, 6, 7]) await step(tensor(x));
    max.reset();
    sum.reset();
    await step(tensor(-3));
    expect(await read({ max, sum })).toEqual({ max: { window: -3, epoch: -3 }, sum: { window: -3, epoch: -3 } });
  });

  it('may be updated twice in a step', async () => {
    const sum = new Sum();
    const step = compile((x: Tensor) => {
      sum.update(x);
      sum.update(x.mul(10));
      return x;
    });
    const windows: number[] = [];
    for (const x of [1, 2, 3, 4, 5, 6]) {
      await step(tensor(x));
      if (x % 2 === 0) windows.push((await sum.read()).window);
    }
    expect(windows).toEqual([33, 77, 121]);
  });

  it('goes on through steps that are compiled and some that are not', async () => {
    const { sum, values, step } = await compiled();
    const windows: unknown[] = [];
    for (const x of [10, 20, 30, 40]) {
      windows.push(Object.values(await read({ sum, values })).map(({ window }) => window));
      sum.update(tensor(x));
      values.update(tensor(x));
      await step(tensor(x + 1));
    }
    windows.push(Object.values(await read({ sum, values })).map(({ window }) => window));
    expect(windows).toEqual([[6, [1, 2, 3]], ...[10, 20, 30, 40].map((x) => [2 * x + 1, [x, x + 1]])]);
  });

  it('follows its model to another device and back', async () => {
    const [sum, other] = [new Sum(), recording()];
    const weight = parameter([1]);
    const step = compile((x: Tensor) => {
      sum.update(weight.mul(x));
      return x;
    });
    const windows: number[] = [];
    for (const backend of [device, other, device]) {
      setDefaultBackend(backend);
      await move([weight], backend);
      for (const x of [1, 2, 3, 4]) await step(tensor(x));
      windows.push((await sum.read()).window);
    }
    expect(windows).toEqual([10, 10, 10]);
  });
});

describe('what a failed program leaves', () => {
  it('is the window before it, where it is compiled', async () => {
    const { sum, values, step } = await compiled();
    await read({ sum, values });
    for (const x of [4, 5]) {
      device.fail('run');
      await expect(step(tensor(100))).rejects.toThrow();
      await step(tensor(x));
    }
    expect(await read({ sum, values })).toEqual({
      sum: { window: 9, epoch: 15 },
      values: { window: [4, 5], epoch: [1, 2, 3, 4, 5] },
    });
    device.fail('run');
    await expect(step(tensor(100))).rejects.toThrow();
    expect(await read({ sum, values })).toMatchObject({ sum: { window: 0 }, values: { window: [] } });
  });

  it('is not the sums of the window before, where it is not compiled', async () => {
    const [sum, weight] = [new Sum(), parameter([1])];
    const step = async (x: number): Promise<void> => {
      sum.update(weight.mul(x));
      await weight.mul(x).data();
    };
    await step(1);
    await step(2);
    expect((await sum.read()).window).toBe(3);
    device.fail('run');
    await expect(step(100)).rejects.toThrow();
    await step(4);
    expect((await sum.read()).window).toBe(4);
  });

  it('nor does compiling ahead count anything', async () => {
    const { sum, values, step } = await compiled();
    await read({ sum, values });
    await prepare(() => step.inline(tensor(9)));
    expect(await read({ sum, values })).toMatchObject({ sum: { window: 0 }, values: { window: [] } });
    await step(tensor(4));
    expect((await read({ sum, values })).values.window).toEqual([4]);
    expect((await sum.read()).epoch).toBe(10);
  });
});
