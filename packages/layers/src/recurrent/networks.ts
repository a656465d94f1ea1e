/** RNN, LSTM and GRU: their cells along time. Owns their names and options; the walk is in recurrent.ts. */
import type { Tensor } from '@nn/core';
import type { LSTMState, State } from './cell.ts';
import { GRUCell, LSTMCell, RNNCell } from './cells.ts';
import {
  type LSTMResult,
  type LSTMStart,
  Recurrent,
  type RecurrentOptions,
  type RecurrentResult,
  type RecurrentStart,
} from './recurrent.ts';

export interface RNNOptions extends RecurrentOptions {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu';
}

/**
 * The plain recurrent network h' = tanh(W_ih x + b_ih + W_hh h + b_hh). (Elman 1990.)
 *
 * Input [length, N, inputs], or [N, length, inputs] with `batchFirst`. Names and defaults are those of PyTorch's `nn.RNN`.
 * Throws ShapeError for an input or a state of another shape.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { RNN } from '@nn/layers';
 * const { output, hidden } = new RNN(3, 5, { layers: 2, batchFirst: true }).forward(zeros([4, 10, 3]));
 * console.log(output.shape, hidden.shape); // => [4, 10, 5] [2, 4, 5]
 */
export class RNN extends Recurrent<State, RNNCell> {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(inputs: number, hidden: number, options: RNNOptions = {}) {
    const { bias = true, nonlinearity = 'tanh' } = options;
    super(
      'RNN',
      inputs,
      hidden,
      options,
      ['bias', 'nonlinearity'],
      (width) => new RNNCell(width, hidden, { bias, nonlinearity }),
    );
    this.nonlinearity = nonlinearity;
  }

  forward(input: Tensor, start: RecurrentStart = {}): RecurrentResult {
    return this.run(input, start);
  }
}

export interface LSTMOptions extends RecurrentOptions {
  /** Width to which the hidden state is projected, below `hidden`; outputs are as wide. PyTorch's `proj_size`. */
  readonly projection?: number;
}

/**
 * Long short-term memory: gates i, f, g, o; c' = f c + i g; h' = o tanh(c'). (Hochreiter and Schmidhuber 1997; with
 * `projection` h' = W_hr o tanh(c'), Sak et al. 2014.)
 *
 * Input [length, N, inputs], or [N, length, inputs] with `batchFirst`. Names, order of gates and defaults are those of
 * PyTorch's `nn.LSTM`. Throws ShapeError for an input or a state of another shape.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LSTM } from '@nn/layers';
 * const lstm = new LSTM(3, 5, { batchFirst: true, bidirectional: true });
 * const first = lstm.forward(zeros([4, 10, 3]));
 * const next = lstm.forward(zeros([4, 10, 3]), first);
 * console.log(next.output.shape, next.cell.shape); // => [4, 10, 10] [2, 4, 5]
 */
export class LSTM extends Recurrent<LSTMState, LSTMCell> {
  readonly projection: number | null;

  constructor(inputs: number, hidden: number, options: LSTMOptions = {}) {
    const { bias = true, projection } = options;
    const inner = { bias, ...(projection !== undefined && { projection }) };
    super('LSTM', inputs, hidden, options, ['bias', 'projection'], (width) => new LSTMCell(width, hidden, inner));
    this.projection = projection ?? null;
  }

  forward(input: Tensor, start: LSTMStart = {}): LSTMResult {
    return this.run(input, start);
  }
}

/**
 * The gated recurrent unit: gates r, z, n; n = tanh(x_n + r (W_hn h + b_hn)); h' = (1 - z) n + z h. (Cho et al. 2014.)
 *
 * Input [length, N, inputs], or [N, length, inputs] with `batchFirst`. Names, order of gates and defaults are those of
 * PyTorch's `nn.GRU`. Throws ShapeError for an input or a state of another shape.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { GRU } from '@nn/layers';
 * const { output, hidden } = new GRU(3, 5).forward(zeros([10, 4, 3]));
 * console.log(output.shape, hidden.shape); // => [10, 4, 5] [1, 4, 5]
 */
export class GRU extends Recurrent<State, GRUCell> {
  constructor(inputs: number, hidden: number, options: RecurrentOptions = {}) {
    const { bias = true } = options;
    super('GRU', inputs, hidden, options, ['bias'], (width) => new GRUCell(width, hidden, { bias }));
  }

  forward(input: Tensor, start: RecurrentStart = {}): RecurrentResult {
    return this.run(input, start);
  }
}
