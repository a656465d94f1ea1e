/**
 * Small tensors of the library's own that arguments decide: which elements to read, with which weights. The same table is the
 * same tensor each time, so that a compiled function is traced alike, and nothing is uploaded twice.
 */
import type { DType, Shape } from '../backend.ts';
import { leaf, type Node } from '../graph/node.ts';
import { Storage } from '../graph/storage.ts';
import { settings } from '../settings.ts';

/** How many tables are remembered for each backend; the oldest are forgotten. */
const remembered = 256;

const nowhere = {};
const tables = new WeakMap<object, Map<string, Storage>>();

/** The table as a tensor where x is. */
export function table(data: Int32Array | Float32Array, shape: Shape, x: Node): Node {
  const dtype: DType = data instanceof Int32Array ? 'int32' : 'float32';
  const device = x.backend ?? settings.backend ?? nowhere;
  const known = tables.get(device) ?? new Map<string, Storage>();
  tables.set(device, known);
  const key = `${dtype} ${shape.join()}: ${data.join()}`;
  let storage = known.get(key);
  if (storage === undefined) {
    storage = new Storage(dtype, shape, data);
    known.set(key, storage);
    const [oldest] = known.keys();
    if (known.size > remembered && oldest !== undefined) known.delete(oldest);
  }
  return leaf(storage, x.backend);
}
