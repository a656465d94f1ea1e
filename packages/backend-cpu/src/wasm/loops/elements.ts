/**
 * Elements of each storage type: read and written one at a time, or as the lanes of a vector. A bool is 0 or 1 in
 * memory and as one element, and a mask of all bits in a vector; half floats are float32 once they are read.
 * It knows nothing of loops: addresses come from `loads.ts` and `stores.ts`.
 */
import type { DType } from '@nn/core';
import { bytesPerElement } from '../../storage.ts';
import type { Expression, F32, I32, Statement, V128 } from '../code/assembler.ts';
import { conversions, isHalf } from '../code/halves.ts';
import { f32, f32x4, i8x16, i16x8, i32, i32x4, v128 } from '../code/instructions.ts';
import { keep, type Scope } from '../code/math.ts';
import type { ModuleContext } from '../code/module-context.ts';
import { isFloat } from '../code/operations.ts';

export function loadElement(context: ModuleContext, dtype: DType, address: I32, offset = 0): Expression {
  if (dtype === 'float32') return f32.load(address, offset);
  if (dtype === 'int32') return i32.load(address, offset);
  if (dtype === 'bool') return i32.ne(i32.load8U(address, offset), i32.const(0));
  if (dtype === 'uint8') return i32.load8U(address, offset);
  if (dtype === 'int8') return i32.load8S(address, offset);
  return conversions().decodeHalf(context, dtype, i32.load16U(address, offset));
}

export function storeElement(
  context: ModuleContext,
  dtype: DType,
  address: I32,
  value: Expression,
  offset = 0,
): Statement {
  if (dtype === 'float32') return f32.store(address, value as F32, offset);
  if (dtype === 'int32') return i32.store(address, value as I32, offset);
  if (isHalf(dtype)) {
    return i32.store16(address, conversions().encodeHalf(context, dtype, value as F32), offset);
  }
  return i32.store8(address, value as I32, offset);
}

/** A constant as one element. */
export const constantElement = (dtype: DType, value: number): Expression =>
  isFloat(dtype) ? f32.const(value) : i32.const(dtype === 'bool' ? Number(value !== 0) : value);

/** A constant in all lanes. */
export function constantLanes(scope: Scope, dtype: DType, value: number): V128 {
  if (isFloat(dtype)) return scope.floats(value);
  return scope.words(dtype === 'bool' ? -Number(value !== 0) : value);
}

/** One element in all lanes. */
export function splat(dtype: DType, one: Expression): V128 {
  if (isFloat(dtype)) return f32x4.splat(one as F32);
  return i32x4.splat(dtype === 'bool' ? i32.sub(i32.const(0), one as I32) : (one as I32));
}

/** One of the lanes as an element. */
export function laneOf(dtype: DType, vector: V128, lane: number): Expression {
  if (isFloat(dtype)) return f32x4.extract(vector, lane);
  const word = i32x4.extract(vector, lane);
  return dtype === 'bool' ? i32.and(word, i32.const(1)) : word;
}

/** As many neighbours as a vector has lanes. */
export function loadNeighbours(scope: Scope, dtype: DType, address: I32, offset: number): V128 {
  if (bytesPerElement(dtype) === 4) return v128.load(address, offset);
  if (isHalf(dtype)) return conversions().decodeLanes(scope, dtype, v128.load16x4U(address, offset));
  const bytes = (scope.lanes === 8 ? v128.load64Zero : v128.load32Zero)(address, offset);
  if (dtype === 'int8') return i32x4.extendLowI16x8S(i16x8.extendLowI8x16S(bytes));
  const wide = i32x4.extendLowI16x8U(i16x8.extendLowI8x16U(bytes));
  return dtype === 'uint8' ? wide : i32x4.ne(wide, scope.words(0));
}

/** A vector of elements from anywhere; `place` tells the address and the offset of each. */
export function loadLanes(
  context: ModuleContext,
  { lanes }: Scope,
  dtype: DType,
  place: (lane: number) => readonly [address: I32, offset: number],
): V128 {
  const [address, offset] = place(0);
  if (bytesPerElement(dtype) === 4) {
    let vector = v128.load32Zero(address, offset);
    for (let lane = 1; lane < lanes; lane++) {
      const [at, from] = place(lane);
      vector = v128.load32Lane(at, vector, lane, from);
    }
    return vector;
  }
  const one = (lane: number): Expression => loadElement(context, dtype, ...place(lane));
  if (isFloat(dtype)) {
    let vector = f32x4.splat(one(0) as F32);
    for (let lane = 1; lane < lanes; lane++) vector = f32x4.replace(vector, lane, one(lane) as F32);
    return vector;
  }
  let vector = i32x4.splat(one(0) as I32);
  for (let lane = 1; lane < lanes; lane++) vector = i32x4.replace(vector, lane, one(lane) as I32);
  return dtype === 'bool' ? i32x4.neg(vector) : vector;
}

/** Stores all lanes `stride` elements apart, the first at `offset` bytes. */
export function storeLanes(
  context: ModuleContext,
  scope: Scope,
  dtype: DType,
  address: I32,
  value: V128,
  offset: number,
  stride: number,
): void {
  const bytes = bytesPerElement(dtype);
  if (stride === 1 && bytes === 4) scope.emit(v128.store(address, value, offset));
  else if (stride === 1 && isHalf(dtype)) {
    const packed = keep(scope, conversions().encodeLanes(scope, dtype, value));
    scope.emit(v128.store64Low(address, packed, offset));
    if (scope.lanes === 8) scope.emit(v128.store64High(address, packed, offset + 8));
  } else if (stride === 1 && bytes === 1) {
    const packed = dtype === 'bool' ? maskToBytes(scope, value) : wordsToBytes(scope, dtype, value);
    scope.emit(
      scope.lanes === 8 ? v128.store64Low(address, packed, offset) : v128.store32Lane(address, packed, 0, offset),
    );
  } else {
    const kept = keep(scope, value);
    for (let lane = 0; lane < scope.lanes; lane++) {
      const place = offset + lane * stride * bytes;
      if (bytes === 4) scope.emit(v128.store32Lane(address, kept, lane, place));
      else scope.emit(storeElement(context, dtype, address, laneOf(dtype, kept, lane), place));
    }
  }
}

/** Masks as bytes of 0 or 1, in the first lanes. */
function maskToBytes(scope: Scope, mask: V128): V128 {
  const zero = scope.words(0);
  const words = i16x8.narrowI32x4S(mask, zero);
  return v128.and(i8x16.narrowI16x8S(words, zero), scope.words(0x01010101));
}

/** Words that fit into bytes, in the first lanes. */
function wordsToBytes(scope: Scope, dtype: DType, words: V128): V128 {
  const zero = scope.words(0);
  const halves = i16x8.narrowI32x4S(words, zero);
  return (dtype === 'int8' ? i8x16.narrowI16x8S : i8x16.narrowI16x8U)(halves, zero);
}
