/**
 * A rule for infinities in gradients: what `where` did not choose has the cotangent 0, and 0 it stays, also through functions
 * whose slope there is infinite or NaN (the square root of 0, a logarithm of 0, a product with NaN).
 *
 * It holds as far as elements stay apart, through pointwise operations and views. Graphs without `where` pay nothing.
 */
import { constant, type Node } from '../graph/node.ts';
import { multiply } from '../ops/arithmetic.ts';
import { and, equal, not, Where, where } from '../ops/compare.ts';

/** Whether the cotangents of input `k` of a node are 0 where a `where` took its other branch; `isBranch`: those of the node are. */
export function feedsBranch({ primitive }: Node, k: number, isBranch: boolean): boolean {
  if (primitive === Where) return k > 0;
  return isBranch && (primitive.kind === 'pointwise' || primitive.kind === 'view' || primitive.kind === 'transparent');
}

/**
 * The contribution to input `k` of a node in such a branch: 0 where the cotangent is 0 and the contribution is infinite or
 * NaN, so times 0 not 0. A finite one is left alone, for its own derivative need not be 0 where the cotangent happens to be.
 */
export function keepZeros(contribution: Node, cotangent: Node, { primitive, inputs }: Node, k: number): Node {
  if (primitive.kind !== 'pointwise' || primitive.steep?.(inputs, k) !== true) return contribution;
  const zero = constant(0, 'float32');
  const isSpoilt = not(equal(multiply(contribution, zero), zero));
  return where(and(equal(cotangent, zero), isSpoilt), zero, contribution);
}
