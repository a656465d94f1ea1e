/** The few switches of a process. Everything else is an argument. */
import type { Backend, Limits, Program, Shape } from './backend.ts';
import { announceBackend, backendElsewhere } from './copy.ts';
import { BackendError, ValueError } from './errors.ts';
import { show, sizeOf } from './shape.ts';

interface Settings {
  backend: Backend | null;
  isTraining: boolean;
  isTracking: boolean;
  /** Checks each program before it is compiled, where debugging asks for that. */
  validate: ((program: Program, limits: Limits) => void) | null;
}

export const settings: Settings = {
  backend: null,
  isTraining: true,
  isTracking: true,
  validate: null,
};

/** The backend for tensors that name none and meet none. */
export function setDefaultBackend(backend: Backend): void {
  const isBackend = typeof backend === 'object' && backend !== null && typeof backend.compile === 'function';
  if (!isBackend) {
    throw new ValueError(
      'setDefaultBackend',
      `needs a backend, got ${backend instanceof Promise ? 'a promise: await it first' : typeof backend}: cpu() of @nn/backend-cpu is one.`,
    );
  }
  settings.backend = backend;
  announceBackend();
}

export function getDefaultBackend(): Backend {
  if (settings.backend === null) {
    const elsewhere = backendElsewhere();
    if (elsewhere !== null) throw elsewhere;
    throw new BackendError(
      '/unset',
      "No backend is set: import { cpu } from '@nn/backend-cpu'; setDefaultBackend(cpu());",
    );
  }
  return settings.backend;
}

/** What one tensor may hold where no backend says less: that of the processor. */
const mostElements = 2 ** 30;

/**
 * Throws ValueError for a tensor with more elements than the default backend holds in one, before its numbers are made.
 *
 * @example
 * import { checkRoom } from '@nn/core';
 * checkRoom('Table', [2 ** 20, 2 ** 20]); // throws Table: [1048576, 1048576] has 1099511627776 elements (4398.0 GB)
 */
export function checkRoom(operation: string, shape: Shape): void {
  const size = sizeOf(shape);
  const most = settings.backend?.limits.maxLength ?? mostElements;
  if (size <= most) return;
  throw new ValueError(
    operation,
    `${show(shape)} has ${size} elements (${((4 * size) / 1e9).toFixed(1)} GB): '${settings.backend?.name ?? 'a backend'}' holds at most ${most} in one tensor.`,
    { operation, shape, most },
  );
}

/** Whether layers such as dropout and batch normalisation behave as in training; true by default. */
export function isTraining(): boolean {
  return settings.isTraining;
}

export function setTraining(flag: boolean): void {
  checkCopy();
  settings.isTraining = flag;
}

/**
 * Runs `work` in evaluation mode: dropout passes everything, batch normalisation uses its running statistics.
 *
 * @example
 * import { evaluate, isTraining } from '@nn/core';
 * console.log(evaluate(() => isTraining())); // => false
 */
export function evaluate<T>(work: () => T): T {
  checkCopy();
  const outer = settings.isTraining;
  settings.isTraining = false;
  try {
    return checkSynchronous('evaluate', work());
  } finally {
    settings.isTraining = outer;
  }
}

/** The mode of this copy means nothing to the layers of another, which is in use where only that one has a backend. */
function checkCopy(): void {
  const elsewhere = settings.backend === null ? backendElsewhere() : null;
  if (elsewhere !== null) throw elsewhere;
}

/** The mode ends when the function returns, so a function that goes on later would run outside of it. */
export function checkSynchronous<T>(operation: string, result: T): T {
  if (isPromise(result)) {
    // nobody will wait for it, and a rejection that nobody waits for ends a Node process
    result.then(undefined, () => undefined);
    const isMode = ['evaluate', 'noGradient', 'autocast'].includes(operation);
    const compiled = `A compiled function is async too: put ${operation} inside of it, compile((x) => ${operation}(() => ...)).`;
    throw new ValueError(
      operation,
      `the function must not be async: build the tensors inside and await their values outside.${isMode ? ` ${compiled}` : ''}`,
    );
  }
  return result;
}

/** Also a promise of another realm. */
function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
