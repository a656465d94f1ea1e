/** The generated code of typical kernels, to be read: a change of the generator shows here as a difference. */
import { BodyBuilder, buildKernel, type KernelParts } from '@nn/conformance';
import { describe, expect, it } from 'vitest';
import { plainNest } from '../host/kernels.ts';
import { stridesOf } from '../shape.ts';
import { nestSource } from './nest-source.ts';

function sourceOf(parts: KernelParts, offsets: readonly boolean[] = []): string {
  const kernel = buildKernel(parts);
  const placement = { offsets, strides: stridesOf(kernel.domain), based: false, aliased: false, key: '' };
  return nestSource(plainNest(kernel, placement)).source;
}

describe('nestSource', () => {
  it('runs an elementwise kernel of any rank as one loop without index arithmetic', () => {
    const source = sourceOf({
      domain: [8, 16, 32],
      reads: ['float32', 'float32'],
      scalars: ['float32'],
      value: (body) => {
        const x = body.load(0, body.flat([8, 16, 32]));
        const y = body.load(1, body.flat([8, 16, 32]));
        body.alu(
          'max',
          'float32',
          body.alu('add', 'float32', x, body.alu('mul', 'float32', y, body.scalar(0))),
          body.constant(0),
        );
      },
    });
    expect(source).toMatchInlineSnapshot(`
      "const out = call.out;
      const r0 = call.reads[0];
      const r1 = call.reads[1];
      const s0 = Math.fround(call.scalars[call.slots[0]]);
      for (let i0 = 0; i0 < 4096; i0++) {
        out[i0] = Math.max(Math.fround((r0[i0] + Math.fround((r1[i0] * s0)))), 0);
      }"
    `);
  });

  it('hoists what does not change in the inner loops', () => {
    const source = sourceOf({
      domain: [4, 8],
      reads: ['float32', 'float32', 'int32'],
      value: (body) => {
        const row = body.alu('exp', 'float32', body.load(0, body.axis(0)));
        const place = body.load(2, body.axis(0), 'int32');
        const at = body.alu('add', 'int32', body.alu('mul', 'int32', place, body.constant(8, 'int32')), body.axis(1));
        body.alu('mul', 'float32', row, body.load(1, at));
      },
    });
    expect(source).toMatchInlineSnapshot(`
      "const out = call.out;
      const r0 = call.reads[0];
      const r2 = call.reads[2];
      const r1 = call.reads[1];
      for (let i0 = 0, vp3_0 = 0; i0 < 4; i0++, vp3_0 = vp3_0 + 8 | 0) {
        const v2 = Math.fround(Math.exp(r0[i0]));
        const v4 = r2[i0];
        const vt9 = Math.imul(v4, 8);
        for (let i1 = 0, vp3_1 = vp3_0; i1 < 8; i1++, vp3_1 = vp3_1 + 1 | 0) {
          out[vp3_1] = Math.fround((v2 * r1[i1 + vt9 | 0]));
        }
      }"
    `);
  });

  it('sums columns in a row of sums, so that memory is read in order', () => {
    const source = sourceOf(
      {
        domain: [32],
        reads: ['float32'],
        reduce: { op: 'sum', extents: [100], dtype: 'float32' },
        value: (body) =>
          body.load(
            0,
            body.index([
              [0, 1],
              [1, 32],
            ]),
          ),
        epilogue: (body) => body.alu('mul', 'float32', body.accumulator(), body.constant(0.01)),
      },
      [true],
    );
    expect(source).toMatchInlineSnapshot(`
      "const out = call.out;
      const r0 = call.reads[0];
      const o0 = call.offsets[0];
      for (let i0 = 0; i0 < 32; i0++) {
        row[i0] = 0;
      }
      for (let i1 = 0, vp0_0 = 0; i1 < 100; i1++, vp0_0 = vp0_0 + 32 | 0) {
        for (let i0 = 0, vp0_1 = vp0_0; i0 < 32; i0++, vp0_1 = vp0_1 + 1 | 0) {
          row[i0] = row[i0] + r0[vp0_1 + o0 | 0];
        }
      }
      for (let i0 = 0; i0 < 32; i0++) {
        const sum = row[i0];
        out[i0] = Math.fround((Math.fround(sum) * 0.009999999776482582));
      }"
    `);
  });

  it('reduces rows in a variable, with the epilogue behind', () => {
    const body = new BodyBuilder();
    body.load(
      0,
      body.index([
        [0, 100],
        [1, 1],
      ]),
    );
    const source = sourceOf({
      domain: [32],
      reads: ['float32', 'float32'],
      reduce: { op: 'max', extents: [100], dtype: 'float32' },
      value: body.ops,
      epilogue: (after) => after.alu('sub', 'float32', after.accumulator(), after.load(1, after.axis(0))),
    });
    expect(source).toMatchInlineSnapshot(`
      "const out = call.out;
      const r0 = call.reads[0];
      const r1 = call.reads[1];
      for (let i0 = 0, vp0_0 = 0; i0 < 32; i0++, vp0_0 = vp0_0 + 100 | 0) {
        let sum = -Infinity;
        for (let i1 = 0, vp0_1 = vp0_0; i1 < 100; i1++, vp0_1 = vp0_1 + 1 | 0) {
          sum = Math.max(sum, r0[vp0_1]);
        }
        out[i0] = Math.fround((sum - r1[i0]));
      }"
    `);
  });
});
