/** Kernels of a convolution as pictures. */
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
