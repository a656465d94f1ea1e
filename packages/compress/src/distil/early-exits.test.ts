/** Samples leave where they are known, and get the answer of that head. */
import { cpu } from '@nn/backend-cpu';
import { evaluate, parameters, setDefaultBackend, setSeed, tensor, uniform } from '@nn/core';
import { crossEntropy, Linear, ReLU, Sequential } from '@nn/layers';
import { Adam } from '@nn/optim';
import { beforeAll, expect, it } from 'vitest';
import { EarlyExits } from '../index.ts';

beforeAll(() => {
  setDefaultBackend(cpu());
  setSeed(1);
});

const build = (): EarlyExits =>
  new EarlyExits([
    { stage: new Sequential(new Linear(2, 8), new ReLU()), head: new Linear(8, 2) },
    { stage: new Sequential(new Linear(8, 8), new ReLU()), head: new Linear(8, 2) },
    { stage: new Sequential(new Linear(8, 8), new ReLU()), head: new Linear(8, 2) },
  ]);

it('each sample gets the answer of the first head that is sure of it', async () => {
  const model = build();
  const x = uniform([40, 2]).sub(0.5);
  const targets = x.sum(1).greater(0).cast('int32');
  const optimizer = new Adam(model, { learningRate: 0.03 });
  for (let step = 0; step < 25; step++) await optimizer.step(model.loss(x, targets));
  const answers = await Promise.all(evaluate(() => model.answers(x)).map((logits) => logits.data()));
  const sure = await Promise.all(evaluate(() => model.answers(x)).map((logits) => logits.softmax(1).max(1).data()));
  const { logits, exits, counts } = await model.decide(x, { confidence: 0.9 });
  const given = await logits.data();
  expect(counts.reduce((sum, count) => sum + count)).toBe(40);
  expect(counts[0]).toBeGreaterThan(0);
  expect(counts[0]).toBeLessThan(40);
  for (const [sample, exit] of exits.entries()) {
    expect(exit).toBe([0, 1].find((head) => sure[head]![sample]! >= 0.9) ?? 2);
    for (const at of [0, 1]) expect(given[2 * sample + at]).toBeCloseTo(answers[exit]![2 * sample + at]!, 5);
  }
  expect((await model.decide(x, { confidence: 0 })).counts).toEqual([40, 0, 0]);
  expect((await model.decide(x, { confidence: 1 })).counts[2]).toBeGreaterThan(30);
});

it('trains all heads, by weights', async () => {
  const model = build();
  expect(parameters(model)).toHaveLength(12);
  const x = uniform([3, 2]);
  const targets = tensor([0, 1, 1], { dtype: 'int32' });
  const last = await model.loss(x, targets, { weights: [0, 0, 2] }).item();
  expect(last).toBeCloseTo(await crossEntropy(model.forward(x), targets).item(), 5);
  expect(() => model.loss(x, targets, { weights: [1] })).toThrow('EarlyExits: there are 1 weights for 3 exits.');
  expect(() => new EarlyExits([])).toThrow('EarlyExits: there are 0 exits: it needs two or more.');
  await expect(model.decide(x, { confidence: 2 })).rejects.toThrow('confidence is 2: it must be from 0 to 1.');
});
