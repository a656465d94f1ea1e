/** Owns: giving the event loop a turn, so that the page lives while a device works or kernels are built. */

let channel: MessageChannel | undefined;
const waiting: (() => void)[] = [];

/** Resolves in a later turn: after `milliseconds`, or for 0 at once, which browsers do not stretch to 4 ms as they do with timers. */
export function nextTurn(milliseconds = 0): Promise<void> {
  return new Promise((resolve) => {
    if (milliseconds > 0 || typeof MessageChannel === 'undefined') {
      setTimeout(resolve, milliseconds);
      return;
    }
    // Node's own: an open channel would keep the process from ending.
    if (typeof setImmediate === 'function') {
      setImmediate(resolve);
      return;
    }
    if (channel === undefined) {
      channel = new MessageChannel();
      channel.port1.onmessage = () => waiting.shift()?.();
    }
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}
