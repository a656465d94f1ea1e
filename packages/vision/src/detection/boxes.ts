/**
 * Arithmetic on boxes, on the device and differentiable: forms, areas, cutting, how much two boxes have in common. A box is left, top, right, bottom
 * in pixels from the upper left corner unless a form says otherwise; `nms` and matching, which choose among boxes, stand beside this file.
 */
import { atan, checkOptions, concat, ShapeError, type Tensor, ValueError, where } from '@nn/core';
import type { Reduction } from '@nn/layers';
import type { Size } from '../images/image.ts';

/** Corners; upper left corner and size; middle and size. Named as in torchvision. */
export type BoxForm = 'xyxy' | 'xywh' | 'cxcywh';

/** The four columns of boxes [..., 4], each [..., 1]. */
function columnsOf(operation: string, boxes: Tensor): [Tensor, Tensor, Tensor, Tensor] {
  if (boxes.rank === 0 || boxes.shape.at(-1) !== 4) {
    throw new ShapeError(operation, `boxes have four numbers each, [..., 4]; got [${boxes.shape.join(', ')}].`, {
      shape: boxes.shape,
    });
  }
  // the cast: four pieces of one column
  return boxes.split(4, -1) as [Tensor, Tensor, Tensor, Tensor];
}

/**
 * Boxes [..., 4] in another form, as torchvision's `box_convert`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { boxConvert } from '@nn/vision';
 * console.log(await boxConvert(tensor([[10, 20, 30, 60]]), 'xyxy', 'cxcywh').array(2)); // => [ [ 20, 40, 20, 40 ] ]
 */
export function boxConvert(boxes: Tensor, from: BoxForm, to: BoxForm): Tensor {
  const forms: readonly string[] = ['xyxy', 'xywh', 'cxcywh'];
  const unknown = [from, to].find((form) => !forms.includes(form));
  if (unknown !== undefined) throw new ValueError('boxConvert', `no form ${unknown}: ${forms.join(', ')}.`);
  if (from === to) return boxes;
  const [a, b, c, d] = columnsOf('boxConvert', boxes);
  let corners = [a, b, c, d];
  if (from === 'xywh') corners = [a, b, a.add(c), b.add(d)];
  if (from === 'cxcywh') {
    const [half, tall] = [c.mul(0.5), d.mul(0.5)];
    corners = [a.sub(half), b.sub(tall), a.add(half), b.add(tall)];
  }
  const [left, top, right, bottom] = corners as [Tensor, Tensor, Tensor, Tensor];
  const size = [right.sub(left), bottom.sub(top)];
  if (to === 'xywh') return concat([left, top, ...size], -1);
  if (to === 'cxcywh') return concat([left.add(right).div(2), top.add(bottom).div(2), ...size], -1);
  return concat(corners, -1);
}

/**
 * Width times height of boxes [..., 4]: [...].
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { boxArea } from '@nn/vision';
 * console.log(await boxArea(tensor([[10, 20, 30, 60]])).array()); // => [ 800 ]
 */
export function boxArea(boxes: Tensor): Tensor {
  return areaOf(columnsOf('boxArea', boxes)).squeeze(-1);
}

const areaOf = ([left, top, right, bottom]: readonly [Tensor, Tensor, Tensor, Tensor]): Tensor =>
  right.sub(left).mul(bottom.sub(top));

/**
 * Boxes [..., 4] cut at the edges of a picture; those that lie outside are left without an area.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { clipBoxesToImage } from '@nn/vision';
 * const boxes = clipBoxesToImage(tensor([[-5, 10, 50, 90]]), { width: 40, height: 80 });
 * console.log(await boxes.array(2)); // => [ [ 0, 10, 40, 80 ] ]
 */
export function clipBoxesToImage(boxes: Tensor, { width, height }: Size): Tensor {
  const [left, top, right, bottom] = columnsOf('clipBoxesToImage', boxes);
  const cut = [left.clamp(0, width), top.clamp(0, height), right.clamp(0, width), bottom.clamp(0, height)];
  return concat(cut, -1);
}

