import { isNNError } from '@nn/core';
import { describe, expect, it } from 'vitest';
import cases from '../../fixtures/csv.json' with { type: 'json' };
import { RandomSequence } from '../samples/random.ts';
import type { CsvOptions, Table } from './csv.ts';
import { parseCsv, readCsv } from './csv.ts';
import { parseCsvRecords } from './csv-records.ts';

describe('parseCsvRecords', () => {
  it(`reads ${cases.length} texts with quotes, separators and line ends in fields as Python does`, () => {
    for (const { text, separator, records } of cases) {
      expect([...parseCsvRecords(text, { separator })], JSON.stringify(text)).toEqual(records);
    }
  });

  it('ends records at CR LF, LF and CR', () => {
    expect([...parseCsvRecords('a,b\r\nc,d\ne,f\rg,h')].map((record) => record.join(''))).toEqual([
      'ab',
      'cd',
      'ef',
      'gh',
    ]);
  });

  it('knows the line on which each record begins', () => {
    expect(parseCsvRecords('a,b\n"1\n2\r\n3\r4",x\n\n5,6\n').lines).toEqual(Int32Array.of(1, 2, 7));
  });

  it('keeps blank lines where records have one column', () => {
    expect([...parseCsvRecords('a\n\nb\n')]).toEqual([['a'], [''], ['b']]);
  });

  it('gives one of them, from either end, as a list of its own', () => {
    const records = parseCsvRecords('\ufeffa,b\n\n"1\n2",x\n"",""');
    expect(records.length).toBe(3);
    expect([records.at(0), records.at(1), records.at(-1), records.at(3)]).toEqual([
      ['a', 'b'],
      ['1\n2', 'x'],
      ['', ''],
      undefined,
    ]);
    records.at(0)?.push('c');
    expect([records.at(0), records.at(-4)]).toEqual([['a', 'b'], undefined]);
  });

  it('finds no record in a text of blank lines alone', () => {
    for (const text of ['', '\n', '\r\n\n\r', '\ufeff\n\n']) expect([...parseCsvRecords(text)]).toEqual([]);
    expect([...parseCsvRecords(' \n  \n', { trim: true })]).toEqual([]);
    expect([...parseCsvRecords(' \n""\n')]).toEqual([[' '], ['']]);
  });

  it('keeps an empty last field, and skips a byte order mark', () => {
    expect([...parseCsvRecords('\ufeffa,\n,b')]).toEqual([
      ['a', ''],
      ['', 'b'],
    ]);
  });

  it('keeps spaces unless told to drop them', () => {
    expect([...parseCsvRecords('a, b ')]).toEqual([['a', ' b ']]);
    expect([...parseCsvRecords('a, b ," c "', { trim: true })]).toEqual([['a', 'b', ' c ']]);
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
    for (const odd of ['0x10', 'Infinity', '1_000', '1,5,7', '--1', '1e', '1.2.3', '12a']) {
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

  it('finds what is missing between spaces too, which stay in the fields of a category', () => {
    const [size, name] = parseCsv('size,name\n 1 , a\n NA , NA \n').columns;
    expect(size).toEqual({ name: 'size', kind: 'number', values: Float64Array.of(1, Number.NaN) });
    expect(name).toEqual({ name: 'name', kind: 'category', values: [' a', null] });
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
        const table = parseCsv(text, { onWarning: () => undefined });
        for (const { values } of table.columns) expect(values.length).toBe(table.lines.length);
        read++;
      } catch (error) {
        if (!isNNError(error) || error.code !== 'format') throw error;
      }
    }
    expect(read).toBeGreaterThan(300);
  });
});

/** The table, and what was said while it was read. */
function read(text: string, options: CsvOptions = {}): { table: Table; said: string[] } {
  const said: string[] = [];
  const table = parseCsv(text, { name: 'a.csv', onWarning: (message) => said.push(message), ...options });
  return { table, said };
}
const shown = ({ columns }: Table): unknown[] => columns.map(({ name, kind, values }) => [name, kind, ...values]);
const lined = (values: readonly string[]): string => `x\n${values.map((value) => `"${value}"`).join('\n')}\n`;

describe('inference', () => {
  it('reads decimal commas and thousands marks as numbers, and says so', () => {
    const { table, said } = read('x;y\n1,5;1.234,5\n-2,25e1;2\n');
    expect(shown(table)).toEqual([
      ['x', 'number', 1.5, -22.5],
      ['y', 'number', 1234.5, 2],
    ]);
    expect(table.reading).toMatchObject({ separator: ';', header: true });
    expect(said).toEqual([
      "parseCsv: a.csv: column 'x': '1,5' (line 2) is read as a number with a decimal comma; pass decimal: ',' to confirm, or decimal: '.'.",
      "parseCsv: a.csv: column 'y': '1.234,5' (line 2) is read as a number with a decimal comma; pass decimal: ',' to confirm, or decimal: '.'.",
    ]);
    expect(table.reading?.warnings).toHaveLength(2);
    for (const [values, numbers] of [
      [
        ['1,234', '5', '12,345,678.5'],
        [1234, 5, 12345678.5],
      ],
      [
        ['1 234,5', '7'],
        [1234.5, 7],
      ],
      [
        ["1'234.5", '1\u00a0234'],
        [1234.5, 1234],
      ],
      [
        ['0,5', '1,25', '3'],
        [0.5, 1.25, 3],
      ],
    ] as const) {
      expect(shown(read(lined(values)).table), values.join()).toEqual([['x', 'number', ...numbers]]);
    }
  });

  it('says nothing where the notation was told, and keeps to it', () => {
    const comma = read('x;y\n1,5;1.234\n', { decimal: ',' });
    expect(shown(comma.table)).toEqual([
      ['x', 'number', 1.5],
      ['y', 'number', 1234],
    ]);
    expect(comma.said).toEqual([]);
    const point = read('x\n"1,234"\n', { decimal: '.' });
    expect([shown(point.table), point.said]).toEqual([[['x', 'number', 1234]], []]);
  });

  it('decides a lone 1,234 by other columns and by the separator, or leaves it and says how to tell', () => {
    expect(shown(read('x;y\n1,234;0,5\n').table)[0]).toEqual(['x', 'number', 1.234]);
    expect(shown(read('x,y\n"1,234","1,234.5"\n').table)[0]).toEqual(['x', 'number', 1234]);
    expect(shown(read('x,y\n"1,234",1\n').table)[0]).toEqual(['x', 'number', 1234]);
    const { table, said } = read('x\ty\n1,234\t1\n');
    expect(shown(table)[0]).toEqual(['x', 'category', '1,234']);
    expect(said[0]).toContain("pass decimal: ',' or decimal: '.'");
  });

  it('takes n/a among numbers for a missing value, and says so', () => {
    const values = Array.from({ length: 999 }, (_, i) => String(i));
    const { table, said } = read(`x\n${[...values, 'n/a'].join('\n')}\n`);
    expect(table.columns[0]?.kind).toBe('number');
    expect(table.columns[0]?.values[999]).toBeNaN();
    expect(said).toEqual([
      "parseCsv: a.csv: column 'x': 'n/a' (line 1001) is taken for a missing value, with 1 such of 1000; or say kinds: { \"x\": 'category' }.",
    ]);
    // Where the caller names the marks, those alone are.
    expect(read('x\n1\n2\n3\n-\n', { missing: [''] }).table.columns[0]?.kind).toBe('category');
  });

  it('warns of a column of numbers that one text makes categories', () => {
    const { table, said } = read('x\n1\n2\n3\nfour\n');
    expect(table.columns[0]?.kind).toBe('category');
    expect(said).toEqual([
      "parseCsv: a.csv: column 'x': 3 of 4 values are numbers, 'four' (line 5) is none, so each value became a category: name it in missing, or say kinds: { \"x\": 'category' }.",
    ]);
    expect(read('x\n1\n2\n3\nfour\n', { kinds: { x: 'category' } }).said).toEqual([]);
    expect(read('x\na\nb\n1\n').said).toEqual([]);
  });

  it('warns where digits or zeros of an identifier are lost', () => {
    expect(read('id\n9007199254740993\n').said[0]).toContain(
      "'9007199254740993' (line 2) has more digits than a number keeps",
    );
    expect(read('zip\n01234\n').said[0]).toContain("'01234' (line 2) begins with a zero, which a number drops");
    expect(read('x\n0.5\n0\n-0.25\n123456789012345\n').said).toEqual([]);
  });

  it('finds the separator, and leaves fields with other separators alone', () => {
    for (const separator of [';', '\t', '|', ',']) {
      const { table, said } = read(`a${separator}b\n1${separator}x y\n2${separator}z\n`);
      expect([table.reading?.separator, shown(table), said]).toEqual([
        separator,
        [
          ['a', 'number', 1, 2],
          ['b', 'category', 'x y', 'z'],
        ],
        [],
      ]);
    }
    expect(read('1,5;2,5\n3,1;4,2\n', { header: false }).table.reading?.separator).toBe(';');
    expect(read('name,genres\nA,x|y\nB,z|w\n').table.columns).toHaveLength(2);
    expect(read('"a;b",c\n"1;2",3\n').table.columns).toHaveLength(2);
    expect(read('genres\nx|y\nz\n').table.columns).toHaveLength(1);
    expect(shown(read('sep=;\nx;y\n1;2\n').table)).toEqual([
      ['x', 'number', 1],
      ['y', 'number', 2],
    ]);
    expect(read('sep=;\nx;y\n1;2\n').table.lines[0]).toBe(3);
    expect(read('a;b\nc\n').said[0]).toContain("was read as one column, 'a;b': name the separator");
  });

  it('says where the first line looks like data, and takes it for data when asked', () => {
    const text = '5.1,3.5,setosa\n4.9,3,setosa\n';
    expect(read(text).said[0]).toContain('the first line looks like data (5.1, 3.5, setosa)');
    const { table } = read(text, { header: 'infer' });
    expect(shown(table)).toEqual([
      ['column1', 'number', 5.1, 4.9],
      ['column2', 'number', 3.5, 3],
      ['column3', 'category', 'setosa', 'setosa'],
    ]);
    expect([table.reading?.header, [...table.lines]]).toEqual([false, [1, 2]]);
    expect(read('x,2020\n1,5\n', { header: 'infer' }).table.reading?.header).toBe(true);
    expect(read('x,y\na,b\n', { header: 'infer' }).table.reading?.header).toBe(true);
    expect(() => parseCsv('1,1,2\n1,2,3')).toThrow('or pass header: false where the line is data');
  });
});

describe('names that all objects know', () => {
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];
  it('are columns like others', () => {
    const text = `${names.join(',')}\n1,a,true,2\n`;
    expect(shown(parseCsv(text)).map((column) => (column as unknown[])[1])).toEqual([
      'number',
      'category',
      'boolean',
      'number',
    ]);
    expect(parseCsv(text, { kinds: JSON.parse('{"__proto__":"category"}') }).columns).toHaveLength(4);
    expect(() => parseCsv('a\n1', { kinds: JSON.parse('{"constructor":"number"}') })).toThrow(
      "has no column 'constructor'",
    );
  });
});

