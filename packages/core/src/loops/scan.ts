/**
 * A loop as one operation. `Scan` is the loop, of no value of its own; `Part`s are its values: what a node of its body is in
 * every turn, what a carried value is before the first turn and after each, or after the last. More parts may be asked for at
 * any time, by gradients for one.
 */
import type { Shape } from '../backend.ts';
import { apply, type Node } from '../graph/node.ts';
import { definePrimitive, type Primitive, type Unary } from '../graph/primitive.ts';
import { narrow } from '../ops/views.ts';
import { batchPart, batchScan } from './batch.ts';
import type { Body } from './body.ts';
import { backwards } from './gradient.ts';
import { lowerLoop } from './lower.ts';
import { writeOut } from './write-out.ts';

export interface ScanAttributes {
  readonly body: Body;
  /** Whether gradients compute everything again from the carried values, instead of keeping what products and sums give. */
  readonly recompute: boolean;
  /** Of a loop that `vmap` made: the node of this body that stands for one of the other, for all rows. */
  readonly allOf?: (node: Node) => Node;
}

/** `all`: of each turn [count, ...]. `states`: a carried value before and after each turn [count + 1, ...]. `last`: after the last. */
export interface PartAttributes {
  readonly kind: 'all' | 'states' | 'last';
  /** The node of the body; of a carried value, the leaf that stands for it. */
  readonly of: Node;
  readonly number: number;
  readonly shape: Shape;
}

export type ScanNode = Node<ScanAttributes>;

const neverLowered = (): never => {
  throw new Error('a loop and its parts are steps of their own');
};

export const Scan: Primitive<ScanAttributes> = definePrimitive<ScanAttributes>({
  name: 'scan',
  kind: 'loop',
  infer: () => ({ dtype: 'float32', shape: [] }),
  key: ({ body }) => body.key,
  gradient: backwards,
  batch: batchScan,
  lower: neverLowered,
  loop: lowerLoop,
});

export const Part: Primitive<PartAttributes, Unary> = definePrimitive<PartAttributes, Unary>({
  name: 'part of a scan',
  kind: 'part',
  infer: (_, { of, shape }) => ({ dtype: of.dtype, shape }),
  key: ({ kind, number }) => [kind === 'all' ? 0 : kind === 'states' ? 1 : 2, number],
  gradient: (g, _, { attributes }) => [apply(Cotangents, [g], [attributes])],
  batch: batchPart,
  lower: neverLowered,
  writtenOut: writeOut,
});

/** The cotangents of some parts of a loop, together. Only gradients see it. */
export const Cotangents: Primitive<readonly PartAttributes[]> = definePrimitive<readonly PartAttributes[]>({
  name: 'cotangents of a scan',
  kind: 'loop',
  infer: () => ({ dtype: 'float32', shape: [] }),
  joined: (terms) =>
    apply(
      Cotangents,
      terms.flatMap(({ inputs }) => inputs),
      terms.flatMap(({ attributes }) => attributes),
    ),
  lower: neverLowered,
});

/** The loop over `body`, which starts with the values `first`; `rows` [count, ...] are of its turns. */
export function makeScan(
  body: Body,
  first: readonly Node[],
  rows: readonly Node[],
  shared: readonly Node[],
  recompute: boolean,
  allOf?: (node: Node) => Node,
): ScanNode {
  return apply(Scan, [...first, ...rows, ...shared], { body, recompute, ...(allOf && { allOf }) });
}

/** The parts that were asked for, so that asking twice gives one. */
const parts = /* @__PURE__ */ new WeakMap<ScanNode, Map<string, Node>>();

function part(scan: ScanNode, kind: PartAttributes['kind'], of: Node): Node {
  const { count, numbers } = scan.attributes.body;
  const number = numbers.get(of) as number;
  const known = parts.get(scan) ?? new Map<string, Node>();
  parts.set(scan, known);
  const key = `${kind} ${number}`;
  let found = known.get(key);
  if (found === undefined) {
    const rows = kind === 'last' ? [] : [kind === 'all' ? count : count + 1];
    found = apply(Part, [scan as Node], { kind, of, number, shape: [...rows, ...of.shape] }) as Node;
    known.set(key, found);
  }
  return found;
}

/** A carried value after the last turn. */
export function lastOf(scan: ScanNode, carry: number): Node {
  return part(scan, 'last', scan.attributes.body.carries[carry]!);
}

/** A carried value before the first turn and after each [count + 1, ...]. */
export function statesOf(scan: ScanNode, carry: number): Node {
  return part(scan, 'states', scan.attributes.body.carries[carry]!);
}

/** A carried value before or after each turn. */
export function carriedOf(scan: ScanNode, carry: number, when: 'before' | 'after'): Node {
  const { count, isReversed } = scan.attributes.body;
  const states = statesOf(scan, carry);
  return narrow(states, 0, (when === 'before') === isReversed ? 1 : 0, count);
}

/** What a node of the body is in every turn. */
export function allOf(scan: ScanNode, of: Node): Node {
  const { next, carries, numbers } = scan.attributes.body;
  const carry = next.indexOf(of);
  if (carry >= 0) return carriedOf(scan, carry, 'after');
  const before = carries.indexOf(of);
  if (before >= 0) return carriedOf(scan, before, 'before');
  if (!numbers.has(of)) throw new Error(`${of.primitive.name} is not in the body of the scan`);
  return part(scan, 'all', of);
}
