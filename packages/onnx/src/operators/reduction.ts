/** Operators that make one element of many: sums, extremes, norms, places of extremes, running sums, order. */
import { cumprod, type Tensor, tensor, zeros } from '@nn/core';
import type { ElementType } from '../format/element-types.ts';
import { isFloat } from '../format/element-types.ts';
import { type Call, device, type Operator, type Result, type Steps } from '../run/call.ts';
import * as host from '../values/host.ts';
import { hostTensor, sizeOf } from '../values/value.ts';
import { narrow } from './movement.ts';
import { isKnown } from './pointwise.ts';

interface Reduction {
  readonly onDevice: (x: Tensor, axes: number[], keepAxes: boolean, type: ElementType) => Tensor;
  /** What a reduction of nothing gives. */
  readonly empty: number;
  readonly onHost?: (total: number, value: number) => number;
}

function reducing({ onDevice, empty, onHost }: Reduction): Operator {
  return function* (call: Call): Steps<Result> {
    const x = call.value(0);
    const rank = x.shape.length;
    const asked = yield* call.list('axes', 1);
    const keepAxes = call.flag('keepdims', true);
    if ((asked === null || asked.length === 0) && call.flag('noop_with_empty_axes')) return x;
    const axes = asked === null || asked.length === 0 ? x.shape.map((_, axis) => axis) : call.axes(asked, rank);
    if (onHost !== undefined && isKnown(x)) return host.reduce(x, axes, keepAxes, empty, onHost);
    if (axes.length === 0) return device(x.type, onDevice(x.tensor.unsqueeze(0), [0], false, x.type));
    const shape = x.shape.flatMap((size, axis) => (axes.includes(axis) ? (keepAxes ? [1] : []) : [size]));
    if (axes.some((axis) => x.shape[axis] === 0) || sizeOf(x.shape) === 0) {
      return hostTensor(x.type, shape, new Float64Array(call.count(sizeOf(shape))).fill(empty));
    }
    return device(x.type, onDevice(x.tensor, axes, keepAxes, x.type));
  };
}

const limits = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** Bool tensors have extremes, too. */
const counted = (x: Tensor): Tensor => (x.dtype === 'bool' ? x.cast('int32') : x);
const real = (x: Tensor): Tensor => x.cast('float32');

function extreme(isMax: boolean): Operator {
  return (call) => {
    const x = counted(call.tensor(0));
    const axis = call.axis(call.integer('axis', 0), x.rank);
    const keepAxes = call.flag('keepdims', true);
    const pick = (value: Tensor): Tensor =>
      isMax ? value.argMax(axis, { keepAxes }) : value.argMin(axis, { keepAxes });
    if (!call.flag('select_last_index')) return device('int64', pick(x));
    return device(
      'int64',
      pick(x.flip(axis))
        .neg()
        .add(x.shape[axis]! - 1),
    );
  };
}

function* running(call: Call, run: (x: Tensor, axis: number) => Tensor, neutral: number): Steps<Result> {
  const x = call.value(0);
  const [asked = 0] = yield* call.hostList(1);
  const axis = call.axis(asked, x.shape.length);
  const isReverse = call.flag('reverse');
  let t = isReverse ? x.tensor.flip(axis) : x.tensor;
  if (call.flag('exclusive')) {
    const before = narrow(t, axis, 0, t.shape[axis]! - 1);
    t = before.pad(
      t.shape.map((_, k): [number, number] => (k === axis ? [1, 0] : [0, 0])),
      neutral,
    );
  }
  const result = run(t, axis);
  return device(x.type, isReverse ? result.flip(axis) : result);
}

function* topK(call: Call): Steps<Result> {
  const x = call.value(0);
  const k = call.has(1) ? ((yield* call.hostList(1))[0] ?? 0) : call.integer('k', 1);
  const axis = call.axis(call.integer('axis', -1), x.shape.length);
  if (k > x.shape[axis]!) throw call.shapeError(`the ${k} largest of ${x.shape[axis]} elements are asked for.`);
  if (k === 0) {
    const nothing = narrow(x.tensor, axis, 0, 0);
    return [device(x.type, nothing), device('int64', zeros(nothing.shape, { dtype: 'int32' }))];
  }
  const { values, indices } = x.tensor.topK(k, axis, { largest: call.flag('largest', true) });
  return [device(x.type, values), device('int64', indices)];
}

