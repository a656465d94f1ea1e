/**
 * Operators that move elements or say where they are: shapes, slices, joins, gathers and scatters, casts. Most of what graphs
 * do with shapes is here, and stays on the host where its inputs are there.
 */
import {
  arange,
  circularPad,
  concat,
  type Reduction,
  reflectionPad,
  replicationPad,
  scatter,
  scatterReduce,
  showShape,
  type Tensor,
  tensor,
  tile,
  tril,
  triu,
  where,
  zeros,
} from '@nn/core';
import { bytesOf } from '../format/bytes.ts';
import { bitsOf, codeOf, dtypeOf, type ElementType, isFloat } from '../format/element-types.ts';
import { decodeTensor } from '../format/tensors.ts';
import { type Call, device, isHost, type Operator, type Result, type Steps } from '../run/call.ts';
import { castHost, castNumber, isHostOnly } from '../values/cast.ts';
import * as host from '../values/host.ts';
import {
  allocate,
  HostTensor,
  hostTensor,
  integers,
  type MaybeValue,
  sizeOf,
  type TensorValue,
  TextTensor,
  type Value,
} from '../values/value.ts';
import { allKnown, fit, isKnown } from './pointwise.ts';

/** x with another shape, wherever it is. */
export function reshaped(x: TensorValue, shape: readonly number[]): TensorValue {
  if (x.kind === 'host') return host.reshape(x, shape);
  return device(x.type, x.tensor.reshape(shape), { whole: x.whole?.reshape(shape) ?? null });
}

function* reshape(call: Call): Steps<Result> {
  const x = call.any(0);
  const asked = (yield* call.list('shape', 1)) ?? [];
  const keepsZeros = call.flag('allowzero');
  const shape = asked.map((size, axis) =>
    size === 0 && !keepsZeros ? (x.kind === 'sequence' ? 0 : (x.shape[axis] ?? 0)) : size,
  );
  const open = shape.indexOf(-1);
  const size = x.kind === 'sequence' ? 0 : sizeOf(x.shape);
  if (open >= 0) {
    const rest = sizeOf(shape.filter((_, axis) => axis !== open));
    shape[open] = rest === 0 ? 0 : size / rest;
  }
  if (sizeOf(shape) !== size || !shape.every(Number.isInteger)) {
    throw call.shapeError(`the input has ${size} elements, which ${showShape(asked)} does not hold.`);
  }
  if (x.kind === 'text') return new TextTensor(shape, x.data);
  return reshaped(call.value(0), shape);
}

function* squeeze(call: Call): Steps<Result> {
  const x = call.value(0);
  const asked = yield* call.list('axes', 1);
  const rank = x.shape.length;
  const axes =
    asked === null || (asked.length === 0 && call.version < 13)
      ? x.shape.flatMap((size, axis) => (size === 1 ? [axis] : []))
      : call.axes(asked, rank);
  const wide = axes.find((axis) => x.shape[axis] !== 1);
  if (wide !== undefined)
    throw call.shapeError(`axis ${wide} of ${showShape(x.shape)} has ${x.shape[wide]} elements, not 1.`);
  return reshaped(
    x,
    x.shape.filter((_, axis) => !axes.includes(axis)),
  );
}

function* unsqueeze(call: Call): Steps<Result> {
  const x = call.value(0);
  const asked = (yield* call.list('axes', 1)) ?? [];
  const rank = x.shape.length + asked.length;
  const axes = call.axes(asked, rank);
  const sizes = [...x.shape];
  return reshaped(
    x,
    Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : sizes.shift()!)),
  );
}

function flatten(call: Call): Result {
  const x = call.value(0);
  const axis = call.integer('axis', 1);
  const at = axis < 0 ? axis + x.shape.length : axis;
  return reshaped(x, [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))]);
}

