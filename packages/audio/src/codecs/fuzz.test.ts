/**
 * Damaged files: each gives a sound or a typed error, in memory bounded by the file's size. The damage is drawn from one seed, so that what fails can be run
 * again; NN_MUTATIONS sets the number of rounds.
 */
import { isNNError } from '@nn/core';
import { RandomSequence } from '@nn/data';
import { expect, it } from 'vitest';
import fixtures from '../../fixtures/sounds.json';
import { fromBase64 } from '../testing.ts';
import { decodeAudio } from './decode.ts';

const environment = typeof process === 'undefined' ? undefined : process.env.NN_MUTATIONS;
const rounds = Number(environment ?? 600);

/** A copy with some bytes changed, cut, doubled or put in; most changes hit the header. */
function damage(bytes: Uint8Array, random: RandomSequence): Uint8Array<ArrayBuffer> {
  let list = [...bytes];
  for (let change = random.integer(4); change >= 0; change--) {
    const at = random.integer(random.integer(4) ? Math.min(list.length, 48) + 1 : list.length + 1);
    const value = random.integer(2) ? random.integer(256) : [0, 1, 255, 127, 128][random.integer(5)]!;
    const kind = random.integer(6);
    if (kind < 3 && at < list.length) list[at] = value;
    else if (kind === 3) list = list.slice(0, random.integer(3) ? list.length - random.integer(20) : at);
    else if (kind === 4) list.splice(at, 0, ...list.slice(random.integer(list.length + 1)).slice(0, 40));
    else list.splice(at, 0, value);
  }
  return Uint8Array.from(list);
}

it(`${rounds} damaged files`, async () => {
  const random = new RandomSequence(11);
  const files = fixtures.files.map(({ bytes }) => fromBase64(bytes));
  let read = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = damage(files[round % files.length]!, random);
    try {
      const { samples, channels, length } = await decodeAudio(bytes);
      expect(samples.length).toBe(channels * length);
      // a byte is a sample at most
      expect(samples.length).toBeLessThanOrEqual(bytes.length);
      read++;
    } catch (error) {
      if (!isNNError(error)) throw new Error(`round ${round}: ${error}`, { cause: error });
    }
  }
  // Neither all nor none: the damage is large enough, and small enough.
  expect(read).toBeGreaterThan(rounds / 20);
  expect(read).toBeLessThan(rounds);
}, 600_000);
