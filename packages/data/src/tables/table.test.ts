import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import type { CsvOptions, Table } from '../readers/csv.ts';
import { parseCsv } from '../readers/csv.ts';
import { denormalize, fitNormalization, normalize } from '../samples/normalization.ts';
import { fitTable } from './fit.ts';
import { classified, dropMissing, encodeTable, inputNames, takeRows } from './table.ts';

const table = parseCsv(
  ['size,color,sold,price,kind', '1,red,true,10,b', ',blue,false,20,a', '3,,true,30,b', '4,red,false,,a'].join('\n'),
  { name: 'shop.csv' },
);

describe('fitTable and encodeTable', () => {
  it('encodes categories as one-hot inputs and as class indices, in the order of their code points', () => {
    const encoding = fitTable(table, { targets: 'kind', inputs: ['color', 'sold'], missing: 'fill' });
    const { inputs, targets } = encodeTable(table, encoding).fields;
    expect(inputNames(encoding)).toEqual(['color=blue', 'color=red', 'sold']);
    expect(inputs).toEqual({ data: new Float64Array([0, 1, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0]), shape: [4, 3] });
    expect(targets).toEqual({ data: new Int32Array([1, 0, 1, 0]), shape: [4] });
  });

  it('fills missing inputs with the mean and the most frequent category of what it was fitted on', () => {
    const encoding = fitTable(table, { targets: 'kind', inputs: ['size', 'color'], missing: 'fill' });
    expect(encoding.inputs).toEqual([
      { name: 'size', kind: 'number', fill: 8 / 3 },
      { name: 'color', kind: 'oneHot', categories: ['blue', 'red'], fill: 'red' },
    ]);
    expect(encodeTable(table, encoding).fields.inputs.data[3]).toBe(8 / 3);
  });

  it('takes all columns that are no targets as inputs', () => {
    expect(fitTable(table, { targets: ['kind', 'price'] }).inputs.map(({ name }) => name)).toEqual([
      'size',
      'color',
      'sold',
    ]);
  });

  it('gives several columns of classes as numbers, one column each', () => {
    const { targets } = encodeTable(
      table,
      fitTable(table, { targets: ['kind', 'sold'], inputs: ['color'], missing: 'fill' }),
    ).fields;
    const { data, shape } = targets;
    expect([data.constructor.name, shape]).toEqual(['Float64Array', [4, 2]]);
    expect([...data].filter((_, at) => at % 2 === 0)).toEqual([1, 0, 1, 0]);
  });

  it('gives numbers to predict as doubles, one column each', () => {
    const full = dropMissing(table, ['price']);
    const { targets } = encodeTable(full, fitTable(full, { targets: 'price', inputs: ['sold'] })).fields;
    expect(targets).toEqual({ data: new Float64Array([10, 20, 30]), shape: [3, 1] });
  });

  it('takes booleans to predict as two classes', () => {
    const encoding = fitTable(table, { targets: 'sold', inputs: ['price'], missing: 'fill' });
    expect(encodeTable(table, encoding).fields.targets.data).toEqual(new Int32Array([1, 0, 1, 0]));
  });

  it('survives JSON unchanged', () => {
    const encoding = fitTable(table, { targets: 'kind', missing: 'fill' });
    expect(JSON.parse(JSON.stringify(encoding))).toEqual(encoding);
  });

  it('names line and column of missing values and of unknown categories', () => {
    expect(() => encodeTable(table, fitTable(table, { targets: 'kind', inputs: ['size'] }))).toThrow(
      "encodeTable: shop.csv, line 3, column 'size': the value is missing",
    );
    expect(() => encodeTable(table, fitTable(table, { targets: 'price', inputs: ['sold'], missing: 'fill' }))).toThrow(
      "line 5, column 'price': the value is missing",
    );
    const encoding = fitTable(takeRows(table, [0, 3]), { targets: 'kind', inputs: ['color'] });
    expect(() => encodeTable(table, encoding)).toThrow("line 3, column 'color': 'blue' is none of the categories red.");
  });

  it('refuses a column that changed from numbers to text', () => {
    const encoding = fitTable(table, { targets: 'kind', inputs: ['size'], missing: 'fill' });
    const other = parseCsv('size,kind\nlarge,a');
    expect(() => encodeTable(other, encoding)).toThrow("'large' is a category, the encoding was fitted to numbers");
  });

  it('knows categories again that look like numbers in another part', () => {
    const encoding = fitTable(parseCsv('room,y\n12,a\nB3,b'), { targets: 'y', inputs: ['room'] });
    const other = encodeTable(parseCsv('room,y\n12,a'), encoding);
    expect(other.fields.inputs.data).toEqual(new Float64Array([1, 0]));
  });

  it('names the columns there are when one is not found', () => {
    expect(() => fitTable(table, { targets: 'weight' })).toThrow(
      "fitTable: shop.csv has no column 'weight'; it has size, color, sold, price, kind.",
    );
    expect(() => fitTable(table, { targets: [] })).toThrow('targets names no column');
  });
});

