/**
 * What an operation is: ONE object with its name, shape rule, gradient and loop body, in the order in which it is used: what
 * it means, what transformations of functions make of it, how a kernel computes it.
 * Owns the interface and the numbering of primitives; the primitives themselves stand in ops/.
 */
import type { Alu, Axes, BufferType, DType, Hint, Kernel, Shape, TensorData } from '../backend.ts';
import type { Index, IndexSpace } from './index-expression.ts';
import type { Node } from './node.ts';

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** The inputs of a primitive: a tuple where their number is fixed, so that its rules take them apart by name. */
export type Inputs = readonly Node[];
export type None = readonly [];
export type Unary = readonly [Node];
export type Binary = readonly [Node, Node];
export type Ternary = readonly [Node, Node, Node];

/** The types of the inputs. */
export type Types<I extends Inputs> = { readonly [K in keyof I]: TensorType };

/**
 * What goes back to one input. Nodes say what to compute and compute nothing, but even they take time to make: a function
 * is called only where somebody asked for the gradient of that input. Null: no gradient flows there.
 */
export type Cotangent = Node | (() => Node | null) | null;

/** One cotangent for each input; how many is known to the types where the number of inputs is fixed. */
export type Cotangents<I extends Inputs> = number extends I['length']
  ? readonly Cotangent[]
  : { readonly [K in keyof I]: Cotangent };

/** The position of an operation in the body that is being written. */
export type Value = number;

/**
 * How a primitive takes its place in a kernel.
 * - `leaf`: has memory of its own (data, parameters, arguments). `source`: computed from nothing but its position.
 * - `pointwise`: the output element i needs only the input elements i.
 * - `view`: an input element at another position, for free.
 * - `nest`: needs a loop of its own (a reduction over the axes that `reduction` gives).
 * - `boxes`: writes boxes of one buffer, a step each.
 * - `transparent`: is its first input; the others matter to the gradient only.
 * - `host`: the host computes it before the program runs, for which it is a leaf.
 * - `loop`: runs other kernels again and again (`loop`). Its values are those of its parts.
 * - `part`: one of the values of the loop that is its first input. A second input, once there is one, is what computes it on
 *   devices that repeat no steps.
 */
export type Kind =
  | 'leaf'
  | 'host'
  | 'source'
  | 'pointwise'
  | 'view'
  | 'nest'
  | 'boxes'
  | 'transparent'
  | 'loop'
  | 'part';

/**
 * How an input's elements are read, over the whole output: each `once` at most, or `many` times.
 * `stored` inputs must be in memory; `strided` ones behind views only that step evenly through that memory; `whole` ones in
 * memory in their own layout, behind no view, where half floats may stand for float32; `dense` ones are there as they are.
 */
export type Access = 'once' | 'many' | 'stored' | 'strided' | 'whole' | 'dense';

/** What `lower` writes its loop body with. */
export interface Lowering {
  readonly space: IndexSpace;
  /** The position of the element that is wanted, one index an axis of the node. */
  readonly index: readonly Index[];
  /** The indices along the axes that the node's own `reduction` runs over. */
  readonly reduced: readonly Index[];
  /** The element of an input at `index`. */
  input(position: number, index: readonly Index[]): Value;
  emit(op: Alu, dtype: DType, ...args: readonly Value[]): Value;
  constant(value: number, dtype: DType): Value;
  /** The index as an int32 value. */
  integer(index: Index): Value;
  /** low <= index < high, or null where that is always so. */
  inside(index: Index, low: number, high: number): Value | null;
  /** A computed int32 value as an index; values outside [min, max] are clamped. */
  computed(value: Value, min: number, max: number): Index;
  /** `input`, remembered as an operand that `hint` will name. */
  operand(position: number, index: readonly Index[]): Value;
}

/** Memory that a loop uses: that of a node outside of it, or its own. */
export type LoopMemory = Node | BufferType;

/** A kernel with the nodes that it reads from; `owner` is what it writes, or what it writes a box of. */
export interface LoweredKernel {
  readonly plan: {
    readonly owner: Node;
    readonly box: {
      readonly base: number | null;
      readonly start: readonly (number | { readonly input: number })[];
    } | null;
  };
  readonly kernel: Kernel;
  readonly reads: readonly Node[];
  /** For each read the element of the node that counts as its element 0. */
  readonly offsets: readonly number[];
  readonly scalars: readonly Node[];
  /** Reads whose every load is at the element being written. */
  readonly aligned: readonly number[];
  /** For each axis of the root the size of the inner loop that it became, or 1. */
  readonly splits: readonly number[];
}

/** A step whose memory has no numbers yet. */
export interface LoopStep {
  readonly kernel: Kernel;
  readonly reads: readonly { readonly from: LoopMemory; readonly offset: number; readonly move: number }[];
  readonly write: LoopMemory;
  readonly aligned: readonly number[];
  readonly piece?: { readonly base: LoopMemory | null; readonly offset: number; readonly move: number };
  readonly into?: { readonly base: LoopMemory | null; readonly shape: Shape; readonly start: readonly number[] };
}

export interface LoweredLoop {
  readonly count: number;
  readonly before: readonly LoopStep[];
  readonly turn: readonly LoopStep[];
  readonly after: readonly LoopStep[];
  readonly carried: readonly { readonly from: LoopMemory; readonly to: LoopMemory }[];
  /** Where each part that is wanted is found afterwards. */
  readonly parts: ReadonlyMap<Node, LoopMemory>;
}

/** A box of the output: its value at each position of the box, and where it starts (numbers, or 0-d int32 inputs by position). */
export interface Box {
  readonly input: number;
  readonly start: readonly (number | { readonly input: number })[];
}

