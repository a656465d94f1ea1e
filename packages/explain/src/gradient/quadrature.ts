/** Where to look along a path from 0 to 1, and how much each look counts. */
import { ValueError } from '@nn/core';

/** How the integral along the path is taken. */
export type Quadrature = 'gaussLegendre' | 'trapezoid' | 'midpoint';

export interface Nodes {
  readonly places: number[];
  /** They sum to 1. */
  readonly weights: number[];
}

export function quadrature(operation: string, kind: Quadrature, steps: number): Nodes {
  if (kind === 'gaussLegendre') return gaussLegendre(steps);
  if (kind === 'midpoint') {
    return {
      places: Array.from({ length: steps }, (_, i) => (i + 0.5) / steps),
      weights: new Array<number>(steps).fill(1 / steps),
    };
  }
  if (kind !== 'trapezoid') {
    throw new ValueError(operation, `method is '${String(kind)}': it is 'gaussLegendre', 'trapezoid' or 'midpoint'.`);
  }
  if (steps < 2) throw new ValueError(operation, `${steps} step: a trapezoid has two ends, take 2 steps or more.`);
  return {
    places: Array.from({ length: steps }, (_, i) => i / (steps - 1)),
    weights: Array.from({ length: steps }, (_, i) => (i === 0 || i === steps - 1 ? 0.5 : 1) / (steps - 1)),
  };
}

/**
 * The roots of the n-th Legendre polynomial, moved from (-1, 1) to (0, 1): exact for polynomials up to degree 2 n - 1. The
 * recurrence k P_k = (2 k - 1) x P_(k-1) - (k - 1) P_(k-2), its roots by Newton's method, weights 2 / ((1 - x^2) P_n'^2).
 */
function gaussLegendre(n: number): Nodes {
  const places: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < n; i++) {
    let x = Math.cos((Math.PI * (n - 1 - i + 0.75)) / (n + 0.5));
    let slope = 0;
    for (let turn = 0; turn < 100; turn++) {
      let [before, value] = [1, x];
      for (let k = 2; k <= n; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
      slope = (n * (x * value - before)) / (x * x - 1);
      const step = value / slope;
      x -= step;
      if (Math.abs(step) < 1e-15) break;
    }
    places.push((x + 1) / 2);
    weights.push(1 / ((1 - x * x) * slope * slope));
  }
  return { places, weights };
}
