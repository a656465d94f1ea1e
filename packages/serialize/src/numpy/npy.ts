/**
 * One array of NumPy (.npy): a magic, a header that is a literal of Python's, and the elements. Arrays of numbers are read in
 * any byte order and both orders of axes; arrays of Python objects are pickles, and are refused.
 * Source: numpy/lib/format.py.
 */
import { checkOptions, decodeUtf8, excerpt, FormatError, ValueError } from '@nn/core';
import {
  bitsOf,
  type DecodeOptions,
  decodeElements,
  type ElementType,
  elementTypeOf,
  type HostTensor,
} from '../element-types.ts';
import { reversed, rowMajor } from '../strided.ts';

/** What the header says. */
export interface ArrayHeader {
  readonly type: ElementType;
  readonly bigEndian: boolean;
  /** Whether the first axis runs fastest. */
  readonly fortran: boolean;
  readonly shape: readonly number[];
  /** Where the elements begin. */
  readonly dataStart: number;
  /** How many bytes they take. */
  readonly size: number;
}

export const types: Readonly<Record<string, ElementType>> = {
  f2: 'F16',
  f4: 'F32',
  f8: 'F64',
  i1: 'I8',
  i2: 'I16',
  i4: 'I32',
  i8: 'I64',
  u1: 'U8',
  u2: 'U16',
  u4: 'U32',
  u8: 'U64',
  b1: 'BOOL',
  c8: 'C64',
};

/** The bytes before the header: magic, version, and the header's length. */
const prefixLength = 12;

function fail(reason: string, what: string, data?: Readonly<Record<string, unknown>>): never {
  throw new FormatError(`NumPy/${reason}`, what, data);
}

/** Whether the bytes begin as an array of NumPy does. */
export function isNpy(head: Uint8Array): boolean {
  return [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59].every((byte, at) => head[at] === byte);
}

/** Where the elements begin, from the first bytes of a file. */
export function dataStartOf(name: string, head: Uint8Array, limit: number): number {
  if (!isNpy(head) || head.length < prefixLength)
    return fail('magic', `${name} is no array of NumPy, or cut off in its first bytes.`);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const version = head[6];
  if (version !== 1 && version !== 2 && version !== 3)
    return fail('version', `${name} has the version ${version}, 1 to 3 are read here.`);
  const dataStart = version === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
  return dataStart > limit
    ? fail('header', `the header of ${name} claims ${dataStart} bytes, ${limit} is the limit.`)
    : dataStart;
}

/** Reads the header, which ends where the elements begin. A string says why the array is no tensor. */
export function readArrayHeader(name: string, bytes: Uint8Array, fileSize: number): ArrayHeader | string {
  const text = decodeUtf8(bytes.subarray(bytes[6] === 1 ? 10 : 12)) ?? '';
  const damaged = (): never =>
    fail(
      'header',
      `the header of ${name} is no dictionary of descr, fortran_order and shape: ${excerpt(text.trim(), 100)}`,
    );
  const fields = new Map<string, string>();
  const rest = text.replace(
    /['"](descr|fortran_order|shape)['"]\s*:\s*('[^']*'|"[^"]*"|True|False|\([\d\s,L]*\)|\[.*\])\s*,?/gs,
    (_, key, value) => {
      if (fields.has(key)) damaged();
      fields.set(key, value);
      return '';
    },
  );
  const [descr, fortran, shapeText] = ['descr', 'fortran_order', 'shape'].map((key) => fields.get(key));
  if (!/^\s*\{\s*\}\s*$/.test(rest) || descr === undefined || shapeText === undefined) return damaged();
  if (!shapeText.startsWith('(') || (fortran !== 'True' && fortran !== 'False')) return damaged();
  const shape = (shapeText.match(/\d+/g) ?? []).map(Number);
  if (shape.length > 64 || !shape.every(Number.isSafeInteger)) return damaged();
  if (descr.startsWith('[')) return 'an array of records; save each field on its own';
  const [, order = '', kind = ''] = /^['"]([<>|=]?)(\w+)['"]$/.exec(descr) ?? [];
  if (kind.startsWith('O')) return 'an array of Python objects, which are pickled; save it with a dtype of numbers';
  const type = Object.hasOwn(types, kind) ? types[kind] : undefined;
  if (type === undefined) return `an array of ${excerpt(descr, 40)}, which has no counterpart here`;
  const size = shape.reduce((product, extent) => product * extent, bitsOf(type) / 8);
  const dataStart = bytes.length;
  if (dataStart + size !== fileSize) {
    fail(
      'size',
      `${name} has ${fileSize - dataStart} bytes of elements, ${type} of shape [${shape.join(', ')}] needs ${size}; it is truncated or damaged.`,
      {
        needed: size,
      },
    );
  }
  return { type, bigEndian: order === '>', fortran: fortran === 'True', shape, dataStart, size };
}

/** The elements as safetensors would have them: little-endian, the last axis fastest. */
export function inOrder(bytes: Uint8Array, { type, bigEndian, fortran, shape }: ArrayHeader): Uint8Array {
  const width = bitsOf(type) / 8;
  const little = bigEndian ? reversed(bytes, type === 'C64' ? width / 2 : width) : bytes;
  if (!fortran || shape.length < 2) return little;
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, extent) => product * extent, 1));
  return rowMajor(little, shape, strides, width);
}