/** What two boxes have in common, by broadcasting; everything else is made of it. */
function compared(operation: string, a: Tensor, b: Tensor) {
  const [one, other] = [columnsOf(operation, a), columnsOf(operation, b)];
  const [left, top, right, bottom] = one;
  const [left2, top2, right2, bottom2] = other;
  const width = right.minimum(right2).sub(left.maximum(left2)).clamp(0, null);
  const height = bottom.minimum(bottom2).sub(top.maximum(top2)).clamp(0, null);
  const inside = width.mul(height);
  const union = areaOf(one).add(areaOf(other)).sub(inside);
  // of the smallest box around both
  const across = right.maximum(right2).sub(left.minimum(left2));
  const along = bottom.maximum(bottom2).sub(top.minimum(top2));
  return {
    inside,
    union,
    around: () => across.mul(along),
    /** The squared distance of the middles over the squared diagonal around both. */
    distance: (epsilon: number) => {
      const x = left.add(right).sub(left2.add(right2)).div(2);
      const y = top.add(bottom).sub(top2.add(bottom2)).div(2);
      return x.square().add(y.square()).div(across.square().add(along.square()).add(epsilon));
    },
    /** v = 4 / pi^2 (atan(w / h) - atan(w' / h'))^2: how much the shapes differ. */
    shapes: () => {
      const slope = ([l, t, r, d]: readonly Tensor[]): Tensor => atan(r!.sub(l!).div(d!.sub(t!)));
      return slope(one)
        .sub(slope(other))
        .square()
        .mul(4 / Math.PI ** 2);
    },
  };
}

/** Every box of [N, 4] with every box of [M, 4]: [N, M]. */
function pairs(
  operation: string,
  a: Tensor,
  b: Tensor,
  measure: (parts: ReturnType<typeof compared>, iou: Tensor) => Tensor,
): Tensor {
  if (a.rank !== 2 || b.rank !== 2) {
    throw new ShapeError(
      operation,
      `takes boxes [N, 4] and [M, 4], got [${a.shape.join(', ')}] and [${b.shape.join(', ')}].`,
    );
  }
  const parts = compared(operation, a.unsqueeze(1), b.unsqueeze(0));
  return measure(parts, parts.inside.div(parts.union)).squeeze(-1);
}

/**
 * Intersection over union of every box of [N, 4] with every box of [M, 4]: [N, M], 0 to 1.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { boxIou } from '@nn/vision';
 * console.log(await boxIou(tensor([[0, 0, 2, 2]]), tensor([[1, 0, 3, 2], [0, 0, 2, 1]])).array(2)); // => [ [ 0.3333333432674408, 0.5 ] ]
 */
export const boxIou = (a: Tensor, b: Tensor): Tensor => pairs('boxIou', a, b, (_, iou) => iou);

/** Intersection over union less the empty share of the smallest box around both, -1 to 1: [N, M] (Rezatofighi et al. 2019). */
export const generalizedBoxIou = (a: Tensor, b: Tensor): Tensor =>
  pairs('generalizedBoxIou', a, b, ({ around, union }, iou) => iou.sub(around().sub(union).div(around())));

/** Intersection over union less the squared distance of the middles over the squared diagonal around both: [N, M] (Zheng et al. 2020). */
export const distanceBoxIou = (a: Tensor, b: Tensor): Tensor =>
  pairs('distanceBoxIou', a, b, ({ distance }, iou) => iou.sub(distance(1e-7)));

/** The same, less how much the shapes differ: [N, M] (Zheng et al. 2020). */
export const completeBoxIou = (a: Tensor, b: Tensor): Tensor =>
  pairs('completeBoxIou', a, b, ({ distance, shapes }, iou) =>
    iou.sub(distance(1e-7)).sub(weighedShapes(shapes(), iou)),
  );

/** alpha v with alpha = v / (1 - iou + v), through which no gradient runs. */
const weighedShapes = (v: Tensor, iou: Tensor): Tensor => v.mul(v.div(v.sub(iou).add(1 + 1e-7)).stopGradient());

