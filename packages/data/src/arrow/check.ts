/**
 * An Arrow file or stream, looked through before it is decoded: messages that follow each other, buffers that lie inside and hold what
 * they must, texts, lists and indices that lead to something, memory that stays within a limit. After
 * <https://arrow.apache.org/docs/format/Columnar.html>.
 */
import { decodeUtf8 } from '@nn/core';
import type { Budget } from '../readers/budget.ts';
import { Flat } from './flatbuffer.ts';
import { type Field, kinds, layoutOf } from './layout.ts';
import { type Batch, isSet, numbers, type Unpack, Values } from './values.ts';

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
    const values = new Values(field, batch, this.#unpack, this.#budget);
    const { length } = values;
    if (field.dictionary) this.#indices(values, field.dictionary);
    else this.#content(values, batch);
    return length;
  }

  #indices(values: Values, { id, width, isSigned }: NonNullable<Field['dictionary']>): void {
    const { length, nulls } = values;
    const valid = values.validity();
    const indices = numbers(values.next(width * length), width, isSigned);
    const words = this.#words.get(id);
    if (words === undefined) {
      values.fail(length > nulls ? `its dictionary ${id} is missing` : 'its dictionary is missing');
    }
    for (let i = 0; i < length; i++) {
      if (valid && !isSet(valid, i)) continue;
      const index = indices(i);
      if (!(index >= 0 && index < words)) values.fail(`value ${index} of a dictionary of ${words}`);
    }
  }

  #content(values: Values, batch: Batch): void {
    const { field, length } = values;
    const { kind } = field;
    const child = (): number => this.#column(field.children[0]!, batch);
    switch (kind) {
      case kinds.null:
        return;
      case kinds.bytes:
      case kinds.text:
      case kinds.longBytes:
      case kinds.longText:
        checkTexts(values);
        return;
      case kinds.bytesView:
      case kinds.textView:
        this.#views(values, batch);
        return;
      case kinds.list:
      case kinds.map:
      case kinds.longList: {
        values.validity();
        const isLong = kind === kinds.longList;
        values.offsets(values.places(isLong), isLong, child());
        return;
      }
      case kinds.listView:
      case kinds.longListView: {
        values.validity();
        const width = kind === kinds.longListView ? 8 : 4;
        const [starts, sizes] = [
          numbers(values.next(width * length), width, true),
          numbers(values.next(width * length), width, true),
        ];
        const inside = child();
        for (let i = 0; i < length; i++) {
          if (starts(i) < 0 || sizes(i) < 0 || starts(i) + sizes(i) > inside) values.fail('a list leaves its values');
        }
        return;
      }
      case kinds.fixedList:
        values.validity();
        if (child() < length * field.width) values.fail('its lists are not whole');
        return;
      case kinds.record:
        values.validity();
        for (const each of field.children) {
          if (this.#column(each, batch) < length) values.fail('its records are not whole');
        }
        return;
      case kinds.runs:
        this.#runs(values, batch);
        return;
      case kinds.union:
        this.#union(values, batch);
        return;
      default:
        values.validity();
        values.next(Math.ceil(field.width * length));
    }
  }

  /** Bytes and texts that stand anywhere: each in 16 bytes, or where these lead. */
  #views(values: Values, batch: Batch): void {
    const { field, length } = values;
    const valid = values.validity();
    const views = values.next(16 * length);
    const count = batch.variadic[batch.view++]?.[0] ?? -1;
    if (count < 0 || count > batch.regions.length) values.fail(`${count} buffers of texts`);
    const data = Array.from({ length: count }, () => values.next(0));
    const view = new DataView(views.buffer, views.byteOffset, views.byteLength);
    for (let i = 0; i < length; i++) {
      if (valid && !isSet(valid, i)) continue;
      const size = view.getInt32(16 * i, true);
      const isLong = size > 12;
      const [bytes, start] = isLong
        ? [data[view.getInt32(16 * i + 8, true)], view.getInt32(16 * i + 12, true)]
        : [views, 16 * i + 4];
      if (!bytes || size < 0 || start < 0 || start + size > bytes.length) values.fail('a text leaves its buffer');
      this.#budget.take(isLong ? size : 0);
      if (field.kind === kinds.textView && !isUtf8(bytes.subarray(start, start + size))) values.fail(notText);
    }
  }

  /** Where each run ends, and its value. */
  #runs(values: Values, batch: Batch): void {
    const { field, length } = values;
    const [ends, each] = field.children;
    const first = batch.buffer;
    const runs = this.#column(ends!, batch);
    const at = numbers(values.again(first + 1), ends!.width, true);
    for (let i = 0, before = 0; i < runs; i++) {
      if (at(i) <= before) values.fail('its runs do not grow');
      before = at(i);
    }
    if (length > 0 && (runs === 0 || at(runs - 1) < length)) values.fail('its runs end before its values');
    if (this.#column(each!, batch) < runs) values.fail('its runs have no values');
  }

  /** Of which child each value is, and, where not all children have all rows, its place in it. */
  #union(values: Values, batch: Batch): void {
    const { field, length } = values;
    if (batch.version < 4) values.next(0);
    const children = values.next(length);
    const places = field.isSparse ? undefined : numbers(values.next(4 * length), 4, true);
    const sizes = field.children.map((each) => this.#column(each, batch));
    if (places && children.length > 0) {
      for (let i = 0; i < length; i++) if (places(i) < 0) values.fail('a value has no place');
    }
    if (field.isSparse && sizes.some((size) => size < length)) values.fail('its parts are not whole');
  }
}

const notText = 'it holds bytes that are no text in UTF-8';

/** Bytes or texts one after the other, behind the places where they begin. */
function checkTexts(values: Values): void {
  const { length } = values;
  const { kind } = values.field;
  values.validity();
  const isLong = kind === kinds.longBytes || kind === kinds.longText;
  const places = values.places(isLong);
  const texts = values.next(0);
  const at = values.offsets(places, isLong, texts.length);
  if ((kind !== kinds.text && kind !== kinds.longText) || length === 0) return;
  const [first, last] = [at(0), at(length)];
  if (!isUtf8(texts.subarray(first, last))) values.fail(notText);
  for (let i = 1; i < length; i++) {
    if (((texts[at(i)] ?? 0) & 0xc0) === 0x80 && at(i) < last) values.fail('a text ends within a letter');
  }
}

/** Names and texts beside a schema or a field: they are decoded too. */
function metadata(flat: Flat, field: number): void {
  for (const entry of flat.tables(field)) {
    entry.list(0, 1);
    entry.list(1, 1);
  }
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
