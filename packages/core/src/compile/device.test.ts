/**
 * How programs run: what is read together, what a step leaves usable (rule 4 of life), the event loop (rule 6), and
 * failures, which change nothing (rule 11).
 */
import { recording, reference } from '@nn/conformance';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Backend } from '../backend.ts';
import {
  BackendError,
  GradientError,
  gradients,
  ones,
  parameter,
  replace,
  StaleTensorError,
  setDefaultBackend,
  tensor,
  uniform,
} from '../index.ts';
import { compilingBy, descend, Momentum, prepare } from '../testing.ts';

prepare(reference());
let backend = recording(reference());

beforeEach(() => {
  backend = recording(reference());
  setDefaultBackend(backend);
});

describe('reading', () => {
  test('everything that is read in one turn is one program', async () => {
    const x = tensor([1, 2]);
    const [sum, product, values] = await Promise.all([x.sum().item(), x.prod().item(), x.mul(2).array()]);
    expect([sum, product, values]).toEqual([3, 2, [2, 4]]);
    expect(backend.counts.run).toBe(1);
  });

  test('one value read twice is computed once', async () => {
    const y = tensor([1, 2]).exp();
    await Promise.all([y.data(), y.data()]);
    await y.data();
    expect(backend.counts.run).toBe(1);
  });

  test('what was read is not computed again for what depends on it', async () => {
    const y = tensor([1, 2]).exp();
    await y.data();
    backend.clear();
    await y.sum().item();
    expect(backend.programs[0]?.steps).toHaveLength(1);
  });

  test('of random numbers that the host draws leaves nothing of them on the device', async () => {
    const device = recording(reference({ limits: { exactInt32: false } }));
    setDefaultBackend(device);
    for (let turn = 0; turn < 3; turn++) {
      expect((await uniform([8]).mul(2).data()).length).toBe(8);
      expect(device.live.count).toBe(0);
    }
  });

  test('gives copies', async () => {
    const y = tensor([1, 2]).mul(2);
    (await y.data()).fill(9);
    expect(await y.array()).toEqual([2, 4]);
  });

  test('of what has no elements asks no device', async () => {
    expect(
      await tensor(new Float32Array(0), { shape: [0, 3] })
        .exp()
        .array(),
    ).toEqual([]);
    expect(await ones([2, 0]).sum(1).array()).toEqual([0, 0]);
    expect(backend.counts.download).toBeLessThanOrEqual(1);
  });
});

describe('rule 4: history', () => {
  test('a loss that was read can still be trained on', async () => {
    const weight = parameter([2]);
    const loss = weight.square().sum();
    expect(await loss.item()).toBe(4);
    await descend(loss, [weight], 0.25);
    expect(await weight.array()).toEqual([1]);
  });

  test('what is computed along with a step sees the old parameters', async () => {
    const weight = parameter([2]);
    const [loss, also] = [weight.square().sum(), weight.mul(10)];
    await descend(loss, [weight], 0.25, [also]);
    expect(await also.array()).toEqual([20]);
    expect(await loss.item()).toBe(4);
    expect(await weight.array()).toEqual([1]);
  });

  test('a value that was never computed and needs the old parameter says so', async () => {
    const weight = parameter([2], { name: 'layers.0.weight' });
    const forgotten = weight.mul(10);
    await descend(weight.square().sum(), [weight]);
    const reading = forgotten.data();
    await expect(reading).rejects.toBeInstanceOf(StaleTensorError);
    await expect(reading).rejects.toThrow(
      'This value was never computed, and needs the value of layers.0.weight from before the last step, whose memory the new value took. ' +
        'Compute it in the same step, optimizer.step(loss, value), or read it before: await value.data().',
    );
  });

  test('only what depends on a replaced parameter is spent', async () => {
    const [weight, other] = [parameter([2]), parameter([3])];
    const independent = other.mul(10);
    await descend(weight.square().sum(), [weight]);
    expect(await independent.array()).toEqual([30]);
    expect(gradients(independent.sum(), [other])).toHaveLength(1);
  });

  test('a gradient through a value of before the step says so', async () => {
    const weight = parameter([2], { name: 'weight' });
    const carried = weight.mul(3);
    await descend(weight.square().sum(), [weight], 0.1, [carried]);
    expect(await carried.array()).toEqual([6]);
    const loss = carried.mul(weight).sum();
    expect(() => gradients(loss, [weight])).toThrow(GradientError);
    expect(() => gradients(loss, [weight])).toThrow(/weight before the last step.*stopGradient\(\)/);
    const [slope] = gradients(carried.stopGradient().mul(weight).sum(), [weight]);
    expect(await slope.array()).toEqual([6]);
  });

  test('parameters are new at once, before anything is awaited', async () => {
    const weight = parameter([2]);
    const first = replace([[weight, weight.add(1)]]);
    const second = replace([[weight, weight.mul(10)]]);
    await Promise.all([first, second]);
    expect(await weight.array()).toEqual([30]);
  });
});

