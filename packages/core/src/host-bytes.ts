/**
 * Kinds of host data told by their own tag, not by `instanceof`: arrays, buffers and dates that come from another realm
 * (an iframe, a test runner with a document of its own) are what they are. Text from bytes where no decoder is at hand.
 */
import { type AbortSignalLike, untilAborted } from './signal.ts';

/** What the value calls itself: 'Uint8Array', 'ArrayBuffer', 'Date', 'Object', ...; the same in every realm. */
export function realmTag(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** The bytes of an array of bytes or a buffer of any realm, without a copy; undefined for everything else. */
function viewBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  const tag = realmTag(value);
  if (ArrayBuffer.isView(value)) {
    return tag === 'Uint8Array' ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : undefined;
  }
  // The one cast: only buffers carry these tags; a forged one throws in the constructor or gives no bytes.
  if (tag === 'ArrayBuffer' || tag === 'SharedArrayBuffer') return new Uint8Array(value as ArrayBuffer);
  return undefined;
}

/**
 * All bytes of an array of bytes, a buffer, or what gives a buffer, as a `Blob`, a dropped `File` and a `Response` do;
 * undefined for everything else. Rejects with the signal's reason once it is aborted.
 */
export async function bytesFrom(source: unknown, signal?: AbortSignalLike): Promise<Uint8Array | undefined> {
  signal?.throwIfAborted();
  const bytes = viewBytes(source);
  if (bytes || typeof source !== 'object' || source === null || !('arrayBuffer' in source)) return bytes;
  const { arrayBuffer } = source;
  if (typeof arrayBuffer !== 'function') return undefined;
  return viewBytes(await untilAborted(Promise.resolve<unknown>(arrayBuffer.call(source)), signal));
}

/**
 * The text of UTF-8 bytes, undefined where they are none: overlong forms, halves of surrogates, a cut at the end.
 * A byte order mark stays. Where the environment has no `TextDecoder`, `decodeURIComponent` is as strict, only slower.
 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    if (typeof TextDecoder === 'function') {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    }
    let text = '';
    for (let start = 0; start < bytes.length; ) {
      let end = Math.min(start + 4096, bytes.length);
      while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end++;
      let escaped = '';
      for (let i = start; i < end; i++) escaped += `%${bytes[i]!.toString(16).padStart(2, '0')}`;
      text += decodeURIComponent(escaped);
      start = end;
    }
    return text;
  } catch {
    return undefined;
  }
}
