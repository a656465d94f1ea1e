import { cpu } from '@nn/backend-cpu';
import { parameters, setDefaultBackend, setSeed, tensor } from '@nn/core';
import { bceWithLogits, Linear } from '@nn/layers';
import { Adam } from '@nn/optim';
import { describe, expect, it, test } from 'vitest';
import golden from '../fixtures/golden.json' with { type: 'json' };
import { calibrationByGroup } from './metrics/calibration.ts';
import { metricFrame } from './metrics/metric-frame.ts';
import * as parity from './metrics/parity.ts';
import { accuracyRate, precisionRate, selectionRate, truePositiveRate } from './metrics/rates.ts';
import { Adversary, reverseGradient } from './mitigation/adversarial.ts';
import { exponentiatedGradient } from './mitigation/exponentiated-gradient.ts';
import { fitCorrelationRemover, reweigh } from './mitigation/preprocessing.ts';
import { type FairnessConstraint, fitThresholds } from './mitigation/threshold-optimizer.ts';
import { modelCard } from './report/model-card.ts';

setDefaultBackend(cpu({ threads: 1 }));

const { group, target: targets, prediction: predictions, weight, score, features } = golden;
const names = group.map((g) => 'abc'[g]!);
const outcomes = { targets, predictions, groups: names };
const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

describe('gaps between groups are those of their definitions', () => {
  test.each([
    ['plain', outcomes],
    ['weighted', { ...outcomes, weights: weight }],
  ] as const)('%s', (kind, of) => {
    const expected = golden[kind];
    for (const [name, found] of [
      ['demographicParity', parity.demographicParity(of)],
      ['equalOpportunity', parity.equalOpportunity(of)],
      ['equalizedOdds', parity.equalizedOdds(of)],
      ['mean', parity.equalizedOdds(of, { combine: 'mean' })],
    ] as const) {
      expect(found.difference, name).toBeCloseTo(expected[name][0]!, 10);
      expect(found.ratio, name).toBeCloseTo(expected[name][1]!, 10);
    }
  });

  test('of one group against the others, and of single persons', () => {
    const against = { ...outcomes, privileged: 'c' };
    expect(parity.disparateImpact(against)).toBeCloseTo(golden.disparateImpact, 10);
    expect(parity.averageOddsDifference(against)).toBeCloseTo(golden.averageOdds, 10);
    expect(parity.theilIndex(outcomes)).toBeCloseTo(golden.theil, 10);
    expect(parity.consistency(predictions, features)).toBeCloseTo(golden.consistency, 10);
    expect(() => parity.disparateImpact({ ...outcomes, privileged: 'x' })).toThrow(
      'disparateImpact: nobody is of the group x.',
    );
  });

  test('what is no decision is refused', () => {
    expect(() => parity.demographicParity({ ...outcomes, predictions: score })).toThrow(
      'it must be 0 or 1, with 1 for what is good to get.',
    );
    expect(() => parity.demographicParity({ ...outcomes, groups: ['a'] })).toThrow(
      'group has 1 values, there are 150 samples.',
    );
  });
});

describe('metrics by group', () => {
  const half = group.map((_, i) => (i % 2 === 0 ? 'even' : 'odd'));
  const frame = metricFrame({
    ...outcomes,
    groups: { letter: names, half },
    metrics: { selection: selectionRate, accuracy: accuracyRate, precision: precisionRate },
    bootstraps: 200,
    seed: 1,
  });

  it('are of the intersections, with what is overall', () => {
    expect([...frame.selection.byGroup.keys()]).toEqual([
      'a, even',
      'a, odd',
      'b, even',
      'b, odd',
      'c, even',
      'c, odd',
    ]);
    expect(frame.selection.overall.value).toBeCloseTo(mean(predictions), 12);
    const aEven = predictions.filter((_, i) => group[i] === 0 && i % 2 === 0);
    expect(frame.selection.byGroup.get('a, even')?.value).toBeCloseTo(mean(aEven), 12);
    const values = [...frame.accuracy.byGroup.values()].map(({ value }) => value);
    expect(frame.accuracy.difference.value).toBe(Math.max(...values) - Math.min(...values));
    expect(frame.accuracy.ratio.value).toBe(Math.min(...values) / Math.max(...values));
  });

  it('have intervals as wide as those of a share', () => {
    const { value, low, high } = frame.selection.overall;
    const width = 2 * 1.96 * Math.sqrt((value * (1 - value)) / predictions.length);
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
    expect(Math.abs((high - low) / width - 1)).toBeLessThan(0.3);
    const again = metricFrame({ ...outcomes, metrics: { rate: truePositiveRate } });
    expect(again.rate.overall.low).toBeNaN();
  });

  it('leave out groups in which they are not defined', () => {
    const { rate } = metricFrame({
      targets: [1, 0, 0],
      predictions: [1, 1, 0],
      groups: ['a', 'a', 'b'],
      metrics: { rate: truePositiveRate },
    });
    expect([rate.byGroup.get('b')?.value, rate.difference.value]).toEqual([Number.NaN, 0]);
  });
});

