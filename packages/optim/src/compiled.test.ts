/** Optimizers inside compiled functions, with layers that keep state: replays must not change a single bit. */
import { cpu } from '@nn/backend-cpu';
import {
  compile,
  freeze,
  namedParameters,
  type Parameter,
  parameter,
  setDefaultBackend,
  setSeed,
  type Tensor,
  tensor,
} from '@nn/core';
import { BatchNorm1d, crossEntropy, Dropout, Linear, ReLU, Sequential } from '@nn/layers';
import { beforeAll, expect, test } from 'vitest';
import { AdamW, cosineDecay, SGD, WeightAverage } from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

/** Twelve steps with running statistics, dropout, a schedule, bias correction and clipping; all numbers that come out. */
async function train(isCompiled: boolean): Promise<number[]> {
  setSeed(5);
  const model = new Sequential(new Linear(4, 8), new BatchNorm1d(8), new ReLU(), new Dropout(0.3), new Linear(8, 3));
  const optimizer = new AdamW(model, {
    learningRate: cosineDecay(0.1, { steps: 10 }),
    clip: { globalNorm: 0.5 },
  });
  const body = (x: Tensor, y: Tensor): Tensor => {
    const loss = crossEntropy(model.forward(x), y);
    void optimizer.step(loss);
    return loss;
  };
  const step = isCompiled ? compile(body) : body;
  const numbers: number[] = [];
  for (let i = 0; i < 12; i++) {
    const x = Float32Array.from({ length: 64 }, (_, k) => Math.sin(k * (i + 1)));
    const y = Int32Array.from({ length: 16 }, (_, k) => (k + i) % 3);
    const loss = await step(tensor(x, { shape: [16, 4] }), tensor(y));
    numbers.push(await loss.item());
  }
  for (const value of namedParameters(model).values()) numbers.push(...(await value.data()));
  return [...numbers, optimizer.stepCount, optimizer.learningRate];
}

test('a compiled training step gives the same bits as a plain one', async () => {
  const plain = await train(false);
  expect(await train(true)).toEqual(plain);
  expect(plain.every(Number.isFinite)).toBe(true);
  expect(new Set(plain.slice(0, 12)).size).toBe(12);
});

test('accumulating and applying may be two compiled functions', async () => {
  const x = parameter([1, 2]);
  const optimizer = new SGD([x], { learningRate: 1 });
  const add = compile((weight: Tensor) => {
    const loss = x.mul(weight).sum();
    void optimizer.accumulate(loss);
    return loss;
  });
  const apply = compile(() => void optimizer.step(null));
  for (let step = 1; step <= 5; step++) {
    await add(tensor([1, 0]));
    await add(tensor([0, 0.5]));
    await apply();
    expect(await x.array()).toEqual([1 - step, 2 - 0.5 * step]);
  }
});

interface Accumulating {
  readonly model: { readonly weight: Parameter };
  readonly average: WeightAverage;
}

test.each([
  [
    'the average was in the model and out again',
    async ({ average }: Accumulating) => {
      await average.swapIn();
      await average.swapOut();
    },
  ],
  ['a parameter was assigned', ({ model }: Accumulating) => model.weight.assign(tensor([0.5, 0.25]))],
])('accumulates beside frozen parameters in the same program after %s', async (_, between) => {
  const train = async (isCompiled: boolean): Promise<unknown> => {
    const model = { weight: parameter([1, 2]), frozen: parameter([3, 4]) };
    freeze(model.frozen);
    const optimizer = new SGD(model, { learningRate: 0.1 });
    const average = new WeightAverage(model, { decay: 0.5 });
    const lossOf = (x: Tensor): Tensor => model.weight.mul(model.frozen).sub(x).square().sum();
    const functions = [
      (x: Tensor) => void optimizer.accumulate(lossOf(x)),
      (x: Tensor) => void optimizer.step(lossOf(x)),
    ];
    const [part, whole] = isCompiled ? functions.map((work) => compile(work)) : functions;
    const x = tensor([1, 2]);
    for (let step = 0; step < 6; step++) {
      await part!(x);
      await whole!(x);
      await average.update();
      await between({ model, average });
    }
    return model.weight.array();
  };
  expect(await train(true)).toEqual(await train(false));
});

test('a compiled step refuses parameters that were updated unequally since', async () => {
  const model = { a: parameter([1]), b: parameter([1]) };
  const optimizer = new AdamW(model);
  const step = compile(() => {
    const loss = model.a.mul(model.b).sum();
    void optimizer.step(loss);
    return loss;
  });
  for (let i = 0; i < 4; i++) await step();
  await optimizer.minimize(model.a.sum(), [model.a]);
  await expect(step()).rejects.toThrow('parameters that had been updated equally often');
});
