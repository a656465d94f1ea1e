/**
 * Files of PyTorch before 0.1.10: a tar with `storages` (elements), `tensors` (views on them) and `pickle` (the object, which
 * names tensors by number). Files without `tensors` describe them in `pickle`, as later versions do. Source: `legacy_load` in torch/serialization.py.
 */
import { excerpt } from '@nn/core';
import { bitsOf } from '../element-types.ts';
import { type ByteReader, partOf } from '../sources/reader.ts';
import type { WeightsLimits } from '../weights.ts';
import { countAt, PickleRow } from './legacy.ts';
import { PickleGlobal, type PickleHooks } from './pickle.ts';
import type { TorchContents } from './read.ts';
import { call, fail, makeTensor, storageOf, TorchStorage, type TorchTensor } from './tensors.ts';
import type { StorageBytes } from './views.ts';

/** Whether the bytes are the header of a tar: its checksum is the sum of its bytes, with its own field as spaces. */
export function isTar(head: Uint8Array): boolean {
  if (head.length < 512) return false;
  let sum = 0;
  for (let at = 0; at < 512; at++) sum += at >= 148 && at < 156 ? 32 : head[at]!;
  return sum === octal(head, 148, 8);
}

function octal(bytes: Uint8Array, at: number, length: number): number {
  const text = String.fromCharCode(...bytes.subarray(at, at + length))
    .replace(/[\0 ]+/g, ' ')
    .trim();
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

/** The members of a tar by name, as parts of the file. */
async function membersOf(reader: ByteReader): Promise<Map<string, ByteReader>> {
  const members = new Map<string, ByteReader>();
  for (let at = 0; at + 512 <= reader.size; ) {
    const header = await reader.read(at, at + 512);
    if (header[0] === 0) break;
    if (!isTar(header)) fail('tar', `byte ${at} of the tar is no header of a member; the file is damaged.`);
    const end = header.indexOf(0);
    const name = String.fromCharCode(...header.subarray(0, end < 0 || end > 100 ? 100 : end)).replace(/^\.\//, '');
    const size = octal(header, 124, 12);
    if (!(at + 512 + size <= reader.size))
      fail('truncated', `'${excerpt(name)}' in the tar lies outside of the file; it is truncated.`);
    if (members.has(name)) fail('duplicate', `the tar has '${excerpt(name)}' twice.`);
    // More than these are not needed, and a tar of many empty members would take long.
    if (members.size >= 1000) fail('tar', 'the tar has more than 1000 members; it is no file of PyTorch.');
    members.set(name, partOf(reader, at + 512, size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return members;
}

export async function readTar(reader: ByteReader, limits: WeightsLimits): Promise<TorchContents> {
  const members = await membersOf(reader);
  const [storagePart, picklePart] = [members.get('storages'), members.get('pickle')];
  if (!storagePart || !picklePart) {
    return fail(
      'tar',
      "this is a tar without 'storages' and 'pickle', so no file of PyTorch: unpack it, and load the file inside.",
    );
  }
  const machine = members.get('sys_info');
  const facts = machine && (await new PickleRow(machine, limits).next(inert(limits)));
  const bigEndian = facts instanceof Map && facts.get('little_endian') === false;
  const { bytes, storages } = await readStorages(storagePart, limits, bigEndian);
  const tensors = await readTensors(members.get('tensors'), storages, limits, bigEndian);
  const root = await new PickleRow(picklePart, limits).next({
    call,
    maxBytes: limits.maxBytes,
    persistent(identifier) {
      // A tuple is a class with its source; a tensor is named by its number.
      if (Array.isArray(identifier)) return identifier[0] === 'storage' ? storageOf(identifier) : identifier[0];
      return (
        tensors.get(String(identifier)) ??
        fail('tensor', `the file lacks the tensor ${excerpt(String(identifier))}; it is damaged.`)
      );
    },
  });
  return { root, bytes, bigEndian };
}

function inert({ maxBytes }: WeightsLimits): PickleHooks {
  return { call, maxBytes, persistent: (identifier) => identifier };
}

async function readStorages(part: ByteReader, limits: WeightsLimits, bigEndian: boolean) {
  const bytes = new Map<string, StorageBytes>();
  const storages = new Map<string, TorchStorage>();
  const row = new PickleRow(part, limits);
  const count = Number(await row.next(inert(limits)));
  for (let k = 0; k < count; k++) {
    const item = await row.next(inert(limits));
    const [key, , type] = Array.isArray(item) ? item : [];
    const storage = new TorchStorage(String(key), type instanceof PickleGlobal ? type.name : '', 0);
    const begin = row.end + 8;
    const width = storage.type ? bitsOf(storage.type) / 8 : Number.NaN;
    const size = begin > part.size ? Number.NaN : countAt(await part.read(row.end, begin), bigEndian) * width;
    if (!(size >= 0 && begin + size <= part.size)) {
      fail(
        'truncated',
        `the storage '${excerpt(String(key))}' lies outside of the file, or its class is not read here.`,
      );
    }
    bytes.set(storage.key, {
      size,
      owned: part.owned,
      order: begin,
      read: (from, to) => part.read(begin + from, begin + to),
    });
    storages.set(storage.key, storage);
    row.end = begin + size;
  }
  const views = row.end < part.size ? await row.next(inert(limits)) : [];
  // (its own key, the key of the storage that it is a part of, offset, count)
  for (const view of Array.isArray(views) ? views : []) {
    const [key, rootKey, offset, length] = Array.isArray(view) ? view : [];
    const whole = storages.get(String(rootKey));
    if (!whole || !Number.isSafeInteger(offset) || offset < 0)
      return fail('storage', 'a view of a storage has no storage or offset; the file is damaged.');
    storages.set(String(key), new TorchStorage(whole.key, whole.className, Number(length), offset));
  }
  return { bytes, storages };
}

async function readTensors(
  part: ByteReader | undefined,
  storages: ReadonlyMap<string, TorchStorage>,
  limits: WeightsLimits,
  bigEndian: boolean,
): Promise<ReadonlyMap<string, TorchTensor>> {
  const tensors = new Map<string, TorchTensor>();
  if (!part) return tensors;
  const row = new PickleRow(part, limits);
  const count = Number(await row.next(inert(limits)));
  for (let k = 0; k < count; k++) {
    if (k >= limits.maxTensors)
      fail('tensor-count', `the file has more than ${limits.maxTensors} tensors, which is maxTensors.`);
    const item = await row.next(inert(limits));
    const [key, storageKey] = Array.isArray(item) ? item : [];
    const truncated = (): never =>
      fail('truncated', `the tensor ${excerpt(String(key))} is cut off; the file is truncated.`);
    if (row.end + 8 > part.size) truncated();
    // The number of axes has 4 bytes, and 4 that mean nothing.
    const rankBytes = await part.read(row.end, row.end + 8);
    const rank = new DataView(rankBytes.buffer, rankBytes.byteOffset).getInt32(0, !bigEndian);
    const end = row.end + 8 + 8 * (2 * rank + 1);
    if (rank < 0 || rank > 64 || end > part.size) truncated();
    const numbers = await part.read(row.end + 8, end);
    const values = Array.from({ length: 2 * rank + 1 }, (_, at) => countAt(numbers.subarray(8 * at), bigEndian));
    tensors.set(
      String(key),
      makeTensor(
        storages.get(String(storageKey)),
        values[2 * rank],
        values.slice(0, rank),
        values.slice(rank, 2 * rank),
      ),
    );
    row.end = end;
  }
  return tensors;
}