test('calibration is counted by group', () => {
  const found = calibrationByGroup(targets, score, names, 4);
  const b = group.flatMap((g, i) => (g === 1 ? [i] : []));
  const bins = [0, 1, 2, 3].map((bin) => b.filter((i) => Math.floor(score[i]! * 4) === bin));
  const error = bins.reduce(
    (sum, part) =>
      sum +
      (part.length === 0
        ? 0
        : part.length * Math.abs(mean(part.map((i) => score[i]!)) - mean(part.map((i) => targets[i]!)))),
    0,
  );
  expect(found.get('b')?.error).toBeCloseTo(error / b.length, 12);
  expect(() => calibrationByGroup(targets, group, names)).toThrow('probabilities are from 0 to 1.');
});

describe('before the training', () => {
  it('weights make the rates of all groups equal', () => {
    const weights = reweigh(targets, names);
    expect(Math.max(...weights.map((each, i) => Math.abs(each - golden.reweighed[i]!)))).toBeLessThan(1e-12);
    const rates = [0, 1, 2].map((g) => {
      const at = group.flatMap((each, i) => (each === g ? [i] : []));
      return at.reduce((sum, i) => sum + weights[i]! * targets[i]!, 0) / at.reduce((sum, i) => sum + weights[i]!, 0);
    });
    for (const rate of rates) expect(rate).toBeCloseTo(mean(targets), 12);
  });

  it('what is linear in the group is taken out of features', () => {
    // the third mark says nothing new: the first two tell it
    const marks = group.map((g) => [Number(g === 1), Number(g === 2), Number(g === 0)]);
    const remover = fitCorrelationRemover(features, marks);
    const found = remover.transform(features, marks);
    const apart = found.flatMap((row, i) => [...row].map((x, j) => Math.abs(x - golden.removed[i]![j]!)));
    expect(Math.max(...apart)).toBeLessThan(1e-9);
    const none = fitCorrelationRemover(features, marks, 0).transform(features, marks);
    expect([...none[5]!]).toEqual(features[5]);
    expect(() => remover.transform([[1]], [[1, 0, 0]])).toThrow(
      'transform: row 0 has 1 features and 3 sensitive ones, fitted were 3 and 3.',
    );
  });
});

describe('thresholds of each group', () => {
  test.each(['demographicParity', 'equalOpportunity', 'equalizedOdds'] as const)(
    '%s: the optimum of the linear programme',
    (constraint: FairnessConstraint) => {
      const fitted = fitThresholds(score, targets, names, { constraint });
      expect(fitted.accuracy).toBeCloseTo(golden.optima[constraint], 10);
      const chances = fitted.probabilities(score, names);
      const rates = (among: (i: number) => boolean) =>
        [0, 1, 2].map((g) => mean([...chances].filter((_, i) => group[i] === g && among(i))));
      const right = [...chances].map((chance, i) => (targets[i] === 1 ? chance : 1 - chance));
      expect(mean(right)).toBeCloseTo(fitted.accuracy, 10);
      const equal = {
        demographicParity: [rates(() => true)],
        equalOpportunity: [rates((i) => targets[i] === 1)],
        equalizedOdds: [0, 1].map((y) => rates((i) => targets[i] === y)),
      };
      for (const each of equal[constraint]) expect(Math.max(...each) - Math.min(...each)).toBeLessThan(1e-10);
    },
  );

  it('are drawn by the seed, and know only their groups', () => {
    const fitted = fitThresholds(score, targets, names, { constraint: 'demographicParity' });
    expect([...fitted.predict(score, names, 3)]).toEqual([...fitted.predict(score, names, 3)]);
    const counts = Array.from({ length: 400 }, (_, seed) => mean([...fitted.predict(score, names, seed)]));
    expect(mean(counts)).toBeCloseTo(mean([...fitted.probabilities(score, names)]), 2);
    expect(() => fitted.probabilities([0.5], ['x'])).toThrow(
      'probabilities: the group x of sample 0 was not among those fitted: a, b, c.',
    );
    expect(() => fitThresholds([0.1, 0.2], [0, 1], ['a', 'b'], { constraint: 'equalizedOdds' })).toThrow(
      'fitThresholds: the group a has no targets 1, so its rates cannot be made equal to others.',
    );
  });
});

