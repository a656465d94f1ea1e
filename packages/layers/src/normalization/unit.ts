/** Vectors of length 1, as a layer. */
import { checkOptions, type Tensor } from '@nn/core';
import { normalize } from '../distance.ts';
import type { Layer } from '../layer.ts';

export interface UnitNormalizationOptions {
  /** Along which axis vectors lie. Default -1, as in Keras. */
  readonly axis?: number;
  /** Default 2. */
  readonly order?: number;
}

/**
 * Each vector divided by its length; the shape stays. Keras' `UnitNormalization`; PyTorch has the function `normalize`, along
 * axis 1.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { UnitNormalization } from '@nn/layers';
 * console.log(await new UnitNormalization().forward(tensor([[0, 2], [-4, 0]])).array()); // => [[0, 1], [-1, 0]]
 */
export class UnitNormalization implements Layer {
  readonly axis: number;
  readonly order: number;

  constructor(options: UnitNormalizationOptions = {}) {
    checkOptions('UnitNormalization', options, ['axis', 'order']);
    this.axis = options.axis ?? -1;
    this.order = options.order ?? 2;
  }

  forward(input: Tensor): Tensor {
    return normalize(input, { axis: this.axis, order: this.order });
  }

  toString(): string {
    return `UnitNormalization(${this.axis})`;
  }
}
