/**
 * Operations that Keras records as layers: those of `keras.ops` (module 'keras.src.ops.*') and of TensorFlow (TFOpLambda), where
 * users wrote x + 1 or tf.reduce_mean(x). Only what is listed here is done; nothing of a file is run.
 */
import { concat, type DType, einsum, stack, type Tensor, tensor, where } from '@nn/core';
import { gelu } from '@nn/layers';
import { isList, isObject, type Json } from '../config/json.ts';
import type { Settings } from '../config/settings.ts';
import { isConstant, isSlice } from '../config/topology.ts';
import { asValue, logical, type Value } from '../value.ts';
import { type Argument, type Builder, type CallOptions, isValue } from './layer.ts';

/** What an operation is given: inputs and arguments in their order, and by name. */
interface Given {
  readonly settings: Settings;
  readonly inputs: readonly Tensor[];
  readonly options: CallOptions;
}

function operand(argument: Argument): Tensor | number | undefined {
  if (typeof argument === 'number') return argument;
  if (isValue(argument)) return logical(argument);
  if (isConstant(argument)) return constant(argument.values);
  return isArguments(argument) && argument.every((value) => typeof value === 'number') ? tensor(argument) : undefined;
}

/** A number, or numbers in lists of equal lengths; undefined for all else. */
function constant(values: Json): Tensor | undefined {
  const shape: number[] = [];
  for (let at: Json | undefined = values; isList(at); at = at[0]) shape.push(at.length);
  const numbers: number[] = [];
  const collect = (value: Json, depth: number): boolean => {
    if (isList(value)) return value.length === shape[depth] && value.every((item) => collect(item, depth + 1));
    if (typeof value !== 'number' || depth !== shape.length) return false;
    numbers.push(value);
    return true;
  };
  return collect(values, 0) ? tensor(numbers, { shape }) : undefined;
}

const isArguments = (argument: Argument): argument is readonly Argument[] => Array.isArray(argument);

/** Two operands; the second may be a number in `y`, `x2`, `b` or the like. */
function two({ settings, inputs, options }: Given): readonly [Tensor, Tensor | number] {
  const [a, b] = inputs;
  const named = ['y', 'x2', 'b', '1'].map((name) => operand(options[name])).find((found) => found !== undefined);
  const first = ['x', 'x1', 'a', '0'].map((name) => operand(options[name])).find((found) => found !== undefined);
  if (a && b) return [a, b];
  if (a && named !== undefined) return [a, named];
  // a number first: 1 - x
  if (a && first !== undefined) return [typeof first === 'number' ? tensor(first) : first, a];
  return settings.fail('takes two operands, tensors or numbers.');
}

function axesOf({ settings, options }: Given): {
  readonly axes: readonly number[] | undefined;
  readonly keepAxes: boolean;
} {
  const at = options.axis ?? settings.raw('axis');
  const keep = (options.keepdims ?? settings.raw('keepdims')) === true;
  if (at === undefined || at === null) return { axes: undefined, keepAxes: keep };
  const list = Array.isArray(at) ? at : [at];
  if (!list.every((axis) => Number.isInteger(axis))) return settings.fail('the axis is no whole number.');
  return { axes: list.map(Number), keepAxes: keep };
}

const unary =
  (apply: (x: Tensor) => Tensor) =>
  (given: Given): Tensor => {
    const [x] = given.inputs;
    return x ? apply(x) : given.settings.fail('takes a tensor.');
  };
const binary =
  (apply: (a: Tensor, b: Tensor | number) => Tensor) =>
  (given: Given): Tensor =>
    apply(...two(given));
const reduction =
  (apply: (x: Tensor, axes: readonly number[] | undefined, options: { readonly keepAxes: boolean }) => Tensor) =>
  (given: Given): Tensor => {
    const { axes, keepAxes } = axesOf(given);
    return unary((x) => apply(x, axes, { keepAxes }))(given);
  };

/** A setting of the operation itself, of its call by name, or of its call by place. */
function settingOf({ settings, options }: Given, name: string, place: number): Argument {
  return options[name] ?? options[String(place)] ?? argumentOf(settings.raw(name));
}

function argumentOf(value: Json | undefined): Argument {
  if (isList(value)) return value.map(argumentOf);
  return isObject(value) ? undefined : value;
}

const axisOf = (given: Given, fallback: number): number => axesOf(given).axes?.[0] ?? fallback;

/** The tensors of a list, or several one by one. */
const severalOf = ({ inputs, settings }: Given): readonly Tensor[] =>
  inputs.length > 0 ? inputs : settings.fail('takes tensors.');

const dtypes: Readonly<Record<string, DType>> = {
  ...{ bool: 'bool', int32: 'int32', int64: 'int32', float32: 'float32', float16: 'float32', bfloat16: 'float32' },
};

