/**
 * The first stage of compiling: one walk over what is asked for. Yields the nodes to compute, the memory and the numbers
 * they start from, and a key that is equal exactly for graphs of equal structure. Decides nothing about kernels.
 */
import { StaleTensorError } from '../errors.ts';
import { Argument, apply, type Node, Scalar } from '../graph/node.ts';
import { lossOf, type Storage } from '../graph/storage.ts';
import { nextVisit } from '../graph/walk.ts';
import { Cast } from '../ops/functions.ts';
import { KeyStream } from './key-stream.ts';

export interface Trace {
  /** Every node to compute, after its inputs. `node.order` is its place here until the next walk. */
  readonly order: readonly Node[];
  /** One node for each distinct memory: realised nodes, arguments, what the host will compute, in the order they were met. */
  readonly leaves: readonly Node[];
  /** The lifted numbers, in the order they were met. */
  readonly numbers: readonly Node[];
  /** Random tensors that the host draws, where the device has no exact integers. */
  readonly drawn: readonly Node[];
  /** What was asked for, behind transparent nodes. */
  readonly roots: readonly Node[];
  /** For each donor its leaf, or -1 where the graph does not read it. */
  readonly donors: readonly number[];
  readonly key: Int32Array;
  readonly hash: number;
}

/** The node whose value this one is. */
export function resolve(node: Node): Node {
  let source = node;
  while (source.storage === null) {
    const { kind } = source.primitive;
    const behind = kind === 'transparent' ? source.inputs[0] : kind === 'part' ? source.inputs[1] : undefined;
    if (behind === undefined) break;
    source = behind;
  }
  return source;
}

/** Whether the host must compute the node before a program can read it. */
export function awaitsHost({ storage, primitive }: Node): boolean {
  return storage === null && primitive.kind === 'host';
}

/** Whether a program starts from the node: what is behind it is no concern of the program's. */
export function isLeaf({ storage, primitive }: Node): boolean {
  return storage !== null || primitive.kind === 'leaf' || primitive.kind === 'host';
}

/** The same on a device that repeats no steps: parts of loops have every turn behind them from then on. */
function writtenOut(node: Node): Node {
  let source = resolve(node);
  while (source.storage === null && source.primitive.writtenOut !== undefined) {
    source.inputs = [source.inputs[0]!, source.primitive.writtenOut(source)];
    source = resolve(source);
  }
  return source;
}

/** The node in whose memory the elements of another one lie in a row, and at which of its elements they start. */
export function runOf(node: Node): { readonly node: Node; readonly start: number } {
  let source = resolve(node);
  let start = 0;
  while (source.storage === null) {
    const more = source.primitive.keepsOrder === true ? 0 : (source.primitive.run?.(source) ?? null);
    if (more === null) break;
    start += more;
    source = resolve(source.inputs[0]!);
  }
  return { node: source, start };
}

/** The node in whose memory the elements of a view lie. */
export function behindViews(node: Node): Node {
  let source = resolve(node);
  while (source.storage === null && source.primitive.kind === 'view') source = resolve(source.inputs[0]!);
  return source;
}

/**
 * What is asked for, and before a value that its gradient compares with what it was computed from (a maximum) that as
 * well: computed again in another kernel it might differ in its last bit, and then nothing equals the maximum.
 */
export function withCompared(nodes: readonly Node[]): Node[] {
  const all: Node[] = [];
  for (const node of nodes) {
    const { storage, primitive, inputs } = resolve(node);
    if (storage === null && primitive.exact !== undefined) {
      for (const k of primitive.exact) {
        const source = behindViews(inputs[k]!);
        if (source.storage === null && source.inputs.length > 0) all.push(source);
      }
    }
    all.push(node);
  }
  return all;
}

/** What is asked for is computed: a random tensor that the host draws is only an input, so a copy of it stands in its place. */
function behindDrawn(node: Node): Node {
  return node.storage === null && node.primitive.isRandom === true ? apply(Cast, [node], node.dtype) : node;
}

/** The random tensor that a root is a copy of, or null. No other cast is to the dtype that a tensor has. */
export function drawnBehind({ primitive, inputs: [source], dtype }: Node): Node | null {
  if (primitive !== Cast || source === undefined) return null;
  return source.primitive.isRandom === true && source.dtype === dtype ? source : null;
}

/** Used by one walk at a time. */
const stream = new KeyStream();

