/** The text to learn, the text that a person goes on with, and what the network says to both. */
import { batch, type Signal, signal } from '@preact/signals';
import { language } from '../../i18n/language.ts';
import { complain } from '../../state/actions.ts';
import { PlaceWorker } from '../connect.ts';
import { keepSetting, settingOf } from '../place.ts';
import type { Inspection, SequenceCalls, SequenceFacts, SequenceFrame, Steering } from './protocol.ts';
import { makeText, type TextName, textNames } from './texts.ts';

export interface Shape {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly learningRate: number;
}

const madeLength = 60_000;
export const sampleLength = 140;

export const textName: Signal<TextName> = signal(settingOf('text', textNames));
export const ownText: Signal<string> = signal('');
export const shape: Signal<Shape> = signal({ width: 48, layers: 2, heads: 2, learningRate: 3e-3 });
export const facts: Signal<SequenceFacts | null> = signal(null);
export const prompt: Signal<string> = signal('');
export const steering: Signal<Steering> = signal({ temperature: 0.8, topK: 0 });
export const inspection: Signal<Inspection | null> = signal(null);
/** What the network wrote last, and how many steps of training were behind it. */
export const written: Signal<readonly { readonly step: number; readonly text: string }[]> = signal([]);
export const losses: Signal<{
  readonly steps: readonly number[];
  readonly train: readonly number[];
  readonly test: readonly number[];
}> = signal({ steps: [], train: [], test: [] });

let seed = 1;
let run = 0;
/** How often it was begun anew: what was asked before is of another network. */
let beginnings = 0;
let isWriting = false;
let isInspecting = false;
let asked: string | null = null;

export const writer: PlaceWorker<SequenceCalls, SequenceFrame | null> = new PlaceWorker(
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'sequences' }),
  (frame) => {
    if (frame === null) return;
    if (frame.run !== run) losses.value = { steps: [], train: [], test: [] };
    run = frame.run;
    const { steps, train, test } = losses.value;
    if (frame.step === 0 || frame.step === steps.at(-1)) return;
    const isKept = (_: unknown, i: number): boolean => steps.length < 600 || i % 2 === 0 || i > 500;
    losses.value = {
      steps: [...steps, frame.step].filter(isKept),
      train: [...train, frame.trainLoss].filter(isKept),
      test: [...test, frame.testLoss].filter(isKept),
    };
  },
);

/** The text that is learned: a person's own, or one that is made. */
export function trainingText(): string {
  const name = textName.value;
  return name === 'own' ? ownText.value : makeText(name, language.value, madeLength, 1);
}

/** Begins anew. A text of one's own that is too short yet is waited for. */
export function begin(changes: Partial<Shape> = {}): void {
  beginnings++;
  shape.value = { ...shape.value, ...changes };
  const text = trainingText();
  if (textName.value === 'own' && text.trim() === '') {
    writer.pause();
    batch(() => {
      facts.value = null;
      inspection.value = null;
      written.value = [];
    });
    return;
  }
  writer.ask('begin', { text, ...shape.value, seed: seed++ }).then((made) => {
    batch(() => {
      facts.value = made;
      written.value = [];
      prompt.value = promptFor(text);
    });
    inspect();
    write();
  }, complain);
}

/** The beginning of the text, as far as a first word or sentence. */
function promptFor(text: string): string {
  const name = textName.value;
  if (name === 'repeats') return 'samo samo sa';
  if (name === 'brackets') return '{[()';
  return text.slice(0, name === 'sentences' && language.value === 'zh' ? 4 : 8);
}

export function chooseText(name: TextName): void {
  keepSetting('text', name);
  textName.value = name;
  begin();
}

export function setPrompt(text: string): void {
  prompt.value = text;
  inspect();
}

/** Asks what comes next; of many questions in a short time the last. */
export function inspect(): void {
  if (facts.peek() === null) return;
  asked = prompt.peek();
  if (isInspecting) return;
  isInspecting = true;
  const text = asked;
  asked = null;
  writer
    .ask('inspect', text)
    .then((found) => {
      inspection.value = found;
    }, complain)
    .finally(() => {
      isInspecting = false;
      if (asked !== null) inspect();
    });
}

/** Lets the network go on with the prompt. */
export function write(): void {
  if (isWriting || facts.peek() === null) return;
  isWriting = true;
  const step = writer.frame.peek()?.step ?? 0;
  const now = beginnings;
  writer
    .ask('write', prompt.peek(), sampleLength, steering.peek(), seed + Math.floor(performance.now()))
    .then((text) => {
      if (now === beginnings) written.value = [{ step, text }, ...written.value].slice(0, 6);
    }, complain)
    .finally(() => {
      isWriting = false;
    });
}

begin();
