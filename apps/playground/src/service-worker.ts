/**
 * Lets the page work without a network after the first visit. Everything that was built is kept: files whose names hold
 * their hash are taken from there at once, the others (the page itself, lessons) from the network while there is one.
 * A newer build waits until no page of the older one is open, so that what is fetched late still fits.
 */

/** Filled in by the build (vite.config.ts): addresses relative to this file, and a hash of them all. */
declare const __FILES__: readonly string[];
declare const __VERSION__: string;

/** What this file uses of events that the types of a page do not have. */
interface WaitingEvent extends Event {
  waitUntil(done: Promise<unknown>): void;
}
interface FetchingEvent extends WaitingEvent {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
const isWaiting = (event: Event): event is WaitingEvent => 'waitUntil' in event;
const isFetching = (event: Event): event is FetchingEvent => 'respondWith' in event;

const prefix = 'nn.playground.';
const cacheName: string = `${prefix}${__VERSION__}`;

addEventListener('install', (event) => {
  if (isWaiting(event)) event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll([...__FILES__])));
});

addEventListener('activate', (event) => {
  if (isWaiting(event)) event.waitUntil(forgetOthers());
});

async function forgetOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((one) => one.startsWith(prefix) && one !== cacheName).map((one) => caches.delete(one)),
  );
}

addEventListener('fetch', (event) => {
  if (!isFetching(event) || event.request.method !== 'GET') return;
  const { origin, pathname } = new URL(event.request.url);
  if (origin !== location.origin) return;
  event.respondWith(pathname.includes('/assets/') ? kept(event.request) : fresh(event.request));
});

async function kept(request: Request): Promise<Response> {
  return (await find(request)) ?? fetch(request);
}

async function fresh(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const found = await find(request.mode === 'navigate' ? new Request('./') : request);
    if (found === undefined) throw error;
    return found;
  }
}

/** Whatever stands behind `?` is for the page, not for the file. */
const find = async (request: Request): Promise<Response | undefined> =>
  (await caches.open(cacheName)).match(request, { ignoreSearch: true });
