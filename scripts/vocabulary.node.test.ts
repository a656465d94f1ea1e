/** The page of names of PyTorch and Keras: as the sources are, and true of what the packages export. */
import { readFileSync } from 'node:fs';
import * as core from '@nn/core';
import * as layers from '@nn/layers';
import { expect, test } from 'vitest';
import { isMissing, page, publicNames, rowOf, tables, vocabularyPage } from './vocabulary.mjs';

const names = publicNames();

test('docs/guides/vocabulary.md is what the table and the exports give (npm run api:update writes it)', () => {
  expect(
    vocabularyPage() === readFileSync(page, 'utf8'),
    'docs/guides/vocabulary.md is out of date: npm run api:update',
  ).toBe(true);
});

test('the names that count as public can be imported', () => {
  const homes = [...names].filter(([name]) => !name.startsWith('x.'));
  expect(homes.length).toBeGreaterThan(600);
  const from = (home: string): string[] => homes.filter(([, where]) => where.includes(home)).map(([name]) => name);
  expect(from('core')).toEqual(expect.arrayContaining(Object.keys(core)));
  expect(Object.keys(layers).sort()).toEqual(from('layers').sort());
  const methods = [...names.keys()].filter((name) => name.startsWith('x.')).map((name) => name.slice(2));
  const x = core.tensor([1]);
  expect(methods.filter((name) => typeof x[name as 'sum'] !== 'function')).toEqual([]);
});

test('a line says what is there, and that what nobody exports is missing', () => {
  const known = new Map([
    ['fooBar', ['core']],
    ['x.sum', ['core']],
  ]);
  expect(rowOf('foo_bar, other', known)).toEqual({ theirs: 'foo_bar, other', ours: ['fooBar'], note: '', missing: [] });
  expect(isMissing(rowOf('total = x.sum - a note', known))).toBe(false);
  expect(isMissing(rowOf('total = x.total, x.sum', known))).toBe(true);
  expect(isMissing(rowOf('nothing - because', known))).toBe(true);
  expect(rowOf('x[...] = v = fooBar', known)).toMatchObject({ theirs: 'x[...] = v', ours: ['fooBar'] });
});

test('most of the vocabulary is here, and each name stands once in its table', () => {
  const all = tables(names);
  const rows = all.flatMap((table) => table.rows);
  expect(rows.length).toBeGreaterThan(500);
  expect(rows.filter(isMissing).length).toBeLessThan(rows.length / 6);
  for (const { title, rows: lines } of all) {
    const theirs = lines.flatMap((row) => row.theirs.split(', '));
    expect(
      theirs.filter((name, at) => theirs.indexOf(name) !== at),
      title,
    ).toEqual([]);
  }
});
