/**
 * What the architectures share: names of parameters as in the files of others, start values, activations by their names in
 * config.json. Owns no architecture.
 */
import {
  checkRoom,
  FormatError,
  hostNormalLater,
  type Parameter,
  parameter,
  type Shape,
  ShapeError,
  type Tensor,
  treeChildren,
  ValueError,
} from '@nn/core';
import { Embedding, type Layer, Linear } from '@nn/layers';

/** Gives the values that stand in place of an object's fields when it is walked: parameters then bear these very names. */
export function nameParts(owner: object, parts: () => Readonly<Record<string, unknown>>): void {
  const children = (): Record<string, unknown> =>
    Object.fromEntries(Object.entries(parts()).map(([name, part]) => [name, exact(part)]));
  Object.defineProperty(owner, treeChildren, { value: children });
}

/** Records as maps, whose keys are names as they stand: fields of objects would be written in snake_case. */
function exact(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(exact);
  if (typeof part !== 'object' || part === null || Object.getPrototypeOf(part) !== Object.prototype) return part;
  return new Map(Object.entries(part).map(([name, value]) => [name, exact(value)]));
}

/** A parameter drawn from the normal distribution. */
export function normalParameter(shape: Shape, standardDeviation: number): Parameter {
  checkRoom('parameter', shape);
  const count = shape.reduce((product, size) => product * size, 1);
  return parameter(hostNormalLater(count, standardDeviation), { shape });
}

/** A Linear layer with normal weights and a bias of 0, as these architectures start. */
export function normalLinear(inputs: number, outputs: number, standardDeviation: number, bias = true): Linear {
  const layer = new Linear(inputs, outputs, { bias });
  layer.weight = normalParameter([outputs, inputs], standardDeviation);
  if (bias) layer.bias = parameter(new Float32Array(outputs));
  return layer;
}

/** A table with normal values; `tied` where it makes the scores of the output, too. */
export function normalEmbedding(count: number, dimension: number, standardDeviation: number, tied = false): Embedding {
  const layer = new Embedding(count, dimension);
  layer.tied = tied;
  layer.weight = normalParameter([count, dimension], standardDeviation);
  return layer;
}

/** A Linear layer whose weight is [inputs, outputs], as GPT-2 stores it. */
export class Conv1D implements Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** The weight is [inputs, outputs]: for what adapts or counts layers. */
  readonly fanInFanOut: true = true;
  weight: Parameter;
  bias: Parameter;

  constructor(inputs: number, outputs: number, standardDeviation: number) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.weight = normalParameter([inputs, outputs], standardDeviation);
    this.bias = parameter(new Float32Array(outputs));
  }

  forward(input: Tensor): Tensor {
    return input.matmul(this.weight).add(this.bias);
  }
}

/** The names that config.json has for activations. */
export type ActivationName = 'gelu' | 'gelu_new' | 'gelu_pytorch_tanh' | 'relu' | 'silu' | 'swish' | 'tanh';

const activations: Readonly<Record<ActivationName, (x: Tensor) => Tensor>> = {
  gelu: (x) => x.gelu(),
  gelu_new: (x) => x.gelu('tanh'),
  gelu_pytorch_tanh: (x) => x.gelu('tanh'),
  relu: (x) => x.relu(),
  silu: (x) => x.silu(),
  swish: (x) => x.silu(),
  tanh: (x) => x.tanh(),
};

/** An activation by its name. Throws ValueError for one that is not known. */
export function activationOf(operation: string, name: ActivationName): (x: Tensor) => Tensor {
  if (Object.hasOwn(activations, name)) return activations[name];
  throw new ValueError(
    operation,
    `the activation '${name}' is not known: ${Object.keys(activations).join(', ')} are.`,
    {
      activation: name,
    },
  );
}

/** Throws ShapeError unless ids are [N, L] with L within what the model has positions for. */
export function checkIds(
  operation: string,
  ids: Tensor,
  most: number = Number.POSITIVE_INFINITY,
): readonly [number, number] {
  const [batch, length] = ids.shape;
  if (ids.rank !== 2 || batch === undefined || length === undefined) {
    throw new ShapeError(operation, `takes ids [N, length], got [${ids.shape.join(', ')}].`, { shape: ids.shape });
  }
  if (length > most) {
    throw new ShapeError(
      operation,
      `${length} tokens are ${length - most} more than the ${most} positions of the model: cut the text (maxLength of the tokenizer's batch).`,
      { length, most },
    );
  }
  return [batch, length];
}

/** No vocabulary, width or context is larger. */
const MOST_SIZE = 2 ** 24;

/** Throws ValueError unless sizes are whole numbers from 1, and such as networks have. */
export function checkSizes(operation: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (Number.isInteger(size) && size > MOST_SIZE) {
      throw new ValueError(operation, `${name} is ${size}: it must be at most ${MOST_SIZE}.`, { [name]: size });
    }
    if (Number.isInteger(size) && size >= 1) continue;
    throw new ValueError(operation, `${name} is ${size}: it must be a whole number of at least 1.`, { [name]: size });
  }
}

/** Throws ShapeError where the width does not divide into heads. */
export function checkHeads(operation: string, dimension: number, heads: number): void {
  if (dimension % heads === 0) return;
  throw new ShapeError(operation, `the dimension ${dimension} does not divide into ${heads} heads.`, {
    dimension,
    heads,
  });
}

/** The deepest networks that were published have a thousand. */
const MOST_LAYERS = 4096;

/** Reads the fields of a config.json. Throws FormatError, with the field's name, for what is missing or of another type. */
export class Configuration {
  readonly json: Readonly<Record<string, unknown>>;

  constructor(json: object) {
    this.json = json as Readonly<Record<string, unknown>>;
  }

  number(name: string, otherwise?: number): number {
    const value = this.json[name] ?? otherwise;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    return this.#wrong(name, 'a number', value);
  }

  /** How many layers. Throws for more than any network has: each would be made before a weight is missed. */
  depth(name: string, otherwise?: number): number {
    const value = this.number(name, otherwise);
    return value <= MOST_LAYERS ? value : this.#wrong(name, `at most ${MOST_LAYERS}`, value);
  }

  text(name: string, otherwise?: string): string {
    const value = this.json[name] ?? otherwise;
    return typeof value === 'string' ? value : this.#wrong(name, 'a text', value);
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.json[name] ?? otherwise;
    return typeof value === 'boolean' ? value : this.#wrong(name, 'true or false', value);
  }

  /** Throws where a field has a value that the architecture here does not have. */
  only(name: string, ...values: readonly unknown[]): void {
    const value = this.json[name];
    if (value === undefined || values.includes(value)) return;
    throw new FormatError(
      'fromPretrained/config',
      `${name} is ${JSON.stringify(value)}, but only ${values.map((each) => JSON.stringify(each)).join(' or ')} is supported.`,
      { field: name },
    );
  }

  /** An activation by its name in a field, or by `value` where the field says it in other words. */
  activation(name: string, otherwise: ActivationName, value: string = this.text(name, otherwise)): ActivationName {
    if (Object.hasOwn(activations, value)) return value as ActivationName; // the cast: it is a key of them
    throw new FormatError('fromPretrained/config', `${name} is '${value}', an activation that is not known.`, {
      field: name,
    });
  }

  #wrong(name: string, what: string, value: unknown): never {
    throw new FormatError(
      'fromPretrained/config',
      value === undefined || value === null
        ? `config.json has no '${name}', which must be ${what}.`
        : `${name} of config.json must be ${what}, it is ${JSON.stringify(value)}.`,
      { field: name },
    );
  }
}
