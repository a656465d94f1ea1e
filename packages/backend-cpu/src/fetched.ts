/**
 * Code that most programs do without: it lies in a file of its own, which a page fetches when the first program needs it.
 * Owns the fetching, once for all engines of the page; what is in such a file, and who needs it, is the engines' own.
 */
import { BackendError } from '@nn/core';

export class Fetched<T> {
  readonly #what: string;
  readonly #load: () => Promise<T>;
  #pending: Promise<void> | null = null;
  #code: T | null = null;

  /** `what`: in words that follow "the code of". */
  constructor(what: string, load: () => Promise<T>) {
    this.#what = what;
    this.#load = load;
  }

  /** The code, or null before it was fetched. */
  get code(): T | null {
    return this.#code;
  }

  /** Done when the code is there. What could not be fetched is asked for again the next time. */
  fetch(): Promise<void> {
    this.#pending ??= this.#load().then(
      (code) => {
        this.#code = code;
      },
      (cause: unknown) => {
        this.#pending = null;
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new BackendError(
          'cpu',
          `the code of ${this.#what} could not be fetched (${reason}): serve all files that the bundler wrote beside the page, and try again.`,
          { reason },
        );
      },
    );
    return this.#pending;
  }
}
