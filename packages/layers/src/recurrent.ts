/**
 * RNN, LSTM and GRU: a cell applied along time, stacked and in both directions, unrolled into the graph.
 * The products with the inputs of all steps are one matmul per direction; only those with the state are step by step.
 */
import { concat, type Parameter, type Shape, ShapeError, stack, type Tensor, zeros } from '@nn/core';
import { dropout } from './dropout.ts';
import { nameChildren, requireWhole, show, uniformParameter } from './layer.ts';

export interface RecurrentOptions {
  /** Layers on top of each other. Default 1. */
  readonly layers?: number;
  /** Default true. */
  readonly bias?: boolean;
  /** Whether inputs are [N, length, inputs]; otherwise they are [length, N, inputs]. Default false, as in PyTorch. */
  readonly batchFirst?: boolean;
  /** Share of values dropped in training between layers. Default 0. */
  readonly dropout?: number;
  /** Whether a second cell reads the sequence backwards; outputs are twice as wide then. Default false. */
  readonly bidirectional?: boolean;
}

/** The parameters of one layer in one direction. `gates` blocks of `hidden` rows lie below each other. */
export interface CellParameters {
  /** [gates * hidden, inputs] */
  weightIh: Parameter;
  /** [gates * hidden, hidden] */
  weightHh: Parameter;
  /** [gates * hidden] */
  biasIh: Parameter | null;
  /** [gates * hidden] */
  biasHh: Parameter | null;
}

/** The state of one cell: one tensor [N, hidden], for LSTM two. */
type State = readonly Tensor[];

/** What the three share: parameters, their names, and the walk over layers, directions and time. */
abstract class Recurrent {
  readonly inputs: number;
  readonly hidden: number;
  readonly layers: number;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly gates: number;
  /** One entry for each layer and direction: layer 0 forwards, layer 0 backwards, layer 1 forwards, ... */
  readonly cells: readonly CellParameters[];

  constructor(gates: number, inputs: number, hidden: number, options: RecurrentOptions) {
    const { layers = 1, bias = true, batchFirst = false, bidirectional = false } = options;
    this.inputs = inputs;
    this.hidden = hidden;
    this.layers = layers;
    this.batchFirst = batchFirst;
    this.dropout = options.dropout ?? 0;
    this.bidirectional = bidirectional;
    this.gates = gates;
    requireWhole(String(this), 'inputs', inputs);
    requireWhole(String(this), 'hidden', hidden);
    requireWhole(String(this), 'layers', layers);
    const bound = 1 / Math.sqrt(hidden);
    const directions = bidirectional ? 2 : 1;
    this.cells = Array.from({ length: layers * directions }, (_, index) => {
      const width = index < directions ? inputs : hidden * directions;
      return {
        weightIh: uniformParameter([gates * hidden, width], bound),
        weightHh: uniformParameter([gates * hidden, hidden], bound),
        biasIh: bias ? uniformParameter([gates * hidden], bound) : null,
        biasHh: bias ? uniformParameter([gates * hidden], bound) : null,
      };
    });
    nameChildren(this, () => this.children());
  }

  /** One step: `projected` [N, gates * hidden] is the input's part, with `biasIh` and, where it may join, `biasHh`. */
  protected abstract step(projected: Tensor, state: State, cell: CellParameters): State;

  /** The bias that goes to all steps at once. */
  protected inputBias(cell: CellParameters): Tensor | null {
    return cell.biasIh === null || cell.biasHh === null ? null : cell.biasIh.add(cell.biasHh);
  }

  /** The whole walk. States are [layers * directions, N, hidden]. */
  protected run(input: Tensor, start: readonly (Tensor | undefined)[]): { output: Tensor; last: Tensor[] } {
    const time = this.batchFirst ? 1 : 0;
    if (input.rank !== 3 || input.shape[2] !== this.inputs) {
      throw new ShapeError(
        `${String(this)}: takes ${this.batchFirst ? '[N, length' : '[length, N'}, ${this.inputs}], got ${show(input.shape)}.`,
        { layer: String(this), shape: input.shape },
      );
    }
    const length = input.shape[time] as number;
    const batch = input.shape[1 - time] as number;
    const rows = this.cells.length;
    for (const tensor of start) {
      if (tensor === undefined) continue;
      if (show(tensor.shape) !== show([rows, batch, this.hidden])) {
        throw new ShapeError(
          `${String(this)}: a state must be [layers, N, hidden] = [${rows}, ${batch}, ${this.hidden}], got ${show(tensor.shape)}.`,
          { layer: String(this), shape: tensor.shape },
        );
      }
    }
    const directions = this.bidirectional ? 2 : 1;
    const last: State[] = [];
    let sequence = this.batchFirst ? input.transpose(0, 1) : input;
    for (let layer = 0; layer < this.layers; layer++) {
      if (layer > 0) sequence = dropout(sequence, this.dropout);
      const outputs: Tensor[] = [];
      for (let direction = 0; direction < directions; direction++) {
        const index = layer * directions + direction;
        const cell = this.cells[index] as CellParameters;
        const state = start.map((tensor) => tensor?.at(index) ?? zeros([batch, this.hidden]));
        const steps = this.unroll(sequence, state, cell, direction === 1, length);
        outputs.push(steps.output);
        last.push(steps.last);
      }
      sequence = outputs.length === 1 ? (outputs[0] as Tensor) : concat(outputs, 2);
    }
    return {
      output: this.batchFirst ? sequence.transpose(0, 1) : sequence,
      last: start.map((_, part) =>
        stack(
          last.map((state) => state[part] as Tensor),
          0,
        ),
      ),
    };
  }

