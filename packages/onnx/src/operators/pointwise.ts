/**
 * Operators that treat each element alone: arithmetic with the broadcasting of every version, comparisons, logic, bits,
 * activations, choices. What the host knows stays on the host; everything else is arithmetic on tensors.
 */
import {
  acos,
  acosh,
  isNaN as areNaN,
  asin,
  asinh,
  atan,
  atanh,
  bitwiseNot,
  cosh,
  isInfinite,
  sinh,
  type Tensor,
  where,
} from '@nn/core';
import { celu, elu, gelu, hardSwish, leakyRelu, selu, softsign } from '@nn/layers';
import { type ElementType, isFloat, rangeOf } from '../format/element-types.ts';
import { type Call, device, type Operator } from '../run/call.ts';
import * as host from '../values/host.ts';
import { HostTensor, type TensorValue } from '../values/value.ts';

/** The most elements that are computed on the host: shapes are far smaller, and weights belong on the device. */
const mostOnHost = 4096;

/** The values, where the host knows all of them and they are few. */
export function allKnown(...values: readonly TensorValue[]): readonly HostTensor[] | null {
  const known = values.filter(isKnown);
  return known.length === values.length ? known : null;
}

export function isKnown(value: TensorValue): value is HostTensor {
  return value.kind === 'host' && value.data.length <= mostOnHost;
}

/** A whole result as its type holds it. */
export function fit(type: ElementType, x: Tensor): Tensor {
  const range = rangeOf(type);
  if (range === null || range[1] >= 2147483647) return x;
  if (range[0] === 0) return x.bitwiseAnd(range[1]);
  const bits = 32 - Math.log2(range[1] + 1) - 1;
  return x.shiftLeft(bits).shiftRight(bits);
}

/** An operator of one input. */
function unary(
  f: (x: Tensor, call: Call) => Tensor,
  onHost: ((x: number, call: Call) => number) | null = null,
): Operator {
  return (call) => {
    const x = call.value(0);
    if (onHost !== null && isKnown(x)) return host.map(x, x.type, (value) => onHost(value, call));
    return device(x.type, fit(x.type, f(x.tensor, call)));
  };
}

/** b as it stands beside a: before opset 7 it began at `axis` of a, where `broadcast` said so. */
function aligned(call: Call, b: TensorValue): TensorValue {
  if (call.version >= 7 || !call.flag('broadcast')) return b;
  const rank = call.shape(0).length;
  const axis = call.integer('axis', -1);
  const before = axis < 0 ? (axis === -1 ? rank - b.shape.length : axis + rank) : axis;
  const shape = [...b.shape, ...new Array<number>(Math.max(0, rank - before - b.shape.length)).fill(1)];
  return b.kind === 'host' ? host.reshape(b, shape) : device(b.type, b.tensor.reshape(shape));
}

/** A number in place of a constant of one element, so that no memory is read for it. */
export function operand(x: TensorValue, beside: TensorValue): Tensor | number {
  if (x.kind === 'host' && x.data.length === 1 && x.shape.length <= beside.shape.length && isFloat(x.type)) {
    const value = x.data[0]!;
    return Number.isFinite(value) ? value : x.tensor;
  }
  return x.tensor;
}

interface Binary {
  readonly onDevice: (a: Tensor, b: Tensor | number, call: Call) => Tensor;
  readonly onHost: (a: number, b: number, call: Call) => number;
  /** Of results that are not of the type of the first input. */
  readonly result?: ElementType;
  readonly commutes?: boolean;
}

function binary({ onDevice, onHost, result, commutes = false }: Binary): Operator {
  return (call) => {
    const a = call.value(0);
    const b = aligned(call, call.value(1));
    const type = result ?? a.type;
    const shape = host.broadcast(a.shape, b.shape);
    if (shape === null) {
      throw call.shapeError(
        `the inputs are [${a.shape.join(', ')}] and [${b.shape.join(', ')}], which do not fit together.`,
      );
    }
    if (isKnown(a) && isKnown(b)) return host.combine(a, b, shape, type, (x, y) => onHost(x, y, call));
    const value =
      commutes && a.kind === 'host' && b.kind === 'device'
        ? onDevice(b.tensor, operand(a, b), call)
        : onDevice(a.tensor, operand(b, a), call);
    return device(type, result === undefined ? fit(type, value) : value);
  };
}

