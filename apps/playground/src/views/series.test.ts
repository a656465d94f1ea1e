import { expect, it } from 'vitest';
import type { Measurement } from '../worker/protocol.ts';
import { seriesOf } from './series.ts';

const at = (step: number, loss: number): Measurement => ({
  step,
  trainLoss: loss,
  testLoss: 2 * loss,
  trainAccuracy: null,
  testAccuracy: null,
});

it('two runs have one axis of steps, and nothing where they were not measured', () => {
  const series = seriesOf(
    [at(0, 4), at(5, 3)],
    [at(0, 7), at(3, 6), at(8, 5)],
    (m) => m.trainLoss,
    (m) => m.testLoss,
  );
  expect(series).toEqual([
    [0, 3, 5, 8],
    [4, null, 3, null],
    [8, null, 6, null],
    [7, 6, null, 5],
    [14, 12, null, 10],
  ]);
});
