/**
 * The header of a GGUF file: texts and numbers by key, then the tensors' names, shapes and places. Its length stands nowhere, so
 * it is parsed from as much as is there, and says when it needs more. Source: docs/gguf.md of ggml.
 */
import { decodeUtf8, excerpt, FormatError } from '@nn/core';

/** A tensor as the header describes it. */
export interface TensorInfo {
  readonly name: string;
  /** The last axis runs fastest, as everywhere but in the file. */
  readonly shape: readonly number[];
  /** The number of the elements' type. */
  readonly type: number;
  /** Counted from the first byte of data. */
  readonly offset: number;
}

export interface Header {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: readonly TensorInfo[];
  readonly dataStart: number;
}

export function fail(reason: string, what: string, data?: Readonly<Record<string, unknown>>): never {
  throw new FormatError(`GGUF/${reason}`, what, data);
}

/** ggml has no tensors of more axes. */
const rankLimit = 4;
const pairLimit = 2 ** 16;
/** How deep lists of lists may be. */
const depthLimit = 4;
/** Longer lists are told by their length: no vocabulary has as many words. */
const listLimit = 2 ** 20;
const integers: Readonly<Record<number, readonly [bytes: number, signed: boolean]>> = {
  0: [1, false],
  1: [1, true],
  2: [2, false],
  3: [2, true],
  4: [4, false],
  5: [4, true],
  10: [8, false],
  11: [8, true],
};
/** The fewest bytes that a value of each kind takes. */
const widths = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8];
const kinds = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'bool', 'text', 'list', 'u64', 'i64', 'f64'];

/** Parses the header from the first bytes of a file. Throws `format/GGUF/truncated` where it goes on behind them. */
export function parseHeader(bytes: Uint8Array, maxTensors: number): Header {
  const cursor = new Cursor(bytes);
  cursor.skip(4);
  const version = cursor.integer(4);
  if (version >= 2 ** 24)
    fail(
      'byte-order',
      'the file was written by a machine of the other byte order: convert it by gguf_convert_endian.py.',
    );
  if (version !== 2 && version !== 3)
    fail('version', `the file has the version ${version}; 2 and 3 are read here: convert it by llama.cpp.`, {
      version,
    });
  const tensorCount = cursor.integer(8);
  const pairCount = cursor.integer(8);
  if (tensorCount > maxTensors)
    fail('tensor-count', `the file has ${tensorCount} tensors, maxTensors is ${maxTensors}.`, { tensors: tensorCount });
  if (pairCount > pairLimit)
    fail('pairs', `the file has ${pairCount} texts beside its tensors, ${pairLimit} are the limit.`);
  const metadata = new Map<string, string>();
  for (let k = 0; k < pairCount; k++) {
    const key = cursor.text();
    if (metadata.has(key)) fail('duplicate', `the key '${excerpt(key)}' is there twice.`, { key });
    const value = cursor.value(cursor.integer(4), key);
    metadata.set(key, typeof value === 'string' ? value : JSON.stringify(value));
  }
  const names = new Set<string>();
  const tensors: TensorInfo[] = [];
  for (let k = 0; k < tensorCount; k++) {
    const name = cursor.text();
    if (names.has(name)) fail('duplicate', `the tensor '${excerpt(name)}' is there twice.`, { name });
    names.add(name);
    const rank = cursor.integer(4);
    if (rank > rankLimit) fail('tensor', `'${excerpt(name)}' has ${rank} axes, ${rankLimit} are the limit.`, { name });
    const shape = Array.from({ length: rank }, () => cursor.integer(8)).reverse();
    if (!shape.every(Number.isSafeInteger))
      fail(
        'tensor',
        `'${excerpt(name)}' has the shape [${shape.join(', ')}], which no tensor has; the file is damaged.`,
        {
          name,
        },
      );
    tensors.push({ name, shape, type: cursor.integer(4), offset: cursor.integer(8) });
  }
  const alignment = Number(metadata.get('general.alignment') ?? 32);
  if (!Number.isSafeInteger(alignment) || alignment < 1 || alignment > 2 ** 20)
    fail(
      'alignment',
      `general.alignment is ${excerpt(String(metadata.get('general.alignment')), 40)}, no size of bytes.`,
    );
  return { metadata, tensors, dataStart: Math.ceil(cursor.at / alignment) * alignment };
}

/** What a value of the metadata becomes: text as it is, everything else as JSON. */
type Value = string | number | boolean | readonly Value[];

class Cursor {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  skip(count: number): number {
    const before = this.at;
    if (before + count > this.bytes.length)
      fail('truncated', `the header goes on behind byte ${this.bytes.length}; the file is truncated.`, {
        length: this.bytes.length,
      });
    this.at = before + count;
    return before;
  }

  /** An unsigned integer; beyond 2^53 nothing reaches, and the comparisons that follow refuse it. */
  integer(bytes: 4 | 8): number {
    const at = this.skip(bytes);
    const low = this.view.getUint32(at, true);
    return bytes === 4 ? low : low + 2 ** 32 * this.view.getUint32(at + 4, true);
  }

  text(): string {
    const length = this.integer(8);
    const at = this.skip(length);
    const text = decodeUtf8(this.bytes.subarray(at, at + length));
    return text ?? fail('text', `the text at byte ${at} is not UTF-8; the file is damaged.`);
  }

  value(kind: number, key: string, depth = 0): Value {
    const integer = integers[kind];
    if (integer) return this.whole(...integer);
    switch (kind) {
      case 6:
        return shortest(this.view.getFloat32(this.skip(4), true));
      case 7:
        return this.view.getUint8(this.skip(1)) !== 0;
      case 8:
        return this.text();
      case 9:
        return this.list(key, depth);
      case 12:
        return finite(this.view.getFloat64(this.skip(8), true));
      default:
        return fail(
          'value',
          `'${excerpt(key)}' has a value of the kind ${kind}, which is not known; the file is damaged.`,
        );
    }
  }

  private whole(bytes: number, signed: boolean): number | string {
    const at = this.skip(bytes);
    const { view } = this;
    if (bytes === 1) return signed ? view.getInt8(at) : view.getUint8(at);
    if (bytes === 2) return signed ? view.getInt16(at, true) : view.getUint16(at, true);
    if (bytes === 4) return signed ? view.getInt32(at, true) : view.getUint32(at, true);
    const long = signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true);
    return Number.isSafeInteger(Number(long)) ? Number(long) : String(long);
  }

  private list(key: string, depth: number): Value {
    if (depth >= depthLimit) return fail('depth', `'${excerpt(key)}' is a list nested more than ${depthLimit} deep.`);
    const kind = this.integer(4);
    const count = this.integer(8);
    const width = widths[kind];
    if (width === undefined)
      return fail('value', `'${excerpt(key)}' is a list of the kind ${kind}, which is not known; the file is damaged.`);
    if (count > listLimit && kind !== 8 && kind !== 9) {
      this.skip(count * width);
      return `a list of ${count} ${kinds[kind]}`;
    }
    // A list claims no more than there are bytes for.
    if (this.at + count * width > this.bytes.length) this.skip(count * width);
    const items: Value[] = [];
    for (let k = 0; k < count; k++) {
      const item = this.value(kind, key, depth + 1);
      if (k < listLimit) items.push(item);
    }
    return count > listLimit ? `a list of ${count} ${kinds[kind]}` : items;
  }
}

/** A float32 by the fewest digits that give it back: 0.00001, not 0.000009999999747378752. */
function shortest(value: number): number | string {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return finite(value);
}

/** JSON has no words for the others. */
function finite(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
