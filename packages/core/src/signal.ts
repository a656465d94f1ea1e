/** Waiting that a caller may end with an AbortSignal. */

/** What tells long work to end: an `AbortSignal`, described here because types for it need the DOM's or Node's. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * As `promise`, but rejects with the signal's reason as soon as it is aborted. What the promise stands for goes on, unless it
 * looks at the signal itself.
 *
 * @example
 * import { ones, untilAborted } from '@nn/core';
 * const leaving = new AbortController();
 * const sum = untilAborted(ones([100, 100]).sum().item(), leaving.signal);
 * leaving.abort('the page was left');
 * console.log(await sum.catch((reason) => reason)); // => the page was left
 */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignalLike | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
