/** What one function of a loop nest keeps: values and constants belong to their own kernel and their own bits. */
import { buildKernel, ProgramBuilder } from '@nn/conformance';
import { expect, test } from 'vitest';
import { WasmEngine } from '../engine.ts';

/** x * c + c for each constant, all in one program of kernels that differ in nothing else; lengths that leave a rest. */
async function affine(constants: readonly number[], length: number): Promise<number[][]> {
  const engine = new WasmEngine({ fused: false });
  const program = new ProgramBuilder();
  const x = program.input('float32', [length]);
  for (const constant of constants) {
    const kernel = buildKernel({
      domain: [length],
      reads: ['float32'],
      value: (body) => {
        const c = body.constant(constant);
        body.alu('add', 'float32', body.alu('mul', 'float32', body.load(0, body.axis(0)), c), c);
      },
    });
    program.output(program.step(kernel, [x]));
  }
  const input = engine.upload(new Float32Array(length).fill(3), { dtype: 'float32', shape: [length] });
  const outputs = engine.make(program.build()).run([input], new Float64Array(0));
  return Promise.all(outputs.map(async (output) => Array.from((await engine.download(output)) as Float32Array)));
}

test.each([1, 3, 7, 37])('kernels that differ only in a constant share no value: %i elements', async (length) => {
  const constants = [1, 2, -2, 0.5, 1e-8, 1 + 2 ** -23];
  const expected = constants.map((c) => new Array(length).fill(Math.fround(Math.fround(3 * c) + c)));
  expect(await affine(constants, length)).toEqual(expected);
});

test('0 and -0 are two constants', async () => {
  const signs = (await affine([0, -0, 0], 5)).map((values) => values.map((value) => Object.is(value, -0)));
  expect(signs).toEqual([false, true, false].map((sign) => new Array(5).fill(sign)));
});

test('within a kernel too, in vectors and in the rest of a row', async () => {
  const engine = new WasmEngine({ fused: false });
  const program = new ProgramBuilder();
  const x = program.input('float32', [6]);
  const kernel = buildKernel({
    domain: [6],
    reads: ['float32'],
    value: (body) => {
      const value = body.load(0, body.axis(0));
      const sums = [0.25, -0.25, 4].map((c) => body.alu('mul', 'float32', value, body.constant(c)));
      sums.reduce((a, b) => body.alu('add', 'float32', a, b));
    },
  });
  program.output(program.step(kernel, [x]));
  const input = engine.upload(Float32Array.of(1, 2, 3, 4, 5, 6), { dtype: 'float32', shape: [6] });
  const [output] = engine.make(program.build()).run([input], new Float64Array(0));
  if (output === undefined) throw new Error('no output');
  expect(await engine.download(output)).toEqual(Float32Array.of(4, 8, 12, 16, 20, 24));
});
