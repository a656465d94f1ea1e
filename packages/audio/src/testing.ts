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
