/**
 * One variable of Keras (a kernel, a bias, a moving mean) and the parameters of nn's layers that hold its numbers: both
 * directions, as plain arrays on the host. The order of gates, axes and halves of biases is known here and nowhere else.
 */
import type { Parameter, Shape } from '@nn/core';

export interface Variable {
  /** Keras' name without that of its layer: 'kernel'. */
  readonly name: string;
  /** Where it lies below its layer in a `.weights.h5`: 'vars/0', 'cell/vars/1'. */
  readonly path: string;
  /** Keras' shape. */
  readonly shape: Shape;
  readonly isTrainable: boolean;
  /** The axes of space of a kernel, in Keras' shape: Theano convolved with kernels that are turned along them. */
  readonly space?: readonly number[];
  readonly parameters: readonly Parameter[];
  /** The values of each parameter, from those of Keras. */
  decode(values: Float32Array): readonly Float32Array[];
  /** Keras' values, from those of each parameter. */
  encode(values: readonly Float32Array[]): Float32Array;
}

export function countOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The values of an array of `shape` with its axes in another order. */
export function permuted(values: Float32Array, shape: Shape, axes: readonly number[]): Float32Array {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  const sizes = axes.map((axis) => shape[axis]!);
  const steps = axes.map((axis) => strides[axis]!);
  const result = new Float32Array(values.length);
  const index = new Array<number>(axes.length).fill(0);
  let from = 0;
  for (let at = 0; at < result.length; at++) {
    result[at] = values[from]!;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++index[axis]! < sizes[axis]!) break;
      from -= steps[axis]! * sizes[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

/** The values of an array of `shape` from the last to the first along some of its axes. */
export function flipped(values: Float32Array, shape: Shape, axes: readonly number[]): Float32Array {
  const result = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) {
    let [rest, from, stride] = [at, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis]!;
      const place = rest % size;
      rest = Math.floor(rest / size);
      from += (axes.includes(axis) ? size - 1 - place : place) * stride;
      stride *= size;
    }
    result[at] = values[from]!;
  }
  return result;
}

/** The order that undoes an order of axes. */
function inverse(axes: readonly number[]): number[] {
  return axes.map((_, k) => axes.indexOf(k));
}

interface Place {
  readonly name: string;
  readonly path: string;
  readonly isTrainable?: boolean;
}

/** A variable that is stored as Keras has it. */
export function plain(
  { name, path, isTrainable = true }: Place,
  parameter: Parameter,
  shape: Shape = parameter.shape,
): Variable {
  return {
    name,
    path,
    shape,
    isTrainable,
    parameters: [parameter],
    decode: (values) => [values],
    encode: ([values = new Float32Array()]) => values,
  };
}

/** A variable of `shape` whose axes are stored in another order: [k, in, out] as [out, in, k] by [2, 1, 0]. */
export function reordered(
  { name, path }: Place,
  parameter: Parameter,
  shape: Shape,
  axes: readonly number[],
): Variable {
  const stored = axes.map((axis) => shape[axis]!);
  return {
    name,
    path,
    shape,
    isTrainable: true,
    parameters: [parameter],
    decode: (values) => [permuted(values, shape, axes)],
    encode: ([values = new Float32Array()]) => permuted(values, stored, inverse(axes)),
  };
}

/** Rows of `width` numbers in groups, of which group `order[k]` becomes group k. */
function regrouped(values: Float32Array, groups: number, order: readonly number[]): Float32Array {
  const size = values.length / groups;
  const result = new Float32Array(values.length);
  order.forEach((from, to) => {
    result.set(values.subarray(from * size, (from + 1) * size), to * size);
  });
  return result;
}

/**
 * The kernel of a recurrent layer, [..., inputs, gates * units], as [gates * units, inputs, ...] in the order of gates of
 * PyTorch: gate k there is gate `order[k]` of Keras. (Keras: i f c o and z r h; PyTorch: i f g o and r z n.)
 */
export function gateKernel(place: Place, parameter: Parameter, shape: Shape, order: readonly number[]): Variable {
  const rank = shape.length;
  // [...k, in, out] to [out, in, ...k]
  const turned = reordered(place, parameter, shape, [rank - 1, rank - 2, ...shape.slice(2).map((_, k) => k)]);
  return {
    ...turned,
    decode: (values) => turned.decode(values).map((all) => regrouped(all, order.length, order)),
    encode: (values) => turned.encode(values.map((all) => regrouped(all, order.length, inverse(order)))),
  };
}

/**
 * The bias of a recurrent layer: [gates * units], or [2, gates * units] for inputs and state apart. PyTorch has always two, of
 * which the second stays 0 where Keras has one.
 */
export function gateBias(
  place: Place,
  bias: readonly [Parameter, Parameter?],
  shape: Shape,
  order: readonly number[],
): Variable {
  const [input, state] = bias;
  const isDouble = shape.length === 2 || countOf(shape) === 2 * input.size;
  return {
    name: place.name,
    path: place.path,
    shape,
    isTrainable: true,
    parameters: state ? [input, state] : [input],
    decode: (values) => {
      const half = input.size;
      const first = regrouped(values.slice(0, half), order.length, order);
      if (!state) return [first];
      return [first, isDouble ? regrouped(values.slice(half), order.length, order) : new Float32Array(half)];
    },
    encode: ([first = new Float32Array(), second = new Float32Array(first.length)]) => {
      const [a, b] = [first, second].map((half) => regrouped(half, order.length, inverse(order))) as [
        Float32Array,
        Float32Array,
      ];
      if (!isDouble) return a.map((value, k) => value + b[k]!);
      const both = new Float32Array(2 * a.length);
      both.set(a);
      both.set(b, a.length);
      return both;
    },
  };
}

/** The same variable below another path and name, as a wrapper has those of the layer in it. */
export function below(variable: Variable, path: string, name = ''): Variable {
  return { ...variable, path: `${path}/${variable.path}`, name: `${name}${variable.name}` };
}
