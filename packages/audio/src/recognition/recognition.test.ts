/** Decoding against all paths of small tables, language models by their sums, the transducer loss against torchaudio and against all paths. */
import { cpu } from '@nn/backend-cpu';
import { compile, gradients, setDefaultBackend, type Tensor, tensor, zeros } from '@nn/core';
import { RandomSequence } from '@nn/data';
import { ctc } from '@nn/layers';
import { beforeAll, describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/recognition.json';
import { apart, floats } from '../testing.ts';
import { CtcStream, ctcBeamDecode, ctcGreedyDecode } from './ctc-decode.ts';
import { NGramModel } from './language-model.ts';
import { rnnt } from './rnnt.ts';

beforeAll(() => setDefaultBackend(cpu()));

/** Probabilities [steps, classes] that are drawn, sharper for a larger power. */
function drawn(steps: number, classes: number, seed: number, power = 2): number[][] {
  const random = new RandomSequence(seed);
  return Array.from({ length: steps }, () => {
    const values = Array.from({ length: classes }, () => random.uniform() ** power + 0.01);
    const sum = values.reduce((a, b) => a + b);
    return values.map((v) => v / sum);
  });
}

/** The probability of every labelling, over all paths. */
function everyLabelling(rows: readonly number[][], blank: number): Map<string, number> {
  const found = new Map<string, number>();
  const walk = (t: number, probability: number, path: readonly number[]): void => {
    if (t === rows.length) {
      const key = path.filter((c, i) => c !== blank && c !== path[i - 1]).join();
      found.set(key, (found.get(key) ?? 0) + probability);
      return;
    }
    for (const [c, p] of rows[t]!.entries()) walk(t + 1, probability * p, [...path, c]);
  };
  walk(0, 1, []);
  return found;
}

const logs = (...all: readonly number[][][]): ReturnType<typeof tensor> =>
  tensor(all[0]!.map((_, t) => all.map((rows) => rows[t]!))).log();

describe('CTC', () => {
  it.each([
    [4, 3, 0],
    [5, 3, 2],
    [6, 3, 1],
    [4, 4, 0],
  ])('beam search finds the best of all labellings: %i steps, %i classes, blank %i', async (steps, classes, blank) => {
    for (let seed = 0; seed < 5; seed++) {
      const rows = drawn(steps, classes, seed);
      const all = [...everyLabelling(rows, blank)].sort((a, b) => b[1] - a[1]);
      const [results] = await ctcBeamDecode(logs(rows), { blank, beamWidth: 1000, results: 3 });
      expect(results!.map(({ labels }) => labels.join())).toEqual(all.slice(0, 3).map(([key]) => key));
      results!.forEach(({ score }, i) => {
        expect(Math.exp(score)).toBeCloseTo(all[i]![1], 6);
      });
      // the loss is the same sum
      const [best] = results!;
      if (best!.labels.length === 0) continue;
      const loss = await ctc(logs(rows), tensor([best!.labels.slice()]), { blank, reduction: 'sum' }).item();
      expect(loss).toBeCloseTo(-best!.score, 4);
    }
  });

  it('with a language model it finds the best of all sums', async () => {
    const model = new NGramModel({ labels: [1, 2], order: 2 });
    for (const sequence of [[1, 2], [1, 2, 1], [2]]) model.count(sequence);
    for (let seed = 0; seed < 8; seed++) {
      const rows = drawn(5, 3, seed, 1);
      const scored = [...everyLabelling(rows, 0)].map(([key, p]) => {
        const labels = key === '' ? [] : key.split(',').map(Number);
        const language = labels.reduce(
          (sum, label, i) => sum + model.score(labels.slice(0, i), label),
          model.end(labels),
        );
        return [key, Math.log(p) + 0.8 * language + 0.3 * labels.length] as const;
      });
      const [best] = scored.sort((a, b) => b[1] - a[1]);
      const options = { languageModel: model, languageWeight: 0.8, labelBonus: 0.3, beamWidth: 1000 };
      const [[found] = []] = await ctcBeamDecode(logs(rows), options);
      expect([found!.labels.join(), found!.score.toFixed(4)]).toEqual([best![0], best![1].toFixed(4)]);
    }
  });

  it('a narrow beam is no better than a wide one, and rows of a batch are decoded as alone', async () => {
    const [a, b] = [drawn(20, 5, 1, 1), drawn(20, 5, 2, 1)];
    const score = async (beamWidth: number): Promise<number> =>
      (await ctcBeamDecode(logs(a), { beamWidth }))[0]![0]!.score;
    const [one, eight, many] = [await score(1), await score(8), await score(100)];
    expect(one).toBeLessThanOrEqual(eight);
    expect(eight).toBeLessThanOrEqual(many + 1e-6);
    const both = await ctcBeamDecode(logs(a, b), { inputLengths: [20, 9] });
    expect(both[0]).toEqual((await ctcBeamDecode(logs(a)))[0]);
    expect(both[1]).toEqual((await ctcBeamDecode(logs(b.slice(0, 9))))[0]);
  });

  it('greedy takes the best path, and streams give the same', async () => {
    const rows = drawn(30, 4, 7);
    const [{ labels, steps, score }] = (await ctcGreedyDecode(logs(rows), { blank: 3 })) as [never, ...never[]] &
      [{ labels: number[]; steps: number[]; score: number }];
    const path = rows.map((row) => row.indexOf(Math.max(...row)));
    const starts = path.map((_, t) => t).filter((t) => path[t] !== 3 && path[t] !== path[t - 1]);
    expect([steps, labels]).toEqual([starts, starts.map((t) => path[t])]);
    expect(score).toBeCloseTo(
      rows.reduce((sum, row) => sum + Math.log(Math.max(...row)), 0),
      3,
    );
    const stream = new CtcStream({ blank: 3 });
    expect(rows.flatMap((row) => stream.push(row))).toEqual(labels);
  });

  it('says what it takes', async () => {
    await expect(ctcGreedyDecode(zeros([3, 2]))).rejects.toThrow(
      'ctcGreedyDecode: takes log-probabilities [steps, N, classes], as the loss does, got [3, 2].',
    );
    await expect(ctcBeamDecode(zeros([3, 1, 2]), { blank: 2 })).rejects.toThrow(
      'ctcBeamDecode: blank is 2: there are 2 classes.',
    );
    await expect(ctcBeamDecode(zeros([3, 1, 2]), { inputLengths: [4] })).rejects.toThrow(
      'ctcBeamDecode: inputLengths must be 1 whole numbers from 0 to 3, got [4].',
    );
  });
});

describe('NGramModel', () => {
  it('gives probabilities that sum to 1 behind every history, known or not', () => {
    const model = new NGramModel({ labels: [1, 2, 3, 4], order: 3 });
    for (const sequence of [[1, 2, 3], [1, 2, 2], [3, 1, 2], []]) model.count(sequence);
    for (const before of [[], [1], [1, 2], [4], [4, 4, 4], [2, 1, 2]]) {
      const sum = [1, 2, 3, 4].reduce((total, label) => total + Math.exp(model.score(before, label)), 0);
      expect(sum + Math.exp(model.end(before))).toBeCloseTo(1, 12);
    }
    // by hand: behind [1], 2 stood 3 times of 3; one kind; alone 2 stood 4 times of 13 with 4 kinds; 1/5 to begin with
    const alone = (4 + 4 * 0.2) / (13 + 4);
    expect(Math.exp(model.score([1], 2))).toBeCloseTo((3 + alone) / 4, 12);
    expect(() => model.count([5])).toThrow('NGramModel: label 5 is none of the 4 that it knows.');
  });
});

describe('rnnt', () => {
  it.each(fixtures.losses)('$shape as torchaudio', async ({ shape, logits, target, losses, gradient, ...options }) => {
    const x = tensor(floats(logits), { shape });
    const y = tensor(Int32Array.from(target.flat()), { shape: [target.length, target[0]!.length] });
    const found = rnnt(x, y, { ...options, reduction: 'none' });
    expect(apart(await found.data(), losses)).toBeLessThan(1e-5);
    const weights = tensor(losses.map((_, n) => n + 1));
    const [slope] = gradients(found.mul(weights).sum(), [x]);
    expect(apart(await slope!.data(), floats(gradient))).toBeLessThan(1e-5);
    expect(await rnnt(x, y, options).item()).toBeCloseTo(losses.reduce((a, b) => a + b) / losses.length, 4);
  });

  it('takes lengths as tensors, and runs compiled for any', async () => {
    const x = tensor(
      Float32Array.from({ length: 2 * 4 * 3 * 5 }, (_, i) => Math.sin(3 * i)),
      { shape: [2, 4, 3, 5] },
    );
    const y = tensor([
      [1, 2],
      [3, 0],
    ]);
    const step = compile((inputLengths: Tensor, targetLengths: Tensor) => rnnt(x, y, { inputLengths, targetLengths }));
    for (const [inputs, targets] of [
      [
        [4, 2],
        [2, 1],
      ],
      [
        [3, 4],
        [0, 2],
      ],
    ] as const) {
      const compiled = await step(tensor(Int32Array.from(inputs)), tensor(Int32Array.from(targets)));
      const expected = await rnnt(x, y, { inputLengths: inputs, targetLengths: targets }).item();
      expect(await compiled.item()).toBeCloseTo(expected, 5);
    }
  });

  it('is the sum over all paths', async () => {
    const [steps, labels, classes] = [3, 2, 3];
    const random = new RandomSequence(1);
    const values = Array.from({ length: steps * (labels + 1) }, () => drawn(1, classes, random.integer(1000))[0]!);
    const at = (t: number, u: number, c: number): number => values[t * (labels + 1) + u]![c]!;
    const target = [1, 0];
    const walk = (t: number, u: number): number => {
      if (t === steps) return u === labels ? 1 : 0;
      const written = u < labels ? at(t, u, target[u]!) * walk(t, u + 1) : 0;
      return at(t, u, 2) * walk(t + 1, u) + written;
    };
    const logits = tensor(values)
      .log()
      .reshape([1, steps, labels + 1, classes]);
    expect(Math.exp(-(await rnnt(logits, tensor([target])).item()))).toBeCloseTo(walk(0, 0), 6);
  });

  it('is NaN for a label that is no class, but not behind the end of a target', async () => {
    const target = tensor([
      [0, 3],
      [0, -1],
      [5, 0],
    ]);
    const options = { targetLengths: [1, 1, 2], reduction: 'none' } as const;
    const [first, second, third] = await rnnt(zeros([3, 2, 3, 3]), target, options).data();
    expect([first, second]).toEqual([first, first]);
    expect([first, third]).toEqual([expect.closeTo(-Math.log(2 * (1 / 3) ** 3), 5), Number.NaN]);
  });

  it('says what it takes', () => {
    expect(() => rnnt(zeros([2, 3, 4]), zeros([2, 3]))).toThrow(
      'rnnt: logits must be [N, steps, labels + 1, classes], got [2, 3, 4].',
    );
    expect(() => rnnt(zeros([2, 3, 4, 5]), zeros([2, 4]))).toThrow('rnnt: the target must be [2, 3], got [2, 4].');
    expect(() => rnnt(zeros([2, 3, 4, 5]), zeros([2, 3]), { inputLengths: [0, 3] })).toThrow(
      'rnnt: inputLengths must be 2 whole numbers from 1 to 3, got [0, 3].',
    );
  });
});
