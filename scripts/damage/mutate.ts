/**
 * Random damage to files, from a seed: what disks, networks, editors and people who mean harm do to them. Shared by the tests of all
 * readers; it knows no format, but that most of them say what they hold at the beginning or at the end.
 */
import { RandomSequence } from '@nn/data';

/** Numbers at the edges of what counts, lengths and places are stored in. */
const edges = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fff_ffffn,
  0xffff_ffffn,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];

/** So many bytes at both ends are met more often. */
const nearEnds = 512;

/** Damaged copies of `files`, `rounds` of them, the same for one seed. */
export function* damaged(files: readonly Uint8Array[], rounds: number, seed: number): Generator<Uint8Array> {
  const random = new RandomSequence(seed);
  for (let round = 0; round < rounds; round++) {
    let bytes = files[round % files.length]!.slice();
    for (let change = random.integer(4); change >= 0; change--) bytes = changed(bytes, files, random);
    yield bytes;
  }
}

/**
 * Copies of `files` in which numbers became others: those of variable length, seven bits in a byte, as thrift and Parquet's runs
 * have them, which keeps all other things in place where the new one is as long, and those of four bytes.
 */
export function* damagedNumbers(files: readonly Uint8Array[], rounds: number, seed: number): Generator<Uint8Array> {
  const random = new RandomSequence(seed);
  for (let round = 0; round < rounds; round++) {
    let bytes = files[round % files.length]!.slice();
    for (let change = random.integer(3); change >= 0; change--) bytes = withNumber(bytes, random);
    yield bytes;
  }
}

function withNumber(bytes: Uint8Array, random: RandomSequence): Uint8Array<ArrayBuffer> {
  const at = placeIn(bytes.length, random);
  const edge = edges[random.integer(edges.length)]! ^ BigInt(random.integer(4));
  if (random.integer(4) === 0) {
    const copy = new Uint8Array(bytes);
    for (let k = 0; k < 4 && at + k < copy.length; k++) copy[at + k] = Number((edge >> BigInt(8 * k)) & 255n);
    return copy;
  }
  let end = at;
  while (end < bytes.length - 1 && bytes[end]! >= 128) end++;
  end++;
  const number: number[] = [];
  let rest = edge;
  do {
    number.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  // half of them as long as the old one was
  if (random.integer(2) === 0) {
    number.length = Math.min(number.length, end - at);
    number[number.length - 1]! &= 127;
    while (number.length < end - at) {
      number[number.length - 1]! |= 128;
      number.push(0);
    }
  }
  return joined(bytes.subarray(0, at), Uint8Array.from(number), bytes.subarray(end));
}

/** Beginnings of a file, `step` bytes apart: by 1, every one but the whole. */
export function* truncated(file: Uint8Array, step = 1): Generator<Uint8Array> {
  for (let length = 0; length < file.length; length += step) yield file.slice(0, length);
}

function changed(bytes: Uint8Array, files: readonly Uint8Array[], random: RandomSequence): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  if (copy.length === 0) return copy;
  const at = placeIn(copy.length, random);
  const length = Math.min(1 + random.integer(16), copy.length - at);
  switch (random.integer(9)) {
    case 0:
      copy[at]! ^= 1 << random.integer(8);
      return copy;
    case 1:
      copy[at] = random.integer(256);
      return copy;
    case 2: {
      const width = [1, 2, 4, 8][random.integer(4)]!;
      const edge = edges[random.integer(edges.length)]!;
      for (let k = 0; k < width && at + k < copy.length; k++) copy[at + k] = Number((edge >> BigInt(8 * k)) & 255n);
      return copy;
    }
    case 3:
      return copy.slice(0, random.integer(copy.length));
    case 4:
      return joined(copy.subarray(0, at), copy.subarray(at + length));
    case 5: {
      const more = Uint8Array.from({ length }, () => random.integer(256));
      return joined(copy.subarray(0, at), more, copy.subarray(at));
    }
    case 6:
      return joined(copy.subarray(0, at + length), copy.subarray(at));
    case 7: {
      const from = placeIn(copy.length, random);
      copy.copyWithin(at, from, from + 2 * length);
      return copy;
    }
    default: {
      // What stands at this place in another file, or in another version of this one.
      const other = files[random.integer(files.length)]!;
      const piece = other.subarray(at, at + 4 * length);
      copy.set(piece.subarray(0, copy.length - at), at);
      return copy;
    }
  }
}

function placeIn(length: number, random: RandomSequence): number {
  const near = Math.min(nearEnds, length);
  const kind = random.integer(3);
  if (kind === 0) return random.integer(length);
  return kind === 1 ? random.integer(near) : length - 1 - random.integer(near);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
