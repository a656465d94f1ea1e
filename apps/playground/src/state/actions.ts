/** What a person can do: each action changes the store and tells the worker. Refusals become notices. */

import { batch } from '@preact/signals';
import { t, told } from '../i18n/language.ts';
import { describeError } from '../model/describe-error.ts';
import { type PaceName, paces } from '../model/pace.ts';
import type { Dropped } from '../model/samples.ts';
import { type BackendName, type Spec, structuralChanges, type Task, withTask } from '../model/spec.ts';
import type { ExampleName } from '../model/tables.ts';
import { decodeSpec, encodeSpec } from '../model/url.ts';
import { place } from '../places/place.ts';
import type { Built } from '../worker/protocol.ts';
import { Complaint } from './complaint.ts';
import { connect, type Link, Refusal } from './link.ts';
import * as store from './store.ts';

const link: Link = connect({
  frame: (frame) =>
    batch(() => {
      if (store.built.value === null) return;
      store.frame.value = frame;
      const { step, trainLoss, testLoss, trainAccuracy, testAccuracy } = frame;
      const last = store.history.value.at(-1);
      if (last === undefined || last.step < step) {
        const measured = { step, trainLoss, testLoss, trainAccuracy, testAccuracy };
        store.history.value = thin([...store.history.value, measured]);
      }
    }),
  rested: () => {
    store.running.value = false;
  },
  stopped: (refusal) => {
    store.stopped.value = refusal.why.kind;
    store.running.value = false;
    complain(refusal);
  },
});

export const ask: Link['ask'] = link.ask;

/** Keeps at most 1000 measurements: every second of the older ones goes. */
function thin<T>(all: readonly T[]): readonly T[] {
  return all.length <= 1000 ? all : all.filter((_, i) => i % 2 === 0 || i > 900);
}

export function complain(error: unknown): void {
  const why = error instanceof Refusal ? error.why : describeError(error);
  const say = (): string => (error instanceof Complaint ? error.say() : told(why));
  store.notice.value = { kind: 'error', say };
}

export function tell(say: () => string): void {
  store.notice.value = { kind: 'done', say };
}

let building = 0;

/** Makes the experiment of the store anew, from step 0. */
export async function rebuild(): Promise<void> {
  const turn = ++building;
  forgetChanges();
  store.running.value = false;
  store.waiting.value = true;
  try {
    const built = await link.ask({ kind: 'build', spec: store.spec.value });
    if (turn === building) show(built);
    if (store.notice.value?.kind === 'error') store.notice.value = null;
  } catch (error) {
    const wish = wishOf(error);
    if (turn !== building) return;
    if (wish === null) complain(error);
    else showNothing(wish);
  } finally {
    if (turn === building) store.waiting.value = false;
  }
}

const wishes: Readonly<Record<string, store.Wish>> = {
  'value/few-points': 'fewPoints',
  'value/no-table': 'noTable',
  'value/no-images': 'noImages',
};

/** An error that only says what the task waits for. */
function wishOf(error: unknown): store.Wish | null {
  return error instanceof Refusal ? (wishes[error.why.kind] ?? null) : null;
}

/** There is no experiment until the wish is met: the one before is not what the page would train. */
function showNothing(wish: store.Wish): void {
  batch(() => {
    store.wish.value = wish;
    store.built.value = null;
    store.frame.value = null;
    store.history.value = [];
    store.selection.value = null;
  });
}

function show(built: Built, isStraight = true): void {
  batch(() => {
    store.isStraight.value = isStraight;
    store.wish.value = null;
    store.built.value = built;
    store.frame.value = null; // the old one shows another network; the next is on its way
    store.history.value = built.history;
    store.cameFrom.value = null;
    store.selection.value = null;
    store.sample.value = null;
    store.recognised.value = null;
    store.stopped.value = null;
  });
}

/** Waits for the last of many changes; 0 where none waits. */
let timer = 0;

function forgetChanges(): void {
  clearTimeout(timer);
  timer = 0;
}

/** What is asked next is meant for the experiment as shown: the worker hears of changes that still wait first. */
function sendChanges(): void {
  if (timer !== 0) void rebuild();
}

/** Until the experiment of the store is made. */
export async function settle(): Promise<void> {
  if (timer !== 0) await rebuild();
}

