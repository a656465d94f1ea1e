/**
 * Control flow and containers: If, Loop, Scan, sequences, optional values. Conditions and counts must be known when the graph
 * is built; `run` waits for them. A loop is written out, turn after turn; a Scan of plain tensors is one loop on the device.
 */
import { isNNError, scan, stack, type Tensor } from '@nn/core';
import { elementTypeOf } from '../format/element-types.ts';
import type { GraphMessage } from '../format/model.ts';
import { type Call, device, isHost, type Operator, type Result, type Steps } from '../run/call.ts';
import { DeviceTensor, hostTensor, type MaybeValue, type TensorValue } from '../values/value.ts';
import { cut, joined, part, pieceSizes, reshaped } from './movement.ts';

function* branch(call: Call): Steps<Result> {
  const condition = yield* call.host(0);
  return yield* call.runInner(call.graph(condition.data[0] === 0 ? 'else_branch' : 'then_branch'), []);
}

/** What the body of a loop gave in all turns, as one tensor with a new axis. */
function gathered(
  call: Call,
  values: readonly MaybeValue[],
  axis: number,
  graph: GraphMessage,
  output: number,
): TensorValue {
  const tensors = values.map((value) => {
    if (value?.kind === 'host' || value?.kind === 'device') return value;
    throw call.error(`output ${output} of its body is not a tensor of numbers, and cannot be collected.`);
  });
  if (tensors.length === 0) {
    const { elementType, shape } = graph.outputs[output]?.type ?? { elementType: 0, shape: null };
    const inner = (shape ?? []).map((size) => (typeof size === 'number' ? size : 0));
    return hostTensor(elementTypeOf(elementType) ?? 'float32', [0, ...inner], []);
  }
  const rank = tensors[0]!.shape.length + 1;
  const at = axis < 0 ? axis + rank : axis;
  return joined(
    call,
    tensors.map((value) => reshaped(value, [...value.shape.slice(0, at), 1, ...value.shape.slice(at)])),
    at,
  );
}

/** The most turns that are written out: a graph of more nodes is a mistake. */
const mostTurns = 100_000;

function* loop(call: Call): Steps<Result> {
  const body = call.graph('body');
  const most = call.has(0) ? ((yield* call.host(0)).data[0] ?? 0) : Number.POSITIVE_INFINITY;
  let goesOn = call.has(1) ? (yield* call.host(1)).data[0] !== 0 : true;
  let carried = call.inputs.slice(2);
  const collected: MaybeValue[][] = body.outputs.slice(1 + carried.length).map(() => []);
  for (let turn = 0; turn < most && goesOn; turn++) {
    if (turn === mostTurns) throw call.error(`the loop has not ended after ${mostTurns} turns.`);
    const results: MaybeValue[] = yield* call.runInner(body, [
      hostTensor('int64', [], [turn]),
      hostTensor('bool', [], [1]),
      ...carried,
    ]);
    const [condition, ...values] = results;
    carried = values.slice(0, carried.length);
    for (const [k, list] of collected.entries()) list.push(values[carried.length + k] ?? null);
    if (turn + 1 < most && condition) goesOn = (yield* call.known(condition as TensorValue)).data[0] !== 0;
  }
  return [...carried, ...collected.map((list, k) => gathered(call, list, 0, body, 1 + carried.length + k))];
}

/** Scan since opset 9; in opset 8 everything has an axis of the batch in front, and lengths come first. */
function* scanning(call: Call): Steps<Result> {
  if (call.version >= 9) return yield* scanRows(call, call.inputs, call.integers('scan_input_axes', []));
  if (call.has(0))
    throw call.error('lengths of sequences in Scan of opset 8 are not supported: export with opset 9 or later.');
  const given = call.inputs.slice(1) as TensorValue[];
  const batch = given[0]?.shape[0] ?? 0;
  const rows: TensorValue[][] = [];
  for (let b = 0; b < batch; b++) {
    const row = given.map((value) => reshaped(part(value, 0, b, 1), value.shape.slice(1)));
    rows.push((yield* scanRows(call, row, [])) as TensorValue[]);
  }
  return (rows[0] ?? []).map((_, k) =>
    joined(
      call,
      rows.map((row) => reshaped(row[k]!, [1, ...row[k]!.shape])),
      0,
    ),
  );
}

