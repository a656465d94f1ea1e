/**
 * Pictures and sequences in another size, one axis after the other. Coordinates are PyTorch's: pixels are squares whose
 * centres lie at halves, or, with aligned corners, points whose first and last ones coincide.
 */
import { checkOptions, ShapeError, ValueError } from '../errors.ts';
import { cast } from '../ops/functions.ts';
import { show } from '../shape.ts';
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor.ts';
import { adaptiveTaps, resample, type Taps } from './resample.ts';

export type InterpolationMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'bicubic' | 'trilinear' | 'area';

export interface InterpolateOptions {
  /** The new sizes of space: one number for all axes, or one an axis. */
  readonly size?: number | readonly number[];
  /** Instead of `size`, how many times larger; the new size is rounded down. */
  readonly scaleFactor?: number | readonly number[];
  /** 'nearest' by default. */
  readonly mode?: InterpolationMode;
  /** Of the linear and cubic modes: whether first and last pixels keep their places; false by default. */
  readonly alignCorners?: boolean;
  /** Of bilinear and bicubic: a wider filter where pictures shrink, so that nothing is skipped; false by default. */
  readonly antialias?: boolean;
}

/** The modes that belong to a number of axes of space; the others take any. */
const rankOf: Readonly<Partial<Record<InterpolationMode, number>>> = {
  linear: 1,
  bilinear: 2,
  bicubic: 2,
  trilinear: 3,
};
const modes: readonly string[] = ['nearest', 'nearest-exact', 'linear', 'bilinear', 'bicubic', 'trilinear', 'area'];