/** Keys of late, by their hash: a step has the key of the one before, and a typed array is dear to make. */
const lately = new Map<number, Int32Array>();
const mostLately = 64;
/** Numbers in a key that is kept: of large graphs another copy costs little beside the rest. */
const longestLately = 2 ** 14;

/** What was written, as a key. */
function keyOf(hash: number): Int32Array {
  const known = lately.get(hash);
  if (known !== undefined && stream.equals(known)) return known;
  const key = stream.take();
  if (key.length > longestLately) return key;
  if (lately.size === mostLately) lately.clear();
  lately.set(hash, key);
  return key;
}

/** Walks from `requested`; which leaves the `donors` are belongs to the key. */
export function traceGraph(
  requested: readonly Node[],
  drawOnHost: boolean,
  donors: readonly (Storage | null)[],
  hasLoops = true,
): Trace {
  stream.clear();
  const visit = nextVisit();
  const order: Node[] = [];
  const leaves: Node[] = [];
  const numbers: Node[] = [];
  const drawn: Node[] = [];
  const found = (node: Node): Node => (hasLoops ? resolve(node) : writtenOut(node));
  const roots = requested.map((node) => (drawOnHost ? behindDrawn(found(node)) : found(node)));
  // for each node on the way its inputs, and how many of them were looked at
  const stack: Node[] = [];
  const inputsOf: (readonly Node[])[] = [];
  const progress: number[] = [];
  const enter = (node: Node): void => {
    node.visit = visit;
    if (isLeaf(node)) {
      node.order = order.length;
      order.push(node);
      pushLeaf(node, visit, leaves);
      return;
    }
    stack.push(node);
    inputsOf.push(node.inputs);
    progress.push(0);
  };
  // the last root first: gradients are asked for in the order of the layers and come in the other one, so each is finished
  // as soon as its cotangent is there, which need not wait in memory
  for (let k = roots.length - 1; k >= 0; k--) {
    const root = roots[k]!;
    if (root.visit !== visit) enter(root);
    while (stack.length > 0) {
      const top = stack.length - 1;
      const inputs = inputsOf[top]!;
      const next = progress[top]!;
      if (next < inputs.length) {
        progress[top] = next + 1;
        const input = found(inputs[next]!);
        if (input.visit !== visit) enter(input);
        continue;
      }
      const node = stack.pop()!;
      inputsOf.pop();
      progress.pop();
      node.order = order.length;
      order.push(node);
      pushNode(node);
      if (node.primitive === Scalar) numbers.push(node);
      else if (drawOnHost && node.primitive.isRandom === true) drawn.push(node);
    }
  }
  for (const root of roots) stream.push(root.order);
  const donorLeaves = donors.map((donor) => (donor !== null && donor.visit === visit ? donor.order : -1));
  for (const leaf of donorLeaves) stream.push(leaf);
  const hash = stream.hash();
  return { order, leaves, numbers, drawn, roots, donors: donorLeaves, key: keyOf(hash), hash };
}

/** Leaves are named by their memory, so x * x and x * y differ, and two handles on one memory do not. */
function pushLeaf(node: Node, visit: number, leaves: Node[]): void {
  const { storage } = node;
  let number = leaves.length;
  if (storage !== null) {
    const loss = lossOf(storage);
    if (loss !== null) throw loss;
    if (storage.spentBy !== null) throw staleError(storage.spentBy);
    if (storage.visit === visit) {
      number = storage.order;
    } else {
      storage.visit = visit;
      storage.order = number;
      leaves.push(node);
    }
  } else if (node.primitive === Argument || awaitsHost(node)) {
    leaves.push(node);
  } else {
    throw new StaleTensorError(
      '/no-memory',
      'A value was read that belongs to one row or turn of a function that vmap, scan or another transformation called: return it from there instead.',
    );
  }
  stream.memory(-1, node.dtype, node.shape);
  stream.push(number);
}

function pushNode(node: Node): void {
  const { inputs } = node;
  stream.operation(node);
  for (let i = 0; i < inputs.length; i++) stream.push(resolve(inputs[i]!).order);
}

export function staleError(parameter: string): StaleTensorError {
  return new StaleTensorError(
    '/spent',
    `This value was never computed, and needs the value of ${parameter || 'a parameter'} from before the last step, whose memory the new value took. ` +
      'Compute it in the same step, optimizer.step(loss, value), or read it before: await value.data().',
    { parameter },
  );
}
