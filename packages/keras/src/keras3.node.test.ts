/** Models that Keras 3 itself wrote (scripts/golden/keras_files.py): what they compute, and the same from both of its files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reference } from '@nn/conformance';
import { evaluate, setDefaultBackend } from '@nn/core';
import { describe, expect, test } from 'vitest';
import written from '../fixtures/written.json' with { type: 'json' };
import { type KerasModel, loadKeras } from './index.ts';
import { archiveOf, type GoldenModel, inputTensor, legacyFileOf } from './testing.ts';

setDefaultBackend(reference());

// the cast: fixtures are JSON
const cases = written.cases as readonly GoldenModel[];

async function expectOutputs(model: KerasModel, { inputs, outputs }: GoldenModel): Promise<void> {
  const given = inputs.map((input, k) => inputTensor(input, model.inputs[k]?.dtype));
  const found = evaluate(() => model.forwardAll(...given));
  expect(found.map(({ shape }) => [...shape])).toEqual(outputs.map(({ shape }) => shape));
  for (const [k, output] of outputs.entries()) {
    const values = await found[k]!.data();
    const error = output.data.reduce((most, right, at) => Math.max(most, Math.abs(right - values[at]!)), 0);
    expect(error).toBeLessThan(1e-5);
  }
}

describe('the .keras and the .h5 of Keras 3', () => {
  for (const golden of cases) {
    test(golden.name, async () => {
      await expectOutputs(await loadKeras(await archiveOf(golden)), golden);
      if (golden.legacy) await expectOutputs(await loadKeras(await legacyFileOf(golden)), golden);
    });
  }
});

describe('whole files', () => {
  const file = (name: string): string => join(import.meta.dirname, '../fixtures', name);
  test.each([
    ['nested.keras', 'a graph in a graph, twice'],
    ['pictures.keras', 'pictures'],
    ['words.h5', 'words'],
  ])('%s', async (name, golden) => {
    await expectOutputs(await loadKeras(readFileSync(file(name))), cases.find((one) => one.name === golden)!);
  });
});
