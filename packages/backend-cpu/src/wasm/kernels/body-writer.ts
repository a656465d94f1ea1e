/** Writes the bodies of nests that kernels are turned into: each method appends an operation and gives its position. */
import type { Alu, DType, Op } from '@nn/core';

export class BodyWriter {
  readonly ops: Op[] = [];

  push(op: Op): number {
    return this.ops.push(op) - 1;
  }
  alu(op: Alu, dtype: DType, ...args: readonly number[]): number {
    return this.push({ dtype, op, args });
  }
  load(read: number, index: number): number {
    return this.push({ dtype: 'float32', op: 'load', read, index });
  }

  // Integers, for indices.
  integer(value: number): number {
    return this.push({ dtype: 'int32', op: 'const', value });
  }
  axis(axis: number): number {
    return this.push({ dtype: 'int32', op: 'axis', axis });
  }
  add(a: number, b: number): number {
    return this.alu('add', 'int32', a, b);
  }
  times(a: number, factor: number): number {
    return this.alu('mul', 'int32', a, this.integer(factor));
  }
  /** start + sum of position * factor. */
  sum(terms: readonly (readonly [position: number, factor: number])[], start = 0): number {
    return terms.reduce((at, [position, factor]) => this.add(at, this.times(position, factor)), this.integer(start));
  }
}
