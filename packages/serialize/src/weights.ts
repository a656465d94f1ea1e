/**
 * What every reader of weights gives: tensors by name that are read when somebody asks for their values, and all that
 * the file holds besides. How names of a file meet those of a model is `names.ts` and `parameters.ts`.
 */
import { excerpt, FormatError } from '@nn/core';
import type { DecodeOptions, ElementType, HostTensor } from './element-types.ts';
import { decodeElements, whyUnread } from './element-types.ts';
import type { Safetensors } from './safetensors.ts';
import type { ByteReader } from './sources/reader.ts';

/** The bounds of what a reader takes. */
export interface WeightsLimits {
  /** The most bytes of what describes the tensors: a header, a pickle, an index. */
  readonly maxHeaderBytes: number;
  readonly maxTensors: number;
  /** The most bytes that what is packed or repeated may become, where that is more than four times what holds it. */
  readonly maxBytes: number;
}

/** Whether `bytes` are more than what takes `size` bytes in a file may become. */
export function isBeyond(bytes: number, size: number, { maxBytes }: Pick<WeightsLimits, 'maxBytes'>): boolean {
  return bytes > Math.max(maxBytes, 4 * size);
}

/** The formats that are read, as results and messages name them. */
export type WeightsFormat = 'safetensors' | 'PyTorch' | 'NumPy' | 'GGUF';

/** A tensor of a file that is open. */
export interface WeightsEntry {
  /** The type of its elements, in the words of safetensors where they have one: 'F32', 'BF16', 'I64', 'Q4_0'. */
  readonly type: string;
  readonly shape: readonly number[];
  /** The bytes that its elements take in the file. */
  readonly size: number;
  /** The same for entries of the same elements (tied weights), so that nobody has to compare them. */
  readonly place?: string;
  /** Where it begins in the file, for reading in order. */
  readonly order: number;
  /** Where its bytes are, nearly: those who fetch them are told, and fetch what lies together in one go. */
  readonly extent?: { readonly reader: ByteReader; readonly begin: number; readonly end: number };
  /** Why its values cannot be read, where they cannot whatever the options. */
  readonly unread?: string;
  read(name: string, options: DecodeOptions): Promise<HostTensor>;
}

/** A file whose tensors can be read, until it is closed. */
export interface WeightsFile {
  readonly format: WeightsFormat;
  /** The bytes of the file, or of all of its files. */
  readonly size: number;
  readonly entries: ReadonlyMap<string, WeightsEntry>;
  /** Texts and numbers beside the tensors, where the format has a place for them. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What is no tensor: a sentence each, which begins with its name. */
  readonly skipped: readonly string[];
  /** The names of dictionaries that hold tensors, as 'state_dict' of a checkpoint. */
  readonly containers: readonly string[];
  close(): Promise<void>;
}

/** An entry of elements that stand in the file as safetensors would have them. */
export function plainEntry(
  format: WeightsFormat,
  type: ElementType,
  shape: readonly number[],
  source: {
    readonly size: number;
    readonly order: number;
    readonly place?: string;
    readonly owned: boolean;
    readonly extent?: WeightsEntry['extent'];
    /** Why its bytes cannot be read, as a clause that follows its name. */
    readonly unread?: string | undefined;
    bytes(): Promise<Uint8Array>;
  },
): WeightsEntry {
  const unread = source.unread ?? whyUnread(type);
  return {
    type,
    shape,
    size: source.size,
    order: source.order,
    ...(unread !== undefined && { unread }),
    ...(source.extent && { extent: source.extent }),
    ...(source.place !== undefined && { place: source.place }),
    async read(name, options) {
      if (source.unread !== undefined)
        throw new FormatError(`${format}/unread`, `'${excerpt(name)}' ${source.unread}.`, { name });
      const context = { operation: format, owned: source.owned };
      return { shape, ...decodeElements(name, type, await source.bytes(), options, context) };
    },
  };
}

/** Tells the readers of these entries that they will be read. */
export function expectReads(entries: Iterable<WeightsEntry>): void {
  const parts = new Map<ByteReader, [begin: number, end: number][]>();
  for (const { extent } of entries) {
    if (!extent) continue;
    const known = parts.get(extent.reader) ?? [];
    known.push([extent.begin, extent.end]);
    parts.set(extent.reader, known);
  }
  for (const [reader, wanted] of parts) reader.expect?.(wanted);
}

/** The entries of safetensors that are in memory as a whole. */
export function entriesOf(file: Safetensors): Map<string, WeightsEntry> {
  const entries = new Map<string, WeightsEntry>();
  for (const [name, { type, shape, bytes }] of file.tensors) {
    const source = { size: bytes.length, order: bytes.byteOffset, owned: false, bytes: async () => bytes };
    entries.set(name, plainEntry('safetensors', type, shape, source));
  }
  return entries;
}
