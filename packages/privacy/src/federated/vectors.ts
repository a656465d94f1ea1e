/** A model as one vector of numbers, which is what goes over a wire, and back. */
import { type Parameter, parameters, ShapeError, type Tensor, tensor } from '@nn/core';

/** The trained parameters of a model one behind the other, in the order of `parameters(model)`. */
export async function modelVector(model: object): Promise<Float32Array> {
  const all = await Promise.all(parameters(model).map((each) => each.data()));
  const vector = new Float32Array(all.reduce((sum, { length }) => sum + length, 0));
  let from = 0;
  for (const values of all) {
    vector.set(values, from);
    from += values.length;
  }
  return vector;
}

/** Puts a vector into the model. Throws ShapeError, and changes nothing, where it has another length. */
export function loadModelVector(model: object, vector: Float32Array): void {
  const all = parameters(model);
  const size = all.reduce((sum, each) => sum + each.size, 0);
  if (vector.length !== size) {
    throw new ShapeError('loadModelVector', `the vector has ${vector.length} numbers, the model ${size}.`);
  }
  let from = 0;
  for (const each of all) {
    each.assign(pieceOf(vector, from, each));
    from += each.size;
  }
}

const pieceOf = (vector: Float32Array, from: number, { size, shape }: Parameter): Tensor =>
  tensor(vector.slice(from, from + size), { shape });

/**
 * FedProx: mu / 2 |w - w0|^2, to be added to a client's loss, so that it does not go far from the model it was sent.
 * (Li et al. 2020.)
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { proximalTerm } from '@nn/privacy';
 * console.log(await proximalTerm({ w: parameter([1, 3]) }, new Float32Array([1, 1]), 0.5).item()); // => 1
 */
export function proximalTerm(model: object, sent: Float32Array, mu: number): Tensor {
  let from = 0;
  const parts = parameters(model).map((each) => {
    const start = pieceOf(sent, from, each);
    from += each.size;
    return each.sub(start).square().sum();
  });
  return parts.reduce((a, b) => a.add(b)).mul(mu / 2);
}
