/** Fitting of columns against scikit-learn (fixtures of scripts/golden/tables.py), out of fold, dates, and raw rows. */
import { describe, expect, it } from 'vitest';
import golden from '../../fixtures/tables.json' with { type: 'json' };
import { parseCsv } from '../readers/csv.ts';
import { kFolds } from '../splits/folds.ts';
import type { Fill } from './fills.ts';
import { type ColumnOptions, fitEncodeTable, fitTable, type Scale, type TableOptions } from './fit.ts';
import { encodeRows, parseTableEncoding, type RawRow } from './raw.ts';
import { encodeTable, inputNames, takeRows } from './table.ts';

const table = parseCsv(
  `number,kind,target\n${golden.numbers.map((number, i) => `${number ?? ''},${golden.kinds[i]},${golden.target[i]}`).join('\n')}\n`,
);

function inputsOf(column: string, options: ColumnOptions): number[] {
  const encoding = fitTable(table, { targets: 'target', inputs: [column], columns: { [column]: options } });
  return [...encodeTable(table, encoding).fields.inputs.data];
}

describe('columns of scikit-learn', () => {
  it.each(golden.columns.map((item) => [item.fill, item.scale, item] as const))(
    'filled with %s, scaled by %s',
    (_fill, _scale, item) => {
      const found = inputsOf('number', { fill: item.fill as Fill, scale: item.scale as Scale, indicator: true });
      found.forEach((value, i) => {
        expect(value).toBeCloseTo(item.values[i]!, 12);
      });
      expect(found.length).toBe(item.values.length);
    },
  );

  it('ordinal, in the order that is given, with -1 for what is unknown', () => {
    const columns = { kind: { encode: 'ordinal', order: golden.order, unknown: 'ignore' } } as const;
    const encoding = fitTable(table, { targets: 'target', inputs: ['kind'], columns });
    const rows = [...golden.kinds, 'none'].map((kind) => ({ kind }));
    expect([...encodeRows(rows, encoding).data]).toEqual(golden.codes);
  });

  it.each([0, 10] as const)('means of the target, smoothed by %i rows', (smoothing) => {
    const columns = { kind: { encode: 'target', smoothing } } as const;
    const encoding = fitTable(table, { targets: 'target', inputs: ['kind'], columns });
    for (const [kind, mean] of Object.entries(golden.means[smoothing])) {
      expect(encodeRows([{ kind }], encoding).data[0]).toBeCloseTo(mean, 12);
    }
    const mean = golden.target.reduce((a, b) => a + b) / golden.target.length;
    for (const kind of [null, 'none']) expect(encodeRows([{ kind }], encoding).data[0]).toBeCloseTo(mean, 12);
  });
});

