/** Counts that go with a program, and numbers that are read once a run: the same in each run, compiled or not. */
import { cpu } from '@nn/backend-cpu';
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import {
  Counter,
  compile,
  numberSource,
  onReplay,
  parameter,
  replayWhile,
  setDefaultBackend,
  type Tensor,
  tensor,
} from '../index.ts';
import { prepare } from '../testing.ts';

prepare(reference());

/** The results of calls, one after the other. */
async function valuesOf(calls: number, call: (x: Tensor) => Tensor | Promise<Tensor>): Promise<unknown[]> {
  const values: unknown[] = [];
  for (let k = 0; k < calls; k++) values.push(await (await call(tensor([10 * k]))).array());
  return values;
}

describe('a counter', () => {
  test.each([
    ['by itself', (work: (x: Tensor) => Tensor) => work],
    ['compiled', (work: (x: Tensor) => Tensor) => compile(work)],
  ])('grows with each call and is read before and after, %s', async (_, asIs) => {
    const counter = new Counter();
    const call = asIs((x) => {
      const before = x.add(counter);
      counter.grow(2);
      counter.grow(1);
      return before.mul(100).add(counter);
    });
    expect(await valuesOf(5, call)).toEqual([[3], [1306], [2609], [3912], [5215]]);
    expect(counter.value).toBe(15);
  });

  test('is what the host makes of it between two calls', async () => {
    const counter = new Counter();
    const call = compile((x: Tensor) => x.add(counter));
    expect(
      await valuesOf(4, (x) => {
        counter.value += 5;
        return call(x);
      }),
    ).toEqual([[5], [20], [35], [50]]);
  });

  test('asks for room beyond its bound, and has not grown where there is none', async () => {
    const asked: number[] = [];
    const counter = new Counter(4, (next) => {
      asked.push(next);
      if (next > 6) throw new RangeError('full');
    });
    const other = new Counter();
    const call = compile((x: Tensor) => {
      other.grow(1);
      counter.grow(2);
      return x.add(counter);
    });
    expect(await valuesOf(3, call)).toEqual([[2], [14], [26]]);
    await expect(call(tensor([0]))).rejects.toThrow('full');
    expect(() => counter.grow(1)).toThrow('full');
    expect([counter.value, other.value, asked]).toEqual([6, 3, [6, 8, 7]]);
  });

  test('is taken back where a call fails, traced or replayed', async () => {
    const counter = new Counter();
    let fails = false;
    const call = compile((x: Tensor) => {
      counter.grow(1);
      const check = (): void => {
        if (fails) throw new RangeError('no');
      };
      check();
      onReplay(check);
      return x.add(counter);
    });
    for (let k = 1; k <= 4; k++) {
      fails = true;
      await expect(call(tensor([0]))).rejects.toThrow('no');
      fails = false;
      expect([counter.value, await (await call(tensor([0]))).item()]).toEqual([k - 1, k]);
    }
  });
});

describe('a number that is read anew', () => {
  test('is read once a run, and again after something advanced', async () => {
    let reads = 0;
    let step = 0;
    const source = numberSource(() => {
      reads++;
      return step;
    });
    const advance = (): void => void step++;
    const call = compile((x: Tensor) => {
      const first = x.add(source).add(source);
      advance();
      onReplay(advance, () => step--);
      return first.mul(100).add(source);
    });
    expect(await valuesOf(4, call)).toEqual([[1], [1202], [2403], [3604]]);
    expect(reads).toBe(8);
  });

  test('is of the type of what it meets', async () => {
    const source = numberSource(() => 2);
    const whole = tensor([1, 2, 3], { dtype: 'int32' });
    const call = compile((x: Tensor) => x.add(whole.add(source).cast('float32')).add(source));
    expect(await valuesOf(3, call)).toEqual([
      [5, 6, 7],
      [15, 16, 17],
      [25, 26, 27],
    ]);
  });
});

test('a function is traced anew for as long as a condition does not hold', async () => {
  const condition = { holds: true };
  let traces = 0;
  const call = compile((x: Tensor) => {
    traces++;
    replayWhile(condition, condition);
    return x.mul(2);
  });
  await valuesOf(5, call);
  expect(traces).toBe(2);
  condition.holds = false;
  await valuesOf(2, call);
  expect(traces).toBe(4);
});

test('numbers that stay the same from run to run, and those that change by a sign alone, reach WebAssembly', async () => {
  setDefaultBackend(cpu());
  let value = 1;
  const steps = parameter([0]);
  const step = compile((x: Tensor) => {
    steps.assign(steps.add(1));
    return x.div(numberSource(() => value));
  });
  const seen: unknown[] = [];
  for (value of [1, 1, 1, 2, 2, 0, -0, 0, Number.NaN, Number.NaN, 4]) {
    const x = tensor([1]);
    seen.push(await (step.atOnce(x)?.[0] ?? (await step(x))).item());
  }
  const { NaN: none, POSITIVE_INFINITY: infinity } = Number;
  expect(seen).toEqual([1, 1, 1, 0.5, 0.5, infinity, -infinity, infinity, none, none, 0.25]);
  expect(await steps.item()).toBe(11);
});
