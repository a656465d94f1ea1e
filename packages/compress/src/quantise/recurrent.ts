/**
 * Recurrent layers whose weights are bytes: the cells of RNN, LSTM and GRU with products of few bits in place of their own. Weights have
 * a scale for each channel of each gate; where products are of whole numbers, inputs and states are rounded by the range of each row.
 * Owns the cells; the walk along time is that of @nn/layers, the products are in `layers.ts` and `in-training.ts`.
 */
import { type Parameter, type Shape, type Tensor, treeChildren } from '@nn/core';
import {
  type Cell,
  GRU,
  GRUCell,
  gruStep,
  type Linear,
  LSTM,
  LSTMCell,
  type LSTMResult,
  type LSTMStart,
  type LSTMState,
  lstmStep,
  Recurrent,
  type RecurrentResult,
  type RecurrentStart,
  RNN,
  RNNCell,
  type State,
  startState,
} from '@nn/layers';
import { QuantisedInTraining } from './in-training.ts';
import type { GroupedLinear, QuantisedLinear } from './layers.ts';
import { Projection } from './projections.ts';

/** What multiplies in place of a weight of a cell. */
export type Product = QuantisedLinear | GroupedLinear | QuantisedInTraining;

/** The products of a cell, each with its bias: of the input, of the state, and of an LSTM's projection. */
export interface Products {
  readonly ih: Product;
  readonly hh: Product;
  readonly hr: Product | null;
}

/** What a cell says of itself, of floats or not. */
interface Form<Widths> {
  readonly inputs: number;
  readonly hidden: number;
  readonly widths: Widths;
}

const listOf = ({ ih, hh, hr }: Products): Product[] => (hr === null ? [ih, hh] : [ih, hh, hr]);
const isInTraining = ({ ih }: Products): boolean => ih instanceof QuantisedInTraining;
const nameOf = (kind: string, products: Products): string =>
  `${isInTraining(products) ? 'QuantisedInTraining' : 'Quantised'}${kind}`;

/** What the cells share: parameters under PyTorch's names, and the product with the input. */
abstract class QuantisedCell<S extends State> implements Cell<S> {
  readonly kind: string;
  readonly inputs: number;
  readonly hidden: number;
  readonly widths: Cell<S>['widths'];
  readonly products: Products;

  constructor(kind: string, { inputs, hidden, widths }: Form<Cell<S>['widths']>, products: Products) {
    this.kind = kind;
    this.inputs = inputs;
    this.hidden = hidden;
    this.widths = { ...widths };
    this.products = products;
    Object.defineProperty(this, treeChildren, { value: () => this.members() });
  }

  /** weight_ih, weight_ih_scale, bias_ih and so on. */
  members(): Readonly<Record<string, Parameter>> {
    const all: Record<string, Parameter> = {};
    for (const [name, product] of Object.entries<Product | null>({ ...this.products })) {
      if (product === null) continue;
      const { weight, bias } = product;
      all[`weight_${name}`] = weight;
      if ('weightScale' in product) all[`weight_${name}_scale`] = product.weightScale;
      if ('weightSum' in product) all[`weight_${name}_sum`] = product.weightSum;
      if (bias !== null) all[`bias_${name}`] = bias;
    }
    return all;
  }

  project(input: Tensor): Tensor {
    return this.products.ih.forward(input);
  }

  abstract step(projected: Tensor, state: S): S;

  /** Of each of its calls. */
  multiplyAdds(inputs: readonly Shape[]): number {
    return (inputs[0]?.[0] ?? 0) * productsOfRow(this.products);
  }

  toString(): string {
    return `${nameOf(this.kind, this.products)}(${this.inputs}, ${this.hidden})`;
  }
}

const productsOfRow = (products: Products): number =>
  listOf(products).reduce((sum, product) => {
    const { inputs, outputs } = product instanceof QuantisedInTraining ? product.layer : product;
    return sum + inputs * outputs;
  }, 0);

