/** English to German in this process: a network of two dozen sentences, stopped, resumed, and tested from its checkpoint. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { alone } from '@nn/distributed';
import { Terminal } from '@nn/train';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { readRun } from '../output-folder.ts';
import type { Result } from '../result.ts';
import { runSentences } from './translate-sentences.ts';

const folder = mkdtempSync(join(tmpdir(), 'nn-translate-'));
beforeAll(() => {
  setDefaultBackend(cpu());
  const nouns = { dog: 'Hund', man: 'Mann', bus: 'Bus', fish: 'Fisch', hat: 'Hut', ball: 'Ball' };
  const verbs = { runs: 'rennt', stands: 'steht', sleeps: 'schläft', falls: 'fällt' };
  const pairs = Object.entries(nouns).flatMap(([noun, wort]) =>
    Object.entries(verbs).map(([verb, tat]) => [`A ${noun} ${verb}.`, `Ein ${wort} ${tat}.`] as const),
  );
  for (const [part, some] of [
    ['train', pairs],
    ['val', pairs.slice(0, 6)],
  ] as const) {
    writeFileSync(join(folder, `${part}.en`), some.map(([source]) => source).join('\n'));
    writeFileSync(join(folder, `${part}.de`), some.map(([, target]) => target).join('\n'));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const network = { pieces: 300, dimension: 16, heads: 2, feedForward: 16, layers: 1 };

/** Runs the task; `stopAt`: aborted when it has written this. */
async function run(name: string, { stopAt, ...more }: Partial<Context> & { readonly stopAt?: string }) {
  const controller = new AbortController();
  let text = '';
  const terminal = new Terminal(
    {
      write: (chunk: string) => {
        text += chunk;
        if (stopAt !== undefined && text.includes(stopAt)) controller.abort();
        return true;
      },
    },
    {},
  );
  const results: Omit<Result, 'seed'>[] = [];
  const output = join(folder, name);
  const context: Context = {
    terminal,
    interrupt: { signal: controller.signal, exitCode: 130 } as Context['interrupt'],
    group: alone(),
    settings: { task: 'translate', data: folder, seed: 1, epochs: 3, batchSize: 8 },
    ...{ output, outputOption: ` --output ${output}`, from: folder, evaluates: false },
    ...{ showsDashboard: false, writesReport: false, watches: false, plays: false },
    openKeyboard: () => ({ ask: async () => null, close: () => {} }),
    tell: (result) => results.push(result),
    ...more,
  };
  const isDone = await runSentences(context, folder, network);
  const model = join(output, 'translate-sentences.safetensors');
  return { isDone, text, result: results[0], model: existsSync(model) ? readFileSync(model) : null };
}

test('stopped and resumed it ends with the same averaged weights, bit for bit, and is tested from its checkpoint on the way', async () => {
  const whole = await run('whole', {});
  expect(whole.isDone).toBe(true);
  expect(whole.result?.figures.epochs).toBe(3);
  expect(whole.text).toContain('of processor time to learn');

  const stopped = await run('parts', { stopAt: 'epoch 2/3' });
  expect([stopped.isDone, stopped.model]).toEqual([false, null]);
  expect(stopped.text).toMatch(/Stopped after \d+ of 9 steps/);
  const output = join(folder, 'parts');
  const checkpoint = readFileSync(join(output, 'checkpoint.safetensors'));
  const resumed = await readRun(output, '--evaluate');

  const tested = await run('parts', { resumed, evaluates: true });
  expect(tested.isDone).toBe(true);
  expect(tested.text).toMatch(/Tested as it was after \d+ of 9 steps/);
  expect(tested.text).toContain('nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|n:4');
  expect(tested.result?.figures.epochs).toBeGreaterThan(1);
  expect(tested.result?.figures.epochs).toBeLessThan(3);
  expect(tested.model?.equals(whole.model!)).toBe(false);
  expect(readFileSync(join(output, 'checkpoint.safetensors')).equals(checkpoint)).toBe(true);

  const ended = await run('parts', { resumed });
  expect(ended.isDone).toBe(true);
  expect(ended.model?.equals(whole.model!)).toBe(true);
  expect(ended.result?.figures).toEqual(whole.result?.figures);
});

test('files whose lines are no pairs are refused', async () => {
  const wrong = mkdtempSync(join(folder, 'wrong-'));
  for (const [name, text] of [
    ['train.en', 'a\nb'],
    ['train.de', 'a'],
  ] as const) {
    writeFileSync(join(wrong, name), text);
  }
  for (const name of ['val.en', 'val.de']) writeFileSync(join(wrong, name), 'a');
  const settings = { task: 'translate', data: wrong, seed: 1 } as const;
  await expect(runSentences({ settings } as Context, wrong)).rejects.toThrow(
    `--data ${wrong}: train.en has 2 lines and train.de has 1: line by line they must be pairs.`,
  );
});
