/** Rule 8 of life: compile(fn) is faster and never means anything else. */
import { type RecordingBackend, recording, reference } from '@nn/conformance';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from './backend.ts';
import { compile } from './compile-function.ts';
import {
  gradients,
  hostUniform,
  isTraining,
  noGradient,
  numberSource,
  onReplay,
  type Parameter,
  parameter,
  replace,
  setDefaultBackend,
  setSeed,
  setTraining,
  type Tensor,
  tensor,
  uniform,
  zeros,
} from './index.ts';
import { prepare, soon } from './testing.ts';

prepare(reference());
let backend: RecordingBackend = recording(reference());

beforeEach(() => {
  backend = recording(reference());
  setDefaultBackend(backend);
});

const numbersOf = (x: Tensor): Promise<unknown> => x.array();

describe('rule 8: a compiled function', () => {
  test('gives what the function gives, call after call', async () => {
    const f = (x: Tensor): Tensor => x.mul(2).add(1).sum();
    const fast = compile(f);
    for (let call = 0; call < 6; call++) {
      const x = tensor([call, 1, 2]);
      expect(await (await fast(x)).item()).toBe(await f(x).item());
    }
  });

  test('is not run any more from the third call on', async () => {
    let runs = 0;
    const fast = compile((x: Tensor) => {
      runs++;
      return x.exp();
    });
    for (let call = 0; call < 6; call++) await fast(tensor([call]));
    expect(runs).toBe(2);
  });

  test('reads the variable that the function reads, also where it is first called while a copy shares its memory', async () => {
    const [online, target] = [parameter([1, 2]), parameter([0, 0], { buffer: true })];
    await replace([[target, online]]);
    const act = compile((x: Tensor) => x.mul(online).sum());
    const learn = compile((x: Tensor) => void online.assign(online.add(x)));
    let expected = 3;
    for (let call = 0; call < 9; call++) {
      expect(await (await act(tensor([1, 1]))).item()).toBe(expected);
      if (call === 5) await replace([[target, online]]);
      await learn(tensor([1, 1]));
      expected += 2;
    }
    expect(await target.array()).toEqual([6, 7]);
  });

  test('reads both of two variables that share memory for a while', async () => {
    const [online, target] = [parameter([1, 2]), parameter([0, 0], { buffer: true })];
    const fast = compile((x: Tensor) => x.mul(online).sub(target).sum());
    const x = tensor([2, 2]);
    for (let call = 0; call < 12; call++) {
      // together before the first call, between its traces, and while it is replayed
      if (call % 5 === 0 || call === 1) await replace([[target, online]]);
      const [a, b] = [(await online.array()) as number[], (await target.array()) as number[]];
      expect(await (await fast(x)).item()).toBe(2 * (a[0]! + a[1]!) - b[0]! - b[1]!);
      if (call % 2 === 1) await replace([[online, online.add(1)]]);
    }
  });

  test('gives back arguments as they are, each for itself, and lets parameters take them', async () => {
    const kept = parameter(tensor([0, 0, 0]));
    const fast = compile((a: Tensor, b: Tensor, c: Tensor) => {
      kept.assign(b);
      return [c, a, b, noGradient(() => c), a.add(1)];
    });
    for (let call = 0; call < 4; call++) {
      const results = await fast(tensor([call]), tensor([1, 2, call]), tensor([call, 5]));
      const expected = [[call, 5], [call], [1, 2, call], [call, 5], [call + 1]];
      expect(await Promise.all(results.map(numbersOf))).toEqual(expected);
      expect(await kept.array()).toEqual([1, 2, call]);
    }
  });

  test('gives results without elements', async () => {
    const fast = compile((a: Tensor) => ({ none: a.at([0, 0]).mul(2), all: a.mul(2), also: a.at([1, 1]) }));
    for (let call = 0; call < 4; call++) {
      const { none, all, also } = await fast(tensor([call, 2]));
      expect([none.shape, also.shape, none.dtype]).toEqual([[0], [0], 'float32']);
      expect([await numbersOf(none), await numbersOf(all)]).toEqual([[], [2 * call, 4]]);
    }
    const nothing = parameter(zeros([0, 3]));
    const step = compile((a: Tensor) => {
      nothing.assign(nothing.add(1));
      return a.sum();
    });
    for (let call = 0; call < 4; call++) expect(await numbersOf(await step(tensor([1, call])))).toBe(1 + call);
  });

  test('takes and gives arrays and records', async () => {
    const fast = compile(({ a, list }: { a: Tensor; list: readonly Tensor[] }) => ({
      sum: a.add(list[0] as Tensor),
      rest: list.map((x) => x.mul(2)),
      name: 'fixed',
    }));
    for (let call = 0; call < 4; call++) {
      const result = await fast({ a: tensor([call]), list: [tensor([1]), tensor([2, 3])] });
      expect(await numbersOf(result.sum)).toEqual([call + 1]);
      expect(await Promise.all(result.rest.map(numbersOf))).toEqual([[2], [4, 6]]);
      expect(result.name).toBe('fixed');
    }
  });

  test('has one variant for each type of arguments', async () => {
    let runs = 0;
    const fast = compile((x: Tensor, factor: number) => {
      runs++;
      return x.mul(factor).sum();
    });
    for (let call = 0; call < 3; call++) {
      expect(await (await fast(tensor([1, 2]), 2)).item()).toBe(6);
      expect(await (await fast(tensor([1, 2, 3]), 2)).item()).toBe(12);
      expect(await (await fast(tensor([1, 2]), 3)).item()).toBe(9);
    }
    expect(runs).toBe(6);
  });

  test('has one variant for training and one for evaluation', async () => {
    const fast = compile((x: Tensor) => (isTraining() ? x.mul(2) : x.mul(3)));
    const results: unknown[] = [];
    for (let call = 0; call < 3; call++) {
      for (const mode of [true, false]) {
        setTraining(mode);
        results.push(await numbersOf(await fast(tensor([1]))));
      }
    }
    setTraining(true);
    expect(results).toEqual([[2], [3], [2], [3], [2], [3]]);
  });

  test('reads parameters anew', async () => {
    const weight = parameter([2]);
    const fast = compile((x: Tensor) => x.mul(weight));
    for (let call = 0; call < 5; call++) {
      expect(await numbersOf(await fast(tensor([10])))).toEqual([10 * (2 + call)]);
      await replace([[weight, weight.add(1)]]);
    }
  });

  test('reads number sources anew, and repeats host effects in order', async () => {
    let count = 0;
    let reads = 0;
    const step = compile((x: Tensor) => {
      count += 1;
      onReplay(() => {
        count += 1;
      });
      return x.mul(
        numberSource(() => {
          reads++;
          return 10 ** count;
        }),
      );
    });
    for (let call = 1; call <= 5; call++) expect(await numbersOf(await step(tensor([1])))).toEqual([10 ** call]);
    expect(count).toBe(5);
    expect(reads).toBe(5);
  });

  test('trains: parameters move with every call, in the same memory', async () => {
    const run = async (wrap: (f: (x: Tensor) => Tensor) => (x: Tensor) => Promise<Tensor> | Tensor) => {
      const weight: Parameter = parameter([1, -2]);
      const step = wrap((x) => {
        const loss = weight.mul(x).sub(1).square().sum();
        const [slope] = gradients(loss, [weight]);
        void replace([[weight, weight.sub(slope.mul(0.05))]], [loss]);
        return loss;
      });
      const losses: number[] = [];
      for (let call = 0; call < 6; call++) losses.push(await (await step(tensor([1, call]))).item());
      return { losses, weight: await weight.array() };
    };
    const plain = await run((f) => f);
    const fast = await run(compile);
    expect(fast).toEqual(plain);
    expect(backend.programs.at(-1)?.donations).toHaveLength(1);
  });

  test('moves a value on where it stands only while nobody was given it', async () => {
    const weight = parameter([1], { name: 'weight' });
    const step = compile((x: Tensor) => weight.assign(weight.add(x)));
    const one = tensor([1]);
    for (let call = 0; call < 4; call++) await step(one);
    const { committed } = weight.variable;
    await step(one);
    expect(weight.variable.committed).toBe(committed);
    for (let round = 0; round < 3; round++) {
      const [later, before] = [weight.mul(2), weight.node];
      await step(one);
      expect(weight.variable.committed).not.toBe(before);
      await expect(later.data()).rejects.toThrow('needs the value of weight from before the last step');
      await step(one);
      await expect(later.data()).rejects.toThrow('needs the value of weight from before the last step');
      expect(await weight.array()).toEqual([8 + 2 * round]);
    }
    expect(backend.live.count).toBe(2);
  });

  test('draws new random numbers, the same as without', async () => {
    const draw = async (f: () => Tensor | Promise<Tensor>) => {
      setSeed(3);
      const drawn: unknown[] = [];
      for (let call = 0; call < 5; call++) drawn.push(await numbersOf(await f()));
      return [...drawn, ...hostUniform(2)];
    };
    const shift = tensor([1, 2, 3]);
    const f = () => uniform([3]).add(shift);
    expect(await draw(compile(f))).toEqual(await draw(f));
  });

  test('carries assignments along', async () => {
    const mean = parameter([0], { trainable: false });
    const fast = compile((x: Tensor) => {
      mean.assign(mean.mul(0.5).add(x.mul(0.5)));
      return x.sub(mean);
    });
    const seen: unknown[] = [];
    for (let call = 0; call < 4; call++) seen.push(await numbersOf(await fast(tensor([8]))));
    expect(seen).toEqual([[4], [2], [1], [0.5]]);
    expect(await mean.array()).toEqual([7.5]);
  });
});

