/**
 * Owns: what core holds of a buffer on the device: memory, element type and length, and that it is released once.
 * Does not own: the memory's reuse (the devices' pools). Work on a device runs in the order in which it was enqueued, so
 * memory may go back to the pool while queued work still reads it: whatever writes it next is queued behind.
 */
import { BackendError, type DType } from '@nn/core';
import type { Device, Memory } from '../device/device.ts';

export class Cell {
  readonly dtype: DType;
  readonly length: number;
  #held: Memory | undefined;

  constructor(memory: Memory, dtype: DType, length: number) {
    this.#held = memory;
    this.dtype = dtype;
    this.length = length;
  }

  get memory(): Memory {
    if (this.#held === undefined) throw new BackendError('gpu', 'a buffer was used after it was released or donated.');
    return this.#held;
  }

  release(device: Device): void {
    device.free(this.memory);
    this.#held = undefined;
  }
}
