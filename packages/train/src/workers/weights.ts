/** The numbers of a model on their way between threads: taken, handed over without a copy, given to another model. */
import { type DType, namedParameters, replace, type Shape, ShapeError, type TensorData, tensor } from '@nn/core';

/** The values of a parameter on the host. */
export interface Weight {
  readonly data: TensorData;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** By the names of the parameters. */
export type Weights = ReadonlyMap<string, Weight>;

/**
 * All parameters of a model, buffers too, as they are at the call: downloaded together.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { takeWeights } from '@nn/train';
 * const weights = await takeWeights({ bias: parameter([1, 2]) });
 * console.log([...weights.keys()], weights.get('bias')?.shape); // => [ 'bias' ] [ 2 ]
 */
export async function takeWeights(model: object): Promise<Weights> {
  const entries = await Promise.all(
    [...namedParameters(model)].map(async ([name, member]) => {
      const data = await member.data();
      return [name, { data, shape: member.shape, dtype: member.dtype }] as const;
    }),
  );
  return new Map(entries);
}

/**
 * Gives a model the weights of another one that is built alike. The arrays are used as they are and may not be written to
 * afterwards. Throws ShapeError, and changes nothing, where names or shapes differ.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { giveWeights, takeWeights } from '@nn/train';
 * const model = { bias: parameter([0, 0]) };
 * await giveWeights(model, await takeWeights({ bias: parameter([1, 2]) }));
 * console.log(await model.bias.array()); // => [ 1, 2 ]
 */
export async function giveWeights(model: object, weights: Weights): Promise<void> {
  const members = namedParameters(model);
  const wrong = [
    ...[...weights.keys()].filter((name) => !members.has(name)),
    ...[...members].flatMap(([name, { shape }]) => (weights.get(name)?.shape.join() === shape.join() ? [] : [name])),
  ];
  if (wrong.length > 0) {
    throw new ShapeError('giveWeights', `the model and the weights differ in ${wrong.join(', ')}: build both alike.`, {
      wrong,
    });
  }
  await replace(
    [...members].map(([name, member]) => {
      const { data, shape, dtype } = weights.get(name)!;
      const place = member.backend ? { backend: member.backend } : {};
      return [member, tensor(data, { shape, dtype, borrow: true, ...place })];
    }),
  );
}

/** What may be handed over instead of copied: afterwards this thread no longer has it. */
export function buffersOf(weights: Weights): ArrayBuffer[] {
  const buffers = [...weights.values()].map(({ data }) => data.buffer);
  return [...new Set(buffers)].filter((buffer) => buffer instanceof ArrayBuffer);
}
