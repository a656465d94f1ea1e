/** The page of errors: complete, and true of errors that are thrown. */
import { readFileSync } from 'node:fs';
import { isNNError, tensor } from '@nn/core';
import { Linear, Sequential } from '@nn/layers';
import { SGD } from '@nn/optim';
import { expect, test } from 'vitest';
import { errorsPage, page } from './errors.mjs';

const written = readFileSync(page, 'utf8');

test('docs/errors.md lists every error of the sources (npm run api:update writes it)', () => {
  expect(errorsPage() === written, 'docs/errors.md is out of date: npm run api:update').toBe(true);
  expect(written.match(/^- `/gm)?.length).toBeGreaterThan(100);
});

test.each<[string, () => unknown]>([
  ['shape/matmul', () => tensor([[1, 2]]).matmul(tensor([[1, 2]]))],
  ['shape/Linear', () => new Linear(2, 1).forward(tensor([[1]]))],
  ['shape/Linear', () => new Sequential(new Linear(2, 1)).forward(tensor([[1]]))],
  ['value/SGD', () => new SGD({})],
  ['dtype/cast', () => Reflect.apply(tensor([1]).cast, tensor([1]), ['float64'])],
  ['value/step', () => new SGD(new Linear(1, 1)).step(null)],
])('an error bears its kind, and the page has it: %s', (kind, run) => {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  const found = isNNError(thrown) ? thrown.kind : String(thrown);
  const [code] = kind.split('/');
  expect(found).toBe(kind);
  expect([found, `${code}/<operation>`].some((name) => written.includes(`- \`${name}\``))).toBe(true);
});
