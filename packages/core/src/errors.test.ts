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
    const error = new Type('flip', 'a message', { axis: 1 });
    expect(error).toBeInstanceOf(NNError);
    expect([error.name, error.code, error.message, error.data]).toEqual([
      Type.name,
      code,
      'flip: a message',
      { axis: 1 },
    ]);
    expect(isNNError(error)).toBe(true);
    expect(new Type('', 'nothing else').data).toEqual({});
  });
});

test.each([
  [new ShapeError('matmul', 'inner sizes differ'), 'shape/matmul', 'matmul: inner sizes differ'],
  [new ValueError('Conv2d(1, 8)', 'no option strides'), 'value/Conv2d', 'Conv2d(1, 8): no option strides'],
  [new FormatError('parseCsv/columns', 'too few: 2/3'), 'format/parseCsv/columns', 'parseCsv: too few: 2/3'],
  [new ValueError("fitTable: column 'a/b'", 'no option c'), 'value/fitTable', "fitTable: column 'a/b': no option c"],
  [new FormatError('readCsv/utf-16', 'zero bytes'), 'format/readCsv/utf-16', 'readCsv: zero bytes'],
  [new BackendError('/unset', 'No backend is set'), 'backend/unset', 'No backend is set'],
  [new BackendError('', 'made: by a test'), 'backend', 'made: by a test'],
])('an error bears a kind, its code, operation and reason, whatever its words are', (error, kind, message) => {
  expect([error.kind, error.message]).toEqual([kind, message]);
});

test('a device error keeps its cause', () => {
  const cause = new Error('out of memory');
  expect(new BackendError('', 'upload failed', {}, cause).cause).toBe(cause);
});

test('other errors are none of nn', () => {
  for (const other of [new Error('x'), null, undefined, 'text', {}]) expect(isNNError(other)).toBe(false);
});

test("the user's line is in the stack, however many calls of nn stand above it", () => {
  const { stackTraceLimit } = Error;
  const deep = (calls: number): never => {
    if (calls > 0) return deep(calls - 1);
    throw new ValueError('deep', 'too deep');
  };
  function userCode(): void {
    deep(20);
  }
  expect(userCode).toThrow(expect.objectContaining({ stack: expect.stringContaining('userCode') }));
  expect(Error.stackTraceLimit).toBe(stackTraceLimit);
});
