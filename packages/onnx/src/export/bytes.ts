/** Numbers as little-endian bytes of a type of ONNX. */
import type { ElementType } from '../format/element-types.ts';

export function wholeBytes(type: ElementType, values: readonly number[]): Uint8Array {
  const array =
    type === 'int64'
      ? BigInt64Array.from(values, (value) => BigInt(value))
      : type === 'int32'
        ? Int32Array.from(values)
        : type === 'bool'
          ? Uint8Array.from(values)
          : Float32Array.from(values);
  return new Uint8Array(array.buffer);
}
