/** A replay that follows on another takes what that one left in place; whatever happens between the two, it means the same. */
import { cpu } from '@nn/backend-cpu';
import { reference } from '@nn/conformance';
import { describe, expect, test, vi } from 'vitest';
import type { Backend } from './backend.ts';
import { breathe } from './compile/breathe.ts';
import { type CompiledFunction, compile } from './compile-function.ts';
import { BackendError } from './errors.ts';
import { Footing } from './footing.ts';
import {
  gradients,
  move,
  numberSource,
  onReplay,
  type Parameter,
  parameter,
  replace,
  setDefaultBackend,
  type Tensor,
  tensor,
} from './index.ts';
import { compilingBy, prepare } from './testing.ts';

prepare(reference());

/** A step at once; in its turn where something has to be waited for. */
async function next<A extends readonly unknown[], R>(step: CompiledFunction<A, R>, ...args: A): Promise<R> {
  await breathe();
  const done = step.atOnce(...args);
  return done === null ? step(...args) : done[0];
}

/** What a small training is made of: a weight that is trained, a copy of its value, and a scale that is read. */
class Twin {
  readonly weight: Parameter = parameter([1, -2, 3], { name: 'weight' });
  readonly mean: Parameter = parameter([0, 0, 0], { buffer: true, name: 'mean' });
  readonly scale: Parameter = parameter([0.5, 1, 2], { name: 'scale' });
  readonly shift: Tensor = tensor([0.1, 0.2, 0.3]);
  steps = 0;
  rate = 0.1;

  readonly step = (x: Tensor): void => {
    const loss = this.weight.mul(this.scale).add(this.shift).mul(x).square().sum();
    const count = (): number => this.steps++;
    count();
    onReplay(count, () => this.steps--);
    const slope = gradients(loss, [this.weight])[0];
    const weight = this.weight.sub(slope.mul(numberSource(() => this.rate / (1 + this.steps))));
    void replace([
      [this.weight, weight],
      [this.mean, this.mean.mul(0.9).add(weight.mul(0.1))],
    ]);
  };

  async values(): Promise<unknown[]> {
    return [await this.weight.array(), await this.mean.array(), await this.scale.array(), this.steps];
  }
}

const inputs = [1, 2, 3, 4, 5, 6, 7, 8].map((k) => [k / 8, 1 / k, -k / 5]);

/** What may happen between two steps. What it gives is looked at after the next one. */
const events: Readonly<Record<string, (twin: Twin) => unknown>> = {
  nothing: () => null,
  'the weight is assigned': ({ weight }) => weight.assign(weight.mul(0.5)),
  'the weight gets the values of another': ({ weight, scale }) => weight.assign(scale),
  'two that are moved on get one value': ({ weight, mean }) => {
    const one = tensor([0.3, 0.2, 0.1]);
    weight.assign(one);
    mean.assign(one);
  },
  'what is read alone is assigned': ({ scale }) => scale.assign(tensor([2, 1, 0.5])),
  'the weight is read': ({ weight }) => weight.data(),
  'the rate is another': (twin) => {
    twin.rate = 0.05;
  },
};

const engines: Readonly<Record<string, () => Backend>> = {
  'in their own memory': () => cpu(),
  'in new memory': () => synchronous(reference()),
};

