/**
 * Random numbers that nobody can foresee, from the machine's cryptographic source, and what draws privately by a seed
 * instead: for tests and papers that must come out the same. Owns no distribution beyond the uniform and the normal.
 */
import { BackendError } from '@nn/core';
import { RandomSequence } from '@nn/data';

/**
 * Where random numbers come from: `seeded`, repeatable, which whoever knows the seed can take away again; or `cryptographic`.
 */
export type RandomSource = 'seeded' | 'cryptographic';

/** A source of uniform and normal numbers. */
export interface RandomNumbers {
  /** In [0, 1). */
  fraction(): number;
  normal(): number;
}

/** One call gives no more bytes than this. */
const mostBytes = 65_536;

/** Fills the bytes from the cryptographic source. Throws BackendError where there is none. */
export function fillRandom(bytes: Uint8Array<ArrayBuffer>): void {
  const { crypto } = globalThis;
  if (crypto === undefined) {
    throw new BackendError('random', 'there is no cryptographic source here: a page needs HTTPS, or localhost.');
  }
  for (let from = 0; from < bytes.length; from += mostBytes) {
    crypto.getRandomValues(bytes.subarray(from, from + mostBytes));
  }
}

/**
 * Numbers of the cryptographic source. A normal one is the sum of four by Box and Muller from 53 bits each, halved: what the
 * low bits of one tell of the noise beneath a float is then lost among the others. (Holohan and Braghin 2021.)
 */
export class CryptographicNumbers implements RandomNumbers {
  readonly #words = new Uint32Array(4096);
  #used = this.#words.length;

  fraction(): number {
    // 53 bits: 26 of one word and 27 of the next
    return ((this.#word() >>> 6) * 2 ** 27 + (this.#word() >>> 5)) * 2 ** -53;
  }

  normal(): number {
    return (this.#one() + this.#one() + this.#one() + this.#one()) / 2;
  }

  #one(): number {
    return Math.sqrt(-2 * Math.log(1 - this.fraction())) * Math.cos(2 * Math.PI * this.fraction());
  }

  #word(): number {
    if (this.#used === this.#words.length) {
      fillRandom(new Uint8Array(this.#words.buffer));
      this.#used = 0;
    }
    const word = this.#words[this.#used]!;
    this.#words[this.#used++] = 0; // what was used cannot be read from memory again
    return word;
  }
}

/** The numbers of a source; `stream` tells seeded ones of one seed apart. */
export function numbersOf(source: RandomSource, seed: number, stream: number): RandomNumbers {
  return source === 'cryptographic' ? new CryptographicNumbers() : new RandomSequence(seed, stream);
}