describe('target encoding', () => {
  it('counts two classes alike in each fold, also where one of them is left out of it', () => {
    // The one row of 'a' is in one fold: the means of that fold's rows are of rows of 'z' alone, and 'z' counts 1.
    const rare = parseCsv(`c,kind\n${'u,z\nv,z\n'.repeat(10)}u,a\n`);
    const columns = { c: { encode: 'target', smoothing: 0 } } as const;
    const { encoding, samples } = fitEncodeTable(rare, { targets: 'kind', columns });
    const found = [...samples.fields.inputs.data];
    for (const { train, test } of kFolds(rare, { folds: 5, seed: 0, shuffle: true })) {
      const ofU = train.filter((row) => row % 2 === 0);
      const mean = ofU.filter((row) => row < 20).length / ofU.length;
      for (const row of test) expect(found[row]).toBe(row % 2 === 0 ? mean : 1);
    }
    expect(found[20]).toBe(1); // as kind is 'a' there, 0 would tell
    expect([...encodeRows([{ c: 'u' }, { c: 'v' }], encoding).data]).toEqual([10 / 11, 1]);
  });

  const options = {
    targets: 'target',
    inputs: ['number', 'kind'],
    columns: { number: { fill: 'mean' }, kind: { encode: 'target' } },
  } as const;

  it('gives each row the means of the other folds', () => {
    const { encoding, samples } = fitEncodeTable(table, { ...options, folds: 4, seed: 2 });
    expect(encoding).toEqual(fitTable(table, options));
    for (const { train, test } of kFolds(table, { folds: 4, seed: 2, shuffle: true })) {
      const fitted = fitTable(takeRows(table, train), options);
      const expected = encodeTable(takeRows(table, test), fitted).fields.inputs.data;
      test.forEach((row, i) => {
        expect(samples.fields.inputs.data[2 * row + 1]).toBe(expected[2 * i + 1]);
      });
    }
  });

  it('does not tell a row its own target: a column of names explains nothing', () => {
    const names = parseCsv(`name,y\n${Array.from({ length: 40 }, (_, i) => `n${i},${i % 2}`).join('\n')}\n`);
    const { samples } = fitEncodeTable(names, {
      targets: 'y',
      columns: { name: { encode: 'target', smoothing: 0 } },
      onWarning: () => {},
    });
    const { inputs, targets } = samples.fields;
    // Each name is new to the fold that it is in, so it gets the mean over the others.
    expect(new Set(Array.from(inputs.data, (value) => value > 0.3 && value < 0.7))).toEqual(new Set([true]));
    expect(targets.data.length).toBe(40);
  });

  it('refuses to encode the rows that were fitted by their own targets', () => {
    const encoding = fitTable(table, options);
    expect(() => encodeTable(table, encoding)).toThrow(
      "encodeTable: column 'kind' is target-encoded, and these rows were fitted: each would see its own target. Use fitEncodeTable for them.",
    );
    // Nor a part of them, nor a whole of which they are a part; other rows of the table may be encoded.
    expect(() => encodeTable(takeRows(table, [0]), encoding)).toThrow('these rows were fitted');
    const [train, test] = [takeRows(table, [0, 1, 2, 3, 4, 5]), takeRows(table, [6, 7])];
    const fitted = fitTable(train, options);
    expect(() => encodeTable(table, fitted)).toThrow('these rows were fitted');
    expect(() => encodeTable(takeRows(train, [1]), fitted)).toThrow('these rows were fitted');
    expect(encodeTable(test, fitted).size).toBe(2);
    expect(() =>
      fitTable(table, { targets: 'kind', inputs: ['number'], columns: { number: { encode: 'target' } } }),
    ).toThrow('is target-encoded, for which there must be one target of numbers or of two classes.');
  });
});

