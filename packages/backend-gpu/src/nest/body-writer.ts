/** Writes bodies of loop nests that this package adds itself: each method appends an operation and gives its position. */
import type { Alu, DType, Op } from '@nn/core';
import { write } from './nest.ts';

export class BodyWriter {
  readonly ops: Op[] = [];

  number(value: number): number {
    return this.ops.push({ op: 'const', dtype: 'float32', value }) - 1;
  }

  integer(value: number): number {
    return this.ops.push({ op: 'const', dtype: 'int32', value }) - 1;
  }

  constant(value: number, dtype: DType): number {
    return this.ops.push({ op: 'const', dtype, value }) - 1;
  }

  /** `base + sum of factor * axis`. */
  index(terms: readonly (readonly [axis: number, factor: number])[], base = 0): number {
    return write(this.ops, { base, axes: new Map(terms), others: new Map() });
  }

  load(read: number, index: number, dtype: DType = 'float32'): number {
    return this.ops.push({ op: 'load', dtype, read, index }) - 1;
  }

  accumulator(dtype: DType): number {
    return this.ops.push({ op: 'accumulator', dtype }) - 1;
  }

  alu(op: Alu, dtype: DType, ...args: readonly number[]): number {
    return this.ops.push({ op, dtype, args }) - 1;
  }
}
