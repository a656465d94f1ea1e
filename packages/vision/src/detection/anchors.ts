/**
 * Between boxes and what a detector computes: the default boxes of its places, which of them answers for which box (on the host, in the map of a
 * pipeline), and boxes as codes relative to them (on the device).
 */
import { checkOptions, concat, ShapeError, type Tensor, ValueError } from '@nn/core';
import type { DataArray } from '@nn/data';
import type { Boxes } from '../augment/transform.ts';
import type { Size } from '../images/image.ts';
import { boxConvert } from './boxes.ts';

export interface DefaultBoxOptions {
  /** For each map the ratios of width to height beside 1; each gives a box and the same turned by a right angle. */
  readonly aspectRatios: readonly (readonly number[])[];
  /** Scales of the first and the last map as shares of the picture; 0.15 and 0.9 where not given. */
  readonly minRatio?: number;
  readonly maxRatio?: number;
  /** Scales of all maps and one more, instead of the two above. */
  readonly scales?: readonly number[];
  /** Pixels from place to place of each map, where they are not the picture's size by the map's. */
  readonly steps?: readonly number[];
  /** Whether boxes are no larger than the picture; true where not given. */
  readonly clip?: boolean;
}

/** How many boxes each place of a map has: two of ratio 1, two for each other ratio. */
export const boxesPerPlace = (aspectRatios: DefaultBoxOptions['aspectRatios']): number[] =>
  aspectRatios.map((ratios) => 2 + 2 * ratios.length);

/**
 * The default boxes of SSD (Liu et al. 2016, section 2.2), left, top, right, bottom in pixels, one after the other: map by map, row by row. Scale k of m is
 * min + (max - min) k / (m - 1), the second box of ratio 1 has the scale sqrt(s_k s_(k + 1)). Equals torchvision's `DefaultBoxGenerator`. Throws a
 * `ValueError` where the lists do not fit the maps.
 *
 * @param maps - Height and width of each map of features.
 * @example
 * import { defaultBoxes } from '@nn/vision';
 * const boxes = defaultBoxes([{ width: 2, height: 1 }], { width: 100, height: 50 }, { aspectRatios: [[]], scales: [0.2, 0.2] });
 * console.log(Array.from(boxes.subarray(0, 4), Math.round).join()); // => 15,20,35,30
 */
export function defaultBoxes(
  maps: readonly Size[],
  image: Size,
  options: DefaultBoxOptions,
): Float32Array<ArrayBuffer> {
  checkOptions('defaultBoxes', options, ['aspectRatios', 'minRatio', 'maxRatio', 'scales', 'steps', 'clip']);
  const { aspectRatios, minRatio = 0.15, maxRatio = 0.9, steps, clip = true } = options;
  const count = aspectRatios.length;
  const scales = options.scales ?? ramp(minRatio, maxRatio, count);
  for (const [what, length, wanted] of [
    ['maps', maps.length, count],
    ['scales', scales.length, count + 1],
    ['steps', steps?.length ?? count, count],
  ] as const) {
    if (length === wanted) continue;
    throw new ValueError('defaultBoxes', `${count} lists of aspect ratios take ${wanted} ${what}, got ${length}.`);
  }
  const boxes: number[] = [];
  maps.forEach(({ width, height }, k) => {
    const [scale, next] = [scales[k]!, scales[k + 1]!];
    const between = Math.sqrt(scale * next);
    const turned = aspectRatios[k]!.flatMap((ratio) => {
      const [w, h] = [scale * Math.sqrt(ratio), scale / Math.sqrt(ratio)];
      return [
        [w, h],
        [h, w],
      ] as const;
    });
    const sizes = [[scale, scale], [between, between], ...turned].map((size) =>
      size.map((share) => (clip ? Math.min(1, Math.max(0, share!)) : share!)),
    );
    const [across, along] = steps ? [image.width / steps[k]!, image.height / steps[k]!] : [width, height];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [middleX, middleY] = [(x + 0.5) / across, (y + 0.5) / along];
        for (const [w, h] of sizes as [number, number][]) {
          const corners = [middleX - w / 2, middleY - h / 2, middleX + w / 2, middleY + h / 2];
          boxes.push(...corners.map((share, i) => share * (i % 2 === 0 ? image.width : image.height)));
        }
      }
    }
  });
  return Float32Array.from(boxes);
}

/** Scales from low to high, and 1; of one map both. */
function ramp(low: number, high: number, count: number): number[] {
  if (count === 1) return [low, high];
  return [...Array.from({ length: count }, (_, k) => low + ((high - low) * k) / (count - 1)), 1];
}

/** Fields of a sample for each default box, as a pipeline batches them. */
export interface MatchedBoxes {
  /** [anchors]: the class to answer, 0 where there is nothing. */
  readonly labels: DataArray<Int32Array<ArrayBuffer>>;
  /** [anchors, 4]: the box to answer; where there is nothing, the default box itself. */
  readonly corners: DataArray<Float32Array<ArrayBuffer>>;
}

