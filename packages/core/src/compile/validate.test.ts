/** The first guard against rot: a program that breaks the contract is found before it reaches a device. */
import { buildKernel, ProgramBuilder, reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import type { Program, Step } from '../backend.ts';
import { validateProgram } from './validate.ts';

const { limits } = reference();

const double = buildKernel({
  domain: [4],
  reads: ['float32'],
  value: (body) => {
    const x = body.load(0, body.axis(0));
    body.alu('add', 'float32', x, x);
  },
});
const reverse = buildKernel({
  domain: [4],
  reads: ['float32'],
  value: (body) => {
    body.load(0, body.alu('sub', 'int32', body.constant(3, 'int32'), body.axis(0)));
  },
});

/** x -> 2x -> 4x -> its reverse. */
function valid(): Program {
  const program = new ProgramBuilder();
  const x = program.input('float32', [4]);
  const first = program.step(double, [x]);
  const second = program.step(double, [first], { inPlace: 0, slotOf: first });
  program.output(program.step(reverse, [second]));
  return program.build();
}

const withStep = (program: Program, at: number, change: Partial<Step>): Program => ({
  ...program,
  steps: program.steps.map((step, k) => (k === at ? { ...step, ...change } : step)),
});
const withSlots = (program: Program, ...slots: number[]): Program => ({
  ...program,
  buffers: program.buffers.map((buffer, k) => ({ ...buffer, slot: slots[k] as number })),
});

test('a program within the contract passes', () => {
  expect(() => validateProgram(valid(), limits)).not.toThrow();
});

describe('a program is refused', () => {
  const base = valid();
  const [first, second, third] = base.steps as readonly [Step, Step, Step];
  test.each<[string, Program, string | RegExp]>([
    ['that reads before it writes', { ...base, steps: [second, first, third] }, /reads buffer 1 before it is written/],
    ['that writes twice', withStep(base, 2, { write: 2 }), /written twice|before it is written/],
    ['that returns an input', { ...base, outputs: [0] }, 'output 0 is an input'],
    [
      'that returns what it never writes',
      { ...base, steps: [first, second], outputs: [3] },
      'output 3 is never written',
    ],
    ['that returns one buffer twice', { ...base, outputs: [3, 3] }, 'an output is named twice'],
    [
      'with an empty buffer',
      { ...base, buffers: base.buffers.map((b) => ({ ...b, shape: [0] })) },
      'buffer 0 is empty',
    ],
    [
      'with a buffer that is read after its memory was taken',
      withSlots(withStep(base, 2, { reads: [{ buffer: 1, offset: 0 }] }), 0, 1, 1, 3),
      /slot 1: buffer 1 is read after 2 is written/,
    ],
    [
      'that overwrites what it reads elsewhere',
      withSlots(base, 0, 1, 1, 1),
      /slot 1: step 2 overwrites buffer 2 while it reads it/,
    ],
    ['with the wrong number of reads', withStep(base, 0, { reads: [] }), 'step 0 binds 0 reads'],
    ['with the wrong number of scalars', withStep(base, 0, { scalars: [0] }), 'step 0 binds 1 scalars'],
    [
      'with a dtype that the kernel does not read',
      { ...base, buffers: base.buffers.map((b, k) => (k === 0 ? { ...b, dtype: 'int32' as const } : b)) },
      'step 0, read 0 has the wrong dtype',
    ],
    [
      'with a buffer of another size than the kernel',
      { ...base, buffers: base.buffers.map((b, k) => (k === 3 ? { ...b, shape: [5] } : b)) },
      'step 2 writes a buffer of another size',
    ],
    [
      'with a donation between different sizes',
      {
        ...base,
        buffers: base.buffers.map((b, k) => (k === 0 ? { ...b, shape: [8] } : b)),
        donations: [{ input: 0, output: 0 }],
      },
      'donation 0 -> 0 is between different types',
    ],
    [
      'with a donation of what is no input',
      { ...base, donations: [{ input: 2, output: 0 }] },
      'donation 2 -> 0 is not of an input to an output',
    ],
    [
      'with a group that shares no axis',
      {
        ...base,
        groups: [{ first: 0, last: 2, outer: 1, local: [] }],
        steps: base.steps.map((s, k) => (k === 1 ? { ...s, kernel: { ...s.kernel, domain: [2, 2] } } : s)),
      },
      'group 0 does not share axis 0',
    ],
    [
      'with a body that looks ahead',
      withStep(base, 0, {
        kernel: { ...double, value: [{ op: 'neg' as never, dtype: 'float32', args: [1] }, ...double.value] },
      }),
      'looks ahead',
    ],
    [
      'with a body that walks an axis it does not have',
      withStep(base, 0, { kernel: { ...double, value: [{ op: 'axis', dtype: 'int32', axis: 1 }, ...double.value] } }),
      'step 0, value: axis 1 does not exist',
    ],
    [
      'with a body of 129 operations',
      withStep(base, 0, {
        kernel: { ...double, value: new Array(129).fill({ op: 'const', dtype: 'float32', value: 1 }) },
      }),
      'step 0, value has 129 operations',
    ],
  ])('%s', (_, program, message) => {
    expect(() => validateProgram(program, limits)).toThrow(message);
  });

  test('that is beyond the limits', () => {
    expect(() => validateProgram(base, { ...limits, maxReads: 0 })).toThrow('step 0 reads 1 buffers');
    expect(() => validateProgram(base, { ...limits, maxBindings: 1 })).toThrow('step 0 touches too many buffers');
    expect(() => validateProgram(base, { ...limits, maxLength: 3 })).toThrow('buffer 0 is longer than 3');
    expect(() => validateProgram(base, { ...limits, dtypes: ['int32'] })).toThrow(
      'buffer 0 is float32, which the device does not store',
    );
  });

  test('that writes boxes where the device cannot', () => {
    const into = { base: null, shape: [8], start: [0] };
    const boxed = withStep({ ...base, buffers: base.buffers.map((b, k) => (k === 3 ? { ...b, shape: [8] } : b)) }, 2, {
      into,
    });
    expect(() => validateProgram(boxed, { ...limits, inPlace: false })).toThrow(
      'step 2 writes a box, the device cannot',
    );
    expect(() => validateProgram(withStep(boxed, 2, { into: { ...into, shape: [2, 4] } }), limits)).toThrow(
      'the box has another rank',
    );
  });
});

/** x [2, 3] -> the sums of its rows -> x minus its sum: a group of two rows. */
function grouped(): Program {
  const sums = buildKernel({
    domain: [2],
    reads: ['float32'],
    reduce: { op: 'sum', extents: [3], dtype: 'float32' },
    value: (body) =>
      body.load(
        0,
        body.index([
          [0, 3],
          [1, 1],
        ]),
      ),
  });
  const minus = buildKernel({
    domain: [2, 3],
    reads: ['float32', 'float32'],
    value: (body) => {
      const x = body.load(
        0,
        body.index([
          [0, 3],
          [1, 1],
        ]),
      );
      body.alu('sub', 'float32', x, body.load(1, body.axis(0)));
    },
  });
  const program = new ProgramBuilder();
  const x = program.input('float32', [2, 3]);
  const total = program.step(sums, [x]);
  program.output(program.step(minus, [x, total]));
  program.group(0, 1, 1, [total]);
  return program.build();
}

describe('a group', () => {
  const base = grouped();
  const [group] = base.groups as readonly [Program['groups'][number]];
  const [, minus] = base.steps as readonly [Step, Step];

  test('whose steps meet only at the same outer index passes', () => {
    expect(() => validateProgram(base, limits)).not.toThrow();
  });

  test.each<[string, Program, string]>([
    [
      'overlaps another one',
      { ...base, groups: [group, { ...group, local: [] }] },
      'group 1 begins before the one before it ends',
    ],
    [
      'begins with the last step of another one',
      {
        ...base,
        buffers: [...base.buffers, { dtype: 'float32', shape: [2, 3], slot: 3 }],
        steps: [...base.steps, { ...minus, write: 3 }],
        groups: [
          { ...group, local: [] },
          { first: 1, last: 2, outer: 1, local: [] },
        ],
      },
      'group 1 begins before the one before it ends',
    ],
    [
      'has a local buffer that it does not write',
      { ...base, groups: [{ ...group, local: [0] }] },
      'group 0: it does not write its local buffer 0',
    ],
    [
      'has a local buffer that is returned',
      { ...base, outputs: [2, 1] },
      'group 0: its local buffer 1 is needed later',
    ],
    [
      'reads another row of what it writes',
      withStep(base, 1, {
        reads: [
          { buffer: 0, offset: 0 },
          { buffer: 1, offset: 1 },
        ],
      }),
      'group 0: step 1 reads what the group writes at another outer index',
    ],
    [
      'overwrites rows of an input that other steps read elsewhere',
      {
        ...withStep(base, 1, { inPlace: 0, reads: [{ buffer: 0, offset: 3 }, ...minus.reads.slice(1)] }),
        buffers: base.buffers.map((buffer, k) => (k === 2 ? { ...buffer, slot: 0 } : buffer)),
      },
      'group 0: a step overwrites rows that another one reads',
    ],
  ])('is refused that %s', (_, program, message) => {
    expect(() => validateProgram(program, limits)).toThrow(message);
  });
});

describe('a box', () => {
  const base = valid();
  const boxed = (into: Step['into'], shape: readonly number[] = [8]): Program => ({
    ...withStep(base, 2, into === undefined ? {} : { into }),
    buffers: base.buffers.map((buffer, k) => (k === 3 ? { ...buffer, shape } : buffer)),
    scalars: ['int32', 'float32'],
  });

  test.each([0, 4, { scalar: 0 }])('that starts inside of its buffer passes: %j', (start) => {
    expect(() => validateProgram(boxed({ base: null, shape: [8], start: [start] }), limits)).not.toThrow();
  });

  test.each<[string, Step['into'], string]>([
    ['begins before it', { base: null, shape: [8], start: [-1] }, 'step 2: the box leaves axis 0 of [8]'],
    ['ends behind it', { base: null, shape: [8], start: [5] }, 'step 2: the box leaves axis 0 of [8]'],
    ['has no start', { base: null, shape: [8], start: [] }, 'step 2: the box has another rank'],
    [
      'starts at a float',
      { base: null, shape: [8], start: [{ scalar: 1 }] },
      'step 2: the box starts at what is no int32',
    ],
    ['means another shape', { base: null, shape: [9], start: [0] }, 'is of a shape that the buffer does not have'],
    ['has another base', { base: 0, shape: [8], start: [0] }, 'step 2: the box is put into a buffer of another type'],
  ])('is refused that %s', (_, into, message) => {
    expect(() => validateProgram(boxed(into), limits)).toThrow(message);
  });
});
