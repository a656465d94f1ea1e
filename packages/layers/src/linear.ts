/** The fully connected layer. */
import { checkOptions, checkRoom, type Parameter, type Shape, type Tensor } from '@nn/core';
import { countOf, type Layer, requireLastAxis, requireWhole, uniformParameter } from './layer.ts';

export interface LinearOptions {
  /** Whether to add a bias. Default true. */
  readonly bias?: boolean;
}

/**
 * `y = x weight^T + bias`: [..., inputs] to [..., outputs].
 *
 * `weight` is [outputs, inputs] and `bias` [outputs], both uniform in ±1 / sqrt(inputs), as in PyTorch's `nn.Linear`.
 * Throws ShapeError when the last axis is not `inputs` long.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * const layer = new Linear(2, 4);
 * console.log(layer.forward(tensor([[1, 2]])).shape); // => [1, 4]
 */
export class Linear implements Layer {
  readonly inputs: number;
  readonly outputs: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(inputs: number, outputs: number, options: LinearOptions = {}) {
    this.inputs = inputs;
    this.outputs = outputs;
    requireWhole(String(this), 'inputs', inputs);
    requireWhole(String(this), 'outputs', outputs);
    checkOptions(String(this), options, ['bias']);
    checkRoom(String(this), [outputs, inputs]);
    const bound = 1 / Math.sqrt(inputs);
    this.weight = uniformParameter([outputs, inputs], bound);
    this.bias = options.bias === false ? null : uniformParameter([outputs], bound);
  }

  forward(input: Tensor): Tensor {
    requireLastAxis(this, input, this.inputs);
    const product = input.matmul(this.weight.transpose());
    return this.bias === null ? product : product.add(this.bias);
  }

  multiplyAdds(_inputs: readonly Shape[], output: Shape): number {
    return countOf(output) * this.inputs;
  }

  toString(): string {
    return `Linear(${this.inputs}, ${this.outputs})`;
  }
}
