/** The elements of HDF5 arrays as float32, whatever they are stored as and in whichever order of bytes. */
import { excerpt, FormatError } from '@nn/core';
import { decodeTensor, type ElementType } from '@nn/serialize';

/** What HDF5 says of the elements: their class (0 whole numbers, 1 floats, 5 opaque, 8 enumerations) and size. */
export interface ElementMetadata {
  readonly type: number;
  readonly size: number;
  readonly signed: boolean;
  readonly littleEndian: boolean;
}

const floats: Readonly<Record<number, ElementType>> = { 2: 'F16', 4: 'F32', 8: 'F64' };
const wholes: Readonly<Record<number, ElementType>> = { 1: 'I8', 2: 'I16', 4: 'I32', 8: 'I64' };
const naturals: Readonly<Record<number, ElementType>> = { 1: 'U8', 2: 'U16', 4: 'U32', 8: 'U64' };

function elementType({ type, size, signed }: ElementMetadata): ElementType | undefined {
  if (type === 1) return floats[size];
  if (type === 0) return signed ? wholes[size] : naturals[size];
  // Keras writes bfloat16 as two opaque bytes, h5py booleans as enumerations
  if (type === 5 && size === 2) return 'BF16';
  return type === 8 && size === 1 ? 'I8' : undefined;
}

/** The values of `bytes`. Throws a `FormatError` for elements that are no numbers. */
export function decodeNumbers(path: string, bytes: Uint8Array, metadata: ElementMetadata): Float32Array {
  const element = elementType(metadata);
  if (!element) {
    throw new FormatError(
      'loadKeras/element',
      `'${excerpt(path)}' holds no numbers (HDF5's class ${metadata.type}, ${metadata.size} bytes each).`,
      { path },
    );
  }
  if (!metadata.littleEndian && metadata.size > 1) swap(bytes, metadata.size);
  return asFloats(path, element, bytes);
}

/** The values of little-endian elements of a type in the words of safetensors. */
export function asFloats(name: string, type: ElementType, bytes: Uint8Array): Float32Array {
  const size = type === 'BOOL' ? 1 : Number(/\d+/.exec(type)?.[0]) / 8;
  const shape = [Math.floor(bytes.length / size)];
  const { data } = decodeTensor(name, { type, shape, bytes }, { narrow: true });
  return data instanceof Float32Array ? data : Float32Array.from(data);
}

function swap(bytes: Uint8Array, size: number): void {
  for (let at = 0; at + size <= bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}
