/**
 * The names that stand in kinds and messages of errors (`value/Adam`) are the same in a page whose bundler renames
 * classes: errors, and all that has state for checkpoints, carry their name as a string.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const packages = ['core', 'data', 'metrics', 'optim', 'train'] as const;
/** Bases of other classes; what extends them has a name of its own. */
const abstract = [
  'Metric',
  'SumMetric',
  'MeanMetric',
  'PairMetric',
  'RowMetric',
  'HostMetric',
  'Optimizer',
  'AveragingOptimizer',
];

type Named = Readonly<Record<string, unknown>>;
let folder = '';
let bundle: Readonly<Record<(typeof packages)[number], Named>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nn-names-'));
  const outfile = join(folder, 'all.mjs');
  await build({
    stdin: { contents: packages.map((name) => `export * as ${name} from '@nn/${name}';`).join('\n'), resolveDir: root },
    ...{ outfile, bundle: true, minify: true, format: 'esm', platform: 'node', conditions: ['@nn/source'] },
  });
  bundle = await import(/* @vite-ignore */ pathToFileURL(outfile).href);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

interface Class {
  readonly name: string;
  readonly prototype: object;
}

/** Whether the name of a class may stand in an error. */
const isNamed = (value: unknown): value is Class =>
  typeof value === 'function' && (value.prototype instanceof Error || 'hostState' in Object(value.prototype));

test('classes keep their names when they are minified', () => {
  const named = packages.flatMap((name) => Object.entries(bundle[name]).filter(([, value]) => isNamed(value)));
  const changed = named.filter(([name, value]) => !abstract.includes(name) && (value as Class).name !== name);
  expect(named.length).toBeGreaterThan(120);
  expect(changed.map(([name]) => name)).toEqual([]);
});

test('so do kinds and messages of errors', () => {
  const { core, metrics, optim } = bundle as unknown as {
    core: Pick<typeof import('@nn/core'), 'parameter'>;
    metrics: Pick<typeof import('@nn/metrics'), 'MeanSquaredError' | 'Accuracy'>;
    optim: Pick<typeof import('@nn/optim'), 'AdamW'>;
  };
  const facts = (act: () => unknown): unknown => {
    try {
      act();
    } catch (error) {
      const { name, kind, message } = error as Error & { kind: string };
      return { name, kind, message: message.slice(0, 12) };
    }
    return null;
  };
  const weight = core.parameter([1]);
  expect(facts(() => new optim.AdamW([weight], { learningRate: 0.1, clip: { norm: -1 } }))).toEqual({
    name: 'ValueError',
    kind: 'value/AdamW',
    message: 'AdamW: clip ',
  });
  const error = new metrics.MeanSquaredError();
  expect(facts(() => error.loadHostState(7))).toMatchObject({ name: 'FormatError', kind: 'format/MeanSquaredError' });
});
