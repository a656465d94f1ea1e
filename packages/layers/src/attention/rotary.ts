/** Positions in attention without vectors to learn: turned queries and keys, and scores that fall with the distance. */
import {
  arange,
  checkOptions,
  concat,
  type Shape,
  ShapeError,
  showShape,
  type Tensor,
  tensor,
  ValueError,
} from '@nn/core';
import { requireWhole, sizeAt, splitInto } from '../layer.ts';

export interface RotaryOptions {
  /** Where the vectors stand: [L], or [..., L] that broadcasts to x without its last axis. Default 0, 1, 2, ... */
  readonly positions?: Tensor;
  /** The slowest pair turns once in about 2 pi base positions. Default 10000. */
  readonly base?: number;
  /** How many values of each vector are turned, from the first; the others stay. Default: all. */
  readonly dimension?: number;
  /**
   * Which values are a pair: 'halves' takes i and i + dimension / 2, as GPT-NeoX and Llama; 'pairs' takes 2 i and 2 i + 1, as
   * the paper and GPT-J. Default 'halves'.
   */
  readonly layout?: 'halves' | 'pairs';
  /** Positions are divided by this, for sequences longer than those of the training (Chen et al. 2023). Default 1. */
  readonly scale?: number;
}

/**
 * Rotary position embedding: pairs of values of x [..., L, D] are turned by position * base^(-2i/D), so that products of
 * queries and keys depend on their distance. (Su et al. 2021.) Throws ShapeError for an odd number of values.
 *
 * @example
 * import { rotary } from '@nn/layers';
 * import { tensor } from '@nn/core';
 * const x = rotary(tensor([[1, 0], [1, 0]]));
 * console.log(Math.abs((await x.at(1, 1).item()) - Math.sin(1)) < 1e-6); // => true
 */
export function rotary(x: Tensor, options: RotaryOptions = {}): Tensor {
  checkOptions('rotary', options, ['positions', 'base', 'dimension', 'layout', 'scale']);
  const width = sizeAt(x, -1);
  const length = sizeAt(x, -2);
  const { base = 10000, dimension = width, layout = 'halves', scale = 1, positions = arange(length) } = options;
  if (!Number.isInteger(dimension) || dimension % 2 !== 0 || dimension < 2 || dimension > width) {
    throw new ShapeError(
      'rotary',
      `${dimension} of ${width} values cannot be turned in pairs: an even number from 2 can.`,
      {
        shape: x.shape,
        dimension,
      },
    );
  }
  if (layout !== 'halves' && layout !== 'pairs') {
    throw new ValueError('rotary', `layout is ${String(layout)}: it must be 'halves' or 'pairs'.`, { layout });
  }
  if (!isOver(positions.shape, x.shape.slice(0, -1))) {
    throw new ShapeError(
      'rotary',
      `positions must be [${length}] or broadcast to ${showShape(x.shape.slice(0, -1))}, got ${showShape(positions.shape)}.`,
      {
        shape: x.shape,
        positions: positions.shape,
      },
    );
  }
  const half = dimension / 2;
  const frequencies = arange(half)
    .cast('float32')
    .mul((-2 * Math.log(base)) / dimension)
    .exp();
  const angles = positions.cast('float32').div(scale).unsqueeze(-1).mul(frequencies);
  const [cos, sin] = [angles.cos(), angles.sin()];
  const [whole = x, rest] = dimension === width ? [x] : x.split([dimension, width - dimension], -1);
  if (layout === 'halves') {
    const { a, b } = splitInto(['a', 'b'], whole);
    const parts = [a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))];
    return concat(rest === undefined ? parts : [...parts, rest], -1);
  }
  const pairs = whole.reshape([...whole.shape.slice(0, -1), half, 2]);
  const a = pairs.at('...', 0);
  const b = pairs.at('...', 1);
  const both = [a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))].map((part) => part.unsqueeze(-1));
  const joined = concat(both, -1).reshape(whole.shape);
  return rest === undefined ? joined : concat([joined, rest], -1);
}

/** Whether positions [..., L] broadcast to a shape and have its length. */
function isOver(positions: Shape, shape: Shape): boolean {
  const offset = shape.length - positions.length;
  if (positions.length === 0 || offset < 0 || positions.at(-1) !== shape.at(-1)) return false;
  return positions.every((size, axis) => size === 1 || size === shape[axis + offset]);
}

/**
 * The slopes of ALiBi for so many heads, [heads, 1, 1]: 2^(-8/heads), 2^(-16/heads), ...; where `heads` is no power of 2, those
 * of the power below and every other one of the power above. Give them to attention as `slopes`. (Press, Smith and Lewis 2022.)
 *
 * @example
 * import { alibiSlopes } from '@nn/layers';
 * console.log(await alibiSlopes(4).flatten().array()); // => [0.25, 0.0625, 0.015625, 0.00390625]
 */
export function alibiSlopes(heads: number): Tensor {
  requireWhole('alibiSlopes', 'heads', heads);
  const ofPower = (count: number): number[] => Array.from({ length: count }, (_, i) => 2 ** ((-8 * (i + 1)) / count));
  const below = 2 ** Math.floor(Math.log2(heads));
  const more = ofPower(2 * below).filter((_, i) => i % 2 === 0);
  return tensor([...ofPower(below), ...more.slice(0, heads - below)], { shape: [heads, 1, 1], constant: true });
}
