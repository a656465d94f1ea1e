/**
 * Parts of a tensor that are read after a box of it was replaced: the gradients of a buffer that is filled step by step are a
 * chain of replaced boxes with such a part for each. They are copied before the box is written, so that it is written in
 * place; else every step would copy the whole buffer and keep it until the part is read.
 */
import type { Node } from '../graph/node.ts';
import { isNumber } from '../graph/node.ts';
import { Update } from '../ops/indexing.ts';
import { DynamicSlice, Slice } from '../ops/views.ts';
import { isLeaf, resolve, type Trace } from './trace.ts';

/** Each part that is to be copied, and what it is a part of. */
export function slicesToSave({ order }: Trace): ReadonlyMap<Node, Node> {
  // by base: the place of the first box that is written over it
  const replaced = new Map<Node, number>();
  for (const node of order) {
    if (node.primitive !== Update || node.storage !== null) continue;
    const base = resolve(node.inputs[0]!);
    if (!isLeaf(base) && base.primitive.kind !== 'source' && !replaced.has(base)) replaced.set(base, node.order);
  }
  const saved = new Map<Node, Node>();
  if (replaced.size === 0) return saved;
  for (const node of order) {
    if ((node.primitive !== DynamicSlice && node.primitive !== Slice) || node.storage !== null) continue;
    const [base, ...starts] = node.inputs.map(resolve) as [Node, ...Node[]];
    const written = replaced.get(base);
    if (written === undefined || written > node.order || !starts.every(isNumber)) continue;
    if (2 * node.size <= base.size) saved.set(node, base);
  }
  return saved;
}

/** Kernels with each copy right behind what it is a part of. `ownerOf`: what a kernel writes. */
export function savedFirst<K>(
  kernels: readonly K[],
  saved: ReadonlyMap<Node, Node>,
  ownerOf: (kernel: K) => Node,
): readonly K[] {
  if (saved.size === 0) return kernels;
  const behind = new Map<Node, K[]>();
  const last = new Map<Node, number>();
  kernels.forEach((kernel, at) => {
    const owner = ownerOf(kernel);
    last.set(owner, at);
    const base = saved.get(owner);
    if (base === undefined) return;
    const copies = behind.get(base);
    if (copies === undefined) behind.set(base, [kernel]);
    else copies.push(kernel);
  });
  const isMoved = (kernel: K): boolean => {
    const base = saved.get(ownerOf(kernel));
    return base !== undefined && last.has(base);
  };
  return kernels.flatMap((kernel, at) => {
    const owner = ownerOf(kernel);
    const copies = last.get(owner) === at ? (behind.get(owner) ?? []) : [];
    return isMoved(kernel) ? [] : [kernel, ...copies];
  });
}
