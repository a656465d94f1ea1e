/**
 * Asking the garbage collector to look. It sees the host's memory alone: a handle of a few bytes that keeps megabytes on a
 * device alive gives it no reason to hurry. Arrays that are dropped at once do; their pages are never touched, so they cost
 * addresses and not memory. Registries answer in a macrotask (measured on Node 20: after 3 to 6 arrays, 5 to 14 ms).
 */
import { macrotask } from './breathe.ts';

const arrayBytes = 32 * 2 ** 20;
const mostArrays = 12;

let collections = 0;
let isWatching = false;
const registry = /* @__PURE__ */ new FinalizationRegistry<null>(() => {
  collections++;
  watch();
});

function watch(): void {
  registry.register({}, null);
}

/** How often garbage was collected since somebody first asked. */
export function collectionsSeen(): number {
  if (!isWatching) watch();
  isWatching = true;
  return collections;
}

/** Resolves when garbage was collected and registries were told, or when the collector does not listen. */
export async function collectGarbage(): Promise<void> {
  const before = collectionsSeen();
  for (let k = 0; k < mostArrays && collections === before; k++) {
    try {
      new ArrayBuffer(arrayBytes);
    } catch {
      // no room on the host: then it is collecting already
    }
    await macrotask();
  }
  await macrotask();
}
