/** What is written for others, read by them: `torch.load(weights_only=True)` and `numpy.load`, where Python has them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpu } from '@nn/backend-cpu';
import { parameter, setDefaultBackend } from '@nn/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { saveModel } from './model.ts';

function python(code: string, ...parameters: string[]): string {
  return execFileSync('/usr/bin/python3', ['-c', code, ...parameters], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

function has(module: string): boolean {
  try {
    python(`import ${module}`);
    return true;
  } catch {
    console.log(`skipped: Python has no ${module} here`);
    return false;
  }
}

beforeAll(() => setDefaultBackend(cpu()));
const folder = mkdtempSync(join(tmpdir(), 'nn-written-'));
afterAll(() => rmSync(folder, { recursive: true }));

const weight = parameter([
  [1.5, -2],
  [3, 4],
]);
const model = { embedding: { weight }, head: { weight, bias: parameter([5, 6, 7]) }, steps: parameter(3) };

it.skipIf(!has('torch'))('PyTorch reads a model with its tied weights tied, running no code', async () => {
  const path = join(folder, 'model.pt');
  await saveModel(path, model);
  const read = python(
    `
import json, sys, torch
state = torch.load(sys.argv[1], weights_only=True)
tied = state['embedding.weight'].data_ptr() == state['head.weight'].data_ptr()
print(json.dumps([{name: value.tolist() for name, value in state.items()}, tied, type(state).__name__]))`,
    path,
  );
  const values = {
    'embedding.weight': [
      [1.5, -2],
      [3, 4],
    ],
    'head.weight': [
      [1.5, -2],
      [3, 4],
    ],
    'head.bias': [5, 6, 7],
    steps: 3,
  };
  expect(JSON.parse(read)).toEqual([values, true, 'OrderedDict']);
});

it.skipIf(!has('numpy'))('NumPy reads a model', async () => {
  const path = join(folder, 'model.npz');
  await saveModel(path, model);
  const read = python(
    `
import json, sys, numpy
archive = numpy.load(sys.argv[1])
print(json.dumps([archive.zip.testzip(), {name: [value.dtype.str, value.tolist()] for name, value in archive.items()}]))`,
    path,
  );
  const values = {
    'embedding.weight': [
      '<f4',
      [
        [1.5, -2],
        [3, 4],
      ],
    ],
    'head.bias': ['<f4', [5, 6, 7]],
    steps: ['<f4', 3],
  };
  expect(JSON.parse(read)).toEqual([null, values]);
});
