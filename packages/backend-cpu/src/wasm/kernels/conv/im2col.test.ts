/** Packed convolutions against their definition, over the sizes at which places of the output end rows and panels. */
import { conv2d, tensor } from '@nn/core';
import { expect, it } from 'vitest';
import { watched } from '../../testing.ts';

const [images, channels, filters] = [2, 8, 8];

interface Sizes {
  readonly height: number;
  readonly width: number;
  readonly taps: number;
  readonly stride: number;
  readonly padding: number;
}

const image = (length: number): Float32Array => Float32Array.from({ length }, (_, at) => ((at * 37) % 61) - 30);

/** Sums of products of small whole numbers: exact. */
function defined({ height, width, taps, stride, padding }: Sizes, x: Float32Array, w: Float32Array): Float32Array {
  const columns = Math.floor((width + 2 * padding - taps) / stride) + 1;
  const y = new Float32Array(images * filters * height * columns);
  for (let at = 0; at < y.length; at++) {
    const [column, row] = [at % columns, Math.floor(at / columns) % height];
    const [filter, n] = [Math.floor(at / columns / height) % filters, Math.floor(at / columns / height / filters)];
    for (let channel = 0; channel < channels; channel++) {
      for (let tap = 0; tap < taps; tap++) {
        const from = column * stride + tap - padding;
        if (from < 0 || from >= width) continue;
        y[at]! +=
          x[((n * channels + channel) * height + row) * width + from]! * w[(filter * channels + channel) * taps + tap]!;
      }
    }
  }
  return y;
}

const widths = [5, 6, 7, 8, 9, 10, 12, 13, 16, 19, 22, 31, 64, 65];
const cases = [1, 5].flatMap((height) =>
  widths.flatMap((width) =>
    [2, 4, 5].flatMap((taps) =>
      [1, 2, 3, 4].flatMap((stride) => [0, 1].map((padding): Sizes => ({ height, width, taps, stride, padding }))),
    ),
  ),
);

it('takes patches right wherever rows and panels end', async () => {
  const { backend, paths } = watched();
  const wrong: Sizes[] = [];
  for (const sizes of cases) {
    const { height, width, taps, stride, padding } = sizes;
    const x = image(images * channels * height * width);
    const w = image(filters * channels * taps);
    const found = await conv2d(
      tensor(x, { shape: [images, channels, height, width], backend }),
      tensor(w, { shape: [filters, channels, 1, taps], backend }),
      { stride: [1, stride], padding: [0, padding] },
    ).data();
    const right = defined(sizes, x, w);
    if (!right.every((number, at) => number === found[at])) wrong.push(sizes);
  }
  expect(wrong).toEqual([]);
  expect(paths.filter((path) => path.startsWith('conv forward')).length).toBeGreaterThan(cases.length / 2);
});
