/** The activations without options as layers, for `Sequential`. Each one line around its function. */
import type { Tensor } from '@nn/core';
import type { Layer } from '../layer.ts';
import { hardSigmoid, hardSwish, logSigmoid, mish, sigmoid, silu } from './gates.ts';
import { softsign, tanh, tanhShrink } from './odd.ts';
import { relu, relu6, selu } from './rectifiers.ts';

/** 1 / (1 + exp(-x)), as a layer. See `sigmoid`. */
export class Sigmoid implements Layer {
  forward(input: Tensor): Tensor {
    return sigmoid(input);
  }

  toString(): string {
    return 'Sigmoid()';
  }
}

/** log(sigmoid(x)), as a layer. See `logSigmoid`. */
export class LogSigmoid implements Layer {
  forward(input: Tensor): Tensor {
    return logSigmoid(input);
  }

  toString(): string {
    return 'LogSigmoid()';
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

/** The hyperbolic tangent, as a layer. See `tanh`. */
export class Tanh implements Layer {
  forward(input: Tensor): Tensor {
    return tanh(input);
  }

  toString(): string {
    return 'Tanh()';
  }
}

/** x - tanh(x), as a layer. See `tanhShrink`. */
export class TanhShrink implements Layer {
  forward(input: Tensor): Tensor {
    return tanhShrink(input);
  }

  toString(): string {
    return 'TanhShrink()';
  }
}

/** x / (1 + |x|), as a layer. See `softsign`. */
export class Softsign implements Layer {
  forward(input: Tensor): Tensor {
    return softsign(input);
  }

  toString(): string {
    return 'Softsign()';
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

/** x clamped to 0 to 6, as a layer. See `relu6`. */
export class ReLU6 implements Layer {
  forward(input: Tensor): Tensor {
    return relu6(input);
  }

  toString(): string {
    return 'ReLU6()';
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

/** x * hardSigmoid(x), as a layer. See `hardSwish`. */
export class HardSwish implements Layer {
  forward(input: Tensor): Tensor {
    return hardSwish(input);
  }

  toString(): string {
    return 'HardSwish()';
  }
}