const isWhole = (call: Call): boolean => !isFloat(call.type(0));

/** Towards zero, as C divides whole numbers. */
function quotient(a: Tensor, b: Tensor | number): Tensor {
  const q = a.floorDiv(b);
  const isOff = a.sub(q.mul(b)).notEqual(0).logicalAnd(q.less(0));
  return where(isOff, q.add(1), q);
}

function power(a: Tensor, b: Tensor | number, call: Call): Tensor {
  if (!isWhole(call)) return a.pow(typeof b === 'number' || b.dtype === 'float32' ? b : b.cast('float32'));
  const exponent = typeof b === 'number' ? b : b.cast('float32');
  return a.cast('float32').pow(exponent).round().cast('int32');
}

/** Several inputs as one, two at a time. */
function folded(
  join: (a: Tensor, b: Tensor) => Tensor,
  onHost: (a: number, b: number) => number,
  divides = false,
): Operator {
  return (call) => {
    const values = call.inputs.map((_, k) => call.value(k));
    const type = call.type(0);
    const known = divides ? null : allKnown(...values);
    if (known !== null) {
      return known.reduce((a, b) => {
        return host.combine(a, b, host.broadcast(a.shape, b.shape) ?? [], type, onHost);
      });
    }
    const total = values.map(({ tensor }) => tensor).reduce(join);
    return device(type, divides ? total.div(values.length) : fit(type, total));
  };
}

const asBool = (x: Tensor): Tensor => (x.dtype === 'bool' ? x : x.notEqual(0));
const one = (condition: boolean): number => (condition ? 1 : 0);

/** Ties go to the even neighbour. */
function roundEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}

function clip(call: Call): ReturnType<Operator> {
  const x = call.value(0);
  const limit = (name: string, position: number): Tensor | number | null => {
    if (call.has(position)) return operand(call.value(position), x);
    return call.attribute(name) === undefined ? null : call.float(name, 0);
  };
  const low = limit('min', 1);
  const high = limit('max', 2);
  let result = x.tensor;
  if (low !== null) result = result.maximum(low);
  if (high !== null) result = result.minimum(high);
  const ends = [1, 2].map((position) => {
    const value = call.has(position) ? call.value(position) : null;
    return value?.kind === 'host' ? value.data[0] : undefined;
  });
  const [least, most] = [typeof low === 'number' ? low : ends[0], typeof high === 'number' ? high : ends[1]];
  return device(x.type, result, { bounds: least === undefined || most === undefined ? null : [least, most] });
}

/** The slope of each channel lies along axis 1; since opset 7 it is spread like any other input. */
function prelu(call: Call): ReturnType<Operator> {
  const x = call.tensor(0);
  let slope = call.tensor(1);
  const isOfChannels = slope.rank === 1 && x.rank > 1 && slope.size === x.shape[1];
  if (isOfChannels && (call.version < 7 || host.broadcast(x.shape, slope.shape) === null)) {
    slope = slope.reshape([slope.size, ...new Array<number>(x.rank - 2).fill(1)]);
  }
  return device(call.type(0), where(x.less(0), x.mul(slope), x));
}

function choose(call: Call): ReturnType<Operator> {
  const [condition, a, b] = [call.value(0), call.value(1), call.value(2)];
  const known = allKnown(condition, a, b);
  if (known !== null) {
    const shape = host.broadcast(host.broadcast(condition.shape, a.shape) ?? [], b.shape) ?? [];
    const [which, x, y] = known.map((value) => host.expand(value, shape));
    const data = x!.data.slice();
    for (let i = 0; i < data.length; i++) if (which!.data[i] === 0) data[i] = y!.data[i]!;
    return new HostTensor(a.type, shape, data);
  }
  return device(a.type, where(asBool(condition.tensor), a.tensor, b.tensor));
}

