import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tensor } from '@nn/core';
import { loadOnnx } from '@nn/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { torchLayer } from '../model/export/torch-program.ts';
import { conv, defaults, dense, type Spec, withTask } from '../model/spec.ts';
import { runProgram } from '../program-tests.ts';
import { exported } from './export.ts';
import { look } from './look.ts';
import { answers } from './mistakes.ts';
import { predict } from './predict.ts';
import { Session } from './session.ts';
import { recognise } from './walk.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const python = '/usr/bin/python3';
const hasTorch = spawnSync(python, ['-c', 'import torch, numpy']).status === 0;
if (!hasTorch) console.info(`skipped: the programs for PyTorch, as ${python} has no torch`);

const steps = 20;
const specs: Readonly<Record<string, Spec>> = {
  moons: {
    ...defaults,
    layers: [{ ...dense(6, 'gelu'), norm: 'batch' }, { ...dense(5, 'elu'), norm: 'layer' }, dense(4, 'softplus')],
    features: ['x', 'y', 'xy', 'sinX'],
    penalty: 'l2',
    schedule: 'oneCycle',
    optimizer: 'rmsprop',
  },
  houses: {
    ...withTask(defaults, 'table'),
    table: { target: '', inputs: [], as: 'auto', example: 'houses' },
    loss: 'huber',
    optimizer: 'adamw',
    schedule: 'warmUp',
  },
  flowers: {
    ...withTask(defaults, 'table'),
    table: { target: '', inputs: [], as: 'auto', example: 'flowers' },
    loss: 'meanSquaredError',
    optimizer: 'nesterov',
    penalty: 'l1',
  },
  digits: {
    ...withTask(defaults, 'digits'),
    samples: 80,
    // Adam would make steps of the rounding errors that are the gradients of biases before a batch normalisation
    optimizer: 'momentum',
    learningRate: 0.01,
    layers: [
      { ...conv(3, 5), norm: 'batch' },
      { ...conv(2, 3), pad: false, activation: 'leakyRelu' },
      dense(6, 'silu'),
    ],
  },
};

interface Taken {
  readonly session: Session;
  readonly folder: string;
}
const taken = new Map<string, Taken>();
let above = '';

beforeAll(async () => {
  above = mkdtempSync(join(tmpdir(), 'nn-export-'));
  mkdirSync(join(above, 'node_modules'));
  symlinkSync(join(root, 'node_modules/@nn'), join(above, 'node_modules/@nn'), 'junction');
  for (const [name, spec] of Object.entries(specs)) {
    const session = await Session.make(spec, {});
    for (let i = 0; i < steps; i++) await session.trainStep();
    const folder = join(above, name);
    for (const [file, bytes] of unzip(await exported(session, 'zip', '1.2.3'))) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), bytes);
    }
    taken.set(name, { session, folder });
  }
});
afterAll(() => rmSync(above, { recursive: true }));

/** The members of a stored archive, by its directory. */
function unzip(bytes: Uint8Array): [string, Uint8Array][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const end = bytes.length - 22;
  let at = view.getUint32(end + 16, true);
  return Array.from({ length: view.getUint16(end + 10, true) }, () => {
    const [size, nameLength, local] = [
      view.getUint32(at + 24, true),
      view.getUint16(at + 28, true),
      view.getUint32(at + 42, true),
    ];
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    at += 46 + nameLength;
    return [name, bytes.slice(start, start + size)];
  });
}

const run = (folder: string, file: string): string => {
  const { stdout, stderr } = runProgram(folder, file);
  expect(stderr).toBe('');
  return stdout;
};

const lossOf = (text: string): number => Number(/test: loss ([\d.]+)/.exec(text)?.[1]);