/**
 * Which default box answers for which box of a picture, as torchvision's `SSDMatcher`: each answers for the box that it covers best if intersection
 * over union is at least `iouThreshold`, and each box has the default box that covers it best. Classes count from 1: 0 is the background. For the map of
 * a pipeline; the fields go to the `loss` of a detector.
 *
 * @param anchors - Left, top, right, bottom one after the other: `anchors` of a detector.
 * @example
 * import { matchBoxes } from '@nn/vision';
 * const anchors = new Float32Array([0, 0, 10, 10, 10, 0, 20, 10]);
 * const { labels, corners } = matchBoxes(anchors, { corners: new Float32Array([11, 0, 20, 9]), labels: new Int32Array([3]) });
 * console.log(labels.data, corners.data.slice(4)); // => Int32Array(2) [ 0, 3 ] Float32Array(4) [ 11, 0, 20, 9 ]
 */
export function matchBoxes(
  anchors: Float32Array,
  boxes: Boxes,
  { iouThreshold = 0.5 }: { readonly iouThreshold?: number } = {},
): MatchedBoxes {
  const count = anchors.length / 4;
  if (boxes.corners.length !== 4 * boxes.labels.length) {
    throw new ShapeError(
      'matchBoxes',
      `${boxes.corners.length} numbers are not four for each of ${boxes.labels.length} labels.`,
    );
  }
  const labels = new Int32Array(count);
  const corners = Float32Array.from(anchors);
  const best = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  const matches = new Int32Array(count).fill(-1);
  const bestAnchors = Array.from(boxes.labels, (label, n) => {
    const [left, top, right, bottom] = boxes.corners.subarray(4 * n, 4 * n + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    if (!(label >= 1) || !(right > left && bottom > top)) {
      const what = label >= 1 ? 'has no area' : `is of class ${label}, which is the background: classes count from 1`;
      throw new ValueError('matchBoxes', `box ${n}, ${[left, top, right, bottom].join(' ')}, ${what}.`, { index: n });
    }
    let [chosen, most] = [0, Number.NEGATIVE_INFINITY];
    for (let a = 0; a < count; a++) {
      const at = 4 * a;
      const [l, t, r, b] = [anchors[at]!, anchors[at + 1]!, anchors[at + 2]!, anchors[at + 3]!];
      const width = Math.max(0, Math.min(right, r) - Math.max(left, l));
      const inside = width * Math.max(0, Math.min(bottom, b) - Math.max(top, t));
      const iou = inside / ((right - left) * (bottom - top) + (r - l) * (b - t) - inside);
      if (iou > most) [chosen, most] = [a, iou];
      if (iou > best[a]!) {
        best[a] = iou;
        matches[a] = iou >= iouThreshold ? n : -1;
      }
    }
    return chosen;
  });
  bestAnchors.forEach((a, n) => {
    matches[a] = n;
  });
  matches.forEach((n, a) => {
    if (n < 0) return;
    labels[a] = boxes.labels[n]!;
    corners.set(boxes.corners.subarray(4 * n, 4 * n + 4), 4 * a);
  });
  return { labels: { data: labels, shape: [count] }, corners: { data: corners, shape: [count, 4] } };
}

/** Factors of the codes, middle and size: 10, 10, 5, 5 in SSD. */
export type CodeWeights = readonly [x: number, y: number, width: number, height: number];
const codeWeights: CodeWeights = [10, 10, 5, 5];

/** More would make e^x of a code too large: boxes grow by 62.5 at the most, as in torchvision. */
const largest = Math.log(1000 / 16);

/** Middles and sizes [..., 2] of boxes [..., 4]. */
function middles(boxes: Tensor): readonly [Tensor, Tensor] {
  const [middle, size] = boxConvert(boxes, 'xyxy', 'cxcywh').split(2, -1);
  return [middle!, size!];
}

/** A row of two weights. */
const pair = (a: Tensor, by: readonly [number, number], how: 'mul' | 'div'): Tensor =>
  by[0] === by[1] ? a[how](by[0]) : a[how]([...by]);

/**
 * Boxes [..., 4] relative to default boxes [..., 4]: the way of the middles over the default box's size, and the logarithm of the sizes' ratio, each times
 * its weight (Ren et al. 2015). `decodeBoxes` is the way back.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { encodeBoxes } from '@nn/vision';
 * const codes = encodeBoxes(tensor([[5, 0, 15, 10]]), tensor([[0, 0, 10, 10]]));
 * console.log(await codes.array(2)); // => [ [ 5, 0, 0, 0 ] ]
 */
export function encodeBoxes(boxes: Tensor, anchors: Tensor, weights: CodeWeights = codeWeights): Tensor {
  const [[middle, size], [from, by]] = [middles(boxes), middles(anchors)];
  const [x, y, width, height] = weights;
  return concat([pair(middle.sub(from).div(by), [x, y], 'mul'), pair(size.div(by).log(), [width, height], 'mul')], -1);
}

/** Codes [..., 4] back to boxes [..., 4], left, top, right, bottom. */
export function decodeBoxes(codes: Tensor, anchors: Tensor, weights: CodeWeights = codeWeights): Tensor {
  const [moved, grown] = codes.split(2, -1);
  const [from, by] = middles(anchors);
  const [x, y, width, height] = weights;
  const middle = pair(moved!, [x, y], 'div').mul(by).add(from);
  const size = pair(grown!, [width, height], 'div').clamp(null, largest).exp().mul(by);
  return boxConvert(concat([middle, size], -1), 'cxcywh', 'xyxy');
}
