/** Numbers as integers whose sums are exact modulo 2^32, and back: what is masked must not be rounded. */
import { ValueError } from '@nn/core';

/** Numbers are clipped to ± this, as Flower does. */
export const mostMagnitude = 8;
/** Steps from -mostMagnitude to mostMagnitude: 1,024 clients fit into 32 bits. */
const steps = 2 ** 22 - 1;
export const mostClients = 1024;

/** Each number as a whole one from 0 to 2^22 - 1, rounded to the nearest; what is beyond ±8 is clipped. */
export function quantizeVector(vector: Float32Array): Uint32Array {
  return Uint32Array.from(vector, (value) => {
    if (Number.isNaN(value)) throw new ValueError('quantizeVector', 'the vector holds NaN.');
    return Math.round(
      ((Math.min(mostMagnitude, Math.max(-mostMagnitude, value)) + mostMagnitude) / (2 * mostMagnitude)) * steps,
    );
  });
}

/** The sum of the vectors of `count` clients. */
export function dequantizeSum(sum: Uint32Array, count: number): Float32Array {
  return Float32Array.from(sum, (value) => (value / steps) * 2 * mostMagnitude - count * mostMagnitude);
}
