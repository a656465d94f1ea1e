/** What one input of the network is over the plane that is shown: a slope, a feature, or nothing where the plane does not turn it. */
import { featureFacts } from '../model/features.ts';
import { type Built, grid, type View } from '../worker/protocol.ts';

/** From top left, row by row, [grid * grid]. */
export function inputOver({ features }: Pick<Built, 'features'>, view: View, unit: number): Float32Array {
  const [left, right, bottom, top] = view.bounds;
  const at = functionOf(features, view, unit);
  return Float32Array.from({ length: grid * grid }, (_, i) => {
    const [column, row] = [i % grid, Math.floor(i / grid)];
    return at(left + ((column + 0.5) / grid) * (right - left), top - ((row + 0.5) / grid) * (top - bottom));
  });
}

function functionOf(
  features: Built['features'],
  { axes, components, bounds: [left, right, bottom, top] }: View,
  unit: number,
): (u: number, v: number) => number {
  const feature = features?.[unit];
  if (feature !== undefined) return featureFacts[feature].at;
  if (components !== null) return (u, v) => u * (components.across[unit] ?? 0) + v * (components.up[unit] ?? 0);
  // around the middle, so that a column of years is a slope, too
  if (unit === axes[0]) return (u) => u - (left + right) / 2;
  return unit === axes[1] ? (_, v) => v - (bottom + top) / 2 : () => 0;
}
