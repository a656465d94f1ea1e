/**
 * Averages of a model's weights over training, which often do better than the last weights: exponential (EMA) and equal
 * (SWA). Owns the averages and the exchange of them with the weights; knows no optimizer.
 */
import {
  checkOptions,
  FormatError,
  type Model,
  namedParameters,
  numberSource,
  type Parameter,
  parameter,
  replace,
  type Stateful,
  treeChildren,
  ValueError,
} from '@nn/core';
import { counted } from './counted.ts';

export interface WeightAverageOptions {
  /** Whether old weights fade ('exponential', EMA) or all updates count the same ('equal', SWA). Default 'exponential'. */
  readonly average?: 'exponential' | 'equal';
  /** For 'exponential': the share of the old average that stays, or a function of the updates so far. Default 0.999. */
  readonly decay?: number | ((updates: number) => number);
  /** Whether running statistics are averaged too; otherwise the model keeps its own. Default false. */
  readonly buffers?: boolean;
}

/**
 * A running average of the weights of a model: average = decay average + (1 - decay) weights; the first update copies.
 * 'exponential' is the EMA of Polyak averaging, 'equal' the mean of all updates. `update` after each step (EMA) or at the
 * end of each epoch (SWA); it may stand inside of a compiled function. `swapIn` gives the model the average, to evaluate or
 * save it, `swapOut` gives it back its own weights. In checkpoints it is a part of its own beside the model.
 * (Polyak and Juditsky 1992; Izmailov et al. 2018; PyTorch's `AveragedModel`, Keras' `use_ema`.)
 *
 * With 'equal' and batch normalisation, running statistics belong to other weights: set `buffers`, or compute them anew
 * with `updateBatchNorm` of @nn/layers.
 * Throws ValueError for a decay outside 0 to 1 and for a model without weights.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { WeightAverage } from '@nn/optim';
 * const model = { weight: parameter([0]) };
 * const average = new WeightAverage(model, { decay: 0.5 });
 * for (const value of [4, 8]) {
 *   model.weight.assign(parameter([value]));
 *   await average.update();
 * }
 * await average.swapIn();
 * console.log(await model.weight.array()); // => [6]
 * await average.swapOut();
 * console.log(await model.weight.array()); // => [8]
 */
export class WeightAverage implements Stateful {
  static readonly name: string = 'WeightAverage';

  /** How often the weights were averaged in. */
  updates = 0;
  #isSwapped = false;
  readonly #pairs: readonly { readonly name: string; readonly member: Parameter; readonly average: Parameter }[];
  readonly #decay: (updates: number) => number;

  constructor(model: Model, options: WeightAverageOptions = {}) {
    checkOptions('WeightAverage', options, ['average', 'decay', 'buffers']);
    const { average = 'exponential', decay = 0.999, buffers = false } = options;
    if (average !== 'exponential' && average !== 'equal') {
      throw new ValueError('WeightAverage', `average is ${String(average)}: it must be 'exponential' or 'equal'.`, {
        average,
      });
    }
    if (average === 'equal' && options.decay !== undefined) {
      throw new ValueError('WeightAverage', "an 'equal' average has no decay: leave it out, or take 'exponential'.");
    }
    // 1 - 1 / (n + 1): after n updates the next counts as much as each before
    this.#decay = average === 'equal' ? (updates) => updates / (updates + 1) : decayOf(decay);
    this.#decay(0);
    const members = [...namedParameters(model)].filter(
      ([, { isBuffer, dtype }]) => dtype.startsWith('float') && (buffers || !isBuffer),
    );
    if (members.length === 0) throw new ValueError('WeightAverage', 'the model has no weights to average.');
    this.#pairs = members.map(([name, member]) => ({
      name,
      member,
      average: parameter(new Float32Array(member.size), { shape: member.shape, buffer: true }),
    }));
    // what a walk finds here are the averages; the model's parameters belong to the model
    Object.defineProperty(this, treeChildren, {
      value: () => Object.fromEntries(this.#pairs.map(({ name, average }) => [`average.${name}`, average])),
    });
  }

  /** Whether the model holds the average at present. */
  get isSwapped(): boolean {
    return this.#isSwapped;
  }

  /** Averages the model's present weights in. Throws ValueError while the average is in the model. */
  update(): Promise<void> {
    if (this.#isSwapped) {
      throw new ValueError('update', 'the model holds the average: call swapOut before it is trained further.');
    }
    const stays = (): number => (this.updates === 1 ? 0 : this.#decay(this.updates - 1));
    const [old, fresh] = [numberSource(stays), numberSource(() => 1 - stays())];
    const count = (): (() => void) => {
      this.updates++;
      return () => void this.updates--;
    };
    return counted(count, () =>
      replace(this.#pairs.map(({ member, average }) => [average, average.mul(old).add(member.mul(fresh))])),
    );
  }

  /** Gives the model the average, and keeps its weights. Throws ValueError when it has it already, or before any update. */
  swapIn(): Promise<void> {
    if (this.updates === 0) throw new ValueError('swapIn', 'there is no average yet: call update first.');
    return this.#swap('swapIn', true);
  }

  /** Gives the model its own weights back. Throws ValueError when it has them. */
  swapOut(): Promise<void> {
    return this.#swap('swapOut', false);
  }

  #swap(operation: string, isIn: boolean): Promise<void> {
    if (this.#isSwapped === isIn) {
      throw new ValueError(operation, `the model holds ${isIn ? 'the average' : 'its own weights'} already.`);
    }
    const count = (): (() => void) => {
      this.#isSwapped = isIn;
      return () => {
        this.#isSwapped = !isIn;
      };
    };
    return counted(count, () =>
      replace(
        this.#pairs.flatMap(({ member, average }): [Parameter, Parameter][] => [
          [member, average],
          [average, member],
        ]),
      ),
    );
  }

  /** Does `work` with the average in the model, and gives it its own weights back whatever happens. */
  async during<T>(work: () => T | Promise<T>): Promise<T> {
    await this.swapIn();
    try {
      return await work();
    } finally {
      await this.swapOut();
    }
  }

  /** For checkpoints: the count, and who holds the average. The averages are found by walking the tree. */
  hostState(): { readonly updates: number; readonly isSwapped: boolean } {
    return { updates: this.updates, isSwapped: this.#isSwapped };
  }

  /** Goes on where `hostState` was taken. Throws FormatError for anything else. */
  loadHostState(state: unknown): void {
    const isState = typeof state === 'object' && state !== null && 'updates' in state && 'isSwapped' in state;
    const updates = isState ? Number(state.updates) : Number.NaN;
    if (!isState || !(Number.isSafeInteger(updates) && updates >= 0) || typeof state.isSwapped !== 'boolean') {
      throw new FormatError('WeightAverage', 'the saved state is not a count and whether the weights were swapped.');
    }
    this.updates = updates;
    this.#isSwapped = state.isSwapped;
  }
}

function decayOf(decay: number | ((updates: number) => number)): (updates: number) => number {
  return (updates) => {
    const value = typeof decay === 'number' ? decay : decay(updates);
    if (value >= 0 && value <= 1) return value;
    throw new ValueError('WeightAverage', `decay is ${String(value)}: it must be a number from 0 to 1.`, {
      decay: value,
    });
  };
}