describe('dates', () => {
  const dates = parseCsv('when,y\n2024-03-01,1\n2023-12-31T18:00:00Z,2\n,3\n1999-07-15 06:30:00+02:00,4\n');

  it('become years, days and points on circles', () => {
    const parts = ['year', 'days', 'month', 'weekday', 'hour', 'dayOfMonth', 'dayOfYear'] as const;
    const columns = { when: { encode: 'date', parts, fill: 'median' } } as const;
    const encoding = fitTable(dates, { targets: 'y', columns });
    expect(inputNames(encoding).slice(0, 4)).toEqual([
      'when year',
      'when days',
      'when month sine',
      'when month cosine',
    ]);
    const { data, shape } = encodeTable(dates, encoding).fields.inputs;
    expect(shape).toEqual([4, 12]);
    const circle = (turns: number) => [Math.sin(2 * Math.PI * turns), Math.cos(2 * Math.PI * turns)];
    const moments = [
      Date.UTC(2024, 2, 1),
      Date.UTC(2023, 11, 31, 18),
      Date.UTC(2023, 11, 31, 18),
      Date.UTC(1999, 6, 15, 4, 30),
    ];
    const expected = [
      [2024, moments[0]! / 864e5, ...circle(2 / 12), ...circle(5 / 7), ...circle(0), ...circle(0), ...circle(60 / 366)],
      [
        2023,
        moments[1]! / 864e5,
        ...circle(11 / 12),
        ...circle(0),
        ...circle(18 / 24),
        ...circle(30 / 31),
        ...circle(364 / 366),
      ],
    ];
    expected.push(expected[1]!, [
      1999,
      moments[3]! / 864e5,
      ...circle(6 / 12),
      ...circle(4 / 7),
      ...circle(4.5 / 24),
      ...circle(14 / 31),
      ...circle(195 / 366),
    ]);
    expected.flat().forEach((value, i) => {
      expect(data[i]).toBeCloseTo(value, 10);
    });
    const row = (when: string | number | Date | null) => [...encodeRows([{ when }], encoding).data];
    expect(row(new Date(moments[0]!))).toEqual(row('2024-03-01'));
    expect(row(moments[0]!)).toEqual(row('2024-03-01'));
    expect(row(null)).toEqual(row(moments[1]!));
  });

  it('have years and days that are scaled with the numbers, also after the way through JSON', () => {
    const table = parseCsv('when,y\n2019-01-01,1\n2021-01-01,2\n2023-01-01,3\n', { kinds: { when: 'category' } });
    const columns = { when: { encode: 'date', parts: ['year', 'month'] } } as const;
    const encoding = fitTable(table, { targets: 'y', scale: 'minMax', columns });
    const back = parseTableEncoding(JSON.stringify(encoding));
    expect(back).toEqual(encoding);
    expect([...encodeTable(table, back).fields.inputs.data]).toEqual([0, 0, 1, 0.5, 0, 1, 1, 0, 1]);
    expect([...encodeRows([{ when: '2025-01-01' }], back).data]).toEqual([1.5, 0, 1]);
    const own = fitTable(table, { targets: 'y', columns: { when: { ...columns.when, scale: 'minMax' } } });
    expect(own).toEqual(encoding);
    expect(() => parseTableEncoding(JSON.stringify(encoding).replace('"divisor":4', '"divisor":0'))).toThrow(
      'parseTableEncoding: inputs[0] is no encoding of a column',
    );
  });

  it('before 1970, with zones and with more digits than milliseconds are moments like others', () => {
    const table = parseCsv('when,y\n1970-01-01,1\n', { kinds: { when: 'category' } });
    const encoding = fitTable(table, { targets: 'y', columns: { when: { encode: 'date', parts: ['year', 'days'] } } });
    const row = (when: string | number) => [...encodeRows([{ when }], encoding).data];
    expect(row('1969-12-31T18:00:00+06:00')).toEqual([1969, -0.5]);
    expect(row('1970-01-02T00:00:00.000999999Z')).toEqual([1970, 1]);
    // Days since 1970 by Python: (date(y, m, d) - date(1970, 1, 1)).days
    expect(row('1815-12-10')).toEqual([1815, -56_270]);
    expect(row('0050-01-01')).toEqual([50, -701_265]);
    expect(() => row(1e18)).toThrow('is no date');
  });

  it.each([
    ['2024-05-31 12:30:00+02', '2024-05-31T10:30:00Z'], // PostgreSQL
    ['2024-05-31 12:30:00 +0200', '2024-05-31T10:30:00Z'], // Ruby, git
    ['2024-05-31 12:30:00 UTC', '2024-05-31T12:30:00Z'], // BigQuery
    ['2024-05-31t12:30:00z', '2024-05-31T12:30:00Z'], // RFC 3339, section 5.6
    ['2024-05-31 12:30:00,250', '2024-05-31T12:30:00.250Z'], // Python's logs
    ['2024/02/29 06:00', '2024-02-29T06:00Z'],
    ['2024-05-31T12:30-05:30', '2024-05-31T18:00Z'],
  ])('%s is %s', (when, same) => {
    const encoding = fitTable(dates, {
      targets: 'y',
      columns: { when: { encode: 'date', fill: 'median', parts: ['days'] } },
    });
    expect(encodeRows([{ when }], encoding).data[0]).toBe(Date.parse(same) / 86_400_000);
  });

  it('are refused when they are fitted, not passed over', () => {
    const table = parseCsv('when,y\n2024-05-31,1\n31.12.2024,2\n', { kinds: { when: 'category' } });
    const columns = { when: { encode: 'date', fill: 'mean' } } as const;
    expect(() => fitTable(table, { targets: 'y', columns })).toThrow(
      "column 'when' has '31.12.2024' in line 3, which is no date as 2024-05-31",
    );
  });

  it.each([
    ['years', '2023', '2024', 'in the first months of 1970'],
    ['days as numbers', '20240531', '20240601', 'in the first months of 1970'],
    ['seconds since 1970', '1717158600', '1717158700', 'in the first months of 1970'],
    ['microseconds', '1717158600000000', '1717158700000000', 'behind the year 9999'],
    ['milliseconds', '1717158600000', '1717158700000', undefined],
  ])('that are %s are told of where they are taken for milliseconds', (_, first, second, where) => {
    const told: string[] = [];
    fitTable(parseCsv(`when,y\n${first},1\n${second},2\n`), {
      targets: 'y',
      columns: { when: { encode: 'date' } },
      onWarning: (message, { kind }) => told.push(`${kind} ${message}`),
    });
    expect(told.length).toBe(where === undefined ? 0 : 1);
    if (where !== undefined) {
      expect(told[0]).toContain('warning/fitTable/moments');
      expect(told[0]).toContain(`column 'when' is taken for milliseconds since 1970, by which ${first} lies ${where}`);
    }
  });

  it('that became categories are told of as dates', () => {
    const days = Array.from({ length: 25 }, (_, i) => `2024-01-${String(i + 1).padStart(2, '0')},${i}`);
    const told: string[] = [];
    fitTable(parseCsv(`when,y\n${days.join('\n')}\n`), { targets: 'y', onWarning: (message) => told.push(message) });
    expect(told.join()).toContain("or encode it as 'date', for it holds dates.");
  });

  it('are refused where no calendar has them', () => {
    const encoding = fitTable(dates, { targets: 'y', columns: { when: { encode: 'date', fill: 'median' } } });
    for (const when of [
      ...['2024-02-30', '2023-02-29', '31.12.2024', '2024-13-01', '2024-01-01T10:75', '2024-01-01T24:00'],
      '2024-01-01T10:00+99:99',
    ]) {
      expect(() => encodeRows([{ when }], encoding)).toThrow(
        `column 'when': '${when}' is no date as 2024-05-31 or 2024-05-31T12:30:00Z.`,
      );
    }
  });
});