/** An RNNCell with products of few bits. Made by `quantise`. Throws ShapeError for shapes that do not fit. */
export class QuantisedRNNCell extends QuantisedCell<State> {
  readonly nonlinearity: 'tanh' | 'relu';

  constructor(form: RNNCell | QuantisedRNNCell, products: Products) {
    super('RNNCell', form, products);
    this.nonlinearity = form.nonlinearity;
  }

  forward(input: Tensor, hidden?: Tensor): Tensor {
    const state = startState(this, input, { ...(hidden && { hidden }) });
    return this.step(this.project(input), state).hidden;
  }

  step(projected: Tensor, { hidden }: State): State {
    const sums = projected.add(this.products.hh.forward(hidden));
    return { hidden: this.nonlinearity === 'relu' ? sums.relu() : sums.tanh() };
  }
}

/** An LSTMCell with products of few bits. Made by `quantise`. Throws ShapeError for shapes that do not fit. */
export class QuantisedLSTMCell extends QuantisedCell<LSTMState> {
  constructor(form: LSTMCell | QuantisedLSTMCell, products: Products) {
    super('LSTMCell', form, products);
  }

  forward(input: Tensor, state: Partial<LSTMState> = {}): LSTMState {
    const { hidden, cell = hidden } = startState(this, input, state);
    return this.step(this.project(input), { hidden, cell });
  }

  step(projected: Tensor, state: LSTMState): LSTMState {
    const { hh, hr } = this.products;
    const { hidden, cell } = lstmStep(projected.add(hh.forward(state.hidden)), state.cell);
    return { hidden: hr === null ? hidden : hr.forward(hidden), cell };
  }
}

/** A GRUCell with products of few bits. Made by `quantise`. Throws ShapeError for shapes that do not fit. */
export class QuantisedGRUCell extends QuantisedCell<State> {
  constructor(form: GRUCell | QuantisedGRUCell, products: Products) {
    super('GRUCell', form, products);
  }

  forward(input: Tensor, hidden?: Tensor): Tensor {
    const state = startState(this, input, { ...(hidden && { hidden }) });
    return this.step(this.project(input), state).hidden;
  }

  step(projected: Tensor, { hidden }: State): State {
    return { hidden: gruStep(projected, this.products.hh.forward(hidden), hidden) };
  }
}

/** The layers: what they were, with cells of few bits. */
abstract class QuantisedRecurrent<S extends State, C extends QuantisedCell<S>> extends Recurrent<S, C> {
  constructor(kind: string, layer: Recurrent<S>, cells: readonly C[]) {
    const { layers, batchFirst, dropout, bidirectional } = layer;
    let made = 0;
    super(
      nameOf(kind, cells[0]!.products),
      layer.inputs,
      layer.hidden,
      { layers, batchFirst, dropout, bidirectional },
      [],
      () => cells[made++]!,
    );
  }

  override multiplyAdds(inputs: readonly Shape[]): number {
    const [first = 0, second = 0] = inputs[0] ?? [];
    return first * second * this.cells.reduce((sum, { products }) => sum + productsOfRow(products), 0);
  }
}

/** An RNN with products of few bits. Made by `quantise`. Throws ShapeError for an input or a state of another shape. */
export class QuantisedRNN extends QuantisedRecurrent<State, QuantisedRNNCell> {
  constructor(layer: Recurrent<State>, cells: readonly QuantisedRNNCell[]) {
    super('RNN', layer, cells);
  }

  forward(input: Tensor, start: RecurrentStart = {}): RecurrentResult {
    return this.run(input, start);
  }
}

/** An LSTM with products of few bits. Made by `quantise`. Throws ShapeError for an input or a state of another shape. */
export class QuantisedLSTM extends QuantisedRecurrent<LSTMState, QuantisedLSTMCell> {
  constructor(layer: Recurrent<LSTMState>, cells: readonly QuantisedLSTMCell[]) {
    super('LSTM', layer, cells);
  }

