/** Models that others wrote, where they lie beside the repository: a share of onnx's own tests, and its whole networks. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cpu } from '@nn/backend-cpu';
import { isTensor, setDefaultBackend, type Tensor } from '@nn/core';
import { beforeAll, expect, it } from 'vitest';
import { readTensor } from './format/model.ts';
import { decodeTensor } from './format/tensors.ts';
import { loadOnnx } from './load/load-onnx.ts';
import { MessageReader } from './protobuf/reader.ts';
import type { HostTensor } from './values/value.ts';

beforeAll(() => setDefaultBackend(cpu()));

const folder = resolve(import.meta.dirname, '../../../../shared/fixtures/onnx');
const isHere = existsSync(folder);
if (!isHere) process.stdout.write('models of others are not here: those tests are skipped\n');

/** One of every few, so that all operators are met in a few seconds; the script `fixtures.ts` runs them all. */
const share = 6;

function valueAt(path: string): HostTensor {
  const value = decodeTensor(readTensor(new MessageReader(new Uint8Array(readFileSync(path)), 'a value')));
  if (value.kind !== 'host') throw new Error('texts');
  return value;
}

async function check(path: string): Promise<void> {
  const model = await loadOnnx(join(path, 'model.onnx'));
  const data = join(path, 'test_data_set_0');
  const inputs: Record<string, Tensor> = {};
  model.inputs.forEach(({ name }, k) => {
    inputs[name] = valueAt(join(data, `input_${k}.pb`)).tensor;
  });
  const outputs = await model.run(inputs);
  for (const [k, { name }] of model.outputs.entries()) {
    const expected = valueAt(join(data, `output_${k}.pb`));
    const actual = outputs[name];
    if (!isTensor(actual)) throw new Error(`${name} is no tensor`);
    expect(actual.shape).toEqual(expected.shape);
    const found = await actual.data();
    found.forEach((value, i) => {
      const wanted = Math.fround(expected.data[i]!);
      const isSame = value === wanted || (Number.isNaN(value) && Number.isNaN(wanted));
      if (!isSame && !(Math.abs(value - wanted) <= 1e-7 + 1e-3 * Math.abs(wanted))) {
        throw new Error(`${path}, ${name}[${i}]: ${value} in place of ${wanted}`);
      }
    });
  }
}

it.skipIf(!isHere)('the models that PyTorch wrote', async () => {
  const home = join(folder, 'pytorch-operator');
  for (const name of readdirSync(home)) await check(join(home, name));
});

it.skipIf(!isHere)('a share of the tests of operators', async () => {
  const home = join(folder, 'node');
  const names = readdirSync(home).filter((_, k) => k % share === 0);
  const wrong: string[] = [];
  let passed = 0;
  for (const name of names) {
    try {
      await check(join(home, name));
      passed++;
    } catch (error) {
      wrong.push(`${name}: ${error instanceof Error ? error.message.slice(0, 120) : String(error)}`);
    }
  }
  // texts, pictures, sequences, training, and float8: see the README of the package
  expect(passed / names.length, wrong.join('\n')).toBeGreaterThan(0.85);
});
