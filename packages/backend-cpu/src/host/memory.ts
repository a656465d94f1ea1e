/**
 * Memory of the engines that compute on typed arrays: blocks that are pooled by size, and the handles that core holds.
 * In a steady state every output takes a block that an earlier one gave back, so nothing is allocated but the handle.
 */
import { BackendError, type BufferType, type DType, type TensorData } from '@nn/core';
import { sizeOf } from '../shape.ts';
import { align, arrayKinds, bytesPerElement } from '../storage.ts';

/** A piece of memory, seen as any dtype. Its length is rounded up: views are at least as long as their tensor. */
export class Block {
  readonly bytes: ArrayBuffer;
  readonly #views = new Map<number, TensorData>();
  #float32: Float32Array | undefined;

  constructor(byteLength: number) {
    this.bytes = new ArrayBuffer(byteLength);
  }

  view(dtype: DType): TensorData {
    if (dtype === 'float32') {
      this.#float32 ??= new Float32Array(this.bytes);
      return this.#float32;
    }
    // bool and uint8 are the same view, and so are the half floats.
    const kind = dtype === 'int32' ? 1 : dtype === 'int8' ? 2 : bytesPerElement(dtype) === 2 ? 3 : 4;
    let view = this.#views.get(kind);
    if (view === undefined) {
      view = new arrayKinds[dtype](this.bytes, 0, this.bytes.byteLength / bytesPerElement(dtype));
      this.#views.set(kind, view);
    }
    return view;
  }
}

/** The handle of a tensor on the host. */
export class HostBuffer {
  readonly owner: Memory;
  readonly type: BufferType;
  /** Null once the handle is spent: released, or donated to a program. */
  block: Block | null;
  donated = false;

  constructor(owner: Memory, type: BufferType, block: Block) {
    this.owner = owner;
    this.type = type;
    this.block = block;
  }
}

/** The bytes of a block for `type`: a multiple of 64, so that near sizes share a list. */
export function blockSize(type: BufferType): number {
  return align(sizeOf(type.shape) * bytesPerElement(type.dtype));
}

/** The released bytes that are kept at most. */
const maxPooled = 128 * 2 ** 20;

export class Memory {
  readonly #free = new Map<number, Block[]>();
  /** Bytes in blocks that handles own. */
  used = 0;
  /** Bytes in blocks that wait. */
  pooled = 0;

  /** A block with undefined contents. */
  take(byteLength: number): Block {
    const block = this.#free.get(byteLength)?.pop();
    if (block !== undefined) {
      this.pooled -= byteLength;
      this.used += byteLength;
      return block;
    }
    try {
      const made = new Block(byteLength);
      this.used += byteLength;
      return made;
    } catch (cause) {
      throw new BackendError(
        'cpu/out-of-memory',
        `out of memory: ${byteLength} bytes for one tensor cannot be had, beside ${this.used} bytes in use and ${this.pooled} pooled.`,
        { outOfMemory: true, bytes: byteLength, used: this.used, pooled: this.pooled },
        cause,
      );
    }
  }

  give(block: Block): void {
    const byteLength = block.bytes.byteLength;
    this.used -= byteLength;
    this.pooled += byteLength;
    const list = this.#free.get(byteLength);
    if (list === undefined) this.#free.set(byteLength, [block]);
    else list.push(block);
    if (this.pooled > maxPooled) this.#shrink();
  }

  /** Drops the lists that were made first, until half of the limit is left. */
  #shrink(): void {
    for (const [byteLength, list] of this.#free) {
      if (this.pooled <= maxPooled / 2) return;
      this.pooled -= byteLength * list.length;
      this.#free.delete(byteLength);
    }
  }
}

/** The block of a live handle of `owner`; `operation` and `position` name the use in the error for any other. */
export function blockOf(buffer: object, owner: Memory, operation: string, position?: number): Block {
  if (buffer instanceof HostBuffer && buffer.owner === owner && buffer.block !== null) return buffer.block;
  const which = position === undefined ? 'the buffer' : `input ${position}`;
  if (!(buffer instanceof HostBuffer) || buffer.owner !== owner) {
    throw new BackendError(operation, `${which} is not a buffer of this backend: move the tensor to it first.`);
  }
  const fate = buffer.donated ? 'donated to an earlier program' : 'released';
  throw new BackendError(operation, `${which} was ${fate}, so its contents are gone.`, { type: buffer.type });
}
