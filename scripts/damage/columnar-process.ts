/**
 * A process that reads damaged Parquet or Arrow files one after the other, and says before each which it is: the parent ends it where one
 * takes too long. Prints how many were read, how many refused, and what the process took.
 *
 *   node --conditions=@nn/source --import tsx scripts/damage/columnar-process.ts parquet|arrow FROM TO [FOLDER]
 */
import { readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isNNError } from '@nn/core';
import { byteRange, RandomSequence } from '@nn/data';
import { readArrow } from '@nn/data/arrow';
import { parquetRows } from '@nn/data/parquet';
import fixture from '../../packages/data/fixtures/columnar.json' with { type: 'json' };
import { damaged, damagedNumbers } from './mutate.ts';

const [kind = 'parquet', from = '0', to = '100', folder] = process.argv.slice(2);
const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'base64');
const written = kind === 'parquet' ? fixture.parquet : { ...fixture.arrow, ...fixture.packed };
const files = Object.values(written).map(bytesOf);
if (folder) files.push(...readdirSync(folder).map((name) => readFileSync(join(folder, name))));

/** Reads all of it, by rows and as a table; the number of values. */
async function read(bytes: Uint8Array, keep: number): Promise<number> {
  if (kind === 'arrow') return (await readArrow(bytes, { maxBytes })).lines.length;
  const rows = await parquetRows(byteRange(bytes), { keep, maxBytes });
  const { columns, lines } = await rows.table(0, Math.min(rows.length, most));
  for (const { values } of columns) if (values.length !== lines.length) throw new Error('columns are not as long');
  if (rows.length > 0) await rows.get(rows.length - 1);
  return lines.length;
}

const maxBytes = 2 ** 20;
/** Rows of a table that are asked for: a file may say that it has more than fit. */
const most = 1000;
const random = new RandomSequence(31);
const counts = { read: 0, refused: 0 };
const texts = new Map<string, number>();
let round = 0;
let slowest = 0;
const mixed = [damaged(files, Number(to), 29), damagedNumbers(files, Number(to), 30)];
for (; round < Number(to); round++) {
  const keep = 1 + random.integer(3);
  const bytes = mixed[round % 2]!.next().value as Uint8Array;
  if (round < Number(from)) continue;
  writeSync(1, `${round}\n`);
  const start = process.cpuUsage();
  try {
    await read(bytes, keep);
    counts.read++;
  } catch (error) {
    if (!isNNError(error) || error.code !== 'format') {
      writeSync(1, `fault ${round} ${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(3);
    }
    if (error.message.length > 1500) throw error;
    const text = error.message.replace(/[\d.]+/g, '#').slice(0, 200);
    texts.set(text, (texts.get(text) ?? 0) + 1);
    counts.refused++;
  }
  // of the processor: a machine that does other things does not count
  const { user, system } = process.cpuUsage(start);
  slowest = Math.max(slowest, (user + system) / 1000);
}
const { maxRSS } = process.resourceUsage();
writeSync(
  1,
  `end ${JSON.stringify({ ...counts, slowest: Math.round(slowest), megabytes: Math.round(maxRSS / 1024) })}\n`,
);
if (process.env.NN_MUTATIONS) {
  for (const [text, count] of [...texts].sort((a, b) => b[1] - a[1])) writeSync(1, `text ${count} ${text}\n`);
}
