/**
 * What a layer of Keras is once it has been built for its inputs, and what builds it. Owns no layer; the table of all of them
 * is `table.ts`, and who calls them in which order `graph.ts`.
 */
import { hostUniformLater, type Parameter, parameter, type Shape, type Tensor } from '@nn/core';
import type { JsonObject } from '../config/json.ts';
import type { Settings } from '../config/settings.ts';
import type { Constant, Slice } from '../config/topology.ts';
import { asValue, logical, type Value } from '../value.ts';
import { countOf, type Variable } from '../weights/variable.ts';

/** What a call of a layer is given beside its inputs, by Keras' names: `initial_state`, `attention_mask`, flags and numbers. */
export type CallOptions = Readonly<Record<string, Argument>>;
export type Argument = Value | Slice | Constant | boolean | number | string | null | undefined | readonly Argument[];

export function isValue(argument: Argument): argument is Value {
  return typeof argument === 'object' && argument !== null && 'tensor' in argument;
}

/** The tensors of an argument: one, or a list of them. */
export function valuesOf(argument: Argument): readonly Value[] {
  if (isValue(argument)) return [argument];
  // the cast: what is a list is one of arguments
  return Array.isArray(argument) ? (argument as readonly Argument[]).flatMap(valuesOf) : [];
}

/** The inputs with the masks that a call is given in `mask`, one or one for each input; they take the place of those that came along. */
export function withMasks(inputs: readonly Value[], { mask }: CallOptions): readonly Value[] {
  // the cast: what is a list is one of arguments
  const masks = Array.isArray(mask) ? (mask as readonly Argument[]) : [mask];
  return inputs.map((input, k) => {
    const given = masks[k];
    return isValue(given) ? { ...input, mask: logical(given) } : input;
  });
}

export interface BuiltLayer {
  /** What holds its parameters: layers of `@nn/layers`, or a record of such; null for none. */
  readonly module: object | null;
  /** In Keras' order of `layer.weights`. */
  readonly variables: readonly Variable[];
  call(inputs: readonly Value[], options: CallOptions): Value | readonly Value[];
}

/** What builders may ask of the model around them. */
export interface BuildContext {
  /** Builds a layer in a layer, as wrappers have them, from its description `{ class_name, config }`. */
  build(description: JsonObject, inputs: readonly Value[]): BuiltLayer;
  /** Throws where the model would hold more numbers than its file. Called before anything of these shapes is made. */
  reserve(settings: Settings, ...shapes: readonly Shape[]): void;
}

/** Builds a layer for the inputs of its first call; only their shapes and dtypes count. */
export type Builder = (settings: Settings, inputs: readonly Value[], context: BuildContext) => BuiltLayer;

/** The one input of a layer. */
export function onlyInput(settings: Settings, inputs: readonly Value[]): Value {
  const [input] = inputs;
  if (input === undefined) return settings.fail('is called without an input; the file is damaged.');
  return input;
}

/** The last size of Keras' shape: the channels, the features. */
export function lastSize(settings: Settings, { tensor, isMoved }: Value): number {
  const size = tensor.shape[isMoved ? 1 : tensor.rank - 1];
  if (tensor.rank < 1 || size === undefined) return settings.fail('the input has no axes.');
  return size;
}

/** Throws unless Keras' shape has so many axes. */
export function requireRank(settings: Settings, { tensor }: Value, ...ranks: readonly number[]): void {
  if (ranks.includes(tensor.rank)) return;
  settings.fail(
    `takes an input of ${ranks.join(' or ')} axes, the input has ${tensor.rank}: [${tensor.shape.join(', ')}].`,
  );
}

/** A layer without parameters whose result has the layout and the mask of its first input. */
export function elementwise(call: (tensor: Tensor, value: Value) => Tensor): Builder {
  return (settings) => ({
    module: null,
    variables: [],
    call: (inputs) => {
      const input = onlyInput(settings, inputs);
      return { ...input, tensor: call(input.tensor, input) };
    },
  });
}

/** A layer without parameters that needs Keras' order of axes, and gives it; its mask ends there. */
export function rearranging(make: (settings: Settings) => (tensor: Tensor) => Tensor): Builder {
  return (settings) => {
    const call = make(settings);
    return { module: null, variables: [], call: (inputs) => asValue(call(logical(onlyInput(settings, inputs)))) };
  };
}

/** A parameter of Keras' shape for layers that have no counterpart in nn, uniform in ±1 / sqrt(inputs). */
export function drawnParameter(shape: Shape, inputs: number): Parameter {
  const draw = hostUniformLater(countOf(shape));
  const bound = 1 / Math.sqrt(Math.max(1, inputs));
  return parameter(() => draw().map((value) => (value * 2 - 1) * bound), { shape });
}

/** A parameter of one value throughout. */
export function filledParameter(shape: Shape, value: number, buffer = false): Parameter {
  return parameter(() => new Float32Array(countOf(shape)).fill(value), { shape, buffer });
}
