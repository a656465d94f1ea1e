/** A fitted encoding in a process of its own, which has nothing but the JSON and one raw row. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseCsv } from '../readers/csv.ts';
import { fitTable } from './fit.ts';
import { encodeTable } from './table.ts';

it('another process makes the same numbers of one raw row', () => {
  const table = parseCsv(
    'age,sex,since,city,survived\n22,male,2020-05-01,x,0\n,female,2021-11-30,y,1\n4.1,female,2019-01-15,x,1\n',
  );
  const encoding = fitTable(table, {
    targets: 'survived',
    scale: 'robust',
    missing: 'fill',
    columns: {
      age: { indicator: true, fill: 'median' },
      since: { encode: 'date', parts: ['days', 'month'] },
      city: { encode: 'target' },
    },
  });
  const program = `
    import { encodeRows, parseTableEncoding } from './index.ts';
    const [encoding, row] = process.argv.slice(-2);
    console.log(JSON.stringify([...encodeRows([JSON.parse(row)], parseTableEncoding(encoding)).data]));`;
  const row = { age: '', sex: 'female', since: '2021-11-30', city: 'y' };
  const args = [
    '--conditions=@nn/source',
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    program,
    JSON.stringify(encoding),
    JSON.stringify(row),
  ];
  const printed = execFileSync(process.execPath, args, { cwd: join(import.meta.dirname, '..'), encoding: 'utf8' });
  // A copy of the rows, for the table that was fitted may not be encoded by its own targets.
  const { data, shape } = encodeTable({ ...table }, encoding).fields.inputs;
  expect(JSON.parse(printed)).toEqual([...data.subarray(shape[1]!, 2 * shape[1]!)]);
});
