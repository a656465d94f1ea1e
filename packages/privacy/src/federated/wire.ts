/** Messages between a server and its clients: what they hold, how values become their text, and how they become bytes. */
import { FormatError } from '@nn/core';

export interface Message {
  readonly kind: (typeof kinds)[number];
  /** Of a call and its answer. */
  readonly id: number;
  /** The round of a request to train, the examples of its answer. */
  readonly number: number;
  /** What else is told, as JSON; of a failure the reason. */
  readonly text: string;
  /** A model, or a masked vector. */
  readonly vector: Float32Array | Uint32Array;
}

export type Payload = Partial<Pick<Message, 'number' | 'text' | 'vector'>>;

const kinds = ['train', 'prepare', 'share', 'mask', 'unmask', 'answer', 'failure'] as const;

/** The message that somebody sent, or null where it is none. */
export function readMessage(data: unknown): Message | null {
  if (typeof data !== 'object' || data === null) return null;
  const { kind, id, number, vector, text } = data as Partial<Message>; // the cast: each is checked
  const isMessage =
    kinds.some((each) => each === kind) &&
    typeof id === 'number' &&
    typeof number === 'number' &&
    typeof text === 'string';
  const isVector = vector instanceof Float32Array || vector instanceof Uint32Array;
  return isMessage && isVector ? { kind: kind!, id, number, text, vector } : null;
}

/** JSON in which bytes are text, too. */
export function writeText(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    each instanceof Uint8Array ? { base64: btoa(String.fromCharCode(...each)) } : each,
  );
}

/** What such a text says. The cast is the caller's word for it: what a server is told it checks, what a client is told its server says. */
export function readText<T>(text: string): T {
  try {
    return JSON.parse(text, (_, each: unknown) => {
      const isBytes = typeof each === 'object' && each !== null && 'base64' in each && typeof each.base64 === 'string';
      return isBytes ? Uint8Array.from(atob(String(each.base64)), (letter) => letter.charCodeAt(0)) : each;
    }) as T;
  } catch {
    throw new FormatError('socketPort', 'the text of a message is not JSON.');
  }
}

/**
 * A message as bytes: 4 words of 32 bits, little endian (kind, id, number, bytes of text), the text, zeros up to a multiple of
 * 4, and the words of the vector; 256 is added to the kind where these are integers.
 */
export function encodeMessage({ kind, id, number, vector, text }: Message): ArrayBuffer {
  const letters = new TextEncoder().encode(text);
  const start = 16 + Math.ceil(letters.length / 4) * 4;
  const buffer = new ArrayBuffer(start + 4 * vector.length);
  const view = new DataView(buffer);
  const isInteger = vector instanceof Uint32Array;
  const head = [kinds.indexOf(kind) + (isInteger ? integers : 0), id, number, letters.length];
  for (const [k, value] of head.entries()) view.setUint32(4 * k, value, true);
  new Uint8Array(buffer, 16).set(letters);
  for (let k = 0; k < vector.length; k++) {
    if (isInteger) view.setUint32(start + 4 * k, vector[k]!, true);
    else view.setFloat32(start + 4 * k, vector[k]!, true);
  }
  return buffer;
}

const integers = 256;

/** The message of such bytes, or null where they are none. */
export function decodeMessage(buffer: ArrayBuffer): Message | null {
  if (buffer.byteLength < 16) return null;
  const view = new DataView(buffer);
  const [first, id, number, length] = [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
    number,
  ]; // the cast: four of four
  const isInteger = first >= integers;
  const kind = kinds[isInteger ? first - integers : first];
  const start = 16 + Math.ceil(length / 4) * 4;
  const count = (buffer.byteLength - start) / 4;
  if (kind === undefined || !(Number.isInteger(count) && count >= 0)) return null;
  const read = (k: number): number => start + 4 * k;
  const vector = isInteger
    ? Uint32Array.from({ length: count }, (_, k) => view.getUint32(read(k), true))
    : Float32Array.from({ length: count }, (_, k) => view.getFloat32(read(k), true));
  return { kind, id, number, text: new TextDecoder().decode(new Uint8Array(buffer, 16, length)), vector };
}