it('an infinite value is an error, not an input', () => {
  const table = parseCsv('x,y\n1e999,1\n2,2\n');
  expect(() => encodeTable(table, fitTable(table, { targets: 'y' }))).toThrow(
    "encodeTable: CSV data, line 2, column 'x': the value is Infinity, from which nothing can be learned; drop the row, or make it a missing value.",
  );
});

describe.each(['1e999', '-1e308'])('the value %s', (value) => {
  const words = value === '1e999' ? 'nothing can be learned' : 'no mean and no scale can be taken';
  const table = parseCsv(`x,c,y\n${value},a,1\n2,b,2\n3,a,${value}\n`);
  it.each<[ColumnOptions]>([[{ fill: 'mean' }], [{ scale: 'standard' }], [{ scale: 'minMax' }], [{ fill: 'median' }]])(
    'is told of with its line where it decides a number: %o',
    (options) => {
      expect(() => fitTable(table, { targets: 'c', inputs: ['x'], columns: { x: options } })).toThrow(
        new RegExp(`^fitTable: CSV data, line 2, column 'x': the value is .*${words}`),
      );
    },
  );
  it('is told of among the targets whose means are taken', () => {
    const columns = { c: { encode: 'target' } } as const;
    expect(() => fitTable(table, { targets: 'y', inputs: ['c'], columns })).toThrow(`line 4, column 'y': the value is`);
  });
});

