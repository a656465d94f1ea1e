/** Pictures as columns of patches and back, and elements exchanged between channels and space. All are views but `fold`. */
import { checkOptions, ShapeError, ValueError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import { perAxis, type Sizes } from '../ops/convolution.ts';
import { fold as foldNode } from '../ops/pooling.ts';
import { narrow, padStatic, permute, reshape, window } from '../ops/views.ts';
import { show } from '../shape.ts';
import { type Tensor, type TensorLike, toNode, wrap } from '../tensor.ts';

export interface PatchOptions {
  /** The size of a patch along each axis of space; how many there are says how many axes space has. */
  readonly size: readonly number[];
  readonly stride?: Sizes;
  readonly padding?: Sizes;
  readonly dilation?: Sizes;
}

function settle(operation: string, { size, stride = 1, padding = 0, dilation = 1 }: PatchOptions) {
  const rank = size.length;
  return {
    size: perAxis(operation, 'size', size, rank, 1),
    stride: perAxis(operation, 'stride', stride, rank, 1),
    dilation: perAxis(operation, 'dilation', dilation, rank, 1),
    padding: perAxis(operation, 'padding', padding, rank, 0),
  };
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** [..., a axes, b axes] with the two groups at the end exchanged. */
function swapGroups(x: Node, a: number, b: number): Node {
  const outer = x.shape.length - a - b;
  const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
  return permute(x, [...range(0, outer), ...range(outer + a, b), ...range(outer, a)]);
}

/**
 * The patches of x [N, C, ...space] as columns [N, C * elements of a patch, number of patches], zeros around it where there
 * is padding; also without N. As PyTorch's `unfold` (im2col), for any number of axes of space.
 *
 * @example
 * import { arange, unfold } from '@nn/core';
 * const columns = unfold(arange(9).reshape([1, 1, 3, 3]), { size: [2, 2] });
 * console.log(await columns.array()); // => [[[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]]
 */
export function unfold(x: TensorLike, options: PatchOptions): Tensor {
  checkOptions('unfold', options, ['size', 'stride', 'padding', 'dilation']);
  const node = toNode(x, 'float32');
  const { padding, ...attributes } = settle('unfold', options);
  const rank = padding.length;
  const outer = node.shape.length - rank;
  if (outer < 1 || outer > 2) {
    throw new ShapeError(
      'unfold',
      `${show(node.shape)} is not [N, C, ...space] or [C, ...space] with ${rank} axes of space.`,
    );
  }
  const around = [...new Array<number>(outer).fill(0), ...padding];
  const frame = padStatic(node, { before: around, after: around, step: node.shape.map(() => 1) });
  const windows = swapGroups(window(frame, attributes), rank, rank);
  const [batch, channels] = [node.shape.slice(0, outer - 1), node.shape[outer - 1]!];
  const places = product(windows.shape.slice(-rank));
  return wrap(reshape(windows, [...batch, channels * product(attributes.size), places]));
}

/**
 * The adjoint of `unfold`: columns [N, C * elements of a patch, number of patches] added into [N, C, ...outputSize]. What
 * overlaps is summed.
 *
 * @example
 * import { fold, ones } from '@nn/core';
 * const counts = fold(ones([1, 4, 4]), { outputSize: [3, 3], size: [2, 2] });
 * console.log(await counts.flatten().array()); // => [1, 2, 1, 2, 4, 2, 1, 2, 1]
 */
export function fold(x: TensorLike, options: PatchOptions & { readonly outputSize: readonly number[] }): Tensor {
  checkOptions('fold', options, ['size', 'stride', 'padding', 'dilation', 'outputSize']);
  const node = toNode(x, 'float32');
  const { padding, ...attributes } = settle('fold', options);
  const rank = padding.length;
  const outputSize = perAxis('fold', 'outputSize', options.outputSize, rank, 1);
  const { size, stride, dilation } = attributes;
  const frame = outputSize.map((length, i) => length + 2 * padding[i]!);
  const places = frame.map((length, i) => Math.floor((length - (size[i]! - 1) * dilation[i]! - 1) / stride[i]!) + 1);
  const [elements, count] = [product(size), product(places)];
  const outer = node.shape.length - 2;
  const [rows, columns] = node.shape.slice(-2) as [number, number];
  const fits = (outer === 0 || outer === 1) && rows % elements === 0 && columns === count && places.every((n) => n > 0);
  if (!fits) {
    throw new ShapeError(
      'fold',
      `${show(node.shape)} is not [N, C * ${elements}, ${count}], which patches of ${show(size)} in ${show(outputSize)} give.`,
      { shape: node.shape, outputSize, size },
    );
  }
  const batch = [...node.shape.slice(0, outer), rows / elements];
  const windows = swapGroups(reshape(node, [...batch, ...size, ...places]), rank, rank);
  let y = foldNode(windows, [...batch, ...frame], attributes);
  padding.forEach((amount, i) => {
    y = narrow(y, batch.length + i, amount, outputSize[i]!);
  });
  return wrap(y);
}

function checkFactor(operation: string, factor: number): void {
  if (Number.isInteger(factor) && factor >= 1) return;
  throw new ValueError(operation, `the factor must be a whole number from 1, got ${factor}.`, { factor });
}

/**
 * Channels turned into space (Shi et al. 2016): x [..., C r^2, H, W] becomes [..., C, H r, W r].
 *
 * @example
 * import { arange, pixelShuffle } from '@nn/core';
 * console.log(await pixelShuffle(arange(4).reshape([4, 1, 1]), 2).array()); // => [[[0, 1], [2, 3]]]
 */
export function pixelShuffle(x: TensorLike, factor: number): Tensor {
  const node = toNode(x, 'float32');
  checkFactor('pixelShuffle', factor);
  const [channels, height, width] = node.shape.slice(-3) as [number, number, number];
  if (node.shape.length < 3 || channels % (factor * factor) !== 0) {
    throw new ShapeError(
      'pixelShuffle',
      `${show(node.shape)} is not [..., C * ${factor * factor}, H, W]: its channels do not divide.`,
      { shape: node.shape, factor },
    );
  }
  const outer = node.shape.slice(0, -3);
  const at = outer.length;
  const split = reshape(node, [...outer, channels / factor ** 2, factor, factor, height, width]);
  const order = [...outer.map((_, axis) => axis), at, at + 3, at + 1, at + 4, at + 2];
  return wrap(reshape(permute(split, order), [...outer, channels / factor ** 2, height * factor, width * factor]));
}

/**
 * The inverse of `pixelShuffle`: x [..., C, H r, W r] becomes [..., C r^2, H, W].
 *
 * @example
 * import { arange, pixelUnshuffle } from '@nn/core';
 * console.log(await pixelUnshuffle(arange(4).reshape([1, 2, 2]), 2).flatten().array()); // => [0, 1, 2, 3]
 */
export function pixelUnshuffle(x: TensorLike, factor: number): Tensor {
  const node = toNode(x, 'float32');
  checkFactor('pixelUnshuffle', factor);
  const [channels, height, width] = node.shape.slice(-3) as [number, number, number];
  if (node.shape.length < 3 || height % factor !== 0 || width % factor !== 0) {
    throw new ShapeError(
      'pixelUnshuffle',
      `${show(node.shape)} is not [..., C, H * ${factor}, W * ${factor}]: its space does not divide.`,
      { shape: node.shape, factor },
    );
  }
  const outer = node.shape.slice(0, -3);
  const at = outer.length;
  const split = reshape(node, [...outer, channels, height / factor, factor, width / factor, factor]);
  const order = [...outer.map((_, axis) => axis), at, at + 2, at + 4, at + 1, at + 3];
  return wrap(reshape(permute(split, order), [...outer, channels * factor ** 2, height / factor, width / factor]));
}

/**
 * The channels of x [N, C, ...] dealt out anew so that those of different groups become neighbours (Zhang et al. 2018).
 *
 * @example
 * import { arange, channelShuffle } from '@nn/core';
 * console.log(await channelShuffle(arange(4).reshape([1, 4, 1]), 2).flatten().array()); // => [0, 2, 1, 3]
 */
export function channelShuffle(x: TensorLike, groups: number): Tensor {
  const node = toNode(x, 'float32');
  const [batch, channels, ...space] = node.shape as [number, number, ...number[]];
  if (node.shape.length < 2 || !Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw new ShapeError(
      'channelShuffle',
      `${show(node.shape)} is not [N, C, ...] with channels that ${groups} divides.`,
      {
        shape: node.shape,
        groups,
      },
    );
  }
  const split = reshape(node, [batch, groups, channels / groups, ...space]);
  return wrap(reshape(permute(split, [0, 2, 1, ...space.map((_, axis) => axis + 3)]), node.shape));
}