  forward(input: Tensor, start: LSTMStart = {}): LSTMResult {
    return this.run(input, start);
  }
}

/** A GRU with products of few bits. Made by `quantise`. Throws ShapeError for an input or a state of another shape. */
export class QuantisedGRU extends QuantisedRecurrent<State, QuantisedGRUCell> {
  constructor(layer: Recurrent<State>, cells: readonly QuantisedGRUCell[]) {
    super('GRU', layer, cells);
  }

  forward(input: Tensor, start: RecurrentStart = {}): RecurrentResult {
    return this.run(input, start);
  }
}

type FloatCell = RNNCell | LSTMCell | GRUCell;
type FewBitsCell = QuantisedRNNCell | QuantisedLSTMCell | QuantisedGRUCell;
type FewBits = QuantisedRNN | QuantisedLSTM | QuantisedGRU;

/** Layers and cells that may have products of few bits. */
export type FloatRecurrent = RNN | LSTM | GRU | FloatCell;

export const isRecurrent = (layer: object): layer is FloatRecurrent =>
  [RNN, LSTM, GRU, RNNCell, LSTMCell, GRUCell].some((kind) => layer instanceof kind);

/** Those that `quantiseInTraining` made. */
export function isRecurrentInTraining(layer: object): layer is FewBits | FewBitsCell {
  if (layer instanceof QuantisedRecurrent) return isInTraining(layer.cells[0]!.products);
  return layer instanceof QuantisedCell && isInTraining(layer.products);
}

/** The weights of a layer or cell, each with its bias: those of every cell in turn. */
export function matricesOf(layer: FloatRecurrent | FewBits | FewBitsCell): (Linear | QuantisedInTraining)[] {
  if (layer instanceof Recurrent) return [...layer.cells].flatMap((cell) => matricesOf(cell));
  if (layer instanceof QuantisedCell) return listOf(layer.products).filter((one) => one instanceof QuantisedInTraining);
  const { weightIh, weightHh, biasIh, biasHh } = layer;
  const matrices = [Projection.around(weightIh, biasIh), Projection.around(weightHh, biasHh)];
  const hr = layer instanceof LSTMCell ? layer.weightHr : null;
  return hr === null ? matrices : [...matrices, Projection.around(hr, null)];
}

/** A layer or cell with products in place of what `matricesOf` gave, in that order. */
export function withProducts(
  layer: FloatRecurrent | FewBits | FewBitsCell,
  products: Product[],
): FewBits | FewBitsCell {
  const left = [...products];
  const next = (cell: FloatCell | FewBitsCell): Products => {
    const [ih, hh, hr = null] = left.splice(0, matricesOf(cell).length);
    return { ih: ih!, hh: hh!, hr };
  };
  const rnn = (cell: RNNCell | QuantisedRNNCell): QuantisedRNNCell => new QuantisedRNNCell(cell, next(cell));
  const lstm = (cell: LSTMCell | QuantisedLSTMCell): QuantisedLSTMCell => new QuantisedLSTMCell(cell, next(cell));
  const gru = (cell: GRUCell | QuantisedGRUCell): QuantisedGRUCell => new QuantisedGRUCell(cell, next(cell));
  if (layer instanceof RNN || layer instanceof QuantisedRNN) return new QuantisedRNN(layer, layer.cells.map(rnn));
  if (layer instanceof LSTM || layer instanceof QuantisedLSTM) return new QuantisedLSTM(layer, layer.cells.map(lstm));
  if (layer instanceof GRU || layer instanceof QuantisedGRU) return new QuantisedGRU(layer, layer.cells.map(gru));
  if (layer instanceof RNNCell || layer instanceof QuantisedRNNCell) return rnn(layer);
  return layer instanceof LSTMCell || layer instanceof QuantisedLSTMCell ? lstm(layer) : gru(layer);
}
