/** Values computed from their position alone: counting along an axis, and random numbers. */
import type { Shape } from '../backend.ts';
import { apply, type Node } from '../graph/node.ts';
import { type Binary, definePrimitive, type None, type Primitive } from '../graph/primitive.ts';

/** The index along one axis, as int32. */
export const Iota: Primitive<{ readonly shape: Shape; readonly axis: number }, None> = definePrimitive({
  name: 'iota',
  kind: 'source',
  infer: (_, { shape }) => ({ dtype: 'int32', shape }),
  key: ({ axis }) => [axis],
  lower: (node, at) => at.integer(at.index[node.attributes.axis]!),
});

/** Uniform in [0, 1): the hash of seed, draw and position. Inputs are the seed and the number of the draw, 0-d int32. */
export const Random: Primitive<Shape, Binary> = definePrimitive({
  name: 'random',
  kind: 'pointwise',
  isRandom: true,
  operations: 6, // about as much work as six simple ones: a hash
  access: () => 'many',
  infer: (_, shape) => ({ dtype: 'float32', shape }),
  gradient: () => [null, null],
  batch: (inputs, { shape }, size) => apply(Random, inputs, [size, ...shape]),
  lower: (node, at) =>
    at.emit('random', 'float32', at.input(0, []), at.input(1, []), at.integer(at.space.flatten(at.index, node.shape))),
});

export function indexAlong(shape: Shape, axis: number): Node {
  return apply(Iota, [], { shape, axis });
}

export function random(seed: Node, draw: Node, shape: Shape): Node {
  return apply(Random, [seed, draw], shape);
}
