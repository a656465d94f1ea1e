/** Attributions of a picture as a picture: coloured by sign, over the picture itself in grey. `encodePng` of @nn/vision writes it. */
import { checkOptions, interpolate, showShape, type Tensor, ValueError } from '@nn/core';

import { colorOf, scaleOf } from './colors.ts';

/** Bytes row by row, red green blue of a pixel beside each other: an `Image` of @nn/vision. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
  readonly data: Uint8Array;
}

export interface HeatMapOptions {
  /** The picture, [channels, height, width] or [height, width], any scale: it lies in grey below the colours. */
  readonly image?: Tensor;
  /** How strongly the colours cover the picture, 0 to 1. Default 0.8. */
  readonly strength?: number;
  /** How many pixels a pixel becomes in each direction: whole. Default 1. */
  readonly scale?: number;
  /** The share of all attribution, in per cent, that the strongest colour may leave out. Default 2, as in Captum. */
  readonly outliers?: number;
}

/**
 * Attributions [channels, height, width] or [height, width] as a picture: channels are added up; orange speaks for the score,
 * blue against it. Smaller ones than the image (Grad-CAM) are brought to its size.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { heatMap } from '@nn/explain';
 * const { width, height, data } = await heatMap(tensor([[1, 0], [0, -1]]), { outliers: 0 });
 * console.log(width, height, [...data.subarray(0, 6)]); // => 2 2 [200, 70, 0, 255, 255, 255]
 */
export async function heatMap(attributions: Tensor, options: HeatMapOptions = {}): Promise<Picture> {
  checkOptions('heatMap', options, ['image', 'strength', 'scale', 'outliers']);
  const { image, strength = 0.8, scale = 1, outliers = 2 } = options;
  if (!Number.isInteger(scale) || scale < 1) {
    throw new ValueError('heatMap', `scale is ${scale}: it is a whole number of at least 1.`);
  }
  if (!(strength >= 0 && strength <= 1)) throw new ValueError('heatMap', `strength is ${strength}: it is 0 to 1.`);
  const below = image && plane('heatMap', image, 'mean');
  const [rows = 0, columns = 0] = (below ?? plane('heatMap', attributions, 'sum')).shape;
  const [values, grey] = await Promise.all([
    sized(plane('heatMap', attributions, 'sum'), rows, columns).data(),
    below?.data(),
  ]);
  const most = scaleOf('heatMap', values, outliers);
  const [low, high] = rangeOf(grey);
  const [width, height] = [columns * scale, rows * scale];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = Math.floor(y / scale) * columns + Math.floor(x / scale);
      const value = (values[at] as number) / most;
      const light = grey === undefined ? 255 : Math.round((130 * ((grey[at] as number) - low)) / (high - low) + 70);
      const color = colorOf(grey === undefined ? value : Math.sign(value) * Math.min(1, Math.abs(value)) * strength, [
        light,
        light,
        light,
      ]);
      data.set(color, (y * width + x) * 3);
    }
  }
  return { width, height, channels: 3, data };
}

/** [height, width]: of the channels the sum, or the mean. */
function plane(operation: string, x: Tensor, kind: 'sum' | 'mean'): Tensor {
  if (x.rank === 2) return x;
  if (x.rank === 3) return kind === 'sum' ? x.sum(0) : x.mean(0);
  throw new ValueError(
    operation,
    `${showShape(x.shape)} is no picture: give one, [channels, height, width] or [height, width], of a batch x.at(0).`,
  );
}

function sized(x: Tensor, rows: number, columns: number): Tensor {
  if (x.shape[0] === rows && x.shape[1] === columns) return x;
  const wide = x.reshape([1, 1, ...x.shape]);
  return interpolate(wide, { size: [rows, columns], mode: 'bilinear' }).reshape([rows, columns]);
}

function rangeOf(values: ArrayLike<number> | undefined): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < (values?.length ?? 0); i++) {
    low = Math.min(low, values?.[i] as number);
    high = Math.max(high, values?.[i] as number);
  }
  return high > low ? [low, high] : [low - 1, low + 1];
}