describe.each(Object.entries(engines))('steps at once, whose values go on %s', (_, engine) => {
  test.each(Object.entries(events))('are those of the function where %s between two', async (_, happens) => {
    setDefaultBackend(engine());
    const [fast, slow] = [new Twin(), new Twin()];
    const step = compile(fast.step);
    const footed = vi.spyOn(Footing.prototype, 'run');
    for (const [k, input] of inputs.entries()) {
      if (k === 6) for (const twin of [fast, slow]) await happens(twin);
      await next(step, tensor(input));
      slow.step(tensor(input));
    }
    expect(await fast.values()).toEqual(await slow.values());
    expect(footed.mock.calls.length).toBeGreaterThan(0);
  });

  test('keep from whoever asked in the middle of one the value that the next would write over', async () => {
    setDefaultBackend(engine());
    const weight = parameter([1, 2]);
    let asks = false;
    let given: Tensor | null = null;
    const step = compile(() => {
      onReplay(() => {
        if (asks) given = weight.stopGradient();
      });
      weight.assign(weight.mul(2));
    });
    for (let k = 0; k < 5; k++) await next(step);
    asks = true;
    await next(step);
    expect(await weight.array()).toEqual([2 ** 6, 2 ** 7]);
    await expect((given as unknown as Tensor).array()).rejects.toThrow(
      'needs the value of a parameter from before the last step',
    );
  });

  test('give results of their own, each its numbers', async () => {
    setDefaultBackend(engine());
    const weight = parameter([1]);
    const step = compile((x: Tensor) => {
      const loss = weight.mul(x).sum();
      weight.assign(weight.add(x));
      return loss;
    });
    const losses: Tensor[] = [];
    for (const k of [1, 2, 3, 4, 5, 6]) losses.push(await next(step, tensor([k])));
    expect(await Promise.all(losses.map((loss) => loss.item()))).toEqual([1, 4, 12, 28, 55, 96]);
  });

  test('of two functions that move the same variable go on from each other', async () => {
    setDefaultBackend(engine());
    const weight = parameter([1]);
    const double = compile(() => weight.assign(weight.mul(2)));
    const add = compile((x: Tensor) => weight.assign(weight.add(x)));
    let right = 1;
    for (let k = 0; k < 6; k++) {
      await next(double);
      await next(add, tensor([k]));
      right = right * 2 + k;
    }
    expect(await weight.item()).toBe(right);
  });

  test('of two models that share one program stay apart', async () => {
    setDefaultBackend(engine());
    const [first, second] = [new Twin(), new Twin()];
    second.weight.assign(tensor([3, 2, 1]));
    const slow = [new Twin(), new Twin()] as const;
    slow[1].weight.assign(tensor([3, 2, 1]));
    const steps = [compile(first.step), compile(second.step)] as const;
    for (const input of inputs) {
      for (const k of [0, 1] as const) {
        await next(steps[k], tensor(input));
        slow[k].step(tensor(input));
      }
    }
    expect([await first.values(), await second.values()]).toEqual([await slow[0].values(), await slow[1].values()]);
  });

  test('leave a read its numbers that is under way', async () => {
    setDefaultBackend(engine());
    const weight = parameter([1]);
    const step = compile(() => weight.assign(weight.mul(2)));
    for (let k = 0; k < 5; k++) await next(step);
    const read = weight.item();
    await next(step);
    await next(step);
    expect([await read, await weight.item()]).toEqual([2 ** 5, 2 ** 7]);
  });

  test('find a value again that has moved to another device and back', async () => {
    const home = engine();
    setDefaultBackend(home);
    const weight = parameter([1]);
    const step = compile((x: Tensor) => weight.assign(weight.add(x)));
    for (let k = 0; k < 5; k++) await next(step, tensor([1]));
    await move([weight], reference());
    await move([weight], home);
    for (let k = 0; k < 3; k++) await next(step, tensor([1]));
    expect(await weight.item()).toBe(9);
  });

  test('refuse as an argument what they write over', async () => {
    setDefaultBackend(engine());
    const weight = parameter([1]);
    const step = compile((x: Tensor) => weight.assign(weight.add(x)));
    for (let k = 0; k < 5; k++) await next(step, tensor([1]));
    await expect(next(step, weight)).rejects.toThrow('a parameter that the function replaces was passed');
    await next(step, tensor([1]));
    expect(await weight.item()).toBe(7);
  });

  test('take back what the host counted where the program fails, and go on', async () => {
    let fails = false;
    const inner = engine();
    const failing = compilingBy(inner, async (program) => {
      const executable = await inner.compile(program);
      return {
        run: (given, scalars) => {
          if (fails) throw new BackendError('run', 'not now');
          return executable.run(given, scalars);
        },
        release: () => executable.release(),
      };
    });
    setDefaultBackend({ ...failing, isSynchronous: true });
    const twin = new Twin();
    const step = compile(twin.step);
    for (const input of inputs.slice(0, 5)) await next(step, tensor(input));
    const before = await twin.values();
    await next(step, tensor([1, 1, 1]));
    await next(step, tensor([1, 1, 1]));
    fails = true;
    await expect(next(step, tensor([1, 1, 1]))).rejects.toThrow('not now');
    expect(twin.steps).toBe((before[3] as number) + 2);
    fails = false;
    await next(step, tensor([1, 1, 1]));
    expect(twin.steps).toBe((before[3] as number) + 3);
  });
});

/** A backend that is done when `run` returns, and says so. */
function synchronous(inner: Backend): Backend {
  return { ...compilingBy(inner, (program) => inner.compile(program)), isSynchronous: true };
}
