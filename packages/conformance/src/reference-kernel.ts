/**
 * One kernel evaluated element by element, exactly as the contract words it: for every index of the domain the value for
 * every index of the extents, reduced, then the epilogue. Hints are ignored. Where a load goes is told to the caller,
 * who knows the buffers.
 */
import type { Body, DType, Kernel, Op, Shape } from '@nn/core';
import { convert, kindOf, scalarFunction } from './reference-scalar.ts';

export type Rounding = 'float64' | 'float32';

/** The kernel's view of its surroundings. */
export interface Surroundings {
  /** The element `index` of a read, counted from its offset, while `element` of the domain is computed. */
  load(read: number, index: number, element: number): number;
  scalar(slot: number): number;
}

/** Evaluates `kernel` for its whole domain. `store` receives the elements in row-major order. */
export function evaluateKernel(
  kernel: Kernel,
  surroundings: Surroundings,
  rounding: Rounding,
  store: (element: number, value: number) => void,
): void {
  const { domain, reduce } = kernel;
  const state: State = { index: [], element: 0, accumulator: 0 };
  const extents = reduce?.extents ?? [];
  state.index = new Array<number>(domain.length + extents.length).fill(0);
  const value = compile(kernel.value, surroundings, state, rounding, domain.length);
  const epilogue = kernel.epilogue && compile(kernel.epilogue, surroundings, state, rounding, domain.length);
  const size = domain.reduce((product, extent) => product * extent, 1);
  const reductions = extents.reduce((product, extent) => product * extent, 1);
  const combine = reduce && combination(reduce.op, reduce.dtype);
  for (; state.element < size; state.element++) {
    value.outside();
    if (reduce === undefined || combine === undefined) store(state.element, value.inside());
    else {
      let sum = neutral(reduce.op, reduce.dtype);
      for (let r = 0; r < reductions; r++) {
        sum = combine(sum, value.inside(), 0);
        advance(state.index, extents, domain.length);
      }
      state.accumulator = roundTo(sum, reduce.dtype, rounding);
      epilogue?.outside();
      store(state.element, epilogue ? epilogue.inside() : state.accumulator);
    }
    advance(state.index, domain, 0);
  }
}

interface State {
  /** The index along each axis of the domain, then of the extents. */
  index: number[];
  /** The flat index in the domain. */
  element: number;
  accumulator: number;
}

/** One step of an odometer over `extents`, whose digits start at `first`; it wraps around to zeros. */
function advance(index: number[], extents: Shape, first: number): void {
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    const next = index[first + axis]! + 1;
    if (next < extents[axis]!) {
      index[first + axis] = next;
      return;
    }
    index[first + axis] = 0;
  }
}

/** A body as two passes: the operations that no reduced axis moves, then the others, with the result of the last. */
function compile(
  body: Body,
  surroundings: Surroundings,
  state: State,
  rounding: Rounding,
  border: number,
): { outside(): void; inside(): number } {
  const values = new Float64Array(body.length);
  const moves: boolean[] = [];
  const outside: (() => void)[] = [];
  const inside: (() => void)[] = [];
  body.forEach((op, position) => {
    const compute = compileOp(op, body, values, surroundings, state, rounding);
    const operands = op.op === 'load' ? [op.index] : 'args' in op ? op.args : [];
    moves[position] = (op.op === 'axis' && op.axis >= border) || operands.some((operand) => moves[operand]);
    (moves[position] ? inside : outside).push(() => {
      values[position] = compute();
    });
  });
  const run = (computations: readonly (() => void)[]): void => {
    for (let i = 0; i < computations.length; i++) computations[i]!();
  };
  return {
    outside: () => run(outside),
    inside: () => {
      run(inside);
      return values[body.length - 1]!;
    },
  };
}

function compileOp(
  op: Op,
  body: Body,
  values: Float64Array,
  surroundings: Surroundings,
  state: State,
  rounding: Rounding,
): () => number {
  switch (op.op) {
    case 'const': {
      const value = roundTo(kindOf(op.dtype) === 'integer' ? op.value | 0 : op.value, op.dtype, rounding);
      return () => value;
    }
    case 'scalar':
      return () => roundTo(surroundings.scalar(op.slot), op.dtype, rounding);
    case 'axis':
      return () => state.index[op.axis]!;
    case 'accumulator':
      return () => state.accumulator;
    case 'load':
      return () => convert(surroundings.load(op.read, values[op.index]!, state.element), op.dtype);
    default: {
      const [a = 0, b = 0, c = 0] = op.args;
      const from = body[op.op === 'where' ? b : a]!.dtype;
      const compute = scalarFunction(op.op, from, op.dtype);
      if (rounding === 'float64' || kindOf(op.dtype) !== 'float') {
        return () => compute(values[a]!, values[b]!, values[c]!);
      }
      return () => Math.fround(compute(values[a]!, values[b]!, values[c]!));
    }
  }
}

function roundTo(value: number, dtype: DType, rounding: Rounding): number {
  return rounding === 'float32' && kindOf(dtype) === 'float' ? Math.fround(value) : value;
}

type Reduction = NonNullable<Kernel['reduce']>['op'];

function neutral(op: Reduction, dtype: DType): number {
  if (op === 'sum' || op === 'product') return op === 'sum' ? 0 : 1;
  const least = { float: -Infinity, integer: -(2 ** 31), boolean: 0 }[kindOf(dtype)];
  const greatest = { float: Infinity, integer: 2 ** 31 - 1, boolean: 1 }[kindOf(dtype)];
  return op === 'max' ? least : greatest;
}

/** Accumulates in double precision. */
function combination(op: Reduction, dtype: DType): ReturnType<typeof scalarFunction> {
  const name = ({ sum: 'add', product: 'mul', max: 'max', min: 'min' } as const)[op];
  return scalarFunction(name, dtype, dtype);
}
