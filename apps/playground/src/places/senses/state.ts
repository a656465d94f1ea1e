/** What the page knows of its senses: classes and their samples, devices, what is seen and heard; and what a person can do. */
import { version } from '@nn/core/package.json';
import { batch, type Signal, signal } from '@preact/signals';
import { complain, tell } from '../../state/actions.ts';
import { Complaint } from '../../state/complaint.ts';
import { download } from '../../state/files.ts';
import { PlaceWorker } from '../connect.ts';
import { keepSetting, settingOf } from '../place.ts';
import { say } from '../words.ts';
import { type Shot, shotOf, watch } from './camera.ts';
import type { Opened, Trouble } from './device.ts';
import { Hearing } from './hearing.ts';
import { listen } from './microphone.ts';
import { playWord } from './player.ts';
import {
  chunkLength,
  digitClasses,
  fewestClasses,
  type Heard,
  type Kind,
  kinds,
  mels,
  mostClasses,
  noDigit,
  type RawSample,
  type SenseCalls,
  type SenseFile,
  type SenseFrame,
  soundLength,
} from './protocol.ts';
import { joinedOf, loudestSecond, secondsOf } from './recording.ts';
import { readPicture, readSound, waveAddress } from './samples.ts';

export interface ClassCard {
  readonly id: number;
  /** What the person called it; null for the name that it has by its place. */
  readonly name: string | null;
  /** Pictures of the last samples, as addresses. */
  readonly shown: readonly string[];
}

/** Steps of a training, after which it rests. */
export const goals: Readonly<Record<Kind, number>> = { digits: 300, pictures: 300, sounds: 200 };
const shownSamples = 8;
/** Milliseconds between pictures of a class, and between opinions about what the camera shows. */
const shotEvery = 100;
const judgeEvery = 150;
const longestRecording = 10 * soundLength;
/** Columns of the spectrogram that is shown: five seconds. */
export const trailLength = 250;
const shownWords = 12;

export const kind: Signal<Kind> = signal(settingOf('kind', kinds));
export const classes: Signal<readonly ClassCard[]> = signal([]);
/** The mean opinion of the last moments, by class. */
export const opinion: Signal<Float32Array | null> = signal(null);
/** Words that were heard, the last one first. */
export const heard: Signal<readonly number[]> = signal([]);
/** The spectrogram of the last seconds in decibels, [columns, mels], the newest last. */
export const trail: Signal<Float32Array> = signal(new Float32Array(trailLength * mels).fill(-100));
export const stream: Signal<MediaStream | null> = signal(null);
export const trouble: Signal<Trouble | null> = signal(null);
/** The class that samples are taken for. */
export const recording: Signal<number | null> = signal(null);
/** The digit that is played. */
export const playing: Signal<number | null> = signal(null);
export const losses: Signal<{ readonly steps: readonly number[]; readonly values: readonly number[] }> = signal({
  steps: [],
  values: [],
});

let nextId = 0;
let seed = 1;
let run = 0;
let restAt = 0;
let hearing = new Hearing([]);
let opened: Opened | null = null;
let isOpening = false;

export const senses: PlaceWorker<SenseCalls, SenseFrame | null> = new PlaceWorker(
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'senses' }),
  (frame) => {
    if (frame === null) return;
    if (frame.run !== run) losses.value = { steps: [], values: [] };
    run = frame.run;
    const { steps, values } = losses.value;
    if (frame.step > 0 && frame.step !== steps.at(-1)) {
      losses.value = { steps: [...steps, frame.step], values: [...values, frame.trainLoss] };
    }
    if (frame.step >= restAt && senses.running.peek()) {
      senses.pause();
      tell(() => say('senses.trained', { steps: frame.step }));
    }
  },
);

export const nameOf = (label: number): string => {
  if (kind.value === 'digits') return label === noDigit ? say('senses.none') : String(label);
  return classes.value[label]?.name || say('senses.class', { number: label + 1 });
};

/** Whether every class has something to learn from. */
export function isReady(): boolean {
  if (kind.value === 'digits') return true;
  const counts = senses.frame.value?.counts ?? [];
  return counts.length >= fewestClasses && counts.every(({ train }) => train > 0);
}

/** What the bar starts and stops. */
export const training: { readonly running: Signal<boolean>; pause(): void; toggle(): void } = {
  running: senses.running,
  pause: (): void => senses.pause(),
  toggle(): void {
    if (senses.running.peek()) senses.pause();
    else if (isReady()) {
      restAt = (senses.frame.peek()?.step ?? 0) + goals[kind.peek()];
      senses.run();
    } else tell(() => say('senses.needSamples'));
  },
};

