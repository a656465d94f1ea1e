/**
 * What a layer is, and the checks and start values that most layers share.
 * Owns no layer itself. Every layer is a plain class: its parameters are fields, found by walking them.
 */
import {
  checkRoom,
  hostUniformLater,
  isTensor,
  type Parameter,
  parameter,
  type Shape,
  ShapeError,
  showShape,
  type Tensor,
  treeChildren,
  ValueError,
} from '@nn/core';

/**
 * Anything with a `forward`. A class needs nothing else to be a layer: no base class and no registration.
 *
 * @example
 * import { parameters, tensor, type Tensor } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * class Twice {
 *   first = new Linear(2, 3);
 *   second = new Linear(3, 1);
 *   forward(x: Tensor): Tensor {
 *     return this.second.forward(this.first.forward(x).tanh());
 *   }
 * }
 * console.log(parameters(new Twice()).length); // => 4
 */
export interface Layer {
  /** The layer's result for `input`; checks the shapes at once, computes when the result is read. */
  forward(input: Tensor): Tensor;
  /** Whether `forward` takes `{ mask }` as its second argument, which Sequential then passes on. */
  readonly takesMask?: boolean;
  /** Multiplications of one call, for `summary`: from the shapes of the tensors it was given and of its result. */
  multiplyAdds?(inputs: readonly Shape[], output: Shape): number;
}

/** runningMean -> running_mean, as parameters are named. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Gives the values that stand in place of an object's fields when it is walked, so that parameters bear PyTorch's names. */
export function nameChildren(owner: object, children: () => Readonly<Record<string, unknown>>): void {
  Object.defineProperty(owner, treeChildren, { value: children });
}

/** The size of an axis that the layer has checked to be there. */
export function sizeAt({ shape }: { readonly shape: Shape }, axis: number): number {
  const size = shape[axis < 0 ? axis + shape.length : axis];
  if (size === undefined) throw new ShapeError('/axis', `${showShape(shape)} has no axis ${axis}.`, { shape, axis });
  return size;
}

/** The number of elements of a shape. */
export function countOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The axes of space, by how many there are. */
export const spaceNames: readonly string[] = ['', 'length', 'height, width', 'depth, height, width'];

/** A number for every axis of space: `3` and `[3, 3]` both mean 3 x 3. */
export function perAxis(layer: string, what: string, value: number | readonly number[], rank: number): number[] {
  const list = typeof value === 'number' ? new Array<number>(rank).fill(value) : value;
  if (!Array.isArray(list)) {
    throw new ShapeError(layer, `${what} is ${String(value)}: give one number, or a list of ${rank}.`, { layer });
  }
  if (list.length !== rank) {
    throw new ShapeError(
      layer,
      `${what} has ${list.length} numbers, the layer has ${rank} ${rank === 1 ? 'axis' : 'axes'} of space: give one number, or ${rank}.`,
      { layer, [what]: value },
    );
  }
  return [...list];
}

/** The values that one output of a weight [outputs, inputs, ...kernel] sums over: the size of everything but the first axis. */
export function fanIn(shape: Shape): number {
  return countOf(shape.slice(1));
}

/**
 * A trainable parameter drawn uniformly from (-bound, bound). With `bound = 1 / sqrt(fanIn)` it is PyTorch's default
 * for weights and biases (its `kaiming_uniform_(a = sqrt(5))`).
 */
export function uniformParameter(shape: Shape, bound: number): Parameter {
  checkRoom('parameter', shape);
  const draw = hostUniformLater(countOf(shape));
  const make = (): Float32Array => {
    const values = draw();
    for (let i = 0; i < values.length; i++) values[i] = (values[i]! * 2 - 1) * bound;
    return values;
  };
  return parameter(make, { shape });
}

/** A parameter of one value throughout; with `buffer` one that is never trained. */
export function constantParameter(shape: Shape, value: number, buffer = false): Parameter {
  checkRoom('parameter', shape);
  return parameter(() => new Float32Array(countOf(shape)).fill(value), { shape, buffer });
}

/** Equal pieces of an axis, by name. */
export function splitInto<const Name extends string>(
  names: readonly Name[],
  x: Tensor,
  axis = -1,
): Record<Name, Tensor> {
  const pieces = x.split(names.length, axis);
  // the cast: there is a piece for each name
  return Object.fromEntries(names.map((name, i) => [name, pieces[i]])) as Record<Name, Tensor>;
}

/** Throws unless `value` is a whole number of at least `least`. */
export function requireWhole(layer: string, what: string, value: number, least = 1): void {
  if (!Number.isInteger(value) || value < least) {
    throw new ShapeError(layer, `${what} is ${value}: it must be a whole number of at least ${least}.`, {
      layer,
      [what]: value,
    });
  }
}

/** Throws unless the input's last axis has `size` values. A layer is asked for its name only then. */
export function requireLastAxis(layer: object | string, input: Tensor, size: number, what = 'input'): void {
  // in JavaScript arrays come, too
  const last = input.shape?.[input.rank - 1];
  if (last === size) return;
  throw new ShapeError(
    String(layer),
    last === undefined
      ? `the ${what} is no tensor with axes: the last one must have ${size} values.`
      : `the last axis must have ${size} values, the ${what} ${showShape(input.shape)} has ${last}.`,
    { layer: String(layer), shape: input.shape, expected: size },
  );
}

/** Throws unless the input is [N, channels, ...space] with `rank` axes of space. */
export function requireSpace(layer: string, input: Tensor, rank: number): void {
  if (input.rank === rank + 2) return;
  throw new ShapeError(
    layer,
    `takes [N, channels, ${spaceNames[rank]}], got ${showShape(input.shape)} of rank ${input.rank}${input.rank === rank + 1 ? ': for a single sample add the axis of the batch: x.unsqueeze(0)' : ''}.`,
    { layer, shape: input.shape },
  );
}

/** Throws unless the input is [N, channels, ...] of one of the ranks. `names` are the axes after the channels. */
export function requireChannels(
  layer: string,
  input: Tensor,
  channels: number,
  ranks: readonly number[],
  names: string,
): void {
  if (!isTensor(input)) throw new ValueError(layer, 'the input is no tensor: tensor(data, { shape }).', { layer });
  const form = `[N, ${channels}${names === '' ? '' : `, ${names}`}]`;
  if (!ranks.includes(input.rank)) {
    throw new ShapeError(
      layer,
      `takes ${form}, got ${showShape(input.shape)} of rank ${input.rank}${ranks.includes(input.rank + 1) ? ': for a single sample add the axis of the batch: x.unsqueeze(0)' : ''}.`,
      { layer, shape: input.shape },
    );
  }
  if (input.shape[1] !== channels) {
    throw new ShapeError(layer, `takes ${form}, got ${showShape(input.shape)} with ${input.shape[1]} channels.`, {
      layer,
      shape: input.shape,
      expected: channels,
    });
  }
}
