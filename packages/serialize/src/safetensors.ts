/**
 * The safetensors format: 8 bytes of header length (little-endian), a JSON header, then the tensors' bytes without gaps.
 * It reads and writes bytes in memory, and trusts nothing in what it reads; files in parts are `open-safetensors.ts`. What elements mean
 * is in `element-types.ts`, which tensors a model has in `model.ts` and `checkpoint.ts`.
 * Source: https://github.com/huggingface/safetensors (README, "Format").
 */
import { checkOptions, decodeUtf8, excerpt, FormatError, ValueError } from '@nn/core';
import type { DecodeOptions, ElementType, HostTensor } from './element-types.ts';
import { bitsOf, decodeElements, elementTypeOf, elementTypes, isElementType } from './element-types.ts';
import { findDuplicateKey, outlineOf } from './header-text.ts';
import { otherKind } from './kind-of-file.ts';

/** The most bytes that a header may have, as in the reference. */
export const headerLimit = 100_000_000;

/** How deep a header is nested where it is one: { name: { shape: [ ] } }. */
const headerDepth = 3;

/** The most axes that a tensor in a file may have. */
const rankLimit = 64;

export interface ParseOptions {
  /** The most bytes that the header may have; 100,000,000 where not given, as in the reference. */
  readonly maxHeaderBytes?: number;
  /** The most tensors that a file may have; 100,000 where not given. */
  readonly maxTensors?: number;
}

/** A tensor as it stands in a file; `bytes` is a view of the file's bytes. */
export interface StoredTensor {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads the structure of a file; `decodeTensor` then reads values. Throws a `FormatError` for anything that is not
 * exactly the format: a header that is cut off, over its limit, not UTF-8 or not JSON; doubled keys; unknown types;
 * sizes that do not match type and shape; bytes that overlap, leave holes, or are left over; and for more than the limits
 * in `options`. Files of other formats are named. Time and memory grow as the header does.
 *
 * @example
 * import { decodeTensor, encodeSafetensors, parseSafetensors } from '@nn/serialize';
 * const bytes = encodeSafetensors([['bias', { dtype: 'float32', shape: [2], data: new Float32Array([1, 2]) }]]);
 * for (const [name, stored] of parseSafetensors(bytes).tensors) {
 *   console.log(name, decodeTensor(name, stored).data); // => bias Float32Array(2) [ 1, 2 ]
 * }
 */
export function parseSafetensors(bytes: Uint8Array, options: ParseOptions = {}): Safetensors {
  checkOptions('parseSafetensors', options, ['maxHeaderBytes', 'maxTensors']);
  const { maxHeaderBytes = headerLimit, maxTensors = 100_000 } = options;
  const head = bytes.subarray(0, sniffed);
  const dataStart = dataStartOf(head, bytes.length, maxHeaderBytes, otherKind);
  const { regions, metadata } = readLayout(bytes.subarray(8, dataStart), bytes.length - dataStart, maxTensors);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, type, shape, begin, end } of regions) {
    tensors.set(name, { type, shape, bytes: bytes.subarray(dataStart + begin, dataStart + end) });
  }
  return { tensors, metadata };
}

/** The structure that the header describes, checked against the `size` bytes of data behind it. */
export function readLayout(
  bytes: Uint8Array,
  size: number,
  maxTensors: number,
): {
  readonly regions: readonly (Region & { readonly name: string })[];
  readonly metadata: ReadonlyMap<string, string>;
} {
  const header = readHeader(bytes, maxTensors);
  let metadata: ReadonlyMap<string, string> = new Map();
  const entries: (Region & { readonly name: string })[] = [];
  const described = Object.entries(header);
  if (described.length > maxTensors + 1) {
    fail('tensor-count', `the header has ${described.length} tensors, maxTensors is ${maxTensors}.`, {
      tensors: described.length,
    });
  }
  for (const [name, value] of described) {
    if (name === '__metadata__') metadata = readMetadata(value);
    else entries.push({ name, ...readRegion(name, value, size) });
  }
  // Regions in the order of their bytes must follow one another from the first byte to the last.
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  let before = 'the header';
  for (const { name, begin, end: next } of entries) {
    if (begin !== end) {
      fail(
        'tensor',
        `${quoted(name)} begins at byte ${begin}, ${before} ends at byte ${end}; they ${begin < end ? 'overlap' : 'leave a hole'}.`,
        {
          name,
        },
      );
    }
    end = next;
    before = quoted(name);
  }
  if (end !== size)
    fail('too-long', `the tensors end at byte ${end}, the file has ${size} bytes of data.`, { end, size });
  return { regions: entries, metadata };
}

