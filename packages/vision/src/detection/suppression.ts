/** Choosing among boxes, on the host: non-maximum suppression, of one class and of many. What is chosen has no fixed size, so a device gains nothing. */
import { ShapeError, ValueError } from '@nn/core';

/** Throws unless there is a score, and a label, for each box. */
function checkLists(
  operation: string,
  boxes: ArrayLike<number>,
  lists: Readonly<Record<string, ArrayLike<number>>>,
): void {
  for (const [name, list] of Object.entries(lists)) {
    if (boxes.length === 4 * list.length) continue;
    throw new ShapeError(
      operation,
      `${boxes.length} numbers are not four for each of ${list.length} ${name}: boxes are left, top, right, bottom.`,
      { boxes: boxes.length, [name]: list.length },
    );
  }
}

/**
 * The numbers of the boxes that stay, the best first, as torchvision's `nms`: a box goes when one with a better score covers it by more than the
 * threshold (intersection over union). Of equal scores the earlier box is better. Throws a `ShapeError` unless there are four numbers for each score,
 * a `ValueError` for a score that is not a number.
 *
 * @param boxes - [count * 4]: left, top, right, bottom.
 * @param scores - [count].
 * @example
 * import { nms } from '@nn/vision';
 * const boxes = [0, 0, 10, 10, 1, 1, 10, 10, 20, 20, 30, 30];
 * console.log(nms(boxes, [0.8, 0.9, 0.3], 0.5)); // => Int32Array(2) [ 1, 2 ]
 */
export function nms(
  boxes: ArrayLike<number>,
  scores: ArrayLike<number>,
  iouThreshold: number,
): Int32Array<ArrayBuffer> {
  checkLists('nms', boxes, { scores });
  return suppressed('nms', boxes, scores, () => 0, iouThreshold);
}

/**
 * The same for boxes of many classes at once: only boxes of one label cover each other.
 *
 * @param labels - [count]: the class of each box.
 * @example
 * import { batchedNms } from '@nn/vision';
 * const boxes = [0, 0, 10, 10, 1, 1, 10, 10];
 * console.log(batchedNms(boxes, [0.8, 0.9], [1, 2], 0.5)); // => Int32Array(2) [ 1, 0 ]
 */
export function batchedNms(
  boxes: ArrayLike<number>,
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  iouThreshold: number,
): Int32Array<ArrayBuffer> {
  checkLists('batchedNms', boxes, { scores, labels });
  return suppressed('batchedNms', boxes, scores, (i) => labels[i]!, iouThreshold);
}

function suppressed(
  operation: string,
  boxes: ArrayLike<number>,
  scores: ArrayLike<number>,
  labelOf: (i: number) => number,
  iouThreshold: number,
): Int32Array<ArrayBuffer> {
  const strange = Array.prototype.findIndex.call(scores, (score: number) => Number.isNaN(score));
  if (strange >= 0)
    throw new ValueError(operation, `score ${strange} is NaN: boxes cannot be put in order.`, { strange });
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const areas = Float64Array.from(order, (_, i) => side(boxes, i, 0) * side(boxes, i, 1));
  const kept: number[] = [];
  const keptOfLabel = new Map<number, number[]>();
  for (const i of order) {
    const label = labelOf(i);
    const rivals = keptOfLabel.get(label) ?? [];
    if (rivals.some((k) => overlap(boxes, areas, k, i) > iouThreshold)) continue;
    kept.push(i);
    rivals.push(i);
    keptOfLabel.set(label, rivals);
  }
  return Int32Array.from(kept);
}

const side = (boxes: ArrayLike<number>, i: number, axis: 0 | 1): number =>
  boxes[4 * i + axis + 2]! - boxes[4 * i + axis]!;

/** Intersection over union of two boxes of the list. */
function overlap(boxes: ArrayLike<number>, areas: Float64Array, a: number, b: number): number {
  const shared = (axis: 0 | 1): number =>
    Math.max(
      0,
      Math.min(boxes[4 * a + axis + 2]!, boxes[4 * b + axis + 2]!) -
        Math.max(boxes[4 * a + axis]!, boxes[4 * b + axis]!),
    );
  const inside = shared(0) * shared(1);
  return inside / (areas[a]! + areas[b]! - inside);
}
