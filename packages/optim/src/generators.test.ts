/** Trainings with random streams of their own: what else draws, and in which order, does not matter. */
import { cpu } from '@nn/backend-cpu';
import {
  compile,
  FormatError,
  RandomGenerator,
  setDefaultBackend,
  setSeed,
  type Tensor,
  tensor,
  uniform,
  withRandom,
} from '@nn/core';
import { Dropout, Linear, Sequential } from '@nn/layers';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { beforeAll, describe, expect, test } from 'vitest';
import { SGD } from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

class Run {
  readonly random: RandomGenerator;
  readonly model: Sequential;
  readonly optimizer: SGD;
  readonly step: () => Tensor | Promise<Tensor>;

  constructor(seed: number, isCompiled = false) {
    this.random = new RandomGenerator(seed);
    this.model = withRandom(this.random, () => new Sequential(new Linear(3, 8), new Dropout(0.5), new Linear(8, 1)));
    this.optimizer = new SGD(this.model, { learningRate: 0.1 });
    const body = (): Tensor => {
      const loss = withRandom(this.random, () => this.model.forward(tensor([[1, 2, 3]])))
        .square()
        .mean();
      void this.optimizer.step(loss);
      return loss;
    };
    const input = tensor([[1, 2, 3]]);
    const compiled = compile((x: Tensor) => {
      const loss = withRandom(this.random, () => this.model.forward(x))
        .square()
        .mean();
      void this.optimizer.step(loss);
      return loss;
    });
    this.step = isCompiled ? () => compiled(input) : body;
  }

  async losses(steps: number): Promise<number[]> {
    const found: number[] = [];
    for (let k = 0; k < steps; k++) found.push(await (await this.step()).item());
    return found;
  }
}

describe.each([
  ['plain', false],
  ['compiled', true],
])('%s', (_, isCompiled) => {
  test('two trainings that take turns give what each gives alone', async () => {
    const alone = [await new Run(1, isCompiled).losses(6), await new Run(2, isCompiled).losses(6)];
    const runs = [new Run(1, isCompiled), new Run(2, isCompiled)];
    const together: number[][] = [[], []];
    for (let k = 0; k < 6; k++) {
      uniform([3]); // somebody else draws as well
      for (const which of k % 2 === 0 ? [0, 1] : [1, 0]) {
        together[which]?.push(...((await runs[which]?.losses(1)) ?? []));
      }
    }
    expect(together).toEqual(alone);
    expect(new Set(alone.flat()).size).toBeGreaterThan(6);
  });

  test('a checkpoint carries the stream along', async () => {
    const run = new Run(3, isCompiled);
    await run.losses(4);
    const bytes = await encodeCheckpoint({ run });
    const rest = await run.losses(4);
    setSeed(99);
    const other = new Run(4, isCompiled);
    await other.losses(1);
    await loadCheckpoint(bytes, { run: other });
    expect(await other.losses(4)).toEqual(rest);
  });
});

test('a compiled function that draws from another generator is refused', async () => {
  let random = new RandomGenerator(1);
  const draw = compile(() => withRandom(random, () => uniform([2])));
  await draw();
  random = new RandomGenerator(1);
  await expect(draw()).rejects.toThrow('they advance other counters, or draw from other generators');
});

describe('a generator', () => {
  test('needs a whole number', () => {
    expect(() => new RandomGenerator(0.5)).toThrow('RandomGenerator: needs a whole number, got 0.5.');
    expect(() => withRandom(3 as unknown as RandomGenerator, () => 1)).toThrow(
      'withRandom: needs a RandomGenerator, got number: new RandomGenerator(seed).',
    );
  });

  test.each([
    null,
    {},
    { seed: 1 },
    { seed: 1, counter: 2 ** 40 },
    { seed: 0.5, counter: 1 },
    { seed: '1', counter: 1 },
  ])('does not take %j for a state, and stays as it is', (state) => {
    const random = new RandomGenerator(7);
    expect(() => random.loadHostState(state)).toThrow(FormatError);
    expect(random.hostState()).toEqual({ seed: 7, counter: 0 });
  });

  test('draws what the shared stream of its seed draws', async () => {
    setSeed(5);
    const shared = await uniform([4]).array();
    expect(await withRandom(new RandomGenerator(5), () => uniform([4])).array()).toEqual(shared);
  });
});
