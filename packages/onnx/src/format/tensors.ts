/**
 * Tensors of a file as numbers: raw bytes or lists, of every type, checked against their shape before any memory is asked
 * for. Where bytes lie in another file, external.ts has fetched them.
 */
import { decodeUtf8, FormatError } from '@nn/core';
import { MessageReader } from '../protobuf/reader.ts';
import { allocate, type HostNumbers, HostTensor, sizeOf, TextTensor } from '../values/value.ts';
import { bitsOf, type ElementType, elementTypeOf } from './element-types.ts';
import type { TensorMessage } from './model.ts';

/** The tensor of a message. `outside`: its bytes, where they lie in another file. */
export function decodeTensor(message: TensorMessage, outside: Uint8Array | null = null): HostTensor | TextTensor {
  const { name, shape } = message;
  const type = elementTypeOf(message.type);
  if (type === undefined) throw wrong(name, `has elements of type ${message.type}, which ONNX does not know`);
  if (shape.some((size) => size < 0)) throw wrong(name, `has the shape [${shape.join(', ')}]`);
  const size = sizeOf(shape);
  if (type === 'string') return decodeTexts(message, size);
  const bytes = outside ?? message.raw;
  const bits = bitsOf(type);
  if (bytes !== null && (bytes.length > 0 || size > 0)) {
    const needed = Math.ceil((size * bits) / 8);
    if (bytes.length !== needed)
      throw wrong(name, `of [${shape.join(', ')}] ${type} needs ${needed} bytes and has ${bytes.length}`);
    return new HostTensor(type, shape, fromBytes(type, bytes, size));
  }
  return new HostTensor(type, shape, fromLists(message, type, size));
}

function wrong(name: string, what: string): FormatError {
  return new FormatError('loadOnnx/tensor', `the tensor '${name}' ${what}: the file is damaged.`, { name });
}

function decodeTexts({ name, texts, shape }: TensorMessage, size: number): TextTensor {
  if (texts.length !== size) throw wrong(name, `holds ${texts.length} texts where [${shape.join(', ')}] are ${size}`);
  return new TextTensor(
    shape,
    texts.map((bytes) => decodeUtf8(bytes) ?? ''),
  );
}

/** Lists: one number for each element (of half floats their bits), or two for each complex one. */
function fromLists(message: TensorMessage, type: ElementType, size: number): HostNumbers {
  const { name, shape } = message;
  const list = message.numbers;
  for (const { field, bytes } of message.packed) {
    const reader = new MessageReader(bytes, `the tensor '${name}'`);
    const width = field === 4 ? 4 : field === 10 ? 8 : 0;
    // numbers of one byte each are as many as bytes: a file cannot ask for more memory than eight times its own
    const count = width === 0 ? bytes.reduce((sum, byte) => sum + (byte < 0x80 ? 1 : 0), 0) : bytes.length / width;
    if (count > Math.max(size, 16) * 2)
      throw wrong(name, `holds ${count} numbers where [${shape.join(', ')}] are ${size}`);
    if (width === 0) for (let k = 0; k < count; k++) list.push(reader.integer());
    else {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let k = 0; k < count; k++)
        list.push(width === 4 ? view.getFloat32(4 * k, true) : view.getFloat64(8 * k, true));
    }
  }
  const perNumber = bitsOf(type) < 8 ? 8 / bitsOf(type) : 1;
  if (list.length < Math.ceil(size / perNumber)) {
    throw wrong(name, `holds ${list.length} numbers where [${shape.join(', ')}] are ${size}`);
  }
  if (bitsOf(type) < 8)
    return fromBytes(
      type,
      Uint8Array.from(list, (value) => value & 0xff),
      size,
    );
  const data = allocate(type, size);
  for (let i = 0; i < size; i++) {
    const value = list[i] ?? 0;
    if (type === 'float16') data[i] = halfToNumber(value);
    else if (type === 'bfloat16') data[i] = brainToNumber(value);
    else data[i] = type.startsWith('float8') || type === 'float4e2m1' ? smallFloat(type, value & 0xff) : value;
  }
  return data;
}

