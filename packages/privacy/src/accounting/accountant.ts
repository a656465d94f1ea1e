/**
 * What a training has spent so far. Owns the history of steps; the methods that turn it into an epsilon are beside it.
 * The rate of each step comes from the loader that drew the batch, and from nowhere else.
 */
import { FormatError, type Stateful, ValueError } from '@nn/core';
import { isPoissonLoader, type PoissonLoader } from '../loader.ts';
import { type AccountingMethod, checkMethod, epsilonOfHistory } from './epsilon.ts';
import { checkDelta, checkSteps, type PrivateSteps } from './mechanism.ts';

/** What a training may spend. */
export interface PrivacyBudget {
  readonly epsilon: number;
  readonly delta: number;
}

/**
 * Counts the steps of a training and tells its epsilon. Checkpoints keep it, so that a run that goes on counts on.
 *
 * @example
 * import { moons } from '@nn/data';
 * import { PoissonLoader, PrivacyAccountant } from '@nn/privacy';
 * const loader = new PoissonLoader(moons(1000), { batchSize: 10 });
 * const accountant = new PrivacyAccountant();
 * accountant.record(loader, 1, 1000);
 * console.log(accountant.epsilon(1e-5).toFixed(4), accountant.steps); // => 2.1014 1000
 */
export class PrivacyAccountant implements Stateful {
  static readonly name: string = 'PrivacyAccountant';

  readonly method: AccountingMethod;
  #history: PrivateSteps[] = [];

  /** `method` is Default 'rdp'; see `AccountingMethod`. */
  constructor(method: AccountingMethod = 'rdp') {
    checkMethod('PrivacyAccountant', method);
    this.method = method;
  }

  /** Steps that are alike, in the order in which they were made. */
  get history(): readonly PrivateSteps[] {
    return this.#history;
  }

  /** All steps so far. */
  get steps(): number {
    return this.#history.reduce((sum, { steps }) => sum + steps, 0);
  }

  /**
   * Counts steps on batches of a loader, with noise of `noiseMultiplier` times the clipping norm. Throws ValueError for a
   * loader that does not draw Poisson batches: no rate of it would prove anything.
   */
  record(loader: PoissonLoader, noiseMultiplier: number, steps = 1): void {
    this.#history = this.#with(rateOf('record', loader), noiseMultiplier, steps);
  }

  /** @internal Takes steps back that failed. */
  takeBack(count: number): void {
    const last = this.#history.at(-1);
    if (last === undefined) return;
    const before = this.#history.slice(0, -1);
    this.#history = last.steps > count ? [...before, { ...last, steps: last.steps - count }] : before;
  }

  /** The epsilon of all steps so far. Throws ValueError unless delta is between 0 and 1. */
  epsilon(delta: number): number {
    checkDelta('epsilon', delta);
    return epsilonOfHistory(this.#history, delta, this.method);
  }

  /** How many more such steps stay within the budget; Infinity where they cost nothing that counts. */
  stepsWithin({ epsilon, delta }: PrivacyBudget, loader: PoissonLoader, noiseMultiplier: number): number {
    checkDelta('stepsWithin', delta);
    if (noiseMultiplier === 0) return 0;
    const rate = rateOf('stepsWithin', loader);
    const fits = (steps: number): boolean => {
      try {
        return epsilonOfHistory(this.#with(rate, noiseMultiplier, steps), delta, this.method) <= epsilon;
      } catch {
        return false; // more than can be counted
      }
    };
    if (!fits(1)) return 0;
    let [most, over] = [1, 2];
    while (fits(over)) {
      [most, over] = [over, over * 2];
      if (over > 2 ** 40) return Number.POSITIVE_INFINITY;
    }
    while (over - most > 1) {
      const middle = Math.floor((most + over) / 2);
      if (fits(middle)) most = middle;
      else over = middle;
    }
    return most;
  }

  hostState(): { readonly method: AccountingMethod; readonly history: readonly PrivateSteps[] } {
    return { method: this.method, history: this.#history };
  }

  /** Goes on where `hostState` was taken. Throws FormatError for anything else. */
  loadHostState(state: unknown): void {
    const history = readHistory(state);
    if (history === null)
      throw new FormatError('PrivacyAccountant', 'the saved state is not a history of private steps.');
    for (const steps of history) checkSteps('PrivacyAccountant', steps);
    this.#history = history;
  }

  #with(sampleRate: number, noiseMultiplier: number, steps: number): PrivateSteps[] {
    const added = { sampleRate, noiseMultiplier, steps };
    checkSteps('PrivacyAccountant', added);
    const last = this.#history.at(-1);
    if (last?.sampleRate !== sampleRate || last.noiseMultiplier !== noiseMultiplier) return [...this.#history, added];
    return [...this.#history.slice(0, -1), { ...last, steps: last.steps + steps }];
  }
}

function rateOf(operation: string, loader: unknown): number {
  if (isPoissonLoader(loader)) return loader.sampleRate;
  throw new ValueError(
    operation,
    'the loader draws no Poisson batches, so no epsilon can be proved for it: new PoissonLoader(dataset, { batchSize }).',
  );
}

function readHistory(state: unknown): PrivateSteps[] | null {
  if (typeof state !== 'object' || state === null || !('history' in state) || !Array.isArray(state.history))
    return null;
  const numbers = ['sampleRate', 'noiseMultiplier', 'steps'] as const;
  const isWhole = (each: unknown): each is PrivateSteps =>
    typeof each === 'object' &&
    each !== null &&
    numbers.every((name) => typeof (each as Partial<PrivateSteps>)[name] === 'number');
  return state.history.every(isWhole) ? state.history.map((each) => ({ ...each })) : null;
}
