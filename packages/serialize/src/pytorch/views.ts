/**
 * The values of PyTorch's tensors: a view (offset, sizes, strides) of a storage becomes row-major elements. Everything the
 * view claims is checked against the bytes that are there before any memory is taken.
 */
import { excerpt } from '@nn/core';
import { bitsOf } from '../element-types.ts';
import type { ByteReader } from '../sources/reader.ts';
import { isRowMajor, reversed, rowMajor } from '../strided.ts';
import { isBeyond, plainEntry, type WeightsEntry, type WeightsLimits } from '../weights.ts';
import { fail, type TorchTensor } from './tensors.ts';

/** The bytes of one storage, wherever they are. */
export interface StorageBytes {
  readonly size: number;
  readonly owned: boolean;
  /** Where it begins in the file; `reader` is that of the file, where it begins there. */
  readonly order: number;
  readonly reader?: ByteReader;
  /** Why its bytes are not read. */
  readonly unread?: string | undefined;
  read(begin: number, end: number): Promise<Uint8Array>;
}

/** The storages by key; `bigEndian` for files of machines that have numbers the other way round. */
export interface Storages {
  readonly bigEndian: boolean;
  readonly bytes: ReadonlyMap<string, StorageBytes>;
}

/** The header of a member of an archive with its name and its padding has fewer bytes. */
const headerRoom = 512;

/** A tensor as an entry, or the reason why it is none. */
export function entryOf(
  name: string,
  tensor: TorchTensor,
  storages: Storages,
  limits: Pick<WeightsLimits, 'maxBytes'>,
): WeightsEntry | string {
  const { storage, type, shape, strides } = tensor;
  if (type === undefined) return `is of ${storage.className}, which has no counterpart here`;
  const bytes = storages.bytes.get(storage.key);
  if (!bytes)
    return fail(
      'storage',
      `'${excerpt(name)}' is in the storage '${excerpt(storage.key)}', which the file lacks; it is truncated or damaged.`,
      { name },
    );
  const width = bitsOf(type) / 8;
  const count = shape.reduce((product, size) => product * size, 1);
  // Offsets count the tensor's own elements, those of a view the elements of its storage's class: both have one width but
  // for untyped storages, which have no views.
  const first = storage.offset + tensor.offset;
  const last = first + shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, 0);
  if (count > 0 && (last + 1) * width > bytes.size) {
    fail(
      'outside',
      `'${excerpt(name)}' reaches to byte ${(last + 1) * width} of its storage, which has ${bytes.size}; the file is truncated or damaged.`,
      { name },
    );
  }
  // A view may repeat elements (strides of 0), and so claim any size: a small file must not take all memory.
  const repeats = isBeyond(count * width, bytes.size, limits)
    ? `repeats the ${bytes.size} bytes of its storage to ${count * width}, more than maxBytes, which is ${limits.maxBytes}: save a copy of it without repeats, tensor.contiguous()`
    : undefined;
  const begin = bytes.order + first * width;
  return plainEntry('PyTorch', type, shape, {
    size: count * width,
    order: begin,
    // In an archive it begins a little later, behind a header of its own.
    ...(bytes.reader && {
      extent: { reader: bytes.reader, begin, end: begin + (last + 1 - first) * width + headerRoom },
    }),
    place: `${storage.key}/${first}/${type}/${shape.join()}/${strides.join()}`,
    owned: bytes.owned,
    unread: repeats ?? bytes.unread,
    async bytes() {
      if (count === 0) return new Uint8Array(0);
      const span = await bytes.read(first * width, (last + 1) * width);
      if (storages.bigEndian)
        return rowMajor(reversed(span, type === 'C64' ? width / 2 : width), shape, strides, width);
      return isRowMajor(shape, strides) ? span : rowMajor(span, shape, strides, width);
    },
  });
}