function transpose(call: Call): Result {
  const x = call.value(0);
  const axes = call.integers('perm', x.shape.map((_, axis) => axis).reverse());
  if (axes.length !== x.shape.length)
    throw call.shapeError(`perm ${showShape(axes)} does not fit an input of ${showShape(x.shape)}.`);
  if (x.kind === 'host') return host.permute(x, axes);
  return device(x.type, x.tensor.permute(axes), { whole: x.whole?.permute(axes) ?? null });
}

function shapeOf(call: Call): Result {
  const x = call.any(0);
  if (x.kind === 'sequence') throw call.error('input 0 is a sequence, which has no shape.');
  const rank = x.shape.length;
  const clip = (at: number): number => Math.max(0, Math.min(rank, at < 0 ? at + rank : at));
  return integers(x.shape.slice(clip(call.integer('start', 0)), clip(call.integer('end', rank))));
}

function* expand(call: Call): Steps<Result> {
  const x = call.value(0);
  const asked = yield* call.hostList(1);
  const shape = host.broadcast(x.shape, asked);
  if (shape === null) throw call.shapeError(`${showShape(x.shape)} cannot be spread to ${showShape(asked)}.`);
  return isKnown(x) && sizeOf(shape) <= 4096 ? host.expand(x, shape) : device(x.type, x.tensor.expand(shape));
}

function join(call: Call): Result {
  // numbers without an axis are taken as lists of one, as onnxruntime does
  const values = call.inputs.map((_, k) => {
    const value = call.value(k);
    return value.shape.length === 0 ? reshaped(value, [1]) : value;
  });
  return joined(call, values, call.integer('axis', call.version < 4 ? 1 : 0));
}

export function joined(call: Call, values: readonly TensorValue[], asked: number): TensorValue {
  const first = values[0]!;
  const axis = call.axis(asked, first.shape.length);
  if (values.length === 1) return first;
  const known = allKnown(...values);
  if (known !== null) return host.concat(known, axis);
  return device(
    first.type,
    concat(
      values.map(({ tensor: x }) => x),
      axis,
    ),
  );
}

/** Where to cut an axis: sizes of the pieces. */
export function* pieceSizes(call: Call, size: number, position: number): Steps<number[]> {
  const sizes = yield* call.list('split', position);
  if (sizes !== null) return sizes;
  const count = call.integer('num_outputs', call.node.outputs.length);
  const each = Math.ceil(size / count);
  return Array.from({ length: count }, (_, k) => Math.max(0, Math.min(each, size - k * each)));
}

function* split(call: Call): Steps<Result> {
  const x = call.value(0);
  const axis = call.axis(call.integer('axis', 0), x.shape.length);
  const sizes = yield* pieceSizes(call, x.shape[axis]!, 1);
  if (sizes.reduce((sum, size) => sum + size, 0) !== x.shape[axis]) {
    throw call.shapeError(`pieces of ${sizes.join(', ')} do not make up axis ${axis} of ${showShape(x.shape)}.`);
  }
  return cut(x, axis, sizes);
}

export function cut(x: TensorValue, axis: number, sizes: readonly number[]): TensorValue[] {
  let from = 0;
  return sizes.map((size) => {
    const piece = part(x, axis, from, size);
    from += size;
    return piece;
  });
}

/** `size` rows of an axis. */
export function part(x: TensorValue, axis: number, from: number, size: number): TensorValue {
  if (x.kind === 'host')
    return host.take(
      x,
      Array.from({ length: size }, (_, k) => from + k),
      axis,
    );
  return device(x.type, narrow(x.tensor, axis, from, from + size));
}

export function narrow(x: Tensor, axis: number, from: number, to: number): Tensor {
  if (from === 0 && to === x.shape[axis]) return x;
  return x.slice(
    x.shape.map((_, k) => (k === axis ? from : 0)),
    x.shape.map((size, k) => (k === axis ? to : size)),
  );
}

