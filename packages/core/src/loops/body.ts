/**
 * The body of a loop: a graph of one turn, closed over what it uses from outside. Its leaves are names only: nodes of the graph
 * that stand for what each turn is given. Owns closing, the key, and putting other nodes in the place of the leaves.
 */
import type { DType } from '../backend.ts';
import { apply, Node, Scalar } from '../graph/node.ts';
import { inputsFirst } from '../graph/walk.ts';

export interface Body {
  readonly count: number;
  /** Turns go from the last row of the inputs to the first; rows of results lie where those of the inputs do. */
  readonly isReversed: boolean;
  /** The leaves, in the order of the loop's inputs: values carried from turn to turn, rows of inputs, what all turns share. */
  readonly carries: readonly Node[];
  readonly rows: readonly Node[];
  readonly shared: readonly Node[];
  /** For each carried value the one after the turn. */
  readonly next: readonly Node[];
  /** Every node of the graph, after its inputs. */
  readonly order: readonly Node[];
  readonly numbers: ReadonlyMap<Node, number>;
  /** Those that differ from turn to turn, without the leaves. */
  readonly inside: ReadonlySet<Node>;
  /** Equal for bodies of equal structure. */
  readonly key: readonly number[];
}

/** A body to be: what it computes, and the leaves that are known. */
export interface OpenBody extends Pick<Body, 'count' | 'isReversed' | 'carries' | 'next'> {
  readonly rows: readonly Node[];
  /** What is computed besides the carried values. */
  readonly outputs: readonly Node[];
  /** More leaves with rows, found on the way. */
  readonly isRow?: (node: Node) => boolean;
  /** Leaves that all turns share, known by these names already. */
  readonly isShared?: (node: Node) => boolean;
}

const none: readonly Node[] = [];

/** Finds what a body uses from outside: as little as possible, with views and constants inside. */
export function closeBody(open: OpenBody): Body {
  const { count, isReversed, carries, next, outputs, isRow, isShared } = open;
  const roots = [...next, ...outputs];
  const rows = [...open.rows];
  const given = new Set([...carries, ...rows]);
  const known = (node: Node): boolean => {
    if (given.has(node)) return true;
    if (isRow?.(node) !== true) return false;
    given.add(node);
    rows.push(node);
    return true;
  };
  const all = inputsFirst(roots, (node) => {
    return known(node) || node.storage !== null || isShared?.(node) === true ? none : node.inputs;
  });
  const inside = new Set<Node>();
  for (const node of all) {
    if (!given.has(node) && node.inputs.some((input) => given.has(input) || inside.has(input))) {
      if (node.storage === null && isShared?.(node) !== true) inside.add(node);
    }
  }
  const shared = new Set<Node>();
  const isOwn = (node: Node): boolean => {
    if (inside.has(node)) return true;
    if (given.has(node) || node.storage !== null || isShared?.(node) === true) return false;
    const { primitive } = node;
    // all sources but numbers of the user's, which change from run to run
    return (primitive.kind === 'source' && primitive !== Scalar) || primitive.kind === 'view';
  };
  const order = inputsFirst(roots, (node) => (isOwn(node) ? node.inputs : none));
  for (const node of order) if (!isOwn(node) && !given.has(node)) shared.add(node);
  const body = { count, isReversed, carries, rows, shared: [...shared], next, order, inside };
  const numbers = new Map(order.map((node, number) => [node, number]));
  return { ...body, numbers, key: keyOf(body, numbers) };
}

const dtypes: readonly DType[] = ['float32', 'int32', 'bool', 'float16', 'bfloat16', 'int8', 'uint8'];

function keyOf(
  { count, isReversed, carries, rows, shared, next, order }: Omit<Body, 'numbers' | 'key'>,
  numbers: ReadonlyMap<Node, number>,
): number[] {
  const leaves = new Map([...carries, ...rows, ...shared].map((leaf, place) => [leaf, place]));
  const number = (node: Node): number => numbers.get(node) as number;
  const key = [count, isReversed ? 1 : 0, carries.length, rows.length, order.length, ...next.map(number)];
  for (const node of order) {
    const { primitive, dtype, shape, inputs, attributes } = node;
    key.push(dtypes.indexOf(dtype), shape.length, ...shape);
    const leaf = leaves.get(node);
    if (leaf !== undefined) key.push(-1, leaf);
    else key.push(primitive.id, ...(primitive.key?.(attributes) ?? []), inputs.length, ...inputs.map(number));
  }
  return key;
}

/**
 * The graph of a body with other nodes in the place of its leaves, for computing only: transparent nodes are left out, and loops
 * inside of it are written out.
 */
export function substitute({ order }: Body, leaves: ReadonlyMap<Node, Node>): (node: Node) => Node {
  const made = new Map(leaves);
  const of = (node: Node): Node => made.get(node) as Node;
  for (const node of order) {
    if (made.has(node)) continue;
    const { primitive, inputs, attributes, dtype, shape } = node;
    if (primitive.kind === 'transparent') made.set(node, of(inputs[0]!));
    else if (primitive.kind === 'source') made.set(node, new Node(primitive, [], attributes, dtype, shape, null));
    else {
      const again = apply(primitive, inputs.slice(0, primitive.kind === 'part' ? 1 : undefined).map(of), attributes);
      made.set(node, primitive.writtenOut?.(again) ?? again);
    }
  }
  return of;
}
