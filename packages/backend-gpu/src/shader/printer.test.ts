import { describe, expect, it } from 'vitest';
import { BodyWriter } from '../nest/body-writer.ts';
import { collapse, type Nest } from '../nest/nest.ts';
import { glsl, type Language, library, quotient, wgsl } from './language.ts';
import { print } from './printer.ts';
import type { Offset } from './shader.ts';

function shader(
  nest: Partial<Nest> & Pick<Nest, 'domain' | 'value'>,
  offsets: readonly Offset[],
  language: Language = glsl,
): string {
  const full: Nest = { dtype: 'float32', reads: offsets.map(() => 'float32' as const), scalars: [], ...nest };
  return print(collapse(full), { language, offsets }).body;
}

describe('print', () => {
  it('reads four neighbours at once and has no sizes in the text of an element-wise nest', () => {
    const text = (rows: number): string => {
      const body = new BodyWriter();
      const index = body.index([
        [0, 5],
        [1, 1],
      ]);
      body.alu('add', 'float32', body.load(0, index), body.load(1, index));
      return shader({ domain: [rows, 5], value: body.ops }, ['zero', 'zero']);
    };
    expect(text(7)).toMatchInlineSnapshot(`
      "vec4 v0 = nn_read0(t);
      vec4 v1 = nn_read1(t);
      vec4 v2 = v0 + v1;
      return v2;"
    `);
    expect(text(900)).toBe(text(7));
  });

  it('reads one number where the lanes agree, and shifts where they start between texels', () => {
    const body = new BodyWriter();
    const column = body.load(0, body.index([[0, 1]]));
    body.alu(
      'mul',
      'float32',
      column,
      body.load(
        1,
        body.index(
          [
            [0, 9],
            [1, 1],
          ],
          1,
        ),
      ),
    );
    expect(shader({ domain: [4, 8], value: body.ops }, ['zero', 'zero'], wgsl)).toMatchInlineSnapshot(`
      "let v0 = (t >> u32(1u));
      let v1 = nn_pick0(v0);
      let v2 = (t & i32(1));
      let v3 = nn_four1(v0 * 9 + 1 + v2 * 4);
      let v4 = vec4<f32>(v1) * v3;
      return v4;"
    `);
  });

  it('reads four terms of a sum at once', () => {
    const body = new BodyWriter();
    body.load(
      0,
      body.index([
        [0, 8],
        [1, 1],
      ]),
    );
    const text = shader({ domain: [4], reduce: { op: 'sum', extents: [8], dtype: 'float32' }, value: body.ops }, [
      'zero',
    ]);
    expect(text.match(/nn_read0/g)).toHaveLength(4);
    expect(text).toContain('for (int r0 = 0; r0 < 8; r0 += 4)');
  });

  it('passes the offset of a read as a number', () => {
    const body = new BodyWriter();
    body.load(0, body.index([[0, 1]]));
    const aligned = print(
      { domain: [8], dtype: 'float32', reads: ['float32'], scalars: [], value: body.ops },
      { language: glsl, offsets: ['aligned'] },
    );
    expect(aligned.parameters).toEqual([{ kind: 'offset', read: 0 }]);
    expect(aligned.body).toContain('nn_read0(t + offset0 / 4)');
  });

  it('keeps the rounding of (1 + x) - 1', () => {
    const body = new BodyWriter();
    const sum = body.alu('add', 'float32', body.load(0, body.index([[0, 1]])), body.number(1));
    body.alu('sub', 'float32', sum, body.number(1));
    expect(shader({ domain: [8], value: body.ops }, ['zero'])).toContain('nn_keep4(');
  });

  it('prints the epilogue of a reduction that something else made', () => {
    const epilogue = new BodyWriter();
    epilogue.alu('mul', 'float32', epilogue.accumulator('float32'), epilogue.number(2));
    const nest: Nest = {
      domain: [3, 4],
      dtype: 'float32',
      reads: [],
      scalars: [],
      value: [],
      reduce: { op: 'sum', extents: [5], dtype: 'float32' },
      epilogue: epilogue.ops,
    };
    const { body } = print(nest, {
      language: glsl,
      offsets: [],
      accumulator: (index, emit) => {
        const row = index({ base: 0, axes: new Map([[0, 1]]), others: new Map() });
        return emit('F', 4, `product(${row.text})`);
      },
    });
    expect(body).toMatchInlineSnapshot(`
      "int v0 = t;
      vec4 v1 = product(v0);
      vec4 v2 = v1 * vec4(2.0);
      return v2;"
    `);
  });
});

describe('library', () => {
  it('puts every function before its use', () => {
    for (const language of [glsl, wgsl]) {
      const text = library(language, 'nn_pow4(x, y)');
      const defined = new Set<string>();
      for (const [, name, rest] of text.matchAll(/(nn_\w+)\(([^{]*\{[\s\S]*?\n?\})/g)) {
        if (rest === undefined || name === undefined) continue;
        for (const [used] of rest.matchAll(/nn_\w+(?=\()/g)) expect(defined, `${used} in ${name}`).toContain(used);
        defined.add(name);
      }
      expect(defined).toContain('nn_pow4');
    }
  });
});

describe('quotient', () => {
  it('is exact by multiplication below 2^21', () => {
    // The same arithmetic in single precision.
    const share = (x: number, by: number): number =>
      Math.trunc(Math.fround(Math.fround(x + 0.5) * Math.fround(1 / by)));
    for (const by of [3, 5, 7, 10, 28, 49, 127, 784, 1023, 65537]) {
      for (let multiple = by; multiple < 2 ** 21; multiple += by * Math.ceil(2 ** 21 / by / 500)) {
        for (const x of [multiple - 1, multiple, multiple + 1])
          expect(share(x, by), `${x} / ${by}`).toBe(Math.floor(x / by));
      }
    }
    expect(quotient(glsl, 1, 't', 2 ** 21 - 1, 7)).toContain('nn_share1');
    expect(quotient(glsl, 1, 't', 2 ** 21, 7)).toBe('(t / int(7))');
  });
});
