/** A file that must have a certain SHA-256, whatever it comes from: refused before anything of it is used. */
import { type AbortSignalLike, excerpt, FormatError, ValueError } from '@nn/core';
import type { ByteReader } from './reader.ts';
import { Sha256 } from './sha256.ts';

const pieceSize = 2 ** 20;

/** Reads all of a file, and throws a `FormatError` where its hash is another one. The reader is closed then. */
export async function checkHash(
  reader: ByteReader,
  expected: string,
  signal: AbortSignalLike | undefined,
): Promise<void> {
  try {
    if (!/^[\da-f]{64}$/i.test(expected))
      throw new ValueError('download', `sha256 is '${excerpt(expected)}', not 64 digits of hexadecimal.`);
    const hash = hashing();
    for (let at = 0; at < reader.size; at += pieceSize) {
      signal?.throwIfAborted();
      hash.update(await reader.read(at, Math.min(reader.size, at + pieceSize)));
    }
    const found = hash.digest();
    if (found !== expected.toLowerCase()) {
      throw new FormatError(
        'download/sha256',
        `the file has the SHA-256 ${found}, ${expected.toLowerCase()} is asked for; it is another file, or damaged.`,
        { found, expected },
      );
    }
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** Node's own hash is faster. */
function hashing(): { update(bytes: Uint8Array): unknown; digest(): string } {
  if (typeof process === 'undefined' || !process.getBuiltinModule) return new Sha256();
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256');
  return { update: (bytes) => hash.update(bytes), digest: () => hash.digest('hex') };
}
