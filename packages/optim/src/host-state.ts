/** Reading an optimizer's saved numbers, with an error for everything that is not as it was written. */
import { excerpt, FormatError } from '@nn/core';

/** What an optimizer saves beside its tensors. */
export interface HostState {
  readonly stepCount: number;
  readonly steps: readonly number[];
  readonly learningRates: readonly (number | null)[];
}

/**
 * The counts in the order of `names`, and the rates. Throws FormatError unless `state` is that of an optimizer of these
 * parameters with as many groups, with numbers as training makes them.
 */
export function readHostState(optimizer: string, state: unknown, names: readonly string[], groups: number): HostState {
  const stepCount = field(optimizer, state, 'stepCount');
  const saved = field(optimizer, state, 'names');
  const steps = field(optimizer, state, 'steps');
  const rates = field(optimizer, state, 'learningRates');
  if (!isCount(stepCount) || !isListOf(isCount, steps)) {
    throw new FormatError(
      optimizer,
      'the saved state is not one of an optimizer: its counts must be whole numbers, 0 or more.',
    );
  }
  if (!isListOf(isRateOrNull, rates)) {
    throw new FormatError(
      optimizer,
      'the saved state is not one of an optimizer: its learning rates must be numbers that float32 holds, 0 or more.',
    );
  }
  if (!isListOf(isText, saved) || saved.length !== steps.length) {
    throw new FormatError(optimizer, 'the saved state does not name its parameters.');
  }
  const counts = new Map(saved.map((name, i) => [name, steps[i]!]));
  const absent = names.filter((name) => !counts.has(name));
  const known = new Set(names);
  const unknown = saved.filter((name) => !known.has(name));
  if (absent.length > 0 || unknown.length > 0 || saved.length !== names.length || rates.length !== groups) {
    const lists = [...list('has none of', absent), ...list('has some of', unknown)];
    throw new FormatError(
      optimizer,
      `the saved state has ${saved.length} parameters in ${rates.length} groups, this optimizer ${names.length} in ${groups}${lists.length > 0 ? `; it ${lists.join(' and ')}` : ''}: build it for the same model.`,
      { saved, parameters: names },
    );
  }
  return { stepCount, steps: names.map((name) => counts.get(name)!), learningRates: rates };
}

function list(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const shown = names
    .slice(0, 8)
    .map((name) => excerpt(name))
    .join(', ');
  return [`${what} ${shown}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`];
}

function field(optimizer: string, state: unknown, name: string): unknown {
  const value =
    typeof state === 'object' && state !== null ? Object.entries(state).find(([key]) => key === name) : null;
  if (value) return value[1];
  throw new FormatError(optimizer, `the saved state has no '${name}'.`);
}

function isListOf<T>(is: (item: unknown) => item is T, value: unknown): value is T[] {
  return Array.isArray(value) && value.every(is);
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isRateOrNull = (value: unknown): value is number | null =>
  value === null || (typeof value === 'number' && value >= 0 && Number.isFinite(Math.fround(value)));
