/**
 * Half floats under operations: where numbers were rounded to them, and how a scope wants numbers stored. Owns the switch and its
 * rest position only; what `autocast` asks for is `ops/autocast.ts`, which pages that do not call it do without.
 */
import type { DType } from '../backend.ts';
import { isHalf, promote } from '../dtype.ts';
import type { Node } from '../graph/node.ts';
import { Cast, cast } from './functions.ts';
import { computable } from './pointwise.ts';

/** How a scope stores what products read and gradients need. */
export interface Storing {
  /** Float32 numbers as they are once they were stored. */
  stored(x: Node): Node;
  /** The input of an operation whose gradient needs it. */
  kept(x: Node): Node;
  /** y = tanh(x). */
  tanh(y: Node, x: Node): Node;
  /** y = gelu(x), by erf. */
  gelu(y: Node, x: Node): Node;
}

const same = (x: Node): Node => x;
/** Everything in float32. */
export const asComputed: Storing = { stored: same, kept: same, tanh: same, gelu: same };

export const scope: { storing: Storing } = { storing: asComputed };

/** Runs `work` with numbers stored like that. */
export function withStoring<T>(storing: Storing, work: () => T): T {
  const outer = scope.storing;
  scope.storing = storing;
  try {
    return work();
  } finally {
    scope.storing = outer;
  }
}

/** Float32 numbers rounded to half floats, in memory: operations after it see float32, which costs nothing to read. */
export function storedAs(storage: DType, x: Node): Node {
  return x.dtype === 'float32' && halvesBehind(x) !== storage ? cast(cast(x, storage), 'float32') : x;
}

/** Both operands of a product as they are read, in the dtype in which it is computed. */
export function factors(operation: string, a: Node, b: Node): readonly [Node, Node] {
  const [left, right] = [
    scope.storing.stored(computable(operation, a)),
    scope.storing.stored(computable(operation, b)),
  ];
  const dtype = promote(left.dtype, right.dtype) === 'float32' ? 'float32' : 'int32';
  return [cast(left, dtype), cast(right, dtype)];
}

/** What comes back to a product is stored as its operands are, if both are half floats. */
export function storedAsFactors(cotangent: Node, left: Node, right: Node): Node {
  const storage = halvesBehind(left);
  return storage && storage === halvesBehind(right) ? storedAs(storage, cotangent) : cotangent;
}

/** Whether the node is half floats as float32: exact, and free where they are read. */
export function isWidening({ primitive, dtype, inputs: [source] }: Node): boolean {
  return primitive === Cast && dtype === 'float32' && source !== undefined && isHalf(source.dtype);
}

/** As which half floats the numbers of x are stored, be they seen through views; undefined where they are not. */
function halvesBehind(x: Node): DType | undefined {
  let node = x;
  while (node.primitive.kind === 'transparent' || node.primitive.kind === 'view') {
    const [source] = node.inputs;
    // a parameter that was assigned has nothing behind it once it has memory
    if (source === undefined) return undefined;
    node = source;
  }
  return isWidening(node) ? node.inputs[0]!.dtype : undefined;
}
