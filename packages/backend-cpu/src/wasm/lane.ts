/**
 * The order of an engine's work. Most of it is done when it is asked for; a long step in native code may run beside the event
 * loop, and then everything that touches memory waits its turn behind it: runs, copies to the host, and memory that is given
 * back, which nobody may be handed while a step before still uses it. What is under way is known here, how it runs is not.
 */

/** Work beside the event loop: it calls `done` from the event loop, and returns what waits for its end. Null: it could not. */
export type Beside = (done: () => void) => (() => void) | null;

interface Job {
  readonly work: () => void;
  /** The same, beside the event loop. */
  readonly beside: Beside | null;
}

export class Lane {
  readonly #waiting: Job[] = [];
  #running: { readonly wait: () => void } | null = null;
  #runs = 0;
  #failure: { readonly error: unknown } | null = null;

  /** Whether nothing is under way: what is asked for now is done now. */
  get isFree(): boolean {
    return this.#running === null && this.#waiting.length === 0;
  }
  /** How often something ran beside the event loop. */
  get runs(): number {
    return this.#runs;
  }

  /** Does something in its turn: now, if nothing is under way. It throws only then; later errors reach whoever reads. */
  do(work: () => void): void {
    if (this.isFree) work();
    else this.#waiting.push({ work, beside: null });
  }

  /** Has something run beside the event loop in its turn; by `work`, in it, if that cannot be. */
  doBeside(beside: Beside, work: () => void): void {
    this.#waiting.push({ work, beside });
    this.#goOn();
  }

  /** What `work` gives in its turn: itself, if nothing is under way. Rejects if anything before has failed. */
  give<T>(work: () => T): T | Promise<T> {
    if (this.isFree && this.#failure === null) return work();
    return new Promise<T>((resolve, reject) => {
      this.do(() => {
        if (this.#failure !== null) reject(this.#failure.error);
        else {
          try {
            resolve(work());
          } catch (error) {
            reject(error);
          }
        }
      });
    });
  }

  /** Waits, here and now, until nothing is under way: what moves memory, or asks how long something takes, needs that. */
  settle(): void {
    while (this.#running !== null) {
      this.#running.wait();
      this.#running = null;
      this.#goOn();
    }
  }

  #goOn(): void {
    while (this.#running === null) {
      const job = this.#waiting[0];
      if (job === undefined) return;
      if (job.beside === null || !this.#startBeside(job.beside)) {
        try {
          job.work();
        } catch (error) {
          this.#failure ??= { error };
        }
      }
      this.#waiting.shift();
    }
  }

  #startBeside(beside: Beside): boolean {
    const ended = (): void => {
      // whoever waited for it has gone on already
      if (this.#running !== running) return;
      this.#running = null;
      this.#goOn();
    };
    const wait = beside(ended);
    if (wait === null) return false;
    const running = { wait };
    this.#running = running;
    this.#runs += 1;
    return true;
  }
}
