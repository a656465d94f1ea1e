/**
 * What a query sees: masks, positions and biases, as they change scores. Owns their meanings and the value of what is hidden;
 * knows neither products nor projections. PyTorch's function has true mean "may be seen" where its layer has true mean "must
 * not": here each meaning has a name.
 */
import { arange, checkOptions, type Tensor, ValueError, where } from '@nn/core';
import { sizeAt } from '../layer.ts';

/** Below every score, yet finite: a row with nothing to see becomes an even mean instead of NaN. */
const HIDDEN = -3e38;

/** Which keys each query sees; what is given holds together. Shapes broadcast to [..., queries, keys]. */
export interface Visibility {
  /** Bool: true may be seen, false is hidden (the `attn_mask` of PyTorch's `scaled_dot_product_attention`). */
  readonly visible?: Tensor;
  /** Bool: true is hidden (the `attn_mask` of PyTorch's `nn.MultiheadAttention`). */
  readonly hidden?: Tensor;
  /** Float32: added to the scores; -Infinity hides. */
  readonly bias?: Tensor;
}

/** Where queries and keys stand: int32 [L] and [S]. */
export interface Positions {
  readonly query: Tensor;
  readonly key: Tensor;
}

/** What a query sees by where it stands. */
export interface Neighbourhood {
  /** Whether a query sees only keys at its own position and before. Default false. */
  readonly causal?: boolean;
  /** A query sees only keys that are less than so many positions away (Beltagy et al. 2020). Default: all. */
  readonly window?: number;
  /** Slopes that broadcast to [..., L, S]: each score loses its slope times the distance (`alibiSlopes`). */
  readonly slopes?: Tensor;
  /** For `causal`, `window` and `slopes`. Default 0, 1, 2, ... for both. */
  readonly positions?: Positions;
}

/** Throws ValueError for the options that others have in place of ours, and for masks of the wrong dtype. */
export function checkVisibility(of: string, options: Visibility, known: readonly string[]): void {
  if ('mask' in options) {
    throw new ValueError(
      of,
      'mask has two meanings, so there are two options: visible (true may be seen) and hidden (true must not); bias is added to the scores.',
    );
  }
  checkOptions(of, options, known);
  for (const name of ['visible', 'hidden'] as const) {
    const dtype = options[name]?.dtype;
    if (dtype === undefined || dtype === 'bool') continue;
    throw new ValueError(
      of,
      `${name} must be bool, got ${dtype}: compare it, mask.notEqual(0), or give numbers to add to the scores as bias.`,
      { option: name, dtype },
    );
  }
  if (options.bias?.dtype === 'bool') {
    throw new ValueError(of, 'bias is added to the scores, got bool: name its meaning, visible or hidden.');
  }
}

/** Throws ValueError for a window that shows nothing. */
export function checkWindow(of: string, window: number | undefined): void {
  if (window === undefined || (Number.isInteger(window) && window >= 1)) return;
  throw new ValueError(
    of,
    `window is ${window}: it must be a whole number from 1, which shows a query its own position.`,
    {
      window,
    },
  );
}

/** What changes the scores [..., L, S] of queries and keys. */
export interface Sight {
  /** Bool, true is hidden; null where all is seen. */
  readonly hidden: Tensor | null;
  /** How far each query stands from each key, int32 [L, S]. */
  readonly distance: Tensor;
}

/** Options as one mask, for the scores of queries and keys that stand at `positions`. */
export function sightOf(options: Visibility & Neighbourhood, positions: Positions): Sight {
  const { visible, hidden, bias, causal = false, window } = options;
  const { key } = positions;
  const query = positions.query.unsqueeze(1);
  const distance = query.sub(key).abs();
  const masks = [
    hidden,
    visible?.logicalNot(),
    bias?.equal(Number.NEGATIVE_INFINITY),
    causal ? query.less(key) : undefined,
    window === undefined ? undefined : distance.greaterEqual(window),
  ].filter((mask) => mask !== undefined);
  const [first, ...rest] = masks;
  return { hidden: first === undefined ? null : rest.reduce((a, b) => a.logicalOr(b), first), distance };
}

/** Scores with what is added to them, and with what is hidden below all others. */
export function seen(
  scores: Tensor,
  { bias, slopes }: Visibility & Neighbourhood,
  { hidden, distance }: Sight,
): Tensor {
  let sum = bias === undefined ? scores : scores.add(bias);
  if (slopes !== undefined) sum = sum.sub(distance.mul(slopes));
  return hidden === null ? sum : where(hidden, HIDDEN, sum);
}

/** The positions of `count` rows from `start` on, and those of all keys, where nothing else is said. */
export function positionsOf(options: Neighbourhood, start: number, count: number, keys: number): Positions {
  const { positions } = options;
  if (positions === undefined) return { query: arange(start, start + count), key: arange(keys) };
  const { query, key } = positions;
  return { query: start === 0 && count === sizeAt(query, 0) ? query : query.slice([start], [start + count]), key };
}