const emptyClass = (): ClassCard => ({ id: nextId++, name: null, shown: [] });

/** Everything anew for a kind. */
export function begin(): void {
  closeDevice();
  forgetOpinions();
  const now = kind.peek();
  const count = now === 'digits' ? digitClasses : fewestClasses;
  classes.value = Array.from({ length: count }, emptyClass);
  senses.ask('begin', { kind: now, classes: count, seed }).catch(complain);
}

export function chooseKind(name: Kind): void {
  keepSetting('kind', name);
  senses.pause();
  kind.value = name;
  begin();
}

/** New weights; the samples stay. */
export function restart(): void {
  forgetOpinions();
  restAt = goals[kind.peek()];
  senses.ask('restart', ++seed).catch(complain);
}

function forgetOpinions(): void {
  hearing = new Hearing(kind.peek() === 'digits' ? [noDigit] : []);
  batch(() => {
    opinion.value = null;
    heard.value = [];
    trail.value = new Float32Array(trailLength * mels).fill(-100);
  });
}

export function addClass(): void {
  if (classes.peek().length >= mostClasses) return;
  senses.pause();
  forgetOpinions();
  classes.value = [...classes.peek(), emptyClass()];
  senses.ask('addClass').catch(complain);
}

export function removeClass(label: number): void {
  if (classes.peek().length <= fewestClasses) return;
  senses.pause();
  forgetOpinions();
  classes.value = classes.peek().filter((_, k) => k !== label);
  senses.ask('removeClass', label).catch(complain);
}

const changeClass = (label: number, change: Partial<ClassCard>): void => {
  classes.value = classes.peek().map((card, k) => (k === label ? { ...card, ...change } : card));
};

export function renameClass(label: number, name: string): void {
  changeClass(label, { name: name.trim() === '' ? null : name });
}

export function clearClass(label: number): void {
  changeClass(label, { shown: [] });
  senses.ask('clear', label).catch(complain);
}

function add(label: number, samples: readonly RawSample[], shown: readonly string[]): void {
  const { shown: before = [] } = classes.peek()[label] ?? {};
  changeClass(label, { shown: [...before, ...shown].slice(-shownSamples) });
  senses.ask('add', label, samples).catch(complain);
}

/** Opens the camera or the microphone; what keeps it shut is told beside its picture. */
export async function openDevice(): Promise<void> {
  if (opened !== null || isOpening) return;
  isOpening = true;
  trouble.value = null;
  const lost = (why: Trouble): void => {
    closeDevice();
    trouble.value = why;
  };
  const wanted = kind.peek();
  const found = wanted === 'pictures' ? await watch(lost) : await listen(takeChunk, lost);
  isOpening = false;
  if (typeof found === 'string') trouble.value = found;
  else if (kind.peek() !== wanted) found.close();
  else {
    opened = found;
    stream.value = found.stream;
  }
}

export function closeDevice(): void {
  opened?.close();
  opened = null;
  batch(() => {
    stream.value = null;
    trouble.value = null;
    recording.value = null;
  });
}

/** Of sounds: what was recorded so far, and whether the button was let go. */
let chunks: Float32Array[] = [];
let isLetGo = false;
/** Of pictures: what was not handed on yet, and how many there were. */
let shots: Shot[] = [];
let shotCount = 0;
let shooting = 0;

/** The button of a class is pressed: samples are taken until it is let go, one at least. */
export async function hold(label: number): Promise<void> {
  if (recording.peek() !== null) return;
  recording.value = label;
  [chunks, shots, shotCount, isLetGo] = [[], [], 0, false];
  await openDevice();
  if (opened === null) recording.value = null;
  else if (kind.peek() === 'pictures') shooting = window.setInterval(shoot, shotEvery);
}

export function letGo(): void {
  isLetGo = true;
  if (shotCount > 0) endShots();
}

/** A camera that was just opened shows nothing yet. */
function shoot(): void {
  const shot = video === null ? null : shotOf(video, true);
  if (shot !== null) {
    shots.push(shot);
    shotCount++;
  }
  if (shots.length >= 5) handOn();
  if (recording.peek() === null || (isLetGo && shotCount > 0)) endShots();
}

function endShots(): void {
  clearInterval(shooting);
  handOn();
  recording.value = null;
}