/**
 * The values of a stored tensor; see `DecodeOptions` for what is widened, narrowed or refused.
 *
 * @example
 * import { decodeTensor } from '@nn/serialize';
 * const half = { type: 'F16', shape: [1], bytes: Uint8Array.of(0, 0x3c) } as const;
 * console.log(decodeTensor('x', half).data); // => Float32Array(1) [ 1 ]
 */
export function decodeTensor(name: string, stored: StoredTensor, options: DecodeOptions = {}): HostTensor {
  return { shape: stored.shape, ...decodeElements(name, stored.type, stored.bytes, options) };
}

/**
 * Writes tensors by name, byte for byte as the reference writes them: larger element types first, then by name,
 * the data aligned to 8 bytes by spaces after the header. Throws a `ValueError` for doubled or impossible names and
 * for data that does not fit its shape.
 *
 * @example
 * import { encodeSafetensors, parseSafetensors } from '@nn/serialize';
 * const bytes = encodeSafetensors([['x', { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) }]], { made: 'here' });
 * console.log(parseSafetensors(bytes).metadata.get('made')); // => here
 */
export function encodeSafetensors(
  tensors: Iterable<readonly [name: string, tensor: HostTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = [...tensors].sort(([nameA, a], [nameB, b]) => {
    const order = elementTypes.indexOf(elementTypeOf[b.dtype]) - elementTypes.indexOf(elementTypeOf[a.dtype]);
    return order || (nameA < nameB ? -1 : nameA > nameB ? 1 : 0);
  });
  const header: [string, unknown][] = [];
  const names = new Set(['__metadata__']);
  if (Object.keys(metadata).length > 0) header.push(['__metadata__', checkMetadata(metadata)]);
  let end = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    if (names.has(name))
      throw new ValueError('encodeSafetensors', `the name '${name}' is there twice or reserved.`, { name });
    if (/\p{Surrogate}/u.test(name)) {
      throw new ValueError(
        'encodeSafetensors',
        `the name '${name}' has half of a surrogate pair; it cannot be UTF-8.`,
        {
          name,
        },
      );
    }
    names.add(name);
    const count = shape.reduce((product, extent) => product * extent, 1);
    const type = elementTypeOf[dtype];
    if (count !== data.length || data.BYTES_PER_ELEMENT * 8 !== bitsOf(type)) {
      throw new ValueError(
        'encodeSafetensors',
        `'${name}' has ${data.length} elements of ${data.BYTES_PER_ELEMENT} bytes, ${dtype} of shape [${shape.join(', ')}] needs ${count} of ${bitsOf(type) / 8}.`,
        { name, shape },
      );
    }
    header.push([name, { dtype: type, shape, data_offsets: [end, end + data.byteLength] }]);
    end += data.byteLength;
  }
  // Joined by hand: an object would move names like '0' to the front.
  const json = `{${header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.length / 8) * 8;
  if (length > headerLimit) {
    throw new ValueError(
      'encodeSafetensors',
      `the header has ${length} bytes, ${headerLimit} is the limit; store less metadata.`,
    );
  }
  const bytes = new Uint8Array(8 + length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  bytes.fill(0x20, 8 + text.length, 8 + length);
  let at = 8 + length;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** Where a tensor's bytes are, counted from the first byte of data. */
interface Region {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** 'header', 'tensor' and 'metadata' are damaged; the other reasons say more. */
function fail(reason: string, what: string, data?: Readonly<Record<string, unknown>>): never {
  throw new FormatError(`safetensors/${reason}`, what, data);
}

/** How many bytes are enough to tell what else a file may be. */
const sniffed = 512;

function headerLength(head: Uint8Array): bigint {
  return new DataView(head.buffer, head.byteOffset, head.byteLength).getBigUint64(0, true);
}

/** Whether the first bytes are no sensible length of a header: then they may be those of another format. */
export function isOtherwise(head: Uint8Array, size: number, maxBytes: number): boolean {
  return size < 8 || headerLength(head) > Math.min(maxBytes, size - 8);
}

/** Where the data begins, from the first bytes of a file of `size` bytes; `kindOf` says what else they may be. */
export function dataStartOf(
  head: Uint8Array,
  size: number,
  maxBytes: number,
  kindOf: (head: Uint8Array) => string | undefined,
): number {
  const other = isOtherwise(head, size, maxBytes) ? kindOf(head) : undefined;
  if (other !== undefined) return fail('foreign', other);
  if (size < 8) return fail('foreign', `${size} bytes are too few for the 8 of the header's length.`);
  const long = headerLength(head);
  const dataStart = 8 + Number(long);
  if (long > maxBytes)
    fail('foreign', `the header claims ${long} bytes, ${maxBytes} is the limit; this is not safetensors.`);
  if (dataStart > size)
    fail('truncated', `the header needs ${dataStart} bytes, the file has ${size}; it is truncated.`, {
      needed: dataStart,
      length: size,
    });
  return dataStart;
}

