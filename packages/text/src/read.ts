/**
 * Reads files: by path in Node, by address anywhere, or from bytes. Owns the reading; what a file means is for those who
 * ask. Node's modules are asked for at run time, so that bundlers for pages see none.
 */
import { type AbortSignalLike, bytesFrom, decodeUtf8, excerpt, FormatError, untilAborted, ValueError } from '@nn/core';

/** The path or address of a file (also a URL), its bytes, a file or answer of a page, or what JSON.parse made of it. */
export type JsonSource = string | object;

/** The object that a JSON file holds. Throws FormatError, which names the file, for one that is missing or no JSON. */
export async function readJson(operation: string, source: unknown, signal?: AbortSignalLike): Promise<object> {
  if (isPlainObject(source)) return source;
  const isNamed = typeof source === 'string' || isUrl(source);
  const name = isNamed ? excerpt(String(source), 300) : 'the file'; // a URL writes itself out
  const bytes = isNamed ? await readBytes(operation, source, signal) : await bytesFrom(source, signal);
  if (bytes === undefined) {
    throw new ValueError(operation, 'takes a path, an address, bytes, or the parsed JSON of the file.');
  }
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new FormatError(operation, `${name} is no text in UTF-8.`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FormatError(operation, `${name} is no JSON: ${(error as Error).message}`);
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  throw new FormatError(operation, `${name} holds no object: it begins with '${excerpt(text, 20)}'.`);
}

/** Whether a name is that of a file on a server. */
export function isAddress(name: string): boolean {
  return /^https?:\/\//.test(name);
}

/** The bytes of a file, by its path or address. */
export async function readBytes(
  operation: string,
  source: string | { readonly href: string },
  signal?: AbortSignalLike,
): Promise<Uint8Array> {
  const name = typeof source === 'string' ? source : source.href;
  signal?.throwIfAborted();
  if (isAddress(name)) {
    const answer = await untilAborted(fetch(name), signal);
    if (!answer.ok) {
      const { status } = answer;
      throw new FormatError(operation, `${excerpt(name, 300)} cannot be read: status ${status}.`, { name, status });
    }
    return new Uint8Array(await untilAborted(answer.arrayBuffer(), signal));
  }
  if (typeof process === 'undefined' || !process.getBuiltinModule) {
    throw new ValueError(operation, `there is no file system here for '${name}'; use an address, bytes or a Blob.`);
  }
  const { readFile } = process.getBuiltinModule('node:fs/promises');
  try {
    return await readFile(name.startsWith('file:') ? new URL(name) : name);
  } catch (error) {
    throw new FormatError(operation, `${excerpt(name, 300)} cannot be read: ${(error as Error).message}`, { name });
  }
}

/** A URL, told by what it has: types without a page know none. */
function isUrl(value: unknown): value is { readonly href: string } {
  return typeof value === 'object' && value !== null && 'href' in value && typeof value.href === 'string';
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
