/**
 * Shards in the format of tar, as WebDataset writes them: files that follow each other and have one name up to the
 * first point are a sample. One pass over the headers notes where files stand; bodies are read when a sample is asked
 * for. Headers: ustar (POSIX.1-1988), its extension by pax records (POSIX.1-2001), and GNU's long names.
 */
import { checkOptions, decodeUtf8, excerpt, FormatError, ValueError } from '@nn/core';
import { checkNumber } from '../check-whole.ts';
import type { Source } from '../pipeline/source.ts';
import { isGzip } from '../readers/gunzip.ts';
import { type ByteRange, checkRange, SequentialReader } from './byte-range.ts';

/** The files of one sample. */
export interface TarSample {
  /** Folder and name up to the first point, as 'train/000017'. */
  readonly key: string;
  /** By what follows that point, as 'jpg', 'cls', 'seg.png'. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** The samples of all shards, one shard behind the other. */
export interface TarSamples extends Source<TarSample> {
  get(index: number): Promise<TarSample>;
  /** The first sample of each shard. */
  readonly blocks: Int32Array;
}

export interface TarOptions {
  /** What to call each shard in messages. */
  readonly names?: readonly string[];
}

interface Place {
  readonly path: string;
  readonly start: number;
  readonly size: number;
}

interface Entry {
  readonly key: string;
  readonly range: ByteRange;
  readonly files: (readonly [extension: string, place: Place])[];
}

const unit = 512;

/**
 * The samples of tar files, by their number; a shard that is packed must be unpacked first. Links and folders are left out. Rejects with a
 * `FormatError` for damaged headers, for an archive that is cut off (but between two files), for files with holes
 * (`tar --sparse`), for two files of one sample with one ending, and for what is no tar.
 *
 * @example
 * import { byteRange, dataPipeline, tarSamples } from '@nn/data';
 * import { readFileSync } from 'node:fs';
 * const shard = readFileSync('packages/data/fixtures/samples-ustar.tar');
 * const samples = await tarSamples([byteRange(shard)]);
 * const { key, files } = await samples.get(1);
 * console.log(samples.length, key, Object.keys(files)); // => 3 train/0001 [ 'cls', 'txt' ]
 */
export async function tarSamples(shards: readonly ByteRange[], options: TarOptions = {}): Promise<TarSamples> {
  checkOptions('tarSamples', options, ['names']);
  if (!Array.isArray(shards))
    throw new ValueError('tarSamples', 'takes a list of ranges of bytes, [await openFile(path)].');
  for (const range of shards) checkRange('tarSamples', range);
  const entries: Entry[] = [];
  const blocks: number[] = [];
  for (const [shard, range] of shards.entries()) {
    blocks.push(entries.length);
    const name = options.names?.[shard] ?? `shard ${shard}`;
    for await (const place of filesOf(`tarSamples: ${name}`, range)) {
      const at = place.path.indexOf('.', place.path.lastIndexOf('/') + 1);
      const key = at < 0 ? place.path : place.path.slice(0, at);
      const extension = at < 0 ? '' : place.path.slice(at + 1);
      let entry = entries.at(-1);
      if (entry?.key !== key || entry.range !== range) {
        entry = { key, range, files: [] };
        entries.push(entry);
      }
      if (entry.files.some(([other]) => other === extension)) {
        throw new FormatError('tarSamples', `${name} has ${excerpt(place.path, 100)} twice.`, { path: place.path });
      }
      entry.files.push([extension, place]);
    }
  }
  return {
    length: entries.length,
    blocks: Int32Array.from(blocks),
    async get(index) {
      checkNumber('tarSamples', index, entries.length);
      const { key, range, files } = entries[index]!;
      const bodies = await Promise.all(files.map(([, { start, size }]) => range.read(start, start + size)));
      // Without a prototype, for endings may have any name.
      const read: Record<string, Uint8Array> = Object.create(null);
      files.forEach(([extension], i) => {
        read[extension] = bodies[i]!;
      });
      return { key, files: read };
    },
  };
}

/** Where the files of an archive stand, in its order. */
async function* filesOf(reader: string, range: ByteRange): AsyncGenerator<Place, void> {
  const bytes = new SequentialReader(range);
  const fail = (at: number, what: string): never => {
    throw new FormatError(reader, `byte ${at}: ${what}`, { at });
  };
  let given: PaxRecords = {};
  let end = 0;
  let kind = '';
  for (let at = 0; at < range.size; at = end) {
    const header = await bytes.read(at, unit);
    if (at === 0 && isGzip(header)) fail(0, 'this is packed by gzip: unpack it first, byteRange(await gunzip(bytes)).');
    if (header.length < unit) fail(at, 'the file ends within a header; it is cut off.');
    // Two empty headers end an archive; what follows is no part of it.
    if (header.every((byte) => byte === 0)) return;
    if (checksum(header) !== octal(header, 148, 8))
      fail(at, 'the header has another checksum; this is no tar, or damaged.');
    kind = String.fromCharCode(header[156]!);
    const size = given.size ?? octal(header, 124, 12);
    const start = at + unit;
    if (!(size >= 0) || start + size > range.size) fail(at, 'the file goes on behind the end; it is cut off.');
    end = start + Math.ceil(size / unit) * unit;
    if (kind === 'S' || given.isSparse)
      fail(
        start - unit,
        `${excerpt(given.path ?? ustarPath(header), 100)} is stored with holes: pack it anew without --sparse.`,
      );
    if (kind === 'x') given = { ...given, ...paxRecords(await bytes.read(start, size)) };
    else if (kind === 'L') given = { ...given, path: text(await bytes.read(start, size)) };
    else {
      const path = given.path ?? ustarPath(header);
      given = {};
      // Before 1988 a folder was a file whose name ends with a slash.
      const isFile = (kind === '0' || kind === '\0' || kind === '7') && !path.endsWith('/');
      if (isFile) yield { path, start, size };
    }
  }
  // Some writers leave out the empty headers. Then the archive ends where it does, behind a file that is whole with what fills
  // its last 512 bytes; GNU tar and Python read it so, too.
  if (end > range.size) fail(range.size, 'the file ends within the last 512 bytes of an entry; it is cut off.');
  if (kind === 'x' || kind === 'L')
    fail(range.size, 'the file ends where an entry that was announced begins; it is cut off.');
}

/** What stands for one file in headers of its own, before its header. */
interface PaxRecords {
  readonly path?: string;
  readonly size?: number;
  /** Parts of it are left out, and told of in a list: the body is not the file. */
  readonly isSparse?: boolean;
}

/** The sum of all bytes, those of the checksum itself counted as spaces. */
function checksum(header: Uint8Array): number {
  return header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte), 0);
}