describe('rule 8: the second call throws where the first one would be repeated wrongly:', () => {
  async function difference(f: (x: Tensor, call: number) => Tensor, calls = 3): Promise<string> {
    let call = 0;
    const fast = compile((x: Tensor) => f(x, call++));
    try {
      for (let k = 0; k < calls; k++) await fast(tensor([1, 2]));
    } catch (error) {
      return (error as Error).message;
    }
    return 'nothing';
  }
  const advice = 'What changes from call to call must be an argument, a numberSource, or a Parameter.';

  test('a number that changes', async () => {
    expect(await difference((x, call) => x.mul(0.1 * (call + 1)))).toBe(
      `compile: two calls of the function with arguments of the same types differ: a number is 0.1 in the first and 0.2 in the second. ${advice}`,
    );
  });

  test('another computation', async () => {
    expect(await difference((x, call) => (call === 0 ? x.exp() : x.sin()))).toContain('they compute different things');
  });

  test('another tensor from outside', async () => {
    expect(await difference((x) => x.add(tensor([3, 4])))).toContain(
      'they use another tensor, [2], made in each call: make it once outside, pass it as an argument, or, if its values never change, say tensor(..., { constant: true })',
    );
  });

  test('but not a bare number or a constant made in each call', async () => {
    const sums = (x: Tensor): Tensor => [1, 2].reduce((sum, n) => sum.add(x.at([0, n]).sum()), tensor(0));
    expect(await difference(sums, 5)).toBe('nothing');
    expect(await difference((x) => x.add(tensor([3, 4], { constant: true })), 5)).toBe('nothing');
    const fast = compile((x: Tensor) => sums(x).add(tensor(Float32Array.of(0.5), { shape: [], constant: true })));
    const seen: number[] = [];
    for (const k of [1, 2, 3, 4]) seen.push(await (await fast(tensor([k, 2]))).item());
    expect(seen).toEqual([4.5, 6.5, 8.5, 10.5]);
  });

  test('a number or a constant with other values', async () => {
    expect(await difference((x, call) => x.add(tensor(call)))).toContain('they use another tensor, []');
    const changing = (x: Tensor, call: number): Tensor => x.add(tensor([3, call], { constant: true }));
    expect(await difference(changing)).toContain('they use another tensor, [2]');
  });

  test('but not a constant tensor made once', async () => {
    const shift = tensor([3, 4]);
    expect(await difference((x) => x.add(shift), 5)).toBe('nothing');
  });

  test('and parameters keep their values', async () => {
    const weight = parameter([1]);
    let rate = 0.5;
    const step = compile(() => {
      void replace([[weight, weight.sub(rate)]]);
      return weight.sum();
    });
    await step();
    rate = 0.25;
    await expect(step()).rejects.toThrow('a number is 0.5 in the first and 0.25 in the second');
    expect(await weight.array()).toEqual([0.5]);
  });
});

