/**
 * IDX, the format of the MNIST files: two zero bytes, a type, the number of axes, big-endian sizes, big-endian data.
 * It reads plain and gzip, writes plain, and joins images and labels to a dataset. Files are opened by the caller.
 */
import type { AbortSignalLike, Shape } from '@nn/core';
import { checkOptions, FormatError, realmTag, ValueError } from '@nn/core';
import type { Classified, DataArray, Elements } from '../samples/dataset.ts';
import { Dataset, elementCount } from '../samples/dataset.ts';
import type { ByteSource } from './gunzip.ts';
import { bytesOf, checkBytes, isGzip, longest, unpack } from './gunzip.ts';

/** The element types of IDX by name. */
export type IdxType = 'uint8' | 'int8' | 'int16' | 'int32' | 'float32' | 'float64';

interface IdxFormat {
  readonly name: IdxType;
  readonly code: number;
  readonly bytes: number;
}

const formats: readonly IdxFormat[] = [
  { name: 'uint8', code: 0x08, bytes: 1 },
  { name: 'int8', code: 0x09, bytes: 1 },
  { name: 'int16', code: 0x0b, bytes: 2 },
  { name: 'int32', code: 0x0c, bytes: 4 },
  { name: 'float32', code: 0x0d, bytes: 4 },
  { name: 'float64', code: 0x0e, bytes: 8 },
];

const unnamed = 'IDX data';
const fileName = (source: ByteSource): string | undefined =>
  /^(File|Blob)$/.test(realmTag(source)) && 'name' in source ? String(source.name) : undefined;