describe('dropMissing', () => {
  it('keeps whole rows and their line numbers', () => {
    expect([...dropMissing(table).lines]).toEqual([2]);
    expect([...dropMissing(table, ['size', 'price']).lines]).toEqual([2, 4]);
  });
});

describe('hostile tables', () => {
  it('are refused before more memory is asked for than an array holds', () => {
    const rows = 70_000;
    const values = Array.from({ length: rows }, (_, i) => `n${i}`);
    const names: Table = {
      name: 'names.csv',
      columns: [
        { name: 'name', kind: 'category', values },
        { name: 'y', kind: 'number', values: new Float64Array(rows) },
      ],
      lines: new Int32Array(rows),
    };
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const encoding = fitTable(names, { targets: 'y' });
    expect(warn.mock.calls).toEqual([
      [
        "fitTable: names.csv: column 'name' has 70000 categories in 70000 rows, of which nothing can be learned; leave it out by naming the inputs, or read it as numbers.",
      ],
    ]);
    const said: string[] = [];
    fitTable(names, { targets: 'y', onWarning: (message) => said.push(message) });
    expect(warn.mock.calls).toEqual([said]);
    warn.mockRestore();
    expect(() => encodeTable(names, encoding)).toThrow(
      "encodeTable: names.csv: 70000 rows of 70000 elements are more than 2^31; column 'name' has the most categories",
    );
    // Classes of as many names are found in linear time.
    const classes = { ...encoding, inputs: encoding.targets, targets: [{ ...encoding.inputs[0], kind: 'index' }] };
    expect(encodeTable(names, JSON.parse(JSON.stringify(classes))).fields.targets.data.length).toBe(rows);
  });

  it('keep their digits until they are normalised', () => {
    const times = parseCsv('time,price\n1700000000000,16777216\n1700000060000,16777217\n1700000120000,16777218\n');
    const { inputs, targets } = encodeTable(times, fitTable(times, { targets: 'price' })).fields;
    expect([...inputs.data]).toEqual([1700000000000, 1700000060000, 1700000120000]);
    const [low, middle, high] = normalize(inputs, fitNormalization(inputs)).data;
    expect([low, middle, high]).toEqual([-Math.fround(Math.sqrt(1.5)), 0, Math.fround(Math.sqrt(1.5))]);
    const fit = fitNormalization(targets);
    expect([...denormalize(normalize(targets, fit), fit).data].map(Math.round)).toEqual([16777216, 16777217, 16777218]);
  });

  it('have columns by any name', () => {
    const odd = parseCsv('__proto__,constructor,y\n1,a,x\n2,b,z\n');
    const encoding = JSON.parse(JSON.stringify(fitTable(odd, { targets: 'y' })));
    expect(inputNames(encoding)).toEqual(['__proto__', 'constructor=a', 'constructor=b']);
    expect([...encodeTable(odd, encoding).fields.inputs.data]).toEqual([1, 1, 0, 2, 0, 1]);
    expect(() => fitTable(odd, { targets: 'toString' })).toThrow("has no column 'toString'");
  });

  it('give inputs alone for prediction', () => {
    const encoding = fitTable(table, { targets: 'kind', inputs: ['sold'] });
    const { inputs } = encodeTable(parseCsv('sold\ntrue\n'), { ...encoding, targets: [] }).fields;
    expect(inputs).toEqual({ data: Float64Array.of(1), shape: [1, 1] });
  });
});

describe('classified', () => {
  it('types samples of classes, and refuses numbers', () => {
    const text = 'x,good\n1,0\n2,1\n';
    const encoded = (options: CsvOptions) => {
      const table = parseCsv(text, options);
      return encodeTable(table, fitTable(table, { targets: 'good' }));
    };
    const samples = classified(encoded({ kinds: { good: 'category' } }));
    expectTypeOf(samples.fields.targets.data).toEqualTypeOf<Int32Array>();
    expect([...samples.fields.targets.data]).toEqual([0, 1]);
    expect(() => classified(encoded({}))).toThrow(
      "classified: the targets are numbers [2, 1], not classes: read their column as categories, as parseCsv(text, { kinds: { name: 'category' } }), and let it be the only target.",
    );
  });
});
