import { BodyBuilder } from '@nn/conformance';
import { describe, expect, it } from 'vitest';
import { affineForms } from './affine.ts';

/** The form of the last value. */
function formOf(build: (body: BodyBuilder) => number, extents: readonly number[] = [4, 5, 6]) {
  const body = new BodyBuilder();
  const last = build(body);
  const { constant, strides, terms } = affineForms(body.ops, extents)[last]!;
  return { constant, strides: Object.fromEntries(strides), terms: Object.fromEntries(terms) };
}

const int = (body: BodyBuilder, value: number): number => body.constant(value, 'int32');

describe('affineForms', () => {
  it('collects axes, constants and products with constants', () => {
    const form = formOf((body) => {
      const sum = body.index(
        [
          [0, 30],
          [1, 6],
          [2, -1],
        ],
        7,
      );
      return body.alu('mul', 'int32', body.alu('sub', 'int32', sum, body.axis(1)), int(body, 2));
    });
    expect(form).toEqual({ constant: 14, strides: { 0: 60, 1: 10, 2: -2 }, terms: {} });
  });

  it('leaves out axes that cancel and axes of one index', () => {
    expect(formOf((body) => body.alu('sub', 'int32', body.axis(0), body.axis(0))).strides).toEqual({});
    expect(
      formOf(
        (body) =>
          body.index([
            [0, 3],
            [1, 1],
          ]),
        [1, 5],
      ).strides,
    ).toEqual({ 1: 1 });
  });

  it('keeps what is no sum as a term, with its factor', () => {
    const form = formOf((body) => {
      const loaded = body.load(0, body.axis(0), 'int32');
      return body.alu('add', 'int32', body.alu('mul', 'int32', loaded, int(body, 6)), body.axis(2));
    });
    expect(form).toEqual({ constant: 0, strides: { 2: 1 }, terms: { 1: 6 } });
    const product = formOf((body) => body.alu('mul', 'int32', body.axis(0), body.axis(1)));
    expect(product).toEqual({ constant: 0, strides: {}, terms: { 2: 1 } });
  });

  it('takes a sum whose numbers leave 32 bits as a term', () => {
    const form = formOf((body) => {
      const large = body.alu('mul', 'int32', body.axis(0), int(body, 0x40000000));
      return body.alu('mul', 'int32', large, int(body, 4));
    });
    expect(form).toEqual({ constant: 0, strides: {}, terms: { 4: 1 } });
  });
});
