/** The batching rules of loops: a loop over many rows at a time is one loop, whose body is that of all rows. */
import { Batching } from '../autograd/batching.ts';
import { unseen } from '../graph/hooks.ts';
import { type Node, placeholder } from '../graph/node.ts';
import { isBatched, spread } from '../ops/batch.ts';
import { moveAxis } from '../ops/views.ts';
import { closeBody } from './body.ts';
import {
  allOf as allTurns,
  lastOf,
  makeScan,
  type PartAttributes,
  type ScanAttributes,
  type ScanNode,
  statesOf,
} from './scan.ts';

export function batchScan(inputs: readonly Node[], node: ScanNode, size: number): Node {
  return unseen(() => batched(inputs, node, size));
}

function batched(inputs: readonly Node[], node: ScanNode, size: number): Node {
  const { body, recompute } = node.attributes;
  const { carries, rows, shared, next, count, isReversed } = body;
  const leaves = [...carries, ...rows, ...shared];
  const differs = leaves.map((_, k) => isBatched(inputs[k]!, node.inputs[k]!));
  for (;;) {
    const names = leaves.map((leaf, k) =>
      differs[k] ? placeholder(leaf.dtype, [size, ...leaf.shape], leaf.backend) : leaf,
    );
    const batching = new Batching(
      size,
      leaves.map((leaf, k) => [leaf, names[k]!] as const),
    );
    // a value that differs after a turn differs before the next
    const late = next.findIndex((after, k) => !differs[k] && isBatched(batching.of(after), after));
    if (late >= 0) {
      differs[late] = true;
      continue;
    }
    const all = (of: Node, k: number): Node => (differs[k] ? batching.all(of) : of);
    const place = (k: number): number => carries.length + k;
    const given = (k: number): Node => {
      const own = node.inputs[k]!;
      return differs[k] ? spread(inputs[k]!, own, size) : inputs[k]!;
    };
    const known = new Map(
      shared.map((_, k) => [names[place(rows.length + k)]!, given(place(rows.length + k))] as const),
    );
    const closed = closeBody({
      count,
      isReversed,
      carries: names.slice(0, carries.length),
      rows: names.slice(carries.length, place(rows.length)),
      next: next.map(all),
      // every node that a part may be asked for
      outputs: body.order.filter((of) => body.inside.has(of)).map((of) => batching.of(of)),
      isShared: (leaf) => known.has(leaf),
    });
    return makeScan(
      closed,
      carries.map((_, k) => given(k)),
      rows.map((_, k) => (differs[place(k)] ? moveAxis(given(place(k)), 0, 1) : given(place(k)))),
      closed.shared.map((leaf) => known.get(leaf) ?? leaf),
      recompute,
      (of) => batching.of(of),
    );
  }
}

export function batchPart([scan]: readonly [Node], node: Node<PartAttributes, readonly [Node]>, size: number): Node {
  const { kind, of } = node.attributes;
  const all = scan as Node as ScanNode;
  const { allOf } = all.attributes;
  const own = (node.inputs[0] as Node<ScanAttributes>).attributes.body;
  const carry = own.carries.indexOf(of);
  if (kind === 'last') return spread(lastOf(all, carry), node, size);
  const rows = kind === 'states' ? statesOf(all, carry) : allTurns(all, (allOf as (node: Node) => Node)(of));
  return isBatched(rows, node) ? moveAxis(rows, 1, 0) : spread(rows, node, size);
}
