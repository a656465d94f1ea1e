/**
 * The cells of RNN, LSTM and GRU: one step of time, for loops written by hand. Their equations are in equations.ts; recurrent.ts
 * applies them along time.
 */
import { type Parameter, type Shape, ShapeError, type Tensor } from '@nn/core';
import { type Layer, requireWhole, uniformParameter } from '../layer.ts';
import { type Cell, type CellOptions, type LSTMState, PlainCell, type State, startState } from './cell.ts';
import { gruStep, lstmStep } from './equations.ts';

export interface RNNCellOptions extends CellOptions {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu';
}

/**
 * One step of `RNN`: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), [N, inputs] and [N, hidden] to [N, hidden].
 *
 * Parameters, start values and defaults are those of PyTorch's `nn.RNNCell`. Throws ShapeError for shapes that do not fit.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { RNNCell } from '@nn/layers';
 * const cell = new RNNCell(3, 5);
 * let hidden = cell.forward(zeros([4, 3]));
 * hidden = cell.forward(zeros([4, 3]), hidden);
 * console.log(hidden.shape); // => [4, 5]
 */
export class RNNCell extends PlainCell implements Cell<State> {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(inputs: number, hidden: number, options: RNNCellOptions = {}) {
    super('RNNCell', 1, inputs, hidden, options, ['nonlinearity']);
    this.nonlinearity = options.nonlinearity ?? 'tanh';
  }

  get widths(): { readonly hidden: number } {
    return { hidden: this.hidden };
  }

  /** The state after the step; `hidden` is that before it, 0 by default. */
  forward(input: Tensor, hidden?: Tensor): Tensor {
    const state = startState(this, input, { ...(hidden && { hidden }) });
    return this.step(this.project(input), state).hidden;
  }

  step(projected: Tensor, { hidden }: State): State {
    const sum = projected.add(hidden.matmul(this.weightHh.transpose()));
    return { hidden: this.nonlinearity === 'relu' ? sum.relu() : sum.tanh() };
  }
}

export interface LSTMCellOptions extends CellOptions {
  /** Width to which the hidden state is projected; without it that is `hidden`. PyTorch's `proj_size` of `nn.LSTM`. */
  readonly projection?: number;
}

/**
 * One step of `LSTM`: gates i, f, g, o = W_ih x + b_ih + W_hh h + b_hh; c' = f c + i g; h' = o tanh(c').
 *
 * Input [N, inputs], states [N, hidden]. Parameters, start values and defaults are those of PyTorch's `nn.LSTMCell`; Keras
 * starts the biases of the gate f at 1. Throws ShapeError for shapes that do not fit.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LSTMCell } from '@nn/layers';
 * const cell = new LSTMCell(3, 5);
 * let state = cell.forward(zeros([4, 3]));
 * state = cell.forward(zeros([4, 3]), state);
 * console.log(state.hidden.shape, state.cell.shape); // => [4, 5] [4, 5]
 */
export class LSTMCell extends PlainCell implements Cell<LSTMState> {
  /** [projection, hidden], with `projection`. */
  weightHr: Parameter | null;

  constructor(inputs: number, hidden: number, options: LSTMCellOptions = {}) {
    const { projection } = options;
    super('LSTMCell', 4, inputs, hidden, options, ['projection'], projection);
    if (projection !== undefined) requireProjection(String(this), projection, hidden);
    this.weightHr = projection === undefined ? null : uniformParameter([projection, hidden], 1 / Math.sqrt(hidden));
  }

  get widths(): { readonly hidden: number; readonly cell: number } {
    return { hidden: this.weightHr?.shape[0] ?? this.hidden, cell: this.hidden };
  }

  override members(): Readonly<Record<string, Parameter | Layer | null>> {
    return { ...super.members(), weight_hr: this.weightHr };
  }

  /** The states after the step; `state` are those before it, 0 by default. */
  forward(input: Tensor, state: Partial<LSTMState> = {}): LSTMState {
    const { hidden, cell = hidden } = startState(this, input, state);
    return this.step(this.project(input), { hidden, cell });
  }

  step(projected: Tensor, state: LSTMState): LSTMState {
    const sums = projected.add(state.hidden.matmul(this.weightHh.transpose()));
    const { hidden, cell } = lstmStep(sums, state.cell);
    return { hidden: this.weightHr === null ? hidden : hidden.matmul(this.weightHr.transpose()), cell };
  }

  override multiplyAdds(inputs: readonly Shape[]): number {
    return super.multiplyAdds(inputs) + (inputs[0]?.[0] ?? 0) * (this.weightHr?.size ?? 0);
  }
}

/** Throws unless a projection makes the state narrower. */
function requireProjection(layer: string, projection: number, hidden: number): void {
  requireWhole(layer, 'projection', projection);
  if (projection < hidden) return;
  throw new ShapeError(
    layer,
    `a projection to ${projection} does not make the state of ${hidden} narrower: it must be below hidden.`,
    { layer, projection, hidden },
  );
}

/**
 * One step of `GRU`: gates r, z, n; n = tanh(x_n + r (W_hn h + b_hn)); h' = (1 - z) n + z h. [N, inputs] and [N, hidden] to
 * [N, hidden].
 *
 * Parameters, start values and defaults are those of PyTorch's `nn.GRUCell`; Keras has `reset_after`, which this is, and
 * orders the gates z, r, n. Throws ShapeError for shapes that do not fit.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { GRUCell } from '@nn/layers';
 * console.log(new GRUCell(3, 5).forward(zeros([4, 3])).shape); // => [4, 5]
 */
export class GRUCell extends PlainCell implements Cell<State> {
  constructor(inputs: number, hidden: number, options: CellOptions = {}) {
    super('GRUCell', 3, inputs, hidden, options, []);
  }

  get widths(): { readonly hidden: number } {
    return { hidden: this.hidden };
  }

  /** The state after the step; `hidden` is that before it, 0 by default. */
  forward(input: Tensor, hidden?: Tensor): Tensor {
    const state = startState(this, input, { ...(hidden && { hidden }) });
    return this.step(this.project(input), state).hidden;
  }

  /** The state's bias stays inside the reset gate, so it cannot join the input's. */
  protected override inputBias(): Tensor | null {
    return this.biasIh;
  }

  step(projected: Tensor, { hidden }: State): State {
    const product = hidden.matmul(this.weightHh.transpose());
    const recurrent = this.biasHh === null ? product : product.add(this.biasHh);
    return { hidden: gruStep(projected, recurrent, hidden) };
  }
}