/**
 * The values of a file that `numpy.save` wrote. Throws a `FormatError` for what is none, or holds Python objects, text or records,
 * and for float64 unless `narrow` allows rounding.
 *
 * @example
 * import { encodeNpy, parseNpy } from '@nn/serialize';
 * const bytes = encodeNpy({ dtype: 'float32', shape: [2], data: new Float32Array([1, 2]) });
 * console.log(parseNpy(bytes).data); // => Float32Array(2) [ 1, 2 ]
 */
export function parseNpy(bytes: Uint8Array, options: DecodeOptions = {}): HostTensor {
  checkOptions('parseNpy', options, ['narrow', 'widen']);
  const dataStart = dataStartOf('the file', bytes, bytes.length);
  const header = readArrayHeader('the file', bytes.subarray(0, dataStart), bytes.length);
  if (typeof header === 'string') return fail('type', `the file is ${header}.`);
  const elements = inOrder(bytes.subarray(dataStart), header);
  return { shape: header.shape, ...decodeElements('array', header.type, elements, options, { operation: 'NumPy' }) };
}

const names: Readonly<Partial<Record<ElementType, string>>> = Object.fromEntries(
  Object.entries(types).map(([name, type]) => [type, name]),
);

/**
 * One array as `numpy.load` reads it. bfloat16, which NumPy lacks, is written as float32. Throws a `ValueError` for data that
 * does not fit its shape.
 *
 * @example
 * import { encodeNpy } from '@nn/serialize';
 * console.log(encodeNpy({ dtype: 'int32', shape: [1], data: Int32Array.of(5) }).length); // => 132
 */
export function encodeNpy(tensor: HostTensor): Uint8Array {
  const { shape } = tensor;
  const isBrain = tensor.dtype === 'bfloat16';
  const widened = isBrain
    ? Float32Array.from(tensor.data, (bits) => new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!)
    : tensor.data;
  const kind = names[isBrain ? 'F32' : elementTypeOf[tensor.dtype]]!;
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (count !== widened.length || widened.BYTES_PER_ELEMENT !== Number(kind[1])) {
    throw new ValueError(
      'encodeNpy',
      `${widened.length} elements of ${widened.BYTES_PER_ELEMENT} bytes are given, ${tensor.dtype} of shape [${shape.join(', ')}] needs ${count} of ${kind[1]}.`,
      { shape },
    );
  }
  // A tuple of one has a comma.
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${kind[1] === '1' ? '|' : '<'}${kind}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const dataStart = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(dataStart + widened.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, dataStart - 10, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(dataStart - 11)}\n`), 10);
  bytes.set(new Uint8Array(widened.buffer, widened.byteOffset, widened.byteLength), dataStart);
  return bytes;
}