function fromBytes(type: ElementType, bytes: Uint8Array, size: number): HostNumbers {
  if (type === 'float32') return floatsOf(bytes, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = allocate(type, size);
  const read = readers[type];
  if (read === undefined)
    throw new FormatError(
      'loadOnnx/tensor',
      `tensors of ${type} are not read: cast them to float32 before the export.`,
    );
  for (let i = 0; i < size; i++) data[i] = read(view, i);
  return data;
}

/** A copy, whatever the alignment: the file's own memory is the caller's, and models live longer. */
function floatsOf(bytes: Uint8Array, size: number): Float32Array {
  const data = new Float32Array(size);
  new Uint8Array(data.buffer).set(bytes);
  return data;
}

const wide = (low: number, high: number): number => high * 4294967296 + low;

/** Element i of a type. */
const readers: Partial<Record<ElementType, (view: DataView, i: number) => number>> = {
  uint8: (view, i) => view.getUint8(i),
  int8: (view, i) => view.getInt8(i),
  bool: (view, i) => (view.getUint8(i) === 0 ? 0 : 1),
  uint16: (view, i) => view.getUint16(2 * i, true),
  int16: (view, i) => view.getInt16(2 * i, true),
  int32: (view, i) => view.getInt32(4 * i, true),
  uint32: (view, i) => view.getUint32(4 * i, true),
  int64: (view, i) => wide(view.getUint32(8 * i, true), view.getInt32(8 * i + 4, true)),
  uint64: (view, i) => wide(view.getUint32(8 * i, true), view.getUint32(8 * i + 4, true)),
  float64: (view, i) => view.getFloat64(8 * i, true),
  float16: (view, i) => halfToNumber(view.getUint16(2 * i, true)),
  bfloat16: (view, i) => brainToNumber(view.getUint16(2 * i, true)),
  uint4: (view, i) => (view.getUint8(i >> 1) >> (4 * (i & 1))) & 15,
  int4: (view, i) => (((view.getUint8(i >> 1) >> (4 * (i & 1))) & 15) << 28) >> 28,
  uint2: (view, i) => (view.getUint8(i >> 2) >> (2 * (i & 3))) & 3,
  int2: (view, i) => (((view.getUint8(i >> 2) >> (2 * (i & 3))) & 3) << 30) >> 30,
  float8e4m3fn: (view, i) => smallFloat('float8e4m3fn', view.getUint8(i)),
  float8e4m3fnuz: (view, i) => smallFloat('float8e4m3fnuz', view.getUint8(i)),
  float8e5m2: (view, i) => smallFloat('float8e5m2', view.getUint8(i)),
  float8e5m2fnuz: (view, i) => smallFloat('float8e5m2fnuz', view.getUint8(i)),
  float8e8m0: (view, i) => smallFloat('float8e8m0', view.getUint8(i)),
  float4e2m1: (view, i) => smallFloat('float4e2m1', (view.getUint8(i >> 1) >> (4 * (i & 1))) & 15),
};

/** 1 bit of sign, 5 of exponent, 10 of mantissa. */
function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const sign = bits & 32768 ? -1 : 1;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

const word = new DataView(new ArrayBuffer(4));

/** The upper half of a float32. */
function brainToNumber(bits: number): number {
  word.setUint32(0, bits * 65536);
  return word.getFloat32(0);
}

/** Floats of 8 and 4 bits (OCP and the variants without infinities and negative zero). */
function smallFloat(type: ElementType, bits: number): number {
  if (type === 'float8e8m0') return bits === 255 ? Number.NaN : 2 ** (bits - 127);
  const mantissaBits = type === 'float4e2m1' ? 1 : type.startsWith('float8e4') ? 3 : 2;
  const exponentBits = type === 'float4e2m1' ? 2 : 7 - mantissaBits;
  const isUnsignedZero = type.endsWith('fnuz');
  const bias = 2 ** (exponentBits - 1) - (isUnsignedZero ? 0 : 1);
  const sign = bits >> (mantissaBits + exponentBits) ? -1 : 1;
  const exponent = (bits >> mantissaBits) & (2 ** exponentBits - 1);
  const mantissa = bits & (2 ** mantissaBits - 1);
  if (isUnsignedZero && bits === 0x80) return Number.NaN;
  if (type === 'float8e4m3fn' && exponent === 15 && mantissa === 7) return Number.NaN;
  if (type === 'float8e5m2' && exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  const scale = 2 ** mantissaBits;
  return exponent === 0
    ? sign * (mantissa / scale) * 2 ** (1 - bias)
    : sign * (1 + mantissa / scale) * 2 ** (exponent - bias);
}