describe('rule 6: the event loop lives', () => {
  test('a timer fires inside a loop that only awaits core', async () => {
    const weight = parameter([2]);
    let fired = false;
    setTimeout(() => {
      fired = true;
    }, 0);
    let steps = 0;
    while (!fired && steps < 100_000) {
      await descend(weight.square().sum(), [weight], 0.01);
      steps++;
    }
    expect(fired).toBe(true);
  });

  test('a timer fires inside a loop that reads values', async () => {
    let fired = false;
    setTimeout(() => {
      fired = true;
    }, 0);
    const x = tensor([1, 2]);
    let reads = 0;
    while (!fired && reads < 100_000) {
      await x.sum().item();
      reads++;
    }
    expect(fired).toBe(true);
  });

  test('at most two long programs are under way', async () => {
    let working = 0;
    let most = 0;
    const slow: Backend = recording(reference());
    let last = Promise.resolve();
    slow.idle = () => {
      working++;
      most = Math.max(most, working);
      last = last.then(async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        working--;
      });
      return last;
    };
    setDefaultBackend(slow);
    const weight = parameter([1]);
    for (let step = 0; step < 20; step++) await replace([[weight, weight.mul(1.5)]]);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(2);
  });
});

describe('rule 11: a failure changes nothing', () => {
  test.each(['upload', 'compile', 'run'] as const)(
    'when %s fails, the parameter keeps its value and goes on',
    async (call) => {
      const weight = parameter([2], { name: 'weight' });
      await descend(weight.square().sum(), [weight], 0.25);
      expect(await weight.array()).toEqual([1]);
      backend.fail(call, new BackendError('', `out of memory in ${call}`));
      const step = () => descend(weight.mul(tensor([3, 4])).sum(), [weight], 0.5);
      await expect(step()).rejects.toThrow(`out of memory in ${call}`);
      expect(await weight.array()).toEqual([1]);
      await step();
      expect(await weight.array()).toEqual([-2.5]);
    },
  );

  test('all parameters of a step keep their values together', async () => {
    const targets = [parameter([1]), parameter([2]), parameter([3])];
    const optimizer = new Momentum(targets);
    const loss = () => targets.map((target) => target.square().sum()).reduce((a, b) => a.add(b));
    await optimizer.step(loss());
    const before = await Promise.all([...targets, ...optimizer.first].map((target) => target.array()));
    backend.fail('run');
    await expect(optimizer.step(loss())).rejects.toThrow('run: made to fail by a test.');
    expect(await Promise.all([...targets, ...optimizer.first].map((target) => target.array()))).toEqual(before);
  });

  test('requests that wait behind a failed one fail with its cause, and later ones work', async () => {
    const inner = reference();
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let compiled = 0;
    const slow = recording(
      compilingBy(inner, async (program) => {
        if (compiled++ > 0) return inner.compile(program);
        await gate;
        throw new BackendError('', 'the shader does not compile');
      }),
    );
    setDefaultBackend(slow);
    const weight = parameter([2]);
    const step = () => replace([[weight, weight.square()]]);
    const waiting = [step(), replace([[weight, weight.mul(5)]]), weight.sum().item()];
    open();
    for (const request of waiting) await expect(request).rejects.toThrow('the shader does not compile');
    expect(weight.node.storage?.host).toEqual(Float32Array.of(2));
    await step(); // the same program as the one that failed
    expect(await weight.array()).toEqual([4]);
  });

  test('a failed download rejects the read and nothing else', async () => {
    const weight = parameter([2]);
    await replace([[weight, weight.add(1)]]);
    backend.fail('download', new BackendError('', 'the cable is out'));
    await expect(weight.data()).rejects.toThrow('the cable is out');
    expect(await weight.array()).toEqual([3]);
  });

  test('a rejected step needs no handler beyond its own', async () => {
    const unhandled = vi.fn();
    if (typeof process !== 'undefined') process.on('unhandledRejection', unhandled);
    backend.fail('run');
    const weight = parameter([1]);
    await replace([[weight, weight.add(1)]]).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (typeof process !== 'undefined') process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

afterEach(() => {
  // what core asked for was all within the contract: the oracle would have thrown
  expect(backend.live.count).toBeGreaterThanOrEqual(0);
});
