/** Index arithmetic read back as base and strides. */
import { BodyBuilder } from '@nn/conformance';
import { expect, test } from 'vitest';
import { affine } from './affine.ts';

function formOf(write: (body: BodyBuilder) => number) {
  const body = new BodyBuilder();
  const form = affine(body.ops, write(body));
  return form === null
    ? null
    : { base: form.base, strides: Object.fromEntries(form.strides), scalars: Object.fromEntries(form.scalars) };
}

test('sums of axes and scalars times constants are read', () => {
  expect(
    formOf((body) => {
      const row = body.alu('mul', 'int32', body.constant(7, 'int32'), body.axis(0));
      const column = body.alu('sub', 'int32', body.axis(1), body.constant(2, 'int32'));
      const start = body.alu('mul', 'int32', body.scalar(0, 'int32'), body.constant(7, 'int32'));
      return body.alu('add', 'int32', body.alu('add', 'int32', row, column), start);
    }),
  ).toEqual({ base: -2, strides: { 0: 7, 1: 1 }, scalars: { 0: 7 } });
});

test('terms that cancel are gone', () => {
  const form = formOf((body) =>
    body.alu('sub', 'int32', body.alu('add', 'int32', body.axis(0), body.axis(1)), body.axis(0)),
  );
  expect(form).toEqual({ base: 0, strides: { 1: 1 }, scalars: {} });
});

test.each<[string, (body: BodyBuilder) => number]>([
  ['a product of axes', (body) => body.alu('mul', 'int32', body.axis(0), body.axis(1))],
  ['a remainder', (body) => body.alu('floorMod', 'int32', body.axis(0), body.constant(3, 'int32'))],
  ['a loaded number', (body) => body.load(0, body.axis(0), 'int32')],
  [
    'a clamp inside of a sum',
    (body) => body.alu('add', 'int32', body.axis(1), body.alu('max', 'int32', body.axis(0), body.constant(1, 'int32'))),
  ],
])('%s is not', (_, write) => {
  expect(formOf(write)).toBe(null);
});
