/** Parameter: the only value that can be replaced. A tensor wherever a tensor is taken, always meaning its newest value. */
import type { DType, Shape } from './backend.ts';
import { captureStack } from './caller.ts';
import { allocate, type HostArray } from './dtype.ts';
import { ShapeError, ValueError } from './errors.ts';
import { hostLeaf, type Node } from './graph/node.ts';
import { currentRecorder } from './graph/recorder.ts';
import { assignNode, Variable } from './graph/variable.ts';
import { hostNode, laterNode, type NestedNumbers, type TensorOptions } from './host-data.ts';
import { cast } from './ops/functions.ts';
import { sameShape, show } from './shape.ts';
import { isTensor, nodeOf, Tensor } from './tensor.ts';

export interface ParameterOptions extends TensorOptions {
  /** Whether optimizers change it; true by default, and may be set later. */
  readonly trainable?: boolean;
  /** Whether it is state beside training (running statistics, counters): saved with the model, never trained. Default false. */
  readonly buffer?: boolean;
  /** For messages; models give their parameters the names of their fields. */
  readonly name?: string;
}

/**
 * A value that training replaces: weights, biases, running statistics, the moments of an optimizer.
 *
 * @example
 * import { parameter } from '@nn/core';
 * const count = parameter([0], { buffer: true });
 * count.assign(count.add(1));
 * console.log(await count.array()); // => [1]
 */
export class Parameter extends Tensor {
  /** Marks parameters. */
  readonly isParameter: true = true;
  /** @internal */
  readonly variable: Variable;

  /** @internal Parameters are made by `parameter`. */
  constructor(node: Node, { trainable = true, buffer = false, name = '' }: ParameterOptions) {
    super(node);
    this.variable = new Variable(node, name, buffer);
    this.variable.isFrozen = !trainable && !buffer;
    if (!buffer) this.variable.origin = captureStack();
  }

  /** Whether it is state beside training, such as running statistics. */
  get isBuffer(): boolean {
    return this.variable.isBuffer;
  }

  /** Whether it is to stay as it is: an optimizer does not change it, a BatchNorm does not move it. See `freeze`. */
  get frozen(): boolean {
    return this.#note(this.variable.isFrozen);
  }

  set frozen(frozen: boolean) {
    this.variable.isFrozen = frozen;
  }

  /** Whether optimizers change it from the next step on: neither a buffer nor frozen. Throws ValueError when set on a buffer. */
  get trainable(): boolean {
    return !this.isBuffer && !this.frozen;
  }

  set trainable(trainable: boolean) {
    if (trainable && this.isBuffer) {
      throw new ValueError(
        'trainable',
        `${this.name || 'the parameter'} is a buffer (running statistics, a counter), which is never trained: make it without { buffer: true }.`,
        { parameter: this.name },
      );
    }
    if (!this.isBuffer) this.frozen = !trainable;
  }

  /** A compiled function that asked is traced anew once the answer is another. */
  #note(answer: boolean): boolean {
    currentRecorder()?.frozen.set(this.variable, answer);
    return answer;
  }

  /** @internal */
  override get node(): Node {
    return this.variable.node;
  }

  /** @internal So a value that was only read can go on where it stands. */
  protected override get seen(): Node {
    return this.variable.seen;
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
        'assign',
        `${this.name || 'the parameter'} has the shape ${show(this.shape)}, the new value ${show(value.shape)}.`,
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
 * A parameter with an initial value: numbers, a typed array with a shape, or a tensor. A function that gives a typed array is
 * called when the value is needed for the first time, and never where another is assigned before: a model whose weights are
 * loaded from a file is there at once. It must give the same whenever it is called; `options` say shape and dtype (float32).
 *
 * @example
 * import { parameter } from '@nn/core';
 * const weight = parameter(new Float32Array(6), { shape: [2, 3], name: 'weight' });
 * console.log(weight.toString()); // => Parameter weight float32 [2, 3]
 */
export function parameter(
  value: Tensor | NestedNumbers | (() => HostArray),
  options: ParameterOptions = {},
): Parameter {
  if (typeof value === 'function') return owned(new Parameter(laterNode('parameter', value, options), options));
  if (!isTensor(value)) return owned(new Parameter(hostNode('parameter', value, options), options));
  const { dtype, shape, node } = value;
  if (node.storage !== null && node.storage.host !== null) {
    // a copy of its own: two parameters never share memory that one of them may give away
    return owned(new Parameter(hostLeaf(node.storage.host.slice(), dtype, shape, node.backend), options));
  }
  // the initial value is an expression: it is computed with the first program
  const initial = new Parameter(zeroLeaf(dtype, shape, node), options);
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
