/**
 * Augmentation of sounds in pipelines: functions of a sound and its own random numbers, so that what an element gets depends on seed, epoch and its index alone.
 * Masks on spectrograms, which are drawn in the same way and applied on the device, stand in `spec-augment.ts`.
 */
import { checkOptions, ValueError } from '@nn/core';
import type { RandomSequence } from '@nn/data';
import { meanSquare } from '../sounds/volume.ts';
import { eachChannel, joined, type Waveform, withLength } from '../sounds/waveform.ts';
import { convolved } from './host-transform.ts';
import { type StretchOptions, shiftPitch, stretch } from './stretch.ts';

/** A sound, as another one, by numbers drawn from `random`: for `map((sample, { random }) => ...)` of a pipeline. One of your own is such a function. */
export type SoundAugmentation = (waveform: Waveform, random: RandomSequence) => Waveform;

/** The least and the most of what is drawn. */
export type Range = readonly [least: number, most: number];

function checkRange(operation: string, name: string, [least, most]: Range): void {
  if (Number.isFinite(least) && Number.isFinite(most) && least <= most) return;
  throw new ValueError(operation, `${name} is [${least}, ${most}]: give the least, then the most.`, {
    [name]: [least, most],
  });
}

/**
 * One augmentation after the other.
 *
 * @example
 * import { inSequence, randomGain, randomShift, waveformOf } from '@nn/audio';
 * import { RandomSequence } from '@nn/data';
 * const augmented = inSequence(randomGain(), randomShift({ seconds: 0.1 }));
 * console.log(augmented(waveformOf(new Float32Array(800), 8000), new RandomSequence(1)).length); // => 800
 */
export function inSequence(...augmentations: readonly SoundAugmentation[]): SoundAugmentation {
  return (waveform, random) => augmentations.reduce((sound, augmentation) => augmentation(sound, random), waveform);
}

/** The augmentation with this probability, else the sound as it is. */
export function sometimes(augmentation: SoundAugmentation, probability = 0.5): SoundAugmentation {
  return (waveform, random) => (random.uniform() < probability ? augmentation(waveform, random) : waveform);
}

/** Louder or softer, by decibels; -6 to 6 by default. */
export function randomGain(options: { readonly decibels?: Range } = {}): SoundAugmentation {
  checkOptions('randomGain', options, ['decibels']);
  const { decibels = [-6, 6] } = options;
  checkRange('randomGain', 'decibels', decibels);
  return (waveform, random) => {
    const factor = 10 ** (random.uniform(...decibels) / 20);
    return eachChannel(waveform, waveform.length, (x, y) => {
      for (let i = 0; i < x.length; i++) y[i] = x[i]! * factor;
    });
  };
}

export interface ShiftOptions {
  /** How far at most, to both sides; 0.1 by default. */
  readonly seconds?: number;
  /** What comes in from the side: silence ('zeros', the default), or what went out at the other ('wrap'). */
  readonly fill?: 'zeros' | 'wrap';
}

/** Earlier or later. */
export function randomShift(options: ShiftOptions = {}): SoundAugmentation {
  checkOptions('randomShift', options, ['seconds', 'fill']);
  const { seconds = 0.1, fill = 'zeros' } = options;
  if (!(seconds >= 0) || (fill !== 'zeros' && fill !== 'wrap')) {
    throw new ValueError('randomShift', `seconds ${seconds}, fill '${String(fill)}': 0 or more, 'zeros' or 'wrap'.`);
  }
  return (waveform, random) => {
    const { length, sampleRate } = waveform;
    const by = Math.round(random.uniform(-seconds, seconds) * sampleRate);
    return eachChannel(waveform, length, (x, y) => {
      for (let i = 0; i < length; i++) {
        const from = i - by;
        if (from >= 0 && from < length) y[i] = x[from]!;
        else if (fill === 'wrap') y[i] = x[((from % length) + length) % length]!;
      }
    });
  };
}

/**
 * Noise added so that the sound is louder than it by `decibels` (the signal-to-noise ratio, of mean squares over all of both). Noise that is too short begins again. Silence gets none.
 *
 * @example
 * import { addNoise, waveformOf } from '@nn/audio';
 * const sound = waveformOf(new Float32Array(9).fill(1), 8000);
 * const noisy = addNoise(sound, waveformOf(Float32Array.of(0.5), 8000), 20);
 * console.log(noisy.samples[3]?.toFixed(2)); // => 1.10
 */
