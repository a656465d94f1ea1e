/**
 * Calls of compiled functions that meet: cold ones at once, devices that compile late, steps in between, failures. What
 * counts is what the same calls give one after the other.
 */
import { recording, reference } from '@nn/conformance';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Backend, Executable, Program } from './backend.ts';
import { compile } from './compile-function.ts';
import {
  BackendError,
  checkpoint,
  onReplay,
  parameter,
  prepare,
  RandomGenerator,
  randomState,
  replace,
  StaleTensorError,
  setDefaultBackend,
  setSeed,
  type Tensor,
  tensor,
  uniform,
  withRandom,
} from './index.ts';
import { compilingBy, prepare as prepareTests } from './testing.ts';

prepareTests(reference());

/** A device that compiles in a later turn of the event loop. */
function late(): Backend {
  const inner: Backend = reference();
  return compilingBy(inner, async (program: Program): Promise<Executable> => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return inner.compile(program);
  });
}

beforeEach(() => setDefaultBackend(reference()));

describe.each([
  ['at once', () => reference() as Backend],
  ['late', late],
])('on a device that compiles %s', (_, make) => {
  test('ten calls of a cold function are ten updates', async () => {
    setDefaultBackend(make());
    const x = parameter([0, 100]);
    let count = 0;
    const step = compile(() => {
      count++;
      onReplay(
        () => count++,
        () => count--,
      );
      void replace([[x, x.sub(1)]]);
      return x.mul(1);
    });
    const results = await Promise.all(Array.from({ length: 10 }, () => step()));
    expect(await x.array()).toEqual([-10, 90]);
    expect(count).toBe(10);
    expect(await Promise.all(results.map((result) => result.at(0).item()))).toEqual(
      Array.from({ length: 10 }, (__, k) => -1 - k),
    );
  });

  test('two cold functions of one parameter run in the order of their calls', async () => {
    setDefaultBackend(make());
    const x = parameter([3]);
    const double = compile(() => void replace([[x, x.mul(2)]]));
    const add = compile(() => void replace([[x, x.add(1)]]));
    await Promise.all([double(), add(), double(), add(), double()]);
    expect(await x.array()).toEqual([((3 * 2 + 1) * 2 + 1) * 2]);
  });

  test('a step or an assignment between is neither lost nor done twice', async () => {
    setDefaultBackend(make());
    const x = parameter([1]);
    const double = compile(() => void replace([[x, x.mul(2)]]));
    const first = double();
    await Promise.resolve();
    const between = replace([[x, x.add(10)]]);
    x.assign(x.add(100));
    const second = double();
    await Promise.all([first, between, second]);
    // the call is one with the first program that it finds room for: before or after, but whole
    expect([(1 + 10 + 100) * 2 * 2, (1 * 2 + 110) * 2]).toContain(await x.item());
  });

  test('what is computed from a parameter while a call is under way has its value, or says that it is gone', async () => {
    setDefaultBackend(make());
    const x = parameter([1]);
    const step = compile(() => void replace([[x, x.add(1)]]));
    const under = step();
    await new Promise((resolve) => setTimeout(resolve, 1));
    const y = x.mul(10);
    const value = await y.item().catch((error: unknown) => error);
    expect(value instanceof StaleTensorError || value === 10 || value === 20).toBe(true);
    await under;
    expect(await x.item()).toBe(2);
  });
});

test('many calls that nobody waits for let the event loop live, and keep their order', async () => {
  const x = parameter([0]);
  const step = compile((by: Tensor) => void replace([[x, x.add(by)]]));
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const one = tensor([1]);
  const calls = Array.from({ length: 2000 }, () => step(one));
  await Promise.all(calls);
  clearInterval(timer);
  expect(await x.item()).toBe(2000);
  // how often depends on how busy the machine is
  expect(turns).toBeGreaterThan(0);
});

test('an argument whose memory an earlier call took says so', async () => {
  const x = parameter([1]);
  const step = compile(() => void replace([[x, x.add(1)]]));
  const double = compile((y: Tensor) => y.mul(2));
  await step();
  await step();
  const before = x.mul(1).stopGradient();
  await before.data();
  const kept = parameter([5]);
  const replaceKept = compile(() => void replace([[kept, kept.add(1)]]));
  const value = kept.stopGradient();
  await Promise.all([replaceKept(), replaceKept(), replaceKept()]);
  await expect(double(value)).rejects.toThrow(StaleTensorError);
});

