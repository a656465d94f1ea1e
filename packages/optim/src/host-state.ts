/** Reading an optimizer's saved numbers, with an error for everything that is not as it was written. */
import { FormatError } from '@nn/core';

/** What an optimizer saves beside its tensors. */
export interface HostState {
  readonly stepCount: number;
  readonly steps: readonly number[];
  readonly learningRates: readonly (number | null)[];
}

/** Throws FormatError unless `state` is the state of an optimizer with as many parameters and groups. */
export function readHostState(optimizer: string, state: unknown, parameters: number, groups: number): HostState {
  const stepCount = field(optimizer, state, 'stepCount');
  const steps = field(optimizer, state, 'steps');
  const rates = field(optimizer, state, 'learningRates');
  if (typeof stepCount !== 'number' || !isNumbers(steps) || !Array.isArray(rates)) {
    throw new FormatError(`${optimizer}: the saved state is not one of an optimizer: its counts must be numbers.`);
  }
  if (steps.length !== parameters || rates.length !== groups) {
    throw new FormatError(
      `${optimizer}: the saved state has ${steps.length} parameters in ${rates.length} groups, this optimizer ${parameters} in ${groups}: build it for the same model.`,
      { saved: steps.length, parameters },
    );
  }
  return { stepCount, steps, learningRates: rates.map((rate: unknown) => (typeof rate === 'number' ? rate : null)) };
}

function field(optimizer: string, state: unknown, name: string): unknown {
  const value =
    typeof state === 'object' && state !== null ? Object.entries(state).find(([key]) => key === name) : null;
  if (value) return value[1];
  throw new FormatError(`${optimizer}: the saved state has no '${name}'.`);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}
