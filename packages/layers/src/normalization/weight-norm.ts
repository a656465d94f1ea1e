/** A weight as a direction and a length. Owns the exchange of a layer's parameter for the two, and back. */
import { checkOptions, isParameter, type Parameter, parameter, type Tensor, treeChildren, ValueError } from '@nn/core';

export interface WeightNormOptions {
  /** The field of the layer. Default 'weight'. */
  readonly name?: string;
  /** The axis of which each index has a length of its own; null for one length of the whole. Default 0. */
  readonly axis?: number | null;
}

/** The parameter of a layer that is exchanged. Throws ValueError where there is none. */
export function parameterOf(operation: string, layer: object, name: string): Parameter {
  const found: unknown = Reflect.get(layer, name);
  if (treeChildren in layer || !isParameter(found)) {
    throw new ValueError(
      operation,
      `${String(layer)} has no parameter in a field ${name}: give a layer that has, or another name.`,
      { name },
    );
  }
  return found;
}

/**
 * Trains the direction and the length of a layer's weight apart: weight = g v / |v|. (Salimans and Kingma 2016; PyTorch's
 * `nn.utils.weight_norm`.) Returns the layer, whose weight is now made of `weight_g` and `weight_v` each time it is asked for;
 * it starts as it was. Do this before an optimizer takes the parameters. Throws ValueError for a layer without such a field.
 *
 * @example
 * import { namedParameters } from '@nn/core';
 * import { Linear, weightNorm } from '@nn/layers';
 * const layer = weightNorm(new Linear(2, 3));
 * console.log([...namedParameters(layer)].map(([name, { shape }]) => `${name} ${shape.join('x')}`).join(', '));
 * // => bias 3, weight_g 3x1, weight_v 3x2
 */
export function weightNorm<L extends object>(layer: L, options: WeightNormOptions = {}): L {
  checkOptions('weightNorm', options, ['name', 'axis']);
  const { name = 'weight', axis = 0 } = options;
  const direction = parameterOf('weightNorm', layer, name);
  if (axis !== null && !(Number.isInteger(axis) && axis >= -direction.rank && axis < direction.rank)) {
    throw new ValueError('weightNorm', `axis is ${axis}: ${name} has ${direction.rank} axes.`, { axis });
  }
  const kept = axis === null ? null : axis < 0 ? axis + direction.rank : axis;
  const others = direction.shape.map((_, a) => a).filter((a) => a !== kept);
  const lengthOf = (): Tensor =>
    kept === null ? direction.norm(undefined) : direction.norm(others, { keepAxes: true });
  const start = lengthOf();
  const length = parameter(new Float32Array(start.size), { shape: start.shape });
  length.assign(start);
  parametrize(layer, name, { [`${name}G`]: length, [`${name}V`]: direction }, () =>
    direction.mul(length.div(lengthOf())),
  );
  return layer;
}

/**
 * Gives a layer its weight back as one parameter, of the value that it has. Throws ValueError without a `weightNorm` before.
 *
 * @example
 * import { namedParameters } from '@nn/core';
 * import { Linear, removeWeightNorm, weightNorm } from '@nn/layers';
 * console.log([...namedParameters(removeWeightNorm(weightNorm(new Linear(2, 3)))).keys()].sort().join()); // => bias,weight
 */
export function removeWeightNorm<L extends object>(layer: L, name = 'weight'): L {
  const direction: unknown = Reflect.get(layer, `${name}V`);
  if (!isParameter(direction) || !isParameter(Reflect.get(layer, `${name}G`))) {
    throw new ValueError('removeWeightNorm', `${String(layer)} has no weightNorm of ${name}.`, { name });
  }
  const value: unknown = Reflect.get(layer, name);
  // the cast: the getter gives a tensor
  direction.assign(value as Tensor);
  for (const field of [`${name}G`, `${name}V`]) Reflect.deleteProperty(layer, field);
  Object.defineProperty(layer, name, { value: direction, enumerable: true, configurable: true, writable: true });
  return layer;
}

/**
 * Puts fields in place of a layer's parameter, which is computed from then on, each time it is asked for. What `weightNorm` is
 * made of; PyTorch's `register_parametrization`.
 *
 * @example
 * import { namedParameters, ones } from '@nn/core';
 * import { Linear, parametrize } from '@nn/layers';
 * const layer = new Linear(2, 1, { bias: false });
 * const original = layer.weight;
 * parametrize(layer, 'weight', { weightOriginal: original }, () => original.abs());
 * console.log([...namedParameters(layer).keys()], layer.forward(ones([1, 2])).shape); // => [ 'weight_original' ] [ 1, 1 ]
 */
export function parametrize(
  layer: object,
  name: string,
  fields: Readonly<Record<string, Parameter>>,
  compute: () => Tensor,
): void {
  // not enumerable: a walk over the layer finds the fields, and not what is made of them
  Object.defineProperty(layer, name, { get: compute, enumerable: false, configurable: true });
  for (const [field, value] of Object.entries(fields)) {
    Object.defineProperty(layer, field, { value, enumerable: true, configurable: true, writable: true });
  }
}
