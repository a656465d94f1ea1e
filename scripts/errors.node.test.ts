/** The page of errors: complete, and true of errors that are thrown. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNNError, tensor } from '@nn/core';
import { Linear, Sequential } from '@nn/layers';
import { SGD } from '@nn/optim';
import { expect, test } from 'vitest';
import { errors } from '../apps/playground/src/i18n/chinese/errors.ts';
import { isTranslated } from '../apps/playground/src/i18n/errors.ts';
import { allKinds, errorsPage, page } from './errors.mjs';

const written = readFileSync(page, 'utf8');

test('docs/errors.md lists every error of the sources (npm run api:update writes it)', () => {
  expect(errorsPage() === written, 'docs/errors.md is out of date: npm run api:update').toBe(true);
  expect(written.match(/^- `/gm)?.length).toBeGreaterThan(100);
});

test.each<[string, () => unknown]>([
  ['shape/matmul', () => tensor([[1, 2]]).matmul(tensor([[1, 2]]))],
  ['shape/Linear', () => new Linear(2, 1).forward(tensor([[1]]))],
  ['shape/Linear', () => new Sequential(new Linear(2, 1)).forward(tensor([[1]]))],
  ['value/SGD', () => new SGD({})],
  ['dtype/cast', () => Reflect.apply(tensor([1]).cast, tensor([1]), ['float64'])],
  ['value/step', () => new SGD(new Linear(1, 1)).step(null)],
])('an error bears its kind, and the page has it: %s', (kind, run) => {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  const found = isNNError(thrown) ? thrown.kind : String(thrown);
  const [code] = kind.split('/');
  expect(found).toBe(kind);
  expect([found, `${code}/<operation>`].some((name) => written.includes(`- \`${name}\``))).toBe(true);
});

test('a check that several operations share says whose it is, through all that pass the name on', () => {
  const line = (words: string): string => written.split('\n').find((each) => each.includes(words)) ?? '';
  // their calls, in a file beside
  expect(line('has no axis to transform')).toMatch(/ \(`fft`, `fft2`, .*`rfft2`\)$/);
  // in another package
  expect(line('a worker said nothing for')).toContain('(`trainInWorker`');
  expect(line('sampleWeight {...} does not fit the losses')).toMatch(/`balancedSoftmax`, .* and \d+ more\)$/);
  // a name that is made up at a call
  expect(line('confidence is {...}: it is a share')).toMatch(/ \(`bootstrapInterval`, and others\)$/);
});

/** What the page calls with what people drop on it or choose, and the warnings of these. */
const met =
  /^(parseCsv|readCsv|readIdx|readIdxImages|encodeTable|fitNormalization|fitTable|safetensors|loadCheckpoint|gpu|cpu|memory)$/;
const root = join(import.meta.dirname, '..');
const playground = join(root, 'apps/playground/src');

test('each kind that the page of the playground can meet has Chinese words', () => {
  const own = readdirSync(playground, { recursive: true, encoding: 'utf8' }).filter(
    (file) => /\.tsx?$/.test(file) && !file.includes('.test.'),
  );
  const listed = allKinds();
  const thrown = [
    ...allKinds(own.map((file) => join(playground, file))),
    ...listed.filter(({ code, kind }) => {
      const [, operation = '', reason] = kind.split('/');
      return (code === 'format' || code === 'backend' || code === 'warning') && met.test(operation) && reason;
    }),
  ].map(({ kind }) => kind);
  expect(thrown.length).toBeGreaterThan(60);
  expect([...new Set(thrown)].filter((kind) => !isTranslated(errors, kind))).toEqual([]);
  // whose reader is known at run time alone
  for (const reason of ['zip', 'office', 'utf-16', 'not-utf-8', 'not-text', 'no-decoder', 'gzip', 'unpacked-size']) {
    expect(listed.map(({ kind }) => kind)).toContain(`format/<operation>/${reason}`);
    expect(isTranslated(errors, `format/readCsv/${reason}`), reason).toBe(true);
  }
  expect(isTranslated(errors, 'format/readCsv/something-new')).toBe(false);
}, 60_000);
