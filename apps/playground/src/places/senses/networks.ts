/**
 * The networks of the senses, small enough to be trained while one waits, and what goes into them. Each layer stands beside its
 * constructor call, so that the program that is taken along writes the same network.
 */
import { decibels, type MelOptions, melSpectrogram } from '@nn/audio';
import type { Tensor } from '@nn/core';
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  Dropout,
  GlobalAveragePool,
  type Layer,
  Linear,
  MaxPool1d,
  MaxPool2d,
  ReLU,
  Sequential,
} from '@nn/layers';
import { hopLength, mels, soundRate } from './protocol.ts';

export interface Piece {
  readonly layer: Layer;
  readonly code: string;
}

const relu = (): Piece => ({ layer: new ReLU(), code: 'new ReLU()' });
const mean = (): Piece => ({ layer: new GlobalAveragePool(), code: 'new GlobalAveragePool()' });
const dropout = (share: number): Piece => ({ layer: new Dropout(share), code: `new Dropout(${share})` });
const linear = (inputs: number, outputs: number): Piece => ({
  layer: new Linear(inputs, outputs),
  code: `new Linear(${inputs}, ${outputs})`,
});

const overPlaces = (inputs: number, outputs: number, kernel: number, stride: number): Piece[] => [
  {
    layer: new Conv2d(inputs, outputs, kernel, { padding: kernel >> 1, stride }),
    code: `new Conv2d(${inputs}, ${outputs}, ${kernel}, { padding: ${kernel >> 1}, stride: ${stride} })`,
  },
  { layer: new BatchNorm2d(outputs), code: `new BatchNorm2d(${outputs})` },
  relu(),
];
const halvePlaces = (): Piece => ({ layer: new MaxPool2d(2), code: 'new MaxPool2d(2)' });

const overTime = (inputs: number, outputs: number, kernel: number): Piece[] => [
  {
    layer: new Conv1d(inputs, outputs, kernel, { padding: 'same' }),
    code: `new Conv1d(${inputs}, ${outputs}, ${kernel}, { padding: 'same' })`,
  },
  { layer: new BatchNorm1d(outputs), code: `new BatchNorm1d(${outputs})` },
  relu(),
];
const halveTime = (): Piece => ({ layer: new MaxPool1d(2), code: 'new MaxPool1d(2)' });

/** Pictures [N, 3, side, side], -1 to 1, to logits [N, classes]. */
export function pictureNetwork(classes: number): readonly Piece[] {
  return [
    ...overPlaces(3, 16, 5, 2),
    ...[...overPlaces(16, 24, 3, 1), halvePlaces()],
    ...[...overPlaces(24, 32, 3, 1), halvePlaces()],
    ...[...overPlaces(32, 48, 3, 1), mean(), dropout(0.2), linear(48, classes)],
  ];
}

/** Features of sounds [N, mels, frames] to logits [N, classes]. */
export function soundNetwork(classes: number): readonly Piece[] {
  return [
    ...[...overTime(mels, 64, 5), halveTime()],
    ...[...overTime(64, 64, 3), halveTime()],
    ...[...overTime(64, 64, 3), mean(), dropout(0.2), linear(64, classes)],
  ];
}

export const modelOf = (pieces: readonly Piece[]): Sequential => new Sequential(...pieces.map(({ layer }) => layer));

export const melOptions: MelOptions = {
  convention: 'torchaudio',
  sampleRate: soundRate,
  fftSize: 256,
  hopLength,
  mels,
};
/** Decibels below the loudest of a second that are told apart. */
export const range = 60;

/** Sounds [N, length] to the power in each filter, [N, mels, frames]. */
export const powerOf = (sounds: Tensor): Tensor => melSpectrogram(sounds, melOptions);

/** Decibels below the loudest, each filter around its mean: neither loudness nor the sound of the microphone are left. */
export function featuresOf(power: Tensor): Tensor {
  const levels = decibels(power, { reference: 'max', range });
  return levels.sub(levels.mean(-1, { keepAxes: true })).div(20);
}
