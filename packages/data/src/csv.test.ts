import { isNNError } from '@nn/core';
import { describe, expect, it } from 'vitest';
import cases from '../fixtures/csv.json' with { type: 'json' };
import { parseCsv, parseCsvRecords, readCsv } from './csv.ts';
import { RandomSequence } from './random.ts';

describe('parseCsvRecords', () => {
  it(`reads ${cases.length} texts with quotes, separators and line ends in fields as Python does`, () => {
    for (const { text, separator, records } of cases) {
      expect(parseCsvRecords(text, { separator }).records, JSON.stringify(text)).toEqual(records);
    }
  });

  it('ends records at CR LF, LF and CR', () => {
    expect(parseCsvRecords('a,b\r\nc,d\ne,f\rg,h').records.map((record) => record.join(''))).toEqual([
      'ab',
      'cd',
      'ef',
      'gh',
    ]);
  });

  it('knows the line on which each record begins', () => {
    expect(parseCsvRecords('a,b\n"1\n2\r\n3\r4",x\n\n5,6\n').lines).toEqual([1, 2, 7]);
  });

  it('keeps blank lines where records have one column', () => {
    expect(parseCsvRecords('a\n\nb\n').records).toEqual([['a'], [''], ['b']]);
  });

  it('keeps an empty last field, and skips a byte order mark', () => {
    expect(parseCsvRecords('\ufeffa,\n,b').records).toEqual([
      ['a', ''],
      ['', 'b'],
    ]);
  });

  it('keeps spaces unless told to drop them', () => {
    expect(parseCsvRecords('a, b ').records).toEqual([['a', ' b ']]);
    expect(parseCsvRecords('a, b ," c "', { trim: true }).records).toEqual([['a', 'b', ' c ']]);
  });

  it('says in which line and column the quotes are wrong', () => {
    expect(() => parseCsvRecords('a,b\n1,"2\n3,4\n')).toThrow(
      'parseCsv: CSV data, line 2, column 2: a quote is opened and never closed.',
    );
    expect(() => parseCsvRecords('a,b\n"1"x,2\n')).toThrow("line 2, column 1: 'x' follows a closing quote");
    expect(() => parseCsvRecords('a,b\n\n1,2"3"\n')).toThrow('line 3, column 2: a quote inside a field');
  });

  it('refuses separators that cannot separate', () => {
    for (const separator of ['', '::', '"', '\n']) {
      expect(() => parseCsvRecords('a', { separator })).toThrow('is not one character');
    }
  });
});

describe('parseCsv', () => {
  const text = 'name,age,alive,height\nAda,36,True,\n"Bob, Jr.",NA,false,1.8e2\n';

  it('infers numbers, booleans and categories, and marks what is missing', () => {
    const table = parseCsv(text);
    expect(table.columns).toEqual([
      { name: 'name', kind: 'category', values: ['Ada', 'Bob, Jr.'] },
      { name: 'age', kind: 'number', values: Float64Array.of(36, Number.NaN) },
      { name: 'alive', kind: 'boolean', values: Float64Array.of(1, 0) },
      { name: 'height', kind: 'number', values: Float64Array.of(Number.NaN, 180) },
    ]);
    expect([...table.lines]).toEqual([2, 3]);
  });

  it('takes for numbers only decimal notation', () => {
    const kinds = (values: string[]): string => parseCsv(`x\n${values.join('\n')}`).columns[0]?.kind ?? '';
    expect(kinds(['1', '-2.5', '+.5', '3.', '1e-3', ' 7 '])).toBe('number');
    for (const odd of ['0x10', 'Infinity', '1_000', '1,5', '--1', '1e', '.', '12a']) {
      expect(kinds(['1', `"${odd}"`]), odd).toBe('category');
    }
  });

  it('selects columns in the order asked', () => {
    expect(parseCsv(text, { columns: ['height', 'name'] }).columns.map(({ name }) => name)).toEqual(['height', 'name']);
  });

  it('names columns by number where there is no header', () => {
    const table = parseCsv('1,2\n3,4', { header: false });
    expect(table.columns.map(({ name, values }) => [name, ...values])).toEqual([
      ['column1', 1, 3],
      ['column2', 2, 4],
    ]);
    expect([...table.lines]).toEqual([1, 2]);
  });

  it('takes kinds and marks of missing values from the caller', () => {
    const table = parseCsv('zip,x\n01234,?\n99,5', { kinds: { zip: 'category' }, missing: ['?'] });
    expect(table.columns.map(({ values }) => [...values])).toEqual([
      ['01234', '99'],
      [Number.NaN, 5],
    ]);
  });

  it('says in which line and column a value is wrong', () => {
    expect(() => parseCsv('a,b\n1,2\n3,x\n', { name: 'points.csv', kinds: { b: 'number' } })).toThrow(
      "parseCsv: points.csv, line 3, column 2 ('b'): 'x' is not a number.",
    );
    expect(() => parseCsv('a\n2', { kinds: { a: 'boolean' } })).toThrow("'2' is neither true nor false");
  });

  it('says in which line columns are missing or too many', () => {
    expect(() => parseCsv('a,b,c\n1,2,3\n"4\n5",6\n')).toThrow(
      "line 3: 2 columns, 3 are expected ('c' is the first that is missing)",
    );
    expect(() => parseCsv('a,b\n1,2,3\n')).toThrow('line 2: 3 columns, 2 are expected.');
  });

  it('refuses empty files, doubled names and unknown columns', () => {
    expect(() => parseCsv('')).toThrow('CSV data is empty');
    expect(() => parseCsv('a,b,a\n1,2,3')).toThrow("line 1: columns 1 and 3 are both named 'a'");
    expect(() => parseCsv('a,b\n1,2', { columns: ['c'] })).toThrow("has no column 'c'; it has a, b.");
  });

  it('throws nothing but format errors for 3,000 random texts', () => {
    const random = new RandomSequence(5);
    const alphabet = 'a1,"\n\r;. \ufeff-e';
    let read = 0;
    for (let round = 0; round < 3000; round++) {
      const text = Array.from({ length: random.integer(24) }, () => alphabet[random.integer(alphabet.length)]).join('');
      try {
        const table = parseCsv(text);
        for (const { values } of table.columns) expect(values.length).toBe(table.lines.length);
        read++;
      } catch (error) {
        if (!isNNError(error) || error.code !== 'format') throw error;
      }
    }
    expect(read).toBeGreaterThan(300);
  });
});

describe('readCsv', () => {
  it('reads UTF-8 from bytes and from a file dropped on a page', async () => {
    const bytes = new TextEncoder().encode('\ufeffStadt\nZürich\n');
    expect((await readCsv(bytes)).columns).toEqual([{ name: 'Stadt', kind: 'category', values: ['Zürich'] }]);
    expect((await readCsv(new Blob([bytes]))).columns).toHaveLength(1);
    expect((await readCsv(new Response(bytes))).columns).toHaveLength(1);
  });

  it('refuses bytes that are no text', async () => {
    await expect(Reflect.apply(readCsv, undefined, ['iris.csv'])).rejects.toThrow(
      "Bytes are expected, got 'iris.csv': await readFile(path) or fetch(address).",
    );
    await expect(readCsv(Uint8Array.of(0x61, 0xff, 0xfe), { name: 'photo.png' })).rejects.toThrow(
      'readCsv: photo.png: the bytes are not UTF-8 text',
    );
  });
});