function* slice(call: Call): Steps<Result> {
  const x = call.value(0);
  const rank = x.shape.length;
  const starts = (yield* call.list('starts', 1)) ?? [];
  const ends = (yield* call.list('ends', 2)) ?? [];
  const axes = call.axes((yield* call.list('axes', 3)) ?? starts.map((_, k) => k), rank);
  const steps = call.has(4) ? yield* call.hostList(4) : starts.map(() => 1);
  let result: TensorValue = x;
  for (const [k, axis] of axes.entries()) {
    const size = x.shape[axis]!;
    const step = steps[k]!;
    if (step === 0) throw call.error('a step of 0 goes nowhere.');
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const clamp = (at: number): number => Math.max(low, Math.min(high, at < 0 ? at + size : at));
    const start =
      step > 0 ? clamp(starts[k]!) : Math.min(size - 1, Math.max(0, starts[k]! < 0 ? starts[k]! + size : starts[k]!));
    const end = clamp(ends[k]!);
    const count = Math.max(0, Math.ceil((end - start) / step));
    result = every(result, axis, start, count, step);
  }
  return result;
}

/** `count` rows of an axis from `start`, `step` apart. */
function every(x: TensorValue, axis: number, start: number, count: number, step: number): TensorValue {
  if (step === 1) return start === 0 && count === x.shape[axis] ? x : part(x, axis, start, count);
  if (x.kind === 'host')
    return host.take(
      x,
      Array.from({ length: count }, (_, k) => start + k * step),
      axis,
    );
  if (count === 0) return part(x, axis, 0, 0);
  const last = start + (count - 1) * step;
  const box = narrow(x.tensor, axis, Math.min(start, last), Math.max(start, last) + 1);
  const forward = step > 0 ? box : box.flip(axis);
  return device(
    x.type,
    forward.slice(
      forward.shape.map(() => 0),
      [...forward.shape],
      forward.shape.map((_, k) => (k === axis ? Math.abs(step) : 1)),
    ),
  );
}

function* repeat(call: Call): Steps<Result> {
  const x = call.value(0);
  let repeats = yield* call.hostList(1);
  // opset 1: how often, and along which axis
  if (call.has(2)) {
    const [axis = 0] = yield* call.hostList(2);
    repeats = x.shape.map((_, k) => (k === axis ? repeats[0]! : 1));
  }
  if (isKnown(x)) {
    return repeats.reduce<HostTensor>((total, times, axis) => {
      const size = total.shape[axis]!;
      return host.take(
        total,
        Array.from({ length: size * times }, (_, k) => k % size),
        axis,
      );
    }, x);
  }
  return device(x.type, tile(x.tensor, repeats));
}

function* pad(call: Call): Steps<Result> {
  const x = call.value(0);
  const rank = x.shape.length;
  const amounts = (yield* call.list(call.version < 2 ? 'paddings' : 'pads', 1)) ?? [];
  const axes = call.has(3) ? call.axes(yield* call.hostList(3), rank) : x.shape.map((_, axis) => axis);
  const given = call.has(2) ? (yield* call.host(2)).data[0]! : call.float('value', 0);
  const pads = x.shape.map((): [number, number] => [0, 0]);
  axes.forEach((axis, k) => {
    pads[axis] = [amounts[k] ?? 0, amounts[k + axes.length] ?? 0];
  });
  // what is negative cuts off
  let inner = x.tensor;
  pads.forEach(([before, after], axis) => {
    if (before < 0 || after < 0)
      inner = narrow(inner, axis, Math.max(0, -before), inner.shape[axis]! - Math.max(0, -after));
  });
  const outer = pads.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]);
  const mode = call.text('mode', 'constant');
  if (outer.every(([before, after]) => before === 0 && after === 0)) return device(x.type, inner);
  if (mode === 'constant') {
    if (x.type === 'bool') return device('bool', inner.cast('int32').pad(outer, given).notEqual(0));
    return device(x.type, inner.pad(outer, given));
  }
  if (mode === 'reflect' || mode === 'edge' || mode === 'wrap') {
    const fill = { reflect: reflectionPad, edge: replicationPad, wrap: circularPad }[mode];
    return device(x.type, fill(inner, outer));
  }
  throw call.error(`mode is '${mode}': constant, reflect, edge and wrap are known.`);
}

