/** Pooling to a size of the result, pooling that says where its maxima stood, and the way back. */
import { ShapeError } from '../errors.ts';
import { customGradient } from '../graph/custom-gradient.ts';
import { constant, type Node } from '../graph/node.ts';
import { add, divide, maximum, multiply } from '../ops/arithmetic.ts';
import { equal, notEqual, or, where } from '../ops/compare.ts';
import { perAxis } from '../ops/convolution.ts';
import { cast } from '../ops/functions.ts';
import { flatPositions, gather, requireInteger, scatterAdd, takeAlong } from '../ops/indexing.ts';
import { maxPlaces, type PoolOptions } from '../ops/pooling.ts';
import { max, min } from '../ops/reduce.ts';
import { reshape } from '../ops/views.ts';
import { sameShape, show, sizeOf, stridesOf } from '../shape.ts';
import { nodeOf, type Tensor, wrap } from '../tensor.ts';
import { adaptiveTaps, adaptiveWindows, placesNode, resample } from './resample.ts';

/** The sizes of the result along the last axes; null keeps that of the input. */
export type AdaptiveSize = readonly (number | null)[];

/** Maxima, and where each stood: int32 indices into the axes of space of the input, flattened. */
export interface PooledMaxima {
  readonly values: Tensor;
  readonly indices: Tensor;
}

function sizesOf(operation: string, x: Node, outputSize: AdaptiveSize): { outer: number; sizes: number[] } {
  const outer = x.shape.length - outputSize.length;
  const sizes = outputSize.map((size, k) => size ?? x.shape[outer + k] ?? 0);
  const isValid = sizes.length > 0 && sizes.every((size) => Number.isInteger(size) && size >= 1);
  if (outer < 1 || !isValid || x.shape.slice(outer).includes(0)) {
    throw new ShapeError(
      operation,
      `${show(x.shape)} cannot be pooled to ${JSON.stringify(outputSize)}: a size from 1, or null, for each of its last axes, at least one axis before them, and none of them empty.`,
      { shape: x.shape, outputSize },
    );
  }
  return { outer, sizes };
}

/**
 * The mean of windows that are cut so that the result has the sizes named, along the last axes: as PyTorch's
 * `adaptive_avg_pool1d` to `3d`. Throws ShapeError for sizes that do not fit.
 *
 * @example
 * import { adaptiveAveragePool, tensor } from '@nn/core';
 * console.log(await adaptiveAveragePool(tensor([[1, 2, 3, 4, 5]]), [2]).array()); // => [[2, 4]]
 */
export function adaptiveAveragePool(x: Tensor, outputSize: AdaptiveSize): Tensor {
  const node = nodeOf('adaptiveAveragePool', x);
  const { outer, sizes } = sizesOf('adaptiveAveragePool', node, outputSize);
  return wrap(
    sizes.reduce(
      (y, size, k) => resample(y, outer + k, adaptiveTaps(node.shape[outer + k]!, size)),
      cast(node, 'float32'),
    ),
  );
}

/** x at the given positions of its flattened axes of space: the gradient goes to these elements alone. */
function pick(x: Node, outer: number, places: Node): PooledMaxima {
  const flat = [...x.shape.slice(0, outer), sizeOf(x.shape.slice(outer))];
  const count = sizeOf(places.shape.slice(outer));
  const rows = reshape(places, [...x.shape.slice(0, outer), count]);
  return { values: wrap(reshape(takeAlong(reshape(x, flat), rows, outer), places.shape)), indices: wrap(places) };
}

/**
 * The maxima of windows that are cut so that the result has the sizes named, and where they stood, as PyTorch's
 * `adaptive_max_pool1d` to `3d` with `return_indices`. The gradient goes to the first of the largest.
 *
 * @example
 * import { adaptiveMaxPool, tensor } from '@nn/core';
 * const { values, indices } = adaptiveMaxPool(tensor([[1, 5, 3, 4, 2]]), [2]);
 * console.log(await values.array(), await indices.array()); // => [[5, 4]] [[1, 3]]
 */
