/** Explanations of a network on digits, and the samples behind the confusion matrix. */
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeSpec } from '../model/url.ts';
import { explain } from './explain.ts';
import { look } from './look.ts';
import { mistakes, samplesOf } from './mistakes.ts';
import { Session } from './session.ts';

let session: Session;
beforeAll(async () => {
  session = await Session.make(decodeSpec('task=digits&samples=150&layers=c3k3p.relu_d8.relu'), {});
  for (let step = 0; step < 12; step++) await session.trainStep();
});

describe('an explanation', () => {
  test('says what each pixel adds: together the score over that of empty paper', async () => {
    const { inputs } = session.problem.test.take([0]).fields;
    const pixels = Float32Array.from(inputs.data, (value) => value / 255);
    const { attributions, score, baselineScore, target, best, cams } = await explain(session, pixels, null);
    expect(target).toBe(best);
    const sum = attributions.reduce((total, value) => total + value, 0);
    expect(Math.abs(score - baselineScore)).toBeGreaterThan(0.01);
    expect(Math.abs(sum - (score - baselineScore))).toBeLessThan(0.03 * Math.abs(score - baselineScore) + 0.01);
    // paper without ink adds nothing
    pixels.forEach((pixel, at) => {
      if (pixel === 0) expect(Math.abs(attributions[at] as number)).toBe(0);
    });
    expect(cams).toHaveLength(1);
    expect(cams[0]).toMatchObject({ block: 0, height: 28, width: 28 });
    expect(cams[0]?.values.every((value) => value >= 0)).toBe(true);
    const other = await explain(session, pixels, (best + 1) % 10);
    expect(other.target).toBe((best + 1) % 10);
    expect(Array.from(other.attributions)).not.toEqual(Array.from(attributions));
  });
});

test('the cells of the confusion matrix hold its samples, each once', async () => {
  const { confusion } = await look(session, false);
  const { problem } = session;
  const wrong = new Set(await mistakes(session));
  const seen = new Set<number>();
  for (let truth = 0; truth < 10; truth++) {
    for (let guess = 0; guess < 10; guess++) {
      const samples = await samplesOf(session, truth, guess);
      expect(samples).toHaveLength(Math.min(24, confusion?.counts[truth * 10 + guess] ?? 0));
      for (const { index, share, inputs } of samples) {
        expect(seen.has(index)).toBe(false);
        seen.add(index);
        expect(problem.test.fields.targets.data[index - problem.train.size]).toBe(truth);
        expect(wrong.has(index)).toBe(truth !== guess);
        expect(share).toBeGreaterThan(0.1);
        expect(inputs).toHaveLength(784);
      }
    }
  }
  expect(seen.size).toBeGreaterThan(20);
});
