/**
 * Lets a site of static files work without a network after the first visit: the playground, and the site of the documentation.
 * What was built is kept: files whose names hold their hash are taken from there at once, the others (pages, lessons) from the
 * network while there is one. A newer build waits until no page of the older one is open, so that what is fetched late still fits.
 */

/** Filled in by the build: whose files they are, their addresses relative to this file, and a hash of them all. */
declare const __NAME__: string;
declare const __FILES__: readonly string[];
/** Kept one after the other, when a page asks for it: more than the first visit should wait for. */
declare const __LATER__: readonly string[];
declare const __VERSION__: string;

/** What this file uses that the types of a page do not have. */
declare const clients: { claim(): Promise<void> };
interface WaitingEvent extends Event {
  waitUntil(done: Promise<unknown>): void;
}
interface FetchingEvent extends WaitingEvent {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
const isWaiting = (event: Event): event is WaitingEvent => 'waitUntil' in event;
const isFetching = (event: Event): event is FetchingEvent => 'respondWith' in event;

/** Another copy at another path of the same host has caches of its own. */
const prefix: string = `${__NAME__} ${new URL('./', location.href).pathname} `;
const cacheName: string = prefix + __VERSION__;

/** Files of these folders have their hash in their names: what is there once stays as it is. */
const isLasting = (address: string): boolean => new URL(address).pathname.includes('/assets/');

addEventListener('install', (event) => {
  if (isWaiting(event)) event.waitUntil(Promise.all(__FILES__.map(keep)));
});

async function keep(name: string): Promise<void> {
  const cache = await caches.open(cacheName);
  const address = new URL(name, location.href).href;
  if ((await cache.match(address)) !== undefined) return;
  // of an older build the same file need not be fetched again
  const known = isLasting(address) ? await caches.match(address) : undefined;
  const answer = known ?? (await fetch(address, { cache: isLasting(address) ? 'default' : 'no-cache' }));
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
  // a page that was led elsewhere must not be answered with one that says so
  const { status, headers } = answer;
  await cache.put(address, answer.redirected ? new Response(await answer.blob(), { status, headers }) : answer);
}

let isKeeping = false;

addEventListener('message', (event) => {
  if (isWaiting(event) && !isKeeping) event.waitUntil(keepLater());
});

async function keepLater(): Promise<void> {
  isKeeping = true;
  try {
    for (const name of __LATER__) await keep(name);
  } catch {
    // the network is gone, or there is no room: the next visit goes on from here
  } finally {
    isKeeping = false;
  }
}

addEventListener('activate', (event) => {
  // the page of the first visit too: its network may go before it is closed, and a newer build has to wait for it
  if (isWaiting(event)) event.waitUntil(forgetOthers().then(() => clients.claim()));
});

async function forgetOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((one) => one.startsWith(prefix) && one !== cacheName).map((one) => caches.delete(one)),
  );
}

addEventListener('fetch', (event) => {
  if (!isFetching(event) || event.request.method !== 'GET') return;
  const { request } = event;
  if (new URL(request.url).origin !== location.origin) return;
  event.respondWith(isLasting(request.url) ? kept(request) : fresh(request));
});

async function kept(request: Request): Promise<Response> {
  return (await find(request)) ?? fetch(request);
}

async function fresh(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const found = await find(request);
    if (found === undefined) throw error;
    return found;
  }
}

/** Whatever stands behind `?` is for the page, not for the file; a folder and its index.html are the same. */
async function find(request: Request): Promise<Response | undefined> {
  const cache = await caches.open(cacheName);
  const found = await cache.match(request, { ignoreSearch: true });
  const twin = /\/(index\.html)?$/.exec(new URL(request.url).pathname);
  if (found !== undefined || twin === null) return found;
  return cache.match(new URL(twin[1] === undefined ? 'index.html' : './', request.url), { ignoreSearch: true });
}
