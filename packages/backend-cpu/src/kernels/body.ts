/** The bodies of nests that kernels are turned into: operations one after the other, each known by its position. */
import type { Alu, DType, Op } from '@nn/core';

export class BodyBuilder {
  readonly ops: Op[] = [];

  push(op: Op): number {
    return this.ops.push(op) - 1;
  }
  apply(dtype: DType, op: Alu, ...args: readonly number[]): number {
    return this.push({ dtype, op, args });
  }
  load(read: number, index: number): number {
    return this.push({ dtype: 'float32', op: 'load', read, index });
  }

  // Integers, for indices.
  constant(value: number): number {
    return this.push({ dtype: 'int32', op: 'const', value });
  }
  axis(axis: number): number {
    return this.push({ dtype: 'int32', op: 'axis', axis });
  }
  add(a: number, b: number): number {
    return this.apply('int32', 'add', a, b);
  }
  times(a: number, factor: number): number {
    return this.apply('int32', 'mul', a, this.constant(factor));
  }
  /** start + sum of position * factor. */
  sum(terms: readonly (readonly [position: number, factor: number])[], start = 0): number {
    return terms.reduce((at, [position, factor]) => this.add(at, this.times(position, factor)), this.constant(start));
  }
}
