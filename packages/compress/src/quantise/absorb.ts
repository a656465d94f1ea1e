/**
 * What follows a convolution in a Sequential and may be done on its whole sums: relu, and the largest of windows that do not overlap.
 * Scales are above 0, so the largest sum has the largest value, and a window's worth of sums is scaled once. The results are the same.
 */
import type { Tensor } from '@nn/core';
import { type Layer, layersOf, MaxPool1d, MaxPool2d, MaxPool3d, ReLU, relu, Sequential } from '@nn/layers';
import { QuantisedConv } from './layers.ts';

/** Stands where a layer was whose work another one does. */
class Absorbed implements Layer {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }

  forward(x: Tensor): Tensor {
    return x;
  }

  toString(): string {
    return `Absorbed(${this.what})`;
  }
}

type MaxPool = MaxPool1d | MaxPool2d | MaxPool3d;
const isMaxPool = (layer: unknown): layer is MaxPool =>
  layer instanceof MaxPool1d || layer instanceof MaxPool2d || layer instanceof MaxPool3d;

/** The windows of a pooling that cuts space into pieces; null for any other. */
function pieces(layer: unknown, rank: number): readonly number[] | null {
  if (!isMaxPool(layer) || layer.size.length !== rank || layer.ceilMode) return null;
  const { size, stride, padding, dilation } = layer;
  const touch = size.every((length, axis) => length === stride[axis] && padding[axis] === 0 && dilation[axis] === 1);
  return touch ? size : null;
}

/** Lets the quantised convolutions of a model do what follows them. */
export function absorbFollowing(model: object): void {
  for (const { layer: sequence } of layersOf(model)) {
    if (!(sequence instanceof Sequential)) continue;
    const { layers } = sequence;
    layers.forEach((layer, index) => {
      if (!(layer instanceof QuantisedConv)) return;
      let next = index + 1;
      const take = (): void => {
        Reflect.set(layers, next, new Absorbed(typeof layers[next] === 'function' ? 'relu' : String(layers[next])));
        next++;
      };
      const isRelu = (): boolean => layers[next] instanceof ReLU || layers[next] === relu;
      if (isRelu()) {
        layer.relu = true;
        take();
      }
      const size = pieces(layers[next], layer.geometry.kernel.length);
      if (size === null) return;
      layer.pool = size;
      take();
      if (!layer.relu && isRelu()) {
        layer.relu = true;
        take();
      }
    });
  }
}
