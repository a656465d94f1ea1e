/** Options that do not exist, or choose nothing, are errors wherever options are taken: ignored, they would train another model. */
import { describe, expect, it } from 'vitest';
import { dataPipeline } from './pipeline/pipeline.ts';
import { digits } from './problems/digits.ts';
import { blobs, circles, moons, spirals, xor } from './problems/points.ts';
import { parseCsv } from './readers/csv.ts';
import { parseCsvRecords } from './readers/csv-records.ts';
import { gunzip } from './readers/gunzip.ts';
import { parseIdx } from './readers/idx.ts';
import { smoteNc } from './resampling/smote-nc.ts';
import { gatherBatch } from './samples/batches.ts';
import { DataLoader } from './samples/loader.ts';
import { fitNormalization } from './samples/normalization.ts';
import { slidingWindows } from './series/windows.ts';
import { byteRange, fetchRange } from './sources/byte-range.ts';
import { csvRows } from './sources/csv-rows.ts';
import { decodedList, decodedShards } from './sources/decoded.ts';
import { lineStream } from './sources/text-lines.ts';
import { splitTable } from './splits/split.ts';
import { fitEncodeTable, fitTable } from './tables/fit.ts';
import { encodeRows } from './tables/raw.ts';
import { dropMissing, encodeTable } from './tables/table.ts';

const table = parseCsv('x,kind\n1,plum\n2,apple\n');
const encoding = fitTable(table, { targets: 'kind' });
const numbers = { data: new Float32Array([1, 2]), shape: [2, 1] };
const batch = (options: object) => () => dataPipeline([{ x: 1 }]).batch(1, options);
const load = (options: object) => () => new DataLoader(moons(4), options);
const start = () => ({ postMessage: () => undefined, terminate: () => undefined });

// JavaScript: what the compiler would refuse. The calls take what they are given.
type Call = (...values: unknown[]) => unknown;
const call =
  (operation: unknown, ...values: unknown[]) =>
  () =>
    (operation as Call)(...values);

describe.each<[string, () => unknown, string]>([
  ['xor', call(xor, 4, { nosie: 1 }), 'xor: no option nosie: seed, noise.'],
  ['moons', call(moons, 4, { nosie: 1 }), 'moons: no option nosie: seed, noise.'],
  ['moons: a number', call(moons, 4, 1), 'moons: takes options by name, { seed, noise }, got 1.'],
  ['circles', call(circles, 4, { classes: 2 }), 'circles: no option classes: seed, noise, factor.'],
  ['spirals', call(spirals, 4, { turn: 2 }), 'spirals: no option turn: seed, noise, classes, turns.'],
  ['blobs', call(blobs, 4, { centres: [] }), 'blobs: no option centres: seed, noise, classes, centers.'],
  ['digits', call(digits, 1, { sizes: 9 }), 'digits: no option sizes: seed, size, distortion.'],
  ['noise', call(moons, 4, { noise: Number.POSITIVE_INFINITY }), 'moons: noise Infinity is not a standard deviation'],
  ['factor', call(circles, 4, { factor: Number.NaN }), 'circles: factor NaN is not a number.'],
  ['turns', call(spirals, 4, { turns: Number.NaN }), 'spirals: turns NaN is not a number.'],
  ['centers', call(blobs, 4, { centers: [[1, 2], [3]] }), 'blobs: center 1 is [3], not two numbers.'],
  ['dataPipeline', call(dataPipeline, [1], { shuffle: true }), 'and no options; those are batch(size, options).'],
  ['shuffle', batch({ shuffle: 'block' }), "DataPipeline.batch: shuffle is 'block': choose true or false or blocks."],
  ['dtypes', batch({ dtypes: { x: 'int64' } }), "DataPipeline.batch: dtypes: x is 'int64': choose float32 or int32."],
  ['workers', batch({ workers: { cuont: 2, start } }), 'workers: no option cuont: count, start, patience.'],
  ['workers: a number', batch({ workers: 2 }), 'workers: takes options by name, { count, start, patience }, got 2.'],
  ['count of workers', batch({ workers: { count: 0, start } }), 'workers: count is 0, start a function'],
  ['pack', batch({ pack: { size: 3 } }), 'DataPipeline.batch: pack: no option size: length.'],
  ['padTo', batch({ padTo: { rows: 3 } }), 'DataPipeline.batch: padTo: no option rows: samples, length, values.'],
  [
    'padTo: a number',
    batch({ padTo: 3 }),
    'DataPipeline.batch: padTo: takes options by name, { samples, length, values }, got 3.',
  ],
  [
    'buckets',
    batch({ padTo: { samples: [4, 0.5] } }),
    'padTo: samples has the bucket 0.5, which is not a whole number',
  ],
  ['slice', batch({ slice: { index: 0, of: 2 } }), 'DataPipeline.batch: slice: no option of: index, count.'],
  ['padTo of a loader', load({ padTo: { rows: 3 } }), 'DataLoader: padTo: no option rows: samples, length, values.'],
  [
    'values of a loader',
    load({ padTo: { values: { y: 1 } } }),
    "padTo.values names 'y', the samples have inputs, targets",
  ],
  ['shuffle of a loader', load({ shuffle: 'yes' }), "DataLoader: shuffle is 'yes': choose true or false."],
  [
    'gatherBatch',
    call(gatherBatch, moons(4), Int32Array.of(0), { padTo: {} }),
    'gatherBatch: no option padTo: padding',
  ],
  ['fitNormalization', call(fitNormalization, numbers, { by: 1 }), 'fitNormalization: no option by: kind, per, range.'],
  ['kind', call(fitNormalization, numbers, { kind: 'zscore' }), "fitNormalization: kind is 'zscore': choose standard"],
  ['per', call(fitNormalization, numbers, { per: 'column' }), "fitNormalization: per is 'column': choose element"],
  ['parseCsvRecords', call(parseCsvRecords, 'a', { header: false }), 'no option header: name, separator, trim.'],
  ['decodedList', call(decodedList, [], String, { name: 'a' }), 'decodedList: no option name: operation, what.'],
  [
    'lineStream',
    call(lineStream, -1, String),
    'takes the number of files and a function that opens one of them, got -1',
  ],
  ['encodeTable', call(encodeTable, table, encoding, { missing: 'fill' }), 'and no options; those are of fitTable.'],
  [
    'encodeTable: more in the encoding',
    call(encodeTable, table, { ...encoding, missing: 'fill' }),
    'encodeTable: no option missing: inputs, targets.',
  ],
  [
    'encodeTable: the options of fitTable',
    call(encodeTable, table, { targets: 'kind' }),
    'encodeTable: this is no encoding of fitTable: inputs is no list of columns.',
  ],
  [
    'encodeRows',
    call(encodeRows, [{ x: 1 }], { inputs: [{ name: 'x', kind: 'numbr' }], targets: [] }),
    'encodeRows: this is no encoding of fitTable: inputs[0] is no encoding of a column',
  ],
  [
    'encodeRows: no row',
    call(encodeRows, [null], encoding),
    'encodeRows: row 0 is null: a row is an object with a value',
  ],
  ['smoteNc', call(smoteNc, moons(4), {}), 'smoteNc: categorical is missing: a list of the elements'],
  [
    'slidingWindows',
    call(slidingWindows, [1, 2], { length: 1 }),
    'a series is { data, shape }, as dense(values) makes it.',
  ],
  [
    'splitTable',
    call(splitTable, parseCsv('x\n1\n')),
    'splitTable: of 1 samples none can be set apart; two are needed.',
  ],
  ['dropMissing', call(dropMissing, table, 'x'), "dropMissing: takes a list of columns: ['x']."],
  [
    'parseCsv: bytes',
    call(parseCsv, new Uint8Array(2)),
    'parseCsv: takes text, got Uint8Array: readCsv takes the bytes of a file.',
  ],
  ['parseCsvRecords: nothing', call(parseCsvRecords), 'parseCsvRecords: takes text, got Undefined'],
  [
    'parseIdx: a buffer',
    call(parseIdx, new ArrayBuffer(4)),
    'parseIdx: takes a Uint8Array, got ArrayBuffer: new Uint8Array(buffer).',
  ],
  ['gunzip: a buffer', call(gunzip, new ArrayBuffer(4)), 'gunzip: takes a Uint8Array, got ArrayBuffer'],
  ['fitEncodeTable: no options', call(fitEncodeTable, table), 'fitTable: targets must be a list of names of columns'],
])('%s', (_, wrong, message) => {
  it('says so', () => {
    expect(wrong).toThrow(message);
  });
});

