/** Where a training stands: what changes while it runs, and what a checkpoint holds of it. Counts, and decides nothing. */
import { FormatError, type Stateful } from '@nn/core';
import type { Place, Validated } from './events.ts';

/** The values of an epoch, and of the validation at its end. */
export interface EpochRow<V> extends Place {
  readonly values: V & Partial<Validated<V>>;
}

export class TrainingState<V> implements Stateful {
  /** Finished epochs. */
  epochs = 0;
  step = 0;
  /** Steps of the epoch that is under way. */
  epochSteps = 0;
  /** Whether its data is through, and only its end is left to be done; and whether its event was sent. */
  isThrough = false;
  isTold = false;
  /** The values of the last validation in the epoch that is under way; null before it. */
  validated: Validated<V> | null = null;
  history: readonly EpochRow<V>[] = [];

  get place(): Place {
    return { epoch: this.epochs + 1, step: this.step };
  }

  countStep(): void {
    this.step++;
    this.epochSteps++;
  }

  endEpoch(row: EpochRow<V>): void {
    this.history = [...this.history, row];
    this.epochs++;
    [this.epochSteps, this.isThrough, this.isTold, this.validated] = [0, false, false, null];
  }

  /** All that it has: a list that grows is another one. */
  hostState(): object {
    return { ...this };
  }

  loadHostState(state: unknown): void {
    const {
      epochs,
      step,
      epochSteps,
      isThrough,
      isTold,
      validated = {},
      history,
    } = Object(state) as Partial<TrainingState<V>>;
    const isState =
      [epochs, step, epochSteps].every(Number.isSafeInteger) &&
      [isThrough, isTold].every((flag) => typeof flag === 'boolean') &&
      Array.isArray(history);
    if (!isState) {
      throw new FormatError('Training', 'the saved state is none of a training: load one that a training saved.');
    }
    Object.assign(this, { epochs, step, epochSteps, isThrough, isTold, validated, history });
  }
}
