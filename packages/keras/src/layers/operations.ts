/**
 * Operations that Keras records as layers: those of `keras.ops` (module 'keras.src.ops.*') and of TensorFlow (TFOpLambda), where
 * users wrote x + 1 or tf.reduce_mean(x). Only what is listed here is done; nothing of a file is run.
 */
import { concat, type Tensor, tensor } from '@nn/core';
import type { Settings } from '../config/settings.ts';
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
  return undefined;
}

/** Two operands; the second may be a number in `y`, `x2`, `b` or the like. */
function two({ settings, inputs, options }: Given): readonly [Tensor, Tensor | number] {
  const [a, b] = inputs;
  const named = ['y', 'x2', 'b', '1'].map((name) => operand(options[name])).find((found) => found !== undefined);
  const first = ['x', 'x1', 'a', '0'].map((name) => operand(options[name])).find((found) => found !== undefined);
  if (a && b) return [a, b];
  if (a && named !== undefined) return [a, named];
  // a number first: 1 - x
  if (a && typeof first === 'number') return [tensor(first), a];
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

/** By the name in small letters without underscores: `Multiply`, 'math.multiply' and '__operators__.mul' are one. */
const operations: Readonly<Record<string, (given: Given) => Tensor>> = {
  add: binary((a, b) => a.add(b)),
  subtract: binary((a, b) => a.sub(b)),
  sub: binary((a, b) => a.sub(b)),
  multiply: binary((a, b) => a.mul(b)),
  mul: binary((a, b) => a.mul(b)),
  divide: binary((a, b) => a.div(b)),
  truediv: binary((a, b) => a.div(b)),
  truedivide: binary((a, b) => a.div(b)),
  pow: binary((a, b) => a.pow(b)),
  power: binary((a, b) => a.pow(b)),
  maximum: binary((a, b) => a.maximum(b)),
  minimum: binary((a, b) => a.minimum(b)),
  matmul: binary((a, b) => a.matmul(b)),
  negative: unary((x) => x.neg()),
  neg: unary((x) => x.neg()),
  abs: unary((x) => x.abs()),
  absolute: unary((x) => x.abs()),
  exp: unary((x) => x.exp()),
  log: unary((x) => x.log()),
  sqrt: unary((x) => x.sqrt()),
  rsqrt: unary((x) => x.rsqrt()),
  square: unary((x) => x.square()),
  tanh: unary((x) => x.tanh()),
  sigmoid: unary((x) => x.sigmoid()),
  relu: unary((x) => x.relu()),
  relu6: unary((x) => x.clamp(0, 6)),
  silu: unary((x) => x.silu()),
  gelu: unary((x) => x.gelu()),
  softplus: unary((x) => x.softplus()),
  identity: unary((x) => x),
  stopgradient: unary((x) => x.stopGradient()),
  softmax: (given) => unary((x) => x.softmax(axesOf(given).axes?.[0] ?? -1))(given),
  mean: reduction((x, axes, options) => x.mean(axes, options)),
  reducemean: reduction((x, axes, options) => x.mean(axes, options)),
  sum: reduction((x, axes, options) => x.sum(axes, options)),
  reducesum: reduction((x, axes, options) => x.sum(axes, options)),
  max: reduction((x, axes, options) => x.max(axes, options)),
  reducemax: reduction((x, axes, options) => x.max(axes, options)),
  min: reduction((x, axes, options) => x.min(axes, options)),
  reducemin: reduction((x, axes, options) => x.min(axes, options)),
  expanddims: (given) => unary((x) => x.unsqueeze(axesOf(given).axes?.[0] ?? -1))(given),
  squeeze: (given) => unary((x) => x.squeeze(axesOf(given).axes))(given),
  concat: (given) => concat(given.inputs, axesOf(given).axes?.[0] ?? -1),
  concatenate: (given) => concat(given.inputs, axesOf(given).axes?.[0] ?? -1),
};

/** The operation that a name of a class or a function of TensorFlow stands for, undefined where it is none of them. */
function operationOf(name: string): ((given: Given) => Tensor) | undefined {
  const key = (name.split('.').at(-1) ?? name).replaceAll('_', '').toLowerCase();
  return Object.hasOwn(operations, key) ? operations[key] : undefined;
}

function operationBuilder(operation: (given: Given) => Tensor): Builder {
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
  const isTensorFlow = className === 'TFOpLambda';
  if (!isRecorded && !isTensorFlow) return undefined;
  const name = isTensorFlow ? settings.raw('function') : className;
  const operation = typeof name === 'string' ? operationOf(name) : undefined;
  return operation && operationBuilder(operation);
}
