import { randomCase, reference } from '@nn/conformance';
import type { Program, TensorData } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { Forms } from './affine.ts';
import { BodyWriter } from './body-writer.ts';
import { collapse, type Nest } from './nest.ts';

async function run(program: Program, inputs: readonly TensorData[], scalars: Float64Array): Promise<TensorData[]> {
  const backend = reference();
  const executable = await backend.compile(program);
  const buffers = inputs.map((data, at) => backend.upload(data, program.buffers[at]!));
  return Promise.all(executable.run(buffers, scalars).map((output) => backend.download(output)));
}

/** The program with the axes of every kernel collapsed; buffers take the shape of the domain. */
function collapsed(program: Program): Program {
  const buffers = [...program.buffers];
  const steps = program.steps.map((step) => {
    const { hint: _, ...kernel } = step.kernel;
    const nest = collapse(kernel);
    buffers[step.write] = { ...buffers[step.write]!, shape: nest.domain };
    return { ...step, kernel: { ...nest, key: `${kernel.key} collapsed` } };
  });
  return { ...program, buffers, steps, groups: [] };
}

describe('collapse', () => {
  it('keeps what random programs compute', async () => {
    let count = 0;
    for (let seed = 0; count < 40; seed++) {
      const { program, inputs, scalars } = randomCase(seed);
      if (program.steps.some((step) => step.into !== undefined)) continue;
      count++;
      const data = inputs.map((input) => input.data);
      expect(await run(collapsed(program), data, scalars), `seed ${seed}`).toEqual(await run(program, data, scalars));
    }
  });

  it('makes one axis of an element-wise nest of any rank', () => {
    const body = new BodyWriter();
    body.load(
      0,
      body.index([
        [0, 20],
        [1, 5],
        [2, 1],
      ]),
    );
    const nest: Nest = { domain: [3, 4, 5], dtype: 'float32', reads: ['float32'], scalars: [], value: body.ops };
    expect(collapse(nest).domain).toEqual([60]);
  });

  it('drops axes of size 1 and keeps apart what a transposed read needs', () => {
    const body = new BodyWriter();
    body.load(
      0,
      body.index([
        [0, 1],
        [2, 3],
      ]),
    );
    const nest: Nest = { domain: [3, 1, 5], dtype: 'float32', reads: ['float32'], scalars: [], value: body.ops };
    expect(collapse(nest).domain).toEqual([3, 5]);
  });

  it('does not merge the last axis of the domain with the first extent', () => {
    const body = new BodyWriter();
    body.load(
      0,
      body.index([
        [0, 5],
        [1, 1],
      ]),
    );
    const reduce = { op: 'sum', extents: [5], dtype: 'float32' } as const;
    const nest: Nest = { domain: [3], dtype: 'float32', reads: ['float32'], scalars: [], reduce, value: body.ops };
    expect(collapse(nest)).toMatchObject({ domain: [3], reduce: { extents: [5] } });
  });
});

describe('Forms', () => {
  it('sees through the division that splitting an axis leaves behind', () => {
    const body = new BodyWriter();
    const index = body.index([
      [0, 6],
      [1, 1],
    ]);
    const group = body.alu('floorDiv', 'int32', index, body.integer(6));
    const rest = body.alu('floorMod', 'int32', index, body.integer(6));
    const forms = new Forms(body.ops, [4, 6]);
    expect(forms.at(group)).toEqual({ base: 0, axes: new Map([[0, 1]]), others: new Map() });
    expect(forms.at(rest)).toEqual({ base: 0, axes: new Map([[1, 1]]), others: new Map() });
  });

  it('bounds what is not linear', () => {
    const body = new BodyWriter();
    const clamped = body.alu('min', 'int32', body.index([[0, 3]]), body.integer(7));
    const quotient = body.alu('floorDiv', 'int32', body.index([[0, 3]], 1), body.integer(2));
    const forms = new Forms(body.ops, [5]);
    expect(forms.range(clamped)).toEqual({ min: 0, max: 7 });
    expect(forms.range(quotient)).toEqual({ min: 0, max: 6 });
  });
});
