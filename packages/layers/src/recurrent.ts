/**
 * RNN, LSTM and GRU: a cell applied along time, stacked and in both directions, unrolled into the graph.
 * The products with the inputs of all steps are one matmul per direction; only those with the state are step by step.
 */
import {
  checkOptions,
  concat,
  isPadded,
  isTensor,
  type Parameter,
  type Shape,
  ShapeError,
  stack,
  type Tensor,
  tensor,
  ValueError,
  where,
  zeros,
} from '@nn/core';
import { dropout } from './dropout.ts';
import { countOf, nameChildren, requireWhole, show, sizeAt, splitInto, uniformParameter } from './layer.ts';
import { sequenceMask } from './mask.ts';

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

/** The state of one cell between steps: [N, hidden] each; LSTM adds its own. */
interface State {
  readonly hidden: Tensor;
}

/** States [layers * directions, N, hidden] to start from, as a call gave them back; 0 where missing. */
interface Start {
  readonly hidden?: Tensor;
  readonly cell?: Tensor;
  readonly lengths?: Lengths;
}

/** How many steps of each row are real: [N], as a loader's batch tells them, or a list. */
type Lengths = Tensor | readonly number[];

/** What a call of RNN or GRU may be given beside the input. */
export interface RecurrentStart {
  /** The state to start from: [layers * directions, N, hidden]. Default 0. */
  readonly hidden?: Tensor;
  /**
   * How many steps of each row are real, from 1: int32 [N], as a loader's batch tells them, or a list. The rest is padding:
   * outputs there are 0, the last state is that of each row's last real step, and the backward direction starts there, as
   * with PyTorch's packed sequences.
   */
  readonly lengths?: Tensor | readonly number[];
}

/** What a call of LSTM may be given beside the input. */
export interface LSTMStart extends RecurrentStart {
  /** The cell state to start from: [layers * directions, N, hidden]. Default 0. */
  readonly cell?: Tensor;
}

/** What the three share: parameters, their names, and the walk over layers, directions and time. */
abstract class Recurrent<S extends State> {
  readonly inputs: number;
  readonly hidden: number;
  readonly layers: number;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly gates: number;
  /** One entry for each layer and direction: layer 0 forwards, layer 0 backwards, layer 1 forwards, ... */
  readonly cells: readonly CellParameters[];
  #toldOfPadding = false;

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
    const known = ['layers', 'bias', 'batchFirst', 'dropout', 'bidirectional'];
    checkOptions(String(this), options, known);
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
    nameChildren(this, () => this.#children());
  }

  /** The state of a cell before the first step: row `index` of what was given. */
  protected abstract first(start: Start, index: number, batch: number): S;

  /** One step: `projected` [N, gates * hidden] is the input's part, with `biasIh` and, where it may join, `biasHh`. */
  protected abstract step(projected: Tensor, state: S, cell: CellParameters): S;

  /** `next` for the rows [N, 1] where `isReal`, `last` for the others. */
  protected abstract hold(isReal: Tensor, next: S, last: S): S;

  /** The bias that goes to all steps at once. */
  protected inputBias(cell: CellParameters): Tensor | null {
    return cell.biasIh === null || cell.biasHh === null ? null : cell.biasIh.add(cell.biasHh);
  }

  /** The whole walk: the states of the top layer after each step, and the last states of all cells. */
  protected run(input: Tensor, start: Start): { readonly output: Tensor; readonly last: readonly S[] } {
    const { batch, length } = this.#check(input, start);
    if (start.lengths === undefined) this.#tellOfPadding(input);
    const isReal = start.lengths === undefined ? null : this.#realSteps(start.lengths, batch, length);
    const directions = this.bidirectional ? 2 : 1;
    const last: S[] = [];
    let sequence = this.batchFirst ? input.transpose(0, 1) : input;
    for (let layer = 0; layer < this.layers; layer++) {
      if (layer > 0) sequence = dropout(sequence, this.dropout);
      const below = sequence;
      const cells = this.cells.slice(layer * directions, (layer + 1) * directions);
      const outputs = cells.map((cell, direction) => {
        const state = this.first(start, layer * directions + direction, batch);
        const steps = this.#unroll(below, state, cell, isReal, direction === 1);
        last.push(steps.last);
        return steps.output;
      });
      sequence = concat(outputs, 2);
    }
    return { output: this.batchFirst ? sequence.transpose(0, 1) : sequence, last };
  }

