/**
 * What a teacher decides by the address: parts that are hidden (`?hide=data,training`), settings that are fixed
 * (`?fix=task,seed`), the page in a frame (`?embed`); and what a person decides for the room: presenting, single keys.
 */
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { type Setting, settings } from '../model/spec.ts';

export const parts = [
  'header',
  'lessons',
  'controls',
  'data',
  'training',
  'network',
  'closer',
  'output',
  'curves',
  'footer',
] as const;
export type Part = (typeof parts)[number];

/** What a page in a frame does without. */
const outsideFrames: readonly Part[] = ['header', 'lessons', 'closer', 'footer'];
/** What is left of the page for a room to look at. */
const presented: readonly Part[] = ['controls', 'network', 'output', 'curves'];

function listed<Name extends string>(query: URLSearchParams, key: string, names: readonly Name[]): Name[] {
  const given = (query.get(key) ?? '').split(',').map((name) => name.trim());
  return names.filter((name) => given.includes(name));
}

/** Without a page, in a test, nothing is asked for. */
const query = new URLSearchParams(globalThis.location?.search);

const hidden: readonly Part[] = [...listed(query, 'hide', parts), ...(query.has('embed') ? outsideFrames : [])];
const fixedByLink: readonly Setting[] = listed(query, 'fix', settings);

/** What the lesson that is open fixes. */
export const fixedByLesson: Signal<readonly Setting[]> = signal([]);
const fixed: ReadonlySignal<ReadonlySet<string>> = computed(() => new Set([...fixedByLink, ...fixedByLesson.value]));
export const isFixed = (name: string | undefined): boolean => name !== undefined && fixed.value.has(name);

export const isPresenting: Signal<boolean> = signal(query.has('present'));

export function isShown(part: Part): boolean {
  return !hidden.includes(part) && (!isPresenting.value || presented.includes(part));
}

/** Presents, in the whole screen where the browser lets the page; or ends it. */
export function present(on: boolean): void {
  isPresenting.value = on;
  const done = on ? document.documentElement.requestFullscreen?.() : document.exitFullscreen?.();
  done?.catch(() => {
    // a frame or a tablet may refuse: the page is larger and emptier all the same
  });
}

globalThis.document?.addEventListener('fullscreenchange', () => {
  if (document.fullscreenElement === null) isPresenting.value = false;
});

const key = 'nn.playground.keys';

/** Whether single keys act: not for whom they get in the way, as speech and some assistive tools (WCAG 2.1.4). */
export const hasKeys: Signal<boolean> = signal(kept());

function kept(): boolean {
  try {
    return localStorage.getItem(key) !== 'off';
  } catch {
    return true;
  }
}

export function setKeys(on: boolean): void {
  hasKeys.value = on;
  try {
    localStorage.setItem(key, on ? 'on' : 'off');
  } catch {
    // the choice then lasts as long as the page
  }
}

/** An address of the present experiment with parts hidden and settings fixed. */
export function classAddress(
  experiment: string,
  fix: readonly Setting[],
  hide: readonly Part[],
  embed: boolean,
): string {
  const made = new URLSearchParams();
  if (fix.length > 0) made.set('fix', fix.join(','));
  if (hide.length > 0) made.set('hide', hide.join(','));
  const text = [...(embed ? ['embed'] : []), ...(made.size > 0 ? [made.toString().replaceAll('%2C', ',')] : [])];
  return `${location.origin}${location.pathname}${text.length > 0 ? `?${text.join('&')}` : ''}#${experiment}`;
}