describe('hostile text', () => {
  it('takes linear time, whatever stands in a cell', () => {
    // A quadratic pattern takes minutes for any of these, so the test would not end.
    for (const cell of ['1', '1,234', '1.', '1e', ' ', '-', '""', '0', 'true', "1'"]) {
      const text = `x\n"${cell.repeat(1_000_000 / cell.length)}x"\n1\n`;
      expect(parseCsv(text, { onWarning: () => undefined }).columns[0]?.kind, cell).toBe('category');
    }
  });

  it('reads many blank lines, before and after records, without a list for each', () => {
    const blank = '\n'.repeat(200_000);
    expect(parseCsv(`${blank}a,b\n${blank}1,2\n${blank}`, { onWarning: () => undefined }).lines).toEqual(
      Int32Array.of(400_002),
    );
    expect(() => parseCsv(blank)).toThrow('parseCsv: CSV data is empty.');
    expect(parseCsv(`x${blank}`, { onWarning: () => undefined }).lines.length).toBe(199_999);
    expect(parseCsvRecords(blank).length).toBe(0);
    expect(parseCsvRecords(`x${blank}`).length).toBe(200_000);
  });

  it('bounds the number of columns and the length of messages', () => {
    expect(() => parseCsv(Array.from({ length: 200_000 }, (_, i) => i).join(','))).toThrow(
      'has more than 100000 columns in its first line',
    );
    const long = 'q'.repeat(200_000);
    for (const work of [
      () => parseCsv(`a,b\n1,${long}\n`, { kinds: { b: 'number' } }),
      () => parseCsv(`${long},${long}\n`),
      () => parseCsv(`a\n1`, { columns: [long] }),
      () => parseCsv(`${long},b\n1,2\n`, { columns: ['c'] }),
    ]) {
      expect(work).toThrow(expect.objectContaining({ message: expect.stringMatching(/^.{20,1000}$/) }));
    }
  });
});

