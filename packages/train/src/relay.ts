/** Events from a loop to who walks over them, one at a time: the loop goes on when the next one is asked for. */

/** What a loop that nobody walks over any more is thrown. */
export const left: unique symbol = Symbol('left');

export class Relay<T> {
  #given: T | null = null;
  #isOver = false;
  #taken: { resolve(): void; reject(reason: unknown): void } | null = null;
  #wake: (() => void) | null = null;

  /** The side of the loop: resolves when the next is asked for, rejects with `left` when nobody will. */
  give(value: T): Promise<void> {
    return new Promise((resolve, reject) => {
      [this.#given, this.#taken] = [value, { resolve, reject }];
      this.#wake?.();
    });
  }

  /** The side of the loop: there is no more. */
  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  /** The next; null at the end. */
  async next(): Promise<T | null> {
    this.#taken?.resolve();
    this.#taken = null;
    while (this.#given === null && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const given = this.#given;
    this.#given = null;
    return given;
  }

  /** Nobody walks any further. */
  leave(): void {
    this.#taken?.reject(left);
    this.#taken = null;
  }
}
