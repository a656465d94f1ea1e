/** What the digits look like to a network, and to the rule that the network must beat: the nearest of ten means. */
import { mfcc } from '@nn/audio';
import { type Tensor, tensor } from '@nn/core';
import { type Recording, samplesOf, speechLength, speechRate } from './speech-data.ts';

/** A recording as networks take it. */
export interface Sample extends Recording {
  readonly coefficients: Float32Array;
}

/** Of a recording: 12 coefficients of 41 moments. */
export const featureSize = { frequencies: 12, frames: 41 };

/** Sounds [N, length] to MFCC [N, 12, 41], each coefficient around 0. */
function features(sounds: Tensor): Tensor {
  const options = { sampleRate: speechRate, fftSize: 256, hopLength: 160, mels: 40, coefficients: 12 };
  const found = mfcc(sounds, { convention: 'torchaudio', ...options });
  return found.sub(found.mean(-1, { keepAxes: true })).div(20);
}

/** The samples of a hundred recordings at a time, [8 or 100, length]: silence fills a batch, so that two sizes are compiled. */
function* batchesOf(recordings: readonly Recording[]): Generator<Tensor> {
  for (let from = 0; from < recordings.length; from += 100) {
    const part = recordings.slice(from, from + 100);
    const rows = part.length <= 8 ? 8 : 100;
    const sounds = new Float32Array(rows * speechLength);
    part.forEach((each, i) => {
      sounds.set(samplesOf(each), i * speechLength);
    });
    yield tensor(sounds, { shape: [rows, speechLength], borrow: true });
  }
}

/** Of each recording its coefficients, one row of moments after the other. */
export async function featuresOf(recordings: readonly Recording[]): Promise<Float32Array[]> {
  const found: Float32Array[] = [];
  const size = featureSize.frequencies * featureSize.frames;
  for (const sounds of batchesOf(recordings)) {
    const data = await features(sounds).data('float32');
    for (let at = 0; at < data.length; at += size) found.push(data.slice(at, at + size));
  }
  // without the silence at the end
  return found.slice(0, recordings.length);
}

/** Each as 60 numbers: the means of its coefficients over fifths of the time. */
export function summary(coefficients: Float32Array): number[] {
  const { frequencies, frames } = featureSize;
  const width = Math.floor(frames / 5);
  return Array.from({ length: frequencies * 5 }, (_, i) => {
    const from = Math.floor(i / 5) * frames + (i % 5) * width;
    return coefficients.subarray(from, from + width).reduce((sum, x) => sum + x, 0) / width;
  });
}

/** The rule: a digit is that whose mean is nearest. */
export function nearestMean(samples: readonly Sample[]): (coefficients: Float32Array) => number {
  const means = Array.from({ length: 10 }, (_, digit) => {
    const own = samples.filter((sample) => sample.digit === digit).map(({ coefficients }) => summary(coefficients));
    return (own[0] ?? []).map((_, k) => own.reduce((sum, each) => sum + each[k]!, 0) / own.length);
  });
  return (coefficients) => {
    const found = summary(coefficients);
    const distances = means.map((mean) =>
      mean.length === 0 ? Number.POSITIVE_INFINITY : found.reduce((sum, x, k) => sum + (x - mean[k]!) ** 2, 0),
    );
    return distances.indexOf(Math.min(...distances));
  };
}
