/** A gate that a loop waits at while it is closed, and that a signal opens as well. For any loop. */
import { type AbortSignalLike, untilAborted } from '@nn/core';

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
    // the signal alone can make it fail
    if (this.#closed !== null) await untilAborted(this.#closed.promise, signal).catch(() => undefined);
  }
}