export interface IdxOptions {
  /** What to call the data in messages; by default the name of the file, where it is one. */
  readonly name?: string;
  /** Accept no other element type. */
  readonly type?: IdxType;
  /** Accept no other number of axes: 3 for images, 1 for labels. */
  readonly rank?: number;
  /** Round float64 to float32 instead of refusing it. */
  readonly narrow?: boolean;
  /** The most bytes that the file may have, unpacked; 2^30 where not given. */
  readonly maxBytes?: number;
  /** Ends the reading: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike;
}

const known = ['name', 'type', 'rank', 'narrow', 'maxBytes', 'signal'];

/**
 * Reads IDX, plain or gzip. Throws a `FormatError` that names what is wrong: the magic number, the type, sizes that
 * do not match the length, damaged gzip, more than `maxBytes`. int16 becomes int32; float64 is refused unless `narrow` is
 * set. A packed file is unpacked no further than the sizes in its header say.
 * Source: http://yann.lecun.com/exdb/mnist (format at the end of the page).
 *
 * @example
 * import { encodeIdx, readIdx } from '@nn/data';
 * const bytes = encodeIdx({ data: new Uint8Array([7, 2, 1]), shape: [3] });
 * console.log((await readIdx(bytes)).data); // => Uint8Array(3) [ 7, 2, 1 ]
 */
export async function readIdx(source: ByteSource, options: IdxOptions = {}): Promise<DataArray> {
  checkOptions('readIdx', options, known);
  const { maxBytes = longest, signal } = options;
  const bytes = await bytesOf(source, signal);
  const name = options.name ?? fileName(source) ?? unnamed;
  const plain = isGzip(bytes) ? await unpack(bytes, maxBytes, 'readIdx', name, signal, neededBytes) : bytes;
  signal?.throwIfAborted();
  return parseIdx(plain, { ...options, name });
}

/** The size of a file by its own header; undefined while that is not there, and 4 where these make no sense. */
function neededBytes(bytes: Uint8Array): number | undefined {
  if (bytes.length < 4) return undefined;
  const format = formats.find(({ code }) => code === bytes[2]);
  const start = 4 + 4 * bytes[3]!;
  if (bytes[0] !== 0 || bytes[1] !== 0 || !format) return 4;
  if (bytes.length < start) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let count = 1;
  for (let at = 4; at < start; at += 4) count *= view.getUint32(at);
  return start + count * format.bytes;
}

/**
 * As `readIdx`, from bytes that are not packed, at once.
 *
 * @example
 * import { parseIdx } from '@nn/data';
 * console.log(parseIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9)).data); // => Uint8Array(2) [ 7, 9 ]
 */
export function parseIdx(bytes: Uint8Array, options: IdxOptions = {}): DataArray {
  checkOptions('parseIdx', options, known);
  checkBytes('parseIdx', bytes);
  const { name = unnamed, maxBytes = longest } = options;
  const fail = (reason: string, what: string, data?: Readonly<Record<string, unknown>>): never => {
    throw new FormatError(`readIdx/${reason}`, `${name}: ${what}`, { ...data, name });
  };
  if (bytes.length < 4)
    fail('short', `${bytes.length} bytes are too few for a magic number of 4.`, { length: bytes.length });
  const magic = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  if (bytes[0] !== 0 || bytes[1] !== 0)
    fail('magic', `the magic number ${magic} does not begin with 00 00; this is not IDX.`, { magic });
  const format = formats.find(({ code }) => code === bytes[2]);
  if (!format)
    return fail('magic', `the magic number ${magic} names no element type; it is one of 08 09 0b 0c 0d 0e.`, { magic });
  if (options.type !== undefined && options.type !== format.name) {
    fail('type', `holds ${format.name}, ${options.type} is expected.`, { type: format.name, expected: options.type });
  }
  const rank = bytes[3]!;
  if (options.rank !== undefined && options.rank !== rank) {
    fail('rank', `has ${rank} axes, ${options.rank} are expected.`, { rank, expected: options.rank });
  }
  if (rank === 0) fail('magic', `the magic number ${magic} has no axes.`, { magic });
  const start = 4 + 4 * rank;
  if (bytes.length < start)
    fail('sizes', `ends within the sizes of its ${rank} axes, after ${bytes.length} bytes.`, {
      rank,
      length: bytes.length,
    });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const needed = start + elementCount(shape) * format.bytes;
  if (bytes.length !== needed) {
    const isShort = bytes.length < needed;
    const state = isShort ? 'it is truncated' : 'it goes on too long';
    fail(
      isShort ? 'truncated' : 'too-long',
      `shape [${shape.join(', ')}] of ${format.name} needs ${needed} bytes, there are ${bytes.length}; ${state}.`,
      {
        shape,
        expected: needed,
        actual: bytes.length,
      },
    );
  }
  if (needed > maxBytes)
    fail('size', `shape [${shape.join(', ')}] needs ${needed} bytes, maxBytes is ${maxBytes}.`, {
      shape,
      needed,
      maxBytes,
    });
  if (format.name === 'float64' && !options.narrow) {
    fail('narrow', 'holds float64, which float32 cannot keep exactly; pass { narrow: true } to round.');
  }
  return { data: elements(view, start, elementCount(shape), format), shape };
}

function elements(view: DataView, start: number, count: number, format: IdxFormat): Elements {
  const at = (i: number): number => start + i * format.bytes;
  switch (format.name) {
    case 'uint8':
      return new Uint8Array(view.buffer, view.byteOffset + start, count).slice();
    case 'int8':
      return new Int8Array(view.buffer, view.byteOffset + start, count).slice();
    case 'int16':
      return fill(new Int32Array(count), (i) => view.getInt16(at(i)));
    case 'int32':
      return fill(new Int32Array(count), (i) => view.getInt32(at(i)));
    case 'float32':
      return fill(new Float32Array(count), (i) => view.getFloat32(at(i)));
    case 'float64':
      return fill(new Float32Array(count), (i) => view.getFloat64(at(i)));
  }
}

function fill<Data extends Elements>(data: Data, value: (i: number) => number): Data {
  for (let i = 0; i < data.length; i++) data[i] = value(i);
  return data;
}

/**
 * The array as IDX bytes, of its own element type.
 *
 * @example
 * import { encodeIdx } from '@nn/data';
 * console.log(encodeIdx({ data: new Uint8Array([7]), shape: [1] })); // => Uint8Array(9) [ 0, 0, 8, 1, 0, 0, 0, 1, 7 ]
 */
export function encodeIdx({ data, shape }: DataArray): Uint8Array {
  if (shape.length < 1 || shape.length > 255 || elementCount(shape) !== data.length) {
    throw new ValueError(
      'encodeIdx',
      `${data.length} elements do not fit the shape [${shape.join(', ')}] of 1 to 255 axes.`,
      {
        shape,
        length: data.length,
      },
    );
  }
  const width = data.BYTES_PER_ELEMENT;
  const start = 4 + 4 * shape.length;
  const bytes = new Uint8Array(start + data.length * width);
  const view = new DataView(bytes.buffer);
  const name = { Float32Array: 'float32', Float64Array: 'float64', Int32Array: 'int32', Int8Array: 'int8' }[
    realmTag(data)
  ];
  bytes[2] = formats.find((format) => format.name === (name ?? 'uint8'))!.code;
  bytes[3] = shape.length;
  shape.forEach((size, axis) => {
    view.setUint32(4 + 4 * axis, size);
  });
  for (let i = 0; i < data.length; i++) {
    if (name === 'float64') view.setFloat64(start + i * width, data[i]!);
    else if (name === 'float32') view.setFloat32(start + i * width, data[i]!);
    else if (name === 'int32') view.setInt32(start + i * width, data[i]!);
    else bytes[start + i] = data[i]!;
  }
  return bytes;
}

/**
 * Joins a file of images [N, H, W] of bytes and one of labels [N] to a dataset: inputs [N, 1, H, W] of bytes,
 * targets [N]. Throws a `FormatError` where either is damaged or of the wrong kind, or their numbers differ.
 *
 * @example
 * import { encodeIdx, readIdxImages } from '@nn/data';
 * const images = encodeIdx({ data: new Uint8Array(8), shape: [2, 2, 2] });
 * const labels = encodeIdx({ data: new Uint8Array([3, 4]), shape: [2] });
 * const { inputs, targets } = (await readIdxImages(images, labels)).fields;
 * console.log(inputs.shape, targets.data); // => [ 2, 1, 2, 2 ] Int32Array(2) [ 3, 4 ]
 */
export async function readIdxImages(
  images: ByteSource,
  labels: ByteSource,
  names: { readonly images?: string; readonly labels?: string } & Pick<IdxOptions, 'maxBytes' | 'signal'> = {},
): Promise<Classified<Uint8Array>> {
  const imagesName = names.images ?? fileName(images) ?? 'images';
  const labelsName = names.labels ?? fileName(labels) ?? 'labels';
  const { maxBytes = longest, signal } = names;
  const limits = signal ? { maxBytes, signal } : { maxBytes };
  const pixels = await readIdx(images, { ...limits, name: imagesName, type: 'uint8', rank: 3 });
  const classes = await readIdx(labels, { ...limits, name: labelsName, type: 'uint8', rank: 1 });
  const [count, height, width] = pixels.shape as [number, number, number];
  if (classes.shape[0] !== count) {
    throw new FormatError(
      'readIdxImages/count',
      `${imagesName} has ${count} images, ${labelsName} has ${classes.shape[0]} labels; they must be equal.`,
      { imagesName, images: count, labelsName, labels: classes.shape[0] },
    );
  }
  const shape: Shape = [count, 1, height, width];
  return new Dataset({
    inputs: { data: new Uint8Array(pixels.data.buffer), shape },
    targets: { data: Int32Array.from(classes.data), shape: [count] },
  });
}
