/** A gate that a loop waits at while it is closed, and that a signal opens as well. For any loop. */
import type { AbortSignalLike } from '@nn/core';

export class Pause {
  #closed: { readonly promise: Promise<void>; readonly release: () => void } | null = null;

  get isClosed(): boolean {
    return this.#closed !== null;
  }

  close(): void {
    if (this.#closed !== null) return;
    let release = (): void => undefined;
    const promise = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#closed = { promise, release };
  }

  open(): void {
    this.#closed?.release();
    this.#closed = null;
  }

  /** Waits until it is open, or the signal is aborted. */
  async pass(signal: AbortSignalLike | undefined): Promise<void> {
    if (this.#closed === null) return;
    let stop = (): void => undefined;
    const aborted = new Promise<void>((resolve) => {
      stop = resolve;
    });
    if (signal?.aborted) return;
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await Promise.race([this.#closed.promise, aborted]);
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }
}
