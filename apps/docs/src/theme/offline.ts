/** Keeps the site for times without a network: the service worker that stage/offline.ts writes, which only what is built has. */
import { withBase } from 'vitepress';

/** Pages come first: until then the network is theirs. */
const waitMilliseconds = 1500;

export function keepOffline(): void {
  if ('serviceWorker' in navigator) setTimeout(() => void register(), waitMilliseconds);
}

async function register(): Promise<void> {
  try {
    await navigator.serviceWorker.register(new URL(withBase('/service-worker.js'), location.href));
    const { active } = await navigator.serviceWorker.ready;
    if (!savesData()) active?.postMessage('keep');
  } catch {
    // hosts without https, frames and private windows refuse: the site then needs its network
  }
}

/** Whoever pays for what is sent has only what was read. */
const savesData = (): boolean => 'connection' in navigator && Object(navigator.connection).saveData === true;
