/** What the page and the worker of the senses say to one another: samples by class, steps of training, opinions, files. */
export const kinds = ['digits', 'pictures', 'sounds'] as const;
export type Kind = (typeof kinds)[number];

/** Pixels of a side of a picture as the network gets it. */
export const pictureSide = 48;
/** Samples a second, and of a sound as the network gets it: one second. */
export const soundRate = 8000;
export const soundLength = 8000;
/** Samples that are handed on at a time while listening: a tenth of a second. */
export const chunkLength = 800;
/** Filters of a spectrogram, the samples between two of its columns, and its columns for a second. */
export const mels = 32;
export const hopLength = 160;
export const frames = 51;

/** The ten digits, and what is none. */
export const digitClasses = 11;
export const noDigit = 10;
export const fewestClasses = 2;
export const mostClasses = 8;
/** Of the samples of a class each fifth is kept for the test. */
export const testEvery = 5;

export interface SenseSettings {
  readonly kind: Kind;
  readonly classes: number;
  readonly seed: number;
}

/** RGBA of a square picture, or a second of sound. */
export type RawSample = Uint8ClampedArray | Float32Array;

/** What a person gave a class: for training and for the test. */
export interface Count {
  readonly train: number;
  readonly test: number;
}

export interface SenseFrame {
  readonly run: number;
  readonly step: number;
  readonly trainLoss: number;
  /** The share of the test samples that are recognised; null without any. */
  readonly testAccuracy: number | null;
  readonly testCount: number;
  readonly counts: readonly Count[];
  /** Recordings of digits by the person, and how many were recognised before anything was learned from them. */
  readonly firstHeard: { readonly count: number; readonly right: number };
}

/**
 * What a piece of sound adds: columns of the spectrogram in decibels, [count, mels], and what the network takes the last second for
 * at the end of each chunk, [chunks, classes].
 */
export interface Heard {
  readonly columns: Float32Array;
  readonly shares: Float32Array;
}

export type SenseFile = 'zip' | 'onnx';

export interface SenseCalls {
  /** Everything anew: no samples but those that are made. */
  begin(settings: SenseSettings): Promise<null>;
  /** New weights for the samples that are there. */
  restart(seed: number): null;
  addClass(): null;
  removeClass(label: number): null;
  /** Forgets the samples of a class. */
  clear(label: number): null;
  add(label: number, samples: readonly RawSample[]): Promise<null>;
  /** A picture's classes. */
  judge(sample: RawSample): Promise<Float32Array>;
  /** Goes on listening by a whole number of chunks. */
  hear(samples: Float32Array): Promise<Heard>;
  /** A made word by a voice that is in no training sample. */
  speak(digit: number): Float32Array;
  take(as: SenseFile, names: readonly string[], version: string): Promise<Uint8Array>;
}