/** What each axis needs: its sizes, and how many old pixels a new one covers. */
interface Axis {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

/** A cubic through four points (Keys 1981), for distances up to 2; `a` is its slope at 1. */
function cubic(distance: number, a: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}

/** Elements outside are those at the edge. */
const within = (place: number, size: number): number => Math.min(Math.max(place, 0), size - 1);

function nearest({ from, to, step }: Axis, offset: number): Taps {
  // PyTorch counts in float32: at steps such as 1/3 that decides which pixel is meant
  const single = Math.fround(step);
  const places = Array.from({ length: to }, (_, i) => [
    Math.min(Math.floor(Math.fround(Math.fround(i + offset) * single)), from - 1),
  ]);
  return { places, weights: places.map(() => [1]) };
}

function smooth({ from, to, step }: Axis, isCubic: boolean, alignCorners: boolean): Taps {
  const rows = Array.from({ length: to }, (_, i) => {
    const exact = alignCorners ? i * step : (i + 0.5) * step - 0.5;
    const at = isCubic ? exact : Math.max(exact, 0);
    const first = Math.floor(at);
    const part = at - first;
    if (!isCubic) return [[first, 1 - part] as const, [first + 1, part] as const];
    return [-1, 0, 1, 2].map((k) => [first + k, cubic(part - k, -0.75)] as const);
  });
  return {
    places: rows.map((row) => row.map(([place]) => within(place, from))),
    weights: rows.map((row) => row.map(([, weight]) => weight)),
  };
}

/** A filter stretched by the step where that is above 1, its weights brought to the sum 1. */
function antialiased({ from, to, step }: Axis, isCubic: boolean): Taps {
  const stretch = Math.max(step, 1);
  const reach = (isCubic ? 2 : 1) * stretch;
  const filter = (d: number): number => (isCubic ? cubic(d, -0.5) : Math.max(0, 1 - Math.abs(d)));
  const places = Array.from({ length: to }, (_, i) => {
    const centre = step * (i + 0.5);
    const start = Math.max(Math.trunc(centre - reach + 0.5), 0);
    const end = Math.min(Math.trunc(centre + reach + 0.5), from);
    return Array.from({ length: end - start }, (_, k) => start + k);
  });
  const weights = places.map((row, i) => {
    const raw = row.map((place) => filter((place + 0.5 - step * (i + 0.5)) / stretch));
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    return raw.map((weight) => weight / total);
  });
  return { places, weights };
}

function tapsOf(axis: Axis, mode: InterpolationMode, alignCorners: boolean, antialias: boolean): Taps {
  if (mode === 'nearest') return nearest(axis, 0);
  if (mode === 'nearest-exact') return nearest(axis, 0.5);
  if (mode === 'area') return adaptiveTaps(axis.from, axis.to);
  return antialias ? antialiased(axis, mode === 'bicubic') : smooth(axis, mode === 'bicubic', alignCorners);
}

/** Checks the options and gives each axis of space its sizes. */
function axesOf(shape: readonly number[], options: InterpolateOptions): Axis[] {
  const { size, scaleFactor, mode = 'nearest', alignCorners = false, antialias = false } = options;
  checkOptions('interpolate', options, ['size', 'scaleFactor', 'mode', 'alignCorners', 'antialias']);
  const space = shape.slice(2);
  const rank = rankOf[mode];
  if (!modes.includes(mode)) throw new ValueError('interpolate', `no mode ${mode}: ${modes.join(', ')}.`, { mode });
  if (space.length === 0 || (rank ?? space.length) !== space.length) {
    throw new ShapeError(
      'interpolate',
      `${show(shape)} has ${Math.max(0, space.length)} axes of space after [N, C], mode '${mode}' takes ${rank ?? 'at least 1'}.`,
      { shape, mode },
    );
  }
  if (antialias && mode !== 'bilinear' && mode !== 'bicubic') {
    throw new ValueError('interpolate', `antialias is for bilinear and bicubic, not '${mode}'.`, { mode });
  }
  if (alignCorners && rank === undefined) {
    throw new ValueError('interpolate', `alignCorners is for linear and cubic modes, not '${mode}'.`, { mode });
  }
  const given = size ?? scaleFactor;
  if (given === undefined || (size !== undefined && scaleFactor !== undefined)) {
    throw new ValueError('interpolate', 'needs either size or scaleFactor.', { size, scaleFactor });
  }
  const list = typeof given === 'number' ? space.map(() => given) : given;
  const isValid = list.every((n) => (size === undefined ? n > 0 && Number.isFinite(n) : Number.isInteger(n) && n > 0));
  if (list.length !== space.length || !isValid || space.includes(0)) {
    throw new ShapeError(
      'interpolate',
      `${size === undefined ? 'scaleFactor' : 'size'} ${JSON.stringify(given)} does not fit the ${space.length} axes of space of ${show(shape)}: one positive number for each, none of them empty.`,
      { shape, size, scaleFactor },
    );
  }
  return space.map((from, k) => {
    const to = size === undefined ? Math.floor(from * list[k]!) : list[k]!;
    if (to < 1) throw new ShapeError('interpolate', `axis ${k + 2} of ${show(shape)} times ${list[k]} is nothing.`);
    if (alignCorners) return { from, to, step: to > 1 ? (from - 1) / (to - 1) : 0 };
    return { from, to, step: size === undefined ? 1 / list[k]! : from / to };
  });
}

/**
 * x [N, C, ...space] in another size of space, as PyTorch's `interpolate` (`recompute_scale_factor` left out): 'nearest',
 * 'nearest-exact' and 'area' for any number of axes, 'linear' for one, 'bilinear' and 'bicubic' for two, 'trilinear' for
 * three. Linear in x, so gradients of every order exist. Throws ShapeError or ValueError for options that do not fit.
 *
 * @example
 * import { interpolate, tensor } from '@nn/core';
 * const x = tensor([[[0, 1, 2]]]);
 * console.log(await interpolate(x, { size: 6 }).flatten().array()); // => [0, 0, 1, 1, 2, 2]
 * const options = { size: 5, mode: 'linear', alignCorners: true } as const;
 * console.log(await interpolate(x, options).flatten().array()); // => [0, 0.5, 1, 1.5, 2]
 */
export function interpolate(x: TensorLike, options: InterpolateOptions): Tensor {
  const node = toNode(x, 'float32');
  const { mode = 'nearest', alignCorners = false, antialias = false } = options;
  const axes = axesOf(node.shape, options);
  const isNearest = mode === 'nearest' || mode === 'nearest-exact';
  // the axis that shrinks most first: the least work for the others
  const order = axes.map((_, k) => k).sort((a, b) => axes[a]!.to / axes[a]!.from - axes[b]!.to / axes[b]!.from);
  return wrap(
    order.reduce(
      (y, k) => resample(y, k + 2, tapsOf(axes[k]!, mode, alignCorners, antialias)),
      isNearest ? node : cast(node, 'float32'),
    ),
  );
}
