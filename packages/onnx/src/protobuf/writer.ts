/**
 * Protocol buffers, written: parts are kept as they are given and joined once at the end, so that weights are copied once.
 * Owns the wire format; which fields a message has is for format/encode.ts.
 */

/** A message that is being written. Fields stand in the order of the calls. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;
  /** Small values gather here before they become a part. */
  #small: number[] = [];

  /** A whole number; what is negative takes ten bytes, as in the reference. */
  integer(field: number, value: number): this {
    this.#varint(field * 8);
    this.#varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#varint(field * 8 + 5);
    this.#small.push(...new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** The bytes are not copied before `finish`. */
  bytes(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + 2);
    this.#varint(value.length);
    this.#flush();
    this.#parts.push(value);
    this.#length += value.length;
    return this;
  }

  message(field: number, message: MessageWriter): this {
    message.#flush();
    this.#varint(field * 8 + 2);
    this.#varint(message.#length);
    this.#flush();
    for (const part of message.#parts) this.#parts.push(part);
    this.#length += message.#length;
    return this;
  }

  /** Numbers of one list, one after the other. */
  integers(field: number, values: readonly number[]): this {
    const packed = new MessageWriter();
    for (const value of values) packed.#varint(value);
    return this.message(field, packed);
  }

  floats(field: number, values: readonly number[]): this {
    return this.bytes(field, new Uint8Array(Float32Array.from(values).buffer));
  }

  /** How many bytes the message has. */
  get length(): number {
    this.#flush();
    return this.#length;
  }

  finish(): Uint8Array {
    this.#flush();
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  #varint(value: number): void {
    let low = value >>> 0;
    let high = Math.floor(value / 4294967296) >>> 0;
    while (high !== 0 || low > 0x7f) {
      this.#small.push((low & 0x7f) | 0x80);
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#small.push(low);
  }

  #flush(): void {
    if (this.#small.length === 0) return;
    this.#parts.push(Uint8Array.from(this.#small));
    this.#length += this.#small.length;
    this.#small = [];
  }
}
