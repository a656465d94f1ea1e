/** What observations and actions may be: one of n, or numbers within bounds (Gymnasium's Discrete and Box). */
import { type Shape, ValueError } from '@nn/core';
import type { RandomStream } from './random.ts';

/** The integers 0 to n - 1. */
export interface Discrete {
  readonly kind: 'discrete';
  readonly n: number;
}

/** Float32 numbers of a shape, each within its bounds; row-major. */
export interface Box {
  readonly kind: 'box';
  readonly shape: Shape;
  readonly low: Float32Array;
  readonly high: Float32Array;
}

export type Space = Discrete | Box;
/** An element of a space: an integer of a `Discrete`, a flat array of a `Box`. */
export type ElementOf<S extends Space> = S extends Discrete ? number : Float32Array;

/**
 * The integers 0 to n - 1.
 *
 * @example
 * import { discrete } from '@nn/reinforcement';
 * console.log(discrete(2)); // => { kind: 'discrete', n: 2 }
 */
export function discrete(n: number): Discrete {
  if (Number.isInteger(n) && n > 0) return { kind: 'discrete', n };
  throw new ValueError('discrete', `n = ${n} is not a number of choices; pass an integer of 1 and more.`, { n });
}

/**
 * Numbers within bounds: one bound for all, or one each. The shape is that of the bounds where none is given.
 *
 * @example
 * import { box } from '@nn/reinforcement';
 * console.log(box(-2, 2, [1]).shape, box([-1, 0], [1, Infinity]).high); // => [1] Float32Array(2) [ 1, Infinity ]
 */
export function box(low: number | ArrayLike<number>, high: number | ArrayLike<number>, shape?: Shape): Box {
  const of = shape ?? [typeof low === 'number' ? (typeof high === 'number' ? 1 : high.length) : low.length];
  const size = of.reduce((product, length) => product * length, 1);
  const bounds = (name: string, given: number | ArrayLike<number>): Float32Array => {
    if (typeof given === 'number') return new Float32Array(size).fill(given);
    if (given.length === size) return Float32Array.from(given);
    throw new ValueError('box', `${name} has ${given.length} numbers, the shape [${of.join(', ')}] has ${size}.`, {
      [name]: given.length,
      shape: of,
    });
  };
  const [lowest, highest] = [bounds('low', low), bounds('high', high)];
  const at = lowest.findIndex((bound, i) => !(bound <= highest[i]!));
  if (at >= 0) {
    throw new ValueError('box', `low ${lowest[at]} at ${at} is above high ${highest[at]}.`, { index: at });
  }
  return { kind: 'box', shape: of, low: lowest, high: highest };
}

/** How many numbers an observation has as the input of a network: the elements of a box, one for each choice. */
export function sizeOf(space: Space): number {
  return space.kind === 'discrete' ? space.n : space.low.length;
}

/** Why a value is no element of the space, or null where it is one. A float32 may miss a bound by its rounding. */
export function whyOutside(space: Space, value: unknown): string | null {
  if (space.kind === 'discrete') {
    if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < space.n) return null;
    return `${String(value)} is not one of the ${space.n} choices 0 to ${space.n - 1}`;
  }
  const { low, high, shape } = space;
  if (typeof value !== 'object' || value === null || !('length' in value)) {
    return `${String(value)} is not an array of ${low.length} numbers`;
  }
  const numbers = value as ArrayLike<number>;
  if (numbers.length !== low.length) {
    return `it has ${numbers.length} numbers, the space [${shape.join(', ')}] has ${low.length}`;
  }
  for (let i = 0; i < low.length; i++) {
    const x = numbers[i]!;
    if (x >= low[i]! && x <= high[i]!) continue;
    if (Number.isNaN(x)) return `number ${i} is NaN`;
    const slack = 1e-6 * Math.max(1, Math.abs(x));
    if (x < low[i]! - slack || x > high[i]! + slack) return `number ${i} is ${x}, outside of ${low[i]} to ${high[i]}`;
  }
  return null;
}

/** A random element: uniform within finite bounds, exponential beyond one, normal without (as Gymnasium draws). */
export function sampleOf<S extends Space>(space: S, random: RandomStream): ElementOf<S> {
  const draw = (): number | Float32Array => {
    if (space.kind === 'discrete') return random.integer(space.n);
    return space.low.map((low, i) => {
      const high = space.high[i]!;
      if (Number.isFinite(low) && Number.isFinite(high)) return random.uniform(low, high);
      const far = -Math.log(1 - random.uniform());
      if (Number.isFinite(low)) return low + far;
      return Number.isFinite(high) ? high - far : random.normal();
    });
  };
  return draw() as ElementOf<S>;
}
