/**
 * One operation as JavaScript text. Floats are numbers, each rounded to float32 as a store would round it, so that a value
 * is the same whether it went through memory or not; integers are numbers that V8 knows to be int32, truth values are
 * booleans. Each argument occurs once in the text, so that a text may stand for a value that is used once.
 */
import type { Alu, DType } from '@nn/core';
import { kindOf } from '../storage.ts';

/** An argument: its text, its dtype, its value where that is known, and its range where it is an int32. */
export interface Argument {
  readonly text: string;
  readonly dtype: DType;
  readonly constant: number | undefined;
  readonly range: readonly [low: number, high: number];
}

export function literal(value: number, dtype: DType): string {
  const kind = kindOf(dtype);
  if (kind === 'boolean') return value === 0 ? 'false' : 'true';
  const number = kind === 'integer' ? value | 0 : Math.fround(value);
  if (Object.is(number, -0)) return '(-0)';
  return number < 0 ? `(${number})` : `${number}`;
}

/** `text` of one dtype as another. */
export function convert(text: string, from: DType, to: DType): string {
  const source = kindOf(from);
  const target = kindOf(to);
  let result = text;
  if (source === 'boolean' && target !== 'boolean') result = `(${text} ? 1 : 0)`;
  else if (target === 'boolean' && source !== 'boolean') return `(${text} !== 0)`;
  else if (target === 'integer' && source === 'float') result = `toInt32(${text})`;
  if (to === 'int8' && from !== 'int8' && source !== 'boolean') return `toInt8(${result})`;
  if (to === 'uint8' && from !== 'uint8' && source !== 'boolean') return `toUint8(${result})`;
  return result;
}

/** The element `text` of an array of `stored`, as an operand of `dtype`. */
export function decode(text: string, stored: DType, dtype: DType): string {
  switch (stored) {
    case 'float16':
      return convert(`fromFloat16(${text})`, stored, dtype);
    case 'bfloat16':
      return convert(`fromBfloat16(${text})`, stored, dtype);
    case 'bool':
      return convert(`(${text} !== 0)`, stored, dtype);
    default:
      return convert(text, stored, dtype);
  }
}

/** What to assign to an element of an array of `stored`, for a value of `dtype`. */
export function encode(text: string, dtype: DType, stored: DType): string {
  const value = convert(text, dtype, stored);
  switch (stored) {
    case 'float16':
      return `toFloat16(${value})`;
    case 'bfloat16':
      return `toBfloat16(${value})`;
    case 'bool':
      return `${value} ? 1 : 0`;
    default:
      return value;
  }
}

/** Operations whose float result is one of their arguments, or has no digits to lose. */
const exactOps: ReadonlySet<Alu> = new Set(['where', 'max', 'min', 'floor', 'mod', 'random']);

/** Whether a store would round the result of an operation on arguments of `from`. */
export function mustRound(op: Alu, dtype: DType, from: DType): boolean {
  if (kindOf(dtype) !== 'float') return false;
  return op === 'cast' ? kindOf(from) === 'integer' : !exactOps.has(op);
}

export function expression(op: Alu, dtype: DType, args: readonly Argument[]): string {
  const [a, b, c] = args as [Argument, Argument, Argument];
  switch (op) {
    case 'cast':
      return convert(a.text, a.dtype, dtype);
    case 'less':
      return `(${a.text} < ${b.text})`;
    case 'equal':
      return `(${a.text} === ${b.text})`;
    case 'where':
      return `(${a.text} ? ${b.text} : ${c.text})`;
    case 'random':
      return `random(${a.text}, ${b.text}, ${c.text})`;
    default:
  }
  const kind = kindOf(dtype);
  if (kind === 'float') return floatExpression(op, a, b);
  return kind === 'integer' ? integerExpression(op, a, b) : booleanExpression(op, a, b);
}

