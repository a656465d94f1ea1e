/**
 * An Arrow file or stream, looked through before it is decoded: messages that follow each other, buffers that lie inside and hold what
 * they must, texts, lists and indices that lead to something, memory that stays within a limit. After
 * <https://arrow.apache.org/docs/format/Columnar.html>.
 */
import { decodeUtf8 } from '@nn/core';
import type { Budget } from '../readers/budget.ts';
import { Flat } from './flatbuffer.ts';

/** A column as the schema has it. */
export interface Field {
  readonly name: string;
  readonly kind: number;
  /** Bytes of a value, where all have as many. */
  readonly width: number;
  readonly children: readonly Field[];
  /** Of a dictionary: its number and the indices into it; the field is that of its values. */
  readonly dictionary: { readonly id: number; readonly width: number; readonly isSigned: boolean } | undefined;
  /** What the values are, where they are no numbers or categories. */
  readonly unfit: string | undefined;
  /** Of unions: whether each child has all rows. */
  readonly isSparse: boolean;
}

/** Whether its values are decimals, which are decoded to numbers; those of runs are of the second part. */
export const isDecimal = ({ kind, children }: Field): boolean => kind === 7 || (kind === 22 && isDecimal(children[1]!));

/** How a buffer is unpacked: the codec, the bytes, their number when unpacked. */
export type Unpack = (codec: number, packed: Uint8Array, length: number) => Uint8Array;

const deepest = 64;
/** Fields of a schema, their parts among them. */
const most = 100_000;
const magic = [65, 82, 82, 79, 87, 49];

/** The schema of `bytes`, all of which was looked through. Throws an `Error` that says what is wrong. */
export function checkedArrow(bytes: Uint8Array, unpack: Unpack, budget: Budget): readonly Field[] {
  const check = new Check(bytes, unpack, budget);
  if (magic.every((byte, i) => bytes[i] === byte)) check.file();
  else check.stream();
  if (!check.fields) throw new Error('it has no schema');
  return check.fields;
}

interface Message {
  readonly end: number;
  readonly head: Flat;
  readonly body: Uint8Array;
}

/** What is left of a batch: its nodes and buffers are taken in the order of the fields. */
interface Batch {
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

class Check {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #unpack: Unpack;
  readonly #budget: Budget;
  /** The values of each dictionary so far. */
  readonly #words = new Map<number, number>();
  readonly #types = new Map<number, Field>();
  #count = 0;
  fields: readonly Field[] | undefined;

  constructor(bytes: Uint8Array, unpack: Unpack, budget: Budget) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#unpack = unpack;
    this.#budget = budget;
  }

  stream(): void {
    for (let at = 0; at < this.#bytes.length; ) {
      const message = this.#message(at);
      // the end of a stream may be said, and need not be
      if (!message) return;
      this.#read(message);
      at = message.end;
    }
  }

