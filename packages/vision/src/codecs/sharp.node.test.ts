/** sharp, where it is installed (NN_SHARP names its folder): the same size, turned upright, and pixels a few levels from ours. */
import { createRequire } from 'node:module';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/pictures.json';
import { fromBase64 } from '../testing.ts';
import { decodeImage } from './decode.ts';
import { type SharpLike, sharpDecoder } from './platform.ts';

const folder = process.env.NN_SHARP;

describe.runIf(folder !== undefined)('sharpDecoder', () => {
  // only where it is: what describes tests is run for those that are skipped, too
  const sharp = folder === undefined ? null : (createRequire(import.meta.url)(folder) as SharpLike);
  const decoder = sharp === null ? undefined : sharpDecoder(sharp);

  it.each(fixtures.files.filter(({ name }) => name.startsWith('jpeg 4:2')))('$name', async ({ bytes, shape }) => {
    const [ours, theirs] = [
      await decodeImage(fromBase64(bytes)),
      await decodeImage(fromBase64(bytes), { ...(decoder && { decoder }) }),
    ];
    expect([theirs.height, theirs.width, theirs.channels]).toEqual(shape);
    const apart = ours.data.map((value, i) => Math.abs(value - theirs.data[i]!));
    expect(Math.max(...apart)).toBeLessThanOrEqual(4);
  });

  it.each(fixtures.turns)('a photograph held as orientation $orientation', async ({ bytes, shape, pixels }) => {
    const image = await decodeImage(fromBase64(bytes), { channels: 1, ...(decoder && { decoder }) });
    expect([image.height, image.width]).toEqual(shape);
    expect(image.data.map((value) => Number(value > 127))).toEqual(fromBase64(pixels));
  });
});
