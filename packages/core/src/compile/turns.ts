/**
 * Whose turn a device is: work that begins from rest goes one after the other, waits while too much is under way, and lets the
 * event loop live.
 */
import { isOutOfMemory } from '../errors.ts';
import { Breath, breathe, isBreathless } from './breathe.ts';
import type { Pace } from './pace.ts';
import type { Residency } from './residency.ts';

export class Turns {
  readonly #residency: Residency;
  readonly #pace: Pace;
  readonly #breath = new Breath();
  /** Ends with the last work that asked for its turn; and how much has or awaits one. */
  #last: Promise<void> = Promise.resolve();
  #count = 0;
  /** Whether work runs that had nothing to wait for: what the host does meanwhile starts none of its kind. */
  #isRunning = false;
  /** Memory that is being freed, where nobody could wait for it. */
  #owed: Promise<void> | null = null;

  constructor(residency: Residency, pace: Pace) {
    this.#residency = residency;
    this.#pace = pace;
  }

  /**
   * Work that starts from rest goes one after the other: two traces at a time would build on updates of each other that
   * have not run. If there is no memory for it, it is tried again after room was made.
   */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    this.#count++;
    let end: () => void = () => undefined;
    this.#last = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    try {
      return await work().catch(async (error: unknown) => {
        if (!isOutOfMemory(error)) throw error;
        await this.#residency.relieve();
        return work();
      });
    } finally {
      this.#count--;
      end();
    }
  }

  /** Whether nobody has the turn, and nothing has to be waited for. */
  get isFree(): boolean {
    return !this.#isRunning && this.#count === 0 && this.#owed === null && this.#pace.turn() === undefined;
  }

  /** Whether the event loop has waited too long; see `Breath`. */
  get isBreathless(): boolean {
    return this.#breath.isShort;
  }

  /** Work of a free device begins, from rest to rest. However it ends, `end` is called. */
  begin(): void {
    this.#isRunning = true;
  }

  /** What has to be waited for after such work is: until then the device is not free. */
  end(): void {
    this.#isRunning = false;
    const trimmed = this.#residency.trim();
    if (trimmed === undefined) return;
    const owed = trimmed.finally(() => {
      this.#owed = null;
    });
    owed.catch(() => undefined); // told by the next pause
    this.#owed = owed;
  }

  /** What to wait for while too much is under way: memory that is being freed, the device, the event loop. */
  pause(): Promise<void> | undefined {
    const trimmed = this.#residency.trim();
    const mustWait = trimmed !== undefined || this.#owed !== null || this.#pace.turn() !== undefined || isBreathless();
    return mustWait ? this.#waitFor(trimmed) : undefined;
  }

  async #waitFor(trimmed: Promise<void> | undefined): Promise<void> {
    if (this.#owed !== null) await this.#owed;
    if (trimmed !== undefined) await trimmed;
    const turn = this.#pace.turn();
    if (turn !== undefined) await turn;
    await breathe();
  }
}