/** Indices counted from the front; host ones are checked. */
function fromFront(call: Call, indices: TensorValue, size: number): TensorValue {
  if (indices.kind === 'host') {
    const wrong = indices.data.find((value) => value < -size || value >= size);
    if (wrong !== undefined) throw call.error(`index ${wrong} is outside of the ${size} elements of its axis.`);
    return host.map(indices, indices.type, (value) => (value < 0 ? value + size : value));
  }
  const { tensor: x } = indices;
  return device(indices.type, where(x.less(0), x.add(size), x));
}

function gather(call: Call): Result {
  const x = call.any(0);
  if (x.kind === 'sequence') throw call.error('input 0 is a sequence; a tensor is needed.');
  const axis = call.axis(call.integer('axis', 0), x.shape.length);
  const indices = fromFront(call, call.value(1), x.shape[axis]!);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  if (x.kind === 'text') {
    if (indices.kind !== 'host' || axis !== 0)
      throw call.error('texts are gathered by constant indices along axis 0 only.');
    const row = sizeOf(x.shape.slice(1));
    return new TextTensor(
      shape,
      Array.from(indices.data).flatMap((at) => x.data.slice(at * row, (at + 1) * row)),
    );
  }
  if (isKnown(x) && isKnown(indices)) return host.reshape(host.take(x, indices.data, axis), shape);
  // one known row is a view
  if (indices.kind === 'host' && indices.data.length === 1) {
    const at = indices.data[0]!;
    return device(x.type, narrow(x.tensor, axis, at, at + 1).reshape(shape));
  }
  const flat = indices.tensor.reshape([sizeOf(indices.shape)]);
  return device(x.type, x.tensor.gather(flat, axis).reshape(shape));
}

function gatherElements(call: Call): Result {
  const x = call.value(0);
  const axis = call.axis(call.integer('axis', 0), x.shape.length);
  const indices = fromFront(call, call.value(1), x.shape[axis]!).tensor;
  // other axes may be shorter in the indices
  const box = x.tensor.slice(
    x.shape.map(() => 0),
    x.shape.map((size, k) => (k === axis ? size : indices.shape[k]!)),
  );
  return device(x.type, box.takeAlong(indices, axis));
}

/** Tuples of indices as positions in the flat rows of the first axes of `sizes`. */
function flatPositions(call: Call, tuples: TensorValue, sizes: readonly number[]): Tensor {
  const rank = tuples.shape.length;
  const depth = tuples.shape[rank - 1]!;
  const strides = host.stridesOf(sizes.slice(0, depth));
  let flat: Tensor | null = null;
  for (let k = 0; k < depth; k++) {
    const column = part(tuples, rank - 1, k, 1);
    const index = fromFront(call, column, sizes[k]!)
      .tensor.squeeze(rank - 1)
      .mul(strides[k]!);
    flat = flat === null ? index : flat.add(index);
  }
  return flat ?? zeros(tuples.shape.slice(0, -1), { dtype: 'int32' });
}

function gatherNd(call: Call): Result {
  const x = call.value(0);
  const indices = call.value(1);
  const batch = call.integer('batch_dims', 0);
  const depth = indices.shape.at(-1)!;
  const rows = sizeOf(x.shape.slice(0, batch));
  const chosen = x.shape.slice(batch, batch + depth);
  const rest = x.shape.slice(batch + depth);
  const count = sizeOf(indices.shape.slice(batch, -1));
  let positions = flatPositions(call, indices, chosen).reshape([rows, count]);
  positions = positions.add(arange(rows).reshape([rows, 1]).mul(sizeOf(chosen)));
  const table = x.tensor.reshape([rows * sizeOf(chosen), sizeOf(rest)]);
  return device(
    x.type,
    table.gather(positions.reshape([rows * count]), 0).reshape([...indices.shape.slice(0, -1), ...rest]),
  );
}

const reductions: Readonly<Record<string, Reduction>> = { add: 'sum', mul: 'product', max: 'max', min: 'min' };

