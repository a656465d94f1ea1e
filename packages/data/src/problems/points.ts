/**
 * Points in the plane with classes: the small problems on which networks are explained.
 * Each is a pure function of its options. Classes have equal shares (to one sample) and come in turn.
 */
import { checkOptions, ValueError } from '@nn/core';
import { checkWhole } from '../check-whole.ts';
import type { Classified } from '../samples/dataset.ts';
import { Dataset } from '../samples/dataset.ts';
import { RandomSequence, streams } from '../samples/random.ts';

export interface PointOptions {
  readonly seed?: number;
  /** The standard deviation of normal noise on both coordinates. */
  readonly noise?: number;
}

/**
 * Points of the square [-1, 1]^2: class 1 where exactly one coordinate is positive. Inputs [count, 2], targets [count].
 * Noise moves points after they got their class.
 *
 * @example
 * import { xor } from '@nn/data';
 * const { inputs, targets } = xor(200, { seed: 1 }).fields;
 * console.log(inputs.shape, targets.data.slice(0, 4)); // => [ 200, 2 ] Int32Array(4) [ 0, 1, 0, 1 ]
 */
export function xor(count: number, options: PointOptions = {}): Classified {
  return points('xor', count, 2, options, 0, [], (random, type) => {
    const x = random.uniform();
    const y = random.uniform();
    // Class 0 is in the quadrants (+,+) and (-,-), class 1 in the two others.
    const side = random.integer(2) === 0 ? -1 : 1;
    return [side * x, (type === 0 ? side : -side) * y];
  });
}

/**
 * Two half circles of radius 1 that reach into one another, around (0, 0) above and (1, 0.5) below.
 * Inputs [count, 2], targets [count].
 *
 * @example
 * import { moons } from '@nn/data';
 * console.log(moons(4, { noise: 0 }).fields.targets.data); // => Int32Array(4) [ 0, 1, 0, 1 ]
 */
export function moons(count: number, options: PointOptions = {}): Classified {
  return points('moons', count, 2, options, 0.1, [], (random, type) => {
    const angle = Math.PI * random.uniform();
    return type === 0 ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)];
  });
}

/**
 * A circle of radius 1 (class 0) around one of radius `factor` (class 1). Inputs [count, 2], targets [count].
 *
 * @example
 * import { circles } from '@nn/data';
 * const [x = 0, y = 0] = circles(2, { noise: 0 }).fields.inputs.data;
 * console.log(Math.hypot(x, y).toFixed(3)); // => 1.000
 */
export function circles(count: number, options: PointOptions & { readonly factor?: number } = {}): Classified {
  const { factor = 0.5 } = options;
  checkFinite('circles', { factor });
  return points('circles', count, 2, options, 0.05, ['factor'], (random, type) => {
    const radius = type === 0 ? 1 : factor;
    const angle = 2 * Math.PI * random.uniform();
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

/**
 * Spiral arms of Archimedes, one a class, from the middle to radius 1 in `turns` turns. Inputs [count, 2], targets [count].
 *
 * @example
 * import { spirals } from '@nn/data';
 * console.log(spirals(6, { classes: 3 }).fields.targets.data); // => Int32Array(6) [ 0, 1, 2, 0, 1, 2 ]
 */
export function spirals(
  count: number,
  options: PointOptions & { readonly classes?: number; readonly turns?: number } = {},
): Classified {
  const { classes = 2, turns = 1.25 } = options;
  checkFinite('spirals', { turns });
  return points('spirals', count, classes, options, 0.02, ['classes', 'turns'], (random, type) => {
    // The root makes the density even along the arm; its first twentieth, where all arms meet, is left out.
    const radius = Math.sqrt(random.uniform(0.05 ** 2, 1));
    const angle = 2 * Math.PI * (turns * radius + type / classes);
    return [radius * Math.sin(angle), radius * Math.cos(angle)];
  });
}

/**
 * Normal clouds, one a class, around `centers`, or around `classes` even places on a circle of radius 1. The noise is
 * the clouds' standard deviation. Inputs [count, 2], targets [count].
 *
 * @example
 * import { blobs } from '@nn/data';
 * console.log(blobs(2, { centers: [[3, 4], [5, 6]], noise: 0 }).fields.inputs.data); // => Float32Array(4) [ 3, 4, 5, 6 ]
 */
export function blobs(
  count: number,
  options: PointOptions & { readonly classes?: number; readonly centers?: readonly (readonly [number, number])[] } = {},
): Classified {
  const { centers, classes = centers?.length ?? 3 } = options;
  centers?.forEach((center, i) => {
    if (center.length === 2 && center.every(Number.isFinite)) return;
    throw new ValueError('blobs', `center ${i} is [${String(center)}], not two numbers.`, { center });
  });
  return points('blobs', count, classes, options, 0.25, ['classes', 'centers'], (_, type) => {
    const angle = (2 * Math.PI * type) / classes;
    const [x, y] = centers?.[type % centers.length] ?? [Math.sin(angle), Math.cos(angle)];
    return [x, y];
  });
}

function points(
  operation: string,
  count: number,
  classes: number,
  options: PointOptions,
  usualNoise: number,
  more: readonly string[],
  place: (random: RandomSequence, type: number) => readonly [number, number],
): Classified {
  checkOptions(operation, options, ['seed', 'noise', ...more]);
  const { seed = 0, noise = usualNoise } = options;
  checkWhole(operation, { count }, 1, ' of points');
  checkWhole(operation, { classes });
  if (!(noise >= 0 && noise < Number.POSITIVE_INFINITY)) {
    throw new ValueError(operation, `noise ${noise} is not a standard deviation, 0 or more.`, { noise });
  }
  const random = new RandomSequence(seed, streams.points);
  const inputs = new Float32Array(2 * count);
  const targets = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const type = i % classes;
    const [x, y] = place(random, type);
    inputs[2 * i] = x + random.normal(0, noise);
    inputs[2 * i + 1] = y + random.normal(0, noise);
    targets[i] = type;
  }
  return new Dataset({ inputs: { data: inputs, shape: [count, 2] }, targets: { data: targets, shape: [count] } });
}

function checkFinite(operation: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isFinite(value))
      throw new ValueError(operation, `${name} ${value} is not a number.`, { [name]: value });
  }
}
