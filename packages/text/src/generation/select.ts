/**
 * The largest of very many scores without sorting all of them. Owns orders and places; what a score is to a token is the matter of
 * choose.ts. Larger scores come first, and of equal ones the smaller id.
 */

/** Up to so many are kept in order as they come; more are parted from the rest first. */
const FEW = 64;

/** Ids of the `count` largest scores, in order. */
export function largest(scores: ArrayLike<number>, count: number): number[] {
  if (count > FEW) {
    const ids = Int32Array.from({ length: scores.length }, (_, id) => id);
    heaviest(ids, scores, null, (weight) => weight >= count);
    return inOrder(ids.subarray(0, count), scores);
  }
  const best: number[] = [];
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    if (best.length === count && !(score > scores[best[count - 1]!]!)) continue;
    if (best.length === count) best.pop();
    let at = best.length;
    while (at > 0 && score > scores[best[at - 1]!]!) at--;
    best.splice(at, 0, id);
  }
  return best;
}

/** Ids by their scores. */
export function inOrder(ids: Int32Array, scores: ArrayLike<number>): number[] {
  return Array.from(ids).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/**
 * Puts the ids of the largest scores in front: as few as weigh enough together, the last of them at the end, in no order otherwise.
 * `weights` are by id; null where each weighs 1. The answer is how many they are and what they weigh: all, where that is not enough.
 * Parts are parted again as in quickselect, so n ids take some 3n steps. (Hoare 1961.)
 */
export function heaviest(
  ids: Int32Array,
  scores: ArrayLike<number>,
  weights: Float64Array | null,
  isEnough: (weight: number) => boolean,
): { readonly count: number; readonly weight: number } {
  /** What [0, low) weighs, which is not enough; with [low, high) it is. */
  let weight = 0;
  let [low, high] = [0, ids.length];
  while (low < high) {
    const pivot = middleScore(ids, scores, low, high);
    // [low, above) larger than the pivot, [above, at) equal to it, [below, high) smaller
    let [above, at, below] = [low, low, high];
    let [larger, equal] = [0, 0];
    while (at < below) {
      const id = ids[at]!;
      const score = scores[id]!;
      if (score > pivot) {
        larger += weights === null ? 1 : weights[id]!;
        ids[at++] = ids[above]!;
        ids[above++] = id;
      } else if (score < pivot) {
        ids[at] = ids[--below]!;
        ids[below] = id;
      } else {
        equal += weights === null ? 1 : weights[id]!;
        at++;
      }
    }
    if (above > low && isEnough(weight + larger)) {
      high = above;
    } else if (isEnough(weight + larger + equal)) {
      // among equals: they weigh alike, and go by their ids
      ids.subarray(above, below).sort();
      weight += larger;
      const each = weights === null ? 1 : weights[ids[above]!]!;
      for (at = above; at < below && !(at > above && isEnough(weight)); at++) weight += each;
      return { count: at, weight };
    } else {
      weight += larger + equal;
      low = below;
    }
  }
  return { count: low, weight };
}

/** The middle one of three scores, from places that no usual order of scores makes the worst ones. */
function middleScore(ids: Int32Array, scores: ArrayLike<number>, low: number, high: number): number {
  const scoreAt = (part: number): number => scores[ids[low + Math.floor((high - low) * part)]!]!;
  const [a, b, c] = [scoreAt(0.21), scoreAt(0.55), scoreAt(0.83)];
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
