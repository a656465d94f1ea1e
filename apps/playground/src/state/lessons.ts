/**
 * The lesson that is open: read from its address, kept in the address of the page, watched until its goals hold, and shown
 * to whoever asks. What a lesson is, lessons/format.ts; how it looks, views/lesson-bar.tsx.
 */

import { FormatError } from '@nn/core';
import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { type Lesson, longest, parseLesson, parseLessonList, type Solution, type Step } from '../lessons/format.ts';
import { type Board, holds, type Moment } from '../lessons/values.ts';
import { structuralChanges } from '../model/spec.ts';
import { decodeSpec, encodeSpec, withChanges } from '../model/url.ts';
import { type PlaceName, place, placeFacts, placeKeys, placeNames } from '../places/place.ts';
import {
  change,
  complain,
  pause,
  rebuild,
  run,
  setPace,
  setStepsPerFrame,
  settle,
  startExperiment,
} from './actions.ts';
import { fixedByLesson } from './classroom.ts';
import { recognise } from './recognise.ts';
import * as store from './store.ts';

/** A lesson and what `?lesson=` calls it. */
export interface Card {
  readonly address: string;
  readonly lesson: Lesson;
}

export const cards: Signal<readonly Card[]> = signal([]);
export const open: Signal<Card | null> = signal(null);
/** The step that is shown, from 0. */
export const position: Signal<number> = signal(0);
/** Steps whose goals were reached. */
export const reached: Signal<ReadonlySet<number>> = signal(new Set());
/** While a step's experiment is made: what is there still belongs to the step before. */
const isMoving: Signal<boolean> = signal(false);
export const step: ReadonlySignal<Step | null> = computed(() => open.value?.lesson.steps[position.value] ?? null);

const key = 'nn.playground.lessons';
/** Addresses of the lessons that were finished on this device. */
export const finished: Signal<ReadonlySet<string>> = signal(kept());

function kept(): ReadonlySet<string> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    return new Set(Array.isArray(found) ? found.filter((item) => typeof item === 'string') : []);
  } catch {
    return new Set();
  }
}

/** The step of training at which the step of the lesson began; a new network begins at 0. */
const begun: Signal<number> = signal(0);
effect(() => {
  if (store.built.value !== null) begun.value = 0;
});

/** Whether what is there is what the settings ask for. */
const isBuilt: ReadonlySignal<boolean> = computed(() => {
  const [spec, made] = [store.spec.value, store.built.value?.spec];
  if (made === undefined || store.waiting.value) return false;
  return structuralChanges(spec, made).length === 0;
});

/** The board at this moment; null while what it shows is not what its settings ask for. */
const boardNow: ReadonlySignal<Board | null> = computed(() => {
  const [spec, built, frame] = [store.spec.value, store.built.value, store.frame.value];
  if (built === null || frame === null || !isBuilt.value) return null;
  return {
    spec,
    built,
    frame,
    threshold: store.threshold.value,
    tab: store.tab.value,
    lines: store.lines.value,
    neuron: store.selection.value,
    recognised: store.recognised.value?.best ?? null,
    stopped: store.stopped.value,
    begun: begun.value,
  };
});

/** What the goals are compared with. */
export const moment: ReadonlySignal<Moment | null> = computed(() => {
  if (place.value !== 'network') return { board: null, facts: placeFacts.value };
  const board = boardNow.value;
  return board === null ? null : { board, facts: {} };
});

// a step is reached at the first moment at which all of its goals hold; training pauses there, to be looked at
effect(() => {
  const [shown, at, isOld] = [step.value, position.value, isMoving.value];
  if (shown === null || isOld || reached.peek().has(at)) return;
  const now = moment.value;
  if (now === null) return;
  if (!shown.goals.every((goal) => holds(goal, now))) return;
  reached.value = new Set([...reached.peek(), at]);
  if (store.running.peek()) pause();
  placeKeys.peek()?.pause();
});

// a goal that begins or ends with a step must not fall between two frames, however fast it trains
effect(() => {
  const ends = (step.value?.goals ?? []).flatMap(({ value, atLeast, atMost }) =>
    value === 'step' || value === 'stepsHere' ? [atLeast ?? 0, atMost ?? 0].filter((end) => end > 0) : [],
  );
  setStepsPerFrame(ends.length === 0 ? null : Math.ceil(Math.min(...ends) / 40));
});

