/** Keeps the page for times without a network: service-worker.ts, which only what is built has. */
export async function keepOffline(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register(new URL('service-worker.js', document.baseURI));
  } catch {
    // hosts without https, frames and private windows refuse: the page then needs its network
  }
}
