/**
 * The graph: immutable nodes, checked when they are made. Owns nodes, leaves and lifted numbers; knows no operation.
 * A node keeps its inputs after it is realised, so that gradients can still be taken through it.
 */
import type { Backend, DType, Shape, TensorData } from '../backend.ts';
import { BackendError, DTypeError } from '../errors.ts';
import { sizeOf } from '../shape.ts';
import { hooks } from './hooks.ts';
import { definePrimitive, type Inputs, type None, type Primitive, type Types } from './primitive.ts';
import { Storage } from './storage.ts';

/** A number that is read anew each time a compiled function runs. */
export interface NumberSource {
  readonly read: () => number;
}

export class Node<A = unknown, I extends Inputs = Inputs> {
  storage: Storage | null = null;
  /** Why no gradient can pass through this node any more, where its inputs were let go. */
  cut: string | null = null;
  /** Scratch of graph walks: which walk saw the node last, and as what. */
  visit = 0;
  order = 0;
  readonly primitive: Primitive<A, I>;
  /** Let go (an empty list) where nobody can ask for a gradient through the node any more. */
  inputs: I;
  /**
   * Where the node was made in another way than was asked for, past nodes that somebody may hold (the transpose of a product is
   * the product of the transposes): makes it as asked for, of equal value.
   */
  asked: (() => Node) | null = null;
  readonly attributes: A;
  readonly dtype: DType;
  readonly shape: Shape;
  backend: Backend | null;

  constructor(
    primitive: Primitive<A, I>,
    inputs: I,
    attributes: A,
    dtype: DType,
    shape: Shape,
    backend: Backend | null,
  ) {
    this.primitive = primitive;
    this.inputs = inputs;
    this.attributes = attributes;
    this.dtype = dtype;
    this.shape = shape;
    this.backend = backend;
  }

  get size(): number {
    return sizeOf(this.shape);
  }
}

/** Nobody can ask for a gradient through the node any more. */
export function letInputsGo(node: Node): void {
  node.inputs = [];
  node.asked = null;
}

/** Applies a primitive: infers the type and checks that all inputs live on one backend. */
export function apply<A, I extends Inputs>(primitive: Primitive<A, I>, inputs: I, attributes: A): Node<A, I> {
  const type = primitive.infer(inputs as Types<I>, attributes);
  const node = new Node(primitive, inputs, attributes, type.dtype, type.shape, commonBackend(primitive.name, inputs));
  hooks.onNode?.(node as Node);
  return node;
}

/** The one backend of all nodes, or null where none has one yet. `what`: whom to move where there are two. */
export function commonBackend(operation: string, inputs: readonly Node[], what = 'tensor'): Backend | null {
  let backend: Backend | null = null;
  for (let i = 0; i < inputs.length; i++) {
    const other = inputs[i]!.backend;
    if (other === null || other === backend) continue;
    if (backend !== null) {
      throw new BackendError(
        operation,
        `its tensors live on two backends, '${backend.name}' and '${other.name}': await move(${what}, backend) first.`,
        { operation, backends: [backend.name, other.name] },
      );
    }
    backend = other;
  }
  return backend;
}

const neverAsked = (): never => {
  throw new Error('leaf, argument, scalar and constant make these nodes, and say their types');
};

/** A value in memory. */
export const Data: Primitive<null, None> = definePrimitive({
  name: 'data',
  kind: 'leaf',
  infer: neverAsked,
  lower: neverAsked,
});

/** The argument of a compiled function: a leaf whose memory is named at each call. */
export const Argument: Primitive<number, None> = definePrimitive({
  name: 'argument',
  kind: 'leaf',
  infer: neverAsked,
  key: (position) => [position],
  lower: neverAsked,
});

/**
 * What a function is called with to see what it makes of it: one row of `attributes`, or one turn of it. Never computed: whoever
 * called the function puts the whole in its place.
 */
export const Placeholder: Primitive<Node | null, None> = definePrimitive({
  name: 'placeholder',
  kind: 'leaf',
  infer: neverAsked,
  lower: neverAsked,
});

/** A number from user code: it reaches the device as a scalar argument, so its value never forks a plan. */
export const Scalar: Primitive<number, None> = definePrimitive({
  name: 'scalar',
  kind: 'source',
  infer: neverAsked,
  lower: neverAsked,
});

/** A number that belongs to the structure, repeated over a shape. Only library code makes these. */
export const Constant: Primitive<number, None> = definePrimitive({
  name: 'constant',
  kind: 'source',
  infer: neverAsked,
  key: (value) => [internNumber(value)],
  lower: (node, at) => at.constant(node.attributes, node.dtype),
});

const numberIds = new Map<string, number>();
function internNumber(value: number): number {
  const key = Object.is(value, -0) ? '-0' : String(value);
  let id = numberIds.get(key);
  if (id === undefined) {
    id = numberIds.size;
    numberIds.set(key, id);
  }
  return id;
}

export function leaf(storage: Storage, backend: Backend | null = storage.backend): Node<null> {
  const node = new Node(Data, [], null, storage.dtype, storage.shape, backend);
  node.storage = storage;
  return node;
}

/** A leaf with these values, or with those that a function gives once they are needed. */
export function hostLeaf(
  data: TensorData | (() => TensorData),
  dtype: DType,
  shape: Shape,
  backend: Backend | null = null,
): Node<null> {
  return leaf(new Storage(dtype, shape, data), backend);
}

export function argument(position: number, dtype: DType, shape: Shape, backend: Backend | null): Node<number> {
  return new Node(Argument, [], position, dtype, shape, backend);
}

export function placeholder(dtype: DType, shape: Shape, backend: Backend | null, of: Node | null = null): Node {
  return new Node(Placeholder, [], of, dtype, shape, backend) as Node;
}

export function scalar(value: number, dtype: DType): Node {
  if (dtype === 'int32' && !Number.isInteger(value)) {
    throw new DTypeError(
      '/whole-number',
      `${value} is not a whole number, but the tensor it meets is int32: cast that first: x.cast('float32').`,
    );
  }
  return new Node(Scalar, [], value, dtype, [], null);
}

export function constant(value: number, dtype: DType, shape: Shape = [], backend: Backend | null = null): Node {
  return new Node(Constant, [], value, dtype, shape, backend) as Node;
}

/** A number that the host knows before a kernel runs. */
export function isNumber({ primitive }: Node): boolean {
  return primitive === Scalar || primitive === Constant;
}

/** The constant that a node is, or null. Lets rules drop multiplications by 1 and sums with 0. */
export function constantValue(node: Node): number | null {
  return node.primitive.id === Constant.id ? (node.attributes as number) : null;
}
