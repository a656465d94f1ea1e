/** Which loop of a nest runs by vectors: the costs of all of it decide, not those of the sum alone. */
import { buildKernel } from '@nn/conformance';
import { expect, test } from 'vitest';
import { analyse } from './analysis.ts';
import { makeSchedule } from './schedule.ts';

/** Sums of rows of `terms` numbers, each followed by so many functions. */
function isAlongSums(terms: number, functions: number): boolean | undefined {
  const [domain, extents] = [[100], [terms]];
  const kernel = buildKernel({
    domain,
    reads: ['float32'],
    reduce: { op: 'sum', extents, dtype: 'float32' },
    value: (body) => {
      body.load(0, body.flat([100, terms]));
    },
    epilogue: (body) => {
      let value = body.accumulator('float32');
      for (let k = 0; k < functions; k++) value = body.alu('exp', 'float32', value);
    },
  });
  const { order, vector } = makeSchedule(analyse(kernel), { domain, extents, outStrides: [1], outerAxes: null });
  return order[vector]?.reduced;
}

test('after sums of few terms it is the loop over results where functions follow, which then run by vectors, too', () => {
  expect(isAlongSums(64, 0)).toBe(true);
  expect(isAlongSums(64, 2)).toBe(true);
  expect(isAlongSums(4, 2)).toBe(false);
});
