/** Layers in a row. */
import { type Tensor, ValueError } from '@nn/core';
import { type Layer, nameChildren } from './layer.ts';

/** A layer, or a plain function of a tensor. */
export type LayerLike = Layer | ((input: Tensor) => Tensor);

/**
 * Applies layers one after the other. Functions may stand among them. Parameters are named by position, as in
 * PyTorch's `nn.Sequential`: `0.weight`, `2.weight`.
 *
 * @example
 * import { namedParameters, tensor } from '@nn/core';
 * import { Linear, Sequential, tanh } from '@nn/layers';
 * const model = new Sequential(new Linear(2, 4), tanh, new Linear(4, 1));
 * console.log(model.forward(tensor([[0, 1]])).shape); // => [1, 1]
 * console.log([...namedParameters(model).keys()].join()); // => 0.weight,0.bias,2.weight,2.bias
 */
export class Sequential implements Layer {
  readonly layers: readonly LayerLike[];

  constructor(...layers: readonly LayerLike[]) {
    layers.forEach((layer, index) => {
      if (typeof layer !== 'function' && typeof layer?.forward !== 'function') {
        const fix = Array.isArray(layer) ? 'spread the list, ...layers' : 'give an object with forward(x), or x => ...';
        throw new ValueError(`Sequential: item ${index} is neither a layer nor a function: ${fix}.`, { index });
      }
    });
    this.layers = layers;
    nameChildren(this, () => Object.fromEntries(layers.map((layer, index) => [String(index), layer])));
  }

  get length(): number {
    return this.layers.length;
  }

  /** The item at a position; negative positions count from the end. */
  at(index: number): LayerLike | undefined {
    return this.layers.at(index);
  }

  [Symbol.iterator](): Iterator<LayerLike> {
    return this.layers[Symbol.iterator]();
  }

  forward(input: Tensor): Tensor {
    let value = input;
    for (const layer of this.layers) value = typeof layer === 'function' ? layer(value) : layer.forward(value);
    return value;
  }

  toString(): string {
    return 'Sequential()';
  }
}
