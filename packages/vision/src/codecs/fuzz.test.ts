/**
 * Damaged files: each gives a picture or a typed error, in little time and memory. The damage is drawn from one seed, so that what fails
 * can be run again; NN_MUTATIONS sets the number of rounds.
 */
import { isNNError } from '@nn/core';
import { RandomSequence } from '@nn/data';
import { expect, it } from 'vitest';
import fixtures from '../../fixtures/pictures.json';
import { fromBase64 } from '../testing.ts';
import { decodeImage } from './decode.ts';
import { crc32 } from './png.ts';

const environment = typeof process === 'undefined' ? undefined : process.env.NN_MUTATIONS;
const rounds = Number(environment ?? 400);

/** A copy with some bytes changed, cut, doubled or put in. */
function damage(bytes: Uint8Array, random: RandomSequence): Uint8Array<ArrayBuffer> {
  let list = [...bytes];
  for (let change = random.integer(4); change >= 0; change--) {
    // half of the changes hit the headers
    const at = random.integer(random.integer(2) ? Math.min(list.length, 64) + 1 : list.length + 1);
    const value = random.integer(2) ? random.integer(256) : [0, 1, 255, 127, 128][random.integer(5)]!;
    const kind = random.integer(6);
    if (kind < 3 && at < list.length) list[at] = value;
    else if (kind === 3) list = list.slice(0, at);
    else if (kind === 4) list.splice(at, 0, ...list.slice(random.integer(list.length + 1)).slice(0, 40));
    else list.splice(at, 0, value);
  }
  return Uint8Array.from(list);
}

/** Half of the damaged PNGs get checksums that hold, so that the damage is met by the decoder itself. */
function mended(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) break;
    view.setUint32(end, crc32(bytes, at + 4, end));
    at = end + 4;
  }
  return bytes;
}

it.each(['png', 'jpeg'])(
  '%s',
  async (format) => {
    const random = new RandomSequence(format === 'png' ? 5 : 6);
    const files = fixtures.files.filter(({ name }) => name.startsWith(format)).map(({ bytes }) => fromBase64(bytes));
    let read = 0;
    for (let round = 0; round < rounds; round++) {
      const damaged = damage(files[round % files.length]!, random);
      const bytes = format === 'png' && random.integer(2) ? mended(damaged) : damaged;
      try {
        const image = await decodeImage(bytes, { channels: 'file', maxPixels: 1e6 });
        expect(image.data.length).toBe(image.width * image.height * image.channels);
        read++;
      } catch (error) {
        if (!isNNError(error)) throw new Error(`round ${round}: ${error}`, { cause: error });
      }
    }
    // Neither all nor none: the damage is large enough, and small enough.
    expect(read).toBeGreaterThan(rounds / 100);
    expect(read).toBeLessThan(rounds);
  },
  600_000,
);

it('takes no more memory than the picture that a header promises', async () => {
  // 4 x 4 grey pixels, whose packed bytes would unpack to 100 million
  const zlib = await new Response(
    new Blob([new Uint8Array(100_000_000)]).stream().pipeThrough(new CompressionStream('deflate')),
  ).arrayBuffer();
  const chunk = (name: string, body: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(body.length + 12);
    new DataView(bytes.buffer).setUint32(0, body.length);
    bytes.set(
      [...name].map((letter) => letter.charCodeAt(0)),
      4,
    );
    bytes.set(body, 8);
    return bytes;
  };
  const parts = [
    Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk('IHDR', Uint8Array.from([0, 0, 0, 4, 0, 0, 0, 4, 8, 0, 0, 0, 0])),
    chunk('IDAT', new Uint8Array(zlib)),
    chunk('IEND', new Uint8Array(0)),
  ];
  const file = mended(Uint8Array.from(parts.flatMap((part) => [...part])));
  await expect(decodeImage(file)).rejects.toThrow(
    'decodeImage: the packed pixels unpack to more than the 20 bytes that they should be.',
  );
});
