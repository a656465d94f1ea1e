/**
 * A cell applied along time, stacked and in both directions: what RNN, LSTM, GRU and their kin share. Short sequences are
 * unrolled into the graph, long ones are a loop of the program.
 * Knows steps, lengths and names, not what a cell computes. The products with the inputs of all steps are one per direction;
 * only those with the state are step by step.
 */
import {
  checkOptions,
  concat,
  isPadded,
  isParameter,
  isTensor,
  type Shape,
  ShapeError,
  scan,
  showShape,
  stack,
  type Tensor,
  tensor,
  ValueError,
  where,
  zeros,
} from '@nn/core';
import { countOf, nameChildren, requireWhole, sizeAt, spaceNames } from '../layer.ts';
import { asBooleans, sequenceMask } from '../mask.ts';
import { dropout, requireRate } from '../noise/dropout.ts';
import type { Cell, State, StateName } from './cell.ts';

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
  /** Which steps are real, bool [N, length], as `Masking` tells them: the others are passed over, wherever they are. */
  readonly mask?: Tensor;
}

/** What a call of LSTM may be given beside the input. */
export interface LSTMStart extends RecurrentStart {
  /** The cell state to start from: [layers * directions, N, hidden]. Default 0. */
  readonly cell?: Tensor;
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
 * A recurrent network of any cell: layers on top of each other, both directions, lengths and masks, and the names of parameters, as
 * `LSTM` has them. A subclass gives the cells, and a `forward` that calls `run`.
 *
 * @example
 * import { type Tensor, zeros } from '@nn/core';
 * import { type Cell, Linear, Recurrent, type RecurrentResult, type State } from '@nn/layers';
 * // h' = tanh(W x + h)
 * class Sum implements Cell<State> {
 *   readonly widths = { hidden: 5 };
 *   readonly weight: Linear;
 *   constructor(inputs: number) {
 *     this.weight = new Linear(inputs, 5);
 *   }
 *   members = () => ({ weight: this.weight });
 *   project = (input: Tensor) => this.weight.forward(input);
 *   step = (projected: Tensor, { hidden }: State) => ({ hidden: projected.add(hidden).tanh() });
 * }
 * class Sums extends Recurrent<State> {
 *   constructor(inputs: number) {
 *     super('Sums', inputs, 5, {}, [], (width) => new Sum(width));
 *   }
 *   forward(input: Tensor): RecurrentResult {
 *     return this.run(input, {});
 *   }
 * }
 * console.log(new Sums(3).forward(zeros([10, 4, 3])).output.shape); // => [10, 4, 5]
 */
export abstract class Recurrent<S extends State, C extends Cell<S> = Cell<S>> {
  /** The name of the layer. */
  readonly kind: string;
  readonly inputs: number;
  readonly hidden: number;
  readonly layers: number;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  /** One cell for each layer and direction: layer 0 forwards, layer 0 backwards, layer 1 forwards, ... */
  readonly cells: readonly C[];
  /** How many axes of space follow the channels. */
  readonly #space: number;
  #toldOfPadding = false;

