/** Keeps the event loop alive: a loop that only awaits resolved promises would never let timers, signals or the page run. */

const interval = 8; // milliseconds
let last = now();

function now(): number {
  return performance.now();
}

/** The turn that all wait for who breathe now. */
let next: Promise<void> | null = null;

/** Yields a macrotask when the last one is more than 8 ms ago. */
export function breathe(): Promise<void> | undefined {
  // also where the clock was set back
  if (Math.abs(now() - last) < interval) return undefined;
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