export interface Primitive<A = unknown, I extends Inputs = Inputs>
  extends Meaning<A, I>,
    Transformations<A, I>,
    Computation<A, I> {
  readonly id: number;
  readonly name: string;
}

/** What the operation gives. */
interface Meaning<A, I extends Inputs> {
  infer(inputs: Types<I>, attributes: A): TensorType;
  /** The attributes as numbers: nodes are of one structure when primitive, shapes, dtypes and these are equal. */
  key?(attributes: A): readonly number[];
}

/** What transformations of functions make of the operation: a rule for each transformation, written with operations. */
interface Transformations<A, I extends Inputs> {
  /** The chain rule: the cotangents of the inputs from that of the result, which `node` is. Absent: not differentiable, and `gradients` says so. */
  gradient?(cotangent: Node, inputs: I, node: Node<A, I>): NoInfer<Cotangents<I>>;
  /** Inputs that no gradient goes back to, whatever the rule gives: the walk back does not enter them. */
  readonly withoutGradient?: readonly number[];
  /**
   * The operation on many rows at a time. An input that differs from row to row has the rows as a new first axis, and with it
   * one axis more than that of `node`; so has the result, which is of `size` rows. Absent in a pointwise primitive: it is the
   * same one on all inputs spread over the rows. Absent in another one: `vmap` says that it cannot.
   */
  batch?(inputs: I, node: Node<A, I>, size: number): Node;
  /** Of what stands for several cotangents together: all of them as one, in place of their sum. */
  joined?(terms: readonly Node<A, I>[]): Node;
  /** Of a pointwise primitive: whether the slope with respect to input `k` may be infinite or NaN. Absent: it never is. */
  steep?(inputs: I, k: number): boolean;
}

/** How kernels compute the operation. */
interface Computation<A, I extends Inputs> {
  readonly kind: Kind;
  /** Of a pointwise primitive: computing it again costs less than storing it. */
  readonly isCheap?: boolean;
  /** Of a pointwise primitive: how many simple operations it stands for in a kernel; 1 by default. */
  readonly operations?: number;
  /** Random numbers: where the device has no exact integers, the host draws them. */
  readonly isRandom?: boolean;
  /** Of a view: its elements lie in the same order as those of its input, so that both may share their memory. */
  readonly keepsOrder?: boolean;
  /** Of a view: where its elements start, if they are a run of those of its input, one after the other; else null. */
  run?(node: Node<A, I>): number | null;
  /** Of a view that permutes axes: the input's axis that becomes each axis. */
  order?(node: Node<A, I>): Axes;
  /** Of a nest: a kernel may walk its axes in another order, as long as the last one stays last. */
  readonly mayPermute?: boolean;
  /** Inputs that are compared with a stored value and so must be stored, never recomputed. */
  readonly exact?: readonly number[];
  /** How input `position` is read; by default once. */
  access?(node: Node<A, I>, position: number): Access;
  /** Of what the host computes: the elements, from those of the inputs. It changes none of them. */
  compute?(inputs: readonly TensorData[], node: Node<A, I>): TensorData;
  /** The element at `at.index`; for a nest, the value to reduce. */
  lower(node: Node<A, I>, at: Lowering): Value;
  reduction?(node: Node<A, I>): NonNullable<Kernel['reduce']>;
  /** What is made of the finished reduction; by default itself. */
  finish?(node: Node<A, I>, at: Lowering, accumulator: Value): Value;
  /** Inputs that only `finish` reads, at the element that it finishes. */
  readonly finishing?: readonly number[];
  /**
   * A larger word for the nest. `operands` are the positions that `lower` marked with `at.operand`; `loops` gives for each
   * axis of the node the loop of the kernel that walks it.
   */
  hint?(node: Node<A, I>, operands: readonly Value[], loops: Axes): Hint;
  /** Of a loop: the steps of a turn, and what is around them, for the parts that are wanted. `lower` makes kernels of nodes. */
  loop?(
    node: Node<A, I>,
    parts: readonly Node[],
    lower: (roots: readonly Node[]) => readonly LoweredKernel[],
  ): LoweredLoop;
  /** Of a part: what computes it where the device repeats no steps. */
  writtenOut?(node: Node<A, I>): Node;
  /** Boxes in the order of writing; the first may name an input that holds the rest. */
  boxes?(node: Node<A, I>): { readonly base: number | null; readonly boxes: readonly Box[] };
}

export type PrimitiveDefinition<A, I extends Inputs> = Omit<Primitive<A, I>, 'id'>;

let count = 0;

/**
 * What a definition may leave out. All primitives have all properties in one order, so that engines know them as objects of one
 * kind: every step asks each node of its graph for several, and asking objects of many kinds takes several times as long.
 */
const blank: object = {
  ...{ id: 0, name: '', kind: '', infer: undefined, key: undefined, lower: undefined },
  ...{ gradient: undefined, withoutGradient: undefined, batch: undefined, joined: undefined, steep: undefined },
  ...{ isCheap: undefined, operations: undefined, isRandom: undefined, keepsOrder: undefined, run: undefined },
  ...{ order: undefined, mayPermute: undefined, exact: undefined, access: undefined, compute: undefined },
  ...{ reduction: undefined, finish: undefined, finishing: undefined, hint: undefined, loop: undefined },
  ...{ writtenOut: undefined, boxes: undefined },
};

/**
 * Numbers a primitive. Plans compare primitives by these numbers.
 * A bundler may drop a primitive that nothing uses: its number is then nobody's.
 * @__NO_SIDE_EFFECTS__
 */
export function definePrimitive<A = null, I extends Inputs = Inputs>(
  definition: PrimitiveDefinition<A, I>,
): Primitive<A, I> {
  return { ...blank, ...definition, id: ++count };
}
