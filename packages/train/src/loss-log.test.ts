/** The bookkeeping of losses: means by samples, and what steps without samples count. */
import { expect, it } from 'vitest';
import { LossLog } from './loss-log.ts';

/** A log in which each step had batches of so many samples. */
function logOf(...steps: readonly (readonly number[])[]): LossLog {
  const log = new LossLog(16);
  for (const batches of steps) {
    for (const samples of batches) log.count(samples);
    log.endStep();
  }
  return log;
}

it('adds what the batches of a step gave, and weights steps by their samples, in windows and epochs', () => {
  const log = logOf([1, 3], [4]);
  expect(log.settle([2, 3, 1])).toEqual({ losses: [5, 1], samples: 8, window: 3, epoch: 3 });
  log.count(8);
  log.endStep();
  expect(log.settle([5])).toEqual({ losses: [5], samples: 8, window: 5, epoch: 4 });
});

it('counts a batch of padding alone for nothing, whatever its loss, and tells that loss of its step', () => {
  expect(logOf([0, 2], [2]).settle([Number.NaN, 3, 5])).toEqual({ losses: [3, 5], samples: 4, window: 4, epoch: 4 });
  expect(logOf([0], [0], [2]).settle([7, Number.NaN, 5])).toEqual({
    ...{ losses: [7, Number.NaN, 5], samples: 2 },
    ...{ window: 5, epoch: 5 },
  });
});
