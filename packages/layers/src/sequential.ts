/** Layers in a row. */
import { isNNError, isTensor, type Tensor, ValueError } from '@nn/core';
import { type Layer, nameChildren } from './layer.ts';
import type { MaskOptions } from './mask.ts';

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
  readonly takesMask: true = true;

  constructor(...layers: readonly LayerLike[]) {
    layers.forEach((layer, index) => {
      if (typeof layer !== 'function' && typeof layer?.forward !== 'function') {
        const fix = Array.isArray(layer) ? 'spread the list, ...layers' : 'give an object with forward(x), or x => ...';
        throw new ValueError('Sequential', `item ${index} is neither a layer nor a function: ${fix}.`, { index });
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

  /** With `mask`, which samples count, for the layers that take one (BatchNorm). Errors name the item they come from. */
  forward(input: Tensor, options: MaskOptions = {}): Tensor {
    return this.layers.reduce<Tensor>((value, layer, index) => {
      try {
        return checked(layer, index, apply(layer, value, options));
      } catch (error) {
        throw withIndex(error, index);
      }
    }, input);
  }

  toString(): string {
    return 'Sequential()';
  }
}

function apply(layer: LayerLike, value: Tensor, options: MaskOptions): unknown {
  if (typeof layer === 'function') return layer(value);
  const passed: readonly [Tensor, MaskOptions?] = layer.takesMask === true ? [value, options] : [value];
  return Reflect.apply(layer.forward, layer, passed);
}

/** A layer's result, if it is a tensor: those of recurrent layers are records. */
function checked(layer: LayerLike, index: number, result: unknown): Tensor {
  if (isTensor(result)) return result;
  const isRecord = typeof result === 'object' && result !== null;
  const what = isRecord ? `{ ${Object.keys(result).join(', ')} }` : String(result);
  const name = typeof layer === 'function' ? 'the function' : String(layer);
  throw new ValueError(
    'Sequential',
    `${name} gave ${what}, not a tensor: ${isRecord ? 'write a class whose forward takes what it needs of it, such as .output' : 'return one'}.`,
    { index },
  );
}

/** Says in an error of nn which item it comes from. */
function withIndex(error: unknown, index: number): unknown {
  if (!isNNError(error)) return error;
  const { message, stack } = error;
  error.message = `${message} (item ${index} of Sequential)`;
  if (stack !== undefined) error.stack = stack.replace(message, error.message);
  return error;
}
