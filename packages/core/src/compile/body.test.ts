/** Bodies: equal operations once, constants folded where they decide, nothing that is not needed. */
import { describe, expect, test } from 'vitest';
import { IndexSpace } from '../graph/index-expression.ts';
import { BodyWriter, keyOf } from './body.ts';

const writer = () => new BodyWriter(new IndexSpace());

describe('the writer', () => {
  test('writes equal operations once', () => {
    const body = writer();
    const x = body.load(0, body.constant(0, 'int32'), 'float32');
    expect(body.emit('exp', 'float32', x)).toBe(body.emit('exp', 'float32', x));
    expect(body.constant(0, 'float32')).not.toBe(body.constant(-0, 'float32'));
  });

  test('leaves out casts to the same dtype and choices that are made', () => {
    const body = writer();
    const [x, y] = [body.constant(1, 'float32'), body.constant(2, 'float32')];
    expect(body.emit('cast', 'float32', x)).toBe(x);
    expect(body.emit('where', 'float32', body.constant(1, 'bool'), x, y)).toBe(x);
    expect(body.emit('where', 'float32', body.constant(0, 'bool'), x, y)).toBe(y);
    const condition = body.emit('less', 'bool', x, y);
    expect(body.emit('where', 'float32', condition, x, x)).toBe(x);
  });

  test('rounds float constants to float32', () => {
    const body = writer();
    const value = body.constant(0.1, 'float32');
    expect(body.finish(value).body).toEqual([{ op: 'const', dtype: 'float32', value: Math.fround(0.1) }]);
  });

  test('drops what the result does not need, and says where operands went', () => {
    const body = writer();
    const x = body.load(0, body.constant(0, 'int32'), 'float32');
    const unused = body.emit('exp', 'float32', x);
    const result = body.emit('sin', 'float32', x);
    const { body: ops, positions } = body.finish(result, [x, unused]);
    expect(ops.map(({ op }) => op)).toEqual(['const', 'load', 'sin']);
    expect(positions).toEqual([1, -1]);
  });

  test('asks only for the bounds that are not proved', () => {
    const space = new IndexSpace();
    const body = new BodyWriter(space);
    const i = space.axis(0, 10);
    expect(body.inside(i, 0, 10)).toBe(null);
    expect(body.inside(i, 10, 20)).toBe(body.constant(0, 'bool'));
    const result = body.inside(i, 0, 5) as number;
    expect(body.finish(result).body.map(({ op }) => op)).toEqual(['axis', 'const', 'less']);
  });
});

test('text of operations is equal exactly when they are', () => {
  expect(keyOf({ op: 'const', dtype: 'float32', value: -0 })).not.toBe(
    keyOf({ op: 'const', dtype: 'float32', value: 0 }),
  );
  expect(keyOf({ op: 'const', dtype: 'float32', value: 1 })).not.toBe(keyOf({ op: 'const', dtype: 'int32', value: 1 }));
  expect(keyOf({ op: 'axis', dtype: 'int32', axis: 1 })).toBe(keyOf({ op: 'axis', dtype: 'int32', axis: 1 }));
  expect(keyOf({ op: 'sub', dtype: 'int32', args: [0, 1] })).not.toBe(
    keyOf({ op: 'sub', dtype: 'int32', args: [1, 0] }),
  );
});