export function addNoise(waveform: Waveform, noise: Waveform, decibels: number): Waveform {
  if (!Number.isFinite(decibels) || noise.length === 0 || noise.sampleRate !== waveform.sampleRate) {
    throw new ValueError(
      'addNoise',
      `${decibels} decibels over ${noise.length} samples of noise at ${noise.sampleRate} Hz, for a sound at ${waveform.sampleRate} Hz: both need one rate, and the noise a sample.`,
    );
  }
  const loudness = meanSquare(noise.samples);
  const factor = loudness > 0 ? Math.sqrt(meanSquare(waveform.samples) / loudness) * 10 ** (-decibels / 20) : 0;
  let channel = 0;
  return eachChannel(waveform, waveform.length, (x, y) => {
    const from = (channel++ % noise.channels) * noise.length;
    for (let i = 0; i < x.length; i++) y[i] = x[i]! + factor * noise.samples[from + (i % noise.length)]!;
  });
}

export interface NoiseOptions {
  /** The signal-to-noise ratio in decibels; 5 to 30 by default. */
  readonly decibels?: Range;
  /** Noise of every frequency alike ('white', the default), or less of the higher ones: by 3 decibels an octave ('pink'), by 6 ('brown'). */
  readonly color?: 'white' | 'pink' | 'brown';
  /** Recorded noise in its place, of which a part is drawn. */
  readonly sounds?: readonly Waveform[];
}

/** Noise at a signal-to-noise ratio that is drawn. */
export function randomNoise(options: NoiseOptions = {}): SoundAugmentation {
  checkOptions('randomNoise', options, ['decibels', 'color', 'sounds']);
  const { decibels = [5, 30], color = 'white', sounds } = options;
  checkRange('randomNoise', 'decibels', decibels);
  if (!['white', 'pink', 'brown'].includes(color) || sounds?.length === 0) {
    throw new ValueError(
      'randomNoise',
      `color '${String(color)}', ${sounds?.length} sounds: 'white', 'pink' or 'brown', or a sound or more.`,
    );
  }
  return (waveform, random) => {
    const level = random.uniform(...decibels);
    if (!sounds) {
      const { length, sampleRate } = waveform;
      const samples = noiseOf(color, length, random);
      return addNoise(waveform, { samples, channels: 1, length, sampleRate }, level);
    }
    const noise = sounds[random.integer(sounds.length)]!;
    const from = random.integer(noise.length);
    const turned = eachChannel(noise, noise.length, (x, y) => {
      y.set(x.subarray(from));
      y.set(x.subarray(0, from), x.length - from);
    });
    return addNoise(waveform, turned, level);
  };
}

/** White noise, and filters of it: pink by five first-order filters and more (Paul Kellet's coefficients), brown by a sum that leaks. */
function noiseOf(color: 'white' | 'pink' | 'brown', length: number, random: RandomSequence): Float32Array {
  const samples = new Float32Array(length);
  const poles = [0.99886, 0.99332, 0.969, 0.8665, 0.55, -0.7616];
  const gains = [0.0555179, 0.0750759, 0.153852, 0.3104856, 0.5329522, -0.016898];
  const state = poles.map(() => 0);
  let [late, sum] = [0, 0];
  for (let i = 0; i < length; i++) {
    const white = random.normal();
    if (color === 'white') samples[i] = white;
    else if (color === 'brown') {
      sum = 0.998 * sum + white;
      samples[i] = sum;
    } else {
      let pink = late + 0.5362 * white;
      for (let k = 0; k < poles.length; k++) {
        state[k] = poles[k]! * state[k]! + gains[k]! * white;
        pink += state[k]!;
      }
      late = 0.115926 * white;
      samples[i] = pink;
    }
  }
  return samples;
}

/** Faster or slower at the same pitch; 0.9 to 1.1 times by default. The length changes: `withLength` brings it back. */
export function randomStretch(options: StretchOptions & { readonly rate?: Range } = {}): SoundAugmentation {
  const { rate = [0.9, 1.1], ...rest } = options;
  checkRange('randomStretch', 'rate', rate);
  return (waveform, random) => stretch(waveform, random.uniform(...rate), rest);
}