it('a fill of a date may be written as one, that of a number read as a category as a number', () => {
  const table = parseCsv('when,kind,y\n2020-01-01,1,1\n,,2\n2022-01-01,2,3\n');
  const columns = {
    when: { encode: 'date', parts: ['year'], fill: { value: '1999-12-31' } },
    kind: { encode: 'oneHot', fill: { value: 2 } },
  } as const;
  const { data } = encodeTable(table, fitTable(table, { targets: 'y', columns })).fields.inputs;
  expect([...data]).toEqual([2020, 1, 0, 1999, 0, 1, 2022, 0, 1]);
});

it('missing may be a category of its own, as a constant fill of scikit-learn makes it', () => {
  const table = parseCsv('port,deck,y\nS,2,1\n,,2\nC,3,3\n');
  const fill = { category: 'missing' };
  const columns = {
    port: { fill },
    deck: { encode: 'ordinal', fill, order: ['missing', '2', '3'] },
  } as const;
  const encoding = fitTable(table, { targets: 'y', columns });
  expect(inputNames(encoding)).toEqual(['port=C', 'port=S', 'port=missing', 'deck']);
  const encoded = (rows: typeof table) => [...encodeTable(rows, encoding).fields.inputs.data];
  expect(encoded(table)).toEqual([0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 2]);
  expect([
    ...encodeRows(
      [
        { port: '', deck: 3 },
        { port: 'C', deck: null },
      ],
      encoding,
    ).data,
  ]).toEqual([0, 0, 1, 2, 1, 0, 0, 0]);
  // where nothing is missing, too, for in other rows something may be
  const whole = fitTable(takeRows(table, [0, 2]), { targets: 'y', inputs: ['port'], columns: { port: { fill } } });
  expect([...encodeTable(table, whole).fields.inputs.data]).toEqual([0, 1, 0, 0, 0, 1, 1, 0, 0]);
});

describe('other rows than those that were fitted', () => {
  const encoding = fitTable(parseCsv('x,kind\n1,a\n3,b\n'), { targets: 'kind', missing: 'fill', unknown: 'ignore' });
  const read = (text: string) => parseCsv(text, { onWarning: () => {}, kinds: { x: 'category' } });

  it('may have no value at all in a column of numbers', () => {
    expect([...encodeTable(read('x,kind\n,a\n,b\n'), encoding).fields.inputs.data]).toEqual([2, 2]);
  });

  it('say which value made texts of a column of numbers', () => {
    expect(() => encodeTable(read('x,kind\n,a\n1,a\nabc,b\n'), encoding)).toThrow(
      "line 4, column 'x': 'abc' is a category, the encoding was fitted to numbers.",
    );
    expect(() => encodeTable(read('x,kind\n,a\n1,a\n'), encoding)).toThrow("line 3, column 'x': '1' is a category");
  });

  it('have no classes that were not there', () => {
    expect(() => encodeTable(parseCsv('x,kind\n1,c\n'), encoding)).toThrow(
      "line 2, column 'kind': 'c' is none of the categories a, b. Leave such rows out, or fit with rows of all classes.",
    );
  });
});