function handOn(): void {
  const label = recording.peek();
  if (label !== null && shots.length > 0) {
    add(
      label,
      shots.map(({ pixels }) => pixels),
      shots.map(({ address }) => address),
    );
  }
  shots = [];
}

/** A tenth of a second from the microphone; what is played is heard in its place. */
function takeChunk(samples: Float32Array): void {
  if (playing.peek() === null) feed(samples);
  const label = recording.peek();
  if (label === null) return;
  chunks.push(samples);
  const length = chunks.length * chunkLength;
  if ((!isLetGo || length < soundLength) && length < longestRecording) return;
  recording.value = null;
  const whole = joinedOf(chunks);
  const seconds = kind.peek() === 'digits' && label !== noDigit ? [loudestSecond(whole)] : secondsOf(whole);
  add(label, seconds, seconds.map(waveAddress));
}

/** Chunks that were not heard yet; of more than three seconds the oldest are given up. */
let waiting: Float32Array[] = [];
const mostWaiting = (3 * soundLength) / chunkLength;
let isHearing = false;

/** Lets the network hear; what comes while it does is heard next, together. */
function feed(samples: Float32Array): void {
  waiting.push(samples);
  if (!isHearing) void hear();
}

async function hear(): Promise<void> {
  isHearing = true;
  while (waiting.length > 0) {
    const piece = joinedOf(waiting.slice(-mostWaiting));
    waiting = [];
    const listener = hearing;
    try {
      const heardNow = await senses.ask('hear', piece);
      if (listener === hearing) show(heardNow);
    } catch (error) {
      complain(error);
    }
  }
  isHearing = false;
}

/** Moves the spectrogram on, and makes words of opinions. */
function show({ columns, shares }: Heard): void {
  const next = new Float32Array(trailLength * mels);
  next.set(trail.peek().subarray(columns.length));
  next.set(columns, next.length - columns.length);
  const words: number[] = [];
  const count = classes.peek().length;
  for (let at = 0; at < shares.length; at += count) {
    const word = hearing.push(shares.subarray(at, at + count));
    if (word !== null) words.unshift(word);
  }
  batch(() => {
    trail.value = next;
    opinion.value = hearing.shares;
    if (words.length > 0 && kind.peek() === 'digits') heard.value = [...words, ...heard.peek()].slice(0, shownWords);
  });
}

/** Plays a made word, which is heard as if a microphone heard it. */
export async function speak(digit: number): Promise<void> {
  if (playing.peek() !== null) return;
  playing.value = digit;
  try {
    await playWord(await senses.ask('speak', digit), feed);
  } catch (error) {
    complain(error);
  } finally {
    playing.value = null;
  }
}

/** Where the camera is shown. */
let video: HTMLVideoElement | null = null;

/** Judges what the camera shows, as long as it is shown. */
export function follow(element: HTMLVideoElement): () => void {
  video = element;
  let isJudging = false;
  const timer = setInterval(() => {
    const shot = isJudging ? null : shotOf(element, false);
    if (shot === null) return;
    isJudging = true;
    const listener = hearing;
    senses
      .ask('judge', shot.pixels)
      .then((shares) => {
        if (listener !== hearing) return;
        hearing.push(shares);
        opinion.value = hearing.shares;
      }, complain)
      .finally(() => {
        isJudging = false;
      });
  }, judgeEvery);
  return () => {
    clearInterval(timer);
    video = null;
  };
}

/** Samples from files, for whom has no device. */
export async function addFiles(label: number, files: readonly File[]): Promise<void> {
  for (const file of files) {
    try {
      if (kind.peek() === 'pictures') {
        const { pixels, address } = await readPicture(file);
        add(label, [pixels], [address]);
      } else {
        const seconds = secondsOf(await readSound(file));
        add(label, seconds, seconds.map(waveAddress));
      }
    } catch {
      const { name } = file;
      complain(
        new Complaint(() => say(kind.peek() === 'pictures' ? 'senses.notPicture' : 'senses.notSound', { name })),
      );
    }
  }
}

export async function take(as: SenseFile): Promise<void> {
  try {
    const names = classes.peek().map((_, label) => nameOf(label));
    const bytes = await senses.ask('take', as, names, version);
    const type = as === 'zip' ? 'application/zip' : 'application/octet-stream';
    download(`nn-${kind.peek()}.${as}`, new Uint8Array(bytes), type);
  } catch (error) {
    complain(error);
  }
}

begin();