  /** `make` gives a cell for inputs of a width; `known` are the options that it knows besides. */
  constructor(
    kind: string,
    inputs: number,
    hidden: number,
    options: RecurrentOptions,
    known: readonly string[],
    make: (width: number) => C,
    space = 0,
  ) {
    const { layers = 1, batchFirst = false, bidirectional = false } = options;
    this.kind = kind;
    this.inputs = inputs;
    this.hidden = hidden;
    this.layers = layers;
    this.batchFirst = batchFirst;
    this.dropout = options.dropout ?? 0;
    this.bidirectional = bidirectional;
    this.#space = space;
    const name = String(this);
    requireWhole(name, 'inputs', inputs);
    requireWhole(name, 'hidden', hidden);
    requireWhole(name, 'layers', layers);
    checkOptions(name, options, ['layers', 'batchFirst', 'dropout', 'bidirectional', ...known]);
    requireRate(this.dropout, name);
    const directions = bidirectional ? 2 : 1;
    const cells: C[] = [];
    for (let index = 0; index < layers * directions; index++) {
      const below = cells[0]?.widths.hidden ?? 0;
      cells.push(make(index < directions ? inputs : below * directions));
    }
    this.cells = cells;
    nameChildren(this, () => this.#children());
  }

  /** The whole walk: the states of the top layer after each step, and the last states of all cells. */
  protected run(input: Tensor, start: LSTMStart): S & { readonly output: Tensor } {
    const { batch, length, space } = this.#check(input, start);
    const isReal = this.#realSteps(start, batch, length, space.length);
    if (isReal === null) this.#tellOfPadding(input);
    const directions = this.bidirectional ? 2 : 1;
    const last: S[] = [];
    let sequence = this.batchFirst ? input.transpose(0, 1) : input;
    for (let layer = 0; layer < this.layers; layer++) {
      if (layer > 0) sequence = dropout(sequence, this.dropout);
      const below = sequence;
      const cells = this.cells.slice(layer * directions, (layer + 1) * directions);
      const outputs = cells.map((cell, direction) => {
        const first = stateOf<S>(cell, (name, width) => {
          return start[name]?.at(layer * directions + direction) ?? zeros([batch, width, ...space]);
        });
        const walk = length < loopFrom ? unroll : loop;
        const steps = walk(below, first, cell, isReal, direction === 1);
        last.push(steps.last);
        return steps.output;
      });
      sequence = concat(outputs, 2);
    }
    const output = this.batchFirst ? sequence.transpose(0, 1) : sequence;
    const [cell] = this.cells as readonly [C];
    return { output, ...stateOf<S>(cell, (name) => stack(last.map((state) => named(state, name)))) };
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

  /** Which rows are real at each step, [length, N, 1, ...]; null where all are. */
  #realSteps({ lengths, mask }: RecurrentStart, batch: number, length: number, space: number): Tensor | null {
    const byLength = lengths === undefined ? null : this.#ofLengths(lengths, batch, length);
    if (mask !== undefined && showShape(mask.shape) !== showShape([batch, length])) {
      throw new ShapeError(
        String(this),
        `mask must be [N, length] = ${showShape([batch, length])}, got ${showShape(mask.shape)}.`,
        { layer: String(this), mask: mask.shape },
      );
    }
    const byMask = mask === undefined ? null : asBooleans(mask);
    const real = byLength !== null && byMask !== null ? byLength.logicalAnd(byMask) : (byLength ?? byMask);
    if (real === null) return null;
    return real.transpose(0, 1).reshape([length, batch, 1, ...new Array<number>(space).fill(1)]);
  }

  #ofLengths(lengths: Tensor | readonly number[], batch: number, length: number): Tensor {
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
    if (showShape(given.shape) !== `[${batch}]`) {
      throw new ShapeError(
        String(this),
        `lengths must have a number for each of the ${batch} rows: [${batch}], got ${showShape(given.shape)}.`,
        { layer: String(this), lengths: given.shape, batch },
      );
    }
    return sequenceMask(given, length);
  }

  /** Throws for shapes that do not fit; returns the size of the batch, the number of steps and the sizes of space. */
  #check(input: Tensor, start: LSTMStart): { batch: number; length: number; space: Shape } {
    const [length, batch] = this.batchFirst ? [input.shape[1], input.shape[0]] : input.shape;
    const isWhole = input.rank === 3 + this.#space && input.shape[2] === this.inputs;
    const axes = this.#space === 0 ? '' : `, ${spaceNames[this.#space]}`;
    if (!isWhole || batch === undefined || length === undefined || length === 0) {
      throw new ShapeError(
        String(this),
        `takes ${this.batchFirst ? '[N, length' : '[length, N'}, ${this.inputs}${axes}]${length === 0 ? ' of at least one step' : ''}, got ${showShape(input.shape)}.`,
        { layer: String(this), shape: input.shape },
      );
    }
    const space = input.shape.slice(3);
    for (const [name, width] of Object.entries(this.cells[0]?.widths ?? {})) {
      const state = start[name as StateName]; // the cast: widths are of states
      const expected = [this.cells.length, batch, width, ...space];
      if (state === undefined || showShape(state.shape) === showShape(expected)) continue;
      throw new ShapeError(
        String(this),
        `a state must be [layers, N, hidden${axes}] = ${showShape(expected)}, got ${showShape(state.shape)}.`,
        { layer: String(this), shape: state.shape },
      );
    }
    return { batch, length, space };
  }

