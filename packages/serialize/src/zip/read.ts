/**
 * Archives (ZIP, ZIP64) read in parts: the directory at the end, then of each member only the bytes that are asked for.
 * Sizes come from the directory, for the headers of members may lack them. Nothing is unpacked onto a disk, so a name
 * like '../x' is only a name. Source: PKWARE, APPNOTE.TXT 6.3.10; deflate is RFC 1951, by the platform's own stream.
 */
import { decodeUtf8, excerpt, FormatError } from '@nn/core';
import type { ByteReader } from '../sources/reader.ts';
import { isBeyond, type WeightsLimits } from '../weights.ts';
import { crc32 } from './crc32.ts';

/** What stands in an archive under one name. */
export interface Member {
  readonly name: string;
  readonly size: number;
  readonly packedSize: number;
  readonly stored: boolean;
  readonly crc: number;
  /** Where its local header begins. */
  readonly at: number;
}

const endSize = 22;
/** The local header of a member, before its name. */
const headerSize = 30;
const longestComment = 0xffff;
/** The most that deflate packs: 258 bytes in two bits. */
const densest = 1032;

export function fail(reason: string, what: string, data?: Readonly<Record<string, unknown>>): never {
  throw new FormatError(`zip/${reason}`, what, data);
}

/** The 64-bit number at `at`; beyond 2^53 no file reaches, and the comparisons that follow refuse it. */
function long(view: DataView, at: number): number {
  return view.getUint32(at, true) + 2 ** 32 * view.getUint32(at + 4, true);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The members by name, in the directory's order. Throws a `FormatError` for archives that are cut off, damaged, encrypted or in parts, and for doubled names. */
export async function readDirectory(reader: ByteReader, maxMembers: number): Promise<ReadonlyMap<string, Member>> {
  const tailAt = Math.max(0, reader.size - endSize - longestComment);
  const tail = viewOf(await reader.read(tailAt, reader.size));
  let end = tail.byteLength - endSize;
  // The comment may hold anything, so the last signature whose comment ends with the file counts.
  while (
    end >= 0 &&
    !(tail.getUint32(end, true) === 0x06054b50 && end + endSize + tail.getUint16(end + 20, true) <= tail.byteLength)
  )
    end--;
  if (end < 0) {
    return fail(
      'truncated',
      'the archive has no directory at its end; the file is cut off. Download or copy it again.',
      {
        length: reader.size,
      },
    );
  }
  let count = tail.getUint16(end + 10, true);
  let size = tail.getUint32(end + 12, true);
  let begin = tail.getUint32(end + 16, true);
  const locator = end - 20;
  if (locator >= 0 && tail.getUint32(locator, true) === 0x07064b50) {
    const at = long(tail, locator + 8);
    if (at + 56 > reader.size) fail('directory', 'the directory of the archive (ZIP64) lies outside of the file.');
    const wide = viewOf(await reader.read(at, at + 56));
    if (wide.getUint32(0, true) !== 0x06064b50) fail('directory', 'the directory of the archive (ZIP64) is damaged.');
    count = long(wide, 32);
    size = long(wide, 40);
    begin = long(wide, 48);
  }
  if (begin + size > reader.size) fail('directory', 'the directory of the archive lies outside of the file.');
  if (count > maxMembers) fail('members', `the archive has ${count} members, ${maxMembers} are the limit.`, { count });
  // A member takes 46 bytes of the directory at least.
  if (count * 46 > size)
    fail('directory', `the directory of the archive has ${size} bytes, too few for ${count} members.`);
  return parseDirectory(await reader.read(begin, begin + size), count, reader.size);
}

function parseDirectory(bytes: Uint8Array, count: number, fileSize: number): ReadonlyMap<string, Member> {
  const view = viewOf(bytes);
  const members = new Map<string, Member>();
  let at = 0;
  for (let k = 0; k < count; k++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50) {
      fail('directory', `the directory of the archive is damaged at member ${k}.`);
    }
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const [nameSize, extraSize, commentSize] = [28, 30, 32].map((field) => view.getUint16(at + field, true)) as [
      number,
      number,
      number,
    ];
    const next = at + 46 + nameSize + extraSize + commentSize;
    if (next > bytes.length) fail('directory', `the directory of the archive is cut off at member ${k}.`);
    const name = decodeUtf8(bytes.subarray(at + 46, at + 46 + nameSize));
    if (name === undefined) return fail('directory', `the name of member ${k} of the archive is not UTF-8.`);
    const shown = excerpt(name);
    if (flags & 1) fail('encrypted', `'${shown}' is encrypted; unpack the archive with its password first.`);
    if (method !== 0 && method !== 8) {
      fail('method', `'${shown}' is packed by method ${method}; only stored and deflated members are read.`, {
        method,
      });
    }
    const sizes = {
      size: view.getUint32(at + 24, true),
      packed: view.getUint32(at + 20, true),
      at: view.getUint32(at + 42, true),
    };
    readWideSizes(view, at + 46 + nameSize, extraSize, sizes);
    if (sizes.at + headerSize + sizes.packed > fileSize)
      fail('outside', `'${shown}' lies outside of the ${fileSize} bytes of the file.`);
    if (method === 0 ? sizes.size !== sizes.packed : sizes.size > sizes.packed * densest + densest) {
      fail('size', `'${shown}' claims ${sizes.size} bytes, its ${sizes.packed} in the archive cannot hold them.`);
    }
    if (members.has(name)) fail('duplicate', `the archive has '${shown}' twice.`, { name });
    members.set(name, {
      name,
      size: sizes.size,
      packedSize: sizes.packed,
      stored: method === 0,
      crc: view.getUint32(at + 16, true),
      at: sizes.at,
    });
    at = next;
  }
  refuseOverlaps(members.values());
  return members;
}

