/**
 * What a recurrent cell is, and what the plain ones share: four parameters under PyTorch's names. Owns no equations, which
 * are in cells.ts, and no time, along which recurrent.ts walks.
 */
import {
  checkOptions,
  checkRoom,
  type Parameter,
  type Shape,
  ShapeError,
  showShape,
  type Tensor,
  zeros,
} from '@nn/core';
import { type Layer, requireWhole, uniformParameter } from '../layer.ts';

/** The names that states go by. */
export type StateName = 'hidden' | 'cell';

/** What a cell hands from step to step: [N, width, ...space] each. */
export type State = { readonly hidden: Tensor; readonly cell?: Tensor };

/** The state of an LSTM: [N, hidden] each; of one with a projection, `hidden` is [N, projection]. */
export type LSTMState = { readonly hidden: Tensor; readonly cell: Tensor };

/** One step of time: what `Recurrent` applies along it. */
export interface Cell<S extends State> {
  /** The width of each state. */
  readonly widths: Readonly<Partial<Record<StateName, number>>>;
  /** What is trained, by its name. */
  members(): Readonly<Record<string, Parameter | Layer | null>>;
  /** The input's part of any number of steps at once, [..., N, inputs, ...space]: what need not wait for the state. */
  project(input: Tensor): Tensor;
  /** The state after a step. */
  step(projected: Tensor, state: S): S;
}

export interface CellOptions {
  /** Default true. */
  readonly bias?: boolean;
}

/** Parameters and checks of the cells of PyTorch. */
export abstract class PlainCell {
  readonly kind: string;
  readonly inputs: number;
  readonly hidden: number;
  /** [gates * hidden, inputs] */
  weightIh: Parameter;
  /** [gates * hidden, hidden] */
  weightHh: Parameter;
  /** [gates * hidden] */
  biasIh: Parameter | null;
  /** [gates * hidden] */
  biasHh: Parameter | null;

  constructor(
    kind: string,
    gates: number,
    inputs: number,
    hidden: number,
    options: CellOptions,
    known: readonly string[],
    width: number = hidden,
  ) {
    this.kind = kind;
    this.inputs = inputs;
    this.hidden = hidden;
    const name = String(this);
    checkOptions(name, options, ['bias', ...known]);
    requireWhole(name, 'inputs', inputs);
    requireWhole(name, 'hidden', hidden);
    checkRoom(name, [gates * hidden, inputs]);
    const bound = 1 / Math.sqrt(hidden);
    const { bias = true } = options;
    this.weightIh = uniformParameter([gates * hidden, inputs], bound);
    this.weightHh = uniformParameter([gates * hidden, width], bound);
    this.biasIh = bias ? uniformParameter([gates * hidden], bound) : null;
    this.biasHh = bias ? uniformParameter([gates * hidden], bound) : null;
  }

  members(): Readonly<Record<string, Parameter | Layer | null>> {
    return {
      weight_ih: this.weightIh,
      weight_hh: this.weightHh,
      bias_ih: this.biasIh,
      bias_hh: this.biasHh,
    };
  }

  project(input: Tensor): Tensor {
    const product = input.matmul(this.weightIh.transpose());
    const bias = this.inputBias();
    return bias === null ? product : product.add(bias);
  }

  /** The bias that goes to all steps at once. */
  protected inputBias(): Tensor | null {
    return this.biasIh === null || this.biasHh === null ? null : this.biasIh.add(this.biasHh);
  }

  multiplyAdds(inputs: readonly Shape[]): number {
    return (inputs[0]?.[0] ?? 0) * (this.weightIh.size + this.weightHh.size);
  }

  toString(): string {
    return `${this.kind}(${this.inputs}, ${this.hidden})`;
  }
}

/**
 * The state that a call of a cell starts from, for an input [N, inputs]: what was given, or zeros. Throws ShapeError for shapes that do
 * not fit.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { startState } from '@nn/layers';
 * console.log(startState({ inputs: 3, widths: { hidden: 5 } }, zeros([4, 3]), {}).hidden.shape); // => [4, 5]
 */
export function startState(
  layer: { readonly inputs: number; readonly widths: Cell<State>['widths'] },
  input: Tensor,
  given: Partial<State>,
): State {
  if (input.rank !== 2 || input.shape[1] !== layer.inputs) {
    throw new ShapeError(
      String(layer),
      `takes [N, ${layer.inputs}], got ${showShape(input.shape)}${input.rank === 1 ? ': for a single sample add the axis of the batch: x.unsqueeze(0)' : ''}.`,
      { layer: String(layer), shape: input.shape },
    );
  }
  const state: { hidden: Tensor; cell?: Tensor } = { hidden: input };
  for (const name of ['hidden', 'cell'] as const) {
    const width = layer.widths[name];
    if (width === undefined) continue;
    const expected = [input.shape[0] ?? 0, width];
    const found = given[name] ?? zeros(expected);
    if (showShape(found.shape) !== showShape(expected)) {
      throw new ShapeError(String(layer), `${name} must be ${showShape(expected)}, got ${showShape(found.shape)}.`, {
        layer: String(layer),
        shape: found.shape,
      });
    }
    state[name] = found;
  }
  return state;
}