function* scanRows(call: Call, inputs: readonly MaybeValue[], inputAxes: readonly number[]): Steps<MaybeValue[]> {
  const body = call.graph('body');
  const rowCount = call.integer('num_scan_inputs', 1);
  const states = inputs.slice(0, inputs.length - rowCount);
  const rows = inputs.slice(inputs.length - rowCount) as TensorValue[];
  const isBackward = call.integers(
    call.version >= 9 ? 'scan_input_directions' : 'directions',
    rows.map(() => 0),
  );
  const outputAxes = call.integers('scan_output_axes', []);
  const outputsBackward = call.integers('scan_output_directions', []);
  const axes = rows.map((value, k) => call.axis(inputAxes[k] ?? 0, value.shape.length));
  const length = rows[0]?.shape[axes[0]!] ?? 0;
  const asOne = length > 2 ? scanOnDevice(call, states, rows, axes, isBackward) : null;
  if (asOne !== null && outputsBackward.every((flag) => flag === 0) && outputAxes.every((axis) => axis === 0))
    return asOne;
  let carried = states;
  const collected: MaybeValue[][] = body.outputs.slice(states.length).map(() => []);
  for (let turn = 0; turn < length; turn++) {
    const row = rows.map((value, k) => {
      const axis = axes[k]!;
      const at = isBackward[k] ? length - 1 - turn : turn;
      return reshaped(
        part(value, axis, at, 1),
        value.shape.filter((_, other) => other !== axis),
      );
    });
    const results: MaybeValue[] = yield* call.runInner(body, [...carried, ...row]);
    carried = results.slice(0, states.length);
    for (const [k, list] of collected.entries()) list.push(results[states.length + k] ?? null);
  }
  const outputs = collected.map((list, k) =>
    gathered(call, outputsBackward[k] ? list.toReversed() : list, outputAxes[k] ?? 0, body, states.length + k),
  );
  return [...carried, ...outputs];
}

/** The whole Scan as one loop of core, or null where its body needs numbers, or changes shapes. */
function scanOnDevice(
  call: Call,
  states: readonly MaybeValue[],
  rows: readonly TensorValue[],
  axes: readonly number[],
  isBackward: readonly number[],
): MaybeValue[] | null {
  const carried = states.filter((value): value is TensorValue => value?.kind === 'host' || value?.kind === 'device');
  if (carried.length < states.length) return null;
  const types: TensorValue['type'][] = [];
  const moved = rows.map((value, k) => {
    const axis = axes[k]!;
    const order = [axis, ...value.shape.map((_, other) => other).filter((other) => other !== axis)];
    const front = value.tensor.permute(order);
    return isBackward[k] ? front.flip(0) : front;
  });
  const step = (state: Tensor[], row: Tensor[]): { carry: Tensor[]; output: Tensor[] } => {
    const given = [
      ...state.map((x, k) => new DeviceTensor(carried[k]!.type, x)),
      ...row.map((x, k) => new DeviceTensor(rows[k]!.type, x)),
    ];
    const steps = call.runInner(call.graph('body'), given);
    const { done, value } = steps.next();
    if (done !== true) throw new WantsNumbers();
    const results = value.map((result) => {
      if (result?.kind !== 'host' && result?.kind !== 'device') throw new WantsNumbers();
      types.push(result.type);
      return result.tensor;
    });
    return { carry: results.slice(0, state.length), output: results.slice(state.length) };
  };
  try {
    const { carry, outputs } = scan(
      step,
      carried.map((value) => value.tensor),
      moved,
    );
    return [...carry, ...outputs].map((x, k) => device(types[k] ?? 'float32', x));
  } catch (error) {
    if (error instanceof WantsNumbers || isNNError(error)) return null;
    throw error;
  }
}

class WantsNumbers extends Error {}

function* position(call: Call, at: number, length: number): Steps<number> {
  if (!call.has(at)) return length;
  const given = (yield* call.host(at)).data[0] ?? 0;
  const index = given < 0 ? given + length : given;
  if (index < 0 || index > length) throw call.error(`position ${given} is outside of a sequence of ${length}.`);
  return index;
}