describe('what waits', () => {
  it('says so, too', async () => {
    const packed = new Uint8Array([0x1f, 0x8b]);
    await expect(call(fetchRange, 'a', { get: 1 })()).rejects.toThrow('fetchRange: no option get: fetch.');
    await expect(call(decodedShards, [byteRange(packed)], String, { ending: 'a' })()).rejects.toThrow(
      'decodedShards: no option ending: operation, what, extensions, names.',
    );
    await expect(async () => call(gunzip, packed, { maxBytes: 3 })()).rejects.toThrow(
      'gunzip: limit [object Object] is not a number of bytes.',
    );
  });

  it('names fields that no sample has', async () => {
    const one = dataPipeline([{ x: 1 }]);
    const normalize: object = { y: { per: 'array', offset: [0], divisor: [1] } };
    await expect(one.batch(1, { normalize }).peek()).rejects.toThrow(
      "DataPipeline.batch: normalize names 'y', the samples have x.",
    );
    await expect(one.batch(1, { padTo: { values: { y: 1 } } }).peek()).rejects.toThrow(
      "DataPipeline.batch: padTo.values names 'y', the samples have x.",
    );
  });
});

it.each<[object, string]>([
  [{ kinds: { x: 'categorical' } }, "parseCsv: kinds: kind is 'categorical': choose number or boolean or category."],
  [{ missing: [-999] }, "parseCsv: missing must be a list of texts, as ['-999', 'n/a']."],
  [{ missing: 'NA' }, 'parseCsv: missing must be a list of texts'],
  [{ columns: 'x' }, "parseCsv: columns must be a list of texts, as ['price']."],
  [{ columns: ['x', 'x'] }, "parseCsv: columns names 'x' twice."],
  [{ decimal: ';' }, "parseCsv: decimal is ';': choose . or ,."],
  [{ header: 'false' }, "parseCsv: header is 'false': choose true or false or infer."],
  [{ trim: 'no' }, "parseCsv: trim is 'no': choose true or false."],
])('CSV readers take no option for another: %o', async (options, message) => {
  const text = 'x,y\n1,2\n-999,3\n';
  expect(() => parseCsv(text, options)).toThrow(message);
  await expect(csvRows(byteRange(new Blob([text])), options)).rejects.toThrow(message);
});

it('what names no field and is no table is told', () => {
  expect(load({ normalize: true })).toThrow('DataLoader: normalize is true: give values by the names of fields.');
  expect(() => parseCsv('data/train.csv')).toThrow(
    "parseCsv: takes the text of a file, got what looks like its path: readCsv(await readFile('data/train.csv')).",
  );
});
