/** The layer of two inputs, and the one that does nothing. */
import { checkOptions, checkRoom, type Parameter, ShapeError, showShape, type Tensor } from '@nn/core';
import { countOf, type Layer, requireLastAxis, requireWhole, uniformParameter } from './layer.ts';
import type { LinearOptions } from './linear.ts';

/**
 * y_o = a weight_o b^T + bias_o: [..., inputs] and [..., others] to [..., outputs].
 *
 * `weight` is [outputs, inputs, others] and `bias` [outputs], both uniform in ±1 / sqrt(inputs), as in PyTorch's `nn.Bilinear`.
 *
 * @example
 * import { ones } from '@nn/core';
 * import { Bilinear } from '@nn/layers';
 * console.log(new Bilinear(2, 3, 4).forward(ones([5, 2]), ones([5, 3])).shape); // => [5, 4]
 */
export class Bilinear {
  readonly inputs: number;
  readonly others: number;
  readonly outputs: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(inputs: number, others: number, outputs: number, options: LinearOptions = {}) {
    this.inputs = inputs;
    this.others = others;
    this.outputs = outputs;
    checkOptions(String(this), options, ['bias']);
    requireWhole(String(this), 'inputs', inputs);
    requireWhole(String(this), 'others', others);
    requireWhole(String(this), 'outputs', outputs);
    checkRoom(String(this), [outputs, inputs, others]);
    const bound = 1 / Math.sqrt(inputs);
    this.weight = uniformParameter([outputs, inputs, others], bound);
    this.bias = options.bias === false ? null : uniformParameter([outputs], bound);
  }

  forward(first: Tensor, second: Tensor): Tensor {
    requireLastAxis(String(this), first, this.inputs, 'first input');
    requireLastAxis(String(this), second, this.others, 'second input');
    const lead = first.shape.slice(0, -1);
    if (showShape(lead) !== showShape(second.shape.slice(0, -1))) {
      throw new ShapeError(
        String(this),
        `${showShape(first.shape)} and ${showShape(second.shape)} differ in more than their last axis.`,
        { first: first.shape, second: second.shape },
      );
    }
    const rows = countOf(lead);
    const { inputs, others, outputs } = this;
    const weight = this.weight.permute([1, 0, 2]).reshape([inputs, outputs * others]);
    const half = first.reshape([rows, inputs]).matmul(weight).reshape([rows, outputs, others]);
    const y = half
      .mul(second.reshape([rows, 1, others]))
      .sum(2)
      .reshape([...lead, outputs]);
    return this.bias === null ? y : y.add(this.bias);
  }

  toString(): string {
    return `Bilinear(${this.inputs}, ${this.others}, ${this.outputs})`;
  }
}

/**
 * Its input, as it is: a place to put something else, or Keras' activation `linear`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Identity } from '@nn/layers';
 * console.log(await new Identity().forward(tensor([1, 2])).array()); // => [1, 2]
 */
export class Identity implements Layer {
  forward(input: Tensor): Tensor {
    return input;
  }

  toString(): string {
    return 'Identity()';
  }
}