function cast(given: Given): Tensor {
  const found = settingOf(given, 'dtype', 1);
  const dtype = typeof found === 'string' && Object.hasOwn(dtypes, found) ? dtypes[found] : undefined;
  return dtype ? unary((x) => x.cast(dtype))(given) : given.settings.fail('casts to a type that is not known here.');
}

/** Another shape, of which one size may be -1. */
function reshape(given: Given): Tensor {
  const { settings } = given;
  const found = settingOf(given, 'newshape', 1) ?? settingOf(given, 'shape', 1);
  if (!isArguments(found)) return settings.fail('has no list of sizes.');
  const sizes = found.map(Number);
  return unary((x) => {
    const known = sizes.reduce((product, size) => product * (size === -1 ? 1 : size), 1);
    const shape = sizes.map((size) => (size === -1 ? x.size / Math.max(1, known) : size));
    const fits = shape.every(Number.isInteger) && shape.reduce((product, size) => product * size, 1) === x.size;
    return fits ? x.reshape(shape) : settings.fail(`[${x.shape.join(', ')}] cannot become [${sizes.join(', ')}].`);
  })(given);
}

function transpose(given: Given): Tensor {
  const order = settingOf(given, 'axes', 1) ?? settingOf(given, 'perm', 1);
  return unary((x) => x.permute(isArguments(order) ? order.map(Number) : x.shape.map((_, k) => x.rank - 1 - k)))(given);
}

/** x[...]: whole numbers take one place of an axis, slices a part of it; what is not named stays. */
function partOf(given: Given): Tensor {
  const { settings, options } = given;
  const spec = options.slice_spec ?? options.key ?? options['1'] ?? [];
  return unary((x) => {
    let result = x;
    let axis = 0;
    /** Axis `axis` from `start` up to `stop` in steps. */
    const cut = (start: number, stop: number, step = 1): Tensor =>
      result.slice(
        result.shape.map((_, k) => (k === axis ? start : 0)),
        result.shape.map((size, k) => (k === axis ? stop : size)),
        result.shape.map((_, k) => (k === axis ? step : 1)),
      );
    for (const part of isArguments(spec) ? spec : [spec]) {
      const size = result.shape[axis];
      if (size === undefined) return settings.fail(`names more axes than [${x.shape.join(', ')}] has.`);
      if (typeof part === 'number' && Number.isInteger(part)) {
        const at = part < 0 ? part + size : part;
        if (!(at >= 0 && at < size)) return settings.fail(`takes place ${part} of an axis of ${size}.`);
        result = cut(at, at + 1).squeeze(axis);
      } else if (isSlice(part)) {
        const step = part.step ?? 1;
        if (step < 1) return settings.fail(`goes backwards (step ${step}), which is not read.`);
        const place = (at: number): number => Math.min(size, Math.max(0, at < 0 ? at + size : at));
        const start = place(part.start ?? 0);
        result = cut(start, Math.max(start, part.stop === null ? size : place(part.stop)), step);
        axis++;
      } else return settings.fail('takes a part that is not read; whole numbers and slices are.');
    }
    return result;
  })(given);
}

function choice(given: Given): Tensor {
  const left = [...given.inputs];
  const [condition, a, b] = ['0', '1', '2'].map((place) => operand(given.options[place]) ?? left.shift());
  if (typeof condition !== 'object' || a === undefined || b === undefined)
    return given.settings.fail('takes a condition and two values.');
  return where(condition, a, b);
}

/** Keras 3 takes tanh's form where nothing is said, TensorFlow the exact one. */
function geluOf(given: Given): Tensor {
  const isClose = settingOf(given, 'approximate', 1) ?? given.settings.generation === 3;
  return unary((x) => gelu(x, { approximate: isClose === true ? 'tanh' : 'none' }))(given);
}

function einsumOf(given: Given): Tensor {
  const equation = settingOf(given, 'subscripts', 0);
  return typeof equation === 'string' ? einsum(equation, ...severalOf(given)) : given.settings.fail('has no equation.');
}

function clip(given: Given): Tensor {
  const [least, most] = [settingOf(given, 'x_min', 1), settingOf(given, 'x_max', 2)];
  if (typeof least !== 'number' || typeof most !== 'number') return given.settings.fail('clips between two numbers.');
  return unary((x) => x.clamp(least, most))(given);
}

type Operation = (given: Given) => Tensor;

/** One operation under the names that Keras, tf.math and Python's operators have for it. */
const named = (names: readonly string[], operation: Operation): Record<string, Operation> =>
  Object.fromEntries(names.map((name) => [name, operation]));

