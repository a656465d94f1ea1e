/**
 * Protocol buffers, read field by field: what stands in a message is known to whoever reads it (format/model.ts). Bytes are
 * views of the file, so a weight of a gigabyte is never copied here. Owns the wire format and its errors.
 * By hand, because what is needed of it is these few lines: a generated reader would make objects of all fields before any is known.
 */
import { decodeUtf8, FormatError } from '@nn/core';

/** How a field lies in the file: the number after its key tells it. */
export type Wire = 'varint' | 'fixed64' | 'bytes' | 'fixed32';

const wires: readonly (Wire | undefined)[] = ['varint', 'fixed64', 'bytes', undefined, undefined, 'fixed32'];

/** One message, from its first byte to its last. */
export class MessageReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #wire: Wire = 'varint';
  readonly #name: string;

  /** `name`: what the message is, for errors. */
  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#name = name;
  }

  /** How the field lies that `next` came to. */
  get wire(): Wire {
    return this.#wire;
  }

  /** The number of the next field, or 0 at the end. Its value must be read, or skipped, before the next call. */
  next(): number {
    if (this.#at >= this.#bytes.length) return 0;
    const key = this.integer();
    const wire = wires[key & 7];
    const field = Math.floor(key / 8);
    if (wire === undefined || field < 1 || field > 536870911)
      throw this.#damaged(`a field of no known kind (key ${key})`);
    this.#wire = wire;
    return field;
  }

  /** A whole number of up to 64 bits, with its sign. What is past 2^53 is rounded. */
  integer(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw this.#truncated();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= (bits & 0xf) << 28;
        high = bits >> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) return (high | 0) * 4294967296 + (low >>> 0);
    }
    throw this.#damaged('a number of more than 10 bytes');
  }

  /** A number of 4 bytes. */
  float(): number {
    this.#require('fixed32');
    const at = this.#take(4);
    return this.#view.getFloat32(at, true);
  }

  /** The bytes of a field, as a view. */
  bytes(): Uint8Array {
    this.#require('bytes');
    const length = this.integer();
    if (length < 0 || this.#at + length > this.#bytes.length) throw this.#truncated();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(): string {
    const bytes = this.bytes();
    const text = decodeUtf8(bytes);
    if (text === undefined) throw this.#damaged('text that is not UTF-8');
    return text;
  }

  message(name: string): MessageReader {
    return new MessageReader(this.bytes(), name);
  }

  /** A field that may be repeated one by one or packed: adds what is there to `list`. */
  integers(list: number[]): void {
    if (this.#wire === 'varint') {
      list.push(this.integer());
      return;
    }
    const packed = this.message(this.#name);
    while (packed.#at < packed.#bytes.length) list.push(packed.integer());
  }

  /** The same of numbers of 4 or 8 bytes. */
  floats(list: number[], size: 4 | 8 = 4): void {
    const read = (view: DataView, at: number): number =>
      size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
    if (this.#wire === (size === 4 ? 'fixed32' : 'fixed64')) {
      list.push(read(this.#view, this.#take(size)));
      return;
    }
    const bytes = this.bytes();
    if (bytes.length % size !== 0) throw this.#damaged('a list that ends inside of a number');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length; at += size) list.push(read(view, at));
  }

  /** Passes over the value of a field that nobody asked for. */
  skip(): void {
    if (this.#wire === 'varint') this.integer();
    else if (this.#wire === 'bytes') this.bytes();
    else this.#take(this.#wire === 'fixed32' ? 4 : 8);
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw this.#truncated();
    this.#at = at + count;
    return at;
  }

  #require(wire: Wire): void {
    if (this.#wire !== wire) throw this.#damaged(`a field of ${this.#wire} where ${wire} stands`);
  }

  #truncated(): FormatError {
    return new FormatError(
      'loadOnnx/truncated',
      `the file ends inside of ${this.#name}: it was cut off, or is damaged; fetch it again.`,
    );
  }

  #damaged(what: string): FormatError {
    return new FormatError(
      'loadOnnx/damaged',
      `${this.#name} holds ${what}: the file is damaged, or is no ONNX model.`,
    );
  }
}