/** `xor` is a lesson of the page; whatever has a dot or a slash is an address of its own. */
const urlOf = (address: string): URL =>
  /[./]/.test(address) ? new URL(address, document.baseURI) : new URL(`lessons/${address}.json`, document.baseURI);

/** The host of a lesson from elsewhere. */
export function hostOf({ address }: Card): string | null {
  const { host, origin } = urlOf(address);
  return origin === location.origin ? null : host;
}

async function fetchText(address: URL): Promise<string> {
  const shown = address.origin === location.origin ? address.pathname.split('/').at(-1) : address.href;
  const refuse = (why: string): FormatError =>
    new FormatError('lesson/fetch', `${shown} cannot be read: ${why}.`, { address: shown, why });
  const response = await fetch(address).catch((error: Error) => {
    throw refuse(error.message);
  });
  if (!response.ok) throw refuse(`${response.status} ${response.statusText}`.trim());
  const text = await response.text();
  return text.slice(0, longest + 1);
}

async function read(address: string): Promise<Card> {
  const url = urlOf(address);
  return { address, lesson: parseLesson(await fetchText(url), url.pathname.split('/').at(-1) ?? address) };
}

/** The cards: of the page, or of the list that `?lessons=` names. */
async function readCards(): Promise<void> {
  const named = new URLSearchParams(location.search).get('lessons');
  const list = new URL(named ?? 'lessons/index.json', document.baseURI);
  const names = parseLessonList(await fetchText(list), list.pathname.split('/').at(-1) ?? '');
  cards.value = await Promise.all(
    names.map((name) => read(named === null ? name.replace(/\.json$/, '') : new URL(name, list).href)),
  );
}

/** The lesson that is being opened: a start in another place changes the address, of which the browser tells as of going back. */
let opening: string | null = null;

/** Opens the lesson of the address, if it names one, before the first experiment is made. Resolves to what refused it. */
export async function beginLessons(): Promise<unknown> {
  window.addEventListener('popstate', () => void follow());
  const query = new URLSearchParams(location.search);
  const address = query.get('lesson');
  if (address === null) return null;
  opening = address;
  try {
    const card = await read(address);
    const at = Number(query.get('step') ?? 1) - 1;
    const isResumed = location.hash.length > 1;
    if (!isResumed && startPlace(card.lesson.start) !== null) await goToPlace(card.lesson.start);
    else if (!isResumed) store.spec.value = decodeSpec(card.lesson.start);
    show(card, Number.isInteger(at) && at > 0 && at < card.lesson.steps.length ? at : 0);
    setPace(card.lesson.pace);
    return null;
  } catch (error) {
    return error;
  } finally {
    opening = null;
  }
}

export const fetchCards = (): Promise<void> => readCards().catch(complain);

/** Back and forward of the browser. */
async function follow(): Promise<void> {
  const address = new URLSearchParams(location.search).get('lesson');
  if (address === (opening ?? open.value?.address ?? null)) return;
  if (address === null) hide();
  else await openLesson(address, false);
}

function show(card: Card, at: number): void {
  batch(() => {
    open.value = card;
    position.value = at;
    reached.value = new Set();
    fixedByLesson.value = card.lesson.fixed;
  });
}

function hide(): void {
  batch(() => {
    open.value = null;
    fixedByLesson.value = [];
  });
}

/** Writes lesson and step into the address; everything else in it stays. */
function write(address: string | null, at: number, isNew: boolean): void {
  const query = new URLSearchParams(location.search);
  query.delete('lesson');
  query.delete('step');
  const text = [
    query
      .toString()
      .replaceAll('%2C', ',')
      .replace(/=(?=&|$)/g, ''),
    ...(address === null ? [] : [`lesson=${encodeURIComponent(address)}`]),
    ...(at > 0 ? [`step=${at + 1}`] : []),
  ].filter((part) => part !== '');
  const next = `${location.pathname}${text.length > 0 ? `?${text.join('&')}` : ''}${location.hash}`;
  if (isNew) history.pushState(null, '', next);
  else history.replaceState(null, '', next);
}

export async function openLesson(address: string, isNew = true): Promise<void> {
  opening = address;
  try {
    const card = cards.value.find((one) => one.address === address) ?? (await read(address));
    if (isNew) write(address, 0, true);
    await enter(() => show(card, 0), card.lesson.start);
    setPace(card.lesson.pace);
  } catch (error) {
    complain(error);
  } finally {
    if (opening === address) opening = null;
  }
}

