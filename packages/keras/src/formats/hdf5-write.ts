/** Writes HDF5 through h5wasm: groups with texts and arrays, in the layout that h5py and TensorFlow read. */
import type { Shape } from '@nn/core';
import { claimMemory, type Library, loadLibrary, temporaryName } from './library.ts';

export interface HdfOutput {
  /** Texts, and lists of texts, of a group by its path; '' is the root. */
  readonly texts: readonly (readonly [group: string, attribute: string, value: string | readonly string[]])[];
  /** Groups to be there, also where nothing is in them. */
  readonly groups: readonly string[];
  readonly arrays: readonly {
    readonly path: string;
    readonly shape: Shape;
    readonly data: Float32Array | Uint32Array;
  }[];
}

/** The bytes of a file. */
export async function encodeHdf(output: HdfOutput): Promise<Uint8Array> {
  const library = await loadLibrary();
  // what is written was made here
  const release = claimMemory(Infinity);
  try {
    return written(library, output);
  } finally {
    release();
  }
}

function written({ library, module }: Library, { texts, groups, arrays }: HdfOutput): Uint8Array {
  const path = temporaryName();
  const file = new library.File(path, 'w');
  try {
    const made = new Set<string>(['']);
    const ensure = (group: string): void => {
      if (made.has(group)) return;
      const at = group.lastIndexOf('/');
      ensure(at < 0 ? '' : group.slice(0, at));
      module.create_group(file.file_id, group, false);
      made.add(group);
    };
    for (const group of groups) ensure(group);
    for (const { path: name, shape, data } of arrays) {
      const at = name.lastIndexOf('/');
      ensure(at < 0 ? '' : name.slice(0, at));
      file.create_dataset({ name, data, shape: [...shape], dtype: data instanceof Float32Array ? '<f' : '<I' });
    }
    for (const [group, attribute, value] of texts) {
      ensure(group);
      const owner = new library.Group(file.file_id, group === '' ? '/' : group);
      // texts of any length, as h5py writes them; an empty list is one of numbers there
      if (typeof value === 'string') owner.create_attribute(attribute, value, null, 'S');
      else if (value.length === 0) owner.create_attribute(attribute, new Float64Array(), [0], '<d');
      else owner.create_attribute(attribute, [...value], [value.length], 'S');
    }
    file.close();
    return module.FS.readFile(path).slice();
  } finally {
    module.FS.unlink(path);
  }
}
