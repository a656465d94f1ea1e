/**
 * Spoken digits without recordings: a synthesiser of formants, as Klatt (1980) describes it, only smaller. A buzz and noise go through three resonances, which move from sound to sound; a speaker is
 * the height of the voice, the length of the throat, and a speed. It does not sound like people, and what is learned from it says little about them.
 */
import { checkOptions, ValueError } from '@nn/core';
import { RandomSequence } from '@nn/data';
import { normalizeVolume } from '../sounds/volume.ts';
import { checkRate, type Waveform, waveformOf } from '../sounds/waveform.ts';

/** A sound of speech: its resonances in hertz, how long it lasts, and how much of it is voice and noise of what frequency. */
interface Phone {
  readonly formants: readonly [number, number, number];
  readonly milliseconds: number;
  readonly voice: number;
  readonly noise: number;
  readonly noiseFrequency: number;
}

const voiced = (formants: Phone['formants'], milliseconds: number, voice = 1): Phone => ({
  ...{ formants, milliseconds, voice, noise: 0, noiseFrequency: 1000 },
});
const hissed = (noise: number, noiseFrequency: number, milliseconds: number, voice = 0): Phone => ({
  ...{ formants: [300, 1600, 2600] as const, milliseconds, voice, noise, noiseFrequency },
});

/** Vowels by Peterson and Barney (1952); the others by ear. */
const phones = {
  iy: voiced([270, 2290, 3010], 130),
  ih: voiced([390, 1990, 2550], 90),
  eh: voiced([530, 1840, 2480], 100),
  ah: voiced([640, 1190, 2390], 110),
  ao: voiced([570, 840, 2410], 150),
  uw: voiced([300, 870, 2240], 160),
  ow: voiced([450, 900, 2300], 100),
  aa: voiced([730, 1090, 2440], 100),
  ey: voiced([480, 2000, 2600], 110),
  r: voiced([420, 1300, 1650], 80, 0.8),
  w: voiced([300, 700, 2200], 70, 0.7),
  n: voiced([250, 1500, 2500], 90, 0.4),
  v: hissed(0.15, 2500, 60, 0.4),
  z: hissed(0.3, 3500, 90, 0.3),
  s: hissed(0.5, 3600, 130),
  f: hissed(0.2, 2600, 110),
  th: hissed(0.15, 3000, 100),
  closure: hissed(0, 1000, 50),
  t: hissed(0.6, 3200, 35),
  k: hissed(0.6, 1800, 35),
} as const;

const words: readonly (readonly (keyof typeof phones)[])[] = [
  ['z', 'iy', 'r', 'ow', 'uw'],
  ['w', 'ah', 'n'],
  ['t', 'uw'],
  ['th', 'r', 'iy'],
  ['f', 'ao', 'r'],
  ['f', 'aa', 'iy', 'v'],
  ['s', 'ih', 'closure', 'k', 's'],
  ['s', 'eh', 'v', 'ah', 'n'],
  ['ey', 'iy', 'closure', 't'],
  ['n', 'aa', 'iy', 'n'],
];

/** A resonance: y[n] = a x[n] + b y[n - 1] + c y[n - 2]. */
class Resonator {
  #before = 0;
  #earlier = 0;

  next(x: number, frequency: number, bandwidth: number, rate: number): number {
    const c = -Math.exp((-2 * Math.PI * bandwidth) / rate);
    const b = 2 * Math.sqrt(-c) * Math.cos((2 * Math.PI * Math.min(frequency, 0.48 * rate)) / rate);
    const y = (1 - b - c) * x + b * this.#before + c * this.#earlier;
    [this.#earlier, this.#before] = [this.#before, y];
    return y;
  }
}

export interface SpokenDigitOptions {
  /** Whose voice: a number from 0 to 999; 0 by default. */
  readonly speaker?: number;
  /** Which of the takes of a speaker, from 0 to 99, which differ a little, as those of people do; 0 by default. */
  readonly take?: number;
  /** 8000 by default. */
  readonly sampleRate?: number;
  /** Another seed is other speakers; 0 by default. */
  readonly seed?: number;
}

/**
 * An English digit, 0 to 9, by a synthesiser of formants (Klatt 1980): half a second of sound in one channel, at -20 decibels of full scale, the same for the same numbers. For trying a recogniser without recordings; what is
 * learned from it says little about people. Throws a `ValueError` for what is no digit, speaker or take.
 *
 * @example
 * import { spokenDigit } from '@nn/audio';
 * const { sampleRate, channels, length } = spokenDigit(7, { speaker: 3 });
 * console.log(sampleRate, channels, length > 2000); // => 8000 1 true
 */
export function spokenDigit(digit: number, options: SpokenDigitOptions = {}): Waveform {
  checkOptions('spokenDigit', options, ['speaker', 'take', 'sampleRate', 'seed']);
  const { speaker = 0, take = 0, sampleRate = 8000, seed = 0 } = options;
  checkRate('spokenDigit', 'sampleRate', sampleRate);
  for (const [name, value, most] of [
    ['digit', digit, 9],
    ['speaker', speaker, 999],
    ['take', take, 99],
  ] as const) {
    if (!Number.isInteger(value) || value < 0 || value > most) {
      throw new ValueError('spokenDigit', `${name} is ${value}: it must be a whole number from 0 to ${most}.`, {
        [name]: value,
      });
    }
  }
  const voice = new RandomSequence(seed, 1000 + speaker);
  const [pitch, throat, speed] = [voice.uniform(90, 220), voice.uniform(0.88, 1.16), voice.uniform(0.8, 1.2)];
  const random = new RandomSequence(seed, 2000 + (speaker * 100 + take) * 10 + digit);
  const height = pitch * random.uniform(0.92, 1.08);
  const pace = speed * random.uniform(0.9, 1.1);
  const list = words[digit]!.map((name) => {
    const phone = phones[name];
    return { ...phone, formants: phone.formants.map((f) => f * throat * random.uniform(0.97, 1.03)) };
  });
  const lengths = list.map(({ milliseconds }) => Math.round((milliseconds * pace * sampleRate) / 1000));
  const samples = new Float32Array(lengths.reduce((a, b) => a + b));
  const tract = [new Resonator(), new Resonator(), new Resonator()];
  const hiss = new Resonator();
  let [at, phase] = [0, 0];
  list.forEach((phone, p) => {
    const next = list[p + 1] ?? phone;
    for (let i = 0; i < lengths[p]!; i++, at++) {
      // the last half of a sound goes over into the next
      const share = Math.max(0, i / lengths[p]! - 0.5);
      const mixed = (a: number, b: number): number => a + (b - a) * share;
      phase += (height * (1.1 - (0.2 * at) / samples.length)) / sampleRate;
      const buzz = phase >= 1 ? 1 : 0;
      phase %= 1;
      let y = mixed(phone.voice, next.voice) * (8 * buzz + 0.02 * random.normal());
      tract.forEach((resonator, k) => {
        y = resonator.next(y, mixed(phone.formants[k]!, next.formants[k]!), 60 + 40 * k, sampleRate);
      });
      const noise = hiss.next(random.normal(), phone.noiseFrequency * throat, 600, sampleRate);
      samples[at] = 0.3 * y + 0.5 * phone.noise * noise;
    }
  });
  return normalizeVolume(waveformOf(samples, sampleRate), { rms: -20 });
}
