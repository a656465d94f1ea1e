/** Events from a loop to who walks over them, one at a time: the loop goes on when the next one is asked for. */
export class Relay<T> {
  #given: T | null = null;
  /** Whether there is no more, or nobody wants it. */
  isOver = false;
  #goOn: (() => void) | null = null;
  #wake: (() => void) | null = null;

  /** The side of the loop: resolves when the next is asked for, or nobody walks any further. */
  async give(value: T): Promise<void> {
    if (this.isOver) return;
    this.#given = value;
    this.#wake?.();
    await new Promise<void>((resolve) => {
      this.#goOn = resolve;
    });
  }

  /** The next; null at the end. */
  async next(): Promise<T | null> {
    this.#goOn?.();
    while (this.#given === null && !this.isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const given = this.#given;
    this.#given = null;
    return given;
  }

  /** Both sides: there is no more, or nobody wants it. */
  end(): void {
    this.isOver = true;
    this.#wake?.();
    this.#goOn?.();
  }
}
