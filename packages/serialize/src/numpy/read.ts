/**
 * Files of NumPy as weights: one array, or an archive of them (.npz, stored or deflated). Of an archive only the headers are
 * read until values are asked for, so what a small archive would unpack to is known, and checked, before it is.
 */
import { excerpt } from '@nn/core';
import type { ByteReader } from '../sources/reader.ts';
import { plainEntry, type WeightsEntry, type WeightsFile, type WeightsLimits } from '../weights.ts';
import { crc32 } from '../zip/crc32.ts';
import { inflate, type Member, placeOf, unpacksBeyond, fail as zipFail } from '../zip/read.ts';
import { dataStartOf, inOrder, readArrayHeader } from './npy.ts';

/** One array, under the name 'array'. */
export async function openNpy(reader: ByteReader, limits: WeightsLimits): Promise<WeightsFile> {
  const entry = await entryOf(
    'the file',
    {
      size: reader.size,
      owned: reader.owned,
      order: 0,
      extent: { reader, begin: 0, end: reader.size },
      read: (begin, end) => reader.read(begin, end),
    },
    limits,
  );
  const isEntry = typeof entry !== 'string';
  return {
    format: 'NumPy',
    size: reader.size,
    entries: new Map(isEntry ? [['array', entry]] : []),
    metadata: new Map(),
    skipped: isEntry ? [] : [`array: ${entry}`],
    containers: [],
    close: () => reader.close(),
  };
}

/** The arrays of an archive whose directory has been read. */
export async function openNpz(
  reader: ByteReader,
  members: ReadonlyMap<string, Member>,
  limits: WeightsLimits,
): Promise<WeightsFile> {
  const entries = new Map<string, WeightsEntry>();
  const skipped: string[] = [];
  for (const member of members.values()) {
    const name = member.name.replace(/\.npy$/, '');
    if (name === member.name) {
      skipped.push(`${excerpt(name, 200)}: no array of NumPy`);
      continue;
    }
    const entry = await entryOf(`'${excerpt(name)}'`, await contentsOf(reader, member, limits), limits);
    if (typeof entry === 'string') skipped.push(`${excerpt(name, 200)}: ${entry}`);
    else entries.set(name, entry);
  }
  const { size } = reader;
  return { format: 'NumPy', size, entries, metadata: new Map(), skipped, containers: [], close: () => reader.close() };
}

/** The bytes of one array; `check` compares its checksum, once all of it has been read. */
interface Contents {
  readonly size: number;
  readonly owned: boolean;
  readonly order: number;
  readonly extent: NonNullable<WeightsEntry['extent']>;
  /** Why it is not unpacked. */
  readonly unread?: string | undefined;
  read(begin: number, end: number): Promise<Uint8Array>;
  check?(parts: readonly Uint8Array[]): void;
}

async function contentsOf(reader: ByteReader, member: Member, limits: WeightsLimits): Promise<Contents> {
  const begin = await placeOf(reader, member);
  const check = (parts: readonly Uint8Array[]): void => {
    if (parts.reduce((crc, part) => crc32(part, crc), 0) !== member.crc) {
      zipFail(
        'checksum',
        `'${excerpt(member.name)}' has another checksum than its directory says; the file is damaged.`,
      );
    }
  };
  const extent = { reader, begin, end: begin + member.packedSize };
  const common = { size: member.size, order: begin, extent, check };
  if (member.stored)
    return { ...common, owned: reader.owned, read: (from, to) => reader.read(begin + from, begin + to) };
  return {
    ...common,
    owned: true,
    unread: unpacksBeyond(member, limits),
    async read(from, to) {
      // Of the beginning no more is unpacked than is asked for; it needs no more packed bytes, and a block of deflate.
      const packedEnd = to === member.size ? member.packedSize : Math.min(member.packedSize, to + 2 ** 17);
      const packed = await reader.read(begin, begin + packedEnd);
      const bytes = await inflate(packed, member.name, member.size, to);
      return from === 0 ? bytes : bytes.slice(from, to);
    },
  };
}

async function entryOf(name: string, contents: Contents, limits: WeightsLimits): Promise<WeightsEntry | string> {
  // Most headers have 128 bytes: one read gives them whole.
  const head = await contents.read(0, Math.min(contents.size, 128));
  const dataStart = dataStartOf(name, head, Math.min(contents.size, limits.maxHeaderBytes));
  const headerBytes = dataStart <= head.length ? head.slice(0, dataStart) : await contents.read(0, dataStart);
  const header = readArrayHeader(name, headerBytes, contents.size);
  if (typeof header === 'string') return header;
  return plainEntry('NumPy', header.type, header.shape, {
    size: header.size,
    order: contents.order,
    owned: contents.owned,
    extent: contents.extent,
    unread: contents.unread,
    async bytes() {
      const data = await contents.read(dataStart, contents.size);
      contents.check?.([headerBytes, data]);
      return inOrder(data, header);
    },
  });
}
