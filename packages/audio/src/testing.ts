/** What the tests share: numbers of the fixtures, and how far two lists are apart. Only for tests. */

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Float32 numbers that a fixture keeps as base64. */
export function floats(text: string): Float32Array {
  return new Float32Array(fromBase64(text).buffer);
}

/** The largest difference of two lists of the same length; NaN where lengths differ. */
export function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.NaN;
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Object.is(a[i], b[i]) ? 0 : Math.abs(a[i]! - b[i]!);
    if (!(difference <= most)) most = difference;
  }
  return most;
}

/** The largest difference over the largest number of the second list. */
export function relative(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return apart(a, b) / Array.from(b).reduce((most, each) => Math.max(most, Math.abs(each)), 0);
}

/** The signal of the golden scripts: sines, a rising tone, and a hash. */
export function testSignal(length: number, seed = 1): Float32Array {
  return Float32Array.from({ length }, (_, n) => {
    const noise = ((n * 7919 + seed * 104729) % 1009) / 1009 - 0.5;
    return 0.4 * Math.sin(0.07 * (1 + seed) * n) + 0.25 * Math.sin(2e-5 * n * n) + 0.1 * noise;
  });
}