describe('readCsv', () => {
  const utf16 = (text: string, swap: boolean): Uint8Array =>
    Uint8Array.from(
      [0xfeff, ...text]
        .map((each) => (typeof each === 'number' ? each : each.charCodeAt(0)))
        .flatMap((code) => (swap ? [code >> 8, code & 255] : [code & 255, code >> 8])),
    );

  it('reads UTF-16 by its mark, other encodings when told, and guesses when asked', async () => {
    for (const swap of [false, true]) {
      const table = await readCsv(utf16('Stadt\nZürich\n', swap));
      expect([shown(table), table.reading?.encoding]).toEqual([
        [['Stadt', 'category', 'Zürich']],
        swap ? 'utf-16be' : 'utf-16le',
      ]);
    }
    // 城市 / 北京 in GBK; Stadt / Zürich in windows-1252
    const gbk = Uint8Array.of(0xb3, 0xc7, 0xca, 0xd0, 10, 0xb1, 0xb1, 0xbe, 0xa9, 10);
    const west = Uint8Array.of(...new TextEncoder().encode('Stadt\nZ'), 0xfc, ...new TextEncoder().encode('rich\n'));
    expect(shown(await readCsv(gbk, { encoding: 'gbk' }))).toEqual([['城市', 'category', '北京']]);
    const said: string[] = [];
    const onWarning = (message: string): unknown => said.push(message);
    for (const [bytes, encoding, city] of [
      [gbk, 'gb18030', '北京'],
      [west, 'windows-1252', 'Zürich'],
    ] as const) {
      const table = await readCsv(bytes, { encoding: 'infer', onWarning });
      expect([table.reading?.encoding, table.columns[0]?.values[0]]).toEqual([encoding, city]);
    }
    expect(said).toEqual([
      'parseCsv: CSV data: the bytes are not UTF-8; they were read as gb18030: pass encoding where that is wrong.',
      'parseCsv: CSV data: the bytes are not UTF-8; they were read as windows-1252: pass encoding where that is wrong.',
    ]);
    await expect(readCsv(gbk, { encoding: 'klingon' })).rejects.toThrow("there is no encoding 'klingon'");
    await expect(readCsv(utf16('a\n1\n', false).subarray(2))).rejects.toThrow(
      'the text holds zero bytes, as UTF-16 does',
    );
  });

  it('reads gzip, within its limit', async () => {
    const stream = new Blob(['x\n1\n']).stream().pipeThrough(new CompressionStream('gzip'));
    const packed = new Uint8Array(await new Response(stream).arrayBuffer());
    expect(shown(await readCsv(packed))).toEqual([['x', 'number', 1]]);
    await expect(readCsv(packed, { maxBytes: 3 })).rejects.toThrow('more than the limit of 3 bytes');
    await expect(readCsv(new TextEncoder().encode('x\n1\n'), { maxBytes: 3 })).rejects.toThrow(
      'has 4 bytes, maxBytes is 3',
    );
  });

  it('names what people drop in place of a table', async () => {
    await expect(readCsv(Uint8Array.of(0x50, 0x4b, 3, 4, 0))).rejects.toThrow('this is a ZIP archive, as spreadsheets');
    await expect(readCsv(Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0))).rejects.toThrow('this is an old Office file');
  });

  it('can be ended by a signal', async () => {
    const controller = new AbortController();
    const never = readCsv(
      { arrayBuffer: () => new Promise<ArrayBuffer>(() => undefined) },
      { signal: controller.signal },
    );
    controller.abort();
    await expect(never).rejects.toMatchObject({ name: 'AbortError' });
    await expect(readCsv(new Uint8Array(1), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });

  it('refuses options that do not exist', () => {
    expect(() => Reflect.apply(parseCsv, undefined, ['a', { delimiter: ';' }])).toThrow(
      'parseCsv: no option delimiter',
    );
  });
});

describe('readCsv of plain files', () => {
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
