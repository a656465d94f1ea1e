/** Keeps the event loop alive: a loop that only awaits resolved promises would never let timers, signals or the page run. */

const interval = 8; // milliseconds
let last = now();

function now(): number {
  return performance.now();
}

/** The turn that all wait for who breathe now. */
let next: Promise<void> | null = null;

/** Whether the last macrotask is more than 8 ms ago, or the clock was set back. */
export function isBreathless(): boolean {
  return Math.abs(now() - last) >= interval;
}

/** Below so many milliseconds between two looks at the clock the next few looks are left out: a look is a twentieth of a small step. */
const shortWhile = 0.25;
const looksLeftOut = 7;

/** `isBreathless` for who asks in a tight loop: right to within eight turns of it. */
export class Breath {
  #before = Number.POSITIVE_INFINITY;
  #left = 0;

  get isShort(): boolean {
    if (this.#left > 0) {
      this.#left--;
      return false;
    }
    const time = now();
    const since = time - this.#before;
    this.#before = time;
    if (since >= 0 && since < shortWhile) this.#left = looksLeftOut;
    return Math.abs(time - last) >= interval;
  }
}

/** Yields a macrotask when the last one is more than 8 ms ago. */
export function breathe(): Promise<void> | undefined {
  if (!isBreathless()) return undefined;
  next ??= macrotask().then(() => {
    last = now();
    next = null;
  });
  return next;
}

/** Resolves in a later turn of the event loop. */
export function macrotask(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (run: () => void) => unknown };
  // The page that Jest plays has neither; timers cost up to 4 ms, so they come last.
  const later = setImmediate ?? (typeof MessageChannel === 'undefined' ? setTimeout : undefined);
  if (later) return new Promise((resolve) => later(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