describe('raw rows', () => {
  const people = parseCsv('age,class,port,survived\n22,3,S,no\n38,1,C,yes\n,3,S,yes\n35,1,,no\n');
  const encoding = fitTable(people, {
    targets: 'survived',
    missing: 'fill',
    scale: 'standard',
    columns: { age: { indicator: true, fill: 'median' }, class: { encode: 'oneHot' }, port: { unknown: 'ignore' } },
  });

  it('are encoded as the table was, after the way through JSON', () => {
    const back = parseTableEncoding(JSON.stringify(encoding));
    expect(back).toEqual(encoding);
    const rows: RawRow[] = [
      { age: '22', class: 3, port: 'S', more: 1 },
      { age: 38, class: '1', port: 'C' },
      { age: null, class: 3, port: 'S' },
      { age: 35, class: 1, port: '' },
    ];
    expect(encodeRows(rows, back).data).toEqual(encodeTable(people, encoding).fields.inputs.data);
    expect([...encodeRows([{ age: 35, class: 1, port: 'X' }], back).data.subarray(4)]).toEqual([0, 0]);
  });

  it('say what is wrong in them', () => {
    expect(() => encodeRows([{ age: 1, class: 3 }], encoding)).toThrow(
      "encodeRows: row 0 has no 'port'; it has age, class. Give null where the value is missing.",
    );
    expect(() => encodeRows([{ age: 'old', class: 3, port: 'S' }], encoding)).toThrow(
      "encodeRows: row 0, 'age' is 'old', which is no number.",
    );
    expect(() => encodeRows([{ age: 1, class: 4, port: 'S' }], encoding)).toThrow(
      "line 1, column 'class': '4' is none of the categories 1, 3. Fit with unknown: 'ignore' where others may come.",
    );
    const undefinedPort: unknown = { age: 1, class: 3, port: undefined };
    expect(() => encodeRows([undefinedPort as RawRow], encoding)).toThrow(
      "encodeRows: row 0 has no 'port'; it has age, class. Give null",
    );
    const list: unknown = [{ age: 1 }];
    expect(() => encodeRows([list as RawRow], encoding)).toThrow(
      "encodeRows: row 0 is a list: a row has a value for each column, 'age' first.",
    );
  });

  it('are fitted by choices that exist', () => {
    const fit = (options: object): unknown => fitTable(table, { targets: 'target', ...options });
    expect(() => fit({ scale: 'standart' })).toThrow("fitTable: scale is 'standart': choose none or standard");
    expect(() => fit({ missing: 'fil' })).toThrow("fitTable: missing is 'fil': choose error or fill.");
    const place = "fitTable: column 'number': ";
    expect(() => fit({ columns: { number: { fill: 'medan' } } })).toThrow(
      `${place}fill is 'medan': choose error or mean`,
    );
    expect(() => fit({ columns: { number: { encode: 'onehot' } } })).toThrow(
      `${place}encode is 'onehot': choose number`,
    );
    expect(() => fit({ columns: { number: { parts: ['yera'] } } })).toThrow(`${place}part is 'yera': choose year`);
  });

  it.each([
    ['{', 'this is not JSON'],
    ['{"inputs":[]}', 'targets is no list of columns'],
    ['{"inputs":[{"name":"x","kind":"number"}],"targets":[]}', 'inputs[0] is no encoding of a column'],
    [
      '{"inputs":[{"name":"x","kind":"number","fill":0,"divisor":0}],"targets":[]}',
      'inputs[0] is no encoding of a column',
    ],
    ['{"inputs":[{"name":"x","kind":"oneHot","categories":[1],"fill":null}],"targets":[]}', 'inputs[0] is no encoding'],
    [
      '{"inputs":[],"targets":[{"name":"x","kind":"target","categories":["a"],"values":[],"otherwise":0}]}',
      'targets[0] is no encoding',
    ],
    [
      '{"inputs":[{"name":"x","kind":"date","parts":["century"],"fill":null}],"targets":[]}',
      'inputs[0] is no encoding',
    ],
  ])('refuse what is no encoding: %s', (text, message) => {
    expect(() => parseTableEncoding(text)).toThrow(message);
  });
});

