/**
 * A model in several files: an index (`model.safetensors.index.json`, `pytorch_model.bin.index.json`) that says which file has
 * which tensor, in a folder, among files that were dropped on a page, or at an address; without an index, files whose names say
 * 00001-of-00002. All of them together are one file of weights. What each file is is told by its content.
 */
import { decodeUtf8, excerpt, FormatError } from '@nn/core';
import { findDuplicateKey, outlineOf } from './header-text.ts';
import type { ByteReader } from './sources/reader.ts';
import type { WeightsEntry, WeightsFile, WeightsLimits } from './weights.ts';

/** Files that lie beside each other, by their names. */
export interface Folder {
  /** What the folder is called in messages. */
  readonly name: string;
  readonly names: readonly string[];
  open(name: string): Promise<ByteReader>;
}

/** Opens a file as weights, whatever its format. */
type Open = (reader: ByteReader) => Promise<WeightsFile>;

/** No model has more; each is held open. */
const shardLimit = 1000;
const indexName = /\.index\.json$/;
const partName = /^(.*)-(\d{5})-of-(\d{5})(\.[\w.]+)$/;
const weightsName = /\.(safetensors|pt|pth|bin|npz|npy|gguf)$/i;

function fail(reason: string, what: string, data?: Readonly<Record<string, unknown>>): never {
  throw new FormatError(`loadModel/${reason}`, what, data);
}

/** The model in a folder: by its index, by the numbers in the names, or its only file of weights. */
export async function openFolder(folder: Folder, limits: WeightsLimits, open: Open): Promise<WeightsFile> {
  const { names, name } = folder;
  const indices = names.filter((file) => indexName.test(file));
  // Folders of a hub may hold a model twice, as safetensors and as PyTorch's.
  const index = indices.find((file) => file.includes('safetensors')) ?? indices[0];
  if (index !== undefined) return open(await folder.open(index));
  const weights = names.filter((file) => weightsName.test(file));
  const [first] = weights;
  if (weights.length === 1 && first !== undefined && !partName.test(first)) return open(await folder.open(first));
  const parts = weights.filter((file) => partName.test(file));
  if (parts.length > 0 && parts.length === weights.length) {
    checkParts(parts);
    return together(await openAll(parts, (file) => folder.open(file), open), limits.maxTensors, undefined);
  }
  if (names.includes('saved_model.pb')) {
    const { savedModel } = await import('./kind-of-file.ts');
    return fail('foreign', savedModel);
  }
  const shown = weights.slice(0, 5).join(', ');
  return weights.length === 0
    ? fail(
        'folder',
        `${excerpt(name, 300)} holds no file of weights (.safetensors, .pt, .pth, .bin, .npz, .npy, .gguf).`,
      )
    : fail('folder', `${excerpt(name, 300)} holds several files of weights, and no index: name one of ${shown}.`, {
        files: weights,
      });
}

/** Files numbered 00001-of-00003 must all be there, once. */
function checkParts(parts: readonly string[]): void {
  const found = parts.map((file) => partName.exec(file) ?? []);
  const [, stem, , total, ending] = found[0] ?? [];
  const wanted = Array.from(
    { length: Math.min(Number(total), shardLimit + 1) },
    (_, k) => `${stem}-${String(k + 1).padStart(5, '0')}-of-${total}${ending}`,
  );
  const absent = wanted.filter((file) => !parts.includes(file));
  if (wanted.length > shardLimit) fail('shards', `the model is in ${total} files, ${shardLimit} are the limit.`);
  if (absent.length > 0)
    fail('shards', `of ${total} files, ${absent.length} are missing: ${absent.slice(0, 5).join(', ')}.`, { absent });
  const others = parts.filter((file) => !wanted.includes(file));
  if (others.length > 0)
    fail('shards', `the folder holds two models: ${parts[0]} and ${others[0]}; move one of them away.`, { others });
}

/** The model that an index describes; `reader` are its bytes. */
export async function openIndex(
  reader: ByteReader,
  head: Uint8Array,
  { maxHeaderBytes, maxTensors }: WeightsLimits,
  open: Open,
): Promise<WeightsFile> {
  const { anyKind } = await import('./rare-kinds.ts');
  const { size, sibling } = reader;
  if (size > maxHeaderBytes) fail('index', `the index has ${size} bytes, ${maxHeaderBytes} is the limit.`, { size });
  const index = parseIndex(await reader.read(0, size), maxTensors);
  if (index === undefined) return fail('foreign', anyKind(head) ?? 'this is no file of weights.');
  const files = [...new Set(index.files.values())];
  // One inside another could go round in a circle.
  if (files.some((file) => /\.json$/i.test(file)))
    fail('index', 'an index names another index, which is no file of weights.');
  if (files.length > shardLimit) fail('shards', `the index names ${files.length} files, ${shardLimit} are the limit.`);
  if (!sibling) {
    return fail(
      'index',
      `this is the index of a model in ${files.length} files: load it from its folder or address, or hand over all files: loadModel([index, ...shards], model).`,
      { files },
    );
  }
  try {
    return together(await openAll(files, sibling, open), maxTensors, index);
  } finally {
    await reader.close();
  }
}

