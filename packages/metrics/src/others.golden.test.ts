/** Text, rankings, images and sounds against NLTK, scikit-learn and SciPy: fixtures of scripts/golden/metrics.py. */
import { cpu } from '@nn/backend-cpu';
import { isTensor, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { beforeAll, describe, expect, test } from 'vitest';
import signals from '../fixtures/signals.json';
import text from '../fixtures/text.json';
import * as metrics from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

/** Numbers, or images by a formula: waves, and the same with a pattern of noise. */
interface Given {
  readonly shape?: readonly number[] | undefined;
  readonly data?: readonly number[] | undefined;
  readonly waves?: number | undefined;
  readonly noise?: number | undefined;
}

interface SignalCase {
  readonly metric: string;
  readonly options: object;
  readonly arguments: readonly Given[];
  readonly value: number;
}

const signalCases: readonly SignalCase[] = signals.cases;

function make(
  name: string,
  options: object,
): { readonly metric: metrics.Metric<unknown>; readonly update: (...batch: unknown[]) => void } {
  const metric: unknown = Reflect.construct(Reflect.get(metrics, name), [options]);
  if (!(metric instanceof metrics.Metric)) throw new Error(`${name} is no metric`);
  return { metric, update: (...batch) => Reflect.apply(Reflect.get(metric, 'update'), metric, batch) };
}

describe('text', () => {
  test.each(
    text.cases.map((item, index) => ({ ...item, title: `${index}: ${item.metric}(${JSON.stringify(item.options)})` })),
  )('$title', async ({ metric: name, options, predictions, references, value }) => {
    const { metric, update } = make(name, options);
    const cut = predictions.length >> 1;
    if (cut > 0) update(predictions.slice(0, cut), references.slice(0, cut));
    await metric.read();
    update(predictions.slice(cut), references.slice(cut));
    const { epoch } = await metric.read();
    if (typeof value === 'number') expect(epoch).toBeCloseTo(value, 9);
    else expect(epoch).toEqual(value);
  });

  test('words move for one edit, wherever they go', async () => {
    const rate = new metrics.TranslationEditRate();
    rate.update('b c a d e f', ['a b c d e f']);
    rate.update('a b x d e f', ['a b c d e f']);
    expect((await rate.read()).epoch).toBeCloseTo(2 / 12, 12);
    const same = new metrics.TranslationEditRate({ lowercase: true });
    same.update(['One TWO'], [['one two', 'three four five']]);
    expect((await same.read()).epoch).toBe(0);
  });

  test('Lsum takes the union of what sentences share, each word once', async () => {
    const rouge = new metrics.ROUGE();
    // the example of Lin 2004: the union of w1 w2 and w1 w3 w5 has four of five words
    rouge.update('w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5', 'w1 w2 w3 w4 w5');
    expect((await rouge.read()).epoch.rougeLsum).toBeCloseTo((2 * 4) / (10 + 5), 12);
  });

  test('answers are compared without case, articles and punctuation', async () => {
    const match = new metrics.AnswerMatch();
    match.update(['The cat!', ''], [['a cat'], ['']]);
    expect((await match.read()).epoch).toEqual({ exactMatch: 1, f1: 1 });
    expect(() => match.update(['a', 'b'], [['a']])).toThrow(
      'AnswerMatch: 2 predictions and 1 references: give one for each.',
    );
  });
});

describe('rankings and signals', () => {
  const unpack = ({ shape = [], data = [], waves, noise = 0 }: Given): Tensor => {
    if (waves === undefined) return tensor(Float32Array.from(data), { shape });
    const pixels = Float32Array.from({ length: waves * waves }, (_, at) => {
      const [i, j] = [Math.floor(at / waves), at % waves];
      const wave = Math.floor(128 + 100 * Math.sin(i / 9) * Math.cos(j / 7) + 0.5);
      return wave + noise * (((i * 7919 + j * 104729) % 23) - 11);
    });
    return tensor(pixels, { shape: [1, 1, waves, waves] });
  };
  signalCases.forEach(({ metric: name, options, arguments: given, value }, index) => {
    test(`${index}: ${name}(${JSON.stringify(options)})`, async () => {
      const { metric, update } = make(name, options);
      update(...given.map((item) => (name === 'SignalToDistortion' ? item.data : unpack(item))));
      expect((await metric.read()).epoch).toBeCloseTo(value, 4);
      const fn: unknown = Reflect.get(metrics, `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`);
      if (typeof fn !== 'function') return;
      const result: unknown = fn(...given.map(unpack), options);
      if (!isTensor(result)) throw new Error(`${name} answers no tensor`);
      expect(await result.item()).toBeCloseTo(value, 4);
    });
  });
});
