/**
 * What the CSV readers keep for texts of 5 MB that are all rows, all cells or all blank lines: a small multiple of the text.
 * A process of its own has so small a heap that a list for each record, or a text for each cell, would end it.
 */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

const program = `
import { parseCsv, parseCsvRecords } from '@nn/data';

const bytes = 5 * 2 ** 20;
const fill = (piece, head = '') => head + piece.repeat(Math.floor((bytes - head.length) / piece.length));
const header = (columns) => Array.from({ length: columns }, (_, k) => 'h' + k).join() + '\\n';
const texts = {
  'line ends': () => fill('\\n'),
  'line ends of two': () => fill('\\r\\n'),
  'commas': () => fill(','.repeat(99) + '\\n', header(100)),
  'one line of commas': () => fill(','),
  'digits in a column': () => fill('1\\n', 'x\\n'),
  'letters in a column': () => fill('a\\n', 'x\\n'),
  'digits in 100 columns': () => fill('1,'.repeat(99) + '1\\n', header(100)),
  'letters in 100 columns': () => fill('a,'.repeat(99) + 'b\\n', header(100)),
  'blank lines in a column': () => fill('\\n', 'x\\n'),
  'quotes': () => fill('"",""\\n'.repeat(9) + '"""",""\\n'),
};
const used = () => {
  // the second time frees the buffers of what the first one found unused
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};
// a function of its own, so that nothing of the call before is still held
const measured = (read, options, text) => {
  const before = used();
  let kept = null;
  try {
    kept = read(text, options);
  } catch (error) {
    if (error.code !== 'format') throw error;
  }
  const size = (used() - before) / bytes;
  return [size.toFixed(2), kept === null ? 'refused' : kept.lines.length];
};
for (const [name, make] of Object.entries(texts)) {
  const text = Buffer.from(make()).toString('latin1');
  for (const [read, options] of [[parseCsv, { onWarning: () => undefined }], [parseCsvRecords, {}]]) {
    console.log([read.name, name, ...measured(read, options, text)].join(': '));
  }
}
`;

it('keep a small multiple of the text, whatever stands in it', () => {
  const flags = ['--max-old-space-size=64', '--expose-gc', '--conditions=@nn/source'];
  const tsx = ['--import', import.meta.resolve('tsx'), '--input-type=module'];

  const printed = execFileSync(process.execPath, [...flags, ...tsx, '--eval', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  const sizes = printed
    .trim()
    .split('\n')
    .map((line) => line.split(': '));
  expect(sizes).toHaveLength(20);
  for (const [reader, name, size] of sizes) {
    const isBlank = name?.startsWith('line ends') || name === 'one line of commas';
    // 8 bytes a number or a place, 4 a line, for rows of one or two bytes
    const most = name === 'blank lines in a column' ? 12.5 : isBlank ? 0.5 : 8.5;
    expect(Number(size), `${reader}: ${name}`).toBeLessThan(most);
  }
});
