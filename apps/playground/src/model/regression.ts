/** Quantities over the plane: three surfaces to fit, from a slope that one neuron can learn to one that needs many. */
import { type DataArray, Dataset, RandomSequence } from '@nn/data';

export const surfaces = {
  /** A slope. */
  plane: (x: number, y: number): number => (x + y) / 2,
  /** A hill and a hollow. */
  hills: (x: number, y: number): number =>
    Math.exp(-4 * ((x - 0.4) ** 2 + (y - 0.4) ** 2)) - Math.exp(-4 * ((x + 0.4) ** 2 + (y + 0.4) ** 2)),
  /** A wave around the middle. */
  ripple: (x: number, y: number): number => Math.cos(5 * Math.hypot(x, y)),
} as const;

type Surface = keyof typeof surfaces;

/** Points of the square [-1, 1]^2 with the surface's height, to which normal noise is added: [count, 2] and [count, 1]. */
export function regressionPoints(
  surface: Surface,
  count: number,
  { seed, noise }: { readonly seed: number; readonly noise: number },
): Dataset<{ readonly inputs: DataArray<Float32Array>; readonly targets: DataArray<Float32Array> }> {
  const random = new RandomSequence(seed);
  const inputs = new Float32Array(2 * count);
  const targets = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const x = random.uniform(-1, 1);
    const y = random.uniform(-1, 1);
    inputs.set([x, y], 2 * i);
    targets[i] = surfaces[surface](x, y) + random.normal(0, noise);
  }
  return new Dataset({ inputs: { data: inputs, shape: [count, 2] }, targets: { data: targets, shape: [count, 1] } });
}
