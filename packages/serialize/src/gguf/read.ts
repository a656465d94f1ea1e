/**
 * Files of llama.cpp (.gguf): the header is read at once, each tensor when it is asked for. Floats and integers are read as
 * elsewhere; what was quantised in blocks becomes float32, as `blocks.ts` says.
 */
import { excerpt } from '@nn/core';
import { bitsOf, type ElementType } from '../element-types.ts';
import type { ByteReader } from '../sources/reader.ts';
import { plainEntry, type WeightsEntry, type WeightsFile, type WeightsLimits } from '../weights.ts';
import { type BlockType, blockTypes, decodeBlocks } from './blocks.ts';
import { fail, type Header, parseHeader, type TensorInfo } from './header.ts';

export const plainTypes: ReadonlyMap<number, ElementType> = new Map<number, ElementType>([
  [0, 'F32'],
  [1, 'F16'],
  [24, 'I8'],
  [25, 'I16'],
  [26, 'I32'],
  [27, 'I64'],
  [28, 'F64'],
  [30, 'BF16'],
]);

export async function openGguf(reader: ByteReader, limits: WeightsLimits): Promise<WeightsFile> {
  const { metadata, tensors, dataStart } = await readHeader(reader, limits);
  const entries = new Map<string, WeightsEntry>();
  const skipped: string[] = [];
  const regions: { readonly name: string; readonly begin: number; readonly end: number }[] = [];
  for (const info of tensors) {
    const size = sizeOf(info);
    if (size === undefined) {
      skipped.push(`${excerpt(info.name, 200)}: elements of the type ${info.type}, which is not known here`);
      continue;
    }
    const begin = dataStart + info.offset;
    if (begin + size > reader.size) {
      fail(
        'truncated',
        `'${excerpt(info.name)}' ends at byte ${begin + size}, the file has ${reader.size}; it is truncated.`,
        { name: info.name, length: reader.size },
      );
    }
    regions.push({ name: info.name, begin, end: begin + size });
    entries.set(info.name, entryOf(reader, info, begin, size));
  }
  refuseOverlaps(regions);
  const { size } = reader;
  return { format: 'GGUF', size, entries, metadata, skipped, containers: [], close: () => reader.close() };
}

/** Reads as much as the header needs: nothing says beforehand how long it is. */
async function readHeader(reader: ByteReader, { maxHeaderBytes, maxTensors }: WeightsLimits): Promise<Header> {
  for (let length = 2 ** 16; ; length *= 4) {
    const known = Math.min(length, reader.size, maxHeaderBytes);
    try {
      return parseHeader(await reader.read(0, known), maxTensors);
    } catch (error) {
      if (Object(error).kind !== 'format/GGUF/truncated' || known === reader.size) throw error;
      if (known === maxHeaderBytes)
        fail('header', `the header has more than ${maxHeaderBytes} bytes, which is maxHeaderBytes.`, {
          limit: maxHeaderBytes,
        });
    }
  }
}

/** The bytes of a tensor; undefined for types that are not known. */
function sizeOf({ name, shape, type }: TensorInfo): number | undefined {
  const count = shape.reduce((product, extent) => product * extent, 1);
  const plain = plainTypes.get(type);
  const block = blockTypes.get(type);
  if (!plain && !block) return undefined;
  const size = plain ? (count * bitsOf(plain)) / 8 : (count / block!.elements) * block!.bytes;
  const row = shape.at(-1) ?? 1;
  const words = `'${excerpt(name)}' of shape [${shape.join(', ')}]`;
  if (block && row % block.elements !== 0)
    fail(
      'tensor',
      `${words} is ${block.name}, whose rows have multiples of ${block.elements} elements; the file is damaged.`,
      { name },
    );
  if (!Number.isSafeInteger(size)) fail('tensor', `${words} is larger than any file; the file is damaged.`, { name });
  return size;
}

function entryOf(reader: ByteReader, { name, shape, type }: TensorInfo, begin: number, size: number): WeightsEntry {
  const bytes = (): Promise<Uint8Array> => reader.read(begin, begin + size);
  const plain = plainTypes.get(type);
  const extent = { reader, begin, end: begin + size };
  if (plain) return plainEntry('GGUF', plain, shape, { size, order: begin, owned: reader.owned, extent, bytes });
  const block = blockTypes.get(type)!;
  const unread = whyUnread(block);
  return {
    type: block.name,
    shape,
    size,
    order: begin,
    extent,
    ...(unread !== undefined && { unread }),
    async read() {
      if (unread !== undefined) return fail('type', `'${excerpt(name)}' ${unread}.`, { name, type: block.name });
      return { dtype: 'float32', shape, data: decodeBlocks(await bytes(), block) };
    },
  };
}

function whyUnread({ name, decode }: BlockType): string | undefined {
  return decode ? undefined : `is ${name}, which is not read here; quantise the model to Q4_K, Q8_0 or F16 instead`;
}

/** No bytes stand for two tensors: a small file must not take all memory. */
function refuseOverlaps(regions: { readonly name: string; readonly begin: number; readonly end: number }[]): void {
  const sorted = [...regions].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let before = sorted[0];
  for (const region of sorted.slice(1)) {
    if (before && region.begin < before.end) {
      fail('overlap', `'${excerpt(before.name)}' and '${excerpt(region.name)}' overlap; the file is damaged.`, {
        name: region.name,
      });
    }
    if (region.end > region.begin) before = region;
  }
}
