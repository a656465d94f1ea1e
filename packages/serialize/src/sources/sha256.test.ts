/** SHA-256 of the standard's own examples, and of lengths around a block, beside the platform's. */
import { expect, it } from 'vitest';
import { Sha256 } from './sha256.ts';

function hashOf(...pieces: Uint8Array[]): string {
  const hash = new Sha256();
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}

it('is that of the examples of the standard', () => {
  const encoder = new TextEncoder();
  expect(hashOf()).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(hashOf(encoder.encode('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

it('is that of the platform, whatever the pieces', async () => {
  for (const length of [1, 55, 56, 63, 64, 65, 119, 120, 128, 1000]) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 131 + length) & 255);
    const whole = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    const expected = Array.from(whole, (byte) => byte.toString(16).padStart(2, '0')).join('');
    for (const cut of [0, 1, 40, 64]) expect(hashOf(bytes.subarray(0, cut), bytes.subarray(cut))).toBe(expected);
  }
});
