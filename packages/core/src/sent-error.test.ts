/** Errors that travel are the errors that were thrown. */
import { expect, test } from 'vitest';
import {
  BackendError,
  DTypeError,
  DuplicateCoreError,
  FormatError,
  GradientError,
  isNNError,
  NNError,
  receivedError,
  ShapeError,
  StaleTensorError,
  sentError,
  ValueError,
} from './index.ts';

/** As `postMessage` would carry it. */
const travelled = (error: unknown, classes?: Parameters<typeof receivedError>[1]): Error =>
  receivedError(structuredClone(sentError(error)), classes);

test.each([
  ...[NNError, ShapeError, DTypeError, ValueError, BackendError, GradientError, StaleTensorError, FormatError],
  DuplicateCoreError,
])('an error of nn arrives as %s', (Class) => {
  const thrown = new Class('myLayer/reason', 'is not whole.', { shape: [2, 3], values: Float32Array.of(1) });
  const error = travelled(thrown);
  expect(error).toBeInstanceOf(Class);
  expect(error.constructor).toBe(Class);
  expect(isNNError(error)).toBe(true);
  expect({ ...error, message: error.message, stack: error.stack }).toEqual({
    ...thrown,
    message: 'myLayer: is not whole.',
    stack: thrown.stack,
  });
});

test('classes of the language keep their class, those of users their name and the class they extend', () => {
  class Refused extends TypeError {
    override readonly name = 'Refused';
  }
  class OutOfBounds extends ValueError {
    static override readonly name: string = 'OutOfBounds';
  }
  expect(travelled(new RangeError('a'))).toEqual(new RangeError('a'));
  expect(Object.keys(travelled(new RangeError('a')))).toEqual([]);
  const refused = travelled(new Refused('b'));
  expect([refused instanceof TypeError, refused.name, refused.message]).toEqual([true, 'Refused', 'b']);
  const outside = travelled(new OutOfBounds('c', 'd.', { at: 1 }));
  expect(outside).toBeInstanceOf(ValueError);
  expect(outside).toMatchObject({ name: 'OutOfBounds', code: 'value', data: { at: 1 } });
  // who receives it may know the class
  expect(travelled(new OutOfBounds('c', 'd.'), [OutOfBounds]).constructor).toBe(OutOfBounds);
  // a class of somebody else that is called as one of ours is none
  const other = new (class ValueError extends Error {})('e');
  expect(travelled(other).constructor).toBe(Error);
  const ended = travelled(new DOMException('f', 'AbortError'));
  expect([ended instanceof DOMException, ended.name, ended.message]).toEqual([true, 'AbortError', 'f']);
});

test('causes travel, up to where they lead in a circle, and what cannot travel is left out', () => {
  const root = new ShapeError('matmul', 'sizes differ.', { left: 2, call: () => 1 });
  const thrown = new Error('in sample 3', { cause: root });
  const { cause } = travelled(thrown);
  expect(cause).toBeInstanceOf(ShapeError);
  expect(cause).toMatchObject({ message: 'matmul: sizes differ.', data: { left: 2 }, stack: root.stack });
  expect(travelled(new Error('a', { cause: { line: 2 } })).cause).toEqual({ line: 2 });
  expect(travelled(new Error('a', { cause: () => 1 })).cause).toBe('() => 1');
  expect('cause' in travelled(new Error('a'))).toBe(false);
  root.cause = thrown;
  expect(travelled(thrown)).toMatchObject({ cause: { cause: { message: 'in sample 3' } } });
  for (const value of ['text', null, Object.create(null)]) expect(travelled(value)).toBeInstanceOf(Error);
  expect(travelled('text').message).toBe('text');
});

test('what a worker of Node did not catch has its class by its name', () => {
  const plain = Object.assign(new Error('matmul: a.'), { ...new ShapeError('matmul', 'a.', { left: 2 }) });
  expect(travelled(plain)).toBeInstanceOf(ShapeError);
});
