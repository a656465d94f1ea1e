/** Lookahead, SAM, constraints, transforms of gradients and penalties, against their formulas in plain numbers. */
import { cpu } from '@nn/backend-cpu';
import {
  compile,
  FormatError,
  freeze,
  gradients,
  parameter,
  setDefaultBackend,
  setSeed,
  type Tensor,
  tensor,
  unfreeze,
} from '@nn/core';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  Adam,
  AdamW,
  centralize,
  gradientNoise,
  Lookahead,
  l1Penalty,
  l2Penalty,
  maxNorm,
  minMaxNorm,
  nonNegative,
  orthogonalPenalty,
  SAM,
  SGD,
  unitNorm,
} from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const values = async (x: Tensor): Promise<number[]> => [...(await x.data())];

function expectNear(found: readonly number[], right: readonly number[]): void {
  expect(found).toHaveLength(right.length);
  for (const [i, value] of found.entries()) expect(value).toBeCloseTo(right[i] ?? Number.NaN, 5);
}

describe('Lookahead', () => {
  const build = (every = 3) => {
    const model = { a: parameter([4, -2]), b: parameter([1]) };
    const optimizer = new AdamW(model, { learningRate: 0.1 });
    return { model, optimizer, lookahead: new Lookahead(optimizer, { every, alpha: 0.25 }) };
  };
  type Built = ReturnType<typeof build>;
  const lossOf = ({ model }: Built): Tensor => model.a.square().sum().mul(model.b);

  test('moves slow weights every few steps, and the fast ones to them', async () => {
    const x = parameter([4]);
    const lookahead = new Lookahead(new SGD([x], { learningRate: 0.25 }), { every: 2, alpha: 0.25 });
    let [slow, fast] = [4, 4];
    for (let step = 1; step <= 7; step++) {
      await lookahead.step(x.square().sum());
      fast -= 0.25 * 2 * fast;
      if (step % 2 === 0) {
        slow += 0.25 * (fast - slow);
        fast = slow;
      }
      expect(await x.item()).toBeCloseTo(fast, 6);
    }
  });

  test('gives the same bits compiled, and after a checkpoint', async () => {
    const run = build();
    const losses: number[] = [];
    for (let k = 0; k < 8; k++) {
      const loss = lossOf(run);
      await run.lookahead.step(loss);
      losses.push(await loss.item());
    }
    const compiled = build();
    const step = compile(() => {
      const loss = lossOf(compiled);
      void compiled.lookahead.step(loss);
      return loss;
    });
    for (const loss of losses) expect(await (await step()).item()).toBe(loss);

    const first = build();
    for (let k = 0; k < 4; k++) await first.lookahead.step(lossOf(first));
    const second = build();
    await second.lookahead.step(lossOf(second));
    await loadCheckpoint(await encodeCheckpoint(first), second);
    for (const loss of losses.slice(4)) {
      const found = lossOf(second);
      await second.lookahead.step(found);
      expect(await found.item()).toBe(loss);
    }
  });

  test('starts with a parameter where it is when it is first trained', async () => {
    const { model, lookahead } = build(2);
    freeze(model, 'a');
    await lookahead.step(model.b.sum());
    unfreeze(model, 'a');
    const before = await values(model.a);
    await lookahead.step(model.a.sum()); // step 2: slow = before + 0.25 (before - 0.1 ... - before)
    const after = await values(model.a);
    expectNear(
      after,
      before.map((value) => value - 0.25 * (0.1 + 0.1 * 0.01 * value)),
    );
  });

  test('refuses what cannot be', () => {
    expect(() => build(0)).toThrow(
      'Lookahead: every is 0 and alpha 0.25: a whole number above 0 and a number from 0 to 1.',
    );
    const { lookahead } = build();
    expect(() => lookahead.loadHostState({ names: ['a'], starts: [1] })).toThrow('the saved state does not know b');
    expect(() => lookahead.loadHostState(null)).toThrow(FormatError);
  });
});

