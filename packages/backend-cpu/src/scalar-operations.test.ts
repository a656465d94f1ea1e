import { buildKernel, ProgramBuilder, reference, runCase } from '@nn/conformance';
import type { Alu, DType, TensorData } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { cpu } from './cpu.ts';

const floats = Float32Array.of(
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2,
  -2,
  3,
  -3,
  2.5,
  1e-40,
  -1e-40,
  1e-20,
  88,
  -104,
  1e10,
  -1e10,
  2147483648,
  -2147483648,
  3.4e38,
  -3.4e38,
  Infinity,
  -Infinity,
  Number.NaN,
);
const integers = Int32Array.of(0, 1, -1, 2, -2, 3, 7, -7, 31, 32, 33, -33, 65536, -65536, 2147483647, -2147483648);
const truths = Uint8Array.of(0, 1);
const values = { float32: floats, int32: integers, bool: truths } as const;

const floatOps: Alu[] = [
  'add',
  'sub',
  'mul',
  'div',
  'mod',
  'floorDiv',
  'floorMod',
  'pow',
  'max',
  'min',
  'exp',
  'log',
  'sqrt',
  'sin',
  'cos',
  'tanh',
  'floor',
];
const integerOps: Alu[] = [
  'add',
  'sub',
  'mul',
  'div',
  'mod',
  'floorDiv',
  'floorMod',
  'pow',
  'max',
  'min',
  'floor',
  'and',
  'or',
  'xor',
  'shl',
  'shr',
];
const booleanOps: Alu[] = ['and', 'or', 'xor', 'max', 'min', 'mul'];
const unary = new Set<Alu>(['exp', 'log', 'sqrt', 'sin', 'cos', 'tanh', 'erf', 'floor', 'cast']);

/** `op` of every pair of values (of every value, for one argument); with `right`, of every value and that constant. */
function program(op: Alu, from: keyof typeof values, to: DType, right?: number) {
  const column = values[from];
  const one = unary.has(op) || right !== undefined;
  const domain = one ? [column.length] : [column.length, column.length];
  const kernel = buildKernel({
    domain,
    reads: [from, from],
    dtype: to,
    value: (body) => {
      const a = body.load(0, body.axis(0), from);
      if (right !== undefined) body.alu(op, to, a, body.constant(right, from));
      else if (one) body.alu(op, to, a);
      else body.alu(op, to, a, body.load(1, body.axis(1), from));
    },
  });
  const builder = new ProgramBuilder();
  const inputs = [builder.input(from, [column.length]), builder.input(from, [column.length])];
  builder.output(builder.step(kernel, inputs));
  const input = { data: column, type: { dtype: from, shape: [column.length] } };
  return { program: builder.build(), inputs: [input, input], scalars: new Float64Array(0) };
}

/** The places where two arrays differ, with the operands. */
function differences(found: TensorData, expected: TensorData, from: keyof typeof values): string[] {
  const column = values[from];
  const wrong: string[] = [];
  expected.forEach((value, i) => {
    if (Object.is(found[i], value)) return;
    const pair =
      expected.length === column.length
        ? [column[i]]
        : [column[Math.floor(i / column.length)], column[i % column.length]];
    wrong.push(`(${pair.join(', ')}): ${found[i]} instead of ${value}`);
  });
  return wrong;
}

describe.each(['javascript', 'interpreter'] as const)('scalar operations in %s', (engine) => {
  const oracle = reference({ rounding: 'float32' });
  const backend = cpu({ engine });

  async function compare(op: Alu, from: keyof typeof values, to: DType, right?: number): Promise<void> {
    const test = program(op, from, to, right);
    const [expected] = await runCase(oracle, test);
    const [found] = await runCase(backend, test);
    expect(differences(found!, expected!, from)).toEqual([]);
  }

  it.each(floatOps)('%s of floats equals the oracle at every pair of special values', (op) =>
    compare(op, 'float32', 'float32'),
  );
  it.each(integerOps)('%s of int32 equals the oracle, wrapping included', (op) => compare(op, 'int32', 'int32'));
  it.each(booleanOps)('%s of truth values equals the oracle', (op) => compare(op, 'bool', 'bool'));

  it.each(['less', 'equal'] as const)('%s compares as the oracle does, NaN and -0 included', async (op) => {
    for (const from of ['float32', 'int32', 'bool'] as const) await compare(op, from, 'bool');
  });

  it('casts saturate and truncate as in the oracle', async () => {
    for (const from of ['float32', 'int32', 'bool'] as const) {
      for (const to of ['float32', 'int32', 'bool', 'int8', 'uint8', 'float16', 'bfloat16'] as const) {
        await compare('cast', from, to);
      }
    }
  });

  it('constant right operands, which have shorter code, give the same', async () => {
    for (const right of [0, 1, 2, 3, 4, -1, -2, 8, 0.5, -3]) {
      for (const op of ['pow', 'floorDiv', 'floorMod', 'mod', 'div', 'max'] as const) {
        if (op !== 'pow' || right === 0 || right === 1 || right === 2 || right === -1)
          await compare(op, 'float32', 'float32', right);
        if (Number.isInteger(right)) await compare(op, 'int32', 'int32', right);
      }
    }
  });

  it('erf is the oracle rounded to float32', async () => {
    const test = program('erf', 'float32', 'float32');
    const [expected] = await runCase(oracle, test);
    const [found] = await runCase(backend, test);
    expected!.forEach((value, i) => {
      if (Number.isNaN(value)) expect(found![i]).toBeNaN();
      else expect(Math.abs(found![i]! - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -23);
    });
  });

  it('random numbers are those of core', async () => {
    const kernel = buildKernel({
      domain: [3, 1000],
      scalars: ['int32'],
      value: (body) => {
        const seed = body.scalar(0, 'int32');
        body.alu(
          'random',
          'float32',
          seed,
          body.axis(0),
          body.alu('sub', 'int32', body.axis(1), body.constant(500, 'int32')),
        );
      },
    });
    const builder = new ProgramBuilder();
    builder.scalar('int32');
    builder.output(builder.step(kernel));
    const test = { program: builder.build(), inputs: [], scalars: Float64Array.of(-7) };
    expect(await runCase(backend, test)).toEqual(await runCase(oracle, test));
  });

  it('where takes one side and ignores the other, NaN or not', async () => {
    const kernel = buildKernel({
      domain: [floats.length],
      reads: ['float32'],
      value: (body) => {
        const x = body.load(0, body.axis(0));
        const valid = body.alu('equal', 'bool', x, x);
        body.alu('where', 'float32', valid, body.alu('sqrt', 'float32', x), body.constant(-5));
      },
    });
    const builder = new ProgramBuilder();
    builder.output(builder.step(kernel, [builder.input('float32', [floats.length])]));
    const inputs = [{ data: floats, type: { dtype: 'float32', shape: [floats.length] } as const }];
    const test = { program: builder.build(), inputs, scalars: new Float64Array(0) };
    expect(await runCase(backend, test)).toEqual(await runCase(oracle, test));
  });
});
