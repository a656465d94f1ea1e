/**
 * Pictures read at places that tensors name: spatial transformers (Jaderberg et al. 2015). Differentiable in the picture and
 * in the places, to every order.
 */
import { checkOptions, ShapeError, ValueError } from '../errors.ts';
import { stopGradient } from '../graph/custom-gradient.ts';
import { constant, type Node } from '../graph/node.ts';
import { add, floorModulo, maximum, minimum, multiply, subtract } from '../ops/arithmetic.ts';
import { and, equal, where } from '../ops/compare.ts';
import { matmul } from '../ops/contract.ts';
import { abs, cast, floor, round } from '../ops/functions.ts';
import { concat, takeAlong } from '../ops/indexing.ts';
import { indexAlong } from '../ops/sources.ts';
import { expandTo, narrow, reshape, transpose } from '../ops/views.ts';
import { show } from '../shape.ts';
import { type Tensor, type TensorLike, wrap } from '../tensor.ts';
import { float, polynomial, real } from './operands.ts';

export interface GridSampleOptions {
  /** How elements between are made: 'bilinear' by default (trilinear for volumes); 'bicubic' only for pictures. */
  readonly mode?: 'bilinear' | 'nearest' | 'bicubic';
  /** What stands outside: zeros by default, the element at the border, or the picture reflected. */
  readonly paddingMode?: 'zeros' | 'border' | 'reflection';
  /** Whether -1 and 1 are the centres of the first and last elements, instead of their outer edges; false by default. */
  readonly alignCorners?: boolean;
}

interface Sampling extends Required<GridSampleOptions> {
  /** The picture as [N, C, elements]. */
  readonly flat: Node;
  /** [D, H, W] or [H, W]. */
  readonly space: readonly number[];
}

/** A place between low and high, reflected at both as often as it takes. */
function reflect(x: Node, low: number, high: number): Node {
  const span = high - low;
  if (span <= 0) return multiply(x, float(0));
  const turn = floorModulo(subtract(x, float(low)), float(2 * span));
  return add(subtract(float(span), abs(subtract(turn, float(span)))), float(low));
}

/** A coordinate brought into the picture as the padding says; zeros leave it where it is. */
function settle(x: Node, size: number, { paddingMode, alignCorners }: GridSampleOptions): Node {
  if (paddingMode === 'zeros') return x;
  const edge = alignCorners === true ? 0 : 0.5;
  const inside = paddingMode === 'reflection' ? reflect(x, -edge, size - 1 + edge) : x;
  return minimum(maximum(inside, float(0)), float(size - 1));
}

/** Elements at whole positions [N, ...out], one tensor an axis, as [N, C, ...out]; 0 outside of the picture. */
function read({ flat, space }: Sampling, places: readonly Node[]): Node {
  const [batch, channels] = flat.shape as [number, number];
  const out = places[0]!.shape.slice(1);
  let position = constant(0, 'int32');
  let isInside = constant(1, 'bool');
  space.forEach((size, axis) => {
    const place = places[axis]!;
    const within = minimum(maximum(place, float(0)), float(size - 1));
    isInside = and(isInside, equal(place, within));
    position = add(multiply(position, constant(size, 'int32')), cast(within, 'int32'));
  });
  const count = position.size / batch;
  const rows = expandTo(reshape(position, [batch, 1, count]), [batch, channels, count]);
  const values = reshape(takeAlong(flat, rows, 2), [batch, channels, ...out]);
  return where(reshape(isInside, [batch, 1, ...out]), values, float(0));
}

/** The two neighbours of each coordinate with their weights, over all axes. */
function linear(sampling: Sampling, places: readonly Node[]): Node {
  const parts = places.map((place) => {
    const first = stopGradient(floor(place));
    const share = subtract(place, first);
    return [
      [first, subtract(float(1), share)],
      [add(first, float(1)), share],
    ] as const;
  });
  return combined(sampling, parts);
}

/** The four neighbours of each coordinate: the cubic of Keys 1981 with a = -3/4. The padding is applied to each of them. */
function cubic(sampling: Sampling, places: readonly Node[]): Node {
  const parts = places.map((place, axis) => {
    const first = stopGradient(floor(place));
    const share = subtract(place, first);
    const rest = subtract(float(1), share);
    // a (d^3 - 5d^2 + 8d - 4) from 1 to 2, (a + 2) d^3 - (a + 3) d^2 + 1 below
    const far = (d: Node): Node => polynomial(add(d, float(1)), [3, -6, 3.75, -0.75]);
    const near = (d: Node): Node => polynomial(d, [1, 0, -2.25, 1.25]);
    return [far(share), near(share), near(rest), far(rest)].map((weight, k) => {
      const place = settle(add(first, float(k - 1)), sampling.space[axis]!, sampling);
      // between reflected edges a place may lie half way: PyTorch reads the one before
      return [floor(place), weight] as const;
    });
  });
  return combined(sampling, parts);
}

/** The sum over all combinations of neighbours, one an axis, of the product of their weights times the element there. */
function combined(sampling: Sampling, parts: readonly (readonly (readonly [place: Node, weight: Node])[])[]): Node {
  let combinations: { places: Node[]; weight: Node | null }[] = [{ places: [], weight: null }];
  for (const neighbours of parts) {
    combinations = combinations.flatMap(({ places, weight }) =>
      neighbours.map(([place, share]) => ({
        places: [...places, place],
        weight: weight === null ? share : multiply(weight, share),
      })),
    );
  }
  return combinations
    .map(({ places, weight }) => {
      const [batch, ...out] = weight!.shape as [number, ...number[]];
      return multiply(read(sampling, places), reshape(weight!, [batch, 1, ...out]));
    })
    .reduce(add);
}