describe('SAM', () => {
  test.each([false, true])(
    'takes the gradient where the loss is highest nearby; adaptive: %s',
    async (adaptive) => {
      const x = parameter([3, -1]);
      const sam = new SAM(new SGD([x], { learningRate: 0.1 }), { rho: 0.5, adaptive });
      const weights = [3, -1];
      for (let step = 0; step < 3; step++) {
        await sam.step(() => x.square().mul(x.square()).sum()); // x^4
        const slope = weights.map((w) => 4 * w ** 3);
        const sized = slope.map((g, i) => (adaptive ? g * Math.abs(weights[i] ?? 0) : g));
        const norm = Math.hypot(...sized);
        const loss = weights.reduce((sum, w) => sum + w ** 4, 0);
        expect((await sam.loss.item()) / loss).toBeCloseTo(1, 5);
        weights.forEach((w, i) => {
          const move = (0.5 * (sized[i] ?? 0) * (adaptive ? Math.abs(w) : 1)) / norm;
          weights[i] = w - 0.1 * 4 * (w + move) ** 3;
        });
        const found = await values(x);
        for (const [i, value] of found.entries()) expect(value / (weights[i] ?? 0)).toBeCloseTo(1, 4);
      }
    },
    20_000,
  );

  test('gives the same bits compiled, with the state of its optimizer', async () => {
    const train = async (isCompiled: boolean): Promise<unknown> => {
      const x = parameter([3, -1]);
      const sam = new SAM(new Adam([x], { learningRate: 0.1 }));
      const body = (shift: Tensor): Tensor => {
        void sam.step(() => x.add(shift).square().sum());
        return sam.loss;
      };
      const step = isCompiled ? compile(body) : body;
      const losses: number[] = [];
      for (let k = 0; k < 5; k++) losses.push(await (await step(tensor([k]))).item());
      return [losses, await values(x), sam.optimizer.stepCount];
    };
    expect(await train(true)).toEqual(await train(false));
  });

  test('leaves the weights as they are when the loss throws the second time, and those that it does not reach', async () => {
    const [x, other] = [parameter([3]), parameter([5])];
    const sam = new SAM(new SGD([x, other], { learningRate: 0.1, weightDecay: 1 }));
    let calls = 0;
    const loss = (): Tensor => {
      if (++calls === 2) throw new Error('no');
      return x.square().sum();
    };
    expect(() => sam.loss).toThrow('SAM: there is no loss yet: call step first.');
    expect(() => sam.step(loss)).toThrow('no');
    expect([await x.item(), sam.optimizer.stepCount]).toEqual([3, 0]);
    await sam.step(loss);
    expect([(await x.item()) < 3, await other.item()]).toEqual([true, 5]);
    expect(() => new SAM(sam.optimizer, { rho: 0 })).toThrow('SAM: rho is 0: it must be a finite number above 0.');
  });
});

describe('constraints', () => {
  const weight = () =>
    parameter([
      [3, 4],
      [0.3, 0.4],
      [0, 0],
    ]);

  test.each([
    ['maxNorm', maxNorm(1), [0.6, 0.8, 0.3, 0.4, 0, 0]],
    [
      'maxNorm over columns',
      maxNorm(1, { axes: 0 }),
      [3 / Math.hypot(3, 0.3), 4 / Math.hypot(4, 0.4), 0.3 / Math.hypot(3, 0.3), 0.4 / Math.hypot(4, 0.4), 0, 0],
    ],
    ['minMaxNorm', minMaxNorm({ minimum: 1, maximum: 2 }), [1.2, 1.6, 0.6, 0.8, 0, 0]],
    ['minMaxNorm, half the way', minMaxNorm({ minimum: 1, maximum: 2, rate: 0.5 }), [2.1, 2.8, 0.45, 0.6, 0, 0]],
    ['unitNorm', unitNorm(), [0.6, 0.8, 0.6, 0.8, 0, 0]],
  ] as const)('%s', async (_, constraint, right) => {
    const model = { weight: weight() };
    const optimizer = new SGD(model, { learningRate: 1, constraint });
    await optimizer.step(model.weight.sum().mul(0));
    expectNear(await values(model.weight), right);
  });

  test('belong to a group, and hold after each step of a compiled function', async () => {
    const [a, b] = [parameter([1, 2]), parameter([1, 2])];
    const optimizer = new SGD([{ parameters: [a], constraint: nonNegative }, { parameters: [b] }], { learningRate: 1 });
    const step = compile(() => {
      const loss = a.add(b).mul(tensor2).sum();
      void optimizer.step(loss);
      return loss;
    });
    for (let k = 0; k < 3; k++) await step();
    expect([await values(a), await values(b)]).toEqual([
      [0, 3.5],
      [-2, 3.5],
    ]);
  });
  const tensor2 = tensor([1, -0.5]);

  test('refuse what cannot be', () => {
    expect(() => minMaxNorm({ minimum: 2 })).toThrow('minMaxNorm: minimum 2, maximum 1 and rate 1: norms rise from 0');
    expect(() => Reflect.construct(SGD, [[weight()], { constraint: 1 }])).toThrow(
      'SGD: constraint must be a function of a tensor, got number.',
    );
  });
});

