/** The tasks of language as users run them, on little data; and the rules that they are measured with. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Terminal } from '@nn/train';
import { afterAll, describe, expect, test } from 'vitest';
import { firstWords, tfIdfWords } from './baselines/extraction.ts';
import { nGramBits } from './baselines/n-gram.ts';
import { fitNaiveBayes, lettersOf, oddsOf, termsOf } from './baselines/naive-bayes.ts';
import { drawHeatMap } from './pictures/heat-map.ts';
import { drawShares } from './pictures/words.ts';
import { resultOf, startProgram } from './program-tests.ts';
import { isHeldOut, writtenDays } from './texts/dates.ts';
import { headlines } from './texts/headlines.ts';
import { prose } from './texts/prose.ts';
import { reviews } from './texts/reviews.ts';

/** Whether the long ones run as well: when asked for, with NN_TASKS=1. */
const isWhole = Boolean(process.env.NN_TASKS);
const folder = mkdtempSync(join(tmpdir(), 'nn-demo-language-'));
const terminal = new Terminal({ write: () => true }, {});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (task: string, ...more: readonly string[]) =>
  startProgram(
    ['--task', task, '--data', task, '--epochs', '1', '--json', '--output', `${task}-output`, ...more],
    folder,
  );
const place = (task: string, ...parts: readonly string[]): string => {
  mkdirSync(join(folder, task, ...parts.slice(0, -1)), { recursive: true });
  return join(folder, task, ...parts);
};

describe('baselines', () => {
  test('naive Bayes counts each word and pair once a text, and adds one', () => {
    expect(termsOf(['so', 'so', 'good'])).toEqual(['so', 'good', 'so so', 'so good']);
    const bayes = fitNaiveBayes([['good', 'good'], ['bad'], ['bad', 'film']], [1, 0, 0]);
    // terms: good, 'good good' on one side; bad twice, film, 'bad film' on the other: 5 kinds, 2 and 4 in all
    expect(bayes.ratios.get('good')).toBeCloseTo(Math.log(2 / 7) - Math.log(1 / 9), 12);
    expect(bayes.ratios.get('bad')).toBeCloseTo(Math.log(1 / 7) - Math.log(3 / 9), 12);
    expect(lettersOf(['a', 'film', 'ill', 'a'])).toEqual([
      ' a ',
      ' fil',
      'film',
      'ilm ',
      ' film',
      'film ',
      ' ill',
      'ill ',
      ' ill ',
    ]);
    expect(fitNaiveBayes([['film'], ['ill']], [1, 0], lettersOf).ratios.get('ill ')).toBeCloseTo(
      Math.log(1 / 13) - Math.log(2 / 11),
      12,
    );
    expect(oddsOf(bayes, ['bad', 'unheard'])).toBeCloseTo(Math.log(1 / 2) + Math.log(1 / 7) - Math.log(3 / 9), 12);
  });

  test('n-grams fall back on shorter contexts as Witten and Bell say', () => {
    // 'ab' learned, 'b' told: 3 kinds with one for the unknown; b came once of 2, and 2 kinds have come
    expect(nGramBits('ab', 'b', 0)).toBeCloseTo(-Math.log2((1 + 2 / 3) / 4), 12);
    // behind an a only b came: (1 + 1 * p) / (1 + 1), p as above
    expect(nGramBits('ab', 'ab', 1)).toBeCloseTo(-(Math.log2(5 / 12) + Math.log2((1 + 5 / 12) / 2)) / 2, 12);
    expect(nGramBits('abcabcabcabc'.repeat(50), 'abcabc'.repeat(20), 3)).toBeLessThan(0.1);
  });

  test('words that stand out are frequent here and rare elsewhere, in their order', () => {
    const words = tfIdfWords(['the cat sat', 'the dog sat', 'the sun'], 2);
    expect(words('the zebra sat on the zebra')).toBe('zebra on');
    expect(firstWords('one two three', 2)).toBe('one two');
  });
});

describe('data that needs no files', () => {
  test('days are what the runtime writes, of years that are held out or not, and no writing is of two days', () => {
    const days = writtenDays(2000, { heldOut: false, seed: 1 });
    expect(days.some(({ iso }) => isHeldOut(Number(iso.slice(0, 4))))).toBe(false);
    expect(writtenDays(50, { heldOut: true, seed: 1 }).every(({ iso }) => isHeldOut(Number(iso.slice(0, 4))))).toBe(
      true,
    );
    expect(new Set(days.map(({ language }) => language)).size).toBe(40);
    const seen = new Map<string, string>();
    for (const { text, iso } of days) {
      expect(seen.get(text) ?? iso).toBe(iso);
      seen.set(text, iso);
      expect(text).not.toMatch(/^\d+\/\d+\/\d{4}$/);
    }
    expect(writtenDays(3, { heldOut: false, seed: 2 })).toEqual(writtenDays(3, { heldOut: false, seed: 2 }));
  });

  test('documentation comments have names that are no part of them in bold; names of places are many', async () => {
    const { pairs } = await headlines(undefined);
    expect(pairs.length).toBeGreaterThan(3000);
    expect(pairs.every(({ text, headline }) => text.split(' ').length <= 40 && headline !== '')).toBe(true);
    expect(pairs.map(({ headline }) => headline)).toContain('text content');
    const { text } = await prose(undefined, 1);
    expect(text.length).toBeGreaterThan(100_000);
    expect(text.split('\n')).toContain('France');
    const drawn = await reviews(undefined, 1);
    expect([drawn.sentences.length, drawn.sides.filter((side) => side === 1).length]).toEqual([4000, 2000]);
  });
});