/** 1 at the first largest element of each row, 0 elsewhere. */
function hardmax(call: Call): Result {
  const x = call.tensor(0);
  const isOld = call.version < 13;
  const axis = call.axis(call.integer('axis', isOld ? 1 : -1), x.rank);
  const rows = isOld ? flattened(x, axis) : x;
  const along = isOld ? 1 : axis;
  const largest = rows.argMax(along, { keepAxes: true });
  const place = tensor(Int32Array.from({ length: rows.shape[along]! }, (_, k) => k)).reshape(
    rows.shape.map((size, k) => (k === along ? size : 1)),
  );
  return device(call.type(0), largest.equal(place).cast('float32').reshape(x.shape));
}

/** Before opset 13 rows were everything from an axis on. */
function flattened(x: Tensor, axis: number): Tensor {
  return x.reshape([sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
}

function softmaxOf(f: (x: Tensor, axis: number) => Tensor): Operator {
  return (call) => {
    const x = call.tensor(0);
    const isOld = call.version < 13;
    const axis = call.axis(call.integer('axis', isOld ? 1 : -1), x.rank);
    if (!isOld || axis === x.rank - 1) return device(call.type(0), f(x, axis));
    return device(call.type(0), f(flattened(x, axis), 1).reshape(x.shape));
  };
}

/** Sums of whole numbers stay whole. */
const meanOf = (x: Tensor, axes: number[], keepAxes: boolean, type: ElementType): Tensor => {
  if (isFloat(type)) return x.mean(axes, { keepAxes });
  const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
  return x.sum(axes, { keepAxes }).cast('float32').div(count);
};

export const reduction: Readonly<Record<string, Operator>> = {
  ReduceSum: reducing({
    onDevice: (x, axes, keepAxes) => x.sum(axes, { keepAxes }),
    empty: 0,
    onHost: (a, b) => a + b,
  }),
  ReduceMean: reducing({ onDevice: meanOf, empty: Number.NaN }),
  ReduceMax: reducing({
    onDevice: (x, axes, keepAxes) => counted(x).max(axes, { keepAxes }),
    empty: limits.low,
    onHost: Math.max,
  }),
  ReduceMin: reducing({
    onDevice: (x, axes, keepAxes) => counted(x).min(axes, { keepAxes }),
    empty: limits.high,
    onHost: Math.min,
  }),
  ReduceProd: reducing({
    onDevice: (x, axes, keepAxes) => x.prod(axes, { keepAxes }),
    empty: 1,
    onHost: (a, b) => a * b,
  }),
  ReduceL1: reducing({ onDevice: (x, axes, keepAxes) => x.abs().sum(axes, { keepAxes }), empty: 0 }),
  ReduceL2: reducing({
    onDevice: (x, axes, keepAxes) => real(x).square().sum(axes, { keepAxes }).sqrt(),
    empty: 0,
  }),
  ReduceSumSquare: reducing({ onDevice: (x, axes, keepAxes) => x.mul(x).sum(axes, { keepAxes }), empty: 0 }),
  ReduceLogSum: reducing({
    onDevice: (x, axes, keepAxes) => real(x).sum(axes, { keepAxes }).log(),
    empty: limits.low,
  }),
  ReduceLogSumExp: reducing({
    onDevice: (x, axes, keepAxes) => real(x).logSumExp(axes, { keepAxes }),
    empty: limits.low,
  }),
  ArgMax: extreme(true),
  ArgMin: extreme(false),
  CumSum: (call) => running(call, (x, axis) => x.cumsum(axis), 0),
  CumProd: (call) => running(call, (x, axis) => cumprod(x, axis), 1),
  TopK: topK,
  Hardmax: hardmax,
  Softmax: softmaxOf((x, axis) => x.softmax(axis)),
  LogSoftmax: softmaxOf((x, axis) => x.logSoftmax(axis)),
};