/** Higher or lower at the same speed; -2 to 2 semitones by default. */
export function randomPitch(options: StretchOptions & { readonly semitones?: Range } = {}): SoundAugmentation {
  const { semitones = [-2, 2], ...rest } = options;
  checkRange('randomPitch', 'semitones', semitones);
  return (waveform, random) => shiftPitch(waveform, random.uniform(...semitones), rest);
}

/**
 * The sound as heard where an impulse would sound like `impulse`: convolved with it, at the same length and loudness. Recorded impulses of rooms can be had, `randomReverberation` makes its own.
 *
 * @example
 * import { reverberate, waveformOf } from '@nn/audio';
 * const click = waveformOf(Float32Array.of(1, 0, 0, 0), 8000);
 * const heard = reverberate(click, waveformOf(Float32Array.of(0.5, 0, 0.5), 8000));
 * console.log([...heard.samples].map((x) => x.toFixed(2)).join(' ')); // => 0.71 0.00 0.71 0.00
 */
export function reverberate(waveform: Waveform, impulse: Waveform): Waveform {
  if (impulse.sampleRate !== waveform.sampleRate || impulse.length === 0) {
    throw new ValueError(
      'reverberate',
      `the impulse has ${impulse.length} samples at ${impulse.sampleRate} Hz, the sound is at ${waveform.sampleRate} Hz: both need one rate.`,
    );
  }
  const filter = impulse.samples.subarray(0, impulse.length);
  const result = eachChannel(waveform, waveform.length, (x, y) => y.set(convolved(x, filter)));
  const [before, after] = [meanSquare(waveform.samples), meanSquare(result.samples)];
  const factor = after > 0 ? Math.sqrt(before / after) : 1;
  return eachChannel(result, result.length, (x, y) => {
    for (let i = 0; i < x.length; i++) y[i] = x[i]! * factor;
  });
}

export interface ReverberationOptions {
  /** Seconds in which an echo loses 60 decibels; 0.1 to 0.5 by default. */
  readonly decay?: Range;
  /** How much louder the sound itself is than all echoes together, in decibels; 0 to 12 by default. */
  readonly direct?: Range;
}

/** A room that is drawn: the sound itself, and echoes like noise that fades away by 60 decibels in `decay` seconds (Moorer 1979). */
export function randomReverberation(options: ReverberationOptions = {}): SoundAugmentation {
  checkOptions('randomReverberation', options, ['decay', 'direct']);
  const { decay = [0.1, 0.5], direct = [0, 12] } = options;
  checkRange('randomReverberation', 'decay', decay);
  checkRange('randomReverberation', 'direct', direct);
  return (waveform, random) => {
    const { sampleRate } = waveform;
    const seconds = random.uniform(...decay);
    const ratio = 10 ** (-random.uniform(...direct) / 20);
    const length = Math.max(2, Math.round(seconds * sampleRate));
    // 60 decibels are ln 1000 in amplitude
    const echoes = Float32Array.from({ length }, (_, i) => random.normal() * Math.exp((-Math.log(1000) * i) / length));
    echoes[0] = 0;
    const factor = ratio / Math.sqrt(meanSquare(echoes) * length || 1);
    const samples = echoes.map((x) => x * factor);
    samples[0] = 1;
    return reverberate(waveform, { samples, channels: 1, length, sampleRate });
  };
}

/** A part of this many seconds from a place that is drawn; shorter sounds get silence before and behind. */
export function randomCut(options: { readonly seconds: number }): SoundAugmentation {
  checkOptions('randomCut', options, ['seconds']);
  const { seconds } = options;
  if (!(seconds > 0)) throw new ValueError('randomCut', `seconds is ${seconds}: it must be above 0.`, { seconds });
  return (waveform, random) => {
    const { sampleRate, channels } = waveform;
    const length = Math.round(seconds * sampleRate);
    const from = Math.round(random.uniform() * (waveform.length - length));
    if (from >= 0) return eachChannel(waveform, length, (x, y) => y.set(x.subarray(from, from + length)));
    const silence = { samples: new Float32Array(-from * channels), channels, length: -from, sampleRate };
    return withLength(joined([silence, waveform]), length);
  };
}
