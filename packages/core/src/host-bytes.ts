/**
 * Kinds of host data told by their own tag, not by `instanceof`: arrays, buffers and dates that come from another realm
 * (an iframe, a test runner with a document of its own) are what they are. Text from bytes where no decoder is at hand.
 */

/** What the value calls itself: 'Uint8Array', 'ArrayBuffer', 'Date', 'Object', ...; the same in every realm. */
export function realmTag(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** The bytes of a view or a buffer of any realm, without a copy; undefined for everything else. */
export function viewBytes(value: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  const tag = realmTag(value);
  // The one cast: only buffers carry these tags; a forged one throws in the constructor or gives no bytes.
  if (tag === 'ArrayBuffer' || tag === 'SharedArrayBuffer') return new Uint8Array(value as ArrayBuffer);
  return undefined;
}

/**
 * The text of UTF-8 bytes, undefined where they are none: overlong forms, halves of surrogates, a cut at the end.
 * A byte order mark stays. Where the environment has no `TextDecoder`, `decodeURIComponent` is as strict, only slower.
 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    if (typeof TextDecoder === 'function') {
      // A copy of the view, for decoders that know only the arrays of their own realm.
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    }
    let text = '';
    for (let start = 0; start < bytes.length; ) {
      let end = Math.min(start + 4096, bytes.length);
      while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end++;
      let escaped = '';
      for (let i = start; i < end; i++) escaped += `%${(bytes[i] as number).toString(16).padStart(2, '0')}`;
      text += decodeURIComponent(escaped);
      start = end;
    }
    return text;
  } catch {
    return undefined;
  }
}
