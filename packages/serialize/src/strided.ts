/**
 * Elements that lie otherwise than tensors have them (transposed, with gaps, of machines that write numbers the other way
 * round) brought into order, whatever they mean. Shared by the readers of PyTorch's and NumPy's files.
 */

/** Whether the elements of a view follow one another without gaps, the last axis fastest. */
export function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** The elements of a view, of `width` bytes each, one after the other as the last axis runs fastest. */
export function rowMajor(
  span: Uint8Array,
  shape: readonly number[],
  strides: readonly number[],
  width: number,
): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const result = new Uint8Array(count * width);
  const from = elements(span, width);
  const to = elements(result, width);
  const inner = shape[shape.length - 1] ?? 1;
  const step = strides[shape.length - 1] ?? 1;
  const index = new Array<number>(Math.max(0, shape.length - 1)).fill(0);
  let source = 0;
  for (let at = 0; at < count; at += inner) {
    for (let k = 0; k < inner; k++) to[at + k] = from[source + k * step]!;
    for (let axis = index.length - 1; axis >= 0; axis--) {
      source += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      source -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

/** The bytes as elements that can be copied whole. Integers, for a float would not keep the bits of every NaN. */
function elements(bytes: Uint8Array, width: number): { [at: number]: number | bigint } {
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  const [buffer, offset, length] = [aligned.buffer, aligned.byteOffset, aligned.byteLength / width];
  if (width === 8) return new BigUint64Array(buffer, offset, length);
  if (width === 4) return new Uint32Array(buffer, offset, length);
  if (width === 2) return new Uint16Array(buffer, offset, length);
  return aligned;
}

/** A copy in which each number of `width` bytes is turned round. */
export function reversed(bytes: Uint8Array, width: number): Uint8Array {
  const result = new Uint8Array(bytes);
  for (let at = 0; at + width <= result.length; at += width) result.subarray(at, at + width).reverse();
  return result;
}
