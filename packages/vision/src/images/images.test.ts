/** Resizing and cutting against PIL and torchvision, byte for byte, and pictures as tensors. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { beforeAll, describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/pictures.json';
import { fromBase64 } from '../testing.ts';
import { contactSheet, imageOf, imagesOf, imageTensor, planes, withChannels } from './image.ts';
import { centerCrop, crop, type Resampling, resize } from './resize.ts';

const [rows = 0, columns = 0] = fixtures.image.shape;
const image = imageOf(fromBase64(fixtures.image.pixels), columns, rows, 3);

beforeAll(() => setDefaultBackend(cpu()));

describe('equals PIL', () => {
  it.each(fixtures.resized)('resize to $width x $height, $kind, box $box', ({ width, height, kind, box, pixels }) => {
    const [left = 0, top = 0, right = columns, bottom = rows] = box ?? [];
    const part = { left, top, width: right - left, height: bottom - top };
    const resized = resize(image, { width, height }, { resampling: kind as Resampling, box: part });
    expect(resized).toEqual({ width, height, channels: 3, data: new Uint8Array(fromBase64(pixels)) });
  });

  it.each(fixtures.shorter)('resize of the shorter side to $length', ({ length, width, height, pixels }) => {
    const resized = resize(image, length, { resampling: 'bicubic' });
    expect(resized).toEqual({ width, height, channels: 3, data: new Uint8Array(fromBase64(pixels)) });
  });

  it.each(fixtures.centers)('centerCrop to $width x $height', ({ width, height, pixels }) => {
    const middle = centerCrop(image, { width, height });
    expect(middle).toEqual({ width, height, channels: 3, data: new Uint8Array(fromBase64(pixels)) });
  });
});

describe('says what is wrong', () => {
  it.each([
    [() => resize(image, 0), 'resize: the size is 0 x 0: both must be whole numbers of at least 1.'],
    [
      () => resize(image, 4, { box: { left: 30, top: 0, width: 5, height: 5 } }),
      'resize: the box from (30, 0) of 5 x 5 is not inside of 31 x 23 pixels.',
    ],
    [
      () => resize(image, 4, { resampling: 'cubic' as never }),
      'resize: resampling is cubic; there are nearest, box, bilinear, hamming, bicubic, lanczos.',
    ],
    [() => imageOf(new Uint8Array(5), 2, 1, 3), 'imageOf: 2 x 1 pixels of 3 channels are 6 bytes, got 5.'],
    [
      () => imageOf(new Uint8Array(4), 2, 1, 2 as never),
      'imageOf: channels is 2: a picture has 1 (grey), 3 (RGB) or 4 (RGBA).',
    ],
    [
      () => imageTensor([image, crop(image, { left: 0, top: 0, width: 2, height: 2 })]),
      'imageTensor: picture 1 is 2 x 2 x 3, picture 0 31 x 23 x 3: resize, crop or withChannels make them equal.',
    ],
    [() => imageTensor([image], { mean: [0] }), 'imageTensor: mean has 1 numbers, the pictures have 3 channels.'],
  ])('%#', (work, message) => {
    expect(work).toThrow(message);
  });
});

describe('pictures and tensors', () => {
  it('turn into one another', async () => {
    const x = imageTensor([image, image]);
    expect(x.shape).toEqual([2, 3, rows, columns]);
    expect((await imagesOf(x))[1]).toEqual(image);
    const { data, shape } = planes(image);
    expect([shape, data[rows * columns]]).toEqual([[3, rows, columns], image.data[1]]);
  });

  it('changes channels as PIL', () => {
    const grey = withChannels(image, 1);
    expect(withChannels(grey, 4).data.slice(0, 4)).toEqual(
      new Uint8Array([grey.data[0]!, grey.data[0]!, grey.data[0]!, 255]),
    );
  });

  it('puts pictures on a sheet', () => {
    const dot = imageOf(new Uint8Array([7]), 1, 1, 1);
    expect(contactSheet([dot, dot, dot], { columns: 2, gap: 1 })).toEqual(
      imageOf(new Uint8Array([7, 255, 7, 255, 255, 255, 7, 255, 255]), 3, 3, 1),
    );
  });
});