describe('a compiled function', () => {
  test('takes records without a prototype, as the lengths of a batch', async () => {
    const lengths: Record<string, Tensor> = Object.assign(Object.create(null), { words: tensor([2, 3]) });
    const double = compile((batch: { readonly lengths: Record<string, Tensor> }) => batch.lengths.words!.mul(2));
    for (let call = 0; call < 3; call++) expect(await (await double({ lengths })).array()).toEqual([4, 6]);
  });

  test('must be synchronous', async () => {
    const slow = compile(async (x: Tensor) => x);
    await expect(slow(tensor([1]))).rejects.toThrow('compile: the function must not be async');
  });

  test('that throws changes nothing', async () => {
    const weight = parameter([1]);
    const broken = compile(() => {
      weight.assign(weight.add(1));
      throw new Error('no');
    });
    await expect(broken()).rejects.toThrow('no');
    expect(await weight.array()).toEqual([1]);
  });

  test('whose program fails changes nothing, and goes on', async () => {
    const weight = parameter([1]);
    const step = compile(() => {
      void replace([[weight, weight.mul(2)]]);
      return weight.sum();
    });
    for (let call = 0; call < 3; call++) await step();
    backend.fail('run');
    await expect(step()).rejects.toThrow('run: made to fail by a test.');
    expect(await weight.array()).toEqual([8]);
    await step();
    expect(await weight.array()).toEqual([16]);
  });

  test('gives results without a path for gradients', async () => {
    const weight = parameter([2]);
    const fast = compile(() => weight.mul(3));
    const y = await fast();
    expect(() => gradients(y.mul(weight).sum(), [weight])).toThrow('is the result of a compiled function');
    expect(await gradients(y.stopGradient().mul(weight).sum(), [weight])[0].array()).toEqual([6]);
  });

  test('that returns an old value and replaces it keeps both', async () => {
    const weight = parameter([1]);
    const step = compile(() => {
      const old = weight.stopGradient();
      void replace([[weight, weight.mul(2)]]);
      return old;
    });
    const seen: Tensor[] = [];
    for (let call = 0; call < 4; call++) seen.push(await step());
    expect(await Promise.all(seen.map(numbersOf))).toEqual([[1], [2], [4], [8]]);
    expect(await weight.array()).toEqual([16]);
  });
});

