/**
 * A Keras model as a layer of nn: tensors in, tensors out, checked against what the file says of its inputs. Owns the edges
 * (order of axes, names of inputs) and the first run, in which everything is built; what is in between is `graph.ts`.
 */
import {
  evaluate,
  excerpt,
  isNNError,
  noGradient,
  type Shape,
  ShapeError,
  type Tensor,
  treeChildren,
  ValueError,
  zeros,
} from '@nn/core';
import type { Layer } from '@nn/layers';
import type { InputEntry, Topology } from './config/topology.ts';
import { type Budget, Graph, type Observer } from './graph.ts';
import type { LayerRegistry } from './layers/custom.ts';
import { asValue, channelsFirst, logical, type Value } from './value.ts';

/** Where pictures and volumes have their channels, at the edges of a model. */
export type Channels = 'first' | 'last';

/** What a model is given, in Keras' order of axes. */
export interface KerasInput {
  readonly name: string;
  /** With the batch in front; null for sizes that may be any. */
  readonly shape: readonly (number | null)[];
  readonly dtype: string;
}

/** A variable as `KerasModel.variables` tells it. */
export interface KerasVariableInfo {
  /** Keras' name, as 'dense/kernel'. */
  readonly name: string;
  /** Its place in a `.weights.h5` of Keras 3. */
  readonly path: string;
  /** Keras' shape. */
  readonly shape: Shape;
  readonly trainable: boolean;
}

export interface ModelOptions {
  readonly channels: Channels;
  readonly inputShapes: readonly (readonly (number | null)[])[] | null;
  readonly registry: LayerRegistry;
  readonly budget: Budget;
}

/** Sizes to try for axes that the file leaves open: parameters do not depend on them, but small ones may not fit. */
const guesses = [32, 224, 1024, 16];

/**
 * A model of Keras: made by `loadKeras`, or by `kerasModel` of layers of nn. A layer as any other: its parameters stand under
 * the names of Keras' layers and PyTorch's parameters ('conv2d.weight'), it can be trained, summarized, saved.
 */
export class KerasModel implements Layer {
  readonly name: string;
  readonly inputs: readonly KerasInput[];
  /** The layers that give the outputs, by name. */
  readonly outputs: readonly string[];
  readonly channels: Channels;
  /** @internal */
  readonly graph: Graph;

  /** @internal Models are made by `loadKeras` and `kerasModel`. */
  constructor(topology: Topology, options: ModelOptions) {
    this.name = topology.name;
    this.channels = options.channels;
    this.inputs = topology.inputs.map((input, k) => inputOf(input, options.inputShapes?.[k]));
    this.outputs = topology.outputs.map(({ layer }) => layer);
    this.graph = build(topology, this.inputs, options);
    Object.defineProperty(this, treeChildren, { value: () => this.graph.children() });
  }

  /** The model's result for its inputs, in the order of `inputs`. Throws ValueError for models of several outputs, and ShapeError for inputs of another shape. */
  forward(...inputs: Tensor[]): Tensor {
    if (this.outputs.length > 1) {
      throw new ValueError(
        'KerasModel',
        `'${excerpt(this.name)}' has ${this.outputs.length} outputs (${this.outputs.map((name) => excerpt(name)).join(', ')}): forwardAll(...inputs) gives them all.`,
        { outputs: this.outputs },
      );
    }
    return this.forwardAll(...inputs)[0]!;
  }

  /** All results, in the order of `outputs`. */
  forwardAll(...inputs: Tensor[]): Tensor[] {
    return this.graph.run(inputs.map((tensor, k) => this.#enter(tensor, k))).map((value) => this.#leave(value));
  }

  #isFirst(rank: number): boolean {
    return this.channels === 'first' && rank > 3;
  }

  #enter(tensor: Tensor, at: number): Value {
    const input = this.inputs[at];
    const value = asValue(tensor, this.#isFirst(tensor.rank));
    if (!input) return value;
    const expected = input.shape;
    const isFirst = this.#isFirst(expected.length);
    const wanted = isFirst ? [expected[0] ?? null, expected.at(-1) ?? null, ...expected.slice(1, -1)] : expected;
    const fits =
      wanted.length === tensor.rank &&
      wanted.every((size, axis) => axis === 0 || size === null || size === tensor.shape[axis]);
    if (fits) return value;
    const form = `[N, ${wanted
      .slice(1)
      .map((size) => size ?? 'any')
      .join(', ')}]`;
    const other =
      tensor.rank > 3
        ? `; this model takes its channels ${this.channels}, { channels: '${isFirst ? 'last' : 'first'}' } of loadKeras turns that round`
        : '';
    throw new ShapeError(
      'KerasModel',
      `the input '${excerpt(input.name)}' is ${form}, got [${tensor.shape.join(', ')}]${other}.`,
      {
        input: input.name,
        expected: wanted,
        shape: tensor.shape,
      },
    );
  }

  #leave(value: Value): Tensor {
    return this.#isFirst(value.tensor.rank) ? channelsFirst(value) : logical(value);
  }

  /** Keras' variables, in Keras' order. */
  get variables(): readonly KerasVariableInfo[] {
    return this.graph.variables().map(({ name, path, shape, isTrainable, parameters }) => ({
      ...{ name, path, shape },
      trainable: isTrainable && parameters.every(({ frozen }) => !frozen),
    }));
  }

  /**
   * Tells what each call gives, its shapes and masks, of runs of which nothing is computed: one, or for inputs of any size two of
   * different sizes.
   * @internal
   */
  observe(observer: Observer): void {
    const isOpen = this.inputs.some(({ shape }) => shape.slice(1).includes(null));
    let runs = isOpen ? 2 : 1;
    for (const guess of guesses) {
      try {
        evaluate(() => noGradient(() => this.graph.run(inputsOfZeros(this.inputs, guess), observer)));
        if (--runs === 0) return;
      } catch (error) {
        if (!isNNError(error)) throw error;
      }
    }
  }

  toString(): string {
    return `KerasModel(${this.name})`;
  }
}

function inputOf({ layer, shape, dtype }: InputEntry, given: readonly (number | null)[] | undefined): KerasInput {
  if (given) return { name: layer, shape: [null, ...given], dtype };
  if (shape) return { name: layer, shape, dtype };
  throw new ValueError(
    'loadKeras',
    `the file does not say which shape the input '${excerpt(layer)}' has: give it, without the batch: { inputShape: [28, 28, 1] }.`,
    { input: layer },
  );
}

function inputsOfZeros(inputs: readonly KerasInput[], guess: number): Value[] {
  return inputs.map(({ shape, dtype }) => {
    const sizes = shape.map((size, axis) => (axis === 0 ? 1 : (size ?? guess)));
    return asValue(zeros(sizes, { dtype: /int/.test(dtype) ? 'int32' : 'float32' }));
  });
}

/** Runs the graph once on zeros, of which nothing is computed: that builds every layer. */
function build(topology: Topology, inputs: readonly KerasInput[], { registry, budget }: ModelOptions): Graph {
  const isOpen = inputs.some(({ shape }) => shape.slice(1).includes(null));
  const whole = budget.left;
  let first: unknown;
  for (const guess of isOpen ? guesses : guesses.slice(0, 1)) {
    budget.left = whole;
    const graph = new Graph(topology, registry, budget);
    try {
      evaluate(() => noGradient(() => graph.run(inputsOfZeros(inputs, guess))));
      return graph;
    } catch (error) {
      first ??= error;
      if (!isNNError(error)) throw error;
    }
  }
  throw first;
}
