/**
 * Secrets in shares: any `threshold` of them give it back, fewer tell nothing. Byte by byte over the field of 256 elements,
 * so for up to 255 holders. (Shamir 1979.)
 */
import { ValueError } from '@nn/core';
import { fillRandom } from '../cryptographic.ts';

export interface SecretShare {
  /** Whose it is, 1 to 255: where the polynomials are evaluated. */
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** a b modulo x^8 + x^4 + x^3 + x + 1, without branches or tables that would tell of secrets by their time. */
function times(a: number, b: number): number {
  let [product, x] = [0, a];
  for (let bit = 0; bit < 8; bit++) {
    product ^= x & -((b >> bit) & 1);
    x = (x << 1) ^ (0x11b & -(x >> 7));
  }
  return product & 0xff;
}

/** 1 / a = a^254. */
function inverse(a: number): number {
  let [result, power] = [1, a];
  for (let bit = 1; bit < 8; bit++) {
    power = times(power, power);
    result = times(result, power);
  }
  return result;
}

/** Shares of a secret for holders 1 to `count`. Throws ValueError unless 1 <= threshold <= count <= 255. */
export function splitSecret(secret: Uint8Array, count: number, threshold: number): SecretShare[] {
  if (
    !(Number.isInteger(threshold) && Number.isInteger(count) && threshold >= 1 && threshold <= count && count <= 255)
  ) {
    throw new ValueError(
      'splitSecret',
      `a threshold of ${threshold} among ${count} shares: it must be from 1 to the shares, of which there are 255 at most.`,
      { threshold, count },
    );
  }
  // for each byte a polynomial of degree threshold - 1, which is the byte at 0
  const others = new Uint8Array(secret.length * (threshold - 1));
  fillRandom(others);
  return Array.from({ length: count }, (_, k) => {
    const index = k + 1;
    const bytes = secret.map((byte, i) => {
      let value = 0;
      for (let degree = threshold - 2; degree >= 0; degree--)
        value = times(value, index) ^ others[i * (threshold - 1) + degree]!;
      return times(value, index) ^ byte;
    });
    return { index, bytes };
  });
}

/** The secret of at least `threshold` shares, by Lagrange's formula at 0. With fewer it is something else. */
export function joinSecret(shares: readonly SecretShare[]): Uint8Array {
  const [first] = shares;
  if (first === undefined) throw new ValueError('joinSecret', 'there are no shares.');
  const factors = shares.map(({ index: own }) =>
    shares.reduce(
      (product, { index }) => (index === own ? product : times(product, times(index, inverse(index ^ own)))),
      1,
    ),
  );
  return first.bytes.map((_, i) => shares.reduce((sum, { bytes }, k) => sum ^ times(factors[k]!, bytes[i]!), 0));
}
