/** Files of weights without a model: all tensors by name, or those that are asked for; and what a file holds, without values. */
import { checkOptions, FormatError } from '@nn/core';
import type { DecodeOptions, HostTensor } from './element-types.ts';
import { mostBytes, type OpenOptions, openOptionNames, openWeights } from './open-weights.ts';
import type { Source } from './sources/reader.ts';
import { expectReads, isBeyond, type WeightsEntry, type WeightsFormat } from './weights.ts';

export interface LoadTensorsOptions extends DecodeOptions, OpenOptions {
  /** Which tensors are read; all where not given. Of a file on disk, only their bytes are. */
  readonly only?: (name: string) => boolean;
}

/** The tensors of a file. */
export interface LoadedTensors {
  readonly format: WeightsFormat;
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** Texts beside the tensors, as those of safetensors. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What is no tensor: a sentence each, which begins with its name. */
  readonly skipped: readonly string[];
}

/**
 * Reads the tensors of a file of weights (safetensors, PyTorch, NumPy, GGUF), or of a model in several files, without a model. float64 is refused unless
 * `narrow` allows rounding, 64-bit integers beyond int32 are; a `FormatError` names the tensor. Names of the same elements (tied weights) have one value.
 *
 * @example
 * import { encodeSafetensors, loadTensors } from '@nn/serialize';
 * const one = { dtype: 'float32', shape: [1], data: new Float32Array([5]) } as const;
 * const bytes = encodeSafetensors([['a', one], ['b', one]]);
 * const { format, tensors } = await loadTensors(bytes, { only: (name) => name === 'b' });
 * console.log(format, [...tensors.keys()]); // => safetensors [ 'b' ]
 */
export async function loadTensors(source: Source, options: LoadTensorsOptions = {}): Promise<LoadedTensors> {
  checkOptions('loadTensors', options, ['only', 'narrow', 'widen', ...openOptionNames]);
  const { only = () => true, narrow = false, widen = true, maxBytes = mostBytes, signal } = options;
  const file = await openWeights('loadTensors', source, options);
  try {
    const wanted = [...file.entries].filter(([name]) => only(name));
    // Blocks of GGUF are never repeated, and are meant to become larger.
    if (file.format !== 'GGUF') refuseMore(wanted, file.size, { widen, maxBytes });
    expectReads(wanted.map(([, entry]) => entry));
    const read = new Map<string, HostTensor>();
    const places = new Map<string, HostTensor>();
    for (const [name, entry] of [...wanted].sort(([, a], [, b]) => a.order - b.order)) {
      signal?.throwIfAborted();
      const { place } = entry;
      const value = (place !== undefined && places.get(place)) || (await entry.read(name, { narrow, widen }));
      if (place !== undefined) places.set(place, value);
      read.set(name, value);
    }
    signal?.throwIfAborted();
    const tensors = new Map(
      wanted.flatMap(([name]) => {
        const value = read.get(name);
        return value ? [[name, value] as const] : [];
      }),
    );
    return { format: file.format, tensors, metadata: file.metadata, skipped: file.skipped };
  } finally {
    await file.close();
  }
}

/** Views of the same bytes, and what is packed, may become far more than the file: refused before anything of it is read. */
function refuseMore(
  wanted: readonly (readonly [string, WeightsEntry])[],
  size: number,
  { widen, maxBytes }: { readonly widen: boolean; readonly maxBytes: number },
): void {
  const places = new Map(
    wanted.map(([name, { place, type, shape, size: stored }]) => {
      const elements = shape.reduce((product, extent) => product * extent, 1);
      return [place ?? `${name}/`, widen && type !== 'BOOL' ? 4 * elements : stored];
    }),
  );
  const bytes = [...places.values()].reduce((sum, each) => sum + each, 0);
  if (!isBeyond(bytes, size, { maxBytes })) return;
  const words = `the tensors of a file of ${size} bytes become ${bytes}, more than four times, and than maxBytes, which is ${maxBytes}`;
  throw new FormatError(
    'loadTensors/size',
    `${words}: take some of them by { only }, or, where you trust the file, pass { maxBytes: ${bytes} }.`,
    { size, bytes },
  );
}
