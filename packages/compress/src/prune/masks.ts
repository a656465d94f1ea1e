/**
 * Which numbers of a weight go: masks of 0 and 1 from scores, on the host. Owns the choice; scores come from `prune.ts`, and what a
 * mask does to a layer is `pruning.ts`. Counts are PyTorch's: a share is of what is left, rounded half to even.
 */
import { type Shape, ValueError } from '@nn/core';

/** How many go: from 0 to 1 a share of what is left, a whole number above that many. */
export function countToPrune(amount: number, left: number): number {
  if (!(amount >= 0) || (amount > 1 && !Number.isInteger(amount))) {
    throw new ValueError(
      'prune',
      `amount is ${amount}: it must be a share from 0 to 1, or a whole number of how many.`,
    );
  }
  if (amount > 1) {
    if (amount <= left) return amount;
    throw new ValueError('prune', `amount is ${amount}, and ${left} are left: give at most that many, or a share.`);
  }
  return roundHalfToEven(amount * left);
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Takes the `count` lowest of those that are left out of the masks; of equal scores the first. */
export function dropLowest(scores: readonly Float32Array[], masks: readonly Float32Array[], count: number): void {
  const left: { readonly score: number; readonly list: number; readonly at: number }[] = [];
  masks.forEach((mask, list) => {
    mask.forEach((kept, at) => {
      if (kept !== 0) left.push({ score: scores[list]![at]!, list, at });
    });
  });
  left.sort((a, b) => a.score - b.score);
  for (const { list, at } of left.slice(0, count)) masks[list]![at] = 0;
}

/** The slices along an axis: how many, and the slice of each element. */
function slicesOf(shape: Shape, axis: number): { readonly count: number; readonly sliceOf: (at: number) => number } {
  const count = shape[axis]!;
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  return { count, sliceOf: (at) => Math.floor(at / inner) % count };
}

/** Takes whole slices along an axis out of a mask, those with the smallest n-norm of scores; slices that are gone do not count. */
export function dropSlices(
  scores: Float32Array,
  mask: Float32Array,
  shape: Shape,
  axis: number,
  norm: number,
  amount: number,
): void {
  const { count, sliceOf } = slicesOf(shape, axis);
  const [norms, left] = [new Float32Array(count), new Float32Array(count)];
  scores.forEach((score, at) => {
    const slice = sliceOf(at);
    const size = Math.abs(score) * (mask[at] === 0 ? 0 : 1);
    norms[slice] = norm === Number.POSITIVE_INFINITY ? Math.max(norms[slice]!, size) : norms[slice]! + size ** norm;
    if (mask[at] !== 0) left[slice] = 1;
  });
  const remaining = left.reduce((sum, one) => sum + one, 0);
  dropLowest([norms], [left], countToPrune(amount, remaining));
  mask.forEach((_, at) => {
    if (left[sliceOf(at)] === 0) mask[at] = 0;
  });
}

/** Keeps the `keep` highest of each `of` neighbours along all axes but the first: 2:4 is what sparse tensor cores take. */
export function keepOfGroups(
  scores: Float32Array,
  mask: Float32Array,
  shape: Shape,
  keep: number,
  of: number,
  name: string,
): void {
  const row = shape.slice(1).reduce((product, size) => product * size, 1);
  if (row % of !== 0) {
    throw new ValueError('prune', `${name} has rows of ${row} numbers, which are no groups of ${of}.`, { shape, of });
  }
  for (let first = 0; first < scores.length; first += of) {
    const group = Array.from({ length: of }, (_, k) => first + k);
    // what is gone stays gone
    group.sort((a, b) => mask[b]! - mask[a]! || scores[b]! - scores[a]! || a - b);
    for (const at of group.slice(keep)) mask[at] = 0;
  }
}