/**
 * x [N, C, H, W] read at grid [N, H', W', 2], whose last axis is (x, y) from -1 to 1 across the picture: [N, C, H', W']; of
 * volumes [N, C, D, H, W] at [N, D', H', W', 3]. As PyTorch's `grid_sample`. Throws ShapeError or ValueError for what does
 * not fit.
 *
 * @example
 * import { gridSample, tensor } from '@nn/core';
 * const x = tensor([[[[0, 1], [2, 3]]]]);
 * const centre = tensor([[[[0, 0]]]]);
 * console.log(await gridSample(x, centre).flatten().array()); // => [1.5]
 */
export function gridSample(x: TensorLike, grid: TensorLike, options: GridSampleOptions = {}): Tensor {
  checkOptions('gridSample', options, ['mode', 'paddingMode', 'alignCorners']);
  const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false } = options;
  const [picture, places] = [real('gridSample', x), real('gridSample', grid)];
  const [batch, channels, ...space] = picture.shape as [number, number, ...number[]];
  const rank = space.length;
  const fits =
    (rank === 2 || rank === 3) &&
    places.shape.length === rank + 2 &&
    places.shape[0] === batch &&
    places.shape[rank + 1] === rank &&
    !space.includes(0);
  if (!fits) {
    throw new ShapeError(
      'gridSample',
      `${show(picture.shape)} and grid ${show(places.shape)}: needs [N, C, H, W] with [N, H', W', 2], or [N, C, D, H, W] with [N, D', H', W', 3].`,
      { shape: picture.shape, grid: places.shape },
    );
  }
  if (!['bilinear', 'nearest', 'bicubic'].includes(mode) || (mode === 'bicubic' && rank === 3)) {
    throw new ValueError(
      'gridSample',
      `no mode '${mode}' for ${rank} axes of space: bilinear, nearest, bicubic for two.`,
    );
  }
  if (!['zeros', 'border', 'reflection'].includes(paddingMode)) {
    throw new ValueError('gridSample', `no paddingMode '${paddingMode}': zeros, border, reflection.`);
  }
  const flat = reshape(picture, [batch, channels, space.reduce((product, size) => product * size, 1)]);
  const sampling: Sampling = { mode, paddingMode, alignCorners, flat, space };
  const out = places.shape.slice(0, -1);
  // the grid names the last axis first
  const exact = space.map((size, axis) => {
    const coordinate = reshape(narrow(places, rank + 1, rank - 1 - axis, 1), out);
    const scale = alignCorners ? (size - 1) / 2 : size / 2;
    return add(multiply(coordinate, float(scale)), float((size - 1) / 2));
  });
  if (mode === 'bicubic') return wrap(cubic(sampling, exact));
  const settled = exact.map((place, axis) => settle(place, space[axis]!, sampling));
  return wrap(mode === 'nearest' ? read(sampling, settled.map(round)) : linear(sampling, settled));
}

/**
 * The grid for `gridSample` of an affine map: theta [N, 2, 3] and size [N, C, H, W] give [N, H, W, 2]; theta [N, 3, 4] and
 * size [N, C, D, H, W] give [N, D, H, W, 3]. As PyTorch's `affine_grid`. Throws ShapeError for what does not fit.
 *
 * @example
 * import { affineGrid, tensor } from '@nn/core';
 * const grid = affineGrid(tensor([[[1, 0, 0], [0, 1, 0]]]), [1, 1, 1, 2]);
 * console.log(await grid.flatten().array()); // => [-0.5, 0, 0.5, 0]
 */
export function affineGrid(
  theta: TensorLike,
  size: readonly number[],
  options: { readonly alignCorners?: boolean } = {},
): Tensor {
  checkOptions('affineGrid', options, ['alignCorners']);
  const map = real('affineGrid', theta);
  const [batch, , ...space] = size as [number, number, ...number[]];
  const rank = space.length;
  const fits =
    (rank === 2 || rank === 3) &&
    size.every((n) => Number.isInteger(n) && n >= 1) &&
    show(map.shape) === show([batch, rank, rank + 1]);
  if (!fits) {
    throw new ShapeError(
      'affineGrid',
      `theta ${show(map.shape)} and size ${show(size)}: needs [N, 2, 3] with [N, C, H, W], or [N, 3, 4] with [N, C, D, H, W].`,
      { theta: map.shape, size },
    );
  }
  const centres = space.map((length, axis) => {
    const step = options.alignCorners === true ? (length > 1 ? 2 / (length - 1) : 0) : 2 / length;
    const first = options.alignCorners === true ? (length > 1 ? -1 : 0) : -1 + 1 / length;
    const index = cast(indexAlong([...space, 1], axis), 'float32');
    return add(multiply(index, float(step)), float(first));
  });
  const points = concat([...centres.reverse(), expandTo(float(1), [...space, 1])], rank);
  const count = points.size / (rank + 1);
  return wrap(reshape(matmul(reshape(points, [count, rank + 1]), transpose(map)), [batch, ...space, rank]));
}
