/**
 * Memory that variables own comes back when nobody can reach them, without a word from anybody; what has not been used for
 * long moves to the host; a program that finds no room gets some. A test for each way in which models come and go.
 */
import { recording, reference } from '@nn/conformance';
import { Adam } from '@nn/optim';
import { encodeModel, loadModel } from '@nn/serialize';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Backend, BufferType, Executable } from './backend.ts';
import {
  BackendError,
  backup,
  compile,
  move,
  type Parameter,
  parameter,
  replace,
  setDefaultBackend,
  type Tensor,
  tensor,
  zeros,
} from './index.ts';
import { compilingBy } from './testing.ts';

let backend = recording(reference());
beforeEach(() => {
  backend = recording(reference());
  setDefaultBackend(backend);
});

/** What cannot be reached is collected, and registries are told: soon, but when is for the engine to say. */
async function collect(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Collects until no more than this many bytes live; what leaks never gets there. */
async function expectLiveBytes(most: number): Promise<void> {
  await vi.waitFor(
    async () => {
      await collect();
      expect(backend.live.bytes).toBeLessThanOrEqual(most);
    },
    { timeout: 20_000 },
  );
}

const size = 5000;
const big = (): Parameter => parameter(new Float32Array(size).fill(1));
const rounds = 5;
/** Uploads and results without an owner that may stay: they are bounded by a budget of their own. */
const bytesLeft = 4096;

describe('memory comes back from', () => {
  test.each<[string, () => Promise<void>]>([
    [
      'parameters that were read',
      async () => {
        await big().sum().item();
      },
    ],
    [
      'parameters that were trained, with their optimizer',
      async () => {
        const model = { weight: big() };
        const optimizer = new Adam(model, { learningRate: 0.1 });
        for (let step = 0; step < 3; step++) await optimizer.step(model.weight.square().sum());
      },
    ],
    [
      'an optimizer made anew',
      (() => {
        const weight = big();
        return async () => {
          await new Adam([weight], { learningRate: 0.1 }).step(weight.square().sum());
        };
      })(),
    ],
    [
      'a model that is trained by a compiled function',
      async () => {
        const weight = big();
        const optimizer = new Adam([weight], { learningRate: 0.1 });
        const step = compile((x: Tensor) => {
          const loss = weight.mul(x).square().sum();
          void optimizer.step(loss);
          return loss;
        });
        for (let call = 0; call < 4; call++) await (await step(tensor(2))).item();
      },
    ],
    [
      'parameters made in forward',
      async () => {
        const forward = (x: Tensor): Tensor => x.mul(big()).sum();
        await forward(tensor(3)).item();
      },
    ],
    [
      'parameters with an expression as their first value',
      async () => {
        await parameter(zeros([size]).add(2))
          .sum()
          .item();
      },
    ],
    [
      'values replaced by assign',
      (() => {
        const weight = big();
        return async () => {
          weight.assign(weight.mul(2));
          await weight.sum().item();
        };
      })(),
    ],
    [
      'values replaced by loadModel',
      (() => {
        const model = { weight: big() };
        return async () => {
          await loadModel(await encodeModel(model), model);
          await model.weight.sum().item();
        };
      })(),
    ],
    [
      'models that were moved here',
      async () => {
        const model = { weight: parameter(new Float32Array(size), { backend: reference() }) };
        await move(model, backend);
        await model.weight.sum().item();
      },
    ],
    [
      'models with a backup',
      async () => {
        const model = { weight: big() };
        await replace([[model.weight, model.weight.add(1)]]);
        await backup(model);
      },
    ],
  ])('%s', async (_, round) => {
    await round();
    await collect();
    const before = backend.live.bytes;
    for (let k = 0; k < rounds; k++) await round();
    // one round's worth may be the newest value of what the test itself holds
    await expectLiveBytes(before + bytesLeft);
  });

  test('a tensor that still needs the value keeps it, and gives it back', async () => {
    const make = (): Tensor => {
      const weight = parameter(new Float32Array(size).fill(3));
      return weight.mul(2);
    };
    let y: Tensor | null = make();
    await y.sum().item();
    await collect();
    expect((await y.data())[4999]).toBe(6);
    expect(await y.add(1).sum().item()).toBe(7 * size);
    y = null;
    await expectLiveBytes(3 * 4 * size - 1);
  });

  test('a trained value that only a tensor reads is not taken from it', async () => {
    const make = async (): Promise<Tensor> => {
      const weight = big();
      await replace([[weight, weight.add(1)]]);
      return weight.mul(2);
    };
    const y = await make();
    await collect();
    expect((await y.data())[0]).toBe(4);
  });

  test('parameters whose first value nobody ever asked for', async () => {
    const kept = new WeakRef(parameter(zeros([size]).add(1)));
    await collect();
    expect(kept.deref()).toBeUndefined();
    await tensor([1]).exp().data();
    expect(backend.live.bytes).toBeLessThan(bytesLeft);
  });
});

test('a device that was closed meanwhile ends no process', async () => {
  const errors: unknown[] = [];
  const note = (error: unknown): void => void errors.push(error);
  process.prependListener('uncaughtException', note);
  const closed = recording(reference());
  const round = async (): Promise<void> => {
    const weight = parameter(new Float32Array(size), { backend: closed });
    await replace([[weight, weight.add(1)]]);
  };
  await round();
  closed.fail('release');
  await collect();
  process.off('uncaughtException', note);
  expect(errors).toEqual([]);
  expect(closed.counts.release).toBeGreaterThan(0);
});

describe('programs', () => {
  /** How many executables live. */
  function counted(): { live: () => number } {
    vi.spyOn(console, 'warn').mockReturnValue(); // many sizes, each compiled anew: that is what this is about
    let live = 0;
    const inner: Backend = reference();
    setDefaultBackend(
      compilingBy(inner, (program) => {
        const made = inner.compile(program) as Executable;
        live++;
        return {
          run: (inputs, scalars) => made.run(inputs, scalars),
          release: () => {
            live--;
            made.release();
          },
        };
      }),
    );
    return { live: () => live };
  }
  const fill = async (): Promise<void> => {
    for (let k = 1; k <= 520; k++) await tensor(new Float32Array(k)).add(1).data();
  };

  test('of compiled functions that were dropped are released', async () => {
    const { live } = counted();
    const round = async (k: number): Promise<void> => {
      const f = compile((x: Tensor) => x.mul(2).sub(k + 0));
      for (let call = 0; call < 3; call++) await f(zeros([600 + k]));
    };
    for (let k = 0; k < 20; k++) await round(k);
    await fill();
    await collect();
    expect(live()).toBeLessThanOrEqual(512);
  });

  test('of variants that were replaced are released', async () => {
    const { live } = counted();
    const f = compile((x: Tensor) => x.mul(2));
    for (let k = 1; k <= 700; k++) await f(zeros([k]));
    expect(live()).toBeLessThanOrEqual(512 + 64);
    await f(zeros([3]));
  });
});

describe('what is cold', () => {
  test('moves to the host past the budget, and comes back when it is used', async () => {
    const limits = { maxResident: { count: 64, bytes: 40_000 } };
    backend = recording(reference({ limits }));
    setDefaultBackend(backend);
    const weights: Parameter[] = [];
    const warm = parameter(new Float32Array(size));
    for (let k = 0; k < 12; k++) {
      const weight = parameter(new Float32Array(size).fill(k));
      await replace([[weight, weight.add(1)]]);
      weights.push(weight);
      for (let step = 0; step < 70; step++) await replace([[warm, warm.add(1)]]);
    }
    expect(backend.live.bytes).toBeLessThan(40_000 * 3 + 4 * size);
    expect((await warm.data())[0]).toBe(840);
    for (const [k, weight] of weights.entries()) {
      expect((await weight.data())[7]).toBe(k + 1);
      await replace([[weight, weight.mul(2)]]);
      expect((await weight.data())[7]).toBe(2 * k + 2);
    }
  });
});

describe('a program that finds no room', () => {
  /** A device with room for `most` bytes. */
  function small(most: number): Backend {
    const inner = recording(reference());
    const check = (bytes: number): void => {
      if (inner.live.bytes + bytes > most) throw new BackendError('', 'no room here', { outOfMemory: true });
    };
    const bytesOf = ({ shape }: BufferType): number => 4 * shape.reduce((a, b) => a * b, 1);
    return {
      name: 'small',
      limits: inner.limits,
      upload: (data, type) => {
        check(bytesOf(type));
        return inner.upload(data, type);
      },
      download: (buffer) => inner.download(buffer),
      release: (buffer) => inner.release(buffer),
      idle: () => inner.idle(),
      compile: (program) => {
        const made = inner.compile(program) as Executable;
        return {
          run: (inputs, scalars) => {
            check(program.outputs.reduce((sum, output) => sum + bytesOf(program.buffers[output] as BufferType), 0));
            return made.run(inputs, scalars);
          },
          release: () => made.release(),
        };
      },
    };
  }

  test.each([
    ['plain', false],
    ['compiled', true],
  ])('gets that of what was not used just now, %s', async (_, isCompiled) => {
    setDefaultBackend(small(4 * 4 * size));
    const weights = Array.from({ length: 12 }, (__, k) => parameter(new Float32Array(size).fill(k)));
    for (let round = 1; round <= 3; round++) {
      for (const [k, weight] of weights.entries()) {
        const step = () => replace([[weight, weight.add(1)]]);
        await (isCompiled ? compile(() => void step())() : step());
        expect((await weight.mul(1).data())[3]).toBe(k + round);
      }
    }
  });

  test('fails when there is none to be had, and changes nothing', async () => {
    setDefaultBackend(small(4 * size));
    const weight = parameter([1]);
    await replace([[weight, weight.add(1)]]);
    const step = (): Promise<void> => replace([[weight, weight.add(new_(3 * size).sum())]]);
    await expect(step()).rejects.toThrow('no room here');
    expect(await weight.item()).toBe(2);
  });
  const new_ = (length: number): Tensor => tensor(new Float32Array(length));
});
