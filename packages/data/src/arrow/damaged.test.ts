/** Arrow that is damaged, or made to do harm: refused where it is wrong, before it takes time or memory, or gives other rows. */
import {
  columnFromArray,
  float64,
  nullType,
  tableFromArrays,
  tableFromColumns,
  tableToIPC,
  utf8,
} from '@uwdata/flechette';
import { describe, expect, it } from 'vitest';
import { readArrow } from './index.ts';

const kinds = ['plum', 'apple', 'fig', 'plum', 'apple'];
const dictionary = (format: 'file' | 'stream' = 'stream') => tableToIPC(tableFromArrays({ kind: kinds }), { format })!;
const texts = () => tableToIPC(tableFromColumns({ kind: columnFromArray(kinds, utf8()) }), { format: 'stream' })!;
const numbers = (values: (number | null)[]) =>
  tableToIPC(tableFromColumns({ size: columnFromArray(values, float64()) }), { format: 'stream' })!;

/** A copy in which the numbers of 32 bits `from` stand as `to`. */
function changed(bytes: Uint8Array, from: readonly number[], to: readonly number[]): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let at = 0; at + 4 * from.length <= copy.length; at += 4) {
    if (!from.every((value, i) => view.getInt32(at + 4 * i, true) === value)) continue;
    for (const [i, value] of to.entries()) view.setInt32(at + 4 * i, value, true);
    return copy;
  }
  throw new Error('they are not there');
}

const refusal = (bytes: Uint8Array, options = {}) =>
  readArrow(bytes, { name: 'a.arrow', ...options }).then(
    () => 'read',
    (error: Error) => error.message,
  );

describe('readArrow', () => {
  it('is made of what was damaged below', async () => {
    for (const bytes of [dictionary(), dictionary('file'), texts()]) {
      expect((await readArrow(bytes)).columns[0]?.values).toEqual(kinds);
    }
    expect((await readArrow(numbers([1, null]))).columns[0]?.values).toEqual(Float64Array.of(1, Number.NaN));
  });

  it.each([
    ['a message of -100 bytes at 0 leaves the file', () => changed(dictionary(), [-1], [-1, -100])],
    ['a message of 1000000 bytes at 0 leaves the file', () => changed(dictionary(), [-1], [-1, 1_000_000])],
    ["column 'kind': value 9 of a dictionary of 3", () => changed(dictionary(), [0, 1, 2, 0, 1], [0, 1, 2, 9, 1])],
    ["column 'kind': value -1 of a dictionary of 3", () => changed(dictionary(), [0, 1, 2, 0, 1], [0, 1, -1, 0, 1])],
    [
      "column 'kind': its value 2 begins at 2, behind 4 and before 20 expected",
      () => changed(texts(), [0, 4, 9, 12], [0, 4, 2, 12]),
    ],
    [
      "column 'kind': its value 5 begins at 900, behind 16 and before 21 expected",
      () => changed(texts(), [12, 16, 21], [12, 16, 900]),
    ],
    ['it does not end with ARROW1: it is cut off', () => dictionary('file').subarray(0, -3)],
    ['it has no schema', () => new Uint8Array(64)],
  ])('%s', async (message, make) => {
    const said = await refusal(make());
    expect(said).toMatch(/^readArrow: a\.arrow: this is no Arrow, or damaged: /);
    if (!message.includes('begins')) expect(said).toContain(`damaged: ${message}.`);
    else expect(said).toContain(message.slice(0, message.indexOf(',')));
  });

  it('refuses every beginning of a file, and gives no other rows for that of a stream', async () => {
    const whole = dictionary('file');
    for (let length = 1; length < whole.length; length++) {
      expect(await refusal(whole.subarray(0, length))).toMatch(/^readArrow: a\.arrow: /);
    }
    const stream = texts();
    for (let length = 1; length < stream.length; length++) {
      const table = await readArrow(stream.subarray(0, length)).catch(() => undefined);
      // a stream may end behind any message: then it has no rows, or all
      expect([0, 5, undefined]).toContain(table?.lines.length);
    }
  });

  it('does not take text that is none', async () => {
    const bytes = texts().slice();
    const place = bytes.findIndex((_, i) => String.fromCharCode(...bytes.subarray(i, i + 9)) === 'plumapple');
    bytes[place + 1] = 0xff;
    expect(await refusal(bytes)).toContain("column 'kind': it holds bytes that are no text in UTF-8.");
  });

  it('becomes no more than the limit', async () => {
    const many = Array.from({ length: 10_000 }, (_, i) => i);
    const bytes = numbers(many);
    expect((await readArrow(bytes, { maxBytes: 0 })).lines.length).toBe(10_000); // 32 times the file is always allowed
    // batches that say how many values they have, without bytes for them
    const nulls = tableToIPC(tableFromColumns({ none: columnFromArray([null, null], nullType()) }), {
      format: 'stream',
    })!;
    let claims = nulls;
    for (;;) {
      try {
        claims = changed(claims, [2, 0], [2 ** 30, 0]);
      } catch {
        break;
      }
    }
    expect(await refusal(claims)).toBe(
      'readArrow: a.arrow: the data becomes more than 268435456 bytes: raise maxBytes.',
    );
  });
});