export interface BoxLossOptions {
  /** 'none' where not given, as in torchvision. */
  readonly reduction?: Reduction;
}

/** Boxes [..., 4] with boxes of the same shape. */
function paired(
  operation: string,
  prediction: Tensor,
  target: Tensor,
  options: BoxLossOptions,
  measure: (parts: ReturnType<typeof compared>, iou: Tensor) => Tensor,
): Tensor {
  checkOptions(operation, options, ['reduction']);
  if (prediction.shape.join() !== target.shape.join()) {
    throw new ShapeError(
      operation,
      `prediction and target differ: [${prediction.shape.join(', ')}] and [${target.shape.join(', ')}].`,
    );
  }
  const parts = compared(operation, prediction, target);
  const losses = measure(parts, parts.inside.div(parts.union.add(1e-7))).squeeze(-1);
  const { reduction = 'none' } = options;
  if (reduction === 'none') return losses;
  // the mean of no boxes is 0, not NaN
  return reduction === 'sum' || losses.size === 0 ? losses.sum() : losses.mean();
}

/**
 * 1 - the generalised intersection over union of boxes [..., 4] with as many others: [...], 0 to 2.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { generalizedBoxIouLoss } from '@nn/vision';
 * const loss = generalizedBoxIouLoss(tensor([[0, 0, 2, 2]]), tensor([[2, 0, 4, 2]]), { reduction: 'mean' });
 * console.log((await loss.item()).toFixed(3)); // => 1.000
 */
export const generalizedBoxIouLoss = (prediction: Tensor, target: Tensor, options: BoxLossOptions = {}): Tensor =>
  paired('generalizedBoxIouLoss', prediction, target, options, ({ around, union }, iou) =>
    around().sub(union).div(around().add(1e-7)).sub(iou).add(1),
  );

/** 1 - the distance intersection over union of boxes [..., 4] with as many others: [...]. */
export const distanceBoxIouLoss = (prediction: Tensor, target: Tensor, options: BoxLossOptions = {}): Tensor =>
  paired('distanceBoxIouLoss', prediction, target, options, ({ distance }, iou) => distance(1e-7).sub(iou).add(1));

/** 1 - the complete intersection over union of boxes [..., 4] with as many others: [...]. */
export const completeBoxIouLoss = (prediction: Tensor, target: Tensor, options: BoxLossOptions = {}): Tensor =>
  paired('completeBoxIouLoss', prediction, target, options, ({ distance, shapes }, iou) =>
    distance(1e-7).sub(iou).add(1).add(weighedShapes(shapes(), iou)),
  );

/**
 * The smallest boxes that hold what is not 0 in masks [N, height, width]: [N, 4], from the first to the last pixel, as torchvision's; 0 for an empty
 * mask. Add 1 to right and bottom for the edges that boxes elsewhere have.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { masksToBoxes } from '@nn/vision';
 * console.log(await masksToBoxes(tensor([[[0, 0, 0], [0, 1, 1]]])).array(2)); // => [ [ 1, 1, 2, 1 ] ]
 */
export function masksToBoxes(masks: Tensor): Tensor {
  const [, height, width] = masks.shape as [number, number, number];
  if (masks.rank !== 3) {
    throw new ShapeError('masksToBoxes', `takes masks [N, height, width], got [${masks.shape.join(', ')}].`);
  }
  const isSet = masks.notEqual(0);
  const ends = (axis: 1 | 2, length: number): readonly [Tensor, Tensor] => {
    const used = isSet.any(axis).cast('int32');
    return [
      used.argMax(1),
      used
        .flip(1)
        .argMax(1)
        .neg()
        .add(length - 1),
    ];
  };
  const [[left, right], [top, bottom]] = [ends(1, width), ends(2, height)];
  const boxes = concat(
    [left, top, right, bottom].map((each) => each.unsqueeze(1).cast('float32')),
    1,
  );
  return where(isSet.any([1, 2]).unsqueeze(1), boxes, 0);
}
