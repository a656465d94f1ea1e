import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../program-tests.ts';
import { look } from '../worker/look.ts';
import { Session } from '../worker/session.ts';
import { programName, programOf } from './program.ts';
import type { Dropped, DroppedTable } from './samples.ts';
import { conv, defaults, dense, type Spec, withTask } from './spec.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
/** Where the compiler looks at the programs. */
let checked = '';
/** Where they run: a folder as a user has it, with the packages and no package.json. */
let folder = '';

beforeAll(() => {
  mkdirSync(join(root, '.examples'), { recursive: true });
  checked = mkdtempSync(join(root, '.examples', 'playground-'));
  folder = mkdtempSync(join(tmpdir(), 'nn-program-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(root, 'node_modules/@nn'), join(folder, 'node_modules/@nn'), 'junction');
});
afterAll(() => {
  for (const made of [checked, folder]) rmSync(made, { recursive: true });
});

const rows = Array.from(
  { length: 60 },
  (_, i) => `${i % 7},${(i * 3) % 11},${i % 2 ? 'red' : 'blue'},${(i % 7) + ((i * 3) % 11) / 2}`,
);
const table = { name: "it's.csv", text: `a,b,color,sum\n${rows.join('\n')}\n`, encoding: 'utf-8' };
/** As a spreadsheet in Paris writes it: semicolons, decimal commas, no names, another encoding. */
const french = {
  name: 'mesures.csv',
  text: `${Array.from({ length: 60 }, (_, i) => `${i % 7},5;${(i * 3) % 11},25;${i % 2 ? 'été' : 'hiver'};${i % 7},75`).join('\n')}\n`,
  encoding: 'windows-1252',
};
/** Names that end comments, strings and lines where they are not quoted, or that objects inherit. */
const hostile = {
  name: "a'+process.exit(3)+'\u202e.csv",
  text: `"'];process.exit(4);//","*/\rprocess.exit(5)\u2028",constructor,"sum\\"\n${rows.join('\n')}\n`,
  encoding: 'utf-8',
};

/** Specs that between them use every branch of the generator. */
const specs: readonly (readonly [string, Spec, Dropped])[] = [
  [
    'moons with everything on',
    {
      ...defaults,
      layers: [
        { ...dense(6), norm: 'batch', dropout: 0.1 },
        { ...dense(4, 'gelu'), norm: 'layer' },
      ],
      initializer: 'xavierUniform',
      penalty: 'l2',
      schedule: 'warmUp',
      optimizer: 'adamw',
    },
    {},
  ],
  [
    'spirals by squared error',
    { ...withTask(defaults, 'spirals'), loss: 'meanSquaredError', optimizer: 'nesterov' },
    {},
  ],
  ['few of class 1, from the left half', { ...withTask(defaults, 'circles'), balance: 0.2, coverage: 'leftHalf' }, {}],
  ['a ripple', { ...withTask(defaults, 'ripple'), loss: 'huber', schedule: 'oneCycle', optimizer: 'rmsprop' }, {}],
  [
    'drawn points',
    {
      ...withTask(defaults, 'drawn'),
      points: Array.from(
        { length: 30 },
        (_, i) => ({ x: Math.cos(i), y: Math.sin(i) / 2, target: i % 2 ? 1 : 0 }) as const,
      ),
      layers: [],
      batchSize: 8,
    },
    {},
  ],
  [
    'a table of classes',
    { ...withTask(defaults, 'table'), table: { target: 'color', inputs: ['a', 'sum'], as: 'auto' } },
    { table },
  ],
  [
    'functions of the coordinates',
    { ...withTask(defaults, 'circles'), features: ['xSquared', 'ySquared', 'xy', 'sinX', 'sinY'], layers: [] },
    {},
  ],
  ['a table of quantities', { ...withTask(defaults, 'table'), schedule: 'step', penalty: 'l1' }, { table }],
  [
    'a table with hostile names',
    { ...withTask(defaults, 'table'), table: { target: 'constructor', inputs: [], as: 'auto' } },
    { table: hostile },
  ],
  ['a table without names', withTask(defaults, 'table'), { table: french }],
  ['more samples than the page measures', { ...withTask(defaults, 'circles'), samples: 2400 }, {}],
  [
    'digits',
    {
      ...withTask(defaults, 'digits'),
      samples: 120,
      layers: [{ ...conv(3, 3), norm: 'batch' }, dense(8, 'relu')],
      initializer: 'kaimingNormal',
      loss: 'meanSquaredError',
    },
    {},
  ],
];

/** Letters of French have the same numbers in windows-1252 and latin1. */
const encoded = ({ text, encoding }: DroppedTable): Buffer =>
  Buffer.from(text, encoding === 'windows-1252' ? 'latin1' : 'utf8');

async function programFor(spec: Spec, dropped: Dropped, steps: number): Promise<{ code: string; session: Session }> {
  const session = await Session.make(spec, dropped);
  const { problem } = session;
  const code = programOf(
    spec,
    {
      goal: problem.goal,
      inputShape: problem.inputShape,
      outputs: problem.outputs,
      trainSize: problem.train.size,
      testSize: problem.test.size,
      target: problem.targetName,
      inputs: problem.columns,
      fileName: dropped.table?.name ?? '',
      encoding: dropped.table?.encoding ?? 'utf-8',
      reading: session.describe().reading,
    },
    steps,
  );
  return { code, session };
}

describe('the generated program', () => {
  it.each(specs)('trains the same model as the page: %s', async (_, spec, dropped) => {
    const steps = 25;
    const { code, session } = await programFor(spec, dropped, steps);
    for (let i = 0; i < steps; i++) await session.trainStep();
    const expected = await look(session, false);
    writeFileSync(join(folder, programName), code);
    if (dropped.table) writeFileSync(join(folder, dropped.table.name), encoded(dropped.table));
    const { stdout, stderr, status } = runProgram(folder, programName, dropped.table ? [dropped.table.name] : []);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const [, trainLoss] = /train: loss ([\d.]+)/.exec(stdout) ?? [];
    expect(Number(trainLoss)).toBeCloseTo(expected.trainLoss, 4);
    const [, loss, accuracy] = /test: loss ([\d.]+)(?:, accuracy ([\d.]+))?/.exec(stdout) ?? [];
    expect(Number(loss)).toBeCloseTo(expected.testLoss, 4);
    if (expected.testAccuracy !== null) expect(Number(accuracy)).toBeCloseTo(expected.testAccuracy, 4);
  });

  it('holds no character that ends a line, or turns or hides what is beside it, but its own line ends', async () => {
    const spec: Spec = { ...withTask(defaults, 'table'), table: { target: 'constructor', inputs: [], as: 'auto' } };
    const { code } = await programFor(spec, { table: hostile }, 1);
    expect(code.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(code).toContain("\\u{202e}.csv'");
  });

  it('is sound TypeScript', async () => {
    for (const [name, spec, dropped] of specs) {
      const { code } = await programFor(spec, dropped, 10);
      writeFileSync(join(checked, `${name.replace(/\W+/g, '-')}.mts`), code);
    }
    const project = join(checked, 'tsconfig.json');
    writeFileSync(
      project,
      JSON.stringify({
        extends: '../../tsconfig.base.json',
        compilerOptions: { moduleDetection: 'force' },
        include: ['*.mts'],
      }),
    );
    const compiler = join(root, 'node_modules/typescript-native/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [compiler, '--project', project], { encoding: 'utf8' });
    expect(stdout.split('\n').filter((line) => /^\S*\.examples|^[\w-]+\.mts/.test(line))).toEqual([]);
  });
});
