/**
 * Seconds of sound as spectrograms of powers, and what they may also have sounded like: earlier or later, and in noise. Powers of
 * sounds that do not depend on one another add up, so noise is a sum here. Loudness is left out by the network's own features.
 */
import type { RandomSequence } from '@nn/data';
import { frames, mels, soundLength } from './protocol.ts';

export const soundShape: readonly number[] = [mels, frames];
const size = mels * frames;

export interface Sound {
  /** [mels, frames] */
  readonly power: Float32Array;
  /** How many frames it may come earlier and later. */
  readonly earlier: number;
  readonly later: number;
}

/** Moves a spectrogram by frames; what is moved in is silence, or what is moved out. */
export function moved(power: Float32Array, by: number, wraps: boolean): Float32Array {
  const result = new Float32Array(size);
  for (let mel = 0; mel < mels; mel++) {
    for (let t = 0; t < frames; t++) {
      const from = t - by;
      const at = wraps ? ((from % frames) + frames) % frames : from;
      if (at >= 0 && at < frames) result[mel * frames + t] = power[mel * frames + at] as number;
    }
  }
  return result;
}

export function reversed(power: Float32Array): Float32Array {
  return power.map((_, i) => power[i - (i % frames) + frames - 1 - (i % frames)] as number);
}

const meanOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A sum with noise that is so many decibels softer; the noise alone where there is nothing else. */
export function noisy(power: Float32Array, noise: Float32Array, decibels: number): Float32Array {
  const signal = meanOf(power);
  const factor = (signal || 1) / (meanOf(noise) * 10 ** (decibels / 10));
  return power.map((value, i) => value + factor * (noise[i] as number));
}

/** A second of noise: white, or falling by 3 or 6 decibels an octave, with a hum in some. */
export function noiseSound(random: RandomSequence): Float32Array {
  const [slope, hum] = [random.integer(3), random.uniform(0, 1) < 0.3 ? random.uniform(50, 240) : 0];
  const samples = new Float32Array(soundLength);
  let [slow, slower] = [0, 0];
  for (let i = 0; i < soundLength; i++) {
    const white = random.normal();
    slow = 0.95 * slow + 0.3 * white;
    slower = 0.995 * slower + 0.1 * white;
    const noise = slope === 0 ? white : slope === 1 ? slow + 0.3 * white : slower + 0.05 * white;
    samples[i] = 0.1 * noise + (hum > 0 ? 0.1 * Math.sin((2 * Math.PI * hum * i) / soundLength) : 0);
  }
  return samples;
}

/** Writes a variation of a sound. */
export function writeVariedSound(
  { power, earlier, later }: Sound,
  noises: readonly Float32Array[],
  random: RandomSequence,
  into: Float32Array,
  at: number,
): void {
  const by = random.integer(earlier + later + 1) - earlier;
  const noise = noises[random.integer(noises.length)] as Float32Array;
  into.set(noisy(moved(power, by, true), noise, random.uniform(5, 45)), at);
}