describe('transforms of gradients', () => {
  test('centralize takes the mean of each output off, and leaves vectors', async () => {
    const model = {
      weight: parameter([
        [1, 3],
        [0, 0],
      ]),
      bias: parameter([1, 3]),
    };
    const optimizer = new SGD(model, { learningRate: 0.5, transform: centralize });
    await optimizer.step(model.weight.square().sum().add(model.bias.square().sum()));
    expect([await values(model.weight), await values(model.bias)]).toEqual([
      [2, 2, 0, 0],
      [0, 0],
    ]);
  });

  test.each([false, true])('noise falls with the steps; compiled: %s', async (isCompiled) => {
    setSeed(4);
    const weight = parameter(new Float32Array(20_000), { shape: [20_000] });
    const optimizer = new SGD([weight], { learningRate: 1, transform: gradientNoise({ scale: 4, power: 2 }) });
    const body = (): Tensor => {
      const loss = weight.mul(0).sum();
      void optimizer.step(loss);
      return loss;
    };
    const step = isCompiled ? compile(body) : body;
    let before = await values(weight);
    for (let t = 1; t <= 3; t++) {
      await (await step()).item();
      const after = await values(weight);
      const squares = after.reduce((sum, value, i) => sum + (value - Number(before[i])) ** 2, 0);
      expect(Math.sqrt(squares / after.length) / (2 / t)).toBeGreaterThan(0.97);
      expect(Math.sqrt(squares / after.length) / (2 / t)).toBeLessThan(1.03);
      before = after;
    }
    expect(() => gradientNoise({ scale: -1 })).toThrow('gradientNoise: scale -1 and power 0.55 must be at least 0.');
  });
});

describe('penalties', () => {
  test('are sums over all tensors, with their gradients', async () => {
    const [a, b] = [parameter([1, -2]), parameter([[3]])];
    expect([await l1Penalty([a, b]).item(), await l2Penalty([a, b]).item()].map((x) => x.toFixed(4))).toEqual([
      '0.0600',
      '0.1400',
    ]);
    const [slope] = gradients(l1Penalty(a, 2), [a]);
    expect(await values(slope)).toEqual([2, -2]);
    expect(() => l2Penalty([])).toThrow('l2Penalty: there are no tensors.');
  });

  test('orthogonalPenalty is the mean cosine of two rows, or columns', async () => {
    const matrix = parameter([
      [1, 0],
      [1, 1],
      [0, 2],
    ]);
    const right = (Math.SQRT1_2 + Math.SQRT1_2 + 0) / 3;
    expect(await orthogonalPenalty(matrix, 1).item()).toBeCloseTo(right, 6);
    expect(await orthogonalPenalty(matrix, 1, 'columns').item()).toBeCloseTo(1 / (Math.SQRT2 * Math.sqrt(5)), 6);
    const [slope] = gradients(orthogonalPenalty(matrix), [matrix]);
    expect((await values(slope)).every(Number.isFinite)).toBe(true);
    expect(() => orthogonalPenalty(tensor([1]))).toThrow(
      'orthogonalPenalty: needs a matrix of at least 2 rows, got [1].',
    );
  });
});