/** Bool tensors are scattered as numbers. */
const asNumbers = (x: Tensor): Tensor => (x.dtype === 'bool' ? x.cast('int32') : x);

/** `updates` written to x at positions of an axis, or joined with what is there. Both are numbers. */
function scattered(call: Call, x: Tensor, indices: Tensor, updates: Tensor, axis: number): Tensor {
  const reduction = call.text('reduction', 'none');
  if (reduction !== 'none') {
    const found = reductions[reduction];
    if (found === undefined) throw call.error(`reduction is '${reduction}': none, add, mul, max and min are known.`);
    return scatterReduce(x, indices, updates, found, axis);
  }
  return scatter(x, indices, updates, axis);
}

function scatterElements(call: Call): Result {
  const x = call.value(0);
  const axis = call.axis(call.integer('axis', 0), x.shape.length);
  const indices = fromFront(call, call.value(1), x.shape[axis]!).tensor;
  return device(x.type, scattered(call, asNumbers(x.tensor), indices, asNumbers(call.tensor(2)), axis));
}

function scatterNd(call: Call): Result {
  const x = call.value(0);
  const tuples = call.value(1);
  const depth = tuples.shape.at(-1)!;
  const rest = sizeOf(x.shape.slice(depth));
  const rows = sizeOf(x.shape.slice(0, depth));
  const count = sizeOf(tuples.shape.slice(0, -1));
  if (count === 0) return x;
  const positions = flatPositions(call, tuples, x.shape).reshape([count, 1]).expand([count, rest]);
  const updates = asNumbers(call.tensor(2)).reshape([count, rest]);
  const result = scattered(call, asNumbers(x.tensor).reshape([rows, rest]), positions, updates, 0);
  return device(x.type, result.reshape(x.shape));
}

/** To another type. */
export function castTo(call: Call, x: TensorValue, to: ElementType, saturate: boolean): TensorValue {
  if (x.type === to) return x;
  if (x.kind === 'host') return castHost(x, to, saturate);
  if (dtypeOf(to) === null) throw call.error(`casts to ${to} are not supported.`);
  const { tensor: t } = x;
  if (to === 'bool') return device(to, t.notEqual(0));
  if (isFloat(to)) {
    const wide = t.cast('float32');
    return device(to, to === 'float16' || to === 'bfloat16' ? wide.cast(to).cast('float32') : wide);
  }
  return device(to, fit(to, t.cast('int32')));
}

function* cast(call: Call): Steps<Result> {
  const to = castTarget(call);
  const saturate = call.flag('saturate', true);
  const x = call.any(0);
  if (x.kind === 'text') {
    if (to === 'string') return x;
    return hostTensor(
      to,
      x.shape,
      x.data.map((text) => castNumber('float64', to, numberOf(call, text), saturate)),
    );
  }
  const value = call.value(0);
  if (to === 'string') {
    const known = yield* call.known(value);
    return new TextTensor(
      known.shape,
      Array.from(known.data, (number) => String(number)),
    );
  }
  return castTo(
    call,
    isHostOnly(to) || isHostOnly(value.type) || to === 'float8e8m0' ? yield* call.known(value) : value,
    to,
    saturate,
  );
}

/** The same bits as another type. */
function* bitCast(call: Call): Steps<Result> {
  const to = call.elementType('to', 'float32');
  if (bitsOf(to) > 32)
    throw call.error('casts of bits of 64-bit types are not supported: their numbers are not kept in full.');
  const x = yield* call.host(0);
  if (bitsOf(x.type) !== bitsOf(to)) throw call.error(`${x.type} and ${to} have other numbers of bits.`);
  const name = call.node.outputs[0] ?? '';
  const bytes = bytesOf(x.type, x.data);
  if (bytes === null) throw call.error(`the bits of ${x.type} are not read here.`);
  return decodeTensor({
    name,
    type: codeOf(to),
    shape: [...x.shape],
    raw: bytes,
    packed: [],
    numbers: [],
    texts: [],
    external: new Map(),
    isExternal: false,
  });
}

