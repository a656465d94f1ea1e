/**
 * Learning rates that fall when a measured number no longer improves: the one schedule that is not a function of the step.
 * Owns the decision; the rates belong to the optimizer's groups, which save them.
 */
import { checkOptions, FormatError, type Stateful, ValueError } from '@nn/core';
import type { Optimizer, Rule } from './optimizer.ts';

export interface ReduceLROnPlateauOptions {
  /** Whether the number should fall ('min', a loss) or rise ('max', an accuracy). Default 'min'. */
  readonly mode?: 'min' | 'max';
  /** What the learning rates are multiplied by, below 1. Default 0.1. */
  readonly factor?: number;
  /** How many numbers in a row may be no better before rates fall. Default 10. */
  readonly patience?: number;
  /** How much better a number has to be. Default 1e-4. */
  readonly threshold?: number;
  /** Whether the threshold is a share of the best number ('relative') or a difference ('absolute'). Default 'relative'. */
  readonly thresholdMode?: 'relative' | 'absolute';
  /** How many numbers to wait after a fall before they count again. Default 0. */
  readonly cooldown?: number;
  /** The lowest rate, for all groups or one for each. Default 0. */
  readonly minimum?: number | readonly number[];
  /** A rate that would fall by less than this stays. Default 1e-8. */
  readonly epsilon?: number;
}

interface State {
  readonly best: number | null;
  readonly bad: number;
  readonly cooldown: number;
}

const names = ['mode', 'factor', 'patience', 'threshold', 'thresholdMode', 'cooldown', 'minimum', 'epsilon'];

/**
 * Multiplies the learning rates of an optimizer by `factor` when a number (the loss of validation, say) was no better for
 * more than `patience` measurements in a row. What is not finite is never better; a relative threshold is a share of the
 * size of the best number, so that negative ones have to fall too. (PyTorch's `ReduceLROnPlateau`; for the same meaning
 * Keras' patience is one more.)
 *
 * Throws ValueError for options out of range, and when a group's learning rate is a schedule.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { ReduceLROnPlateau, SGD } from '@nn/optim';
 * const optimizer = new SGD([parameter([1])], { learningRate: 0.5 });
 * const plateau = new ReduceLROnPlateau(optimizer, { patience: 1, factor: 0.5 });
 * const reduced = [3, 2, 2, 2].map((loss) => plateau.step(loss));
 * console.log(reduced, optimizer.learningRate); // => [false, false, false, true] 0.25
 */
export class ReduceLROnPlateau<R extends Rule> implements Stateful {
  static readonly name: string = 'ReduceLROnPlateau';

  readonly #optimizer: Optimizer<R>;
  readonly #options: Required<ReduceLROnPlateauOptions>;
  readonly #minima: readonly number[];
  #state: State = { best: null, bad: 0, cooldown: 0 };

  constructor(optimizer: Optimizer<R>, options: ReduceLROnPlateauOptions = {}) {
    checkOptions('ReduceLROnPlateau', options, names);
    const all = {
      mode: 'min',
      factor: 0.1,
      patience: 10,
      threshold: 1e-4,
      thresholdMode: 'relative',
      cooldown: 0,
      minimum: 0,
      epsilon: 1e-8,
      ...options,
    } as const;
    check('mode', all.mode, all.mode === 'min' || all.mode === 'max', "'min' or 'max'");
    check('factor', all.factor, all.factor > 0 && all.factor < 1, 'above 0 and below 1');
    for (const name of ['patience', 'cooldown'] as const) {
      check(name, all[name], Number.isInteger(all[name]) && all[name] >= 0, 'a whole number of at least 0');
    }
    for (const name of ['threshold', 'epsilon'] as const) check(name, all[name], all[name] >= 0, 'at least 0');
    const isMode = all.thresholdMode === 'relative' || all.thresholdMode === 'absolute';
    check('thresholdMode', all.thresholdMode, isMode, "'relative' or 'absolute'");
    const { groups } = optimizer;
    const minima = typeof all.minimum === 'number' ? groups.map(() => Number(all.minimum)) : [...all.minimum];
    const isMinimum = minima.length === groups.length && minima.every((minimum) => minimum >= 0);
    check('minimum', all.minimum, isMinimum, `at least 0, for all or for each of the ${groups.length} groups`);
    this.#optimizer = optimizer;
    this.#options = all;
    this.#minima = minima;
    this.#checkRates();
  }

  /** Whether the number should fall or rise. */
  get mode(): 'min' | 'max' {
    return this.#options.mode;
  }

  /** The best number so far; null before the first. */
  get best(): number | null {
    return this.#state.best;
  }

  /** Takes a measurement; true when it made a learning rate fall. */
  step(value: number): boolean {
    if (typeof value !== 'number') {
      throw new ValueError('ReduceLROnPlateau', `step takes a number, got ${typeof value}: await loss.item().`);
    }
    this.#checkRates();
    const { patience, cooldown } = this.#options;
    const isBetter = this.#isBetter(value);
    const isCooling = this.#state.cooldown > 0;
    const bad = isBetter || isCooling ? 0 : this.#state.bad + 1;
    const isOver = bad > patience;
    this.#state = {
      best: isBetter ? value : this.#state.best,
      bad: isOver ? 0 : bad,
      cooldown: isOver ? cooldown : Math.max(0, this.#state.cooldown - 1),
    };
    return isOver && this.#reduce();
  }

  #isBetter(value: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const { best } = this.#state;
    if (!Number.isFinite(value)) return false;
    if (best === null) return true;
    const margin = thresholdMode === 'absolute' ? threshold : threshold * Math.abs(best);
    return mode === 'min' ? value < best - margin : value > best + margin;
  }

  #reduce(): boolean {
    const { factor, epsilon } = this.#options;
    let hasFallen = false;
    this.#optimizer.groups.forEach((group, i) => {
      const old = group.learningRate;
      const rate = Math.max(old * factor, this.#minima[i] ?? 0);
      if (old - rate <= epsilon) return;
      group.learningRate = rate;
      hasFallen = true;
    });
    return hasFallen;
  }

  #checkRates(): void {
    const at = this.#optimizer.groups.findIndex(({ schedule }) => schedule !== null);
    if (at < 0) return;
    throw new ValueError(
      'ReduceLROnPlateau',
      `the learning rate of group ${at} is a schedule: give the optimizer a number, which this lowers.`,
      { group: at },
    );
  }

  hostState(): State {
    return this.#state;
  }

  /** Goes on where `hostState` was taken. Throws FormatError for anything else. */
  loadHostState(state: unknown): void {
    const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
    if (typeof state === 'object' && state !== null && 'best' in state && 'bad' in state && 'cooldown' in state) {
      const { best, bad, cooldown } = state;
      if ((best === null || typeof best === 'number') && isCount(bad) && isCount(cooldown)) {
        this.#state = { best, bad, cooldown };
        return;
      }
    }
    throw new FormatError('ReduceLROnPlateau', 'the saved state is not a best number and two counts.');
  }
}

function check(name: string, value: unknown, isRight: boolean, what: string): void {
  if (!isRight) {
    throw new ValueError('ReduceLROnPlateau', `${name} is ${String(value)}: it must be ${what}.`, { [name]: value });
  }
}