describe('pictures', () => {
  test('a heat map has a row for what was said and a column for what was looked at', () => {
    const names = { rows: ['ja', 'nein'], columns: ['ye', 'n'] };
    expect(
      drawHeatMap(
        [
          [0.95, 0.05],
          [0.2, 0.8],
        ],
        names,
        terminal,
      ),
    ).toEqual([...['     y', '     e n', 'ja   @', 'nein : %']]);
  });

  test('words that decide bear their sign', () => {
    expect(drawShares(['a', 'fine', 'dull', 'film'], [0.1, 2, -1, 0.5], terminal)).toBe('a +fine -dull film');
  });
});

test.runIf(isWhole)(
  'the tasks run on files of a folder, each to its line of figures and baselines',
  async () => {
    const sides = { pos: 'a fine and clever film', neg: 'a dull and clumsy film' };
    for (const [side, text] of Object.entries(sides)) {
      const lines = Array.from({ length: 60 }, (_, i) => `${text} of ${i} minutes`).join('\n');
      writeFileSync(place('sentiment', `movie-review-sentences.${side}.txt.gz`), gzipSync(lines));
    }
    for (const part of ['train', 'val']) {
      const of = (words: readonly string[]) => Array.from({ length: 24 }, (_, i) => words[i % words.length]).join('\n');
      writeFileSync(place('translate', `${part}.en`), of(['A dog runs.', 'Two men stand.', 'A girl in a red dress.']));
      writeFileSync(
        place('translate', `${part}.de`),
        of(['Ein Hund rennt.', 'Zwei Männer stehen.', 'Ein Mädchen in Rot.']),
      );
    }
    for (let i = 0; i < 120; i++) {
      const page = `.TH T${i} 1\n.SH NAME\nt${i} \\- make number ${i}\n.SH "DESCRIPTION"\n\\fBt${i}\\fR makes the number ${i} of many.\n`;
      writeFileSync(place('summarize', 'man1', `t${i}.1.gz`), gzipSync(page));
    }
    writeFileSync(
      place('language-model', 'tinyshakespeare.txt'),
      'to be or not to be\nthat is the question\n'.repeat(400),
    );
    const ended = await Promise.all(['sentiment', 'translate', 'summarize', 'language-model'].map((task) => run(task)));
    expect(ended.map(({ code, error }) => [code, error])).toEqual(ended.map(() => [0, '']));
    const [sentiment, translate, summarize, language] = ended.map(({ out }) => resultOf(out));
    expect(Object.keys(sentiment!.figures)).toEqual(['attention', 'letters', 'LSTM', 'together']);
    expect(sentiment!.figures.attention).toBe(1);
    expect(sentiment!.baselines['naive Bayes']).toBe(1);
    expect(Object.keys(translate!.figures)).toEqual(['BLEU', 'epochs']);
    expect(ended[1]!.out).toContain('nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|n:4');
    expect(Object.keys(summarize!.figures)).toEqual(['rouge1', 'rouge2', 'rougeL']);
    expect(summarize!.baselines['first words rougeL']).toBeGreaterThan(0.2);
    expect(language!.figures['characters bits per character']).toBeLessThan(5);
    expect(language!.baselines['5-gram bits per character']).toBeLessThan(0.5);
    expect(ended[3]!.out).toContain('It writes:');
  },
  240_000,
);

test('what is built finds the declarations that need no folder', async () => {
  const { out, error } = await startProgram(['--task', 'summarize', '--output', 'declared'], folder, (text, child) => {
    if (text.includes('words; others can be copied.')) child.kill();
  });
  expect(error).toBe('');
  expect(out).toContain("documentation comments of TypeScript's declarations.");
});

test('files that are not there, and manuals that are none, are one clear line', async () => {
  mkdirSync(join(folder, 'empty'));
  const [review, manual] = await Promise.all(
    ['sentiment', 'summarize'].map((task) => startProgram(['--task', task, '--data', 'empty'], folder)),
  );
  expect([review!.code, review!.error]).toEqual([
    1,
    `--data ${join(folder, 'empty')}: there is no movie-review-sentences.pos.txt, and no movie-review-sentences.pos.txt.gz.\n`,
  ]);
  expect([manual!.code, manual!.error]).toEqual([
    1,
    `--data ${join(folder, 'empty')}: 0 manual pages were found in man1 to man8: at least 100 are needed.\n`,
  ]);
});
