/**
 * HDF5 through h5wasm (`library.ts`): arrays and attributes by path. Refused is what points out of the file or claims more than it
 * can hold. What the paths mean is `weights/stored.ts`.
 */
import { excerpt, FormatError, type Shape } from '@nn/core';
import type { File } from 'h5wasm';
import { claimMemory, type H5Module, inLibrary, type Library, loadLibrary, temporaryName } from './library.ts';
import { decodeNumbers } from './numbers.ts';

/** An array of a file that is open. */
export interface HdfArray {
  readonly shape: Shape;
  /** Its values as float32. */
  read(): Float32Array;
}

/** A file that is open. Names of groups are paths without a slash in front. */
export interface HdfFile {
  readonly arrays: ReadonlyMap<string, HdfArray>;
  readonly groups: ReadonlySet<string>;
  /** A text, or a list of texts; undefined where there is none. */
  texts(group: string, attribute: string): readonly string[] | undefined;
  close(): void;
}

const mostObjects = 200_000;
const deepest = 64;

/** How much more than the file arrays may claim: weights do not shrink by packing. */
const densest = 100;

export function isHdf(head: Uint8Array): boolean {
  return [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, at) => head[at] === byte);
}

function fail(reason: string, words: string, data?: Readonly<Record<string, unknown>>): never {
  throw new FormatError(`loadKeras/${reason}`, words, data);
}

/** What went wrong, in the library's words: those that come after the places in its code. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const last =
    text
      .split('\n')
      .filter((line) => /\S/.test(line) && !/^\s*(major|minor):/.test(line))
      .at(-1) ?? text;
  return excerpt(last.replace(/^.*\(\): /, '').trim(), 160);
}

/** Opens the bytes of a file; who opened it closes it. */
export async function openHdf(bytes: Uint8Array): Promise<HdfFile> {
  const { library, module } = await loadLibrary();
  const path = temporaryName();
  // the bytes are not copied; the type of the options lacks it
  const owning: { readonly flags?: string; readonly canOwn: boolean } = { canOwn: true };
  module.FS.writeFile(path, bytes, owning);
  let file: File | undefined;
  const release = claimMemory(4 * bytes.length);
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    const opened = file;
    file = undefined;
    try {
      inLibrary(module, () => opened?.close());
    } catch {
      // a file that is damaged may not close; the library knows
    }
    release();
    module.FS.unlink(path);
  };
  try {
    const opened = inLibrary(module, () => new library.File(path, 'r'));
    file = opened;
    if (opened.file_id <= 0n) fail('hdf5', 'the HDF5 file cannot be opened; it is cut off or damaged.');
    const arrays = new Map<string, HdfArray>();
    const groups = new Set<string>(['']);
    inLibrary(module, () => index(module, opened.file_id, '', 0, bytes.length, arrays, groups));
    return {
      arrays,
      groups,
      texts: (group, attribute) =>
        groups.has(group) ? textsOf({ library, module }, opened.file_id, bytes.length, group, attribute) : undefined,
      close,
    };
  } catch (error) {
    close();
    if (error instanceof FormatError) throw error;
    return fail('hdf5', `the HDF5 file is damaged: ${reasonOf(error)}.`);
  }
}

/** Everything below a group. */
function index(
  module: H5Module,
  file: bigint,
  group: string,
  depth: number,
  fileSize: number,
  arrays: Map<string, HdfArray>,
  groups: Set<string>,
): void {
  if (depth > deepest)
    fail('hdf5', `the groups of the HDF5 file are nested more than ${deepest} deep; it holds itself, or is damaged.`);
  for (const name of module.get_names(file, group === '' ? '/' : group, false)) {
    const path = group === '' ? name : `${group}/${name}`;
    if (arrays.size + groups.size > mostObjects)
      fail('hdf5', `the HDF5 file has more than ${mostObjects} groups and arrays.`);
    const type = module.get_type(file, path);
    if (type === module.H5G_LINK || type === module.H5G_UDLINK) {
      fail(
        'link',
        `'${excerpt(path)}' is a link to another file or to nothing, which models of Keras do not have; it is not followed.`,
        { path },
      );
    }
    if (type === module.H5G_GROUP) {
      groups.add(path);
      index(module, file, path, depth + 1, fileSize, arrays, groups);
    } else if (type === module.H5G_DATASET) arrays.set(path, arrayAt(module, file, path, fileSize));
  }
}

function arrayAt(module: H5Module, file: bigint, path: string, fileSize: number): HdfArray {
  const metadata = module.get_dataset_metadata(file, path);
  if (metadata.virtual_sources && metadata.virtual_sources.length > 0) {
    fail(
      'link',
      `'${excerpt(path)}' is made of arrays of other files (a virtual dataset), which models of Keras are not.`,
      { path },
    );
  }
  const shape: number[] = (metadata.shape ?? []).map(Number);
  const length = shape.reduce((product, size) => product * size, 1);
  return {
    shape,
    read: () => {
      const size = length * metadata.size;
      if (size > densest * fileSize) {
        fail('bomb', `'${excerpt(path)}' claims ${size} bytes in a file of ${fileSize}; that is no array of weights.`, {
          path,
        });
      }
      // the array, and the piece of it that is being unpacked
      const release = claimMemory(2 * size);
      try {
        return inLibrary(module, () => {
          const pointer = module._malloc(Math.max(1, size));
          if (pointer === 0) fail('memory', `there is no memory for the ${size} bytes of '${excerpt(path)}'.`);
          try {
            module.get_dataset_data(file, path, null, null, null, BigInt(pointer));
            return decodeNumbers(path, module.HEAPU8.slice(pointer, pointer + size), metadata);
          } finally {
            module._free(pointer);
          }
        });
      } catch (error) {
        if (error instanceof FormatError) throw error;
        return fail('hdf5', `'${excerpt(path)}' of the HDF5 file cannot be read: ${reasonOf(error)}.`, { path });
      } finally {
        release();
      }
    },
  };
}

function textsOf(
  { library, module }: Library,
  file: bigint,
  fileSize: number,
  group: string,
  attribute: string,
): readonly string[] | undefined {
  try {
    return inLibrary(module, () => {
      const path = group === '' ? '/' : group;
      const attributes = new library.Group(file, path).attrs;
      if (!Object.hasOwn(attributes, attribute)) return undefined;
      // attributes are never packed
      const { shape, size } = module.get_attribute_metadata(file, path, attribute);
      const claimed = (shape ?? []).reduce((product, length) => product * Number(length), size);
      if (claimed > fileSize) {
        fail(
          'bomb',
          `the attribute '${excerpt(attribute)}' of '${excerpt(group)}' claims ${claimed} bytes in a file of ${fileSize}; that is no list of names.`,
        );
      }
      const value = attributes[attribute]?.value;
      if (typeof value === 'string') return [value];
      return Array.isArray(value) ? value.map(String) : [];
    });
  } catch (error) {
    if (error instanceof FormatError) throw error;
    return fail(
      'hdf5',
      `the attribute '${excerpt(attribute)}' of '${excerpt(group)}' cannot be read: ${reasonOf(error)}.`,
    );
  }
}