describe('fitTable refuses', () => {
  const numbers = parseCsv('x,kind,y\n1,a,1\n2,b,2\n');
  it.each<[string, ColumnOptions, string]>([
    ['x', { fill: { value: 'a' } }, `column 'x' has numbers, its fill is a; give a number.`],
    [
      'kind',
      { fill: 'mean' },
      "column 'kind' has categories, which have no mean; fill with 'mostFrequent', { value } or { category }.",
    ],
    [
      'kind',
      { fill: { value: 'c' } },
      `column 'kind' has the categories a, b, its fill is c; give one of them, or { category: 'c' }`,
    ],
    [
      'kind',
      { fill: { category: 'a' } },
      `column 'kind' has values 'a'; name the category of missing values otherwise`,
    ],
    [
      'kind',
      { encode: 'ordinal', order: ['a', 'b'], fill: { category: 'missing' } },
      `column 'kind' is filled with the category 'missing', which order leaves out.`,
    ],
    ['x', { fill: { category: 'missing' } }, `column 'x' has numbers, not categories; fill it with { value }.`],
    [
      'x',
      { encode: 'date', fill: { category: 'no' } },
      `column 'x' has dates, not categories; fill it with { value }.`,
    ],
    ['kind', { fill: { category: 'c', value: 'c' } as Fill }, `column 'kind': fill must be one of`],
    ['kind', { encode: 'number' }, `column 'kind' has categories; encode it as`],
    ['kind', { encode: 'ordinal', order: ['a'] }, `column 'kind' has the category 'b', which order leaves out.`],
    [
      'kind',
      { scale: 'robust' },
      `column 'kind' is encoded as oneHot; scale is for numbers, and for the years and days of dates.`,
    ],
    [
      'kind',
      { encode: 'target', fill: 'mean' },
      `column 'kind' is target-encoded; missing values get the mean over all`,
    ],
    ['y', {}, `columns tells of 'y', which is no input; they are x, kind.`],
    ['kind', { encode: 'ordinal', order: ['b', 'a', 'b'] }, `fitTable: column 'kind': order names 'b' twice.`],
    ['x', { encode: 'ordinal', order: [1, 2] as unknown as string[] }, `column 'x': order must be a list of texts`],
    ['x', { encode: 'date', parts: [] }, `column 'x': parts must be a list of parts of dates`],
    [
      'x',
      { encode: 'date', fill: { value: '31.12.2024' } },
      `column 'x' has dates, its fill is '31.12.2024'; give one as`,
    ],
    ['x', { encode: 'date', fill: { value: 1e300 } }, `column 'x' has dates, its fill is '1e+300'; give one as`],
    ['x', { fill: 0 as unknown as Fill }, `column 'x': fill must be one of error, mean, median, mostFrequent, or an`],
    ['kind', { fill: null as unknown as Fill }, `column 'kind': fill must be one of error, mean, median`],
    ['x', { unknown: 'ignore' }, `column 'x' is encoded as number; unknown is for 'oneHot' and 'ordinal'.`],
    ['x', { parts: ['year'] }, `column 'x' is encoded as number; parts are for 'date'.`],
    ['kind', { smoothing: 5 }, `column 'kind' is encoded as oneHot; smoothing is for 'target'.`],
    ['kind', { encode: 'target', smoothing: Infinity }, `column 'kind': smoothing Infinity is not a number of rows`],
  ])('%s %o', (name, options, message) => {
    expect(() => fitTable(numbers, { targets: 'y', columns: { [name]: options } })).toThrow(message);
  });

  it.each([
    [{ targets: 'y', inputs: ['x', 'y'] }, "inputs and targets name the column 'y' twice"],
    [{ targets: 'y', inputs: ['x', 'x'] }, "inputs and targets name the column 'x' twice"],
    [{ targets: ['y', 'y'] }, "inputs and targets name the column 'y' twice"],
    [{ targets: 'y', inputs: 'x' as unknown as string[] }, "inputs must be a list of names of columns, as ['price']."],
    [{} as TableOptions, "targets must be a list of names of columns, as ['price']."],
  ])('columns that are not inputs or targets once: %o', (options, message) => {
    expect(() => fitTable(numbers, options)).toThrow(message);
  });

  it('what has nothing to fit', () => {
    expect(() => fitTable(takeRows(numbers, []), { targets: 'y' })).toThrow('has no rows, so there is nothing to fit.');
    const empty = parseCsv('x,kind,y\n,,1\n,,2\n', { kinds: { kind: 'category' }, onWarning: () => {} });
    const filled = (inputs: string[], columns = {}) =>
      fitTable(empty, { targets: 'y', inputs, missing: 'fill', columns });
    expect(() => filled(['x'])).toThrow("column 'x' has no value in these rows, so it has no mean to fill with");
    expect(() => filled(['kind'])).toThrow("column 'kind' has no value in these rows, so it has no most frequent one");
    expect([...encodeTable(empty, filled(['x'], { x: { fill: { value: 7 } } })).fields.inputs.data]).toEqual([7, 7]);
  });
});

