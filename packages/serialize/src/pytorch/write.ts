/**
 * Writes what `torch.load(path, weights_only=True)` reads: an archive with a pickle of protocol 2, an OrderedDict of tensors,
 * and one member for each storage. Tensors of the same data share a storage, so tied weights stay tied.
 */

import type { DType } from '@nn/core';
import { ValueError } from '@nn/core';
import type { HostTensor } from '../element-types.ts';
import { encodeZip } from '../zip/write.ts';

const storageClasses: Readonly<Record<DType, string>> = {
  float32: 'FloatStorage',
  int32: 'IntStorage',
  bool: 'BoolStorage',
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  int8: 'CharStorage',
  uint8: 'ByteStorage',
};

/**
 * Tensors by name as a file of PyTorch (1.6 and newer), in their order. Entries whose `data` is one object share their storage
 * there. Throws a `ValueError` for doubled names and for data that does not fit its shape.
 *
 * @example
 * import { encodeTorch, loadTensors } from '@nn/serialize';
 * const bytes = encodeTorch([['bias', { dtype: 'float32', shape: [1], data: new Float32Array([5]) }]]);
 * console.log((await loadTensors(bytes)).tensors.get('bias')?.data); // => Float32Array(1) [ 5 ]
 */
export function encodeTorch(tensors: Iterable<readonly [name: string, tensor: HostTensor]>): Uint8Array {
  const storages = new Map<HostTensor['data'], string>();
  const pickle = new PickleWriter();
  const names = new Set<string>();
  pickle.beginDictionary();
  for (const [name, { dtype, shape, data }] of tensors) {
    const count = shape.reduce((product, extent) => product * extent, 1);
    if (names.has(name)) throw new ValueError('encodeTorch', `the name '${name}' is there twice.`, { name });
    if (count !== data.length) {
      throw new ValueError(
        'encodeTorch',
        `'${name}' has ${data.length} elements, its shape [${shape.join(', ')}] needs ${count}.`,
        { name, shape },
      );
    }
    names.add(name);
    const key = storages.get(data) ?? String(storages.size);
    storages.set(data, key);
    pickle.tensor(name, storageClasses[dtype], key, data.length, shape);
  }
  pickle.endDictionary();
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const blocks = [...storages].map(
    ([data, key]) => [`archive/data/${key}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)] as const,
  );
  return encodeZip([
    ['archive/data.pkl', pickle.bytes()],
    ['archive/byteorder', encode('little')],
    ...blocks,
    ['archive/version', encode('3\n')],
  ]);
}

/** The few opcodes that a state dict needs. */
class PickleWriter {
  private readonly out: number[] = [0x80, 2];

  bytes(): Uint8Array {
    return Uint8Array.from(this.out);
  }

  /** OrderedDict(), then MARK: names and tensors follow. */
  beginDictionary(): void {
    this.emptyDictionary();
    this.out.push(0x28);
  }

  /** SETITEMS and STOP. */
  endDictionary(): void {
    this.out.push(0x75, 0x2e);
  }

  /** name, _rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict()) */
  tensor(name: string, storageClass: string, key: string, count: number, shape: readonly number[]): void {
    this.text(name);
    this.global('torch._utils', '_rebuild_tensor_v2');
    this.out.push(0x28, 0x28);
    this.text('storage');
    this.global('torch', storageClass);
    this.text(key);
    this.text('cpu');
    this.integer(count);
    this.out.push(0x74, 0x51); // TUPLE, BINPERSID
    this.integer(0);
    this.tuple(shape);
    this.tuple(
      shape.map((_, axis) => shape.slice(axis + 1).reduce((product, extent) => product * Math.max(1, extent), 1)),
    );
    this.out.push(0x89); // NEWFALSE
    this.emptyDictionary();
    this.out.push(0x74, 0x52); // TUPLE, REDUCE
  }

  private emptyDictionary(): void {
    this.global('collections', 'OrderedDict');
    this.out.push(0x29, 0x52); // EMPTY_TUPLE, REDUCE
  }

  private tuple(values: readonly number[]): void {
    this.out.push(0x28);
    for (const value of values) this.integer(value);
    this.out.push(0x74);
  }

  private global(module: string, name: string): void {
    this.out.push(0x63, ...new TextEncoder().encode(`${module}\n${name}\n`));
  }

  private text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.out.push(0x58, ...littleEndian(bytes.length, 4), ...bytes);
  }

  /** BININT, or LONG1 beyond 31 bits. */
  private integer(value: number): void {
    if (value < 2 ** 31) this.out.push(0x4a, ...littleEndian(value, 4));
    else this.out.push(0x8a, 8, ...littleEndian(value, 8));
  }
}

function littleEndian(value: number, length: number): number[] {
  return Array.from({ length }, (_, k) => Math.floor(value / 256 ** k) % 256);
}
