/**
 * What `autocast` asks of operations: the operands of products, and what gradients are computed from later, are stored as half
 * floats, and what comes back to them. That is a cast, in memory, and a cast back, which is free: operations after it see float32
 * numbers, rounded.
 */
import type { DType } from '../backend.ts';
import { isHalf } from '../dtype.ts';
import { customGradient } from '../graph/custom-gradient.ts';
import type { Node } from '../graph/node.ts';
import { Cast, cast } from './functions.ts';
import { computable } from './pointwise.ts';

/** As which half floats is stored at present; null: as they come. */
type Storage = DType | null;

export const products: { storage: Storage } = { storage: null };

/** Float32 numbers as they are once they were stored. */
export function storedAs(storage: Storage, x: Node): Node {
  if (storage === null || x.dtype !== 'float32' || storageOf(x) === storage) return x;
  return cast(cast(x, storage), 'float32');
}

/** The operand of a product. */
export function factorAsStored(operation: string, x: Node): Node {
  return storedAs(products.storage, computable(operation, x));
}

/** What comes back to a product is stored as its operands are, if both are half floats. */
export function storedAsFactors(cotangent: Node, left: Node, right: Node): Node {
  const storage = storageBehind(left);
  return storage === storageBehind(right) ? storedAs(storage, cotangent) : cotangent;
}

/** The input of an operation whose gradient needs it, and what comes back to it. */
export function keptAsStored(x: Node): Node {
  const { storage } = products;
  const y = storedAs(storage, x);
  return y === x ? x : customGradient(y, [x], (g) => [storedAs(storage, g)]);
}

/** Of half floats that are widened: what they are. */
function storageOf(x: Node): Storage {
  let node = x;
  while (node.primitive.kind === 'transparent' && node.inputs[0] !== undefined) node = node.inputs[0];
  const [source] = node.inputs;
  return node.primitive === Cast && source !== undefined && isHalf(source.dtype) ? source.dtype : null;
}

/** The same behind views. */
function storageBehind(x: Node): Storage {
  let node = x;
  while (node.primitive.kind === 'view' && node.inputs[0] !== undefined) node = node.inputs[0];
  return storageOf(node);
}
