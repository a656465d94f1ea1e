/**
 * Keys as streams of numbers, compared exactly: two are equal where what they describe is of one structure. Owns the
 * writing, hashing and comparing; what is written is up to `trace.ts` (whole graphs) and `structure.ts` (single kernels).
 */
import type { DType, Shape } from '../backend.ts';
import type { Node } from '../graph/node.ts';

const dtypeCodes: Readonly<Record<DType, number>> = {
  float32: 1,
  int32: 2,
  bool: 3,
  float16: 4,
  bfloat16: 5,
  int8: 6,
  uint8: 7,
};

const noKey: readonly number[] = [];

export class KeyStream {
  #data = new Int32Array(1 << 12);
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  push(value: number): void {
    if (this.#length === this.#data.length) this.#room(1);
    this.#data[this.#length++] = value;
  }

  /** What is wanted of memory: `mark` (below 0, as no primitive is), dtype and shape. */
  memory(mark: number, dtype: DType, shape: Shape): void {
    this.#write(mark, dtype, shape, noKey);
  }

  /** What a node does, without its inputs. */
  operation({ primitive, attributes, dtype, shape, inputs }: Node): void {
    this.#write(primitive.id, dtype, shape, primitive.key?.(attributes) ?? noKey);
    this.push(inputs.length);
  }

  /** A copy of what was written. */
  take(): Int32Array {
    return this.#data.slice(0, this.#length);
  }

  hash(): number {
    const data = this.#data;
    const length = this.#length;
    let hash = 0x811c9dc5 | 0; // a small integer from the start
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ data[i]!, 0x01000193);
    return hash >>> 0;
  }

  equals(key: Int32Array): boolean {
    return key.length === this.#length && isPrefix(key, this.#data);
  }

  // written straight into the array: this runs for every node of every step
  #write(mark: number, dtype: DType, shape: Shape, key: readonly number[]): void {
    if (this.#length + 3 + shape.length + key.length > this.#data.length) this.#room(3 + shape.length + key.length);
    const data = this.#data;
    let at = this.#length;
    data[at++] = mark;
    data[at++] = dtype === 'float32' ? 1 : dtypeCodes[dtype]; // nearly all are
    data[at++] = shape.length;
    for (let axis = 0; axis < shape.length; axis++) data[at++] = shape[axis]!;
    for (let i = 0; i < key.length; i++) data[at++] = key[i]!;
    this.#length = at;
  }

  #room(more: number): void {
    const longer = new Int32Array(Math.max(this.#data.length * 2, this.#length + more));
    longer.set(this.#data);
    this.#data = longer;
  }
}

export function sameKey(a: Int32Array, b: Int32Array): boolean {
  return a === b || (a.length === b.length && isPrefix(a, b));
}

function isPrefix(key: Int32Array, data: Int32Array): boolean {
  for (let i = 0; i < key.length; i++) if (key[i] !== data[i]) return false;
  return true;
}