interface Index {
  /** The file of each tensor. */
  readonly files: ReadonlyMap<string, string>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** What an index says; undefined for JSON that is none. */
function parseIndex(bytes: Uint8Array, maxTensors: number): Index | undefined {
  const text = decodeUtf8(bytes);
  if (text === undefined) return undefined;
  // A tensor takes one comma; the metadata few.
  const limits = { depth: 3, items: 2 * maxTensors + 1000 };
  const { items } = outlineOf(text, { ...limits, depth: 100 });
  if (items > limits.items)
    return fail('index', `the index has more items than ${maxTensors} tensors need.`, { maxTensors });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { weight_map: map, metadata } = Object(value) as Readonly<Record<string, unknown>>;
  if (typeof map !== 'object' || map === null) return undefined;
  const twice = findDuplicateKey(text);
  if (twice !== undefined) return fail('index', `the index has '${excerpt(twice)}' twice.`, { key: twice });
  const files = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !isPlain(file))
      return fail(
        'index',
        `the index has '${excerpt(name)}' in ${excerpt(JSON.stringify(file), 100)}, which is no file beside it.`,
        {
          name,
        },
      );
    files.set(name, file);
  }
  const facts = Object.entries(Object(metadata) as object).map(([key, fact]) => [
    key,
    typeof fact === 'string' ? fact : JSON.stringify(fact),
  ]);
  return { files, metadata: new Map(facts as [string, string][]) };
}

/** A name without a folder, a drive or a scheme in front: an index leads to no other place. */
function isPlain(file: string): boolean {
  return /^[^/\\:\p{Cc}]{1,255}$/u.test(file) && !/^\.+$/.test(file);
}

/** Opens files one after the other; where one fails, those before it are closed. */
async function openAll(
  names: readonly string[],
  reader: (name: string) => Promise<ByteReader>,
  open: Open,
): Promise<ReadonlyMap<string, WeightsFile>> {
  const files = new Map<string, WeightsFile>();
  try {
    for (const name of names) files.set(name, await open(await reader(name)));
    return files;
  } catch (error) {
    await Promise.all([...files.values()].map((file) => file.close()));
    throw error;
  }
}

/** Several files as one: no tensor is in two of them, and each is where the index has it. */
async function together(
  files: ReadonlyMap<string, WeightsFile>,
  maxTensors: number,
  index: Index | undefined,
): Promise<WeightsFile> {
  const close = async (): Promise<void> => {
    await Promise.all([...files.values()].map((file) => file.close()));
  };
  try {
    return { ...merged(files, maxTensors, index), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function merged(
  files: ReadonlyMap<string, WeightsFile>,
  maxTensors: number,
  index: Index | undefined,
): Omit<WeightsFile, 'close'> {
  const entries = new Map<string, WeightsEntry>();
  const metadata = new Map(index?.metadata);
  const skipped: string[] = [];
  let before = 0;
  let format: WeightsFile['format'] = 'safetensors';
  for (const [file, weights] of files) {
    ({ format } = weights);
    let end = 0;
    for (const [name, entry] of weights.entries) {
      end = Math.max(end, entry.order + entry.size);
      const home = index?.files.get(name);
      if (index && home !== file) {
        skipped.push(`${excerpt(name, 200)}: in ${file}, where the index does not have it`);
        continue;
      }
      if (entries.has(name)) fail('shards', `'${excerpt(name)}' is in two files.`, { name });
      const place = entry.place === undefined ? {} : { place: `${file}/${entry.place}` };
      // Files are read one after the other.
      entries.set(name, { ...entry, ...place, order: before + entry.order });
      if (entries.size > maxTensors)
        fail('tensor-count', `the files have more than ${maxTensors} tensors, which is maxTensors.`, { maxTensors });
    }
    for (const [key, text] of weights.metadata) if (!metadata.has(key)) metadata.set(key, text);
    skipped.push(...weights.skipped);
    before += end;
  }
  const absent = [...(index?.files ?? [])].filter(([name]) => !entries.has(name));
  if (absent.length > 0) {
    const [name, file] = absent[0]!;
    fail(
      'shards',
      `the index has '${excerpt(name)}' in ${file}, which lacks it${absent.length > 1 ? `, and ${absent.length - 1} more` : ''}.`,
      {
        absent: absent.map(([missing]) => missing),
      },
    );
  }
  const size = [...files.values()].reduce((sum, file) => sum + file.size, 0);
  return { format, size, entries, metadata, skipped, containers: [] };
}
