import { expect, it } from 'vitest';
import { readNumber } from './read-number.ts';

it('a number that was cleared or is none stays what it was; others keep their limits', () => {
  const read = (text: string): number => readNumber(text, 0.03, 1e-5, 10);
  expect([read(''), read(' '), read('x'), read('0.5'), read('0'), read('99')]).toEqual([
    ...[0.03, 0.03, 0.03, 0.5, 1e-5, 10],
  ]);
});
