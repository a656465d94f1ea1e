/** What the page prints is what Node prints. */
import { inspect as node } from 'node:util';
import { expect, test } from 'vitest';
import { format, inspect } from './inspect.ts';

class Empty {}
class Point extends Empty {
  x = 1;
  readonly name = 'p';
}
const circular: Record<string, unknown> = { a: 1 };
circular.self = circular;

test.for([
  { what: 'numbers', value: [1, -0, 0.1, Number.NaN, -Infinity, 10n] },
  { what: 'text with quotes', value: ["it's", 'a "word"', 'a\nline', '\\'] },
  { what: 'nothing', value: [null, undefined, {}, [], new Map(), new Set(), ''] },
  { what: 'records in records', value: { a: { b: { c: [1, 2] } }, 'not-a-name': true } },
  { what: 'typed arrays', value: new Float32Array([1, 2.5, -3]) },
  { what: 'maps and sets', value: [new Map([['a', { b: 1 }]]), new Set([1, 'two'])] },
  { what: 'classes and functions', value: [Empty, Point, Math.max, () => 1] },
  { what: 'objects of classes', value: [new Empty(), new Point()] },
  { what: 'records without a prototype', value: Object.assign(Object.create(null), { a: 1 }) },
  {
    what: 'nested arrays',
    value: [
      [
        [1, 2],
        [3, 4],
      ],
      [[5]],
    ],
  },
  { what: 'getters', value: Object.defineProperty({}, 'a', { get: () => 1, enumerable: true }) },
  { what: 'symbols and dates', value: [Symbol('s'), new Date(0), /a+/g, true] },
])('$what', ({ value }) => {
  expect(inspect(value)).toBe(node(value, { depth: 10, breakLength: 76, compact: 10 }));
});

test('what contains itself ends', () => {
  expect(inspect(circular)).toContain('[Circular *1]');
});

test('what says itself how it looks is asked', () => {
  const value = { [Symbol.for('nodejs.util.inspect.custom')]: () => 'Tensor [2]' };
  expect(inspect([value])).toBe('[ Tensor [2] ]');
});

test('long arrays stand in rows, and end', () => {
  const text = inspect(Array.from({ length: 120 }, (_, at) => at));
  expect(text.split('\n').every((line) => line.length <= 78)).toBe(true);
  expect(text).toContain('... 20 more items');
});

test('text is printed as it is, values beside it', () => {
  expect(format('loss', 0.5, ['a'])).toBe("loss 0.5 [ 'a' ]");
});