export function closeLesson(): void {
  hide();
  write(null, 0, true);
}

/** Closes the lesson and shows all of them: they stand above the board. */
export function backToCards(): void {
  closeLesson();
  if (place.peek() !== 'network') location.replace(`#${encodeSpec(store.spec.peek())}`);
}

/** The place beside the board that a start names, or null. */
function startPlace(start: string): Exclude<PlaceName, 'network'> | null {
  const named = new URLSearchParams(start).get('place');
  return placeNames.filter((name) => name !== 'network').find((name) => name === named) ?? null;
}

/** Shows a place as its start has it, with a network that has not learned yet. */
async function goToPlace(start: string): Promise<void> {
  const wanted = startPlace(start);
  if (wanted === null) return;
  if (place.peek() !== wanted) placeKeys.value = null; // those of the place that is left
  location.replace(`#${start}`); // the place hears of its settings by the event
  place.value = wanted;
  const keys = await once(() => placeKeys.value);
  keys.restart();
  await once(() => (placeFacts.value.placeSteps === 0 ? true : null));
}

/** The first value of signals that is not null. */
function once<Found>(read: () => Found | null): Promise<Found> {
  return new Promise((resolve) => {
    let isFound = false;
    const stop = effect(() => {
      const found = read();
      if (found === null || isFound) return;
      isFound = true;
      queueMicrotask(() => {
        stop();
        resolve(found);
      });
    });
  });
}

/** Goes where a step begins: on the board, or in another place of the page. */
async function begin(start: string): Promise<void> {
  if (startPlace(start) !== null) return goToPlace(start);
  place.value = 'network';
  await startExperiment(decodeSpec(start));
}

async function enter(move: () => void, start: string | null): Promise<void> {
  isMoving.value = true;
  try {
    if (start !== null) {
      store.tab.value = 'walk';
      store.threshold.value = 0.5;
      await begin(start);
    }
    move();
  } finally {
    isMoving.value = false;
  }
}

/** Shows another step. Forward, it begins with the experiment that it asks for; one that was reached before stays so. */
export async function goTo(at: number): Promise<void> {
  const card = open.value;
  const next = card?.lesson.steps[at];
  if (card === null || next === undefined) return;
  const isForward = at > position.value;
  await enter(
    () => {
      position.value = at;
      begun.value = store.frame.peek()?.step ?? 0;
      write(card.address, at, false);
    },
    isForward ? next.start : null,
  );
}

export function finish(): void {
  const card = open.value;
  if (card === null) return;
  finished.value = new Set([...finished.value, card.address]);
  try {
    localStorage.setItem(key, JSON.stringify([...finished.value]));
  } catch {
    // it is then known as long as the page lasts
  }
}

/** The lesson after the one that is open. */
export const following: ReadonlySignal<Card | null> = computed(() => {
  const at = cards.value.findIndex(({ address }) => address === open.value?.address);
  return at < 0 ? null : (cards.value[at + 1] ?? null);
});

/** Does what the step asks for. */
export async function showHow({
  set,
  restart,
  open: tab,
  lines,
  neuron,
  threshold,
  digit,
  train,
}: Solution): Promise<void> {
  const keys = placeKeys.peek();
  if (keys !== null) {
    if (set !== null) keys.apply(new URLSearchParams(set));
    if (restart) keys.restart();
    if (train) keys.run();
    return;
  }
  if (set !== null) change(withChanges(store.spec.value, set));
  await settle();
  if (restart) await rebuild();
  batch(() => {
    if (tab !== null) store.tab.value = tab;
    if (lines !== null) store.lines.value = lines;
    if (threshold !== null) store.threshold.value = threshold;
    if (neuron !== null) store.selection.value = { block: neuron[0] - 1, unit: neuron[1] - 1 };
  });
  if (digit !== null) {
    const { pixels, labels, side } = store.built.value?.gallery ?? { pixels: new Float32Array(), labels: [], side: 0 };
    const at = labels.indexOf(digit) * side * side;
    if (at >= 0) recognise(pixels.slice(at, at + side * side));
  }
  // the settings alone may have done it
  if (train && !store.running.value && !reached.value.has(position.value)) run();
}
