/** Parameter: the only value that can be replaced. A tensor wherever a tensor is taken, always meaning its newest value. */
import type { DType, Shape } from './backend.ts';
import { allocate } from './dtype.ts';
import { ShapeError } from './errors.ts';
import { hostLeaf, type Node } from './graph/node.ts';
import { assignNode, Variable } from './graph/variable.ts';
import { hostNode, type NestedNumbers, type TensorOptions } from './host-data.ts';
import { cast } from './ops/functions.ts';
import { sameShape, show } from './shape.ts';
import { isTensor, nodeOf, Tensor } from './tensor.ts';

export interface ParameterOptions extends TensorOptions {
  /** Whether optimizers change it; true by default. Running statistics and counters are not trainable. */
  readonly trainable?: boolean;
  /** For messages; models give their parameters the names of their fields. */
  readonly name?: string;
}

/**
 * A value that training replaces: weights, biases, running statistics, the moments of an optimizer.
 *
 * @example
 * import { parameter } from '@nn/core';
 * const count = parameter([0], { trainable: false });
 * count.assign(count.add(1));
 * console.log(await count.array()); // => [1]
 */
export class Parameter extends Tensor {
  /** Marks parameters. */
  readonly isParameter: true = true;
  trainable: boolean;
  /** @internal */
  readonly variable: Variable;

  /** @internal Parameters are made by `parameter`. */
  constructor(node: Node, trainable: boolean, name: string) {
    super(node);
    this.variable = new Variable(node, name);
    this.trainable = trainable;
  }

  /** @internal */
  override get node(): Node {
    return this.variable.node;
  }

  get name(): string {
    return this.variable.name;
  }

  set name(name: string) {
    this.variable.name = name;
  }

  /** Whether an assigned value still waits for the program that computes it. */
  get isWaiting(): boolean {
    return this.variable.isDirty;
  }

  /**
   * Gives the parameter a new value of the same shape and dtype: immediate in meaning, computed with the next program.
   * No gradient passes through an assignment.
   */
  assign(value: Tensor): void {
    if (!sameShape(value.shape, this.shape)) {
      throw new ShapeError(
        `assign: ${this.name || 'the parameter'} has the shape ${show(this.shape)}, the new value ${show(value.shape)}.`,
        { parameter: this.name, shape: this.shape, value: value.shape },
      );
    }
    assignNode(this.variable, cast(nodeOf('assign', value), this.dtype));
  }

  override toString(): string {
    return `Parameter ${this.name === '' ? '' : `${this.name} `}${this.dtype} ${show(this.shape)}`;
  }
}

/** True for parameters; throws for those of another copy of this package. */
export function isParameter(value: unknown): value is Parameter {
  return isTensor(value) && 'isParameter' in value;
}

/**
 * A parameter with an initial value: numbers, a typed array with a shape, or a tensor.
 *
 * @example
 * import { parameter } from '@nn/core';
 * const weight = parameter(new Float32Array(6), { shape: [2, 3], name: 'weight' });
 * console.log(weight.toString()); // => Parameter weight float32 [2, 3]
 */
export function parameter(value: Tensor | NestedNumbers, options: ParameterOptions = {}): Parameter {
  const { trainable = true, name = '' } = options;
  if (!isTensor(value)) return owned(new Parameter(hostNode('parameter', value, options), trainable, name));
  const { dtype, shape, node } = value;
  if (node.storage !== null && node.storage.host !== null) {
    // a copy of its own: two parameters never share memory that one of them may give away
    return owned(new Parameter(hostLeaf(node.storage.host.slice(), dtype, shape, node.backend), trainable, name));
  }
  // the initial value is an expression: it is computed with the first program
  const initial = new Parameter(zeroLeaf(dtype, shape, node), trainable, name);
  initial.assign(value);
  return owned(initial);
}

function zeroLeaf(dtype: DType, shape: Shape, like: Node): Node {
  return hostLeaf(allocate(dtype, like.size), dtype, shape, like.backend);
}

function owned(made: Parameter): Parameter {
  const { storage } = made.variable.committed;
  if (storage !== null) made.variable.own(storage);
  return made;
}