test('a parameter that its function replaces may not be its argument as well', async () => {
  const x = parameter([1]);
  const step = compile((y: Tensor) => void replace([[x, x.add(y)]]));
  for (let call = 0; call < 3; call++) await step(tensor([1]));
  for (let call = 0; call < 3; call++) {
    await expect(step(x)).rejects.toThrow(
      'compile: a parameter that the function replaces was passed as an argument: use it directly inside.',
    );
  }
  expect(await x.array()).toEqual([4]);
});

test('a parameter whose first memory another one took over is read as itself', async () => {
  const [p, q] = [parameter([1]), parameter([7])];
  q.assign(p);
  await q.data();
  await replace([[q, q.add(100)]]);
  const read = compile(() => p.mul(1));
  for (let call = 0; call < 4; call++) expect(await (await read()).item()).toBe(1);
});

describe('what a call advanced on the host is taken back', () => {
  const counting = () => {
    const state = { count: 0 };
    const advance = (): void => {
      state.count++;
      onReplay(
        () => state.count++,
        () => state.count--,
      );
    };
    return { state, advance };
  };

  test('where the function throws', async () => {
    const { state, advance } = counting();
    setSeed(3);
    const generator = new RandomGenerator(4);
    const x = parameter([1]);
    let throws = true;
    const step = compile(() => {
      advance();
      void replace([[x, x.add(uniform([1])).add(withRandom(generator, () => uniform([1])))]]);
      if (throws) throw new Error('no');
    });
    await expect(step()).rejects.toThrow('no');
    expect([state.count, randomState().counter, generator.counter, await x.item()]).toEqual([0, 0, 0, 1]);
    throws = false;
    await step();
    expect([state.count, randomState().counter, generator.counter]).toEqual([1, 1, 1]);
  });

  test.each([1, 2, 3, 5])('where program %i fails', async (failing) => {
    const backend = recording(reference());
    setDefaultBackend(backend);
    const { state, advance } = counting();
    setSeed(3);
    const x = parameter([1]);
    const step = compile(() => {
      advance();
      void replace([[x, x.add(1).add(uniform([1]).mul(0))]]);
    });
    for (let call = 1; call <= 6; call++) {
      if (call === failing) {
        backend.fail('run');
        await expect(step()).rejects.toThrow(BackendError);
        expect([state.count, randomState().counter, await x.item()]).toEqual([call - 1, call - 1, call]);
      }
      await step();
      expect([state.count, randomState().counter, await x.item()]).toEqual([call, call, call + 1]);
    }
  });

  test('where its program cannot be compiled', async () => {
    const backend = recording(reference());
    setDefaultBackend(backend);
    const { state, advance } = counting();
    const x = parameter([1]);
    const step = compile(() => {
      advance();
      void replace([[x, x.add(1)]]);
    });
    backend.fail('compile');
    await expect(step()).rejects.toThrow(BackendError);
    expect(state.count).toBe(0);
    await step();
    expect([state.count, await x.item()]).toEqual([1, 2]);
  });

  test('after preparing, where initial values that wait for their program stay', async () => {
    const { state, advance } = counting();
    const x = parameter(tensor([2]).mul(3));
    await prepare(() => {
      advance();
      uniform([1]);
      x.assign(x.add(1));
      return x.mul(2);
    });
    expect([state.count, await x.item()]).toEqual([0, 6]);
  });
});

test('a checkpointed part of a compiled function draws anew with each call, and the same for its gradient', async () => {
  setSeed(1);
  const part = checkpoint((x: Tensor) => x.mul(uniform([3])));
  const step = compile((x: Tensor) => part(x));
  const seen = new Set<string>();
  for (let call = 0; call < 4; call++) seen.add((await (await step(tensor([1, 1, 1]))).data()).join());
  expect(seen.size).toBe(4);
});

test('preparing ends when its signal is aborted, and what was compiled stays', async () => {
  let compiled = 0;
  const inner: Backend = reference();
  setDefaultBackend(
    compilingBy(inner, async (program: Program) => {
      compiled++;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return inner.compile(program);
    }),
  );
  const x = tensor([1]);
  const controller = new AbortController();
  const waiting = prepare(() => x.exp(), { signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(prepare(() => x.exp(), { signal: controller.signal })).rejects.toThrow('enough');
  await x.exp().data();
  expect(compiled).toBe(1);
});
