/**
 * Attention as a function of queries, keys and values, and the choice between all queries at once and blocks of them.
 * What a query sees is in visibility.ts, blocks are in blocks.ts, layers in multihead.ts and grouped-query.ts.
 */
import { ShapeError, showShape, type Tensor } from '@nn/core';
import { countOf, requireWhole, sizeAt } from '../layer.ts';
import { dropout } from '../noise/dropout.ts';
import { attendInBlocks } from './blocks.ts';
import { checkPrefix, type KeysAndValues, weighed, withPrefix } from './prefix.ts';
import {
  checkVisibility,
  checkWindow,
  type Neighbourhood,
  positionsOf,
  seen,
  sightOf,
  type Visibility,
} from './visibility.ts';

export interface AttentionOptions extends Visibility, Neighbourhood {
  /** Share of the weights that is dropped in training. Default 0. */
  readonly dropout?: number;
  /** What scores are multiplied with. Default 1 / sqrt(dimension). */
  readonly scale?: number;
  /**
   * Keys [..., P, D] and values [..., P, E] in front of the others that every query sees: masks, positions, a window and slopes
   * are of the others alone. The weights are [..., L, P + S] then.
   */
  readonly prefix?: KeysAndValues;
  /**
   * How many queries are looked at together. Where that is less than all, scores are computed again for the gradient instead
   * of kept, so that memory grows with the length and not with its square. Default: all, and for more than 2^22 scores as many
   * as have 2^21, 256 where that is not too much, or a 64th.
   */
  readonly blockSize?: number;
}

const optionNames = [
  ...['visible', 'hidden', 'bias', 'causal', 'window', 'slopes', 'positions'],
  ...['dropout', 'scale', 'prefix', 'blockSize'],
];

/** Above so many scores, queries are looked at in blocks. */
const MOST_SCORES = 2 ** 22;

/** A block has at least so many scores, or so many rows unless those are too many scores; programs grow with the blocks. */
const BLOCK_SCORES = 2 ** 21;
const BLOCK_ROWS = 256;
const TOO_MANY_SCORES = 2 ** 24;
const MOST_BLOCKS = 64;

/**
 * `softmax(query key^T * scale) value`: query [..., L, D], key [..., S, D], value [..., S, E] to [..., L, E], and the
 * weights [..., L, S]. Weights that nobody reads cost nothing more. (Vaswani et al. 2017.)
 *
 * Long sequences are computed in blocks of queries, to the same numbers (Rabe and Staats 2021). Throws ShapeError for sizes
 * that do not fit, ValueError for masks of the wrong dtype.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { attention } from '@nn/layers';
 * const x = tensor([[1, 0], [0, 1]]);
 * console.log(await attention(x, x, x, { causal: true }).weights.at(0).array()); // => [1, 0]
 */
export function attention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): { readonly output: Tensor; readonly weights: Tensor } {
  checkVisibility('attention', options, optionNames);
  checkWindow('attention', options.window);
  const { scale = 1 / Math.sqrt(sizeAt(query, -1)), prefix } = options;
  if (prefix !== undefined) checkPrefix(prefix, query, value);
  const [queries, keys] = [sizeAt(query, -2), sizeAt(key, -2)];
  checkPositions(options, queries, keys);
  const positions = positionsOf(options, 0, queries, keys);
  const scores = query.matmul(key.transpose()).mul(scale);
  const weights = withPrefix(query, seen(scores, options, sightOf(options, positions)), scale, prefix).softmax(-1);
  const rows = blockRows(options.blockSize, countOf(scores.shape), queries);
  const output =
    rows < queries
      ? attendInBlocks(query, key, value, { ...options, scale }, rows)
      : weighed(dropout(weights, options.dropout ?? 0), value, prefix);
  return { output, weights };
}

/** How many queries a block has. */
function blockRows(blockSize: number | undefined, scores: number, queries: number): number {
  if (blockSize !== undefined) {
    requireWhole('attention', 'blockSize', blockSize);
    return blockSize;
  }
  if (scores <= MOST_SCORES) return queries;
  const ofRow = scores / queries;
  const rows = Math.min(BLOCK_ROWS, TOO_MANY_SCORES / ofRow);
  return Math.ceil(Math.max(BLOCK_SCORES / ofRow, rows, queries / MOST_BLOCKS));
}

function checkPositions({ positions }: Neighbourhood, queries: number, keys: number): void {
  if (positions === undefined) return;
  const { query, key } = positions;
  if (showShape(query.shape) === showShape([queries]) && showShape(key.shape) === showShape([keys])) return;
  throw new ShapeError(
    'attention',
    `positions must be [${queries}] of the queries and [${keys}] of the keys, got ${showShape(query.shape)} and ${showShape(key.shape)}.`,
    { query: query.shape, key: key.shape },
  );
}