function* sequenceAt(call: Call): Steps<Result> {
  const { items } = call.sequence(0);
  const item = items[yield* position(call, 1, items.length)];
  if (item === undefined) throw call.error(`the sequence has only ${items.length} items.`);
  return item;
}

function* sequenceInsert(call: Call): Steps<Result> {
  const { items } = call.sequence(0);
  return { kind: 'sequence', items: items.toSpliced(yield* position(call, 2, items.length), 0, call.any(1)) };
}

function* sequenceErase(call: Call): Steps<Result> {
  const { items } = call.sequence(0);
  const at = call.has(1) ? yield* position(call, 1, items.length) : items.length - 1;
  return { kind: 'sequence', items: items.toSpliced(at, 1) };
}

function* splitToSequence(call: Call): Steps<Result> {
  const x = call.value(0);
  const axis = call.axis(call.integer('axis', 0), x.shape.length);
  const size = x.shape[axis]!;
  let sizes = new Array<number>(call.count(size)).fill(1);
  let keepsAxis = call.flag('keepdims', true);
  if (call.has(1)) {
    keepsAxis = true;
    const split = yield* call.host(1);
    const each = split.data[0] ?? 1;
    sizes =
      split.shape.length > 0
        ? yield* pieceSizes(call, size, 1)
        : Array.from({ length: call.count(Math.ceil(size / each)) }, (_, k) => Math.min(each, size - k * each));
  }
  const pieces = cut(x, axis, sizes);
  const flat = (piece: TensorValue): TensorValue =>
    reshaped(
      piece,
      piece.shape.filter((_, k) => k !== axis),
    );
  return { kind: 'sequence', items: keepsAxis ? pieces : pieces.map(flat) };
}

function concatFromSequence(call: Call): Result {
  const items = call.sequence(0).items as readonly TensorValue[];
  const isNew = call.flag('new_axis');
  if (items.length === 0) throw call.error('an empty sequence has no tensors to join.');
  const asked = call.integer('axis', 0);
  if (!isNew) return joined(call, items, asked);
  const rank = items[0]!.shape.length + 1;
  const axis = call.axis(asked, rank);
  if (!items.every((item) => isHost(item)))
    return device(
      items[0]!.type,
      stack(
        items.map(({ tensor }) => tensor),
        axis,
      ),
    );
  return joined(
    call,
    items.map((item) => reshaped(item, [...item.shape.slice(0, axis), 1, ...item.shape.slice(axis)])),
    axis,
  );
}

function* sequenceMap(call: Call): Steps<Result> {
  const body = call.graph('body');
  const count = call.sequence(0).items.length;
  const results: MaybeValue[][] = body.outputs.map(() => []);
  for (let k = 0; k < count; k++) {
    const given = call.inputs.map((value) => (value?.kind === 'sequence' ? (value.items[k] ?? null) : value));
    const made = yield* call.runInner(body, given);
    for (const [output, value] of made.entries()) results[output]?.push(value);
  }
  return results.map((items) => ({ kind: 'sequence', items: items.filter((item) => item !== null) }));
}

const hasElement: Operator = (call) => hostTensor('bool', [], [call.has(0) ? 1 : 0]);

export const control: Readonly<Record<string, Operator>> = {
  If: branch,
  Loop: loop,
  Scan: scanning,
  SequenceConstruct: (call) => ({ kind: 'sequence', items: call.inputs.map((_, k) => call.any(k)) }),
  SequenceEmpty: () => ({ kind: 'sequence', items: [] }),
  SequenceAt: sequenceAt,
  SequenceInsert: sequenceInsert,
  SequenceErase: sequenceErase,
  SequenceLength: (call) => hostTensor('int64', [], [call.sequence(0).items.length]),
  SequenceMap: sequenceMap,
  SplitToSequence: splitToSequence,
  ConcatFromSequence: concatFromSequence,
  Optional: (call) => [call.inputs[0] ?? null],
  OptionalGetElement: (call) => {
    if (!call.has(0)) throw call.error('the optional value is empty.');
    return call.any(0);
  },
  OptionalHasElement: hasElement,
};
