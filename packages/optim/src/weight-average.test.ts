/** Averages of weights: EMA and SWA, the exchange with the model, and checkpoints in the middle of it. */
import { cpu } from '@nn/backend-cpu';
import { compile, FormatError, freeze, parameter, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { BatchNorm1d, Linear } from '@nn/layers';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { beforeAll, describe, expect, test } from 'vitest';
import { SGD, WeightAverage } from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

async function follow(average: WeightAverage, weight: ReturnType<typeof parameter>, values: number[]): Promise<number> {
  for (const value of values) {
    weight.assign(tensor([value]));
    await average.update();
  }
  return average.during(() => weight.item());
}

describe('the average', () => {
  test('is the mean of all updates where they count the same', async () => {
    const weight = parameter([0]);
    expect(await follow(new WeightAverage({ weight }, { average: 'equal' }), weight, [3, 6, 12, 7])).toBeCloseTo(7, 5);
  });

  test('fades exponentially from a copy of the first weights', async () => {
    const weight = parameter([0]);
    const found = await follow(new WeightAverage({ weight }, { decay: 0.75 }), weight, [8, 4, 16]);
    expect(found).toBe((8 * 0.75 + 4 * 0.25) * 0.75 + 16 * 0.25);
  });

  test('takes a decay that depends on the updates so far', async () => {
    const weight = parameter([0]);
    const asked: number[] = [];
    const decay = (updates: number): number => {
      asked.push(updates);
      return updates === 1 ? 0.5 : 0;
    };
    expect(await follow(new WeightAverage({ weight }, { decay }), weight, [8, 4])).toBe(6);
    expect(new Set(asked)).toEqual(new Set([0, 1]));
  });

  test('holds frozen weights, and running statistics only when asked', async () => {
    const model = { linear: new Linear(2, 2), norm: new BatchNorm1d(2) };
    freeze(model, 'linear');
    const names = (buffers: boolean): number => Object.keys(childrenOf(new WeightAverage(model, { buffers }))).length;
    expect([names(false), names(true)]).toEqual([4, 6]);
  });
});

function childrenOf(average: WeightAverage): object {
  for (const symbol of Object.getOwnPropertySymbols(average)) {
    const answer: unknown = Reflect.get(average, symbol)();
    if (typeof answer === 'object' && answer !== null) return answer;
  }
  throw new Error('nothing to walk');
}

test('a compiled training step averages along: the same bits as a plain one', async () => {
  const run = async (isCompiled: boolean): Promise<unknown> => {
    const model = { weight: parameter([1, -2]) };
    const optimizer = new SGD(model, { learningRate: 0.1 });
    const average = new WeightAverage(model, { decay: 0.9 });
    const body = (x: Tensor): Tensor => {
      const loss = model.weight.sub(x).square().sum();
      void optimizer.step(loss);
      void average.update();
      return loss;
    };
    const step = isCompiled ? compile(body) : body;
    for (let k = 0; k < 6; k++) await (await step(tensor([k, 1]))).item();
    return [average.updates, await average.during(() => model.weight.array()), await model.weight.array()];
  };
  expect(await run(true)).toEqual(await run(false));
});

describe('a checkpoint', () => {
  test.each([false, true])('goes on from where it was, with the average in the model: %s', async (isSwapped) => {
    const build = () => {
      const model = { weight: parameter([0, 0]) };
      return { model, average: new WeightAverage(model, { decay: 0.5 }) };
    };
    const run = build();
    for (const value of [1, 2, 3]) {
      run.model.weight.assign(tensor([value, -value]));
      await run.average.update();
    }
    if (isSwapped) await run.average.swapIn();
    const bytes = await encodeCheckpoint(run);
    const other = build();
    await loadCheckpoint(bytes, other);
    expect([other.average.updates, other.average.isSwapped]).toEqual([3, isSwapped]);
    if (isSwapped) await other.average.swapOut();
    expect(await other.model.weight.array()).toEqual([3, -3]);
    await other.average.update();
    expect(await other.average.during(() => other.model.weight.array())).toEqual([2.625, -2.625]);
  });

  test.each([null, {}, { updates: -1, isSwapped: false }, { updates: 1, isSwapped: 'no' }])(
    'of %j is refused',
    (state) => {
      const average = new WeightAverage({ weight: parameter([1]) });
      expect(() => average.loadHostState(state)).toThrow(FormatError);
      expect(average.hostState()).toEqual({ updates: 0, isSwapped: false });
    },
  );
});

describe('what cannot be is refused', () => {
  const model = { weight: parameter([1]) };
  const cases: [string, () => unknown, string][] = [
    ['no weights', () => new WeightAverage({}), 'WeightAverage: the model has no weights to average.'],
    [
      'a decay above 1',
      () => new WeightAverage(model, { decay: 2 }),
      'WeightAverage: decay is 2: it must be a number from 0 to 1.',
    ],
    [
      'a decay of equal shares',
      () => new WeightAverage(model, { average: 'equal', decay: 0.5 }),
      "WeightAverage: an 'equal' average has no decay: leave it out, or take 'exponential'.",
    ],
    [
      'nothing averaged yet',
      () => new WeightAverage(model).swapIn(),
      'swapIn: there is no average yet: call update first.',
    ],
    [
      'weights that are there',
      () => new WeightAverage(model).swapOut(),
      'swapOut: the model holds its own weights already.',
    ],
  ];
  for (const [name, run, message] of cases) test(name, () => expect(run).toThrow(message));

  test('an update while the average is in the model', async () => {
    const average = new WeightAverage(model);
    await average.update();
    await average.during(() => {
      expect(() => average.update()).toThrow(
        'update: the model holds the average: call swapOut before it is trained further.',
      );
      expect(() => average.swapIn()).toThrow('swapIn: the model holds the average already.');
    });
    expect(average.isSwapped).toBe(false);
  });

  test('work that throws leaves the model with its own weights', async () => {
    const average = new WeightAverage(model);
    await average.update();
    await expect(average.during(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(average.isSwapped).toBe(false);
  });
});
