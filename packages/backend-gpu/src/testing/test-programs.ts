/** Programs for the tests of this package, written by hand. */
import type { Program } from '@nn/core';
import { BodyWriter } from '../nest/body-writer.ts';
import type { Nest } from '../nest/nest.ts';

/** A program of one step that reads its inputs from element 0 on. */
export function oneStep(nest: Nest, lengths: readonly number[], donate?: number): Program {
  const output = lengths.length;
  const buffers = lengths.map((length, at) => ({ dtype: nest.reads[at]!, shape: [length], slot: at }));
  return {
    buffers: [...buffers, { dtype: nest.dtype, shape: nest.domain, slot: donate ?? output }],
    inputs: output,
    donations: donate === undefined ? [] : [{ input: donate, output }],
    scalars: nest.scalars,
    steps: [
      {
        kernel: { ...nest, key: 'test' },
        write: output,
        reads: lengths.map((_, buffer) => ({ buffer, offset: 0 })),
        scalars: nest.scalars.map((_, at) => at),
      },
    ],
    groups: [],
    outputs: [output],
  };
}

/** out[i] = f(a[i]), or f(a[i], b[i]). */
export function elementWise(
  length: number,
  inputs: 1 | 2,
  write: (body: BodyWriter, ...values: number[]) => void,
): Nest {
  const body = new BodyWriter();
  const index = body.index([[0, 1]]);
  const values = Array.from({ length: inputs }, (_, read) => body.load(read, index));
  write(body, ...values);
  return {
    domain: [length],
    dtype: 'float32',
    reads: values.map(() => 'float32' as const),
    scalars: [],
    value: body.ops,
  };
}