describe('what is taken along', () => {
  it.skipIf(!hasTorch)(
    'trains in PyTorch to the numbers of the page',
    async () => {
      const programs = [...taken.values()].map(({ folder }) => join(folder, 'pytorch/train.py'));
      const script = 'import runpy, sys\nfor path in sys.argv[1:]:\n    runpy.run_path(path)\n    print("--")';
      const { stdout, stderr } = spawnSync(python, ['-c', script, ...programs], { cwd: above, encoding: 'utf8' });
      expect(stderr).toBe('');
      const said = stdout.split('--\n');
      for (const [k, { session }] of [...taken.values()].entries()) {
        const frame = await look(session, false);
        expect(lossOf(said[k] ?? ''), session.spec.task).toBeCloseTo(frame.testLoss, 3);
        expect(Number(/train: loss ([\d.]+)/.exec(said[k] ?? '')?.[1])).toBeCloseTo(frame.trainLoss, 3);
        const [, accuracy] = /test: .*accuracy ([\d.]+)/.exec(said[k] ?? '') ?? [];
        if (frame.testAccuracy !== null) expect(Number(accuracy)).toBeCloseTo(frame.testAccuracy, 2);
      }
    },
    120_000,
  );

  it('trains in TypeScript to the same numbers, and predicts what the page predicts', async () => {
    for (const name of ['moons', 'houses']) {
      const { session, folder } = taken.get(name)!;
      const { value, shares } = await predict(session, JSON.parse(readFileSync(join(folder, 'example.json'), 'utf8')));
      const said = run(folder, 'predict.mts');
      if (value === null) expect(Number(/^1: ([\d.]+) %$/m.exec(said)?.[1])).toBeCloseTo(100 * (shares?.[1] ?? 0), 1);
      else expect(Number(said.split(' ').at(-1))).toBeCloseTo(value, 1);
      if (name === 'houses') continue;
      expect(lossOf(run(folder, 'program.mts'))).toBeCloseTo((await look(session, false)).testLoss, 4);
      // what it has learned anew predicts the same
      expect(run(folder, 'predict.mts').slice(0, 6)).toBe(said.slice(0, 6));
    }
    const { folder } = taken.get('houses')!;
    const { dependencies, scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    expect(dependencies['@nn/core']).toBe('^1.2.3');
    expect(scripts.predict).toBe('tsx predict.mts');
    expect(readFileSync(join(folder, 'houses.csv'), 'utf8')).toMatch(/^area \(m²\);/);
  });

  it('runs as ONNX, with any number of samples', async () => {
    for (const { session, folder } of taken.values()) {
      const model = await loadOnnx(new Uint8Array(readFileSync(join(folder, 'model.onnx'))));
      const { problem } = session;
      const part = problem.test.take([0, 1, 2]);
      const values = Float32Array.from(part.fields.inputs.data, (value) => (problem.pixels ? value / 255 : value));
      const output = await model.forward(tensor(values, { shape: [3, ...problem.inputShape] })).data();
      const expected = await answers(session, part);
      expected.forEach((value, i) => {
        expect(output[i]).toBeCloseTo(value, 4);
      });
    }
  });

  it('stands in a page of one file, which computes what the network does', async () => {
    for (const { session, folder } of taken.values()) {
      const page = readFileSync(join(folder, 'predict.html'), 'utf8');
      expect(page).not.toMatch(/src=|href=|https?:/);
      const made = /const forward = (.*?);\n\nconst form = /s.exec(page)?.[1] ?? '';
      // the page's own text, run as the browser runs it
      const forward = new Function(`return ${made}`)() as (inputs: ArrayLike<number>) => number[];
      const { problem } = session;
      const part = problem.test.take([3]);
      const values = Float32Array.from(part.fields.inputs.data, (value) => (problem.pixels ? value / 255 : value));
      const expected = await answers(session, part);
      const output = forward(values);
      expect(output).toHaveLength(expected.length);
      expected.forEach((value, i) => {
        expect(output[i]).toBeCloseTo(value, 4);
      });
    }
    const { session } = taken.get('digits')!;
    expect((await recognise(session, new Float32Array(784))).shares).toHaveLength(10);
  });

  it('writes layers as PyTorch does', () => {
    expect(torchLayer('new Conv2d(1, 6, 5, { padding: 2 })')).toBe('nn.Conv2d(1, 6, 5, padding=2)');
    expect(torchLayer('new LayerNorm([6, 28, 28])')).toBe('nn.LayerNorm([6, 28, 28])');
  });
});
