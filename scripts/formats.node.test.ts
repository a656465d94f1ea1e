/** The tables of the guide on moving models are what the code reads and writes. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { movingModels, movingModelsPage } from './formats.ts';

test('docs/guides/moving-models.md has the tables that the code gives (npm run api:update writes them)', () => {
  const text = readFileSync(movingModelsPage, 'utf8');
  expect(movingModels(text) === text, 'docs/guides/moving-models.md is out of date: npm run api:update').toBe(true);
  expect(text).toContain('`encodeOnnx`');
  expect(text).toContain('Q4_K');
  expect(() => movingModels(text.replace('<!-- graphs:', '<!-- graph:'))).toThrow('has no place for graphs');
});
