/**
 * The gradient of a loop: a loop over the same turns the other way, whose body is the gradient of the body. What that needs of
 * the turns forwards are parts of the first loop: what its products and sums gave, and the carried values; the steps between are
 * computed again, since they cost less than memory. It is a loop like any other, so it has a gradient too.
 */
import { pullBack } from '../autograd/gradients.ts';
import { isReal } from '../dtype.ts';
import { unseen } from '../graph/hooks.ts';
import { constant, type Node, placeholder } from '../graph/node.ts';
import type { Cotangent } from '../graph/primitive.ts';
import { add } from '../ops/arithmetic.ts';
import { narrow, reshape } from '../ops/views.ts';
import { closeBody } from './body.ts';
import { allOf, carriedOf, lastOf, makeScan, type PartAttributes, type ScanNode } from './scan.ts';
import { SumOfTurns } from './sum-of-turns.ts';

export function backwards(cotangent: Node, inputs: readonly Node[], scan: ScanNode): readonly Cotangent[] {
  let found: readonly (() => Node | null)[] | null = null;
  return inputs.map((_, k) => () => {
    found ??= unseen(() => runBackwards(cotangent as Node<readonly PartAttributes[]>, scan));
    return found[k]!();
  });
}

/** For each input of the loop, what makes its cotangent. */
function runBackwards(cotangents: Node<readonly PartAttributes[]>, scan: ScanNode): (() => Node | null)[] {
  const { body, recompute } = scan.attributes;
  const { count, isReversed, carries, rows, shared, next } = body;
  const zeros = ({ shape }: Node): Node => constant(0, 'float32', shape);
  const leafOf = ({ shape, backend }: Node): Node => placeholder('float32', shape, backend);

  // what comes back to the results of a turn: from the turn behind, and from outside
  const after = carries.map((leaf) => (isReal(leaf.dtype) ? leafOf(leaf) : null));
  const first = carries.map(zeros);
  const before = carries.map((): Node | null => null);
  const outside = new Map<Node, Node>();
  const seeds: [Node, Node][] = [];
  const seed = (of: Node, all: Node): void => {
    const leaf = leafOf(of);
    outside.set(leaf, all);
    seeds.push([of, leaf]);
  };
  cotangents.attributes.forEach(({ kind, of }, k) => {
    const given = cotangents.inputs[k]!;
    if (kind === 'all') {
      seed(of, given);
      return;
    }
    const carry = carries.indexOf(of);
    if (kind === 'last') {
      first[carry] = add(first[carry]!, given);
      return;
    }
    seed(next[carry]!, narrow(given, 0, isReversed ? 0 : 1, count));
    const start = reshape(narrow(given, 0, isReversed ? count : 0, 1), of.shape);
    before[carry] = before[carry] === null ? start : add(before[carry]!, start);
  });
  after.forEach((leaf, k) => {
    if (leaf !== null) seeds.push([next[k]!, leaf]);
  });
  const targets = [...carries, ...rows, ...shared];
  const pulled = pullBack(seeds, targets, true);
  const ofCarry = pulled.slice(0, carries.length);
  const ofRow = pulled.slice(carries.length, carries.length + rows.length);
  const ofShared = pulled.slice(carries.length + rows.length);

  // what all turns share receives the sum over all turns: of products outside of the loop, as one product
  const isOutside = (node: Node): boolean => outside.has(node);
  const rowOf = (node: Node): Node | null => {
    const given = outside.get(node);
    if (given !== undefined) return given;
    const row = rows.indexOf(node);
    if (row >= 0) return scan.inputs[carries.length + row]!;
    const carry = carries.indexOf(node);
    if (carry >= 0) return carriedOf(scan, carry, 'before');
    return body.inside.has(node) ? allOf(scan, node) : null;
  };
  const sums = ofShared.map((gradient) => (gradient === null ? null : SumOfTurns.of(gradient, count)));
  const sumsInside = ofShared.map((gradient, k) => (gradient !== null && sums[k] === null ? leafOf(gradient) : null));
  const wanted = sums.flatMap((sum) => sum?.operands ?? []).filter((node) => rowOf(node) === null);

  const turnsBack = after.flatMap((leaf, k) =>
    leaf === null ? [] : [{ leaf, next: ofCarry[k] ?? zeros(leaf), first: first[k]! }],
  );
  const summed = sumsInside.flatMap((leaf, k) =>
    leaf === null ? [] : [{ leaf, next: add(leaf, ofShared[k]!), first: zeros(leaf) }],
  );
  const carried = [...turnsBack, ...summed];
  const exact = exactInputs(body.inside);
  const isKept = keptOf(body.inside);
  const closed = closeBody({
    count,
    isReversed: !isReversed,
    carries: carried.map(({ leaf }) => leaf),
    rows: [...outside.keys()],
    next: carried.map((carry) => carry.next),
    outputs: [...ofRow.filter((gradient) => gradient !== null), ...wanted],
    isRow: (node) =>
      isOutside(node) ||
      rows.includes(node) ||
      carries.includes(node) ||
      (body.inside.has(node) && !recompute && (exact.has(node) || isKept(node))),
    isShared: (node) => shared.includes(node),
  });
  const back = makeScan(
    closed,
    carried.map((carry) => carry.first),
    closed.rows.map((node) => rowOf(node)!),
    closed.shared.map((node) => {
      const place = shared.indexOf(node);
      return place < 0 ? node : scan.inputs[carries.length + rows.length + place]!;
    }),
    recompute,
  );
  const place = (leaf: Node): number => closed.carries.indexOf(leaf);
  return [
    ...after.map((leaf, k) => (): Node | null => {
      if (leaf === null) return null;
      const whole = lastOf(back, place(leaf));
      const start = before[k];
      return start === null || start === undefined ? whole : add(whole, start);
    }),
    ...ofRow.map((gradient) => () => gradient && allOf(back, gradient)),
    ...ofShared.map((gradient, k) => (): Node | null => {
      if (gradient === null) return null;
      const leaf = sumsInside[k];
      if (leaf !== null && leaf !== undefined) return lastOf(back, place(leaf));
      return sums[k]!.make((operand) => rowOf(operand) ?? allOf(back, operand));
    }),
  ];
}

/**
 * Which values of a turn are kept for the way back: what loops of its own computed, or the device drew or looked up; with the
 * one step that follows at once, which the same kernel does.
 */
function keptOf(inside: ReadonlySet<Node>): (node: Node) => boolean {
  const consumers = new Map<Node, number>();
  for (const { inputs } of inside) for (const input of inputs) consumers.set(input, (consumers.get(input) ?? 0) + 1);
  const isNest = ({ primitive: { kind, access } }: Node): boolean =>
    kind === 'nest' || kind === 'boxes' || kind === 'part' || (kind === 'pointwise' && access !== undefined);
  const isFinished = (nest: Node): boolean => nest.primitive.kind === 'nest' && consumers.get(nest) === 1;
  return (node) =>
    isNest(node) ||
    (node.primitive.kind === 'pointwise' && node.inputs.some((input) => inside.has(input) && isFinished(input)));
}

/** What gradients compare with a value made of it (a maximum): computed again, it might differ in its last bit. */
function exactInputs(inside: ReadonlySet<Node>): Set<Node> {
  const found = new Set<Node>();
  for (const { primitive, inputs } of inside) {
    for (const k of primitive.exact ?? []) {
      let node = inputs[k] as Node;
      while (node.primitive.kind === 'view' || node.primitive.kind === 'transparent') node = node.inputs[0] as Node;
      found.add(node);
    }
  }
  return found;
}
