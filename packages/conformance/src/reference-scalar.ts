/**
 * The scalar functions of the contract in double precision, written for their meaning and not for speed.
 * Truth values are the numbers 0 and 1. Where the contract is silent, IEEE 754 and C decide.
 */
import { type Alu, type DType, randomValue } from '@nn/core';

/** The kinds that operations compute in. */
export type Kind = 'float' | 'integer' | 'boolean';

export function kindOf(dtype: DType): Kind {
  if (dtype === 'bool') return 'boolean';
  return dtype === 'int32' || dtype === 'int8' || dtype === 'uint8' ? 'integer' : 'float';
}

/** `op` for operands of `from` (the dtype of the last argument) and a result of `to`, before any rounding. */
export function scalarFunction(op: Alu, from: DType, to: DType): (a: number, b: number, c: number) => number {
  const kind = kindOf(from);
  switch (op) {
    case 'cast':
      return (a) => convert(a, to);
    case 'less':
      return (a, b) => Number(a < b);
    case 'equal':
      return (a, b) => Number(a === b);
    case 'where':
      return (a, b, c) => (a !== 0 ? b : c);
    case 'random':
      return randomValue;
    default:
  }
  const found = (kind === 'float' ? floats : kind === 'integer' ? integers : booleans)[op];
  if (found === undefined) throw new Error(`${op} is not defined for ${from}`);
  return found;
}

type Table = Partial<Record<Alu, (a: number, b: number) => number>>;

const floats: Table = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mod: (a, b) => a % b,
  floorDiv: (a, b) => Math.floor(a / b),
  floorMod: (a, b) => {
    const rest = a % b;
    return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
  },
  // C's pow: 1 to any power is 1, and so is -1 to an infinite one; JavaScript says NaN.
  pow: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  erf,
  floor: Math.floor,
};

const integers: Table = {
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  mul: (a, b) => Math.imul(a, b),
  div: (a, b) => (b === 0 ? 0 : Math.trunc(a / b) | 0),
  mod: (a, b) => (b === 0 ? 0 : (a % b) | 0),
  floorDiv: (a, b) => (b === 0 ? 0 : Math.floor(a / b) | 0),
  floorMod: (a, b) => (b === 0 ? 0 : (a - b * Math.floor(a / b)) | 0),
  pow: integerPower,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  floor: (a) => a,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << (b & 31),
  shr: (a, b) => a >> (b & 31),
};

const booleans: Table = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  add: (a, b) => a | b,
  sub: (a, b) => a ^ b,
  mul: (a, b) => a & b,
};

/** Repeated multiplication; 1 / a^-b truncated below 0. */
function integerPower(a: number, b: number): number {
  if (b < 0) return a === 1 ? 1 : a === -1 ? (b % 2 === 0 ? 1 : -1) : 0;
  let power = 1n;
  for (let base = BigInt(a), rest = b; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = BigInt.asIntN(32, power * base);
    base = BigInt.asIntN(32, base * base);
  }
  return Number(power);
}

/** `value` in the range of `to`: whole numbers truncate and saturate, NaN is 0; truth is being other than 0. */
export function convert(value: number, to: DType): number {
  switch (to) {
    case 'bool':
      return Number(value !== 0);
    case 'int32':
      return clamp(value, -(2 ** 31), 2 ** 31 - 1);
    case 'int8':
      return clamp(value, -128, 127);
    case 'uint8':
      return clamp(value, 0, 255);
    default:
      return value;
  }
}

function clamp(value: number, low: number, high: number): number {
  if (Number.isNaN(value)) return 0;
  // Adding 0 turns -0 into 0.
  return Math.min(Math.max(Math.trunc(value), low), high) + 0;
}

/**
 * The error function in double precision. Below 3 the series 2 / sqrt(pi) * exp(-x^2) * sum of 2^n x^(2n+1) / (2n+1)!!,
 * whose terms are all positive; beyond, 1 - exp(-x^2) / sqrt(pi) / K, with the continued fraction
 * K = x + (1/2) / (x + (2/2) / (x + (3/2) / ...)) (Abramowitz and Stegun 7.1.6 and 7.1.14).
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (size > 6) return Math.sign(x);
  if (size < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-18; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let fraction = size;
  for (let n = 60; n > 0; n--) fraction = size + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction);
}
