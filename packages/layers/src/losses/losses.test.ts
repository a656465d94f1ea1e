import { cpu } from '@nn/backend-cpu';
import { debug, gradients, setDefaultBackend, tensor, uniform, zeros } from '@nn/core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  bceWithLogits,
  binaryCrossEntropy,
  crossEntropy,
  ctc,
  Embedding,
  huber,
  klDivergence,
  meanSquaredError,
} from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));

describe('ctc', () => {
  test('of many steps, a loop of the program, is that of the few that count', async () => {
    const logits = uniform([20, 2, 4], { low: -2, high: 2 });
    const target = tensor([
      [1, 2],
      [3, 3],
    ]);
    const many = ctc(logits.logSoftmax(), target, { inputLengths: [10, 10] });
    const few = ctc(logits.at([0, 10]).logSoftmax(), target);
    expect(await many.item()).toBeCloseTo(await few.item(), 5);
    const [found] = gradients(many, [logits]);
    const [right] = gradients(few, [logits]);
    const values = await right.data();
    for (const [i, value] of (await found.data()).entries()) expect(value).toBeCloseTo(values[i] as number, 5);
  });
});

describe('crossEntropy', () => {
  test('is exact for logits that would overflow', async () => {
    const logits = tensor([
      [1e30, 0],
      [-1e30, 0],
    ]);
    const loss = crossEntropy(logits, tensor([0, 1]), { reduction: 'none' });
    expect(await loss.array()).toEqual([0, 0]);
    const [gradient] = gradients(loss.sum(), [logits]);
    expect(await gradient?.array()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test('takes index targets of any dtype', async () => {
    const logits = tensor([[1, 2, 3]]);
    const values = await Promise.all(
      [tensor([2]), tensor(Int32Array.of(2))].map((target) => crossEntropy(logits, target).item()),
    );
    expect(values[0]).toBe(values[1]);
    expect(values[0]).toBeCloseTo(0.40760596, 6);
  });

  test('refuses a class that does not exist where the host knows it; computed, it is NaN, and only there', async () => {
    const logits = zeros([3, 4]);
    expect(() => crossEntropy(logits, tensor([1, 4, -1]))).toThrow(
      'crossEntropy: index 4 is outside of 4 classes: indices go from 0 to 3, and -100 is ignored.',
    );
    const loss = crossEntropy(logits, tensor([1, 4, -1]).add(0), { reduction: 'none' });
    const values = [...(await loss.data())];
    expect(values.map(Number.isNaN)).toEqual([false, true, true]);
  });

  test('lets a hidden or ignored sample have any class, and debugging names one that counts', async () => {
    const logits = zeros([3, 4]);
    const target = tensor([1, 9, -100], { dtype: 'int32' });
    debug({ eager: true });
    try {
      const mask = tensor([true, false, true]);
      expect(await crossEntropy(logits, target, { mask }).item()).toBeCloseTo(Math.log(4), 6);
      await expect(crossEntropy(logits, target.add(0)).item()).rejects.toThrow(
        /^crossEntropy: index 9 is outside of 4 classes: indices go from 0 to 3, and -100 is ignored at .*losses\.test\.ts/,
      );
    } finally {
      debug({ eager: false });
    }
  });

  test('an embedding refuses indices outside of its rows', async () => {
    const table = new Embedding(5, 2);
    expect(() => table.forward(tensor([0, 7]))).toThrow(
      'Embedding(5, 2): index 7 is outside of 5 rows: indices go from 0 to 4.',
    );
    expect(() => table.forward(tensor([-1], { dtype: 'int32' }))).toThrow('index -1 is outside of 5 rows');
    debug({ eager: true });
    try {
      await expect(table.forward(tensor([2]).mul(3)).data()).rejects.toThrow('Embedding(5, 2): index 6 is outside');
    } finally {
      debug({ eager: false });
    }
  });

  test('sends no gradient to samples that are ignored', async () => {
    const logits = tensor([
      [1, 2],
      [3, 4],
    ]);
    const [gradient] = gradients(crossEntropy(logits, tensor([-100, 0])), [logits]);
    expect(await gradient?.at(0).array()).toEqual([0, 0]);
  });

  test('names the shapes that would fit', () => {
    expect(() => crossEntropy(zeros([4, 3]), zeros([4, 1]))).toThrow(
      'crossEntropy: for logits [4, 3] the target must be class indices [4] or probabilities [4, 3], got [4, 1].',
    );
    expect(() => crossEntropy(zeros([4, 3]), zeros([4]), { weight: [1, 2] })).toThrow(
      'crossEntropy: weight must have one number for each of the 3 classes: [3], got [2].',
    );
    expect(() => crossEntropy(zeros([4, 3]), zeros([4]), { labelSmoothing: 2 })).toThrow(
      'crossEntropy: labelSmoothing is 2: it must be from 0 to 1.',
    );
  });
});

test('losses refuse shapes that would only broadcast', () => {
  for (const [name, loss] of Object.entries({
    meanSquaredError,
    huber,
    binaryCrossEntropy,
    bceWithLogits,
    klDivergence,
  })) {
    expect(() => loss(zeros([4, 1]), zeros([4]))).toThrow(
      `${name}: the prediction [4, 1] and the target [4] have different shapes: reshape one of them.`,
    );
  }
});

test('bceWithLogits takes a number as positive weight', async () => {
  const [logits, target] = [tensor([0.5, -1]), tensor([1, 0])];
  const values = [3, tensor([3, 3])].map((positiveWeight) => bceWithLogits(logits, target, { positiveWeight }).item());
  expect(await values[0]).toBe(await values[1]);
});

test('binaryCrossEntropy has second derivatives', async () => {
  const p = tensor([0.25]);
  const [first] = gradients(binaryCrossEntropy(p, tensor([1])), [p]);
  expect(await first?.item()).toBeCloseTo(-4, 4);
  const [second] = gradients((first ?? p).sum(), [p]);
  // -log p has the second derivative 1 / p^2
  expect(await second?.item()).toBeCloseTo(16, 3);
});

test('klDivergence counts nothing where the target is 0, and its gradient stays finite', async () => {
  const prediction = tensor([[0.5, 0.5]]).log();
  const target = tensor([[1, 0]]);
  const loss = klDivergence(prediction, target, { reduction: 'batchMean' });
  expect(await loss.item()).toBeCloseTo(Math.log(2), 6);
  const [gradient, ofTarget] = gradients(loss, [prediction, target]);
  expect(await gradient?.array()).toEqual([[-1, -0]]);
  expect([...((await ofTarget?.data()) ?? [])].every(Number.isFinite)).toBe(true);
});

test('a probability that is certain and wrong costs 100, as in PyTorch, and not infinity', async () => {
  const losses = binaryCrossEntropy(tensor([0, 1]), tensor([1, 0]), { reduction: 'none' });
  expect(await losses.array()).toEqual([100, 100]);
});

test('targets that are numbers, and no classes, are an error of a loss of classes', () => {
  const logits = tensor([
    [1, 2],
    [3, 4],
  ]);
  expect(() => crossEntropy(logits, tensor([0.5, 1]))).toThrow(
    'crossEntropy: 0.5 is no index: 2 classes are chosen by whole numbers.',
  );
  const bytes = tensor(Uint8Array.of(1, 0));
  expect(() => crossEntropy(logits, bytes, { mask: tensor([0, 1]) })).not.toThrow();
  // what counts for nothing may be anything
  expect(() => crossEntropy(logits, tensor([0.5, 1]), { mask: tensor([0, 1]) })).not.toThrow();
});
