/** Unpacking what zlib packed, and packing, by the platform: Node's zlib, or the streams of browsers. Memory is bounded by the caller. */
import { FormatError } from '@nn/core';

/** The bytes inside of a zlib stream, at most `limit`; throws a `FormatError` where there are more, or it is damaged. */
export async function inflate(operation: string, packed: Uint8Array<ArrayBuffer>, limit: number): Promise<Uint8Array> {
  const zlib = nodeZlib();
  try {
    if (zlib) return new Uint8Array(zlib.inflateSync(packed, { maxOutputLength: limit }));
    return await inflateStream(packed, limit);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new FormatError(operation, `the packed pixels unpack to more than the ${limit} bytes that they should be.`);
    }
    throw new FormatError(operation, 'the packed pixels are damaged or cut off.', { reason: String(error) });
  }
}

async function inflateStream(packed: Uint8Array<ArrayBuffer>, limit: number): Promise<Uint8Array> {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate')).getReader();
  const result = new Uint8Array(limit);
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return result.subarray(0, at);
    if (at + value.length > limit) {
      await reader.cancel();
      throw new RangeError('too long');
    }
    result.set(value, at);
    at += value.length;
  }
}

export async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const zlib = nodeZlib();
  if (zlib) return zlib.deflateSync(bytes);
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function nodeZlib() {
  return typeof process === 'undefined' || !process.getBuiltinModule
    ? undefined
    : process.getBuiltinModule('node:zlib');
}