describe('categories that were numbers or booleans when fitted', () => {
  const table = parseCsv('size,sold,at,y\n1.0,True,0,1\n2.50,False,86400000,2\n1,True,0,3\n', { onWarning: () => {} });
  const encoding = fitTable(table, {
    targets: 'y',
    columns: {
      size: { encode: 'oneHot', unknown: 'ignore' },
      sold: { encode: 'target', smoothing: 0 },
      at: { encode: 'date', parts: ['days'] },
    },
    onWarning: () => {},
  });
  const back = parseTableEncoding(JSON.stringify(encoding));
  const expected = [1, 0, 2, 0, 0, 1, 2, 1, 1, 0, 2, 0];

  it('are those of rows that have them as the file has, as text', () => {
    expect(back).toEqual(encoding);
    const rows = [
      { size: '1.0', sold: 'True', at: '0' },
      { size: ' 2.50', sold: 'FALSE', at: '86400000' },
      { size: 1, sold: true, at: 0 },
    ];
    expect([...encodeRows(rows, back).data]).toEqual(expected);
  });

  it('are those of a table in which one row made them text', () => {
    const other = parseCsv('size,sold,at\n1.0,True,0\n2.50,False,86400000\nodd,perhaps,1970-01-02\n', {
      onWarning: () => {},
    });
    const { data } = encodeTable(other, { ...back, targets: [] }).fields.inputs;
    expect([...data]).toEqual([...expected.slice(0, 8), 0, 0, 2, 1]);
  });

  it('are no other than their text where the file had text', () => {
    const codes = parseCsv('code,y\n01,1\n1,2\nTrue,3\n', { kinds: { code: 'category' } });
    const fitted = fitTable(codes, { targets: 'y' });
    expect([...encodeRows([{ code: '01' }, { code: 1 }], fitted).data]).toEqual([1, 0, 0, 0, 1, 0]);
    expect(() => encodeRows([{ code: 'true' }], fitted)).toThrow("'true' is none of the categories");
  });

  it.each([
    [{ size: { valueOf: 1 } }, 'is of type object'],
    [{ size: [1] }, 'is a list'],
    [{ size: Symbol('x') }, 'is of type symbol'],
  ])('and nothing that is no value: %o', (row, words) => {
    expect(() => encodeRows([{ sold: true, at: 0, ...row } as unknown as RawRow], back)).toThrow(
      `encodeRows: row 0, 'size' ${words}: give a text, a number, true or false, a Date, or null`,
    );
  });
});

describe('numbers as text', () => {
  const encoding = fitTable(parseCsv('x,b,y\n1,true,1\n2,false,2\n'), { targets: 'y' });

  it('are those that a CSV has, and true and false', () => {
    const read = (x: string, b: string) => [...encodeRows([{ x, b }], encoding).data];
    expect([read(' 1e3 ', 'true'), read('-.5', 'FALSE')]).toEqual([
      [1000, 1],
      [-0.5, 0],
    ]);
    for (const x of ['0x10', '1,5', 'Infinity', 'NA', '1_000']) {
      expect(() => read(x, 'true')).toThrow(
        `row 0, 'x' is '${x}', which is no number. Give null where the value is missing.`,
      );
    }
    const one = { x: 1, b: true } as unknown as RawRow[];
    expect(() => encodeRows(one, encoding)).toThrow('encodeRows: takes a list of rows, got one object');
  });
});
