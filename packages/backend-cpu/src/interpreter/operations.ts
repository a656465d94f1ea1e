/**
 * Operations on vectors of lanes, in fixed code: float32 lanes in Float32Arrays (so every result is rounded), int32 and
 * truth values in Int32Arrays. The frequent operations have loops of their own; the others share one around a function.
 */
import type { Alu, DType } from '@nn/core';
import {
  divideInt32,
  erf,
  floorDivideInt32,
  floorModulo,
  floorModuloInt32,
  power,
  powerInt32,
  random,
  remainderInt32,
  toInt32,
} from '../math.ts';
import { kindOf, toInt8, toUint8 } from '../storage.ts';

/** The lanes of one value. */
export type Lanes = Float32Array | Int32Array;

/** Computes the first `count` lanes. */
export type Computation = (count: number) => void;

export function lanesFor(dtype: DType, width: number): Lanes {
  return kindOf(dtype) === 'float' ? new Float32Array(width) : new Int32Array(width);
}

/** `out = op(...args)`; `from` is the dtype of the arguments (of the first, for a cast). */
export function operation(op: Alu, out: Lanes, dtype: DType, args: readonly Lanes[], from: DType): Computation {
  const [a, b, c] = args as [Lanes, Lanes, Lanes];
  switch (op) {
    case 'cast':
      return map1(out, a, castFunction(from, dtype));
    case 'less':
      return (count) => {
        for (let i = 0; i < count; i++) out[i] = a[i]! < b[i]! ? 1 : 0;
      };
    case 'equal':
      return (count) => {
        for (let i = 0; i < count; i++) out[i] = a[i]! === b[i]! ? 1 : 0;
      };
    case 'where':
      return (count) => {
        for (let i = 0; i < count; i++) out[i] = a[i]! !== 0 ? b[i]! : c[i]!;
      };
    case 'random':
      return (count) => {
        for (let i = 0; i < count; i++) out[i] = random(a[i]!, b[i]!, c[i]!);
      };
    default:
  }
  const kind = kindOf(dtype);
  if (kind === 'float') return arithmetic(op, out, a, b) ?? map2(out, a, b, floats[op]!);
  if (kind === 'boolean') return map2(out, a, b, booleans[op]!);
  // Sums and differences of two int32 are exact in double precision; the Int32Array wraps them.
  if (op === 'add' || op === 'sub') return arithmetic(op, out, a, b)!;
  return map2(out, a, b, integers[op]!);
}

function arithmetic(op: Alu, out: Lanes, a: Lanes, b: Lanes): Computation | null {
  switch (op) {
    case 'add':
      return (count) => {
        for (let i = 0; i < count; i++) out[i] = a[i]! + b[i]!;
      };
    case 'sub':
      return (count) => {
        for (let i = 0; i < count; i++) out[i] = a[i]! - b[i]!;
      };
    case 'mul':
      return (count) => {
        for (let i = 0; i < count; i++) out[i] = a[i]! * b[i]!;
      };
    case 'div':
      return (count) => {
        for (let i = 0; i < count; i++) out[i] = a[i]! / b[i]!;
      };
    case 'max':
      return (count) => {
        for (let i = 0; i < count; i++) out[i] = Math.max(a[i]!, b[i]!);
      };
    case 'min':
      return (count) => {
        for (let i = 0; i < count; i++) out[i] = Math.min(a[i]!, b[i]!);
      };
    default:
      return null;
  }
}

type Binary = (a: number, b: number) => number;

const floats: Partial<Record<Alu, Binary>> = {
  mod: (a, b) => a % b,
  floorDiv: (a, b) => Math.floor(a / b),
  floorMod: floorModulo,
  pow: power,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  erf,
  floor: Math.floor,
};

const integers: Partial<Record<Alu, Binary>> = {
  mul: Math.imul,
  div: divideInt32,
  mod: remainderInt32,
  floorDiv: floorDivideInt32,
  floorMod: floorModuloInt32,
  pow: powerInt32,
  max: Math.max,
  min: Math.min,
  floor: (a) => a,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  shr: (a, b) => a >> b,
};

const booleans: Partial<Record<Alu, Binary>> = {
  and: (a, b) => a & b,
  min: (a, b) => a & b,
  mul: (a, b) => a & b,
  or: (a, b) => a | b,
  max: (a, b) => a | b,
  add: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  sub: (a, b) => a ^ b,
  floor: (a) => a,
};

/** A number computed as `from`, as one of `to`. */
export function castFunction(from: DType, to: DType): (value: number) => number {
  if (to === 'bool') return (value) => (value !== 0 ? 1 : 0);
  if (kindOf(to) === 'float' || from === to || from === 'bool') return (value) => value;
  if (to === 'int32') return kindOf(from) === 'float' ? toInt32 : (value) => value;
  const narrow = to === 'int8' ? toInt8 : toUint8;
  return (value) => narrow(toInt32(value));
}

function map1(out: Lanes, a: Lanes, f: (a: number) => number): Computation {
  return (count) => {
    for (let i = 0; i < count; i++) out[i] = f(a[i]!);
  };
}

/** `b` is missing where the function has one argument. */
function map2(out: Lanes, a: Lanes, b: Lanes | undefined, f: Binary): Computation {
  if (b === undefined) return map1(out, a, (value) => f(value, 0));
  return (count) => {
    for (let i = 0; i < count; i++) out[i] = f(a[i]!, b[i]!);
  };
}