  multiplyAdds(inputs: readonly Shape[]): number {
    const weights = this.cells.flatMap((cell) => Object.values(cell.members())).filter(isParameter);
    const products = weights.reduce((sum, { rank, size }) => sum + (rank > 1 ? size : 0), 0);
    const [first = [0]] = inputs;
    return countOf(first.slice(0, 2)) * countOf(first.slice(3)) * products;
  }

  /** PyTorch's names: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, then l1, each also with _reverse. */
  #children(): Record<string, unknown> {
    const directions = this.bidirectional ? 2 : 1;
    const children: Record<string, unknown> = {};
    this.cells.forEach((cell, index) => {
      const suffix = `l${Math.floor(index / directions)}${index % directions === 1 ? '_reverse' : ''}`;
      for (const [name, member] of Object.entries(cell.members())) {
        if (member !== null) children[`${name}_${suffix}`] = member;
      }
    });
    return children;
  }

  toString(): string {
    return `${this.kind}(${this.inputs}, ${this.hidden})`;
  }
}

/** A state made of a tensor for each name that the cell has. */
function stateOf<S extends State>({ widths }: Cell<S>, make: (name: StateName, width: number) => Tensor): S {
  const entries = Object.entries(widths).map(([name, width]) => [name, make(name as StateName, width)]);
  return Object.fromEntries(entries) as S; // the cast: widths has the names of S
}

function named(state: State, name: StateName): Tensor {
  const found = state[name];
  if (found === undefined) throw new ValueError('Recurrent', `a cell gave no state named ${name}.`, { name });
  return found;
}

/** From how many steps on the walk is a loop of the program, which is compiled as fast for any length. */
const loopFrom = 16;

/** What a walk along time gives: the outputs of all steps, and the state after the last. */
interface Walked<S> {
  readonly output: Tensor;
  readonly last: S;
}

/** One step: where rows are not real, their state stays and their output is 0. */
function stepOf<S extends State>(cell: Cell<S>, projected: Tensor, before: S, real: Tensor | null): Walked<S> {
  const next = cell.step(projected, before);
  const kept = (name: StateName): Tensor =>
    real === null ? named(next, name) : where(real, named(next, name), named(before, name));
  return { output: real === null ? next.hidden : where(real, next.hidden, 0), last: stateOf(cell, kept) };
}

/** One cell along [length, N, width, ...space], from the last step to the first when `backwards`: each step apart. */
function unroll<S extends State>(
  sequence: Tensor,
  start: S,
  cell: Cell<S>,
  isReal: Tensor | null,
  backwards: boolean,
): Walked<S> {
  const length = sizeAt(sequence, 0);
  const stepsOf = (all: Tensor): Tensor[] => all.split(length, 0).map((step) => step.squeeze(0));
  const steps = stepsOf(cell.project(sequence));
  const real = isReal === null ? null : stepsOf(isReal);
  const outputs = new Array<Tensor>(length);
  let state = start;
  for (let turn = 0; turn < length; turn++) {
    const at = backwards ? length - 1 - turn : turn;
    const step = steps[at] as Tensor;
    const { output, last } = stepOf(cell, step, state, real?.[at] ?? null);
    state = last;
    outputs[at] = output;
  }
  return { output: stack(outputs, 0), last: state };
}

/** The same as one operation. */
function loop<S extends State>(
  sequence: Tensor,
  start: S,
  cell: Cell<S>,
  isReal: Tensor | null,
  backwards: boolean,
): Walked<S> {
  const { carry, outputs } = scan(
    (state: S, { step, real }: { readonly step: Tensor; readonly real: Tensor | null }) => {
      const { output, last } = stepOf(cell, step, state, real);
      return { carry: last, output };
    },
    start,
    { step: cell.project(sequence), real: isReal },
    { reverse: backwards },
  );
  return { output: outputs, last: carry };
}
