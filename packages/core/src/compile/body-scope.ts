/**
 * Nodes inside of one body of a kernel: each is evaluated at the element that its consumer wants, once for each element, and
 * primitives write what they compute through it. Which nodes are stored, and the kernel around, are the caller's.
 */
import type { Index } from '../graph/index-expression.ts';
import { type Node, Scalar } from '../graph/node.ts';
import type { Lowering, Value } from '../graph/primitive.ts';
import type { BodyWriter } from './body.ts';
import { resolve } from './trace.ts';

/** What a body asks of the kernel that it is part of. */
export interface KernelNodes {
  /** Whether the node is in memory when the kernel runs, */
  isStored(node: Node): boolean;
  /** or it is this kernel that makes it. */
  isComputedHere(node: Node): boolean;
  /** The place of the node among the kernel's reads, */
  read(node: Node): number;
  /** and of a number among its scalars. */
  scalar(node: Node): number;
  /** The value is an operand of the nest's hint: its input of that position. */
  operand(value: Value, input: number): void;
  /** The node was computed in the body. */
  noteInlined(node: Node): void;
}

/** Evaluates nodes in one body. The same element of the same node is evaluated once. */
export class BodyScope {
  readonly writer: BodyWriter;
  readonly #kernel: KernelNodes;
  readonly #reduced: readonly Index[];
  readonly #known = new Map<string, Value>();

  constructor(kernel: KernelNodes, writer: BodyWriter, reduced: readonly Index[]) {
    this.#kernel = kernel;
    this.writer = writer;
    this.#reduced = reduced;
  }

  preset(node: Node, index: readonly Index[], value: Value): void {
    this.#known.set(placeKey(node, index), value);
  }

  evaluate(requested: Node, index: readonly Index[]): Value {
    const node = resolve(requested);
    const key = placeKey(node, index);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const value = this.#compute(node, index);
    this.#known.set(key, value);
    return value;
  }

  lower(node: Node, index: readonly Index[]): Value {
    return node.primitive.lower(node, this.at(node, index));
  }

  at(node: Node, index: readonly Index[]): Lowering {
    const { writer } = this;
    const kernel = this.#kernel;
    return {
      space: writer.space,
      index,
      reduced: this.#reduced,
      input: (position, at) => this.evaluate(node.inputs[position]!, at),
      emit: (op, dtype, ...args) => writer.emit(op, dtype, ...args),
      constant: (value, dtype) => writer.constant(value, dtype),
      integer: (at) => writer.integer(at),
      inside: (at, low, high) => writer.inside(at, low, high),
      computed: (value, min, max) => {
        const low = writer.emit('max', 'int32', value, writer.constant(min, 'int32'));
        return writer.space.computed(writer.emit('min', 'int32', low, writer.constant(max, 'int32')), min, max);
      },
      operand: (position, at) => {
        const value = this.evaluate(node.inputs[position]!, at);
        kernel.operand(value, position);
        return value;
      },
    };
  }

  #compute(node: Node, index: readonly Index[]): Value {
    if (node.size === 0) return this.writer.constant(0, node.dtype);
    if (this.#kernel.isStored(node) && !this.#kernel.isComputedHere(node)) {
      const flat = this.writer.integer(this.writer.space.flatten(index, node.shape));
      return this.writer.load(this.#kernel.read(node), flat, node.dtype);
    }
    if (node.primitive === Scalar) return this.writer.scalar(this.#kernel.scalar(node), node.dtype);
    this.#kernel.noteInlined(node);
    return this.lower(node, index);
  }
}

function placeKey(node: Node, index: readonly Index[]): string {
  let key = `${node.order}`;
  for (const { id } of index) key += `,${id}`;
  return key;
}