function numberOf(call: Call, text: string): number {
  const known: Readonly<Record<string, number>> = {
    INF: Number.POSITIVE_INFINITY,
    '+INF': Number.POSITIVE_INFINITY,
    '-INF': Number.NEGATIVE_INFINITY,
    NAN: Number.NaN,
  };
  const value = known[text.trim().toUpperCase()] ?? Number(text);
  if (Number.isNaN(value) && text.trim().toUpperCase() !== 'NAN')
    throw call.error(`the text '${text.slice(0, 40)}' is no number.`);
  return value;
}

/** Before opset 6 the type was named. */
function castTarget(call: Call): ElementType {
  if (call.node.operator === 'CastLike') return call.any(1).kind === 'text' ? 'string' : call.type(1);
  const named: Readonly<Record<string, ElementType>> = { FLOAT: 'float32', DOUBLE: 'float64' };
  const text = call.text('to', '').toUpperCase();
  if (text !== '') return named[text] ?? (text.toLowerCase() as ElementType);
  return call.elementType('to', 'float32');
}

function* constantOfShape(call: Call): Steps<Result> {
  const shape = yield* call.hostList(0);
  const value = call.tensorAttribute('value');
  const given = isHost(value) ? value : hostTensor('float32', [1], [0]);
  if (shape.some((size) => size < 0)) throw call.shapeError(`there is no shape ${showShape(shape)}.`);
  if (sizeOf(shape) <= 4096)
    return hostTensor(given.type, shape, new Float64Array(sizeOf(shape)).fill(given.data[0] ?? 0));
  return device(
    given.type,
    tensor(given.data[0] ?? 0)
      .cast(dtypeOf(given.type) ?? 'float32')
      .expand(shape),
  );
}

const constantNames = [
  'value_float',
  'value_int',
  'value_floats',
  'value_ints',
  'value_string',
  'value_strings',
] as const;

function constant(call: Call): Result {
  const value = call.tensorAttribute('value');
  if (value !== null) return value;
  const name = constantNames.find((candidate) => call.attribute(candidate) !== undefined);
  if (name === 'value_float') return hostTensor('float32', [], [call.float(name, 0)]);
  if (name === 'value_int') return hostTensor('int64', [], [call.integer(name, 0)]);
  if (name === 'value_floats') return hostTensor('float32', [call.floats(name, []).length], call.floats(name, []));
  if (name === 'value_ints') return integers(call.integersOrNull(name) ?? []);
  if (name === 'value_string') return new TextTensor([], [call.text(name, '')]);
  if (name === 'value_strings') return new TextTensor([call.texts(name).length], call.texts(name));
  throw call.error('the node holds no value that is read here (a sparse tensor?): make it dense before the export.');
}

function* range(call: Call): Steps<Result> {
  const [start = 0, limit = 0, delta = 1] = [
    (yield* call.host(0)).data[0],
    (yield* call.host(1)).data[0],
    (yield* call.host(2)).data[0],
  ];
  const count = call.count(Math.max(0, Math.ceil((limit - start) / delta)));
  return hostTensor(
    call.type(0),
    [count],
    Float64Array.from({ length: count }, (_, k) => start + k * delta),
  );
}

function* triangle(call: Call): Steps<Result> {
  const x = call.value(0);
  const offset = call.has(1) ? ((yield* call.host(1)).data[0] ?? 0) : 0;
  const keep = call.flag('upper', true) ? triu : tril;
  return device(x.type, keep(asNumbers(x.tensor), { offset }));
}

function eyeLike(call: Call): Result {
  const x = call.value(0);
  const type = call.elementType('dtype', x.type);
  const [rows = 0, columns = 0] = x.shape;
  const offset = call.integer('k', 0);
  const data = allocate(type, call.count(rows * columns));
  for (let row = Math.max(0, -offset); row < rows && row + offset < columns; row++)
    data[row * columns + row + offset] = 1;
  return new HostTensor(type, [rows, columns], data);
}

