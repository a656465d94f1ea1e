/** The models that `npm start` saves, on the page. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaults } from '../model/spec.ts';
import { renaming } from './foreign.ts';
import { look } from './look.ts';
import { Session } from './session.ts';

const root = join(import.meta.dirname, '../../../..');
let folder = '';
let printed = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nn-foreign-'));
  const demo = join(root, 'apps/demo/src/main.ts');
  const { stdout } = spawnSync(
    process.execPath,
    ['--conditions=@nn/source', '--import', 'tsx', demo, '--epochs', '1', '--batch-size', '50', '--output', folder],
    { cwd: root, encoding: 'utf8' },
  );
  printed = stdout;
});
afterAll(() => rmSync(folder, { recursive: true }));

const opened = async (name: string): Promise<Session> =>
  (await Session.make(defaults, {})).load(new Uint8Array(readFileSync(join(folder, `${name}.safetensors`))));

describe('a model that npm start saved', () => {
  it('of two moons opens with its network, and answers as it did there', async () => {
    const session = await opened('moons');
    expect(session.spec).toMatchObject({ task: 'moons', optimizer: 'sgd', learningRate: 8, loss: 'meanSquaredError' });
    const frame = await look(session, false);
    const [, there] = /Two moons[\s\S]*?test +([\d.]+) %/.exec(printed) ?? [];
    // other points of the same moons: 400 of them, of which each is a quarter of a percent
    expect(Math.abs(100 * (frame.testAccuracy ?? 0) - Number(there))).toBeLessThan(8);
    await session.trainStep();
  });

  it('of digits reads digits: normalised pixels, layers without padding, running statistics', async () => {
    const session = await opened('digits');
    expect(session.network.parts.map(({ code }) => code).slice(0, 2)).toEqual([
      'new Conv2d(1, 8, 5)',
      'new BatchNorm2d(8)',
    ]);
    const frame = await look(session, false);
    const [, there] = /Test accuracy ([\d.]+) %/.exec(printed) ?? [];
    expect(Math.abs(100 * (frame.testAccuracy ?? 0) - Number(there))).toBeLessThan(8);
    await session.trainStep();
  });
});

describe('the names of layers', () => {
  const named = (all: Readonly<Record<string, readonly number[]>>) =>
    new Map(Object.entries(all).map(([name, shape]) => [name, { shape }]));

  it('correspond by what the layers hold, and of equal ones by the numbers in their names', () => {
    const file = named({ 'fc10.weight': [4, 4], 'fc2.weight': [4, 4], 'a.bias': [1], 'a.weight': [1, 4] });
    const own = named({ '0.weight': [4, 4], '2.weight': [4, 4], '4.weight': [1, 4], '4.bias': [1] });
    const rename = renaming(file, own);
    expect(['fc2.weight', 'fc10.weight', 'a.bias'].map(rename)).toEqual(['0.weight', '2.weight', '4.bias']);
  });

  it('stay where they are known, and where the layers are other ones', () => {
    const own = named({ '0.weight': [2, 2], '1.weight': [2, 2] });
    expect(renaming(named({ '1.weight': [2, 2], '0.weight': [2, 2] }), own)('1.weight')).toBe('1.weight');
    expect(renaming(named({ 'a.weight': [2, 2], 'b.weight': [2, 3] }), own)('a.weight')).toBe('a.weight');
    expect(renaming(named({ 'a.weight': [2, 2] }), own)('a.weight')).toBe('a.weight');
  });
});