describe('in training', () => {
  test.each(['demographicParity', 'equalizedOdds'] as const)(
    'exponentiated gradient closes the gap of %s',
    async (constraint) => {
      // a learner that may choose a threshold for each group: the weighted best
      const fit = async (labels: Uint8Array, weights: Float64Array): Promise<number[]> =>
        [0, 1, 2].map((g) => {
          const at = group.flatMap((each, i) => (each === g ? [i] : []));
          const cost = (t: number) =>
            at.reduce((sum, i) => sum + (Number(score[i]! >= t) === labels[i] ? 0 : weights[i]!), 0);
          return [0, ...at.map((i) => score[i]!), 2].reduce((a, b) => (cost(b) < cost(a) ? b : a));
        });
      const predict = async (model: readonly number[]) => group.map((g, i) => Number(score[i]! >= model[g]!));
      const fair = await exponentiatedGradient(targets, names, {
        fit,
        predict,
        constraint,
        rounds: 50,
        slack: 0.02,
      });
      const plain = await exponentiatedGradient(targets, names, { fit, predict, constraint, rounds: 1, slack: 0.02 });
      expect(plain.gap).toBeGreaterThan(0.15);
      expect(fair.gap).toBeLessThan(0.02);
      expect(1 - fair.error).toBeGreaterThan(golden.optima[constraint]);
      expect(fair.models).toHaveLength(50);
    },
  );

  test('an adversary takes the group out of what a model says', async () => {
    const size = 200;
    const random = Array.from({ length: size }, (_, i) => (Math.sin(i * 12.9898) * 43758.5453) % 1);
    const g = random.map((_, i) => i % 2);
    const y = random.map((noise, i) => Number(noise + 0.35 * (2 * g[i]! - 1) > 0));
    const x = tensor(
      random.flatMap((noise, i) => [noise, g[i]!]),
      { shape: [size, 2] },
    );
    const gap = async (strength: number): Promise<number> => {
      setSeed(4);
      const model = new Linear(2, 1);
      const adversary = new Adversary(1, 2, { strength, hidden: 8 });
      const optimizer = new Adam({ model, adversary }, { learningRate: 0.05 });
      for (let step = 0; step < 80; step++) {
        const logits = model.forward(x);
        await optimizer.step(
          bceWithLogits(logits.squeeze(1), tensor(y)).add(adversary.loss(logits, tensor(Int32Array.from(g)))),
        );
      }
      const decided = [...(await model.forward(x).squeeze(1).data())].map((logit) => Number(logit > 0));
      return parity.demographicParity({ targets: y, predictions: decided, groups: g }).difference;
    };
    const [without, withIt] = [await gap(0), await gap(3)];
    expect(without).toBeGreaterThan(0.3);
    expect(withIt).toBeLessThan(without / 2);
    expect(parameters(new Adversary(1, 2, { targetClasses: 2 }))[0]?.shape).toEqual([32, 3]);
    expect(reverseGradient(x).shape).toEqual([size, 2]);
  });
});

test('a model card tells what it was told, and escapes it', () => {
  const { selection } = metricFrame({ ...outcomes, metrics: { selection: selectionRate } });
  const { markdown, html } = modelCard({
    name: 'Income <script>',
    intendedUse: 'Teaching | nothing\nelse.',
    outOfScope: 'Loans.',
    trainingData: 'Census "94".',
    metrics: { selection },
    calibration: calibrationByGroup(targets, score, names),
    measures: { 'epsilon spent': 3 },
    caveats: ['Old *data*.'],
  });
  expect(markdown).toContain('# Income \\<script\\>\n');
  expect(markdown).toContain('Teaching \\| nothing else.');
  expect(markdown).toContain(`| difference | ${selection.difference.value.toFixed(3)} |`);
  expect(markdown).toContain('- Old \\*data\\*.');
  expect(html).not.toContain('<script>');
  expect(html).toContain('Census &#34;94&#34;.');
  expect(html).toContain(`<tr><td>b</td><td>${selection.byGroup.get('b')?.value.toFixed(3)}</td></tr>`);
});
