/** The activations as layers, for `Sequential`. Each one line around its function in `activations.ts`. */
import type { Tensor } from '@nn/core';
import {
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  logSoftmax,
  mish,
  relu,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  tanh,
} from './activations.ts';
import type { Layer } from './layer.ts';

/** 1 / (1 + exp(-x)), as a layer. See `sigmoid`. */
export class Sigmoid implements Layer {
  forward(input: Tensor): Tensor {
    return sigmoid(input);
  }

  toString(): string {
    return 'Sigmoid()';
  }
}

/** The hyperbolic tangent, as a layer. See `tanh`. */
export class Tanh implements Layer {
  forward(input: Tensor): Tensor {
    return tanh(input);
  }

  toString(): string {
    return 'Tanh()';
  }
}

/** max(x, 0), as a layer. See `relu`. */
export class ReLU implements Layer {
  forward(input: Tensor): Tensor {
    return relu(input);
  }

  toString(): string {
    return 'ReLU()';
  }
}

/** The self-normalising elu, as a layer. See `selu`. */
export class SELU implements Layer {
  forward(input: Tensor): Tensor {
    return selu(input);
  }

  toString(): string {
    return 'SELU()';
  }
}

/** x * sigmoid(x), as a layer. See `silu`. */
export class SiLU implements Layer {
  forward(input: Tensor): Tensor {
    return silu(input);
  }

  toString(): string {
    return 'SiLU()';
  }
}

/** x * tanh(softplus(x)), as a layer. See `mish`. */
export class Mish implements Layer {
  forward(input: Tensor): Tensor {
    return mish(input);
  }

  toString(): string {
    return 'Mish()';
  }
}

/** x / 6 + 1/2, clamped to 0 to 1, as a layer. See `hardSigmoid`. */
export class HardSigmoid implements Layer {
  forward(input: Tensor): Tensor {
    return hardSigmoid(input);
  }

  toString(): string {
    return 'HardSigmoid()';
  }
}

/** x * hardSigmoid(x), as a layer. See `hardSwish`. */
export class HardSwish implements Layer {
  forward(input: Tensor): Tensor {
    return hardSwish(input);
  }

  toString(): string {
    return 'HardSwish()';
  }
}

/** x where it is positive, `slope * x` elsewhere, as a layer. See `leakyRelu`. */
export class LeakyReLU implements Layer {
  readonly slope: number;

  constructor(options: { readonly slope?: number } = {}) {
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
    this.alpha = options.alpha ?? 1;
  }

  forward(input: Tensor): Tensor {
    return elu(input, { alpha: this.alpha });
  }

  toString(): string {
    return `ELU(${this.alpha})`;
  }
}

/** log(1 + exp(beta x)) / beta, as a layer. See `softplus`. */
export class Softplus implements Layer {
  readonly beta: number;

  constructor(options: { readonly beta?: number } = {}) {
    this.beta = options.beta ?? 1;
  }

  forward(input: Tensor): Tensor {
    return softplus(input, { beta: this.beta });
  }

  toString(): string {
    return `Softplus(${this.beta})`;
  }
}

/** x times the normal distribution function at x, as a layer. See `gelu`. */
export class GELU implements Layer {
  readonly approximate: 'none' | 'tanh';

  constructor(options: { readonly approximate?: 'none' | 'tanh' } = {}) {
    this.approximate = options.approximate ?? 'none';
  }

  forward(input: Tensor): Tensor {
    return gelu(input, { approximate: this.approximate });
  }

  toString(): string {
    return `GELU(${this.approximate})`;
  }
}

/** Shares along an axis that sum to 1, as a layer. See `softmax`. */
export class Softmax implements Layer {
  readonly axis: number;

  constructor(options: { readonly axis?: number } = {}) {
    this.axis = options.axis ?? -1;
  }

  forward(input: Tensor): Tensor {
    return softmax(input, { axis: this.axis });
  }

  toString(): string {
    return `Softmax(${this.axis})`;
  }
}

/** The logarithm of softmax along an axis, as a layer. See `logSoftmax`. */
export class LogSoftmax implements Layer {
  readonly axis: number;

  constructor(options: { readonly axis?: number } = {}) {
    this.axis = options.axis ?? -1;
  }

  forward(input: Tensor): Tensor {
    return logSoftmax(input, { axis: this.axis });
  }

  toString(): string {
    return `LogSoftmax(${this.axis})`;
  }
}
