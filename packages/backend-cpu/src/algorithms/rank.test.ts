import { describe, expect, it } from 'vitest';
import { sortedOrder } from './rank.ts';

describe('sortedOrder', () => {
  it('sorts stably with NaN last, at every length around its runs', () => {
    const keys = Float32Array.from(
      { length: 300 },
      (_, i) => [3, -1, Number.NaN, 0, -0, Infinity, 2, -Infinity][(i * 5 + (i >> 3)) % 8]!,
    );
    for (const count of [1, 2, 15, 16, 17, 31, 32, 33, 48, 64, 65, 100, 299]) {
      const order = sortedOrder(keys, 1, count, new Int32Array(count), new Int32Array(count));
      const expected = Array.from({ length: count }, (_, i) => i).sort((a, b) => {
        const [x, y] = [keys[1 + a]!, keys[1 + b]!];
        if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
        return x < y ? -1 : x > y ? 1 : 0;
      });
      expect([...order], `${count} keys`).toEqual(expected);
    }
  });
});
