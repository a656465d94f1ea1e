/**
 * Spoken digits to begin with, by the synthesiser of `@nn/audio`: voices to learn from, others to test with, others again to play.
 * What is no digit is made as it is needed: noise, a word that is mostly not in the second, or a word backwards.
 */
import { spokenDigit, withLength } from '@nn/audio';
import type { RandomSequence } from '@nn/data';
import { frames, hopLength, soundLength } from './protocol.ts';
import { moved, noisy, reversed, type Sound } from './sounds.ts';

const trainVoices = 40;
const testVoices = 8;
const firstTestVoice = 500;
const firstPlayedVoice = 800;

export interface MadeWord {
  readonly digit: number;
  readonly samples: Float32Array;
  /** Frames of the second that it fills. */
  readonly length: number;
}

function word(digit: number, speaker: number, take: number): MadeWord {
  const waveform = spokenDigit(digit, { speaker, take });
  const length = Math.min(frames, Math.ceil(waveform.length / hopLength) + 1);
  return { digit, samples: withLength(waveform, soundLength).samples, length };
}

function* wordsOf(first: number, voices: number): Generator<MadeWord> {
  for (let voice = first; voice < first + voices; voice++) {
    for (let digit = 0; digit < 10; digit++) yield word(digit, voice, voice % 7);
  }
}

export const trainWords = (): MadeWord[] => [...wordsOf(0, trainVoices)];
export const testWords = (): MadeWord[] => [...wordsOf(firstTestVoice, testVoices)];

/** By another voice at each count. */
export const playedWord = (digit: number, count: number): Float32Array =>
  spokenDigit(digit, { speaker: firstPlayedVoice + (count % 100) }).samples;

/** A made word stands at the beginning of its second and may come anywhere in it. */
export const soundOf = (power: Float32Array, length: number): Sound => ({
  power,
  earlier: 0,
  later: frames - length,
});

/** A second without a digit in it. */
export function noDigitSound(
  words: readonly Sound[],
  noises: readonly Float32Array[],
  random: RandomSequence,
): Float32Array {
  const noise = noises[random.integer(noises.length)] as Float32Array;
  const { power, later } = words[random.integer(words.length)] as Sound;
  const length = frames - later;
  const kind = random.uniform(0, 1);
  if (kind < 0.4) return noise;
  const inside = Math.floor(length * random.uniform(0.1, 0.4));
  const isEarly = random.uniform(0, 1) < 0.5;
  const part = moved(power, isEarly ? inside - length : frames - inside, false);
  return noisy(
    kind < 0.7 ? part : reversed(moved(power, random.integer(later + 1), false)),
    noise,
    random.uniform(5, 45),
  );
}
