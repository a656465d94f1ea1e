/**
 * The program that native code is tried with before it is trusted with others: a sum of functions of floats, and whole numbers
 * with comparisons, at lengths that vectors do not divide.
 */

import type { Trial } from '@nn/backend-cpu/tier';
import type { Op, Program, TensorData } from '@nn/core';

const [rows, columns] = [3, 37];

/** x at [i, j], with the positions 0 to 4. */
const element: readonly Op[] = [
  { dtype: 'int32', op: 'axis', axis: 0 },
  { dtype: 'int32', op: 'const', value: columns },
  { dtype: 'int32', op: 'mul', args: [0, 1] },
  { dtype: 'int32', op: 'axis', axis: 1 },
  { dtype: 'int32', op: 'add', args: [2, 3] },
  { dtype: 'float32', op: 'load', read: 0, index: 4 },
];
const functions: readonly Op[] = [
  ...element,
  { dtype: 'float32', op: 'exp', args: [5] },
  { dtype: 'float32', op: 'log', args: [6] },
  { dtype: 'float32', op: 'tanh', args: [7] },
  { dtype: 'float32', op: 'sin', args: [5] },
  { dtype: 'float32', op: 'pow', args: [6, 9] },
  { dtype: 'float32', op: 'sqrt', args: [10] },
  { dtype: 'float32', op: 'erf', args: [8] },
  { dtype: 'float32', op: 'mul', args: [11, 12] },
  { dtype: 'float32', op: 'max', args: [13, 9] },
];
const choices: readonly Op[] = [
  ...element,
  { dtype: 'int32', op: 'const', value: 7 },
  { dtype: 'int32', op: 'floorMod', args: [4, 6] },
  { dtype: 'float32', op: 'cast', args: [7] },
  { dtype: 'bool', op: 'less', args: [5, 8] },
  { dtype: 'float32', op: 'floor', args: [5] },
  { dtype: 'float32', op: 'where', args: [9, 10, 8] },
];
const shape = [rows, columns];
const program: Program = {
  buffers: [
    { dtype: 'float32', shape, slot: 0 },
    { dtype: 'float32', shape: [rows], slot: 1 },
    { dtype: 'float32', shape, slot: 2 },
  ],
  inputs: 1,
  donations: [],
  scalars: [],
  steps: [
    {
      kernel: {
        key: 'trial of functions',
        domain: [rows],
        dtype: 'float32',
        reads: ['float32'],
        scalars: [],
        reduce: { op: 'sum', extents: [columns], dtype: 'float32' },
        value: functions,
      },
      write: 1,
      reads: [{ buffer: 0, offset: 0 }],
      scalars: [],
    },
    {
      kernel: {
        key: 'trial of choices',
        domain: shape,
        dtype: 'float32',
        reads: ['float32'],
        scalars: [],
        value: choices,
      },
      write: 2,
      reads: [{ buffer: 0, offset: 0 }],
      scalars: [],
    },
  ],
  groups: [],
  outputs: [1, 2],
};

export const trial: Trial = {
  program,
  inputs: [Float32Array.from({ length: rows * columns }, (_, at) => ((at * 29) % 37) / 8 - 2)],
  compare: (own, native) => {
    for (const [output, expected] of own.entries()) {
      const found = native[output] as TensorData;
      for (const [at, value] of expected.entries()) {
        const difference = Math.abs((found[at] as number) - value);
        if (!(difference <= 1e-5 * Math.max(1, Math.abs(value)))) {
          return `the compiled code is wrong: a program gives ${found[at]} and should give ${value}`;
        }
      }
    }
    return null;
  },
};
