/** Errors: classes for those that callers act on, a code and data for programs, and a brand for several copies. */
import { describe, expect, test } from 'vitest';
import {
  BackendError,
  DTypeError,
  FormatError,
  GradientError,
  isNNError,
  NNError,
  ShapeError,
  StaleTensorError,
  ValueError,
} from './index.ts';

describe.each([
  [ShapeError, 'shape'],
  [DTypeError, 'dtype'],
  [ValueError, 'value'],
  [BackendError, 'backend'],
  [GradientError, 'gradient'],
  [StaleTensorError, 'stale'],
  [FormatError, 'format'],
] as const)('%o', (Type, code) => {
  test('is an error of nn with a code and data', () => {
    const error = new Type('a message', { axis: 1 });
    expect(error).toBeInstanceOf(NNError);
    expect([error.name, error.code, error.message, error.data]).toEqual([Type.name, code, 'a message', { axis: 1 }]);
    expect(isNNError(error)).toBe(true);
    expect(new Type('nothing else').data).toEqual({});
  });
});

test('an error bears a kind: its code and the operation or layer that the message begins with', () => {
  expect(new ShapeError('matmul: inner sizes differ').kind).toBe('shape/matmul');
  expect(new ValueError('Conv2d(1, 8): no option strides: stride').kind).toBe('value/Conv2d');
  expect(new BackendError('No backend is set: import { cpu }').kind).toBe('backend');
});

test('a device error keeps its cause', () => {
  const cause = new Error('out of memory');
  expect(new BackendError('upload failed', {}, cause).cause).toBe(cause);
});

test('other errors are none of nn', () => {
  for (const other of [new Error('x'), null, undefined, 'text', {}]) expect(isNNError(other)).toBe(false);
});