  /** One cell along [length, N, width], from the last step to the first when `backwards`. */
  #unroll(
    sequence: Tensor,
    start: S,
    cell: CellParameters,
    isReal: readonly Tensor[] | null,
    backwards: boolean,
  ): { readonly output: Tensor; readonly last: S } {
    const product = sequence.matmul(cell.weightIh.transpose());
    const bias = this.inputBias(cell);
    const length = sizeAt(sequence, 0);
    const steps = (bias === null ? product : product.add(bias)).split(length, 0).map((step) => step.squeeze(0));
    const outputs: Tensor[] = [];
    let state = start;
    for (const [turn, step] of (backwards ? steps.reverse() : steps).entries()) {
      const real = isReal?.[backwards ? length - 1 - turn : turn];
      const next = this.step(step, state, cell);
      state = real === undefined ? next : this.hold(real, next, state);
      outputs.push(real === undefined ? next.hidden : where(real, next.hidden, 0));
    }
    return { output: stack(backwards ? outputs.reverse() : outputs, 0), last: state };
  }

  /** Warns, once, of padding that would be taken for real steps. */
  #tellOfPadding(input: Tensor): void {
    if (this.#toldOfPadding || !isPadded(input)) return;
    this.#toldOfPadding = true;
    console.warn(
      `nn: ${String(this)}: rows of the input are padded, and without lengths their padding counts as steps: ` +
        'forward(x, { lengths }), as the batch of the loader has them.',
    );
  }

  /** For each step which rows are real: [N, 1]. */
  #realSteps(lengths: Lengths, batch: number, length: number): Tensor[] {
    const list = isTensor(lengths) ? null : lengths;
    const wrong = list?.findIndex((steps) => !(Number.isInteger(steps) && steps >= 1 && steps <= length)) ?? -1;
    if (wrong >= 0) {
      throw new ValueError(
        String(this),
        `row ${wrong} has the length ${list?.[wrong]}: it must be a whole number from 1 to ${length}, the steps of the input.`,
        { layer: String(this), row: wrong, length },
      );
    }
    const given = isTensor(lengths) ? lengths : tensor(Int32Array.from(lengths));
    if (show(given.shape) !== `[${batch}]`) {
      throw new ShapeError(
        String(this),
        `lengths must have a number for each of the ${batch} rows: [${batch}], got ${show(given.shape)}.`,
        { layer: String(this), lengths: given.shape, batch },
      );
    }
    const steps = sequenceMask(given, length).transpose(0, 1).split(length, 0);
    return steps.map((step) => step.reshape([batch, 1]));
  }

  /** Throws for shapes that do not fit; returns the size of the batch and the number of steps. */
  #check(input: Tensor, start: Start): { readonly batch: number; readonly length: number } {
    const [length, batch] = this.batchFirst ? [input.shape[1], input.shape[0]] : input.shape;
    const isWhole = input.rank === 3 && input.shape[2] === this.inputs;
    if (!isWhole || batch === undefined || length === undefined || length === 0) {
      throw new ShapeError(
        String(this),
        `takes ${this.batchFirst ? '[N, length' : '[length, N'}, ${this.inputs}]${length === 0 ? ' of at least one step' : ''}, got ${show(input.shape)}.`,
        { layer: String(this), shape: input.shape },
      );
    }
    const expected = [this.cells.length, batch, this.hidden];
    for (const state of [start.hidden, start.cell]) {
      if (state === undefined || show(state.shape) === show(expected)) continue;
      throw new ShapeError(
        String(this),
        `a state must be [layers, N, hidden] = ${show(expected)}, got ${show(state.shape)}.`,
        { layer: String(this), shape: state.shape },
      );
    }
    return { batch, length };
  }

  multiplyAdds(inputs: readonly Shape[]): number {
    const products = this.cells.reduce((sum, cell) => sum + cell.weightIh.size + cell.weightHh.size, 0);
    return countOf(inputs[0]?.slice(0, 2) ?? [0]) * products;
  }

  /** PyTorch's names: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, then l1, each also with _reverse. */
  #children(): Record<string, unknown> {
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

interface LSTMState extends State {
  readonly cell: Tensor;
}

function row(states: Tensor | undefined, index: number, shape: Shape): Tensor {
  return states === undefined ? zeros(shape) : states.at(index);
}

