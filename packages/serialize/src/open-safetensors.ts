/**
 * A safetensors file that is read in parts: its header at once, each tensor when it is asked for. What the header means is
 * `safetensors.ts`.
 */
import { dataStartOf, isOtherwise, readLayout } from './safetensors.ts';
import type { ByteReader } from './sources/reader.ts';
import { plainEntry, type WeightsEntry, type WeightsFile, type WeightsLimits } from './weights.ts';

/** A file whose header alone has been read; values are read when they are asked for. `head` are its first bytes. */
export async function openSafetensors(
  reader: ByteReader,
  head: Uint8Array,
  { maxHeaderBytes, maxTensors }: WeightsLimits,
): Promise<WeightsFile> {
  const kindOf = isOtherwise(head, reader.size, maxHeaderBytes)
    ? (await import('./rare-kinds.ts')).anyKind
    : () => undefined;
  const dataStart = dataStartOf(head, reader.size, maxHeaderBytes, kindOf);
  const { regions, metadata } = readLayout(await reader.read(8, dataStart), reader.size - dataStart, maxTensors);
  const entries = new Map<string, WeightsEntry>();
  for (const { name, type, shape, begin, end } of regions) {
    const source = {
      size: end - begin,
      order: dataStart + begin,
      owned: reader.owned,
      extent: { reader, begin: dataStart + begin, end: dataStart + end },
      bytes: () => reader.read(dataStart + begin, dataStart + end),
    };
    entries.set(name, plainEntry('safetensors', type, shape, source));
  }
  const { size } = reader;
  return { format: 'safetensors', size, entries, metadata, skipped: [], containers: [], close: () => reader.close() };
}