function shift(call: Call): ReturnType<Operator> {
  const isLeft = call.text('direction', '') === 'LEFT';
  return binary({
    onDevice: (a, b) => (isLeft ? a.shiftLeft(b) : a.shiftRight(b)),
    onHost: (a, b) => (isLeft ? a * 2 ** b : Math.floor(a / 2 ** b)),
  })(call);
}

const comparison = (
  onDevice: (a: Tensor, b: Tensor | number) => Tensor,
  onHost: (a: number, b: number) => boolean,
): Operator => binary({ onDevice, onHost: (a, b) => one(onHost(a, b)), result: 'bool' });

const logic = (onDevice: (a: Tensor, b: Tensor) => Tensor, onHost: (a: boolean, b: boolean) => boolean): Operator =>
  binary({
    onDevice: (a, b) => onDevice(asBool(a), typeof b === 'number' ? asBool(a).equal(b) : asBool(b)),
    onHost: (a, b) => one(onHost(a !== 0, b !== 0)),
    result: 'bool',
  });

const bits = (
  onDevice: (a: Tensor, b: Tensor | number) => Tensor,
  onHost: (a: bigint, b: bigint) => bigint,
): Operator =>
  binary({ onDevice, onHost: (a, b) => Number(BigInt.asIntN(64, onHost(BigInt(a), BigInt(b)))), commutes: true });

const extremes = {
  max: (a: number, b: number): number => Math.max(a, b),
  min: (a: number, b: number): number => Math.min(a, b),
};

/** max(0, min(1, alpha x + beta)) */
const hardSigmoid = (x: Tensor, call: Call): Tensor =>
  x.mul(call.float('alpha', 0.2)).add(call.float('beta', 0.5)).clamp(0, 1);

/** x + bias or x - bias outside of [-lambda, lambda], and 0 inside. */
function shrink(x: Tensor, call: Call): Tensor {
  const lambda = call.float('lambd', 0.5);
  const bias = call.float('bias', 0);
  return where(x.less(-lambda), x.add(bias), where(x.greater(lambda), x.sub(bias), 0));
}

function infinite(call: Call): ReturnType<Operator> {
  const x = call.tensor(0);
  const negative = call.flag('detect_negative', true);
  const positive = call.flag('detect_positive', true);
  if (negative && positive) return device('bool', isInfinite(x));
  if (!negative && !positive) return device('bool', isInfinite(x).logicalAnd(false));
  return device('bool', isInfinite(x).logicalAnd(negative ? x.less(0) : x.greater(0)));
}