/** No bytes stand for two members: a small archive must not be unpacked without end. */
function refuseOverlaps(members: Iterable<Member>): void {
  const sorted = [...members].sort((a, b) => a.at - b.at);
  for (const [k, { name, at }] of sorted.entries()) {
    const before = sorted[k - 1];
    // Behind the header there are the name and more, so that this is the least.
    if (before && at < before.at + headerSize + before.packedSize)
      fail('overlap', `'${excerpt(before.name)}' and '${excerpt(name)}' overlap in the archive; it is damaged.`, {
        name,
      });
  }
}

/** Why a member is not unpacked, as a clause that follows its name: it becomes more than it should. */
export function unpacksBeyond({ stored, size, packedSize }: Member, limits: WeightsLimits): string | undefined {
  return !stored && isBeyond(size, packedSize, limits)
    ? `unpacks from ${packedSize} bytes to ${size}, more than four times, and than maxBytes, which is ${limits.maxBytes}: where you trust the file, pass { maxBytes: ${size} }`
    : undefined;
}

/** ZIP64: those of the three numbers that do not fit into 32 bits stand in the extra field 1, in this order. */
function readWideSizes(
  view: DataView,
  begin: number,
  length: number,
  sizes: { size: number; packed: number; at: number },
): void {
  for (let at = begin; at + 4 <= begin + length; ) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1) {
      let field = at + 4;
      for (const key of ['size', 'packed', 'at'] as const) {
        if (sizes[key] !== 0xffffffff) continue;
        if (field + 8 > Math.min(end, begin + length))
          fail('directory', 'the directory of the archive lacks a size of 64 bits.');
        sizes[key] = long(view, field);
        field += 8;
      }
    }
    at = end;
  }
}

/** Where the bytes of a member begin in the file. */
export async function placeOf(reader: ByteReader, member: Member): Promise<number> {
  const header = viewOf(await reader.read(member.at, member.at + headerSize));
  const begin = member.at + headerSize + header.getUint16(26, true) + header.getUint16(28, true);
  if (header.getUint32(0, true) !== 0x04034b50 || begin + member.packedSize > reader.size) {
    fail('member', `the header of '${excerpt(member.name)}' in the archive is damaged.`, { name: member.name });
  }
  return begin;
}

/** All bytes of a member; what is more or less than the directory says, or has another checksum, is refused. */
export async function readMember(reader: ByteReader, member: Member, limit: number): Promise<Uint8Array> {
  if (member.size > limit) {
    fail('member-size', `'${excerpt(member.name)}' has ${member.size} bytes, ${limit} is the limit.`, { limit });
  }
  const begin = await placeOf(reader, member);
  const packed = await reader.read(begin, begin + member.packedSize);
  const bytes = member.stored ? packed : await inflate(packed, member.name, member.size);
  if (crc32(bytes) !== member.crc) {
    fail('checksum', `'${excerpt(member.name)}' has another checksum than its directory says; the file is damaged.`);
  }
  return bytes;
}

/** Unpacks a member that was deflated, never to more than `size` bytes, and not to fewer. `first` reads only so many, from the beginning. */
export async function inflate(
  packed: Uint8Array,
  name: string,
  size: number,
  first: number = size,
): Promise<Uint8Array> {
  const wrong = (why: string): never =>
    fail('deflate', `'${excerpt(name)}' cannot be unpacked: ${why}; the file is damaged.`);
  const bytes = new Uint8Array(Math.min(size, first));
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('deflate-raw'));
  const parts = stream.getReader();
  let filled = 0;
  try {
    for (;;) {
      const { done, value } = await parts.read();
      if (done) break;
      const room = bytes.length - filled;
      if (value.length > room && bytes.length === size) return wrong(`it has more than its ${size} bytes`);
      bytes.set(value.length > room ? value.subarray(0, room) : value, filled);
      filled += Math.min(room, value.length);
      if (filled === bytes.length && bytes.length < size) break;
    }
  } catch (error) {
    if (error instanceof FormatError) throw error;
    return wrong(error instanceof Error ? error.message : String(error));
  } finally {
    await parts.cancel().catch(() => undefined);
  }
  if (filled < bytes.length) wrong(`it has ${filled} of ${bytes.length} bytes`);
  return bytes;
}