/** A number in octal digits, or, for large files, in base 256 behind a first bit of 1. */
function octal(header: Uint8Array, at: number, length: number): number {
  const field = header.subarray(at, at + length);
  if (field[0]! & 0x80) return field.slice(1).reduce((value, byte) => value * 256 + byte, field[0]! & 0x7f);
  const digits = text(field).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN;
}

function ustarPath(header: Uint8Array): string {
  const name = text(header.subarray(0, 100));
  const prefix =
    text(header.subarray(257, 262)) === 'ustar' && header[262] === 0 ? text(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Records as '19 path=train/0.txt' with the number of their own bytes in front. */
function paxRecords(bytes: Uint8Array): PaxRecords {
  const found: { path?: string; size?: number; isSparse?: boolean } = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const length = Number(text(bytes.subarray(at, Math.max(at, space))));
    if (space < 0 || !(length > 0)) break;
    const record = text(bytes.subarray(space + 1, at + length - 1));
    const [key, value] = [record.slice(0, record.indexOf('=')), record.slice(record.indexOf('=') + 1)];
    if (key === 'path') found.path = value;
    if (key === 'size') found.size = Number(value);
    if (key.startsWith('GNU.sparse.')) found.isSparse = true;
    at += length;
  }
  return found;
}

/** Text up to the first zero. Names of other encodings keep a mark in place of what cannot be read. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  const used = end < 0 ? bytes : bytes.subarray(0, end);
  return decodeUtf8(used) ?? new TextDecoder().decode(used);
}
