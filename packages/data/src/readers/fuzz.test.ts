/**
 * Damaged files of every kind that this package reads: each gives data or a typed error, in little time and memory.
 * The damage is drawn from one seed, so that what fails can be run again; NN_FUZZ sets the number of rounds.
 */
import { isNNError } from '@nn/core';
import { expect, it } from 'vitest';
import { RandomSequence } from '../samples/random.ts';
import { fitTable } from '../tables/fit.ts';
import { encodeTable } from '../tables/table.ts';
import { parseCsv, readCsv } from './csv.ts';
import { parseCsvRecords } from './csv-records.ts';
import { gunzip } from './gunzip.ts';
import { encodeIdx, readIdx } from './idx.ts';

const environment = typeof process === 'undefined' ? undefined : process.env.NN_FUZZ;
const rounds = Number(environment ?? 300);
const quiet = { onWarning: (): void => undefined };

/** A copy with some bytes changed, cut, doubled or put in. */
function damage(bytes: Uint8Array, random: RandomSequence, alphabet: Uint8Array): Uint8Array<ArrayBuffer> {
  let list = [...bytes];
  for (let change = random.integer(4); change >= 0; change--) {
    const at = random.integer(list.length + 1);
    const value = random.integer(2) ? random.integer(256) : (alphabet[random.integer(alphabet.length)] ?? 0);
    const kind = random.integer(6);
    if (kind < 3 && at < list.length) list[at] = value;
    else if (kind === 3) list = list.slice(0, at);
    else if (kind === 4) list.splice(at, 0, ...list.slice(random.integer(list.length + 1)).slice(0, 40));
    else list.splice(at, 0, value);
  }
  return Uint8Array.from(list);
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const pack = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
  new Uint8Array(
    await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer(),
  );

const csvAlphabet = bytesOf(',;\t|"\r\n.-+eE019 \'nNaAtrue\u00a0');
const tables = [
  'name,size,ok\n"a ""b""",1.5,true\nc,,false\n"d\ne",-2e3,true\n',
  'sep=;\nx;y;z\n1,5;1.234,5;n/a\n-2,25;7;3\n1.000;8,5;?\n',
  '5.1\t3.5\tsetosa\n4.9\t3\tsetosa\n01234\t9007199254740993\tother\n',
  '\ufeff城市|人口\n北京|21 540 000\n上海|24 870 000\n',
].map(bytesOf);

it('tables', async () => {
  const random = new RandomSequence(11);
  let read = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = damage(tables[round % tables.length] as Uint8Array, random, csvAlphabet);
    const options = [
      {},
      { header: 'infer' },
      { trim: true, decimal: ',' },
      { separator: ';' },
      { encoding: 'infer' },
    ] as const;
    try {
      const table = await readCsv(bytes, { ...quiet, ...options[random.integer(options.length)] });
      for (const { values } of table.columns) expect(values.length).toBe(table.lines.length);
      read++;
      const last = table.columns.at(-1)?.name ?? '';
      if (table.columns.length > 1) {
        const { inputs } = encodeTable(table, fitTable(table, { ...quiet, targets: last, missing: 'fill' })).fields;
        expect(inputs.shape[0]).toBe(table.lines.length);
      }
    } catch (error) {
      if (!isNNError(error)) throw error;
      expect(error.message.length).toBeLessThan(1500);
    }
  }
  expect(read).toBeGreaterThan(rounds / 10);
});

it('records are the same whether they are read as records or as a table', () => {
  const random = new RandomSequence(12);
  let compared = 0;
  for (let round = 0; round < rounds; round++) {
    const text = new TextDecoder().decode(damage(tables[0] as Uint8Array, random, csvAlphabet));
    try {
      const all = parseCsvRecords(text);
      const names = all.at(0) ?? [];
      const kinds = Object.fromEntries(names.map((name) => [name, 'category'] as const));
      const { columns, lines } = parseCsv(text, { separator: ',', kinds, missing: [], ...quiet });
      const records = [...all];
      expect(columns.map(({ values }) => [...values])).toEqual(
        names.map((_, i) => records.slice(1).map((record) => record[i])),
      );
      expect(lines).toEqual(all.lines.subarray(1));
      compared++;
    } catch (error) {
      if (!isNNError(error)) throw error;
    }
  }
  expect(compared).toBeGreaterThan(rounds / 10);
});

it('IDX, plain and gzip', async () => {
  const random = new RandomSequence(13);
  const plain = encodeIdx({ data: Float32Array.from({ length: 12 }, (_, i) => i / 3), shape: [3, 4] });
  const packed = await pack(new Uint8Array(plain));
  let read = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = damage(round % 3 === 0 ? packed : plain, random, Uint8Array.of(0, 1, 8, 9, 11, 12, 13, 14, 255));
    try {
      const { data, shape } = await readIdx(bytes, { narrow: true, maxBytes: 1e6 });
      expect(shape.reduce((a, b) => a * b, 1)).toBe(data.length);
      read++;
    } catch (error) {
      if (!isNNError(error) || error.code !== 'format') throw error;
      expect(error.message.length).toBeLessThan(1500);
    }
    await gunzip(bytes, 1000).catch((error: unknown) => {
      if (!isNNError(error) || error.code !== 'format') throw error;
    });
  }
  expect(read).toBeGreaterThan(rounds / 20);
});
