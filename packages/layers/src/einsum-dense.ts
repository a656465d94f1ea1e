/** A layer of one product, in the notation of einsum: sums over any axes, with any axes kept. */
import {
  checkOptions,
  checkRoom,
  einsum,
  type Parameter,
  type Shape,
  ShapeError,
  type Tensor,
  ValueError,
} from '@nn/core';
import { constantParameter, countOf, type Layer, requireWhole, uniformParameter } from './layer.ts';

export interface EinsumDenseOptions {
  /** The letters of the output that the bias has axes for; without any there is no bias. Default: none, as in Keras. */
  readonly biasAxes?: string;
}

/**
 * einsum(equation, x, weight) + bias, as Keras' `EinsumDense`: 'abc,cd->abd' is a Linear layer of sequences, 'abc,cde->abde'
 * makes heads, '...x,xy->...y' takes inputs of any rank. `sizes` are those of the letters of the weight (and of the bias).
 *
 * `weight` has the axes that the equation names, uniform in ±sqrt(6 / (inputs + outputs)), where inputs are the sizes that are
 * summed over; `bias` starts at 0. Throws ValueError for an equation that is not of an input and a weight.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { EinsumDense } from '@nn/layers';
 * const layer = new EinsumDense('abc,cde->abde', { c: 8, d: 2, e: 4 }, { biasAxes: 'de' });
 * console.log(layer.forward(zeros([3, 5, 8])).shape, layer.bias?.shape); // => [3, 5, 2, 4] [2, 4]
 */
export class EinsumDense implements Layer {
  readonly equation: string;
  weight: Parameter;
  bias: Parameter | null;

  constructor(equation: string, sizes: Readonly<Record<string, number>>, options: EinsumDenseOptions = {}) {
    this.equation = equation.replaceAll(' ', '');
    const name = String(this);
    checkOptions(name, options, ['biasAxes']);
    const [, input, kernel, output] =
      /^([a-zA-Z]*(?:\.{3})?[a-zA-Z]*),([a-zA-Z]+)->([a-zA-Z]*(?:\.{3})?[a-zA-Z]*)$/.exec(this.equation) ?? [];
    if (input === undefined || kernel === undefined || output === undefined) {
      throw new ValueError(name, "the equation must be of an input and a weight, such as 'abc,cd->abd'.", { equation });
    }
    const sizeOf = (letter: string): number => {
      const size = sizes[letter];
      if (size === undefined)
        throw new ValueError(name, `the size of ${letter} is missing: give it, { ${letter}: 8 }.`, { letter });
      requireWhole(name, letter, size);
      return size;
    };
    const letters = [...kernel];
    const shape = letters.map(sizeOf);
    checkRoom(name, shape);
    const summed = countOf(letters.filter((letter) => !output.includes(letter)).map(sizeOf));
    const made = countOf(letters.filter((letter) => !input.includes(letter)).map(sizeOf));
    this.weight = uniformParameter(shape, Math.sqrt(6 / (summed + made)));
    this.bias = options.biasAxes ? constantParameter(biasShape(name, output, options.biasAxes, sizeOf), 0) : null;
  }

  forward(input: Tensor): Tensor {
    const product = einsum(this.equation, input, this.weight);
    return this.bias === null ? product : product.add(this.bias);
  }

  toString(): string {
    return `EinsumDense(${this.equation})`;
  }
}

/** From the first axis of the bias to the last of the output, 1 for those that the bias has not. */
function biasShape(name: string, output: string, biasAxes: string, sizeOf: (letter: string) => number): Shape {
  const places = [...biasAxes].map((letter) => output.indexOf(letter));
  const first = Math.min(...places);
  const rest = output.slice(first);
  if (first < 0 || rest.includes('.')) {
    throw new ShapeError(
      name,
      `a bias of the axes ${biasAxes} does not lie over the output ${output}: its letters must be among the last of the output.`,
      { biasAxes, output },
    );
  }
  return [...rest].map((letter) => (biasAxes.includes(letter) ? sizeOf(letter) : 1));
}
