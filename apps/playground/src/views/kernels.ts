/** Kernels of a convolution as numbers for pictures: their gradients, and what lies below one that slides. */
import type { WalkLayer } from '../worker/protocol.ts';

/** The gradients of one kernel, from weights [filters, channels, height, width]. */
export function kernelOf(
  { weightGradients, weightShape }: Pick<WalkLayer, 'weightGradients' | 'weightShape'>,
  filter: number,
  channel: number,
): { readonly values: Float32Array; readonly width: number; readonly height: number } {
  const [, channels, height, width] = weightShape as [number, number, number, number];
  const start = (filter * channels + channel) * height * width;
  return { values: weightGradients.subarray(start, start + height * width), width, height };
}

/** The sizes of a convolution. */
interface Slide {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly kernel: number;
  readonly rows: number;
  readonly columns: number;
  readonly padding: number;
}

export function slideOf({ inputShape, weightShape, sumShape, padding }: WalkLayer): Slide {
  const [channels = 1, height = 1, width = 1] = inputShape;
  const [, rows = 1, columns = 1] = sumShape;
  return { channels, height, width, kernel: weightShape[2] ?? 1, rows, columns, padding };
}

/** The products of one kernel with what lies below it at a place of the map, row by row; zeros stand around the image. */
export function productsAt(
  layer: WalkLayer,
  filter: number,
  channel: number,
  row: number,
  column: number,
): { readonly weights: Float32Array; readonly values: Float32Array; readonly sum: number } {
  const { channels, height, width, kernel, padding } = slideOf(layer);
  const start = (filter * channels + channel) * kernel * kernel;
  const weights = layer.weights.subarray(start, start + kernel * kernel);
  const values = weights.map((_, i) => {
    const y = row + Math.floor(i / kernel) - padding;
    const x = column + (i % kernel) - padding;
    const isInside = y >= 0 && y < height && x >= 0 && x < width;
    return isInside ? (layer.inputs[(channel * height + y) * width + x] ?? 0) : 0;
  });
  return { weights, values, sum: weights.reduce((sum, weight, i) => sum + weight * (values[i] as number), 0) };
}
