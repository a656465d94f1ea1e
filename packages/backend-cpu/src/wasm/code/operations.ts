/**
 * The scalar functions of the contract as instructions: of one element, and of four at once.
 * A bool is 0 or 1 as an element and a mask of all bits in a vector. Everything is exact as `backend.ts` of core says;
 * functions of float32 come from `math.ts`.
 */
import type { Alu, DType } from '@nn/core';
import type { Expression, F32, I32, V128 } from './assembler.ts';
import { call, f32, f32x4, i32, i32x4, select, v128 } from './instructions.ts';
import { keep, power, type Scope } from './math.ts';
import type { IntegerFunction, ModuleContext, ScalarFunction } from './module-context.ts';
import { vectorFunction } from './module-context.ts';

const asFloat = (value: Expression | undefined): F32 => value as F32;
const asWord = (value: Expression | undefined): I32 => value as I32;
/** Whether a kernel computes with it as float32. */
export const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16';

/** One element. `from` is the dtype of the arguments (of the last ones, for `where`). */
export function scalarOperation(
  context: ModuleContext,
  scope: Scope,
  op: Alu,
  dtype: DType,
  from: DType,
  values: readonly Expression[],
): Expression {
  const [x, y, z] = values;
  if (op === 'where') return select(y!, z!, asWord(x));
  if (op === 'cast') return scalarCast(scope, dtype, from, x!);
  if (op === 'random') {
    const bits = randomBits(scope, { ...i32, constant: i32.const }, [asWord(x), asWord(y), asWord(z)]);
    return f32.mul(f32.convert(bits), f32.const(2 ** -24));
  }
  if (isFloat(from)) return scalarFloat(context, op, asFloat(x), asFloat(y));
  return scalarInteger(context, scope, op, from, asWord(x), asWord(y));
}

function scalarFloat(context: ModuleContext, op: Alu, x: F32, y: F32): Expression {
  switch (op) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'max':
    case 'min':
      return f32[op](x, y);
    case 'floorDiv':
      return f32.floor(f32.div(x, y));
    case 'mod':
    case 'floorMod':
      return call('f32', context.floatRemainder(op), x, y);
    case 'pow':
      return call('f32', context.scalarFunction('pow'), x, y);
    case 'sqrt':
    case 'floor':
      return f32[op](x);
    case 'less':
      return f32.lt(x, y);
    case 'equal':
      return f32.eq(x, y);
    default:
      return call('f32', context.scalarFunction(op as ScalarFunction), x);
  }
}

/** On truth values addition is `or`, subtraction `xor`, multiplication `and`. */
const onBools: Partial<Record<Alu, 'and' | 'or' | 'xor'>> = {
  add: 'or',
  sub: 'xor',
  mul: 'and',
  max: 'or',
  min: 'and',
};

function scalarInteger(context: ModuleContext, scope: Scope, op: Alu, from: DType, x: I32, y: I32): Expression {
  const logical = from === 'bool' ? onBools[op] : undefined;
  if (logical) return i32[logical](x, y);
  switch (op) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'and':
    case 'or':
    case 'xor':
    case 'shl':
      return i32[op](x, y);
    case 'shr':
      return i32.shrS(x, y);
    case 'less':
      return from === 'bool' ? i32.ltU(x, y) : i32.ltS(x, y);
    case 'equal':
      return i32.eq(x, y);
    case 'max':
    case 'min': {
      const a = keep(scope, x);
      const b = keep(scope, y);
      return select(a, b, op === 'max' ? i32.gtS(a, b) : i32.ltS(a, b));
    }
    case 'div':
    case 'mod':
    case 'floorDiv':
    case 'floorMod':
      return call('i32', context.integerFunction(op), x, y);
    case 'pow':
      return call('i32', context.integerPower(), x, y);
    case 'floor':
      return x;
    default:
      // Functions that only make sense for floats: computed as floats.
      return i32.truncSat(asFloat(scalarFloat(context, op, f32.convert(x), y && f32.convert(y))));
  }
}

function scalarCast(scope: Scope, dtype: DType, from: DType, x: Expression): Expression {
  if (isFloat(dtype)) return isFloat(from) ? x : f32.convert(asWord(x));
  if (dtype === 'bool') {
    if (isFloat(from)) return f32.ne(asFloat(x), f32.const(0));
    return from === 'bool' ? x : i32.ne(asWord(x), i32.const(0));
  }
  const word = isFloat(from) ? i32.truncSat(asFloat(x)) : asWord(x);
  if (dtype === 'int32' || from === 'bool') return word;
  const [low, high] = dtype === 'int8' ? [-128, 127] : [0, 255];
  const bounded = keep(scope, word);
  const above = keep(scope, select(i32.const(low), bounded, i32.ltS(bounded, i32.const(low))));
  return select(i32.const(high), above, i32.gtS(above, i32.const(high)));
}