export const pointwise: Readonly<Record<string, Operator>> = {
  Add: binary({ onDevice: (a, b) => a.add(b), onHost: (a, b) => a + b, commutes: true }),
  Sub: binary({ onDevice: (a, b) => a.sub(b), onHost: (a, b) => a - b }),
  Mul: binary({ onDevice: (a, b) => a.mul(b), onHost: (a, b) => a * b, commutes: true }),
  Div: binary({
    onDevice: (a, b, call) => (isWhole(call) ? quotient(a, b) : a.div(b)),
    onHost: (a, b, call) => (isWhole(call) ? Math.trunc(a / b) : a / b),
  }),
  Mod: binary({
    onDevice: (a, b, call) => (call.flag('fmod') ? a.mod(b) : a.floorMod(b)),
    onHost: (a, b, call) => (call.flag('fmod') ? a % b : a - Math.floor(a / b) * b),
  }),
  Pow: binary({
    onDevice: power,
    onHost: (a, b, call) => (isWhole(call) ? Math.trunc(a ** b) : a ** b),
  }),
  Max: folded((a, b) => a.maximum(b), extremes.max),
  Min: folded((a, b) => a.minimum(b), extremes.min),
  Sum: folded(
    (a, b) => a.add(b),
    (a, b) => a + b,
  ),
  Mean: folded(
    (a, b) => a.add(b),
    (a, b) => a + b,
    true,
  ),

  Equal: comparison(
    (a, b) => a.equal(b),
    (a, b) => a === b,
  ),
  Less: comparison(
    (a, b) => a.less(b),
    (a, b) => a < b,
  ),
  LessOrEqual: comparison(
    (a, b) => a.lessEqual(b),
    (a, b) => a <= b,
  ),
  Greater: comparison(
    (a, b) => a.greater(b),
    (a, b) => a > b,
  ),
  GreaterOrEqual: comparison(
    (a, b) => a.greaterEqual(b),
    (a, b) => a >= b,
  ),
  And: logic(
    (a, b) => a.logicalAnd(b),
    (a, b) => a && b,
  ),
  Or: logic(
    (a, b) => a.logicalOr(b),
    (a, b) => a || b,
  ),
  Xor: logic(
    (a, b) => a.notEqual(b),
    (a, b) => a !== b,
  ),
  Not: unary(
    (x) => asBool(x).logicalNot(),
    (x) => one(x === 0),
  ),
  BitwiseAnd: bits(
    (a, b) => a.bitwiseAnd(b),
    (a, b) => a & b,
  ),
  BitwiseOr: bits(
    (a, b) => a.bitwiseOr(b),
    (a, b) => a | b,
  ),
  BitwiseXor: bits(
    (a, b) => a.bitwiseXor(b),
    (a, b) => a ^ b,
  ),
  BitwiseNot: unary((x) => bitwiseNot(x)),
  BitShift: shift,
  Where: choose,
  Clip: clip,

  Abs: unary((x) => x.abs(), Math.abs),
  Neg: unary(
    (x) => x.neg(),
    (x) => -x,
  ),
  Sign: unary((x) => x.sign(), Math.sign),
  Floor: unary((x) => x.floor(), Math.floor),
  Ceil: unary((x) => x.ceil(), Math.ceil),
  Round: unary((x) => x.round(), roundEven),
  Reciprocal: unary(
    (x) => x.reciprocal(),
    (x) => 1 / x,
  ),
  Sqrt: unary((x) => x.sqrt(), Math.sqrt),
  Exp: unary((x) => x.exp(), Math.exp),
  Log: unary((x) => x.log(), Math.log),
  Erf: unary((x) => x.erf()),
  Sin: unary((x) => x.sin(), Math.sin),
  Cos: unary((x) => x.cos(), Math.cos),
  Tan: unary((x) => x.tan(), Math.tan),
  Asin: unary((x) => asin(x)),
  Acos: unary((x) => acos(x)),
  Atan: unary((x) => atan(x)),
  Sinh: unary((x) => sinh(x)),
  Cosh: unary((x) => cosh(x)),
  Tanh: unary((x) => x.tanh()),
  Asinh: unary((x) => asinh(x)),
  Acosh: unary((x) => acosh(x)),
  Atanh: unary((x) => atanh(x)),
  IsNaN: (call) => device('bool', areNaN(call.tensor(0))),
  IsInf: infinite,

  Relu: unary((x) => (x.dtype === 'float32' ? x.relu() : x.maximum(0))),
  Sigmoid: unary((x) => x.sigmoid()),
  Softplus: unary((x) => x.softplus()),
  Softsign: unary((x) => softsign(x)),
  Elu: unary((x, call) => elu(x, { alpha: call.float('alpha', 1) })),
  Celu: unary((x, call) => celu(x, { alpha: call.float('alpha', 1) })),
  Selu: unary((x, call) => {
    // the numbers that files leave out are those of the paper, as in `selu`
    if (call.attribute('alpha') === undefined && call.attribute('gamma') === undefined) return selu(x);
    return elu(x, { alpha: call.float('alpha', 1.6732632) }).mul(call.float('gamma', 1.0507009));
  }),
  LeakyRelu: unary((x, call) => leakyRelu(x, { slope: call.float('alpha', 0.01) })),
  PRelu: prelu,
  ThresholdedRelu: unary((x, call) => where(x.greater(call.float('alpha', 1)), x, 0)),
  HardSigmoid: unary(hardSigmoid),
  HardSwish: unary((x) => hardSwish(x)),
  Gelu: unary((x, call) => gelu(x, { approximate: call.text('approximate', 'none') === 'tanh' ? 'tanh' : 'none' })),
  Mish: unary((x) => x.mish()),
  Swish: unary((x, call) => x.mul(x.mul(call.float('alpha', 1)).sigmoid())),
  Shrink: unary(shrink),
};