/** Another experiment in the place of this one, on the same device. */
export async function startExperiment(spec: Spec): Promise<void> {
  store.spec.value = { ...spec, backend: store.spec.value.backend };
  writeAddress(store.spec.value);
  await rebuild();
}

/** Changes the experiment. The address follows; the worker is told at once, or after a moment when many changes come. */
export function change(changes: Partial<Spec>, options: { readonly soon?: boolean } = {}): void {
  const before = store.spec.value;
  const after = { ...before, ...changes };
  store.spec.value = after;
  writeAddress(after);
  const changed = structuralChanges(before, after);
  const isFurther = store.built.value !== null && (store.frame.value?.step ?? 0) > 0 && timer === 0;
  if (isFurther && changed.length === 1 && changed[0] === 'points') {
    void takePoints(after);
  } else if (changed.length > 0) {
    store.running.value = false;
    forgetChanges();
    timer = window.setTimeout(() => void rebuild(), options.soon ? 120 : 0);
  } else if (before.backend !== after.backend) {
    void swapBackend(after.backend, before.backend);
  } else {
    if ((store.frame.value?.step ?? 0) > 0 || store.running.value) store.isStraight.value = false;
    link.ask({ kind: 'retune', spec: after }).catch(complain);
  }
}

function writeAddress(spec: Spec): void {
  window.history.replaceState(null, '', `#${encodeSpec(spec)}`);
}

let editing: Promise<null> | null = null;
let nextEdit: (() => void) | null = null;

/** Puts a number in place of a weight, or of a bias (input -1). Of many that come while one is under way, the last counts. */
export function editWeight(block: number, unit: number, input: number, value: number): void {
  const send = (): void => {
    nextEdit = null;
    editing = link.ask({ kind: 'edit', block, unit, input, value });
    editing.catch(complain).finally(() => {
      editing = null;
      nextEdit?.();
    });
  };
  store.isStraight.value = false;
  if (editing === null) send();
  else nextEdit = send;
}

/** New points for a network that has begun to learn: it goes on with them. */
async function takePoints(spec: Spec): Promise<void> {
  try {
    const built = await link.ask({ kind: 'points', spec });
    if (store.spec.value.points !== spec.points) return; // more points are on their way
    store.isStraight.value = false;
    store.built.value = built;
  } catch (error) {
    if (wishOf(error) === null) complain(error);
    else void rebuild();
  }
}

export function chooseTask(task: Task): void {
  const spec = withTask(store.spec.value, task);
  store.notice.value = null;
  change(spec);
}

/** Training goes on while the worker opens the device; where it cannot, the old one stays. */
async function swapBackend(name: BackendName, before: BackendName): Promise<void> {
  store.waiting.value = true;
  try {
    const facts = await link.ask({ kind: 'backend', name });
    tell(() => `${t('nowOn')} ${t(`backend.${name}`)}: ${facts.detail}`);
  } catch (error) {
    store.spec.value = { ...store.spec.value, backend: before };
    writeAddress(store.spec.value);
    complain(error);
  } finally {
    store.waiting.value = false;
  }
}

export function run(): void {
  train('run');
}

/** To the end of the epoch. */
export function trainEpoch(): void {
  train('epoch');
}

function train(kind: 'run' | 'epoch'): void {
  sendChanges();
  if (store.built.value === null) return;
  branch();
  store.running.value = true;
  store.notice.value = null;
  store.stopped.value = null;
  link.ask({ kind }).catch((error) => {
    store.running.value = false;
    complain(error);
  });
}

/** Whoever trains on from an earlier moment goes another way: what came before stands behind it, as a run to compare with. */
function branch(): void {
  const moment = store.frame.value?.step ?? 0;
  if (store.cameFrom.value === null) return;
  store.kept.value = store.cameFrom.value;
  store.cameFrom.value = null;
  store.history.value = store.history.value.filter(({ step }) => step <= moment);
}

/** Keeps the run as it is, to compare the next one with. */
export function keepRun(): void {
  store.kept.value = store.cameFrom.value ?? presentRun() ?? store.kept.value;
}

function presentRun(): store.KeptRun | null {
  const [known, history] = [store.built.value, store.history.value];
  if (known === null || history.length === 0) return null;
  const maps = store.frame.value?.blocks.at(-1)?.maps.slice() ?? new Float32Array();
  return { spec: store.spec.value, built: known, history, maps };
}