/** What pcg3d needs of 32-bit words, of one or of four. */
interface Words<T extends 'i32' | 'v128'> {
  readonly constant: (value: number) => Expression<T>;
  readonly add: (a: Expression<T>, b: Expression<T>) => Expression<T>;
  readonly mul: (a: Expression<T>, b: Expression<T>) => Expression<T>;
  readonly xor: (a: Expression<T>, b: Expression<T>) => Expression<T>;
  readonly shrU: (word: Expression<T>, by: I32) => Expression<T>;
}

/** 24 bits of the first word of pcg3d, as in core's `randomValue`. */
function randomBits<T extends 'i32' | 'v128'>(
  scope: Scope,
  { constant, add, mul, xor, shrU }: Words<T>,
  seeds: readonly [Expression<T>, Expression<T>, Expression<T>],
): Expression<T> {
  const start = (word: Expression<T>): Expression<T> =>
    keep(scope, add(mul(word, constant(1664525)), constant(1013904223)));
  let [x, y, z] = [start(seeds[0]), start(seeds[1]), start(seeds[2])] as [Expression<T>, Expression<T>, Expression<T>];
  x = keep(scope, add(x, mul(y, z)));
  y = keep(scope, add(y, mul(z, x)));
  z = keep(scope, add(z, mul(x, y)));
  const fold = (word: Expression<T>): Expression<T> => xor(word, shrU(word, i32.const(16)));
  return shrU(add(fold(x), mul(fold(y), fold(z))), i32.const(8));
}

/** An argument of a vector operation: four lanes, and the one element where all lanes are equal. */
export interface Argument {
  readonly vector: V128;
  readonly uniform: () => Expression | null;
  /** The value, where it is a constant. */
  readonly constant: number | null;
  /** The least and the greatest value of an integer, where that is known. */
  readonly range: readonly [number, number] | null;
}

export const varying = (vector: V128): Argument => ({ vector, uniform: () => null, constant: null, range: null });

/** Four elements at once. */
export function vectorOperation(
  context: ModuleContext,
  scope: Scope,
  op: Alu,
  dtype: DType,
  from: DType,
  values: readonly Argument[],
): V128 {
  const [first, second, third] = values as readonly [Argument, Argument, Argument];
  const x = first.vector;
  if (op === 'where') return v128.bitselect(second.vector, third.vector, x);
  if (op === 'cast') return vectorCast(scope, dtype, from, x);
  if (op === 'random') {
    const words = { ...i32x4, constant: (value: number) => scope.words(value), xor: v128.xor };
    const bits = randomBits(scope, words, [x, second.vector, third.vector]);
    return f32x4.mul(f32x4.convert(bits), scope.floats(2 ** -24));
  }
  if (isFloat(from)) return vectorFloat(context, scope, op, first, second);
  if (op === 'div' || op === 'mod' || op === 'floorDiv' || op === 'floorMod') {
    return vectorDivision(context, scope, op, first, second);
  }
  return vectorInteger(context, scope, op, from, first, second);
}

function vectorFloat(context: ModuleContext, scope: Scope, op: Alu, first: Argument, second: Argument): V128 {
  const x = first.vector;
  switch (op) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
      return f32x4[op](x, second.vector);
    case 'max':
    case 'min': {
      // Three instructions instead of eight, one where a side is a number: a NaN in the first operand stays.
      const quick = op === 'max' ? f32x4.pmax : f32x4.pmin;
      if (second.constant !== null && !Number.isNaN(second.constant)) return quick(x, second.vector);
      if (first.constant !== null && !Number.isNaN(first.constant)) return quick(second.vector, x);
      const y = keep(scope, second.vector);
      return v128.or(quick(x, y), f32x4.ne(y, y));
    }
    case 'floorDiv':
      return f32x4.floor(f32x4.div(x, second.vector));
    case 'mod':
    case 'floorMod': {
      const remainder = context.floatRemainder(op);
      return perLaneFloat(scope, x, second.vector, (a, b) => call('f32', remainder, a, b));
    }
    case 'pow':
      return power(scope, x, second.vector);
    case 'sqrt':
    case 'floor':
      return f32x4[op](x);
    case 'less':
      return f32x4.lt(x, second.vector);
    case 'equal':
      return f32x4.eq(x, second.vector);
    default:
      return vectorFunction(scope, op as Exclude<ScalarFunction, 'pow'>, x);
  }
}