function* oneHot(call: Call): Steps<Result> {
  const depth = (yield* call.host(1)).data[0] ?? 0;
  const values = call.value(2);
  const indices = call.tensor(0);
  const asked = call.integer('axis', -1);
  const axis = asked < 0 ? asked + indices.rank + 1 : asked;
  const whole = indices.cast('int32');
  const inside = where(whole.less(0), whole.add(depth), whole);
  const shape = Array.from({ length: indices.rank + 1 }, (_, k) => (k === axis ? depth : 1));
  const isOn = inside.unsqueeze(axis).equal(arange(depth).reshape(shape));
  const pair = values.tensor;
  const off = narrow(pair, 0, 0, 1).reshape([]);
  const on = narrow(pair, 0, 1, 2).reshape([]);
  return device(values.type, where(isOn, on, off));
}

function depthToSpace(call: Call): Result {
  const x = call.tensor(0);
  const block = call.integer('blocksize', 1);
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const inner = channels / (block * block);
  const isColumnRow = call.text('mode', 'DCR') === 'CRD';
  const split = isColumnRow ? [batch, inner, block, block, height, width] : [batch, block, block, inner, height, width];
  const order = isColumnRow ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2];
  return device(
    call.type(0),
    x
      .reshape(split)
      .permute(order)
      .reshape([batch, inner, height * block, width * block]),
  );
}

function spaceToDepth(call: Call): Result {
  const x = call.tensor(0);
  const block = call.integer('blocksize', 1);
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [rows, columns] = [height / block, width / block];
  const split = x.reshape([batch, channels, rows, block, columns, block]).permute([0, 3, 5, 1, 2, 4]);
  return device(call.type(0), split.reshape([batch, channels * block * block, rows, columns]));
}

/** Rows of each sequence in the order from its end to its beginning, up to its length. */
export function reversedRows(x: Tensor, lengths: Tensor, timeAxis: number, batchAxis: number): Tensor {
  const steps = x.shape[timeAxis]!;
  const along = (axis: number, size: number): number[] => x.shape.map((_, k) => (k === axis ? size : 1));
  const step = arange(steps).reshape(along(timeAxis, steps));
  const length = lengths.cast('int32').reshape(along(batchAxis, x.shape[batchAxis]!));
  const index = where(step.less(length), length.sub(step).sub(1), step);
  return x.takeAlong(index.expand(x.shape), timeAxis);
}

function reverseSequence(call: Call): Result {
  return device(
    call.type(0),
    reversedRows(call.tensor(0), call.tensor(1), call.integer('time_axis', 0), call.integer('batch_axis', 1)),
  );
}

function* centerCropPad(call: Call): Steps<Result> {
  const x = call.value(0);
  const sizes = yield* call.hostList(1);
  const axes = call.axes(
    call.integers(
      'axes',
      x.shape.map((_, axis) => axis),
    ),
    x.shape.length,
  );
  let result = x.tensor;
  axes.forEach((axis, k) => {
    const [size, wanted] = [x.shape[axis]!, sizes[k]!];
    if (wanted < size) {
      const from = Math.floor((size - wanted) / 2);
      result = narrow(result, axis, from, from + wanted);
    } else if (wanted > size) {
      const before = Math.floor((wanted - size) / 2);
      result = result.pad(
        result.shape.map((_, at): [number, number] => (at === axis ? [before, wanted - size - before] : [0, 0])),
      );
    }
  });
  return device(x.type, result);
}

function* nonZero(call: Call): Steps<Result> {
  const x = yield* call.host(0);
  const strides = host.stridesOf(x.shape);
  const found: number[] = [];
  x.data.forEach((value, at) => {
    if (value !== 0) found.push(at);
  });
  const rank = Math.max(1, x.shape.length);
  const data = new Float64Array(rank * found.length);
  found.forEach((at, k) => {
    for (let axis = 0; axis < x.shape.length; axis++)
      data[axis * found.length + k] = Math.floor(at / strides[axis]!) % x.shape[axis]!;
  });
  return hostTensor('int64', [rank, found.length], data);
}