  /** A file says in its footer where its messages are. */
  file(): void {
    const { length } = this.#bytes;
    const end = length - 10;
    if (end < 8 || !magic.every((byte, i) => this.#bytes[end + 4 + i] === byte)) {
      throw new Error('it does not end with ARROW1: it is cut off');
    }
    const size = this.#view.getInt32(end, true);
    if (size <= 0 || size > end - 8) throw new Error(`a footer of ${size} bytes is longer than the file`);
    const footer = this.#bytes.subarray(end - size, end);
    const root = new Flat(new DataView(footer.buffer, footer.byteOffset, size), 0);
    const schema = root.table(1);
    if (schema) this.#schema(schema, new DataView(footer.buffer, footer.byteOffset, size));
    const [dictionaries, records] = [2, 3].map((field) => root.longs(field, 3).map(([at]) => at!)) as [
      number[],
      number[],
    ];
    for (const places of [dictionaries, records]) {
      if (places.some((at, i) => i > 0 && at <= places[i - 1]!)) throw new Error('its batches are not in order');
    }
    const blocks = [
      ...dictionaries.map((at) => ({ at, isDictionary: true })),
      ...records.map((at) => ({ at, isDictionary: false })),
    ];
    // in the order in which they stand, as they are decoded
    for (const { at, isDictionary } of blocks.sort((a, b) => a.at - b.at)) {
      if (at < 8 || at >= end - size) throw new Error(`a message at ${at} leaves the file`);
      const message = this.#message(at);
      if (!message || message.head.byte(1) !== (isDictionary ? 2 : 3)) throw new Error(`there is no batch at ${at}`);
      this.#read(message);
    }
  }

  #message(index: number): Message | undefined {
    let at = index;
    let size = this.#view.getInt32(at, true);
    at += 4;
    // before version 0.15 the length stood alone
    if (size === -1) {
      size = this.#view.getInt32(at, true);
      at += 4;
    }
    if (size === 0) return undefined;
    if (size < 0 || size > this.#bytes.length - at)
      throw new Error(`a message of ${size} bytes at ${index} leaves the file`);
    const metadata = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, size);
    const head = new Flat(metadata, 0);
    at += size;
    const length = head.long(3);
    if (length < 0 || length > this.#bytes.length - at)
      throw new Error(`a body of ${length} bytes at ${at} leaves the file`);
    const body = this.#bytes.subarray(at, at + length);
    if (head.byte(1) === 1 && !this.fields) {
      const schema = head.table(2);
      if (schema) this.#schema(schema, metadata);
    }
    return { end: at + length, head, body };
  }

  #read({ head, body }: Message): void {
    const kind = head.byte(1);
    const content = head.table(2);
    if (!content || kind === 1) return;
    if (kind !== 2 && kind !== 3) throw new Error(`there are no messages of kind ${kind}`);
    if (!this.fields) throw new Error('it has values before its schema');
    const version = head.short(0);
    if (kind === 3) {
      this.#batch(content, this.fields, body, version);
      return;
    }
    const id = content.long(0);
    const field = this.#types.get(id);
    const data = content.table(1);
    if (!field || !data) throw new Error(`no column has the dictionary ${id}`);
    const isDelta = content.byte(2) !== 0;
    const before = this.#words.get(id);
    if (isDelta && before === undefined) throw new Error(`the dictionary ${id} has no beginning`);
    this.#batch(data, [{ ...field, dictionary: undefined }], body, version);
    this.#words.set(id, data.long(0) + (isDelta ? before! : 0));
  }

  #schema(schema: Flat, view: DataView): void {
    if (schema.short(0) !== 0) throw new Error('its numbers begin with their highest byte, which is not read');
    metadata(schema, 2);
    if (schema.at(1) === 0) throw new Error('its schema has no columns');
    this.fields = schema.tables(1).map((field) => this.#field(field, view, 0));
  }

  #field(flat: Flat, view: DataView, depth: number): Field {
    if (depth > deepest) throw new Error(`columns are nested more than ${deepest} deep`);
    if (++this.#count > most) throw new Error(`there are more than ${most} columns`);
    metadata(flat, 6);
    const children = flat.tables(5).map((child) => this.#field(child, view, depth + 1));
    const kind = flat.byte(2);
    const type = flat.table(3);
    const { at, length } = flat.list(0, 1);
    const name = decodeUtf8(new Uint8Array(view.buffer, view.byteOffset + at, length));
    if (name === undefined) throw new Error('the name of a column is no text in UTF-8');
    const layout = layoutOf(kind, type, children);
    const field = { name, kind, children, dictionary: undefined, ...layout };
    const dictionary = flat.table(4);
    if (!dictionary) return field;
    const index = dictionary.table(1);
    const width = index ? index.int(0) / 8 : 4;
    if (![1, 2, 4, 8].includes(width)) throw new Error(`indices of ${8 * width} bits are none`);
    const about = { id: dictionary.long(0), width, isSigned: index?.byte(1) !== 0 };
    if (layout.unfit === 'lists' || layout.unfit === 'records') {
      throw new Error(`a dictionary of ${layout.unfit} is not read`);
    }
    this.#types.set(about.id, field);
    return { ...field, dictionary: about };
  }

  #batch(content: Flat, fields: readonly Field[], body: Uint8Array, version: number): void {
    const rows = content.long(0);
    const packing = content.table(3);
    if (packing && packing.byte(1) !== 0) throw new Error(`a packing of kind ${packing.byte(1)} is not known`);
    const batch: Batch = {
      nodes: content.longs(1, 2),
      regions: content.longs(2, version < 3 ? 3 : 2),
      variadic: content.longs(4, 1),
      codec: packing?.byte(0),
      body,
      version,
      node: 0,
      buffer: 0,
      view: 0,
    };
    for (const field of fields) {
      const length = this.#column(field, batch);
      if (length !== rows)
        throw new Error(`column '${field.name.slice(0, 60)}' has ${length} values in a batch of ${rows}`);
    }
  }