describe('memory that two own is never given away, whatever earlier calls did:', () => {
  /** Six calls, with `between` before each; what the parameters are after each, and what was kept. */
  async function run(
    isCompiled: boolean,
    between: (a: Parameter, b: Parameter, call: number) => Promise<Tensor | undefined>,
  ): Promise<unknown> {
    const [a, b] = [parameter([1, 2]), parameter([3, 5])];
    const body = (): Tensor => {
      const sum = a.add(b);
      const updates = [[a, a.mul(2)] as const, [b, b.add(a)] as const];
      void replace(updates, [sum]);
      return sum;
    };
    const step = isCompiled ? compile(body) : body;
    const seen: unknown[] = [];
    const kept: Tensor[] = [];
    for (let call = 0; call < 8; call++) {
      const tensor = await between(a, b, call);
      if (tensor !== undefined) kept.push(tensor);
      seen.push(await numbersOf(await step()), await a.array(), await b.array());
    }
    return { seen, kept: await Promise.all(kept.map(numbersOf)) };
  }

  test.each([1, 2, 4])('a parameter assigned to another before call %i', async (when) => {
    const between = async (a: Parameter, b: Parameter, call: number): Promise<undefined> => {
      if (call === when) b.assign(a);
      return undefined;
    };
    expect(await run(true, between)).toEqual(await run(false, between));
  });

  test.each([1, 2, 4])('a tensor that kept the value of a parameter before call %i', async (when) => {
    const between = async (a: Parameter, _: Parameter, call: number): Promise<Tensor | undefined> => {
      if (call !== when) return undefined;
      const value = a.stopGradient();
      await replace([], [value]);
      return value;
    };
    expect(await run(true, between)).toEqual(await run(false, between));
  });
});

