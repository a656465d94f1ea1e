/** What is cut from a recording: seconds for the network, and a small picture of each. */
import { soundLength } from './protocol.ts';

/** Seconds that begin half a second apart; a shorter sound has silence behind it. */
export function secondsOf(samples: Float32Array): Float32Array[] {
  const seconds: Float32Array[] = [];
  for (let at = 0; at === 0 || at + soundLength <= samples.length; at += soundLength / 2) {
    const second = new Float32Array(soundLength);
    second.set(samples.subarray(at, at + soundLength));
    seconds.push(second);
  }
  return seconds;
}

/** The second around the most energy: where the word is. */
export function loudestSecond(samples: Float32Array): Float32Array {
  const second = new Float32Array(soundLength);
  let [weighted, total] = [0, 0];
  samples.forEach((sample, i) => {
    weighted += i * sample * sample;
    total += sample * sample;
  });
  const middle = total > 0 ? weighted / total : 0;
  const from = Math.round(Math.min(Math.max(0, samples.length - soundLength), Math.max(0, middle - soundLength / 2)));
  second.set(samples.subarray(from, from + soundLength));
  return second;
}

export function joinedOf(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
