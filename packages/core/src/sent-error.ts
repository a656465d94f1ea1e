/**
 * Errors that go from a worker to whoever started it: structured clones of them lose their class and what an error of nn tells
 * programs. Owns what travels and how it becomes an error again; the messages around it are of whoever sends them.
 */
import {
  BackendError,
  DTypeError,
  DuplicateCoreError,
  FormatError,
  GradientError,
  isNNError,
  NNError,
  ShapeError,
  StaleTensorError,
  ValueError,
} from './errors.ts';

/** An error as a message carries it. */
export interface SentError {
  /** Its class and those that it extends, by name, the nearest first. */
  readonly classes: readonly string[];
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** What it was thrown for: an error, or a value as it was. */
  readonly cause?: { readonly error: SentError } | { readonly value: unknown };
  /** What an error of nn says to programs; values that no message carries are left out of `data`. */
  readonly facts?: Pick<NNError, 'code' | 'kind' | 'data'>;
}

/** The class of an error. What its constructor takes does not matter, for it is not called. */
export type ErrorClass = abstract new (...given: never[]) => Error;

/** Of causes that have causes, so many travel: some lead in a circle. */
const mostCauses = 8;

/**
 * What was thrown, as `postMessage` carries it, with its class, its stack and its causes, and `kind` and `data` of errors of nn.
 * For workers of your own: `postMessage(sentError(error))`, and `throw receivedError(data)` on the other side.
 *
 * @example
 * import { isNNError, receivedError, sentError, ShapeError } from '@nn/core';
 * const thrown = new ShapeError('matmul', 'inner sizes differ.', { left: 3, right: 2 });
 * const error = receivedError(structuredClone(sentError(thrown)));
 * console.log(error instanceof ShapeError, error.message); // => true matmul: inner sizes differ.
 * console.log(isNNError(error) && error.data); // => { left: 3, right: 2 }
 */
export function sentError(error: unknown): SentError {
  return sent(error, mostCauses);
}

function sent(error: unknown, causes: number): SentError {
  if (!(error instanceof Error)) return { classes: ['Error'], name: 'Error', message: textOf(error) };
  const { name, message, stack, cause } = error;
  const isCaused = 'cause' in error && causes > 0;
  return {
    ...{ classes: classesOf(error), name, message, stack },
    ...(isCaused && {
      cause: cause instanceof Error ? { error: sent(cause, causes - 1) } : { value: portable(cause) },
    }),
    ...(isNNError(error) && { facts: { code: error.code, kind: error.kind, data: portableData(error.data) } }),
  };
}

/**
 * The error again: of its class, where that is one of nn, of the language or of `classes`, else of the nearest that it extends, and
 * with its name, message, causes and the stack of where it was thrown.
 */
export function receivedError(error: SentError, classes: readonly ErrorClass[] = []): Error {
  const { name, message, stack, cause, facts } = error;
  const options = cause && { cause: 'error' in cause ? receivedError(cause.error, classes) : cause.value };
  // signals abort with these, and they say what they are by more than their prototype
  if (error.classes.includes('DOMException')) return withStack(new DOMException(message, name), stack);
  const made = new Error(message, options);
  const Class = classNamed(error, classes);
  // constructors put messages together, which was done
  Object.setPrototypeOf(made, Class.prototype);
  if (facts !== undefined) Object.assign(made, { name, isNNError: true, ...facts });
  else if (made.name !== name) hide(made, 'name', name);
  return withStack(made, stack);
}

function withStack(error: Error, stack: string | undefined): Error {
  return stack === undefined ? error : hide(error, 'stack', stack);
}

function hide(error: Error, name: string, value: string): Error {
  return Object.defineProperty(error, name, { value, writable: true, configurable: true, enumerable: false });
}

function classNamed({ classes, facts }: SentError, more: readonly ErrorClass[]): ErrorClass {
  const own = [NNError, ShapeError, DTypeError, ValueError, BackendError, GradientError, FormatError, StaleTensorError];
  const known: readonly ErrorClass[] = [
    ...more,
    // a class of somebody else may be called as one of ours
    ...(facts === undefined ? [] : [...own, DuplicateCoreError]),
    ...[EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, Error],
  ];
  for (const name of classes) {
    const found = known.find((Class) => Class.name === name);
    if (found !== undefined) return found;
  }
  return Error;
}

/** Node hands over what a worker did not catch as a plain error, whose own name is all that is left of its class. */
function classesOf(error: Error): string[] {
  const names = new Set<string>();
  for (
    let prototype = Object.getPrototypeOf(error);
    prototype?.constructor;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    if (prototype !== Object.prototype) names.add(String(prototype.constructor.name));
  }
  if (names.size === 1) return [error.name, ...names];
  return [...names];
}

function portableData(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => isPortable(value)));
}

function portable(value: unknown): unknown {
  return isPortable(value) ? value : textOf(value);
}

function isPortable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

/** A value in words; one without a prototype has none. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