function readHeader(bytes: Uint8Array, maxTensors: number): object {
  const text = decodeUtf8(bytes);
  if (text === undefined) return fail('header', 'the header is not UTF-8 text.');
  if (text[0] !== '{') fail('foreign', `the header begins with '${text.slice(0, 1)}', not with '{'.`);
  // A tensor takes 4 commas and those of its shape.
  const limits = { depth: headerDepth, items: (maxTensors + 1) * 16 };
  const { depth, items } = outlineOf(text, limits);
  if (depth > limits.depth) fail('header', `the header is nested more than ${headerDepth} deep.`, { depth });
  if (items > limits.items)
    fail('header', `the header has more items than ${maxTensors} tensors need.`, { maxTensors });
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    return fail(
      'header',
      `the header is not JSON: ${excerpt(error instanceof Error ? error.message : String(error), 200)}`,
    );
  }
  const twice = findDuplicateKey(text);
  if (twice !== undefined) fail('header', `the header has the key ${quoted(twice)} twice.`, { key: twice });
  return isObject(header) ? header : fail('header', 'the header is not an object.');
}

function readMetadata(value: unknown): ReadonlyMap<string, string> {
  if (!isObject(value)) return fail('metadata', '__metadata__ is not an object.');
  const metadata = new Map<string, string>();
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string')
      return fail('metadata', `__metadata__ has ${quoted(key)}, which is not text.`, { key });
    metadata.set(key, text);
  }
  return metadata;
}

function readRegion(name: string, value: unknown, size: number): Region {
  if (!isObject(value)) return fail('tensor', `${quoted(name)} is described by no object.`, { name });
  const own = (key: string): unknown => (Object.hasOwn(value, key) ? value[key] : undefined);
  const [dtype, shape, offsets] = [own('dtype'), own('shape'), own('data_offsets')];
  if (!isElementType(dtype)) return fail('tensor', `${quoted(name)} has the unknown dtype ${shown(dtype)}.`, { name });
  if (!isSizes(shape))
    return fail('tensor', `${quoted(name)} has the shape ${shown(shape)}, not a list of sizes.`, { name });
  if (shape.length > rankLimit) {
    return fail('tensor', `${quoted(name)} has ${shape.length} axes, ${rankLimit} are the limit.`, { name });
  }
  if (!isSizes(offsets) || offsets.length !== 2) {
    return fail('tensor', `${quoted(name)} has the data_offsets ${shown(offsets)}, not a begin and an end.`, { name });
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > size) {
    fail('outside', `${quoted(name)} has the data_offsets [${begin}, ${end}], outside of the ${size} bytes of data.`, {
      name,
      end,
      size,
    });
  }
  const bits = shape.reduce((product, extent) => product * extent, bitsOf(dtype));
  if (!Number.isSafeInteger(bits) || bits !== (end - begin) * 8) {
    fail('tensor', `${quoted(name)} has ${end - begin} bytes, ${dtype} of shape ${shown(shape)} needs ${bits / 8}.`, {
      name,
    });
  }
  return { type: dtype, shape, begin, end };
}

/** A name from a file as it may stand in a message. */
function quoted(name: string): string {
  return `'${excerpt(name)}'`;
}

/** A value of a header as it may stand in a message. */
function shown(value: unknown): string {
  const text =
    Array.isArray(value) && value.every((size) => typeof size === 'number')
      ? `[${value.slice(0, 70).join(', ')}]`
      : String(JSON.stringify(value));
  return excerpt(text, 200);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function checkMetadata(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [key, text] of Object.entries(metadata)) {
    if (typeof text !== 'string' || /\p{Surrogate}/u.test(key + text)) {
      throw new ValueError('encodeSafetensors', `the metadata '${key}' is not well-formed text.`, { key });
    }
  }
  return metadata;
}
