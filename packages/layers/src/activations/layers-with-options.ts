/** The activations with options as layers, for `Sequential`. Each one line around its function. */
import { checkOptions, ShapeError, showShape, type Tensor } from '@nn/core';
import type { Layer } from '../layer.ts';
import { gelu, glu } from './gates.ts';
import { hardShrink, hardTanh, softShrink } from './odd.ts';
import { celu, elu, leakyRelu, softplus, type ThresholdOptions, threshold } from './rectifiers.ts';
import { logSoftmax, softmax, softmin } from './shares.ts';

/** x where it is positive, `slope * x` elsewhere, as a layer. See `leakyRelu`. */
export class LeakyReLU implements Layer {
  readonly slope: number;

  constructor(options: { readonly slope?: number } = {}) {
    checkOptions('LeakyReLU', options, ['slope']);
    this.slope = options.slope ?? 0.01;
  }

  forward(input: Tensor): Tensor {
    return leakyRelu(input, { slope: this.slope });
  }

  toString(): string {
    return `LeakyReLU(${this.slope})`;
  }
}

/** x where it is positive, `alpha * (exp(x) - 1)` elsewhere, as a layer. See `elu`. */
export class ELU implements Layer {
  readonly alpha: number;

  constructor(options: { readonly alpha?: number } = {}) {
    checkOptions('ELU', options, ['alpha']);
    this.alpha = options.alpha ?? 1;
  }

  forward(input: Tensor): Tensor {
    return elu(input, { alpha: this.alpha });
  }

  toString(): string {
    return `ELU(${this.alpha})`;
  }
}

/** x where it is positive, `alpha * (exp(x / alpha) - 1)` elsewhere, as a layer. See `celu`. */
export class CELU implements Layer {
  readonly alpha: number;

  constructor(options: { readonly alpha?: number } = {}) {
    checkOptions('CELU', options, ['alpha']);
    this.alpha = options.alpha ?? 1;
  }

  forward(input: Tensor): Tensor {
    return celu(input, { alpha: this.alpha });
  }

  toString(): string {
    return `CELU(${this.alpha})`;
  }
}

/** log(1 + exp(beta x)) / beta, as a layer. See `softplus`. */
export class Softplus implements Layer {
  readonly beta: number;

  constructor(options: { readonly beta?: number } = {}) {
    checkOptions('Softplus', options, ['beta']);
    this.beta = options.beta ?? 1;
  }

  forward(input: Tensor): Tensor {
    return softplus(input, { beta: this.beta });
  }

  toString(): string {
    return `Softplus(${this.beta})`;
  }
}

/** x clamped to `min` to `max`, as a layer. See `hardTanh`. */
export class HardTanh implements Layer {
  readonly min: number;
  readonly max: number;

  constructor(options: { readonly min?: number; readonly max?: number } = {}) {
    checkOptions('HardTanh', options, ['min', 'max']);
    this.min = options.min ?? -1;
    this.max = options.max ?? 1;
  }

  forward(input: Tensor): Tensor {
    return hardTanh(input, { min: this.min, max: this.max });
  }

  toString(): string {
    return `HardTanh(${this.min}, ${this.max})`;
  }
}

/** 0 where |x| is at most `lambda`, x elsewhere, as a layer. See `hardShrink`. */
export class HardShrink implements Layer {
  readonly lambda: number;

  constructor(options: { readonly lambda?: number } = {}) {
    checkOptions('HardShrink', options, ['lambda']);
    this.lambda = options.lambda ?? 0.5;
  }

  forward(input: Tensor): Tensor {
    return hardShrink(input, { lambda: this.lambda });
  }

  toString(): string {
    return `HardShrink(${this.lambda})`;
  }
}

/** x moved towards 0 by `lambda`, as a layer. See `softShrink`. */
export class SoftShrink implements Layer {
  readonly lambda: number;

  constructor(options: { readonly lambda?: number } = {}) {
    checkOptions('SoftShrink', options, ['lambda']);
    this.lambda = options.lambda ?? 0.5;
  }

