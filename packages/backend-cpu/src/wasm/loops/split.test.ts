/** Cutting axes: the same elements at the same places, and the units of threads still whole. */
import { buildKernel, ProgramBuilder, reference, runCase } from '@nn/conformance';
import type { Kernel } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { stridesOf } from '../../shape.ts';
import { type Split, splitAxes, tileTransposes } from './split.ts';

/** Two axes, `[rows, columns]`, of which one is read in pairs: out[i, j] = x[i / 2] + x[i % 2], or by j. */
function paired(rows: number, columns: number, by: 0 | 1): Kernel {
  return buildKernel({
    domain: [rows, columns],
    reads: ['float32'],
    value: (body) => {
      const [axis, two] = [body.axis(by), body.constant(2, 'int32')];
      const high = body.load(0, body.alu('floorDiv', 'int32', axis, two));
      const low = body.load(0, body.alu('floorMod', 'int32', axis, two));
      body.alu('add', 'float32', high, low);
    },
  });
}

const transpose = (rows: number, columns: number): Kernel =>
  buildKernel({
    domain: [rows, columns],
    reads: ['float32'],
    value: (body) =>
      body.load(
        0,
        body.index([
          [0, 1],
          [1, rows],
        ]),
      ),
  });

const whole = (kernel: Kernel, outerAxes: number | null): Split<Kernel> => ({
  kernel,
  outStrides: stridesOf(kernel.domain),
  outerAxes,
});

/** What the walk writes, at the places where it writes. */
async function written({ kernel, outStrides }: Split<Kernel>, inputs: number): Promise<number[]> {
  const program = new ProgramBuilder();
  const x = program.input('float32', [inputs]);
  program.output(program.step(kernel, [x]));
  const data = Float32Array.from({ length: inputs }, (_, at) => at + 1);
  const type = { dtype: 'float32', shape: [inputs] } as const;
  const [values] = await runCase(reference(), {
    program: program.build(),
    inputs: [{ data, type }],
    scalars: new Float64Array(0),
  });
  const out: number[] = [];
  values?.forEach((value, position) => {
    let [rest, place] = [position, 0];
    for (let axis = kernel.domain.length - 1; axis >= 0; axis--) {
      const extent = kernel.domain[axis] as number;
      place += (rest % extent) * (outStrides[axis] as number);
      rest = Math.floor(rest / extent);
    }
    out[place] = value;
  });
  return out;
}

describe('an axis that is read in pairs', () => {
  it('becomes two, and both count among the axes of units where it did', () => {
    const first = splitAxes(whole(paired(8, 3, 0), 1));
    expect(first.kernel.domain).toEqual([4, 2, 3]);
    expect(first.outStrides).toEqual([6, 3, 1]);
    expect(first.outerAxes).toBe(2); // eight units, as before
    expect(splitAxes(whole(paired(3, 8, 1), 2)).outerAxes).toBe(3);
  });

  it('leaves the units alone where it lies inside them, or where there are none', () => {
    const inside = splitAxes(whole(paired(3, 8, 1), 1));
    expect([inside.kernel.domain, inside.outerAxes]).toEqual([[3, 4, 2], 1]);
    expect(splitAxes(whole(paired(8, 3, 0), null)).outerAxes).toBe(null);
  });

  it('has the same numbers at the same places', async () => {
    for (const by of [0, 1] as const) {
      const nest = whole(paired(8, 6, by), 1);
      expect(await written(splitAxes(nest), 4)).toEqual(await written(nest, 4));
    }
  });
});

describe('a large transpose', () => {
  it('is walked in tiles, with the same numbers at the same places', async () => {
    const nest = whole(transpose(192, 256), null);
    const tiled = tileTransposes(nest);
    expect(tiled.kernel.domain).toEqual([12, 16, 16, 16]);
    expect(await written(tiled, 192 * 256)).toEqual(await written(nest, 192 * 256));
  });

  it('is walked in tiles beside an axis that stays', async () => {
    const nest = whole(
      buildKernel({
        domain: [32, 16, 128],
        reads: ['float32'],
        value: (body) =>
          body.load(
            0,
            body.index([
              [0, 1],
              [1, 32],
              [2, 32 * 16],
            ]),
          ),
      }),
      null,
    );
    const tiled = tileTransposes(nest);
    expect(tiled.kernel.domain).toEqual([2, 16, 8, 16, 16]);
    expect(await written(tiled, 32 * 16 * 128)).toEqual(await written(nest, 32 * 16 * 128));
  });

  it('stays as it is where it is small, or where threads share its rows', () => {
    for (const nest of [whole(transpose(64, 64), null), whole(transpose(192, 256), 1)])
      expect(tileTransposes(nest)).toBe(nest);
  });
});
