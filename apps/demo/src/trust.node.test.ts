/** What a network owes people, as tasks: fairness, privacy, federated training, on generated data in a few steps. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { resultOf, startProgram } from './program-tests.ts';
import { people } from './tabular-data.ts';

const folder = mkdtempSync(join(tmpdir(), 'nn-demo-trust-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = async (task: string, ...more: readonly string[]) => {
  const { code, out, error } = await startProgram(['--task', task, '--json', '--output', 'out', ...more], folder);
  expect([code, error]).toEqual([0, '']);
  return { out, ...resultOf(out) };
};

/** Whether the long ones run as well: when asked for, with NN_TASKS=1. */
const isWhole = Boolean(process.env.NN_TASKS);
test('fair shows gaps that are there, remedies that close them, and saves a model card', async () => {
  const { out, data, figures, baselines } = await run('fair', '--epochs', '2');
  expect([data, Object.keys(figures).length]).toEqual(['drawn people', 9 * 5]);
  expect(figures['nothing done, accuracy']).toBeGreaterThan(baselines['nobody earns more, accuracy']!);
  const before = figures['nothing done, paritySex']!;
  expect(before).toBeGreaterThan(0.1);
  for (const remedy of ['reweighed', 'exponentiated gradient', 'thresholds, parity'])
    expect(figures[`${remedy}, paritySex`], remedy).toBeLessThan(0.7 * before);
  expect(figures['thresholds, parity, accuracy']).toBeLessThan(figures['nothing done, accuracy']!);
  expect(readFileSync(join(folder, 'out/fair.html'), 'utf8')).toContain('Female, Black');
  expect(out).toMatch(/thresholds, odds +\d\d\.\d %/);
});

test('people who are drawn differ as it is meant', async () => {
  const { columns } = await people(undefined, 1);
  const [sex, income] = ['sex', 'income'].map((name) => columns.find((each) => each.name === name)!.values);
  const rate = (of: string): number => {
    const rows = Array.from(sex!.keys()).filter((i) => sex![i] === of);
    return rows.filter((i) => income![i] === '>50K').length / rows.length;
  };
  expect(rate('Male') - rate('Female')).toBeGreaterThan(0.1);
});

test.runIf(isWhole)(
  'private: what is memorised is found, and not where noise was added',
  async () => {
    const { data, figures } = await run('private', '--epochs', '8');
    expect([data, Object.keys(figures).length]).toEqual(['drawn digits', 15]);
    const [open, noised] = ['none', '0.3'].map((name) => figures[`attack AUC on false labels, epsilon ${name}`]!);
    expect(open).toBeGreaterThan(noised! + 0.1);
    expect(figures['accuracy, epsilon none']).toBeGreaterThan(figures['accuracy, epsilon 0.3']!);
  },
  120_000,
);

test.runIf(isWhole)(
  'federated: liars carry the mean off and not the median, and secret sums change nothing',
  async () => {
    const { data, figures, baselines } = await run('federated', '--epochs', '2');
    expect([data, Object.keys(figures).length]).toEqual(['drawn digits', 11]);
    expect(figures['FedAvg, sums in secret']).toBeCloseTo(figures.FedAvg!, 1);
    expect(figures['median, two liars']).toBeGreaterThan(figures['FedAvg, two liars']!);
    expect(baselines['all in one place']).toBeGreaterThan(baselines['each alone, mean']!);
    expect(existsSync(join(folder, 'out'))).toBe(true);
  },
  120_000,
);
