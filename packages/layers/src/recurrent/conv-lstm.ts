/** The LSTM of pictures: its products are convolutions. Owns the cell and the layers of one to three axes of space. */
import { conv1d, conv2d, conv3d, type Parameter, type Tensor } from '@nn/core';
import { perAxis, requireWhole, uniformParameter } from '../layer.ts';
import type { Cell, LSTMState } from './cell.ts';
import { lstmStep } from './equations.ts';
import { type LSTMResult, type LSTMStart, Recurrent, type RecurrentOptions } from './recurrent.ts';

class ConvLSTMCell implements Cell<LSTMState> {
  readonly hidden: number;
  readonly #convolve: typeof conv2d;
  /** [4 * hidden, inputs, ...kernelSize] */
  weightIh: Parameter;
  /** [4 * hidden, hidden, ...kernelSize] */
  weightHh: Parameter;
  /** [4 * hidden] */
  bias: Parameter | null;

  constructor(inputs: number, hidden: number, kernelSize: readonly number[], bias: boolean) {
    this.hidden = hidden;
    this.#convolve = kernelSize.length === 1 ? conv1d : kernelSize.length === 2 ? conv2d : conv3d;
    const bound = 1 / Math.sqrt(kernelSize.reduce((product, size) => product * size, hidden));
    this.weightIh = uniformParameter([4 * hidden, inputs, ...kernelSize], bound);
    this.weightHh = uniformParameter([4 * hidden, hidden, ...kernelSize], bound);
    this.bias = bias ? uniformParameter([4 * hidden], bound) : null;
  }

  get widths(): { readonly hidden: number; readonly cell: number } {
    return { hidden: this.hidden, cell: this.hidden };
  }

  members(): Readonly<Record<string, Parameter | null>> {
    return { weight_ih: this.weightIh, weight_hh: this.weightHh, bias: this.bias };
  }

  /** All steps are one batch of the convolution: [length, N, inputs, ...space]. */
  project(input: Tensor): Tensor {
    const [length = 0, batch = 0, ...rest] = input.shape;
    const joined = input.reshape([length * batch, ...rest]);
    const product = this.#convolve(joined, this.weightIh, { padding: 'same' });
    const ones = rest.slice(1).map(() => 1);
    const sums = this.bias === null ? product : product.add(this.bias.reshape([4 * this.hidden, ...ones]));
    return sums.reshape([length, batch, 4 * this.hidden, ...rest.slice(1)]);
  }

  step(projected: Tensor, state: LSTMState): LSTMState {
    const sums = projected.add(this.#convolve(state.hidden, this.weightHh, { padding: 'same' }));
    return lstmStep(sums, state.cell, 1);
  }
}

/** What ConvLSTM1d to ConvLSTM3d share. */
abstract class ConvLSTM extends Recurrent<LSTMState> {
  readonly kernelSize: readonly number[];

  constructor(
    rank: number,
    inputs: number,
    hidden: number,
    kernelSize: number | readonly number[],
    options: RecurrentOptions,
  ) {
    const name = `ConvLSTM${rank}d(${inputs}, ${hidden})`;
    const sizes = perAxis(name, 'kernelSize', kernelSize, rank);
    for (const size of sizes) requireWhole(name, 'kernelSize', size);
    const { bias = true } = options;
    super(
      `ConvLSTM${rank}d`,
      inputs,
      hidden,
      options,
      [],
      (width) => new ConvLSTMCell(width, hidden, sizes, bias),
      rank,
    );
    this.kernelSize = sizes;
  }

  forward(input: Tensor, start: LSTMStart = {}): LSTMResult {
    return this.run(input, start);
  }
}

/**
 * An LSTM over lines, its products convolutions that keep the size. See `ConvLSTM2d`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ConvLSTM1d } from '@nn/layers';
 * console.log(new ConvLSTM1d(1, 8, 3).forward(zeros([10, 4, 1, 20])).output.shape); // => [10, 4, 8, 20]
 */
export class ConvLSTM1d extends ConvLSTM {
  constructor(inputs: number, hidden: number, kernelSize: number | readonly number[], options: RecurrentOptions = {}) {
    super(1, inputs, hidden, kernelSize, options);
  }
}

/**
 * An LSTM over pictures, its products convolutions that keep the size: gates i, f, g, o = W_ih * x + W_hh * h + b;
 * c' = f c + i g; h' = o tanh(c'). (Shi et al. 2015, without the peepholes, as Keras' `ConvLSTM2D` with padding 'same',
 * which starts the biases of the gate f at 1 and has channels last.)
 *
 * Input [length, N, inputs, height, width], or N first with `batchFirst`; states [layers * directions, N, hidden, height,
 * width]. Layer 0 has `weight_ih_l0` [4 hidden, inputs, ...kernelSize], `weight_hh_l0` [4 hidden, hidden, ...kernelSize] and
 * `bias_l0`. Throws ShapeError for an input or a state of another shape.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ConvLSTM2d } from '@nn/layers';
 * const { output, cell } = new ConvLSTM2d(1, 8, 3, { batchFirst: true }).forward(zeros([4, 10, 1, 6, 7]));
 * console.log(output.shape, cell.shape); // => [4, 10, 8, 6, 7] [1, 4, 8, 6, 7]
 */
export class ConvLSTM2d extends ConvLSTM {
  constructor(inputs: number, hidden: number, kernelSize: number | readonly number[], options: RecurrentOptions = {}) {
    super(2, inputs, hidden, kernelSize, options);
  }
}

/**
 * An LSTM over volumes, its products convolutions that keep the size. See `ConvLSTM2d`.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ConvLSTM3d } from '@nn/layers';
 * console.log(new ConvLSTM3d(1, 2, 3).forward(zeros([2, 1, 1, 3, 4, 5])).output.shape); // => [2, 1, 2, 3, 4, 5]
 */
export class ConvLSTM3d extends ConvLSTM {
  constructor(inputs: number, hidden: number, kernelSize: number | readonly number[], options: RecurrentOptions = {}) {
    super(3, inputs, hidden, kernelSize, options);
  }
}