function floatExpression(op: Alu, a: Argument, b: Argument): string {
  switch (op) {
    case 'add':
      return `(${a.text} + ${b.text})`;
    case 'sub':
      return `(${a.text} - ${b.text})`;
    case 'mul':
      return `(${a.text} * ${b.text})`;
    case 'div':
      return `(${a.text} / ${b.text})`;
    case 'mod':
      return `(${a.text} % ${b.text})`;
    case 'floorDiv':
      return `Math.floor(${a.text} / ${b.text})`;
    case 'floorMod':
      return `floorModulo(${a.text}, ${b.text})`;
    case 'pow':
      return powerExpression(a, b);
    case 'erf':
      return `erf(${a.text})`;
    case 'max':
    case 'min':
      return `Math.${op}(${a.text}, ${b.text})`;
    case 'exp':
    case 'log':
    case 'sqrt':
    case 'sin':
    case 'cos':
    case 'tanh':
    case 'floor':
      return `Math.${op}(${a.text})`;
    default:
      return integerExpression(op, { ...a, text: `toInt32(${a.text})` }, { ...b, text: `toInt32(${b.text})` });
  }
}

/** Small whole exponents are products: the general power is twenty times slower. */
function powerExpression(a: Argument, b: Argument): string {
  switch (b.constant) {
    case 1:
      return a.text;
    case 2:
      return `square(${a.text})`;
    case 3:
      return `cube(${a.text})`;
    case 4:
      return `square(square(${a.text}))`;
    case -1:
      return `(1 / ${a.text})`;
    case -2:
      return `(1 / square(${a.text}))`;
    default:
      return `power(${a.text}, ${b.text})`;
  }
}

function integerExpression(op: Alu, a: Argument, b: Argument): string {
  switch (op) {
    case 'add':
      return `(${a.text} + ${b.text} | 0)`;
    case 'sub':
      return `(${a.text} - ${b.text} | 0)`;
    case 'mul':
      return `Math.imul(${a.text}, ${b.text})`;
    case 'div':
      return positive(b) ? `(${a.text} / ${b.text} | 0)` : `divideInt32(${a.text}, ${b.text})`;
    case 'mod':
      return positive(b) ? `(${a.text} % ${b.text} | 0)` : `remainderInt32(${a.text}, ${b.text})`;
    case 'floorDiv':
      if (powerOfTwo(b)) return `(${a.text} >> ${Math.log2(b.constant!)})`;
      if (positive(b) && a.range[0] >= 0) return `(${a.text} / ${b.text} | 0)`;
      return `floorDivideInt32(${a.text}, ${b.text})`;
    case 'floorMod':
      if (powerOfTwo(b)) return `(${a.text} & ${b.constant! - 1})`;
      if (positive(b) && a.range[0] >= 0) return `(${a.text} % ${b.text} | 0)`;
      return `floorModuloInt32(${a.text}, ${b.text})`;
    case 'pow':
      return `powerInt32(${a.text}, ${b.text})`;
    case 'max':
    case 'min':
      return `Math.${op}(${a.text}, ${b.text})`;
    case 'floor':
      return a.text;
    case 'and':
      return `(${a.text} & ${b.text})`;
    case 'or':
      return `(${a.text} | ${b.text})`;
    case 'xor':
      return `(${a.text} ^ ${b.text})`;
    case 'shl':
      return `(${a.text} << ${b.text})`;
    case 'shr':
      return `(${a.text} >> ${b.text})`;
    default:
      return `toInt32(${floatExpression(op, a, b)})`;
  }
}

/** Truth values as the numbers 0 and 1, whatever is not 0 being 1. */
function booleanExpression(op: Alu, a: Argument, b: Argument): string {
  switch (op) {
    case 'and':
    case 'min':
    case 'mul':
      return `(${a.text} && ${b.text})`;
    case 'or':
    case 'max':
    case 'add':
      return `(${a.text} || ${b.text})`;
    case 'xor':
    case 'sub':
      return `(${a.text} !== ${b.text})`;
    case 'floor':
      return a.text;
    default:
      return `(${integerExpression(op, numeric(a), b && numeric(b))} !== 0)`;
  }
}

function numeric(argument: Argument): Argument {
  return { ...argument, text: `(${argument.text} ? 1 : 0)`, dtype: 'int32', range: [0, 1], constant: undefined };
}

function positive(argument: Argument): boolean {
  return argument.constant !== undefined && argument.constant > 0;
}

function powerOfTwo(argument: Argument): boolean {
  return positive(argument) && Number.isInteger(Math.log2(argument.constant!));
}
