/** Files as samples: lines, rows and values by their number equal what reading the whole file gives. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { parquetRows } from '../parquet/parquet-rows.ts';
import { dataPipeline } from '../pipeline/pipeline.ts';
import { parseCsv } from '../readers/csv.ts';
import { RandomSequence } from '../samples/random.ts';
import { type ByteRange, byteRange, fetchRange } from './byte-range.ts';
import { csvRows } from './csv-rows.ts';
import { decodeIndex, indexRecords } from './record-index.ts';
import { RecordReader } from './record-reader.ts';
import { tarSamples } from './tar.ts';
import { jsonLines, lineStream, textLines } from './text-lines.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const rangeOf = (text: string): ByteRange => byteRange(bytesOf(text));

async function everything<T>(source: { length: number; get(index: number): T | Promise<T> }): Promise<T[]> {
  return Promise.all(Array.from({ length: source.length }, (_, i) => source.get(i)));
}

beforeAll(() => setDefaultBackend(cpu()));

/** Texts with all ends of lines, blank lines and quotes in all places. */
function drawnText(seed: number, length: number, letters: readonly string[]): string {
  const random = new RandomSequence(seed);
  return Array.from({ length }, () => letters[random.integer(letters.length)]).join('');
}

describe('records', () => {
  it.each([
    { quotes: false, skipBlank: false },
    { quotes: false, skipBlank: true },
    { quotes: true, skipBlank: true },
  ])('are found whatever the pieces and runs are, %j', async (rules) => {
    for (let seed = 0; seed < 60; seed++) {
      const text = drawnText(
        seed,
        40,
        rules.quotes ? ['a', '\n', '\r', '\r\n', '"\n"', '"a"'] : ['a', 'bc', '\n', '\r', '\r\n'],
      );
      const expected = text
        .split(rules.quotes ? /\r\n|\n(?=(?:[^"]*"[^"]*")*[^"]*$)|\r(?!\n)/ : /\r\n|\n|\r/)
        .filter((line, i, { length }) => (i < length - 1 || line !== '') && (!rules.skipBlank || line !== ''));
      for (const [pieceBytes, runBytes] of [
        [1, 1],
        [7, 5],
        [1000, 1000],
      ] as const) {
        const index = await indexRecords('test', rangeOf(text), rules, { pieceBytes, runBytes });
        const reader = new RecordReader(rangeOf(text), index);
        const found = [];
        for (let i = 0; i < reader.length; i++) found.push(new TextDecoder().decode((await reader.record(i)).bytes));
        expect(found, JSON.stringify(text)).toEqual(expected);
      }
    }
  });
});

describe('textLines', () => {
  const text = Array.from({ length: 5000 }, (_, i) => `line ${i} ${'é'.repeat(i % 30)}`).join('\n');

  it('gives each line by its number, from a small index that can be saved', async () => {
    const lines = await textLines(rangeOf(`\uFEFF${text}\n`));
    expect(lines.length).toBe(5000);
    expect(await everything(lines)).toEqual(text.split('\n'));
    expect(lines.index.length).toBeLessThan(text.length / 100);
    const reads: number[] = [];
    const { size, read } = rangeOf(`\uFEFF${text}\n`);
    const again = await textLines(
      {
        size,
        read(start, end) {
          reads.push(end - start);
          return read(start, end);
        },
      },
      { index: lines.index },
    );
    expect(await again.get(4321)).toBe(text.split('\n')[4321]);
    expect(Math.max(...reads)).toBeLessThan(20_000);
  });

  it('says what it cannot read', async () => {
    await expect(textLines(byteRange(Uint8Array.of(0x1f, 0x8b, 0)))).rejects.toThrow(
      'textLines: text: the file is packed by gzip, which can only be read from its beginning: unpack it, or use lineStream.',
    );
    await expect(textLines(byteRange(Uint8Array.of(0xff, 0xfe, 0)))).rejects.toThrow(
      'textLines: text: the text is UTF-16; save the file as UTF-8.',
    );
    const lines = await textLines(byteRange(Uint8Array.of(65, 10, 0xff, 10)), { name: 'a.txt' });
    await expect(lines.get(1)).rejects.toThrow('textLines: a.txt, line 2: the bytes are not UTF-8 text.');
    const outside = { name: 'ValueError', message: 'textLines: there is no sample 2 among 2.' };
    await expect(lines.get(2)).rejects.toMatchObject(outside);
    await expect(textLines(rangeOf('a\nbc\n'), { index: lines.index })).rejects.toThrow(
      'textLines: text: the index belongs to a file of 4 bytes, this one has 5; leave it out to make it anew.',
    );
    await expect(textLines(rangeOf('a'), { index: new Uint8Array(3) })).rejects.toThrow(
      'textLines: text: the index is none; leave it out to make it anew.',
    );
  });
});

describe('a read that failed', () => {
  it('is tried again when it is asked for again', async () => {
    const whole = rangeOf('plum\nfig\n');
    let isBroken = false;
    const range: ByteRange = {
      size: whole.size,
      read: (start, end) => (isBroken ? Promise.reject(new Error('no connection')) : whole.read(start, end)),
    };
    const lines = await textLines(range);
    isBroken = true;
    await expect(lines.get(1)).rejects.toThrow('no connection');
    isBroken = false;
    expect(await lines.get(1)).toBe('fig');
  });
});

describe('a file that becomes another one', () => {
  it('is an error, not other lines', async () => {
    const lines = Array.from({ length: 2000 }, (_, i) => `line ${i}`).join('\n');
    const { index } = await textLines(rangeOf(lines));
    // Of the same size, with ends of lines elsewhere.
    const other = await textLines(rangeOf(lines.replaceAll('\n', ' ')), { index });
    for (const line of [0, 1999]) await expect(other.get(line)).rejects.toThrow('the file has become another one');
    const shifted = await textLines(rangeOf(`x${lines.slice(0, -1)}`), { index });
    await expect(shifted.get(3)).rejects.toThrow(
      'RecordReader: the file has become another one since its index was made: leave out an index that was saved, and open the file anew.',
    );
  });
});

describe('a saved index', () => {
  it('is not copied, so that workers share one, unless its bytes stand at an odd place', async () => {
    const { index } = await textLines(rangeOf('plum\nfig\n'));
    const shared = new Uint8Array(new SharedArrayBuffer(index.length));
    shared.set(index);
    const odd = new Uint8Array(index.length + 3).subarray(3);
    odd.set(index);
    for (const saved of [shared, odd])
      expect(await everything(await textLines(rangeOf('plum\nfig\n'), { index: saved }))).toEqual(['plum', 'fig']);
    const { offsets } = decodeIndex('test', shared, 9, { quotes: false, skipBlank: false });
    expect(offsets.buffer).toBe(shared.buffer);
  });
});

describe('a server that says nothing more', () => {
  const silent = (reads: number): ByteRange => {
    const whole = byteRange(new Blob(['x,y\n1,2\n']));
    let left = reads;
    return { size: whole.size, read: (...at) => (left-- > 0 ? whole.read(...at) : new Promise(() => {})) };
  };
  it.each([0, 1, 2, 3])('after %i reads is not waited for once the signal is aborted', async (reads) => {
    for (const open of [textLines, jsonLines, csvRows]) {
      if (open !== csvRows && reads > 1) continue; // they read twice
      const abort = new AbortController();
      const opened = open(silent(reads), { signal: abort.signal });
      setTimeout(() => abort.abort(new Error('enough')), 0);
      await expect(opened).rejects.toThrow('enough');
    }
  });
});

describe('jsonLines', () => {
  it('rounds no whole number without a word', async () => {
    const lines = [
      '{"id":9007199254740993,"user":{"ids":[1,-9007199254740993,12345678901234567890]},"text":"9007199254740993 \\"{,"}',
      '{"size":9007199254740991,"far":1e300,"exact":12345678901234567.5}',
      '36028797018963969',
    ];
    const file = rangeOf(lines.join('\n'));
    const rows = await jsonLines(file, { name: 'a.jsonl' });
    await expect(rows.get(0)).rejects.toThrow(
      "jsonLines: a.jsonl, line 1: 'id' is 9007199254740993, which has more digits than a number keeps; integers: 'text' gives such as text, 'round' as the nearest number.",
    );
    await expect(rows.get(2)).rejects.toThrow('line 3: the value is 36028797018963969, which');
    expect(await rows.get(1)).toEqual(JSON.parse(lines[1]!));
    const texts = await jsonLines(file, { integers: 'text' });
    expect(await texts.get(0)).toEqual({
      id: '9007199254740993',
      user: { ids: [1, '-9007199254740993', '12345678901234567890'] },
      text: '9007199254740993 "{,',
    });
    expect(await texts.get(2)).toBe('36028797018963969');
    expect(await (await jsonLines(file, { integers: 'round' })).get(0)).toEqual(JSON.parse(lines[0]!));
    const deep = await jsonLines(rangeOf('{"a":[{"b":1},{"b c":[0,9007199254740993]}]}'));
    await expect(deep.get(0)).rejects.toThrow("'a[1].b c[1]' is 9007199254740993");
    await expect(jsonLines(file, { integers: 'bigint' as 'text' })).rejects.toThrow('integers');
  });

  it('takes nothing for Infinity without a word', async () => {
    const long = `1${'0'.repeat(400)}`;
    const lines = [
      '{"a":[1,{"b":-1e400}]}',
      `{"a":${long}}`,
      '{"id":"4e123f","text":"1e999","is":[true,null,1e-999,1E308,1e+0012]}',
      '1E+400',
    ];
    const file = rangeOf(lines.join('\n'));
    const rows = await jsonLines(file, { name: 'a.jsonl' });
    const why = 'beyond 1.8e308, the largest number that there is: write it as text, or null for what is missing.';
    await expect(rows.get(0)).rejects.toThrow(`jsonLines: a.jsonl, line 1: 'a[1].b' is -1e400, ${why}`);
    await expect(rows.get(1)).rejects.toThrow('which has more digits than a number keeps');
    expect(await rows.get(2)).toEqual(JSON.parse(lines[2]!));
    await expect(rows.get(3)).rejects.toThrow('line 4: the value is 1E+400, beyond');
    const texts = await jsonLines(file, { integers: 'text' });
    await expect(texts.get(0)).rejects.toThrow("'a[1].b' is -1e400, beyond");
    expect(await texts.get(1)).toEqual({ a: long });
    const rounded = await jsonLines(file, { integers: 'round' });
    await expect(rounded.get(0)).rejects.toThrow("'a[1].b' is -1e400, beyond");
    await expect(rounded.get(1)).rejects.toThrow(why);
  });

  it('gives values and names the line of what is none', async () => {
    const rows = await jsonLines<{ a: number }>(rangeOf('{"a":1}\n\n{"a":2}\nnone\n'), { name: 'a.jsonl' });
    expect([rows.length, await rows.get(1)]).toEqual([3, { a: 2 }]);
    await expect(rows.get(2)).rejects.toThrow('jsonLines: a.jsonl, line 4: none is not JSON.');
  });
});

describe('csvRows', () => {
  it('rounds no whole number without a word', async () => {
    // behind the first megabyte, from which the kinds of columns are inferred
    const file = rangeOf(`id,text\n${`1,${'a'.repeat(998)}\n`.repeat(1100)}9007199254740993,b\n`);
    const rows = await csvRows(file, { name: 'a.csv' });
    await expect(rows.get(1100)).rejects.toThrow(
      `csvRows: a.csv, line 1102, column 1 ('id'): '9007199254740993' has more digits than a number keeps; if it names something, say kinds: { "id": 'category' }, else 'number', which rounds it.`,
    );
    const as = async (id: 'number' | 'category') => (await csvRows(file, { kinds: { id } })).get(1100);
    expect([await as('number'), await as('category')]).toEqual([
      { id: 2 ** 53, text: 'b' },
      { id: '9007199254740993', text: 'b' },
    ]);
  });

  const rows = Array.from({ length: 3000 }, (_, i) => {
    const place = i % 7 === 0 ? '"Bern, CH\nand ""more"""' : i % 11 === 0 ? '' : `town ${i % 40}`;
    return `${i % 13 === 0 ? '' : i / 8};${place};${i % 2 === 0}`;
  });
  const text = `\uFEFFsize;place;big\r\n${rows.map((row, i) => (i % 50 === 0 ? `${row}\r\n\r\n` : `${row}\r\n`)).join('')}`;

  it('gives the table that parseCsv gives of the whole, in chunks too', async () => {
    const whole = parseCsv(text);
    const source = await csvRows(rangeOf(text));
    expect(source.length).toBe(3000);
    const { columns, lines } = await source.table(0, 3000);
    expect({ columns, lines }).toEqual({ columns: whole.columns, lines: whole.lines });
    const kinds = source.columns.map(({ name, kind }) => `${name} ${kind}`);
    expect(kinds).toEqual(['size number', 'place category', 'big boolean']);
    expect(await source.get(7)).toEqual({ size: 7 / 8, place: 'Bern, CH\nand "more"', big: false });
    expect(await source.get(13)).toEqual({ size: null, place: 'town 13', big: false });
    let at = 0;
    for await (const table of source.tables(700)) {
      expect(table.lines).toEqual(whole.lines.slice(at, at + 700));
      at += 700;
    }
    expect(at).toBe(3500);
    const again = await csvRows(rangeOf(text), { index: source.index, columns: ['big', 'size'] });
    expect(await again.get(2999)).toEqual({ big: false, size: 2999 / 8 });
  });

  it('gives tables of whole numbers of rows', async () => {
    const rows = await csvRows(byteRange(new Blob(['x\n1\n2\n3\n'])));
    for (const [start, end] of [
      [0, undefined],
      [-1, 2],
      [0.5, 2],
      [2, 1],
      [Number.NaN, 2],
    ] as [number, number][]) {
      await expect(rows.table(start, end)).rejects.toThrow(
        `csvRows: table(${start}, ${end}): takes the first row and the one behind the last.`,
      );
    }
    // Tables of no rows would come for ever.
    for (const size of [0, -1, 1.5, Number.NaN]) {
      await expect(rows.tables(size)[Symbol.asyncIterator]().next()).rejects.toThrow(
        `csvRows: tables(${size}): takes a whole number of rows, 1 or more.`,
      );
    }
  });

  it('takes what the options say, lines for spreadsheets, and files of one column', async () => {
    const told = await csvRows(rangeOf('sep=|\n1,5|x\n2,5|y\n'), { header: false, decimal: ',' });
    expect(await everything(told)).toEqual([
      { column1: 1.5, column2: 'x' },
      { column1: 2.5, column2: 'y' },
    ]);
    const single = await csvRows(rangeOf('x\n1\n\n3\n'));
    expect(await everything(single)).toEqual([{ x: 1 }, { x: null }, { x: 3 }]);
    const saved = await csvRows(rangeOf('x\n1\n\n3\n'), { index: single.index });
    expect(await everything(saved)).toEqual([{ x: 1 }, { x: null }, { x: 3 }]);
  });

  it('reads decimal commas as parseCsv does, and says so', async () => {
    const said: string[] = [];
    const onWarning = (message: string): void => void said.push(message);
    const parted = rangeOf('size;count\n3,5;1\n0,25;2\n');
    const rows = await csvRows(parted, { onWarning });
    expect(await everything(rows)).toEqual([
      { size: 3.5, count: 1 },
      { size: 0.25, count: 2 },
    ]);
    const inQuotes = await csvRows(rangeOf('size,kind\n"3,5",a\n"1.000,25",b\n'), { onWarning });
    expect(await everything(inQuotes)).toEqual([
      { size: 3.5, kind: 'a' },
      { size: 1000.25, kind: 'b' },
    ]);
    expect(said).toEqual(
      Array.from({ length: 2 }, () =>
        expect.stringMatching(/column 'size': '.*' \(line .\) is read as a number with a decimal comma/),
      ),
    );
    said.length = 0;
    const told = await csvRows(parted, { decimal: '.', onWarning });
    expect(await told.get(0)).toEqual({ size: '3,5', count: 1 });
    expect(said).toEqual([
      "parseCsv: CSV data: column 'size': '3,5' (line 2) is no number with decimal: '.', so each value became a category: pass decimal: ',', or leave it out.",
    ]);
  });

  it('knows the decimal mark of the file for columns that have none in the first rows', async () => {
    const rows = '1,5;2\n'.repeat(200_000); // more than the first megabyte
    const options = { onWarning: (): void => undefined };
    const german = await csvRows(rangeOf(`x;y\n${rows}2,5;1.234\n2,5;0,5\n`), options);
    expect(await german.get(200_000)).toEqual({ x: 2.5, y: 1234 });
    expect(await german.get(200_001)).toEqual({ x: 2.5, y: 0.5 });
    const whole = await csvRows(rangeOf(`x;y\n${'1;2\n'.repeat(300_000)}1;0,5\n`), options);
    await expect(whole.get(300_000)).rejects.toThrow(
      "csvRows: CSV data, line 300002, column 2 ('y'): '0,5' is no number with a decimal point, as the first rows are: pass decimal: ',', or say kinds: { \"y\": 'category' }.",
    );
  });

  it('finds its way among very many columns', async () => {
    const count = 200_000;
    const names = Array.from({ length: count }, (_, i) => `c${i}`);
    const rows = await csvRows(rangeOf(`${names.join()}\n${names.map((_, i) => i).join()}\n`), { maxColumns: count });
    expect((await rows.get(0)).c123456).toBe(123_456);
  });

  it('refuses what the first rows did not tell, with line and column', async () => {
    const long = `x,y\n${'1,2\n'.repeat(300_000)}oops,3\n1\n`;
    const source = await csvRows(rangeOf(long), { name: 'long.csv' });
    expect(source.length).toBe(300_002);
    await expect(source.get(300_000)).rejects.toThrow(
      "csvRows: long.csv, line 300002, column 1 ('x'): 'oops' is no number, as the first rows are: name it in missing, or say kinds: { \"x\": 'category' }.",
    );
    await expect(source.get(300_001)).rejects.toThrow('csvRows: long.csv, line 300003: 1 columns, 2 are expected.');
    await expect(csvRows(rangeOf('x,y\n"1,2\n'))).rejects.toThrow(
      'csvRows: CSV data: a quote is opened and never closed; the file is no CSV, or cut off.',
    );
  });
});

describe('lineStream', () => {
  const pack = (text: string): ReadableStream<Uint8Array> =>
    new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  const texts = ['a\r\nb\rc\n', 'd\ne', ''];

  it.each([false, true])('gives the lines of each shard, packed: %s', async (isPacked) => {
    const lines = lineStream(3, (shard) => (isPacked ? pack(texts[shard]!) : new Blob([texts[shard]!]).stream()));
    const found = [];
    for (const [shard, skip] of [
      [0, 0],
      [1, 0],
      [2, 0],
      [0, 2],
    ] as const) {
      const own = [];
      for await (const line of lines.open(shard, skip)) own.push(line);
      found.push(own);
    }
    expect(found).toEqual([['a', 'b', 'c'], ['d', 'e'], [], ['c']]);
  });

  it('finds out what is packed from pieces of one byte, and of none', async () => {
    const bytes = new Uint8Array(await new Response(pack('é\nb\n')).arrayBuffer());
    for (const whole of [bytes, bytesOf('é\nb\n'), bytesOf('é')]) {
      const lines = lineStream(1, async function* () {
        yield new Uint8Array(0);
        for (const byte of whole) yield Uint8Array.of(byte);
      });
      const own = [];
      for await (const line of lines.open(0, 0)) own.push(line);
      expect(own).toEqual(['é', 'b'].slice(0, whole.length > 2 ? 2 : 1));
    }
  });

  it('says which shard is damaged', async () => {
    const bytes = new Uint8Array(await new Response(pack('a\nb\n')).arrayBuffer());
    const lines = lineStream(2, (shard) => new Blob([shard === 1 ? bytes.subarray(0, 12) : bytes]).stream());
    const read = async (shard: number): Promise<void> => {
      for await (const _ of lines.open(shard, 0));
    };
    await read(0);
    await expect(read(1)).rejects.toThrow('lineStream: shard 1: the gzip data is damaged or truncated: ');
  });

  it('finds ends of lines between pieces, and feeds a pipeline', async () => {
    const pieces = ['a\r', '\nb', '\r', 'c\n', '\r\n', 'é'].map((text) => bytesOf(text));
    const cut = [...pieces.slice(0, -1), pieces.at(-1)!.subarray(0, 1), pieces.at(-1)!.subarray(1)];
    const lines = lineStream(1, async function* () {
      yield* cut;
    });
    const batches = dataPipeline(lines)
      .map((line) => ({ x: line.length }))
      .batch(10);
    expect(await (await batches.peek()).x.array()).toEqual([1, 1, 1, 0, 1]);
  });
});

describe('byte ranges', () => {
  it.each([undefined, null, 'a.csv', Promise.resolve(), new Uint8Array(4)])('are told from %s', async (given) => {
    // as JavaScript may call them
    const range = given as unknown as ByteRange;
    const readers = { textLines, jsonLines, csvRows, parquetRows, tarSamples: (one: ByteRange) => tarSamples([one]) };
    for (const [name, read] of Object.entries(readers)) {
      await expect(read(range)).rejects.toThrow(
        `${name}: takes a range of bytes, got ${String(given)}: byteRange(file or bytes), await openFile(path) or await fetchRange(address).`,
      );
    }
    await expect(tarSamples(range as unknown as ByteRange[])).rejects.toThrow(
      'tarSamples: takes a list of ranges of bytes',
    );
  });

  it('take an address', async () => {
    await expect(fetchRange(undefined as unknown as string)).rejects.toThrow(
      'fetchRange: takes an address, got undefined.',
    );
    await expect(fetchRange('')).rejects.toThrow('fetchRange: takes an address, got an empty text.');
  });

  it('read parts of a Blob, and say where a file is shorter', async () => {
    const blob = byteRange(new Blob(['hello']));
    expect([blob.size, new TextDecoder().decode(await blob.read(1, 3))]).toEqual([5, 'el']);
    await expect(blob.read(3, 9)).rejects.toThrow(
      'byteRange: bytes 3 to 9 were asked for, 2 came: the file is shorter.',
    );
    expect(() => byteRange('a.txt' as never)).toThrow(
      'byteRange: takes bytes or a Blob, got string: openFile(path) opens a file in Node, fetchRange(address) an address.',
    );
  });

  it('read parts of an address, and notice another file or a server without ranges', async () => {
    let text = 'hello';
    let tag = 'one';
    const get = async (_: unknown, { headers }: RequestInit) => {
      const [, from = 0, to = 0] = /bytes=(\d+)-(\d+)/.exec((headers as { Range: string }).Range) ?? [];
      const range = `bytes ${from}-${to}/${text.length}`;
      return new Response(text.slice(Number(from), Number(to) + 1), {
        status: 206,
        headers: { 'Content-Range': range, ETag: tag },
      });
    };
    const range = await fetchRange('https://example.org/a', { fetch: get });
    expect([range.size, new TextDecoder().decode(await range.read(1, 4))]).toEqual([5, 'ell']);
    tag = 'two';
    await expect(range.read(0, 2)).rejects.toThrow(
      'fetchRange: https://example.org/a: the file became another one while it was read: open it anew.',
    );
    text = 'longer';
    await expect(range.read(0, 2)).rejects.toThrow('became another one');
    await expect(fetchRange('https://example.org/a', { fetch: async () => new Response('hello') })).rejects.toThrow(
      'fetchRange: https://example.org/a: the server answers with the whole file, not a range: byteRange(await response.blob()) reads it whole.',
    );
    await expect(
      fetchRange('https://example.org/a', { fetch: async () => new Response('', { status: 404 }) }),
    ).rejects.toThrow('fetchRange: https://example.org/a: the answer to bytes 0 to 1 is 404.');
  });

  it('say which part of which address did not come, and read on when it does', async () => {
    const text = 'a\nb\nc\nd\n';
    let fault: 'none' | 'unreached' | 'cut' | 'ended' = 'none';
    const get = async (_: unknown, { headers }: RequestInit) => {
      const [, from = 0, to = 0] = /bytes=(\d+)-(\d+)/.exec((headers as { Range: string }).Range) ?? [];
      if (fault === 'unreached') throw new TypeError('fetch failed', { cause: new Error('read ECONNRESET') });
      if (fault === 'ended') throw new DOMException('enough', 'AbortError');
      const part = text.slice(Number(from), Number(to) + 1);
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(part.slice(0, 1)));
          controller.error(new TypeError('terminated'));
        },
      });
      const range = `bytes ${from}-${Number(from) + part.length - 1}/${text.length}`;
      return new Response(fault === 'cut' ? body : part, { status: 206, headers: { 'Content-Range': range } });
    };
    const address = 'https://example.org/a';
    const batches = dataPipeline(await textLines(await fetchRange(address, { fetch: get })))
      .map((line) => ({ x: line.charCodeAt(0) - 97 }))
      .batch(1);
    const seen: unknown[] = [];
    const all = async (): Promise<void> => {
      for await (const { x } of batches) seen.push(...((await x.array()) as number[]));
    };
    fault = 'cut';
    await expect(all()).rejects.toMatchObject({
      // why it broke is said in the words of the runtime
      message: expect.stringContaining(`fetchRange: ${address}: the connection failed before bytes 0 to 8 had come (`),
      kind: 'format/fetchRange/connection',
      data: { address, start: 0, end: 8 },
    });
    fault = 'unreached';
    await expect(all()).rejects.toThrow('bytes 0 to 8 had come (fetch failed: read ECONNRESET).');
    fault = 'ended';
    await expect(all()).rejects.toThrow('enough');
    fault = 'none';
    await all();
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  it('take no other bytes than they asked for', async () => {
    const answer = (bytes: string, range: string, status = 206) => ({
      fetch: async () => new Response(bytes, { status, headers: { 'Content-Range': range } }),
    });
    let given = ['h', 'bytes 0-0/5'];
    const range = await fetchRange('https://example.org/a', { fetch: () => answer(given[0]!, given[1]!).fetch() });
    // As many bytes, of another place: nothing else would tell.
    given = ['hel', 'bytes 0-2/5'];
    await expect(range.read(1, 4)).rejects.toThrow(
      'bytes 1 to 4 were asked for, the answer is bytes 0-2/5: the server has no ranges that can be read.',
    );
    given = ['ello', 'bytes 1-3/5'];
    await expect(range.read(1, 4)).rejects.toThrow('bytes 1 to 4 were asked for, 4 came: they are others.');
    given = ['hell', 'bytes 0-3/4'];
    await expect(range.read(0, 5)).rejects.toThrow('the file became another one');
    const empty = await fetchRange('https://example.org/a', answer('', 'bytes */0', 416));
    expect([empty.size, (await empty.read(0, 3)).length]).toEqual([0, 0]);
    await expect(fetchRange('https://example.org/a', answer('', 'bytes */7', 416))).rejects.toThrow(
      'the answer to bytes 0 to 1 is 416 bytes */7.',
    );
  });
});