  /** One column of a batch; the number of its values. */
  #column(field: Field, batch: Batch): number {
    const node = batch.nodes[batch.node++];
    const [length, nulls] = node ?? [-1, 0];
    const fail = (what: string): never => {
      throw new Error(`column '${field.name.slice(0, 60)}': ${what}`);
    };
    if (length === undefined || nulls === undefined || length < 0 || nulls < 0 || nulls > length) {
      return fail(`${length} values of which ${nulls} are missing`);
    }
    this.#budget.take(8 * length);
    const next = (least: number): Uint8Array => {
      const bytes = this.#buffer(batch, fail);
      if (bytes.length < least) fail(`a buffer of ${bytes.length} bytes holds no ${length} values`);
      return bytes;
    };
    /** A bit for each value, where any is missing. */
    const validity = (): Uint8Array | undefined => {
      const bits = next(nulls > 0 ? Math.ceil(length / 8) : 0);
      if (bits.length < length / 8) return undefined;
      let given = 0;
      for (let i = 0; i < length; i++) given += (bits[i >> 3]! >> (i & 7)) & 1;
      if (length - given !== nulls) fail(`${length - given} values are missing, not ${nulls}`);
      return nulls > 0 ? bits : undefined;
    };
    /** Numbers that only grow, one more than there are values, from 0 or more to `end` at most. */
    const offsets = (bytes: Uint8Array, isLong: boolean, end: number): ((i: number) => number) => {
      const at = numbers(bytes, isLong ? 8 : 4, true);
      if (length === 0) return at;
      for (let i = 0, before = 0; i <= length; i++) {
        const value = at(i);
        if (value < before || value > end)
          fail(`its value ${i} begins at ${value}, behind ${before} and before ${end} expected`);
        before = value;
      }
      return at;
    };
    if (field.dictionary) {
      const valid = validity();
      const { id, width, isSigned } = field.dictionary;
      const indices = numbers(next(width * length), width, isSigned);
      const words = this.#words.get(id);
      if (words === undefined)
        return length > nulls ? fail(`its dictionary ${id} is missing`) : fail('its dictionary is missing');
      for (let i = 0; i < length; i++) {
        if (valid && ((valid[i >> 3]! >> (i & 7)) & 1) === 0) continue;
        const index = indices(i);
        if (!(index >= 0 && index < words)) fail(`value ${index} of a dictionary of ${words}`);
      }
      return length;
    }
    const child = (): number => this.#column(field.children[0]!, batch);
    switch (field.kind) {
      case 1: // null
        return length;
      case 4: // bytes
      case 5: // text
      case 19:
      case 20: {
        validity();
        const isLong = field.kind > 5;
        const places = next(length === 0 ? 0 : (length + 1) * (isLong ? 8 : 4));
        const texts = next(0);
        const at = offsets(places, isLong, texts.length);
        if ((field.kind === 5 || field.kind === 20) && length > 0) {
          const [first, last] = [at(0), at(length)];
          if (!isUtf8(texts.subarray(first, last))) fail('it holds bytes that are no text in UTF-8');
          for (let i = 1; i < length; i++) {
            if (((texts[at(i)] ?? 0) & 0xc0) === 0x80 && at(i) < last) fail('a text ends within a letter');
          }
        }
        return length;
      }
      case 23: // bytes and texts that stand anywhere
      case 24: {
        const valid = validity();
        const views = next(16 * length);
        const count = batch.variadic[batch.view++]?.[0] ?? -1;
        if (count < 0 || count > batch.regions.length) return fail(`${count} buffers of texts`);
        const data = Array.from({ length: count }, () => next(0));
        const view = new DataView(views.buffer, views.byteOffset, views.byteLength);
        for (let i = 0; i < length; i++) {
          if (valid && ((valid[i >> 3]! >> (i & 7)) & 1) === 0) continue;
          const size = view.getInt32(16 * i, true);
          const isLong = size > 12;
          const [bytes, start] = isLong
            ? [data[view.getInt32(16 * i + 8, true)], view.getInt32(16 * i + 12, true)]
            : [views, 16 * i + 4];
          if (!bytes || size < 0 || start < 0 || start + size > bytes.length) return fail('a text leaves its buffer');
          this.#budget.take(isLong ? size : 0);
          if (field.kind === 24 && !isUtf8(bytes.subarray(start, start + size)))
            fail('it holds bytes that are no text in UTF-8');
        }
        return length;
      }
      case 12: // lists
      case 17:
      case 21: {
        validity();
        const isLong = field.kind === 21;
        const places = next(length === 0 ? 0 : (length + 1) * (isLong ? 8 : 4));
        offsets(places, isLong, child());
        return length;
      }
      case 25:
      case 26: {
        validity();
        const width = field.kind === 26 ? 8 : 4;
        const [starts, sizes] = [
          numbers(next(width * length), width, true),
          numbers(next(width * length), width, true),
        ];
        const inside = child();
        for (let i = 0; i < length; i++) {
          if (starts(i) < 0 || sizes(i) < 0 || starts(i) + sizes(i) > inside) fail('a list leaves its values');
        }
        return length;
      }
      case 16: {
        validity();
        if (child() < length * field.width) fail('its lists are not whole');
        return length;
      }
      case 13: // records
        validity();
        for (const each of field.children) if (this.#column(each, batch) < length) fail('its records are not whole');
        return length;
      case 22: {
        // runs: where each ends, and its value
        const [ends, values] = field.children;
        const first = batch.buffer;
        const runs = this.#column(ends!, batch);
        const at = numbers(this.#buffer({ ...batch, buffer: first + 1 }, fail), ends!.width, true);
        for (let i = 0, before = 0; i < runs; i++) {
          if (at(i) <= before) fail('its runs do not grow');
          before = at(i);
        }
        if (length > 0 && (runs === 0 || at(runs - 1) < length)) fail('its runs end before its values');
        if (this.#column(values!, batch) < runs) fail('its runs have no values');
        return length;
      }
      case 14: {
        if (batch.version < 4) next(0);
        const kinds = next(length);
        const places = field.isSparse ? undefined : numbers(next(4 * length), 4, true);
        const sizes = field.children.map((each) => this.#column(each, batch));
        if (places && kinds.length > 0)
          for (let i = 0; i < length; i++) if (places(i) < 0) fail('a value has no place');
        if (field.isSparse && sizes.some((size) => size < length)) fail('its parts are not whole');
        return length;
      }
      default:
        validity();
        next(Math.ceil(field.width * length));
        return length;
    }
  }

  /** The next buffer, unpacked. */
  #buffer(batch: Batch, fail: (what: string) => never): Uint8Array {
    const region = batch.regions[batch.buffer++];
    if (!region) return fail('a buffer is missing');
    // before version 4 a number of a page stood in front
    const [offset, length] = [region.at(-2)!, region.at(-1)!];
    if (offset < 0 || length < 0 || offset + length > batch.body.length)
      return fail(`${length} bytes from ${offset} on leave its message`);
    const bytes = batch.body.subarray(offset, offset + length);
    if (batch.codec === undefined || length === 0) return bytes;
    if (length < 8) return fail('a packed buffer has no length');
    const size = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true));
    const packed = bytes.subarray(8);
    if (size === -1) return packed;
    if (size < 0) return fail(`a packed buffer of ${size} bytes`);
    this.#budget.take(size);
    return this.#unpack(batch.codec, packed, size);
  }
}