function vectorInteger(
  context: ModuleContext,
  scope: Scope,
  op: Alu,
  from: DType,
  first: Argument,
  second: Argument,
): V128 {
  const x = first.vector;
  const logical = from === 'bool' ? onBools[op] : undefined;
  if (logical) return v128[logical](x, second.vector);
  switch (op) {
    case 'and':
    case 'or':
    case 'xor':
      return v128[op](x, second.vector);
    case 'add':
    case 'sub':
    case 'mul':
      return i32x4[op](x, second.vector);
    case 'max':
      return i32x4.maxS(x, second.vector);
    case 'min':
      return i32x4.minS(x, second.vector);
    case 'less':
      return from === 'bool' ? v128.andnot(second.vector, x) : i32x4.ltS(x, second.vector);
    case 'equal':
      return i32x4.eq(x, second.vector);
    case 'shl':
    case 'shr': {
      const count = second.uniform();
      if (count) return (op === 'shl' ? i32x4.shl : i32x4.shrS)(x, asWord(count));
      return perLaneWord(scope, x, second.vector, op === 'shl' ? i32.shl : i32.shrS);
    }
    case 'pow':
      return perLaneWord(scope, x, second.vector, (a, b) => call('i32', context.integerPower(), a, b));
    case 'floor':
      return x;
    default:
      return i32x4.truncSat(
        vectorFloat(context, scope, op, varying(f32x4.convert(x)), second && varying(f32x4.convert(second.vector))),
      );
  }
}

function vectorDivision(
  context: ModuleContext,
  scope: Scope,
  op: IntegerFunction,
  first: Argument,
  second: Argument,
): V128 {
  const divisor = second.constant;
  // A power of two: shifts and masks round down.
  if (divisor !== null && divisor > 0 && (divisor & (divisor - 1)) === 0) {
    const bits = i32.const(Math.log2(divisor));
    if (op === 'floorDiv') return i32x4.shrS(first.vector, bits);
    if (op === 'floorMod') return v128.and(first.vector, scope.words(divisor - 1));
  }
  // Small numbers: one product with the inverse, in float32. Half a unit more keeps exact quotients away from the border:
  // the error of (x + 1/2) / d is below x / d * 2^-22, and the distance to the next whole number at least 1 / (2 d).
  // Negative numbers are lifted by some divisors first.
  const { range } = first;
  const floors = op === 'floorDiv' || op === 'floorMod';
  if (divisor !== null && divisor > 0 && range && (floors || range[0] >= 0)) {
    const lift = range[0] < 0 ? Math.ceil(-range[0] / divisor) : 0;
    if (range[1] + lift * divisor < 2 ** 20) {
      const raised = lift > 0 ? i32x4.add(first.vector, scope.words(lift * divisor)) : first.vector;
      const x = keep(scope, raised);
      const shifted = f32x4.add(f32x4.convert(x), scope.floats(0.5));
      const quotient = i32x4.truncSat(f32x4.mul(shifted, scope.floats(1 / divisor)));
      if (op === 'mod' || op === 'floorMod') return i32x4.sub(x, i32x4.mul(quotient, scope.words(divisor)));
      return lift > 0 ? i32x4.sub(quotient, scope.words(lift)) : quotient;
    }
  }
  const divide = context.integerFunction(op);
  return perLaneWord(scope, first.vector, second.vector, (a, b) => call('i32', divide, a, b));
}

function perLaneWord(scope: Scope, a: V128, b: V128, compute: (a: I32, b: I32) => I32): V128 {
  const x = keep(scope, a);
  const y = keep(scope, b);
  let result = i32x4.splat(compute(i32x4.extract(x, 0), i32x4.extract(y, 0)));
  for (let lane = 1; lane < scope.lanes; lane++) {
    result = i32x4.replace(result, lane, compute(i32x4.extract(x, lane), i32x4.extract(y, lane)));
  }
  return result;
}
function perLaneFloat(scope: Scope, a: V128, b: V128, compute: (a: F32, b: F32) => F32): V128 {
  const x = keep(scope, a);
  const y = keep(scope, b);
  let result = f32x4.splat(compute(f32x4.extract(x, 0), f32x4.extract(y, 0)));
  for (let lane = 1; lane < scope.lanes; lane++) {
    result = f32x4.replace(result, lane, compute(f32x4.extract(x, lane), f32x4.extract(y, lane)));
  }
  return result;
}

function vectorCast(scope: Scope, dtype: DType, from: DType, x: V128): V128 {
  if (isFloat(dtype)) {
    if (isFloat(from)) return x;
    return from === 'bool' ? v128.and(x, scope.floats(1)) : f32x4.convert(x);
  }
  if (dtype === 'bool') {
    if (isFloat(from)) return f32x4.ne(x, scope.floats(0));
    return from === 'bool' ? x : i32x4.ne(x, scope.words(0));
  }
  if (from === 'bool') return v128.and(x, scope.words(1));
  const word = isFloat(from) ? i32x4.truncSat(x) : x;
  if (dtype === 'int32') return word;
  const [low, high] = dtype === 'int8' ? [-128, 127] : [0, 255];
  return i32x4.minS(i32x4.maxS(word, scope.words(low)), scope.words(high));
}
