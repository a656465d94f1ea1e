/** Loops without loops: every turn as nodes of its own, for devices that repeat no steps, and for loops inside of loops. */
import type { Node } from '../graph/node.ts';
import { concat, stack } from '../ops/indexing.ts';
import { narrow, reshape } from '../ops/views.ts';
import { substitute } from './body.ts';
import type { PartAttributes, ScanAttributes } from './scan.ts';

/** For each turn what the nodes of the body are, and the carried values in the end. */
interface Turns {
  readonly of: readonly ((node: Node) => Node)[];
  readonly last: readonly Node[];
}

const written = new WeakMap<Node, Turns>();

export function writeOut(part: Node<PartAttributes>): Node {
  const scan = part.inputs[0] as Node;
  let turns = written.get(scan);
  if (turns === undefined) {
    turns = turnsOf(scan as Node<ScanAttributes>);
    written.set(scan, turns);
  }
  const { kind, of } = part.attributes;
  const { body } = (scan as Node<ScanAttributes>).attributes;
  if (kind === 'last') return turns.last[body.carries.indexOf(of)] as Node;
  const values = turns.of.map((node) => node(of));
  if (kind === 'all') return values.length === 0 ? part : stack(values);
  // the states: in front those before each turn, or in the end where turns go backwards
  const states = stack(body.isReversed ? [turns.last[body.carries.indexOf(of)] as Node, ...values] : values);
  if (body.isReversed) return states;
  const last = turns.last[body.carries.indexOf(of)] as Node;
  return concat([states, reshape(last, [1, ...last.shape])]);
}

function turnsOf({ inputs, attributes: { body } }: Node<ScanAttributes>): Turns {
  const { count, isReversed, carries, rows, shared, next } = body;
  let carried: readonly Node[] = inputs.slice(0, carries.length);
  const rest = inputs.slice(carries.length);
  const of = new Array<(node: Node) => Node>(count);
  for (let turn = 0; turn < count; turn++) {
    const at = isReversed ? count - 1 - turn : turn;
    const leaves = new Map<Node, Node>();
    for (const [k, leaf] of carries.entries()) leaves.set(leaf, carried[k] as Node);
    for (const [k, leaf] of rows.entries()) leaves.set(leaf, reshape(narrow(rest[k] as Node, 0, at, 1), leaf.shape));
    for (const [k, leaf] of shared.entries()) leaves.set(leaf, rest[rows.length + k] as Node);
    const found = substitute(body, leaves);
    of[at] = found;
    carried = next.map(found);
  }
  return { of, last: carried };
}
