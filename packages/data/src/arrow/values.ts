/**
 * The values of one column in a batch of Arrow: its buffers one after the other, unpacked, and what each must hold. What the
 * buffers of a kind of column are is check.ts.
 */
import type { Budget } from '../readers/budget.ts';
import type { Field } from './layout.ts';

/** How a buffer is unpacked: the codec, the bytes, their number when unpacked. */
export type Unpack = (codec: number, packed: Uint8Array, length: number) => Uint8Array;

/** What is left of a batch: its nodes and buffers are taken in the order of the fields. */
export interface Batch {
  readonly nodes: readonly (readonly number[])[];
  readonly regions: readonly (readonly number[])[];
  readonly variadic: readonly (readonly number[])[];
  readonly codec: number | undefined;
  readonly body: Uint8Array;
  readonly version: number;
  node: number;
  buffer: number;
  view: number;
}

/** One column of a batch. Throws an `Error` with its name for what is wrong. */
export class Values {
  readonly field: Field;
  /** How many there are, those that are missing among them. */
  readonly length: number;
  readonly nulls: number;
  readonly #batch: Batch;
  readonly #unpack: Unpack;
  readonly #budget: Budget;

  constructor(field: Field, batch: Batch, unpack: Unpack, budget: Budget) {
    this.field = field;
    [this.#batch, this.#unpack, this.#budget] = [batch, unpack, budget];
    const [length, nulls] = batch.nodes[batch.node++] ?? [-1, 0];
    if (length === undefined || nulls === undefined || length < 0 || nulls < 0 || nulls > length) {
      this.fail(`${length} values of which ${nulls} are missing`);
    }
    [this.length, this.nulls] = [length, nulls];
    budget.take(8 * this.length);
  }

  fail(what: string): never {
    throw new Error(`column '${this.field.name.slice(0, 60)}': ${what}`);
  }

  /** Its next buffer, of so many bytes at least. */
  next(least: number): Uint8Array {
    const bytes = this.#buffer(this.#batch.buffer++);
    if (bytes.length < least) this.fail(`a buffer of ${bytes.length} bytes holds no ${this.length} values`);
    return bytes;
  }

  /** The buffer of this number in the batch, which came before. */
  again(index: number): Uint8Array {
    return this.#buffer(index);
  }

  /** A bit for each value, where any is missing. */
  validity(): Uint8Array | undefined {
    const { length, nulls } = this;
    const bits = this.next(nulls > 0 ? Math.ceil(length / 8) : 0);
    if (bits.length < length / 8) return undefined;
    let given = 0;
    for (let i = 0; i < length; i++) given += Number(isSet(bits, i));
    if (length - given !== nulls) this.fail(`${length - given} values are missing, not ${nulls}`);
    return nulls > 0 ? bits : undefined;
  }

  /** One number more than there are values, as a buffer of the next. */
  places(isLong: boolean): Uint8Array {
    return this.next(this.length === 0 ? 0 : (this.length + 1) * (isLong ? 8 : 4));
  }

  /** The places as numbers that only grow, from 0 or more to `end` at most. */
  offsets(places: Uint8Array, isLong: boolean, end: number): (i: number) => number {
    const at = numbers(places, isLong ? 8 : 4, true);
    if (this.length === 0) return at;
    for (let i = 0, before = 0; i <= this.length; i++) {
      const value = at(i);
      if (value < before || value > end)
        this.fail(`its value ${i} begins at ${value}, behind ${before} and before ${end} expected`);
      before = value;
    }
    return at;
  }

  /** The buffer of this number in the batch, unpacked. */
  #buffer(index: number): Uint8Array {
    const { regions, body, codec } = this.#batch;
    const region = regions[index];
    if (!region) this.fail('a buffer is missing');
    // before version 4 a number of a page stood in front
    const [offset, length] = [region.at(-2)!, region.at(-1)!];
    if (offset < 0 || length < 0 || offset + length > body.length)
      this.fail(`${length} bytes from ${offset} on leave its message`);
    const bytes = body.subarray(offset, offset + length);
    if (codec === undefined || length === 0) return bytes;
    if (length < 8) this.fail('a packed buffer has no length');
    const size = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true));
    const packed = bytes.subarray(8);
    if (size === -1) return packed;
    if (size < 0) this.fail(`a packed buffer of ${size} bytes`);
    this.#budget.take(size);
    return this.#unpack(codec, packed, size);
  }
}

/** Whether bit `i` is set, the lowest of each byte first. */
export const isSet = (bits: Uint8Array, i: number): boolean => ((bits[i >> 3]! >> (i & 7)) & 1) === 1;

/** Whole numbers that may stand anywhere. */
export function numbers(bytes: Uint8Array, width: number, isSigned: boolean): (i: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 8) return (i) => Number(view.getBigInt64(8 * i, true));
  if (width === 4) return isSigned ? (i) => view.getInt32(4 * i, true) : (i) => view.getUint32(4 * i, true);
  if (width === 2) return isSigned ? (i) => view.getInt16(2 * i, true) : (i) => view.getUint16(2 * i, true);
  return isSigned ? (i) => view.getInt8(i) : (i) => bytes[i]!;
}
