/**
 * An operation as data: samples and how to apply it. Its cases follow: the values, the first and second gradients, and
 * the same operation between others in one program. Every case runs on the backend and on the oracle alike.
 */
import { type Backend, gradientsOrNull, type Tensor, tensor } from '@nn/core';
import type { ConformanceCase, Context, Need } from './case.ts';
import { ConformanceError, exactly, expectClose, type Tolerance, type Values } from './compare.ts';
import { oracle } from './oracle.ts';
import { reference } from './reference.ts';
import { type Sample, seedOf, tensorOf, weights } from './samples.ts';

export interface Operation {
  /** `softmax: along the last axis of [3, 4]`. */
  readonly name: string;
  readonly inputs: readonly Sample[];
  /** Applies the operation; `backend` is for tensors that come from nowhere. */
  readonly apply: (inputs: readonly Tensor[], backend: Backend) => Tensor | readonly Tensor[];
  /** Which inputs have a gradient; by default all float32 ones. */
  readonly differentiable?: boolean;
  /** Floats are exact too: additions, products and selections of short fractions. */
  readonly exact?: boolean;
  /** How much larger than usual the error may be. */
  readonly slack?: number;
  readonly needs?: readonly Need[];
  /** Computed on the host, from values that were rounded to float32 on the way, also from the oracle's. */
  readonly onHost?: boolean;
  /** The samples stand where the function jumps or bends, so that differences say nothing about its gradient. */
  readonly isBent?: boolean;
}

/** The inputs of an operation on a backend, the same in every case. */
export function inputsOf(op: Pick<Operation, 'name' | 'inputs'>, backend: Backend): Tensor[] {
  return op.inputs.map((input, k) => tensorOf(input, seedOf(op.name) + k, backend));
}

/** An operation with one input as it stands in the tables. */
export function operation(
  name: string,
  inputs: readonly Sample[],
  apply: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  more: Omit<Operation, 'name' | 'inputs' | 'apply'> = {},
): Operation {
  return { name, inputs, apply: (tensors) => apply(...tensors), ...more };
}

/** The value of the operation is that of the oracle. */
export function valueCase(op: Operation): ConformanceCase {
  return {
    group: 'values',
    name: op.name,
    needs: op.needs ?? [],
    run: (context) => compare('values', op, context, (inputs, backend) => listOf(op.apply(inputs, backend))),
  };
}

/** First and second gradients of every float input, or null where there is none. */
export function gradientCase(op: Operation): ConformanceCase | null {
  const targets = op.inputs.flatMap(({ dtype = 'float32' }, k) => (dtype === 'float32' ? [k] : []));
  const size = op.inputs.reduce((sum, { shape }) => sum + shape.reduce((product, extent) => product * extent, 1), 0);
  if (op.differentiable === false || targets.length === 0 || size === 0) return null;
  return {
    group: 'gradients',
    name: op.name,
    needs: op.needs ?? [],
    run: (context) =>
      compare('gradients', { ...op, exact: false, slack: 4 * (op.slack ?? 1) }, context, (inputs, backend) => {
        const wanted = targets.map((k) => inputs[k]!);
        const first = gradientsOrNull(weighted(listOf(op.apply(inputs, backend)), backend), wanted);
        const found = first.flatMap((gradient) => (gradient === null ? [] : [gradient]));
        if (found.length === 0) return [];
        const second = gradientsOrNull(weighted(found, backend), wanted);
        return [...found, ...second.flatMap((gradient) => (gradient === null ? [] : [gradient]))];
      }),
  };
}

/**
 * The operation between a producer and a consumer: in one program, where they may become one kernel, it gives what it
 * gives step by step, with every intermediate value in memory.
 */
export function fusionCase(op: Operation): ConformanceCase | null {
  // dtypes that only store take part in no other operation
  if (op.needs !== undefined || op.inputs.some(({ shape }) => shape.includes(0))) return null;
  return {
    group: 'fusion',
    name: op.name,
    needs: op.needs ?? [],
    run: async ({ backend, options }) => {
      const wrap = around(backend);
      const load = (): Tensor[] => inputsOf(op, backend);
      const fused = listOf(op.apply(load().map(wrap.before), backend)).map(wrap.after);
      const fusedValues = await readAll(fused);
      const produced = load().map(wrap.before);
      await readAll(produced);
      const results = listOf(op.apply(produced, backend));
      await readAll(results);
      const separate = await readAll(results.map(wrap.after));
      const tolerance = op.exact === true ? exactly : toleranceOf({ ...op, slack: 2 * (op.slack ?? 1) }, options);
      for (const [k, right] of separate.entries()) {
        expectClose(fusedValues[k]!, right, tolerance, `${op.name}, in one program`);
      }
    },
  };
}

/** Steps before and after an operation that change no value but take part in fusion. */
function around(backend: Backend): { before: (x: Tensor) => Tensor; after: (x: Tensor) => Tensor } {
  const one = tensor(1, { backend });
  const yes = tensor(true, { backend });
  return {
    before: (x) =>
      x.dtype === 'float32' ? x.mul(one).flip().flip() : x.dtype === 'bool' ? x.logicalAnd(yes) : x.add(0),
    after: (x) => (x.dtype === 'float32' ? x.add(one).reshape([-1]) : x.reshape([-1]).notEqual(1)),
  };
}

async function compare(
  group: string,
  op: Operation,
  { backend, options }: Context,
  build: (inputs: readonly Tensor[], backend: Backend) => readonly Tensor[],
): Promise<void> {
  const compute = (on: Backend): Promise<Values[]> => {
    return readAll(build(inputsOf(op, on), on));
  };
  const expected = await oracle(`${group}, ${op.name}`, () => compute(reference()));
  const actual = await compute(backend);
  if (actual.length !== expected.length) throw new ConformanceError(`${op.name}: has ${actual.length} results.`);
  const tolerance = op.exact === true ? exactly : toleranceOf(op, options);
  for (const [k, right] of expected.entries()) {
    expectClose(actual[k]!, right, tolerance, resultName(op, k, expected.length));
  }
}

function resultName({ name }: Operation, k: number, count: number): string {
  return count === 1 ? name : `${name}, result ${k}`;
}

export function toleranceOf(
  { slack = 1 }: { readonly slack?: number },
  { functionError = 1e-5 }: { readonly functionError?: number },
): Tolerance {
  return { relative: functionError * slack, absolute: functionError * slack };
}

/** All results in one turn of the event loop, so in one program. */
export async function readAll(tensors: readonly Tensor[]): Promise<Values[]> {
  const data = await Promise.all(tensors.map((x) => x.data()));
  return tensors.map(({ dtype, shape }, k) => ({ dtype, shape, data: data[k]! }));
}

/** A scalar in which every float element of the results counts differently. */
export function weighted(results: readonly Tensor[], backend: Backend): Tensor {
  const parts = results
    .filter(({ dtype }) => dtype === 'float32')
    .map((x) => x.mul(tensor(weights(x.size), { shape: x.shape, backend })).sum());
  return parts.reduce((total, part) => total.add(part), tensor(0, { backend }));
}

export function listOf(result: Tensor | readonly Tensor[]): readonly Tensor[] {
  return Array.isArray(result) ? result : [result as Tensor];
}