export interface RNNOptions extends RecurrentOptions {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu';
}

/** What RNN and GRU give back; `hidden` may be passed on to the next call. */
export interface RecurrentResult {
  /** The state after each step: [length, N, directions * hidden], N first with `batchFirst`. */
  readonly output: Tensor;
  /** The last states, of each row's last real step: [layers * directions, N, hidden]. */
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
export class RNN extends Recurrent<State> {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(inputs: number, hidden: number, options: RNNOptions = {}) {
    const { nonlinearity = 'tanh', ...others } = options;
    super(1, inputs, hidden, others);
    this.nonlinearity = nonlinearity;
  }

  forward(input: Tensor, start: RecurrentStart = {}): RecurrentResult {
    const { output, last } = this.run(input, start);
    return { output, hidden: stack(last.map(({ hidden }) => hidden)) };
  }

  protected override first({ hidden }: Start, index: number, batch: number): State {
    return { hidden: row(hidden, index, [batch, this.hidden]) };
  }

  protected override step(projected: Tensor, state: State, cell: CellParameters): State {
    const sum = projected.add(state.hidden.matmul(cell.weightHh.transpose()));
    return { hidden: this.nonlinearity === 'relu' ? sum.relu() : sum.tanh() };
  }

  protected override hold(isReal: Tensor, next: State, last: State): State {
    return { hidden: where(isReal, next.hidden, last.hidden) };
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
export class LSTM extends Recurrent<LSTMState> {
  constructor(inputs: number, hidden: number, options: RecurrentOptions = {}) {
    super(4, inputs, hidden, options);
  }

  forward(input: Tensor, start: LSTMStart = {}): LSTMResult {
    const { output, last } = this.run(input, start);
    return { output, hidden: stack(last.map(({ hidden }) => hidden)), cell: stack(last.map(({ cell }) => cell)) };
  }

  protected override first({ hidden, cell }: Start, index: number, batch: number): LSTMState {
    const shape = [batch, this.hidden];
    return { hidden: row(hidden, index, shape), cell: row(cell, index, shape) };
  }

  protected override step(projected: Tensor, state: LSTMState, parameters: CellParameters): LSTMState {
    const sums = projected.add(state.hidden.matmul(parameters.weightHh.transpose()));
    const { i, f, g, o } = splitInto(['i', 'f', 'g', 'o'], sums);
    const cell = f.sigmoid().mul(state.cell).add(i.sigmoid().mul(g.tanh()));
    return { hidden: o.sigmoid().mul(cell.tanh()), cell };
  }

  protected override hold(isReal: Tensor, next: LSTMState, last: LSTMState): LSTMState {
    return { hidden: where(isReal, next.hidden, last.hidden), cell: where(isReal, next.cell, last.cell) };
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
export class GRU extends Recurrent<State> {
  constructor(inputs: number, hidden: number, options: RecurrentOptions = {}) {
    super(3, inputs, hidden, options);
  }

  forward(input: Tensor, start: RecurrentStart = {}): RecurrentResult {
    const { output, last } = this.run(input, start);
    return { output, hidden: stack(last.map(({ hidden }) => hidden)) };
  }

  protected override first({ hidden }: Start, index: number, batch: number): State {
    return { hidden: row(hidden, index, [batch, this.hidden]) };
  }

  /** The state's bias stays inside the reset gate, so it cannot join the input's. */
  protected override inputBias(cell: CellParameters): Tensor | null {
    return cell.biasIh;
  }

  protected override step(projected: Tensor, state: State, cell: CellParameters): State {
    const { hidden } = state;
    const product = hidden.matmul(cell.weightHh.transpose());
    const recurrent = cell.biasHh === null ? product : product.add(cell.biasHh);
    const x = splitInto(['r', 'z', 'n'], projected);
    const h = splitInto(['r', 'z', 'n'], recurrent);
    const reset = x.r.add(h.r).sigmoid();
    const update = x.z.add(h.z).sigmoid();
    const candidate = x.n.add(reset.mul(h.n)).tanh();
    return { hidden: candidate.add(update.mul(hidden.sub(candidate))) };
  }

  protected override hold(isReal: Tensor, next: State, last: State): State {
    return { hidden: where(isReal, next.hidden, last.hidden) };
  }

  override toString(): string {
    return `GRU(${this.inputs}, ${this.hidden})`;
  }
}
