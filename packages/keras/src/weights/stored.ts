/**
 * The weights of a file before they meet a model: arrays by path (Keras 3), or in groups by layer (Keras 1 and 2, TensorFlow.js).
 * Which of both an HDF5 file has is told by its content.
 */
import { FormatError, type Shape } from '@nn/core';
import type { HdfFile } from '../formats/hdf5.ts';

/** An array of a file. */
export interface StoredArray {
  /** Its path, or its name in its group, without ':0'. */
  readonly name: string;
  readonly shape: Shape;
  /** Whether Theano wrote it, whose kernels are turned by 180 degrees: it convolves where others correlate. */
  readonly isTheano?: boolean;
  read(): Float32Array;
}

export interface StoredGroup {
  readonly name: string;
  readonly arrays: readonly StoredArray[];
}

export type StoredWeights =
  | { readonly kind: 'paths'; readonly arrays: readonly StoredArray[] }
  | { readonly kind: 'groups'; readonly groups: readonly StoredGroup[] };

/** Every array. */
export function arraysOf(stored: StoredWeights): readonly StoredArray[] {
  return stored.kind === 'paths' ? stored.arrays : stored.groups.flatMap(({ arrays }) => arrays);
}

/** How many numbers the arrays hold together. */
export function sizeOf(stored: StoredWeights): number {
  return arraysOf(stored).reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}

/** The list that an attribute holds, which Keras cuts into pieces `name0`, `name1`, ... where it is long. */
function listOf(file: HdfFile, group: string, attribute: string): readonly string[] | undefined {
  const whole = file.texts(group, attribute);
  if (whole) return whole;
  const pieces: string[] = [];
  for (let k = 0; ; k++) {
    const piece = file.texts(group, `${attribute}${k}`);
    if (!piece) return k === 0 ? undefined : pieces;
    pieces.push(...piece);
  }
}

/** The last names of Keras' variables lack what TensorFlow puts behind them: 'kernel:0'. */
const bare = (name: string): string => name.replace(/:\d+$/, '');

/** The weights of an HDF5 file: of a whole model, or of weights alone, in the layout of any generation. */
export function weightsOf(file: HdfFile): StoredWeights {
  const root = file.groups.has('model_weights') ? 'model_weights' : '';
  const layers = listOf(file, root, 'layer_names');
  if (layers) {
    const backend = file.texts(root, 'backend')?.[0] ?? file.texts('', 'backend')?.[0];
    const groups = layers.map((layer): StoredGroup => {
      const group = root === '' ? layer : `${root}/${layer}`;
      const arrays = (listOf(file, group, 'weight_names') ?? []).map((name): StoredArray => {
        const found = file.arrays.get(`${group}/${name}`.replaceAll('//', '/'));
        if (!found)
          throw new FormatError(
            'loadKeras/weights',
            `the file lists the array '${name}' of the layer '${layer}' and does not have it; it is damaged.`,
            { layer, name },
          );
        return { name: bare(name), shape: found.shape, isTheano: backend === 'theano', read: found.read };
      });
      return { name: layer, arrays };
    });
    return { kind: 'groups', groups };
  }
  const arrays = [...file.arrays]
    .filter(([path]) => !/(^|\/)_?optimizer\//.test(path) && !path.includes('seed_generator'))
    .map(([path, array]) => ({
      name: path
        .replace(/^_layer_checkpoint_dependencies\//, 'layers/')
        .replaceAll('/_layer_checkpoint_dependencies/', '/layers/'),
      ...array,
    }));
  return { kind: 'paths', arrays: arrays.sort((a, b) => naturally(a.name, b.name)) };
}

/** Numbers in names by their value, and a name in front of what it begins: 'dense', 'dense_2', 'dense_10'. */
function naturally(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  for (let k = 0; k < Math.min(left.length, right.length); k++) {
    const order = left[k]!.localeCompare(right[k]!, 'en', { numeric: true });
    if (order !== 0) return order;
  }
  return left.length - right.length;
}
