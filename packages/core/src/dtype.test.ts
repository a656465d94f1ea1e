/** Element types: promotion, and the arrays that hold them. */
import { expect, test } from 'vitest';
import { allocate, bytesPerElement, dtypeOf, holds, isComputable, isHostArray, promote } from './dtype.ts';

const all = ['float32', 'int32', 'bool', 'float16', 'bfloat16', 'int8', 'uint8'] as const;

test('promotion is bool < int32 < float32, in either order', () => {
  expect([promote('bool', 'int32'), promote('int32', 'float32'), promote('float32', 'bool')]).toEqual([
    'int32',
    'float32',
    'float32',
  ]);
  expect([promote('int32', 'bool'), promote('bool', 'bool')]).toEqual(['int32', 'bool']);
});

test('operations compute in three of them', () => {
  expect(all.filter(isComputable)).toEqual(['float32', 'int32', 'bool']);
});

test('every dtype has an array of its size', () => {
  expect(all.map(bytesPerElement)).toEqual([4, 4, 1, 2, 2, 1, 1]);
  for (const dtype of all) {
    const data = allocate(dtype, 3);
    expect([data.length, data.BYTES_PER_ELEMENT]).toEqual([3, bytesPerElement(dtype)]);
    expect([holds(data, dtype), isHostArray(data)]).toEqual([true, true]);
  }
});

test('arrays name their dtype where they can', () => {
  const named = [Float32Array, Float64Array, Int32Array, Int8Array, Uint8Array, Uint8ClampedArray];
  expect(named.map((Type) => dtypeOf(new Type(1)))).toEqual(['float32', 'float32', 'int32', 'int8', 'uint8', 'uint8']);
  expect(() => dtypeOf(new Uint16Array(1))).toThrow('has no dtype of its own');
  expect([isHostArray([1]), isHostArray(new BigInt64Array(1)), holds(new Int32Array(1), 'float32')]).toEqual([
    false,
    false,
    false,
  ]);
});