let rewinding: Promise<unknown> | null = null;
let nextRewind: number | null = null;

/** Shows the network as it was at a step; of many that are asked for while one is under way, the last counts. */
export function rewind(step: number): void {
  nextRewind = step;
  if (rewinding !== null) return;
  store.running.value = false;
  const go = (): void => {
    const wanted = nextRewind;
    nextRewind = null;
    if (wanted === null) {
      rewinding = null;
      return;
    }
    const isBack = wanted < (store.history.value.at(-1)?.step ?? 0);
    store.cameFrom.value = isBack ? (store.cameFrom.value ?? presentRun()) : null;
    rewinding = link.ask({ kind: 'rewind', step: wanted }).then((spec) => {
      store.spec.value = { ...spec, backend: store.spec.value.backend };
      writeAddress(store.spec.value);
    }, complain);
    void rewinding.then(go);
  };
  go();
}

export function pause(): void {
  store.running.value = false;
  link.ask({ kind: 'pause' }).catch(complain);
}

export function toggle(): void {
  if (store.running.value) pause();
  else run();
}

let stepsPerFrame: number | null = null;

export function setPace(name: PaceName): void {
  store.pace.value = name;
  link.ask({ kind: 'pace', stepsPerSecond: paces[name], stepsPerFrame }).catch(complain);
}

/** At most so many steps from frame to frame, however fast it trains; null for any number. */
export function setStepsPerFrame(steps: number | null): void {
  if (steps === stepsPerFrame) return;
  stepsPerFrame = steps;
  setPace(store.pace.peek());
}

export function stepOnce(): void {
  sendChanges();
  if (store.built.value === null) return;
  branch();
  store.running.value = false;
  link.ask({ kind: 'step' }).catch(complain);
}

/** Files of any known kind: their names and first bytes tell which. */
export async function takeFiles(files: readonly File[]): Promise<void> {
  try {
    const { readDropped } = await import('./files.ts');
    const found = await readDropped(files);
    if (found.kind === 'model') {
      const built = await link.ask({ kind: 'load', bytes: found.bytes });
      forgetChanges(); // they were of the experiment that this one replaces
      store.running.value = false;
      store.spec.value = built.spec;
      writeAddress(built.spec);
      show(built, false);
      tell(() => `${t('loaded')} ${files[0]?.name ?? ''}`);
      return;
    }
    await takeData(found.dropped, found.kind === 'table' ? 'table' : 'idx');
  } catch (error) {
    complain(error);
  }
}

/** A table that comes with the page; null for the one that was dropped. */
export function takeExample(example: ExampleName | null): void {
  const table = { target: '', inputs: [], as: 'auto' as const, ...(example !== null && { example }) };
  change({ ...withTask(store.spec.value, 'table'), table });
}

/** Data that cannot be used is refused before anything is changed. */
async function takeData(data: Dropped, task: 'table' | 'idx'): Promise<void> {
  const before = store.dropped.value;
  const next = { ...withTask(store.spec.value, task), table: { target: '', inputs: [], as: 'auto' as const } };
  const all: Dropped = { ...before, ...data };
  await link.ask({ kind: 'drop', dropped: all });
  try {
    const built = await link.ask({ kind: 'build', spec: next });
    forgetChanges();
    store.dropped.value = all;
    store.spec.value = next;
    store.running.value = false;
    store.notice.value = null;
    writeAddress(next);
    show(built);
  } catch (error) {
    await link.ask({ kind: 'drop', dropped: before });
    throw error;
  }
}

/** Brings the page to life. */
export async function begin(): Promise<void> {
  window.addEventListener('hashchange', () => {
    if (place.peek() !== 'network') return;
    const wanted = decodeSpec(location.hash);
    if (encodeSpec(wanted) === encodeSpec(store.spec.value)) return;
    store.spec.value = wanted;
    void rebuild();
  });
  const { remembered } = await import('./files.ts');
  const kept = remembered();
  if (kept !== null) {
    store.dropped.value = kept;
    await link.ask({ kind: 'drop', dropped: kept });
  }
  setPace(store.pace.value);
  await rebuild();
  store.availability.value = await link.ask({ kind: 'availability' });
}
