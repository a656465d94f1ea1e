/**
 * Files of PyTorch (.pt, .pth, .bin), told apart by their first bytes: archives (since 1.6), pickles in a row (before), and
 * tar (before 0.1.10). Nothing in them is run. Values are read when they are asked for. Source: torch/serialization.py.
 */
import { decodeUtf8, excerpt } from '@nn/core';
import type { ByteReader } from '../sources/reader.ts';
import type { WeightsEntry, WeightsFile, WeightsLimits } from '../weights.ts';
import { inflate, type Member, placeOf, readMember, unpacksBeyond } from '../zip/read.ts';
import { isLegacy, readLegacy } from './legacy.ts';
import { unpickle } from './pickle.ts';
import { flatten } from './state-dict.ts';
import { readTar } from './tar.ts';
import { call, fail, storageOf, TorchStorage } from './tensors.ts';
import { entryOf, type StorageBytes, type Storages } from './views.ts';

/** Opens a file of PyTorch that is no archive: pickles in a row, or a tar. */
export async function openTorch(reader: ByteReader, limits: WeightsLimits): Promise<WeightsFile> {
  const head = await reader.read(0, Math.min(512, reader.size));
  return weightsOf(reader, isLegacy(head) ? await readLegacy(reader, limits) : await readTar(reader, limits), limits);
}

/** What all three containers come down to: the object that was saved, and the storages by key. */
export interface TorchContents extends Storages {
  readonly root: unknown;
}

function weightsOf(reader: ByteReader, contents: TorchContents, limits: WeightsLimits): WeightsFile {
  const { tensors, skipped, containers } = flatten(contents.root, limits.maxTensors);
  const entries = new Map<string, WeightsEntry>();
  const left = [...skipped];
  for (const [name, tensor] of tensors) {
    const entry = entryOf(name, tensor, contents, limits);
    if (typeof entry === 'string') left.push(`${excerpt(name, 200)}: ${entry}`);
    else entries.set(name, entry);
  }
  const { size } = reader;
  const close = (): Promise<void> => reader.close();
  return { format: 'PyTorch', size, entries, metadata: new Map(), skipped: left, containers, close };
}

/** An archive whose directory has been read: one folder with data.pkl, data/<key>, and byteorder since 2.1. */
export async function openArchive(
  reader: ByteReader,
  members: ReadonlyMap<string, Member>,
  limits: WeightsLimits,
): Promise<WeightsFile> {
  const pickleName = [...members.keys()].find((name) => /^([^/]*\/)?data\.pkl$/.test(name));
  const pickle = pickleName === undefined ? undefined : members.get(pickleName);
  if (pickleName === undefined || !pickle)
    return fail('archive', 'the archive has no data.pkl; it is no file of PyTorch.');
  const root = pickleName.slice(0, -'data.pkl'.length);
  if (members.has(`${root}constants.pkl`) || [...members.keys()].some((name) => name.startsWith(`${root}code/`))) {
    const { torchScript } = await import('../rare-kinds.ts');
    fail('torchscript', torchScript);
  }
  const order = members.get(`${root}byteorder`);
  const bigEndian = order !== undefined && decodeUtf8(await readMember(reader, order, 100))?.trim() === 'big';
  const bytes = new Map<string, StorageBytes>();
  const pickled = await readMember(reader, pickle, limits.maxHeaderBytes);
  const unpack = lastUnpacked(reader);
  const { value } = unpickle(pickled, {
    call,
    maxBytes: limits.maxBytes,
    persistent(identifier) {
      const storage = storageOf(identifier);
      if (storage instanceof TorchStorage && !bytes.has(storage.key)) {
        const member = members.get(`${root}data/${storage.key}`);
        if (member) bytes.set(storage.key, memberBytes(reader, member, unpack, limits));
      }
      return storage;
    },
  });
  return weightsOf(reader, { root: value, bytes, bigEndian }, limits);
}

/** The bytes of a member: a part of the file where it is stored, as PyTorch does; unpacked where other tools packed it. */
function memberBytes(
  reader: ByteReader,
  member: Member,
  unpack: (member: Member, at: number) => Promise<Uint8Array>,
  limits: WeightsLimits,
): StorageBytes {
  let place: Promise<number> | undefined;
  const begins = (): Promise<number> => {
    place ??= placeOf(reader, member);
    return place;
  };
  return {
    size: member.size,
    owned: reader.owned || !member.stored,
    order: member.at,
    reader,
    unread: unpacksBeyond(member, limits),
    async read(begin, end) {
      const at = await begins();
      if (member.stored) return reader.read(at + begin, at + end);
      return (await unpack(member, at)).slice(begin, end);
    },
  };
}

/** Unpacks members, and keeps the last one: many tensors may be parts of it. */
function lastUnpacked(reader: ByteReader): (member: Member, at: number) => Promise<Uint8Array> {
  let last: { readonly member: Member; readonly bytes: Promise<Uint8Array> } | undefined;
  return async (member, at) => {
    if (last?.member !== member) {
      last = undefined;
      const packed = await reader.read(at, at + member.packedSize);
      last = { member, bytes: inflate(packed, member.name, member.size) };
    }
    return last.bytes;
  };
}
