/** The functions that engines on the host keep. */
import { buildKernel } from '@nn/conformance';
import { expect, it } from 'vitest';
import type { Dialect } from './dialect.ts';
import { Kernels } from './kernels.ts';
import { Region } from './region.ts';

it('are bounded in bytes, and the one least recently used goes first', () => {
  let made = 0;
  const dialect: Dialect = {
    name: 'interpreter',
    path: 'none',
    nest: () => {
      made++;
      return () => undefined;
    },
  };
  const kernels = new Kernels(dialect, new Region(), () => null);
  const plain = buildKernel({ domain: [1], reads: [], value: (body) => void body.axis(0) });
  const placement = { key: 'here', offsets: [], strides: [1], based: false, aliased: false };
  // 16 MB each, by their keys
  const get = (number: number): object => kernels.get({ ...plain, key: `${number}${'x'.repeat(2 ** 20)}` }, placement);
  for (let number = 0; number < 3; number++) get(number);
  const first = get(0);
  for (let number = 3; number < 40; number++) {
    get(number);
    expect(get(0)).toBe(first);
  }
  expect(kernels.count).toBeLessThanOrEqual(4);
  expect(made).toBe(40);
});
