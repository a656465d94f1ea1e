/** Archives of arrays (.npz), stored, as `numpy.savez` writes them. */
import { ValueError } from '@nn/core';
import type { HostTensor } from '../element-types.ts';
import { encodeZip } from '../zip/write.ts';
import { encodeNpy } from './npy.ts';

/**
 * Tensors by name as `numpy.load` reads them. bfloat16, which NumPy lacks, is written as float32. Throws a `ValueError` for
 * doubled names and for data that does not fit its shape.
 *
 * @example
 * import { encodeNpz, loadTensors } from '@nn/serialize';
 * const bytes = encodeNpz([['bias', { dtype: 'float32', shape: [1], data: new Float32Array([5]) }]]);
 * console.log((await loadTensors(bytes)).tensors.get('bias')?.data); // => Float32Array(1) [ 5 ]
 */
export function encodeNpz(tensors: Iterable<readonly [name: string, tensor: HostTensor]>): Uint8Array {
  const members = new Map<string, Uint8Array>();
  for (const [name, tensor] of tensors) {
    if (members.has(`${name}.npy`)) throw new ValueError('encodeNpz', `the name '${name}' is there twice.`, { name });
    members.set(`${name}.npy`, encodeNpy(tensor));
  }
  return encodeZip(members);
}
