/**
 * The errors that users see. Each names the operation, the facts and the fix, and carries a kind and data for programs.
 * Errors of the device and of the graph's life have classes of their own, so that callers can act on them.
 */

/**
 * The base of all errors thrown by nn.
 *
 * @example
 * import { isNNError, tensor } from '@nn/core';
 * try {
 *   tensor([1, 2, 3]).reshape([2, 2]);
 * } catch (error) {
 *   console.log(isNNError(error) && error.kind); // => shape/reshape
 * }
 */
export class NNError extends Error {
  static override readonly name: string = 'NNError';

  /** Names the class: 'shape'. */
  readonly code: string;
  /** Code and source, 'shape/matmul' or 'format/parseCsv/columns': what programs and docs/errors.md point at. Messages may change, this stays. */
  readonly kind: string;
  /** The facts of the message, for programs. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Marks the errors of nn, also those of another copy of this package. */
  readonly isNNError: true = true;

  /**
   * `source` says where it was thrown, and by a reason behind a slash, where programs must tell one error of it from the
   * next: 'matmul', 'parseCsv/columns', or '/unset' where no operation has a part in it. The message is the operation and
   * the words: 'matmul: inner sizes differ'. Of a layer with its sizes, 'Linear(2, 1)', the kind has the name alone.
   */
  constructor(
    source: string,
    words: string,
    data: Readonly<Record<string, unknown>> = {},
    code = 'error',
    cause?: unknown,
  ) {
    const [, operation = '', reason = ''] = /^(.*?)(\/[\w-]+)?$/s.exec(source) ?? [];
    // ten frames, as engines take, may all be of nn: the user's line stands below them. Where the limit is frozen it stays
    const { stackTraceLimit } = Error;
    Reflect.set(Error, 'stackTraceLimit', Math.max(stackTraceLimit ?? 0, 32));
    // What a hostile name of 99 MB leaves of it is enough for a terminal.
    super((operation && `${operation}: `).concat(words).slice(0, 4000), cause === undefined ? undefined : { cause });
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
    this.code = code;
    const name = operation.replace(/[(:].*/s, '');
    this.kind = code + (name && `/${name}`) + reason;
    this.data = data;
    // A bundler may rename classes: whatever stands in errors, here and in metrics and optimizers, has a static `name`.
    this.name = new.target.name;
  }
}

/**
 * Text of users as it may stand in a message: what is longer than `most` characters is cut, and says so.
 *
 * @example
 * import { excerpt } from '@nn/core';
 * console.log(excerpt('a'.repeat(1000), 5)); // => aaaaa... (1000 characters)
 */
export function excerpt(text: string, most = 80): string {
  return text.length <= most ? text : `${text.slice(0, most)}... (${text.length} characters)`;
}

/** Sizes or axes that do not fit together. */
export class ShapeError extends NNError {
  static override readonly name: string = 'ShapeError';

  constructor(source: string, words: string, data?: Readonly<Record<string, unknown>>) {
    super(source, words, data, 'shape');
  }
}

/** An element type that the operation does not take. */
export class DTypeError extends NNError {
  static override readonly name: string = 'DTypeError';

  constructor(source: string, words: string, data?: Readonly<Record<string, unknown>>) {
    super(source, words, data, 'dtype');
  }
}

/** An argument outside its range, or of the wrong kind. */
export class ValueError extends NNError {
  static override readonly name: string = 'ValueError';

  constructor(source: string, words: string, data?: Readonly<Record<string, unknown>>) {
    super(source, words, data, 'value');
  }
}

/**
 * Throws a `ValueError` for an option that does not exist, where in JavaScript it would be ignored. For layers,
 * optimizers and loaders of your own, too.
 *
 * @example
 * import { checkOptions } from '@nn/core';
 * checkOptions('Adam', { lr: 0.1 }, ['learningRate', 'betas']); // throws Adam: no option lr
 */
export function checkOptions(of: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new ValueError(of, `takes options by name, { ${known.join(', ')} }, got ${excerpt(String(options))}.`);
  }
  const wrong = Object.keys(options).find((name) => !known.includes(name));
  if (wrong !== undefined) throw new ValueError(of, `no option ${wrong}: ${known.join(', ')}.`);
}

/**
 * Throws a `ValueError` for an option that is none of its choices, where in JavaScript it would mean another of them.
 *
 * @example
 * import { checkChoices } from '@nn/core';
 * const options = { average: 'makro' };
 * checkChoices('F1Score', options, { average: ['macro', 'micro'] }); // throws F1Score: average is 'makro': choose macro
 */
export function checkChoices(of: string, options: object, choices: Readonly<Record<string, readonly unknown[]>>): void {
  for (const [name, values] of Object.entries(choices)) {
    const value: unknown = Reflect.get(options, name);
    if (value === undefined || values.includes(value)) continue;
    throw new ValueError(of, `${name} is '${String(value)}': choose ${values.join(' or ')}.`, { [name]: value });
  }
}

/** A device that is missing, mixed with another, out of memory or lost. */
export class BackendError extends NNError {
  static override readonly name: string = 'BackendError';

  constructor(source: string, words: string, data?: Readonly<Record<string, unknown>>, cause?: unknown) {
    super(source, words, data, 'backend', cause);
  }
}

/** A gradient that does not exist. */
export class GradientError extends NNError {
  static override readonly name: string = 'GradientError';

  constructor(source: string, words: string, data?: Readonly<Record<string, unknown>>) {
    super(source, words, data, 'gradient');
  }
}

/** A value that was never computed and can no longer be, because a parameter that it needs was replaced. */
export class StaleTensorError extends NNError {
  static override readonly name: string = 'StaleTensorError';

  constructor(source: string, words: string, data?: Readonly<Record<string, unknown>>) {
    super(source, words, data, 'stale');
  }
}

/** A file or message that is damaged or not of the expected format. */
export class FormatError extends NNError {
  static override readonly name: string = 'FormatError';

  constructor(source: string, words: string, data?: Readonly<Record<string, unknown>>) {
    super(source, words, data, 'format');
  }
}

/** Two copies of this package met in one process; `data.here` and `data.there` name their versions. */
export class DuplicateCoreError extends NNError {
  static override readonly name: string = 'DuplicateCoreError';

  constructor(source: string, words: string, data?: Readonly<Record<string, unknown>>) {
    super(source, words, data, 'duplicate-core');
  }
}

/** True for errors of nn, also those made by another copy of this package. */
export function isNNError(error: unknown): error is NNError {
  return typeof error === 'object' && error !== null && 'isNNError' in error;
}

/** Whether a device had no room: `data.outOfMemory` of its error says so. Nothing has changed then, and it can be tried again. */
export function isOutOfMemory(error: unknown): boolean {
  return isNNError(error) && error.data.outOfMemory === true;
}