describe('a compiled function inside another one', () => {
  test('is a part of its program when called by inline', async () => {
    let runs = 0;
    const inner = compile((x: Tensor, power: number) => {
      runs++;
      return { scaled: x.mul(power), sum: x.sum() };
    });
    const outer = compile((x: Tensor) => {
      const { scaled, sum } = inner.inline(x.add(1), 3);
      return scaled.mul(sum);
    });
    for (let call = 0; call < 5; call++)
      expect(await numbersOf(await outer(tensor([0, call])))).toEqual([1, 1 + call].map((x) => 3 * x * (2 + call)));
    expect(runs).toBe(2);
    expect(backend.counts.compile).toBe(1);
    // and it still works alone
    expect(await numbersOf((await inner(tensor([2]), 3)).scaled)).toEqual([6]);
  });

  test('passes gradients, replaces parameters and reads numbers anew, as the function itself does', async () => {
    const run = async (isCompiled: boolean): Promise<unknown> => {
      const weight: Parameter = parameter([1, -2]);
      let count = 0;
      const forward = (x: Tensor): Tensor => weight.mul(x).sub(1);
      const descend = (loss: Tensor): void => {
        onReplay(() => {
          count++;
        });
        count++;
        const [slope] = gradients(loss, [weight]);
        void replace([[weight, weight.sub(slope.mul(numberSource(() => 0.1 / count)))]], [loss]);
      };
      const model = isCompiled ? compile(forward).inline : forward;
      const update = isCompiled ? compile(descend).inline : descend;
      const whole = (x: Tensor): Tensor => {
        const loss = model(x).square().sum();
        update(loss);
        return loss;
      };
      const step = isCompiled ? compile(whole) : whole;
      const losses: number[] = [];
      for (let call = 0; call < 5; call++) losses.push(await (await step(tensor([1, call]))).item());
      return { losses, count, weight: await weight.array() };
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test('is refused when called for its promise, and nothing has changed', async () => {
    const weight = parameter([1]);
    const inner = compile(() => weight.mul(2));
    const outer = compile(() => {
      weight.assign(weight.add(1));
      return inner();
    });
    const advice =
      'compile: a compiled function was called inside another one (or in prepare), which cannot wait for its promise: ' +
      'call its inline(...) there, and it becomes a part of the outer program.';
    await expect(outer()).rejects.toThrow(advice);
    expect(await weight.array()).toEqual([1]);
  });
});

describe('a compiled function at once', () => {
  test('gives nothing before the third call, and then what the call gives, without a promise', async () => {
    setDefaultBackend(synchronous());
    const weight = parameter([1, 2]);
    const other = parameter([1, 2]);
    const descend = (target: Parameter) => (x: Tensor) => {
      const loss = target.mul(x).square().sum();
      void replace([[target, target.sub(gradients(loss, [target])[0].mul(0.01))]]);
      return { loss, twice: [loss.mul(2)] };
    };
    const [fast, slow] = [compile(descend(weight)), compile(descend(other))];
    for (let call = 0; call < 3; call++) {
      const x = tensor([call, 1]);
      expect(fast.atOnce(x)).toBeNull();
      await fast(x);
      await slow(x);
    }
    let promises = 0;
    for (let call = 0; call < 40; call++) {
      const x = tensor([call, -1]);
      let done = fast.atOnce(x);
      if (done === null) {
        promises++;
        done = [await fast(x)];
      }
      const [found] = done;
      const right = await slow(x);
      expect(await found.loss.data()).toEqual(await right.loss.data());
      expect(await found.twice[0]?.data()).toEqual(await right.twice[0]?.data());
    }
    expect(promises).toBeLessThan(40);
    expect(await weight.data()).toEqual(await other.data());
  });

  test('gives nothing, and nothing happens, for arguments of other types, in another mode, and while something waits', async () => {
    setDefaultBackend(synchronous());
    let steps = 0;
    const weight = parameter([1]);
    const fast = compile((x: Tensor, how: string, more: { readonly y: Tensor }) => {
      steps++;
      onReplay(
        () => steps++,
        () => steps--,
      );
      weight.assign(weight.add(x.sum()).add(more.y.sum()));
      return how;
    });
    const [x, y, wide] = [tensor([1]), tensor([2]), tensor([1, 1])];
    for (let call = 0; call < 4; call++) await fast(x, 'a', { y });
    const before = steps;
    expect(fast.atOnce(wide, 'a', { y })).toBeNull();
    expect(fast.atOnce(x, 'b', { y })).toBeNull();
    expect(fast.atOnce(x, 'a', { y: wide })).toBeNull();
    setTraining(false);
    expect(fast.atOnce(x, 'a', { y })).toBeNull();
    setTraining(true);
    weight.assign(weight.mul(1));
    expect(fast.atOnce(x, 'a', { y })).toBeNull();
    expect(steps).toBe(before);
    await fast(x, 'a', { y });
    expect(await soon(() => fast.atOnce(x, 'a', { y }))).toEqual(['a']);
    expect(await weight.item()).toBe(1 + 6 * 3);
    expect(steps).toBe(before + 2);
  });

  test('where the host throws, nothing has happened', async () => {
    setDefaultBackend(synchronous());
    let rate = 1;
    let count = 0;
    const weight = parameter([0]);
    const fast = compile(() => {
      onReplay(
        () => count++,
        () => count--,
      );
      weight.assign(weight.add(numberSource(() => (rate > 0 ? rate : raise()))));
    });
    const raise = (): never => {
      throw new Error('no rate');
    };
    for (let call = 0; call < 4; call++) await fast();
    rate = -1;
    const before = count;
    await expect(soon(() => fast.atOnce())).rejects.toThrow('no rate');
    await expect(fast()).rejects.toThrow('no rate');
    expect(count).toBe(before);
    rate = 2;
    expect(await soon(() => fast.atOnce())).toEqual([undefined]);
    expect(await weight.item()).toBe(6);
  });

  test('what the host does in a step starts no other step in its middle', async () => {
    setDefaultBackend(synchronous());
    const weight = parameter([1]);
    const inner = compile(() => weight.assign(weight.mul(10)));
    let nested: Promise<void> | null = null;
    const outer = compile(() => {
      onReplay(() => {
        expect(inner.atOnce()).toBeNull();
        nested = inner();
      });
      weight.assign(weight.add(1));
    });
    for (let call = 0; call < 3; call++) await inner();
    for (let call = 0; call < 3; call++) {
      await outer();
      await nested;
    }
    const before = await weight.item();
    expect(await soon(() => outer.atOnce())).toEqual([undefined]);
    await nested;
    expect(await weight.item()).toBe((before + 1) * 10);
  });

  test('is refused inside another compiled function', () => {
    const inner = compile((x: Tensor) => x.add(1));
    compile((x: Tensor) => {
      expect(inner.atOnce(x)).toBeNull();
      return x;
    }).inline(tensor([1]));
  });
});

/** A backend that is done when `run` returns, and says so. */
function synchronous(): Backend {
  const inner: Backend = reference();
  return {
    isSynchronous: true,
    name: inner.name,
    limits: inner.limits,
    upload: (data, type) => inner.upload(data, type),
    download: (buffer) => inner.download(buffer),
    release: (buffer) => inner.release(buffer),
    compile: (program) => inner.compile(program),
    idle: () => inner.idle(),
  };
}