  /** One cell along [length, N, width], from the last step to the first when `backwards`. */
  private unroll(
    sequence: Tensor,
    start: State,
    cell: CellParameters,
    backwards: boolean,
    length: number,
  ): { output: Tensor; last: State } {
    const product = sequence.matmul(cell.weightIh.transpose());
    const bias = this.inputBias(cell);
    const projected = (bias === null ? product : product.add(bias)).split(length, 0);
    const outputs = new Array<Tensor>(length);
    let state = start;
    for (let step = 0; step < length; step++) {
      const at = backwards ? length - 1 - step : step;
      state = this.step((projected[at] as Tensor).squeeze(0), state, cell);
      outputs[at] = state[0] as Tensor;
    }
    return { output: stack(outputs, 0), last: state };
  }

  multiplyAdds(inputs: readonly Shape[]): number {
    const [a = 0, b = 0] = inputs[0] ?? [];
    const products = this.cells.reduce((sum, cell) => sum + cell.weightIh.size + cell.weightHh.size, 0);
    return a * b * products;
  }

  /** PyTorch's names: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, then l1, each also with _reverse. */
  private children(): Record<string, unknown> {
    const directions = this.bidirectional ? 2 : 1;
    const children: Record<string, unknown> = {};
    this.cells.forEach((cell, index) => {
      const suffix = `l${Math.floor(index / directions)}${index % directions === 1 ? '_reverse' : ''}`;
      children[`weight_ih_${suffix}`] = cell.weightIh;
      children[`weight_hh_${suffix}`] = cell.weightHh;
      if (cell.biasIh !== null) children[`bias_ih_${suffix}`] = cell.biasIh;
      if (cell.biasHh !== null) children[`bias_hh_${suffix}`] = cell.biasHh;
    });
    return children;
  }
}

export interface RNNOptions extends RecurrentOptions {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu';
}

/** What RNN and GRU give back; `hidden` may be passed on to the next call. */
export interface RecurrentResult {
  /** The state after each step: [length, N, directions * hidden], N first with `batchFirst`. */
  readonly output: Tensor;
  /** The last states: [layers * directions, N, hidden]. */
  readonly hidden: Tensor;
}

/** What LSTM gives back; `hidden` and `cell` may be passed on to the next call. */
export interface LSTMResult extends RecurrentResult {
  /** The last cell states: [layers * directions, N, hidden]. */
  readonly cell: Tensor;
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
export class RNN extends Recurrent {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(inputs: number, hidden: number, options: RNNOptions = {}) {
    super(1, inputs, hidden, options);
    this.nonlinearity = options.nonlinearity ?? 'tanh';
  }

  forward(input: Tensor, start: { readonly hidden?: Tensor } = {}): RecurrentResult {
    const { output, last } = this.run(input, [start.hidden]);
    return { output, hidden: last[0] as Tensor };
  }

  protected override step(projected: Tensor, state: State, cell: CellParameters): State {
    const sum = projected.add((state[0] as Tensor).matmul(cell.weightHh.transpose()));
    return [this.nonlinearity === 'relu' ? sum.relu() : sum.tanh()];
  }

  override toString(): string {
    return `RNN(${this.inputs}, ${this.hidden})`;
  }
}

/**
 * Long short-term memory: gates i, f, g, o; c' = f c + i g; h' = o tanh(c'). (Hochreiter and Schmidhuber 1997.)
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
export class LSTM extends Recurrent {
  constructor(inputs: number, hidden: number, options: RecurrentOptions = {}) {
    super(4, inputs, hidden, options);
  }

  forward(input: Tensor, start: { readonly hidden?: Tensor; readonly cell?: Tensor } = {}): LSTMResult {
    const { output, last } = this.run(input, [start.hidden, start.cell]);
    return { output, hidden: last[0] as Tensor, cell: last[1] as Tensor };
  }

  protected override step(projected: Tensor, state: State, cell: CellParameters): State {
    const [h, c] = state as [Tensor, Tensor];
    const sums = projected.add(h.matmul(cell.weightHh.transpose()));
    const [i, f, g, o] = sums.split(4, 1) as [Tensor, Tensor, Tensor, Tensor];
    const next = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    return [o.sigmoid().mul(next.tanh()), next];
  }

  override toString(): string {
    return `LSTM(${this.inputs}, ${this.hidden})`;
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
export class GRU extends Recurrent {
  constructor(inputs: number, hidden: number, options: RecurrentOptions = {}) {
    super(3, inputs, hidden, options);
  }

  forward(input: Tensor, start: { readonly hidden?: Tensor } = {}): RecurrentResult {
    const { output, last } = this.run(input, [start.hidden]);
    return { output, hidden: last[0] as Tensor };
  }

  /** The state's bias stays inside the reset gate, so it cannot join the input's. */
  protected override inputBias(cell: CellParameters): Tensor | null {
    return cell.biasIh;
  }

  protected override step(projected: Tensor, state: State, cell: CellParameters): State {
    const h = state[0] as Tensor;
    const product = h.matmul(cell.weightHh.transpose());
    const recurrent = cell.biasHh === null ? product : product.add(cell.biasHh);
    const [xr, xz, xn] = projected.split(3, 1) as [Tensor, Tensor, Tensor];
    const [hr, hz, hn] = recurrent.split(3, 1) as [Tensor, Tensor, Tensor];
    const reset = xr.add(hr).sigmoid();
    const update = xz.add(hz).sigmoid();
    const candidate = xn.add(reset.mul(hn)).tanh();
    return [candidate.add(update.mul(h.sub(candidate)))];
  }

  override toString(): string {
    return `GRU(${this.inputs}, ${this.hidden})`;
  }
}