function* compress(call: Call): Steps<Result> {
  const chosen = (yield* call.hostList(1)).flatMap((value, k) => (value === 0 ? [] : [k]));
  const asked = call.attribute('axis');
  const value = call.value(0);
  const x = asked === undefined ? reshaped(value, [sizeOf(value.shape)]) : value;
  const axis = asked === undefined ? 0 : call.axis(asked.integer, x.shape.length);
  if (x.kind === 'host') return host.take(x, chosen, axis);
  return device(
    x.type,
    chosen.length === 0 ? narrow(x.tensor, axis, 0, 0) : x.tensor.gather(tensor(Int32Array.from(chosen)), axis),
  );
}

function* unique(call: Call): Steps<Result> {
  const given = yield* call.host(0);
  const asked = call.attribute('axis');
  const x = asked === undefined ? host.reshape(given, [given.data.length]) : given;
  const axis = asked === undefined ? 0 : call.axis(asked.integer, x.shape.length);
  const rows = Array.from({ length: x.shape[axis]! }, (_, k) => host.take(x, [k], axis).data);
  const firsts: number[] = [];
  const counts: number[] = [];
  const seen = new Map<string, number>();
  const kindOf = rows.map((row, k) => {
    const key = row.join(',');
    let kind = seen.get(key);
    if (kind === undefined) {
      kind = firsts.length;
      seen.set(key, kind);
      firsts.push(k);
      counts.push(0);
    }
    counts[kind]!++;
    return kind;
  });
  const order = firsts.map((_, kind) => kind);
  if (call.flag('sorted', true)) order.sort((a, b) => compareRows(rows[firsts[a]!]!, rows[firsts[b]!]!));
  const place = new Map(order.map((kind, at) => [kind, at]));
  return [
    host.take(
      x,
      order.map((kind) => firsts[kind]!),
      axis,
    ),
    integers(order.map((kind) => firsts[kind]!)),
    integers(kindOf.map((kind) => place.get(kind)!)),
    integers(order.map((kind) => counts[kind]!)),
  ];
}

function compareRows(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

function* tensorScatter(call: Call): Steps<Result> {
  const cache = call.value(0);
  const update = call.tensor(1);
  const axis = call.axis(call.integer('axis', -2), cache.shape.length);
  const steps = update.shape[axis]!;
  const size = cache.shape[axis]!;
  const batch = cache.shape[0]!;
  const starts = call.has(2) ? call.tensor(2).cast('int32') : zeros([batch], { dtype: 'int32' });
  let positions = starts.reshape([batch, 1]).add(arange(steps));
  if (call.text('mode', 'linear') === 'circular') positions = positions.floorMod(size);
  const shape = cache.shape.map((_, k) => (k === 0 ? batch : k === axis ? steps : 1));
  const index = positions.reshape(shape).expand(update.shape);
  return device(cache.type, scatter(cache.tensor, index, update, axis));
}

const identity: Operator = (call) => call.inputs[0] ?? ([null] as readonly MaybeValue[]);

export const movement: Readonly<Record<string, Operator>> = {
  Identity: identity,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Shape: shapeOf,
  Size: (call) => {
    const x: Value = call.any(0);
    return hostTensor('int64', [], [x.kind === 'sequence' ? x.items.length : sizeOf(x.shape)]);
  },
  Reshape: reshape,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Flatten: flatten,
  Transpose: transpose,
  Expand: expand,
  Concat: join,
  Split: split,
  Slice: slice,
  Tile: repeat,
  Pad: pad,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: scatterNd,
  TensorScatter: tensorScatter,
  Cast: cast,
  CastLike: cast,
  BitCast: bitCast,
  Range: range,
  Trilu: triangle,
  EyeLike: eyeLike,
  OneHot: oneHot,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  ReverseSequence: reverseSequence,
  CenterCropPad: centerCropPad,
  NonZero: nonZero,
  Compress: compress,
  Unique: unique,
};
