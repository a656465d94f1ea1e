/**
 * Files of PyTorch before 1.6: pickles in a row (a magic number, the protocol, facts of the machine, the object, the keys of
 * the storages), then for each key the number of its elements in 8 bytes and the elements.
 */
import { excerpt } from '@nn/core';
import { bitsOf } from '../element-types.ts';
import type { ByteReader } from '../sources/reader.ts';
import type { WeightsLimits } from '../weights.ts';
import { type PickleHooks, unpickle } from './pickle.ts';
import type { TorchContents } from './read.ts';
import { call, fail, storageOf, TorchStorage } from './tensors.ts';
import type { StorageBytes } from './views.ts';

/** The pickle of 0x1950a86a20f9469cfc6c by protocol 2, as all of these files begin. */
const magic = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

export function isLegacy(head: Uint8Array): boolean {
  return magic.every((byte, at) => head[at] === byte);
}

export async function readLegacy(reader: ByteReader, limits: WeightsLimits): Promise<TorchContents> {
  const storages = new Map<string, TorchStorage>();
  const pickles = new PickleRow(reader, limits);
  const hooks: PickleHooks = {
    call,
    maxBytes: limits.maxBytes,
    persistent(identifier) {
      const storage = storageOf(identifier);
      if (storage instanceof TorchStorage && !storages.has(storage.key)) storages.set(storage.key, storage);
      return storage;
    },
  };
  await pickles.next(hooks);
  const protocol = await pickles.next(hooks);
  if (protocol !== 1001)
    fail('protocol', `the file has the protocol ${excerpt(String(protocol))}, 1001 is read here.`, { protocol });
  const machine = await pickles.next(hooks);
  const bigEndian = machine instanceof Map && machine.get('little_endian') === false;
  const root = await pickles.next(hooks);
  const keys = await pickles.next(hooks);
  if (!Array.isArray(keys)) return fail('keys', 'the file has no list of storages; it is damaged.');
  const bytes = new Map<string, StorageBytes>();
  let at = pickles.end;
  for (const key of keys) {
    const storage = storages.get(String(key));
    // A class without a counterpart has elements of an unknown size, so nothing behind it can be found.
    if (!storage?.type) {
      return fail(
        'storage',
        `the storage '${excerpt(String(key))}' is of ${storage?.className ?? 'no class'}, which is not read here.`,
      );
    }
    const begin = at + 8;
    const width = bitsOf(storage.type) / 8;
    const count = begin > reader.size ? -1 : countAt(await reader.read(at, begin), bigEndian);
    const end = begin + count * width;
    if (count < 0 || end > reader.size) {
      fail(
        'truncated',
        `the storage '${excerpt(String(key))}' ends at byte ${Math.max(begin, end)}, the file has ${reader.size}; it is truncated.`,
        { length: reader.size },
      );
    }
    bytes.set(String(key), {
      size: count * width,
      owned: reader.owned,
      order: begin,
      reader,
      read: (from, to) => reader.read(begin + from, begin + to),
    });
    at = end;
  }
  return { root, bytes, bigEndian };
}

/** A count of 8 bytes. */
export function countAt(bytes: Uint8Array, bigEndian = false): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, !bigEndian));
}

/** Pickles that follow one another: nothing says how long one is, so more of the file is read as long as one has not ended. */
export class PickleRow {
  private readonly reader: ByteReader;
  private readonly limit: number;
  /** Where the next pickle begins; the caller moves it over what is no pickle. */
  end: number;
  private head: Uint8Array = new Uint8Array(0);
  private headAt: number;

  constructor(reader: ByteReader, { maxHeaderBytes }: WeightsLimits, start = 0) {
    this.reader = reader;
    this.limit = maxHeaderBytes;
    this.end = start;
    this.headAt = start;
  }

  async next(hooks: PickleHooks): Promise<unknown> {
    for (let length = 2 ** 14; ; length *= 4) {
      const known = this.headAt + this.head.length;
      try {
        const { value, end } = unpickle(this.head, hooks, Math.min(this.end - this.headAt, this.head.length));
        this.end = this.headAt + end;
        return value;
      } catch (error) {
        if (Object(error).kind !== 'format/pickle/truncated' || known >= this.reader.size) throw error;
        if (known - this.end > this.limit)
          fail('pickle', `what describes the tensors has more than ${this.limit} bytes, which is maxHeaderBytes.`, {
            limit: this.limit,
          });
      }
      this.headAt = this.end;
      this.head = await this.reader.read(this.end, Math.min(this.reader.size, this.end + length));
    }
  }
}