export function adaptiveMaxPool(x: Tensor, outputSize: AdaptiveSize): PooledMaxima {
  const node = nodeOf('adaptiveMaxPool', x);
  const { outer, sizes } = sizesOf('adaptiveMaxPool', node, outputSize);
  const space = node.shape.slice(outer);
  const strides = stridesOf(space);
  // [..., n1, k1, n2, k2, ...]: the windows of all axes, whose last elements fill them up
  let windows = node;
  let places = constant(0, 'int32');
  sizes.forEach((size, k) => {
    const table = placesNode(adaptiveWindows(space[k]!, size), node);
    windows = gather(windows, table, outer + 2 * k);
    const alone = sizes.flatMap((_, axis) => (axis === k ? table.shape : [1, 1]));
    places = add(places, multiply(reshape(table, alone), constant(strides[k]!, 'int32')));
  });
  const axes = sizes.map((_, k) => outer + 2 * k + 1);
  const best = max(windows, axes, { keepAxes: true });
  const isBest = or(equal(windows, best), notEqual(windows, windows));
  // any number past the last place: small, because some devices keep integers in floats
  return pick(node, outer, min(where(isBest, places, constant(sizeOf(space), 'int32')), axes));
}

/**
 * `maxPool` that also says where each maximum stood, as PyTorch's `max_pool1d` to `3d` with `return_indices`.
 *
 * @example
 * import { maxPoolWithIndices, tensor } from '@nn/core';
 * const { values, indices } = maxPoolWithIndices(tensor([[1, 5, 3, 4]]), { size: [2] });
 * console.log(await values.array(), await indices.array()); // => [[5, 4]] [[1, 3]]
 */
export function maxPoolWithIndices(x: Tensor, options: PoolOptions): PooledMaxima {
  const node = nodeOf('maxPoolWithIndices', x);
  return pick(node, node.shape.length - options.size.length, maxPlaces(node, options));
}

/**
 * Maxima put back where they stood, zeros elsewhere: x and int32 indices [..., pooled space] of `maxPoolWithIndices`, into
 * [..., outputSize]. As PyTorch's `max_unpool1d` to `3d`; indices outside are clamped.
 *
 * @example
 * import { maxPoolWithIndices, maxUnpool, tensor } from '@nn/core';
 * const { values, indices } = maxPoolWithIndices(tensor([[1, 5, 3, 4]]), { size: [2] });
 * console.log(await maxUnpool(values, indices, [4]).array()); // => [[0, 5, 0, 4]]
 */
export function maxUnpool(x: Tensor, indices: Tensor, outputSize: readonly number[]): Tensor {
  const [node, places] = [nodeOf('maxUnpool', x), nodeOf('maxUnpool', indices)];
  const space = perAxis('maxUnpool', 'outputSize', outputSize, outputSize.length, 1);
  requireInteger('maxUnpool', places);
  const outer = node.shape.length - space.length;
  if (outer < 1 || !sameShape(node.shape, places.shape)) {
    throw new ShapeError(
      'maxUnpool',
      `values ${show(node.shape)} and indices ${show(places.shape)} must be of one shape, with ${space.length} axes of space.`,
      { shape: node.shape, indices: places.shape },
    );
  }
  const batch = node.shape.slice(0, outer);
  const values = cast(node, 'float32');
  const whole = constant(0, 'float32', [...batch, sizeOf(space)]);
  const rows = reshape(places, [...batch, sizeOf(node.shape.slice(outer))]);
  const flat = reshape(flatPositions(whole, rows, outer), [-1]);
  const zeros = constant(0, 'float32', [whole.size], node.backend);
  // windows that overlap may name one element twice: it is their mean, of equal values
  const sums = scatterAdd(zeros, flat, reshape(values, [-1]), 0);
  const counts = scatterAdd(zeros, flat, constant(1, 'float32', [values.size]), 0);
  const y = reshape(divide(sums, maximum(counts, constant(1, 'float32'))), [...batch, ...space]);
  return wrap(customGradient(y, [values], (g) => [reshape(gather(reshape(g, [-1]), flat, 0), values.shape)]));
}