/** By the name in small letters without underscores: `Multiply`, 'math.multiply' and '__operators__.mul' are one. */
const operations: Readonly<Record<string, Operation>> = {
  add: binary((a, b) => a.add(b)),
  ...named(
    ['subtract', 'sub'],
    binary((a, b) => a.sub(b)),
  ),
  ...named(
    ['multiply', 'mul'],
    binary((a, b) => a.mul(b)),
  ),
  ...named(
    ['divide', 'truediv', 'truedivide'],
    binary((a, b) => a.div(b)),
  ),
  ...named(
    ['power', 'pow'],
    binary((a, b) => a.pow(b)),
  ),
  maximum: binary((a, b) => a.maximum(b)),
  minimum: binary((a, b) => a.minimum(b)),
  matmul: binary((a, b) => a.matmul(b)),
  equal: binary((a, b) => a.equal(b)),
  notequal: binary((a, b) => a.notEqual(b)),
  greater: binary((a, b) => a.greater(b)),
  greaterequal: binary((a, b) => a.greaterEqual(b)),
  less: binary((a, b) => a.less(b)),
  lessequal: binary((a, b) => a.lessEqual(b)),
  logicaland: binary((a, b) => a.logicalAnd(b)),
  logicalor: binary((a, b) => a.logicalOr(b)),
  logicalnot: unary((x) => x.logicalNot()),
  ...named(
    ['negative', 'neg'],
    unary((x) => x.neg()),
  ),
  ...named(
    ['abs', 'absolute'],
    unary((x) => x.abs()),
  ),
  exp: unary((x) => x.exp()),
  log: unary((x) => x.log()),
  sin: unary((x) => x.sin()),
  cos: unary((x) => x.cos()),
  floor: unary((x) => x.floor()),
  sign: unary((x) => x.sign()),
  sqrt: unary((x) => x.sqrt()),
  rsqrt: unary((x) => x.rsqrt()),
  square: unary((x) => x.square()),
  tanh: unary((x) => x.tanh()),
  sigmoid: unary((x) => x.sigmoid()),
  relu: unary((x) => x.relu()),
  relu6: unary((x) => x.clamp(0, 6)),
  silu: unary((x) => x.silu()),
  gelu: geluOf,
  softplus: unary((x) => x.softplus()),
  identity: unary((x) => x),
  stopgradient: unary((x) => x.stopGradient()),
  softmax: (given) => unary((x) => x.softmax(axisOf(given, -1)))(given),
  clip,
  clipbyvalue: clip,
  cast,
  ...named(
    ['mean', 'reducemean'],
    reduction((x, axes, options) => x.mean(axes, options)),
  ),
  ...named(
    ['sum', 'reducesum'],
    reduction((x, axes, options) => x.sum(axes, options)),
  ),
  ...named(
    ['max', 'reducemax', 'amax'],
    reduction((x, axes, options) => x.max(axes, options)),
  ),
  ...named(
    ['min', 'reducemin', 'amin'],
    reduction((x, axes, options) => x.min(axes, options)),
  ),
  ...named(
    ['any', 'reduceany'],
    reduction((x, axes, options) => x.any(axes, options)),
  ),
  ...named(
    ['all', 'reduceall'],
    reduction((x, axes, options) => x.all(axes, options)),
  ),
  expanddims: (given) => unary((x) => x.unsqueeze(axisOf(given, -1)))(given),
  squeeze: (given) => unary((x) => x.squeeze(axesOf(given).axes))(given),
  ...named(['concat', 'concatenate'], (given) => concat(severalOf(given), axisOf(given, 0))),
  stack: (given) => stack(severalOf(given), axisOf(given, 0)),
  reshape,
  transpose,
  einsum: einsumOf,
  where: choice,
  getitem: partOf,
};

/** The operation that a name of a class or a function of TensorFlow stands for, undefined where it is none of them. */
function operationOf(name: string): Operation | undefined {
  const key = (name.split('.').at(-1) ?? name).replaceAll('_', '').toLowerCase();
  return Object.hasOwn(operations, key) ? operations[key] : undefined;
}

function operationBuilder(operation: Operation): Builder {
  return (settings) => ({
    module: null,
    variables: [],
    call: (inputs: readonly Value[], options) => asValue(operation({ settings, inputs: inputs.map(logical), options })),
  });
}

/** The builder of a recorded operation: `module` is where Keras 3 says that its class is. */
export function operationBuilderOf(
  className: string,
  module: string | undefined,
  settings: Settings,
): Builder | undefined {
  const isRecorded = module?.includes('.ops') === true;
  const isTensorFlow = className === 'TFOpLambda' || className === 'SlicingOpLambda';
  if (!isRecorded && !isTensorFlow) return undefined;
  const name = isTensorFlow ? settings.raw('function') : className;
  const operation = typeof name === 'string' ? operationOf(name) : undefined;
  return operation && operationBuilder(operation);
}
