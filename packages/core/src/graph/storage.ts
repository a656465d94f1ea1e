/** The memory behind a realised value: on the host, on one device, or both. Nodes share storages; parameters own them. */
import type { Backend, DType, Shape, TensorData } from '../backend.ts';
import { bytesPerElement } from '../dtype.ts';
import { sizeOf } from '../shape.ts';
import type { Variable } from './variable.ts';

export class Storage {
  /** The values on the host, where they are known there. */
  host: TensorData | null;
  /** The device that holds `buffer`. */
  backend: Backend | null = null;
  buffer: object | null = null;
  /** How many parameters have this as their value. Only a value owned once may give its memory away. */
  owners = 0;
  /** The variable whose value this is, for those who must find it again. */
  owner: Variable | null = null;
  /** Whether tensors besides a parameter have this as their value, so that its memory may not be given away. */
  isShared = false;
  /** The name of the parameter whose new value took this memory. */
  spentBy: string | null = null;
  /** Why the value is lost, when its device is. */
  lost: Error | null = null;
  /** Scratch of graph walks. */
  visit = 0;
  order = 0;
  readonly dtype: DType;
  readonly shape: Shape;

  constructor(dtype: DType, shape: Shape, host: TensorData | null) {
    this.dtype = dtype;
    this.shape = shape;
    this.host = host;
  }

  get bytes(): number {
    return sizeOf(this.shape) * bytesPerElement[this.dtype];
  }
}