/** Names and texts beside a schema or a field: they are decoded too. */
function metadata(flat: Flat, field: number): void {
  for (const entry of flat.tables(field)) {
    entry.list(0, 1);
    entry.list(1, 1);
  }
}

/** Bytes of values of one width, what has parts, what is no number or category. */
function layoutOf(
  kind: number,
  type: Flat | undefined,
  children: readonly Field[],
): { readonly width: number; readonly unfit: string | undefined; readonly isSparse: boolean } {
  const of = (width: number, unfit?: string, parts = 0, isSparse = false) => {
    if (children.length < parts) throw new Error('a column has no parts');
    return { width, unfit, isSparse };
  };
  switch (kind) {
    case 1:
      return of(0);
    case 2: {
      const bits = type?.int(0) ?? 0;
      if (![8, 16, 32, 64].includes(bits)) throw new Error(`numbers of ${bits} bits are none`);
      return of(bits / 8);
    }
    case 9:
      // times of a day in seconds or their thousandths, or finer
      return of((type?.short(0, 1) ?? 1) < 2 ? 4 : 8);
    case 3:
      return of([2, 4, 8][type?.short(0) ?? 0] ?? 0);
    case 4:
    case 19:
    case 23:
      return of(0, 'bytes or lists of numbers');
    case 5:
    case 20:
    case 24:
      return of(0);
    case 6:
      return of(1 / 8);
    case 7: {
      const bits = type?.int(2, 128) ?? 128;
      const scale = type?.int(1) ?? 0;
      if (scale < 0 || scale > 100) throw new Error(`decimals of ${scale} digits behind the point are none`);
      return of(bits / 8);
    }
    case 8:
      return of((type?.short(0, 1) ?? 1) === 0 ? 4 : 8);
    case 10:
    case 18:
      return of(8);
    case 11: {
      const unit = type?.short(0) ?? 0;
      return of([4, 8, 16][unit] ?? 16, unit === 0 ? undefined : 'bytes or lists of numbers');
    }
    case 12:
    case 21:
    case 25:
    case 26:
      return of(0, 'lists', 1);
    case 17:
      return of(0, 'records', 1);
    case 13:
      return of(0, 'records');
    case 14:
      return of(0, 'values of several types', 0, (type?.short(0) ?? 0) === 0);
    case 15:
    case 16: {
      const width = type?.int(0) ?? 0;
      if (width < 0) throw new Error(`${width} values in each are none`);
      return kind === 15 ? of(width, 'bytes or lists of numbers') : of(width, 'lists', 1);
    }
    case 22: {
      const [ends, values] = children;
      if (!ends || !values || ends.kind !== 2 || ends.width < 2) throw new Error('runs have no ends');
      return of(0, values.unfit, 2);
    }
    default:
      throw new Error(`there are no columns of kind ${kind}`);
  }
}

/** Whole numbers that may stand anywhere. */
function numbers(bytes: Uint8Array, width: number, isSigned: boolean): (i: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 8) return (i) => Number(view.getBigInt64(8 * i, true));
  if (width === 4) return isSigned ? (i) => view.getInt32(4 * i, true) : (i) => view.getUint32(4 * i, true);
  if (width === 2) return isSigned ? (i) => view.getInt16(2 * i, true) : (i) => view.getUint16(2 * i, true);
  return isSigned ? (i) => view.getInt8(i) : (i) => bytes[i]!;
}

/** Whether all of it is text; by pieces, which are forgotten. */
function isUtf8(bytes: Uint8Array): boolean {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for (let at = 0; at < bytes.length; at += 65_536) decoder.decode(bytes.subarray(at, at + 65_536), { stream: true });
    decoder.decode();
    return true;
  } catch {
    return false;
  }
}