  forward(input: Tensor): Tensor {
    return softShrink(input, { lambda: this.lambda });
  }

  toString(): string {
    return `SoftShrink(${this.lambda})`;
  }
}

/** x times the normal distribution function at x, as a layer. See `gelu`. */
export class GELU implements Layer {
  readonly approximate: 'none' | 'tanh';

  constructor(options: { readonly approximate?: 'none' | 'tanh' } = {}) {
    checkOptions('GELU', options, ['approximate']);
    this.approximate = options.approximate ?? 'none';
  }

  forward(input: Tensor): Tensor {
    return gelu(input, { approximate: this.approximate });
  }

  toString(): string {
    return `GELU(${this.approximate})`;
  }
}

/** Half of an axis times the sigmoid of the other half, as a layer. See `glu`. */
export class GLU implements Layer {
  readonly axis: number;

  constructor(options: { readonly axis?: number } = {}) {
    checkOptions('GLU', options, ['axis']);
    this.axis = options.axis ?? -1;
  }

  forward(input: Tensor): Tensor {
    return glu(input, { axis: this.axis });
  }

  toString(): string {
    return `GLU(${this.axis})`;
  }
}

/** Shares along an axis that sum to 1, as a layer. See `softmax`. */
export class Softmax implements Layer {
  readonly axis: number;

  constructor(options: { readonly axis?: number } = {}) {
    checkOptions('Softmax', options, ['axis']);
    this.axis = options.axis ?? -1;
  }

  forward(input: Tensor): Tensor {
    return softmax(input, { axis: this.axis });
  }

  toString(): string {
    return `Softmax(${this.axis})`;
  }
}

/** softmax of -x along an axis, as a layer. See `softmin`. */
export class Softmin implements Layer {
  readonly axis: number;

  constructor(options: { readonly axis?: number } = {}) {
    checkOptions('Softmin', options, ['axis']);
    this.axis = options.axis ?? -1;
  }

  forward(input: Tensor): Tensor {
    return softmin(input, { axis: this.axis });
  }

  toString(): string {
    return `Softmin(${this.axis})`;
  }
}

/** The logarithm of softmax along an axis, as a layer. See `logSoftmax`. */
export class LogSoftmax implements Layer {
  readonly axis: number;

  constructor(options: { readonly axis?: number } = {}) {
    checkOptions('LogSoftmax', options, ['axis']);
    this.axis = options.axis ?? -1;
  }

  forward(input: Tensor): Tensor {
    return logSoftmax(input, { axis: this.axis });
  }

  toString(): string {
    return `LogSoftmax(${this.axis})`;
  }
}

/** x where it is above `threshold`, `value` elsewhere, as a layer. See `threshold`. */
export class Threshold implements Layer {
  readonly threshold: number;
  readonly value: number;

  constructor(options: ThresholdOptions) {
    checkOptions('Threshold', options, ['threshold', 'value']);
    this.threshold = options.threshold;
    this.value = options.value;
  }

  forward(input: Tensor): Tensor {
    return threshold(input, { threshold: this.threshold, value: this.value });
  }

  toString(): string {
    return `Threshold(${this.threshold}, ${this.value})`;
  }
}

/**
 * Shares of the channels at each place, as a layer: softmax along axis -3 of [N, channels, height, width] or
 * [channels, height, width]. Throws ShapeError for another rank.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { Softmax2d } from '@nn/layers';
 * console.log(await new Softmax2d().forward(zeros([2, 1, 1])).array()); // => [[[0.5]], [[0.5]]]
 */
export class Softmax2d implements Layer {
  forward(input: Tensor): Tensor {
    if (input.rank !== 3 && input.rank !== 4) {
      throw new ShapeError(
        'Softmax2d',
        `takes [N, channels, height, width] or [channels, height, width], got ${showShape(input.shape)}.`,
        { shape: input.shape },
      );
    }
    return input.softmax(-3);
  }

  toString(): string {
    return 'Softmax2d()';
  }
}
