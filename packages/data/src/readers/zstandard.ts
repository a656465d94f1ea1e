/**
 * Zstandard, as Parquet and Arrow have it: by Node where it can, else by the package hyparquet-compressors, whose input is looked through
 * first. It knows no format around it.
 */

/** Gives `length` bytes, or throws an `Error`. */
export type Unpack = (packed: Uint8Array, length: number) => Uint8Array;

/** A function of Node's zlib, which newer versions alone may have. */
export function ofNode(name: 'brotliDecompressSync' | 'zstdDecompressSync'): Unpack | undefined {
  if (typeof process === 'undefined' || !process.getBuiltinModule) return undefined;
  const zlib = process.getBuiltinModule('node:zlib') as unknown as Partial<
    Record<typeof name, (packed: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array>
  >;
  const unpack = zlib[name];
  return unpack && ((packed, length) => unpack(packed, { maxOutputLength: Math.max(1, length) }));
}

/** What unpacks Zstandard; `load` gives the package, where Node has nothing. */
export async function zstandard(
  load: () => Promise<{ readonly decompressZstd: (packed: Uint8Array) => Uint8Array }>,
): Promise<Unpack> {
  const own = ofNode('zstdDecompressSync');
  if (own) {
    return (packed, length) => {
      const bytes = own(packed, length);
      return bytes.length === length ? bytes : damaged();
    };
  }
  const { decompressZstd } = await load();
  return (packed, length) => byFzstd(decompressZstd, packed, length);
}

function damaged(): never {
  throw new Error('the Zstandard data is damaged');
}

/** The largest block of Zstandard. */
const blockLength = 2 ** 17;

/**
 * Zstandard by fzstd, which believes the sizes in frames and blocks: they are looked through first, and the frame gets a head that says
 * nothing of its size, so that what comes out can be counted. After RFC 8878.
 */
function byFzstd(unpack: (packed: Uint8Array) => Uint8Array, packed: Uint8Array, length: number): Uint8Array {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  if (packed.length < 9 || view.getUint32(0, true) !== 0xfd2fb528) return damaged();
  const flags = packed[4]!;
  const isSingle = (flags & 32) !== 0;
  // reserved bits, dictionaries that are not here
  if ((flags & 0b1011) !== 0) return damaged();
  const sizeBytes = flags >> 6 === 0 ? Number(isSingle) : 1 << (flags >> 6);
  const start = 5 + Number(!isSingle) + sizeBytes;
  let [at, total, blocks, isLast] = [start, 0, 0, false];
  while (!isLast) {
    if (at + 3 > packed.length) return damaged();
    const head = packed[at]! | (packed[at + 1]! << 8) | (packed[at + 2]! << 16);
    isLast = (head & 1) === 1;
    const [kind, size] = [(head >> 1) & 3, head >> 3];
    at += 3 + (kind === 1 ? 1 : size);
    if (kind === 3 || size > blockLength || at > packed.length) return damaged();
    // a packed block does not say what it becomes: it may be little, so the number of such has a bound
    if (kind === 2) blocks++;
    else total += size;
    if (total > length || blocks > 64 + length / 1024) return damaged();
  }
  const frame = new Uint8Array(6 + at - start + (flags & 4));
  frame.set(packed.subarray(0, 4));
  frame[4] = flags & 4;
  // how far back a match may reach: through the whole page
  frame[5] = (Math.ceil(Math.log2(Math.max(length, blockLength))) - 10) << 3;
  frame.set(packed.subarray(start, at + (flags & 4)), 6);
  const bytes = unpack(frame);
  return bytes.length === length ? bytes : damaged();
}
