/**
 * SSD-lite: a detector in one pass. Maps of features from coarse pictures to whole ones; at each place of each map, for each default box, a class and how
 * the box is to be moved. Names, default boxes, loss and what is done with the answers are torchvision's `ssdlite320_mobilenet_v3_large`.
 */
import {
  checkOptions,
  concat,
  evaluate,
  interpolate,
  isTensor,
  ShapeError,
  type Tensor,
  tensor,
  walkTree,
  where,
  zeros,
} from '@nn/core';
import { type BatchNormOptions, Conv2d, crossEntropy, type LayerLike, ReLU6, Sequential, smoothL1 } from '@nn/layers';
import type { Boxes } from '../augment/transform.ts';
import { type Image, imageTensor, type Size } from '../images/image.ts';
import { featuresV3, type InvertedResidual } from '../models/mobilenet.ts';
import { convNorm, convolution, drawn, Stack } from '../models/parts.ts';
import { boxesPerPlace, type DefaultBoxOptions, decodeBoxes, defaultBoxes, encodeBoxes } from './anchors.ts';
import { clipBoxesToImage } from './boxes.ts';
import { batchedNms } from './suppression.ts';

/** What a detector looks at: several maps of features, the finest first. Write one of your own, or take that of a `ssdLite...` function. */
export interface FeatureMaps {
  /** Of each map. */
  readonly channels: readonly number[];
  /** [N, 3, height, width] to one [N, channels, height, width] for each map. */
  maps(x: Tensor): readonly Tensor[];
}

/** What was found on a picture: boxes in its pixels, classes, and how sure the network is, the best first. */
export interface Detections extends Boxes {
  /** [count], 0 to 1. */
  readonly scores: Float32Array;
}

/** What a detector answers for each default box. */
export interface SsdOutput {
  /** [N, anchors, classes]; class 0 is the background. */
  readonly logits: Tensor;
  /** [N, anchors, 4]: how the default boxes are to be moved. */
  readonly codes: Tensor;
}

export interface DetectOptions {
  /** Boxes that are less sure are not looked at; 0.001 where not given. */
  readonly scoreThreshold?: number;
  /** Of two boxes of a class with more in common than this the better one stays; 0.55 where not given. */
  readonly iouThreshold?: number;
  /** Boxes of each class that are looked at, the best ones; 300 where not given. */
  readonly candidates?: number;
  /** Boxes that are found at the most; 300 where not given. */
  readonly detections?: number;
}

export interface SsdLiteOptions {
  readonly backbone: FeatureMaps;
  /** With the background, which is class 0. */
  readonly classes: number;
  /** Of the pictures that go in. */
  readonly size: Size;
  /** Ratios 2 and 3 for each map, scales from 0.2 to 0.95 where not given. */
  readonly boxes?: DefaultBoxOptions;
  /** Of the channels, 0 to 1; 0.5 and 0.5 where not given. */
  readonly mean?: readonly number[];
  readonly standardDeviation?: readonly number[];
  readonly norm?: BatchNormOptions;
  /** Background that counts in the loss, for each box that is to be found: the three worst where not given. */
  readonly negatives?: number;
}

/** Draws the convolutions below from a normal distribution of deviation 0.03, as torchvision's detector does. */
function redraw(blocks: object): void {
  walkTree(blocks, (value) => {
    if (value instanceof Conv2d) value.weight = drawn(value.weight.shape, 0.03);
    return true;
  });
}

/** For each map a convolution of each channel alone, then one across the channels: `count` answers for each of the map's boxes. */
class ScoringHead {
  readonly moduleList: readonly Sequential[];
  readonly #count: number;

  constructor(channels: readonly number[], places: readonly number[], count: number, norm: BatchNormOptions) {
    const activation = new ReLU6();
    this.moduleList = channels.map(
      (inputs, k) =>
        new Sequential(
          convNorm(inputs, inputs, 3, { groups: inputs, activation, norm }),
          convolution(inputs, count * places[k]!, 1, { bias: true }),
        ),
    );
    this.#count = count;
    redraw(this.moduleList);
  }

  /** Maps [N, channels, height, width] to [N, anchors, count]. */
  forward(maps: readonly Tensor[]): Tensor {
    const answers = maps.map((map, k) => {
      const y = this.moduleList[k]!.forward(map);
      const [batch, channels, height, width] = y.shape as [number, number, number, number];
      const count = this.#count;
      return y
        .reshape([batch, channels / count, count, height, width])
        .permute([0, 3, 4, 1, 2])
        .reshape([batch, -1, count]);
    });
    return concat(answers, 1);
  }
}

/**
 * A detector of boxes in one pass over maps of features (Liu et al. 2016, with the light heads of Sandler et al. 2018). Train with `matchBoxes` in the
 * pipeline and `loss` in the step; `detect` finds.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend, type Tensor, zeros } from '@nn/core';
 * import { Conv2d } from '@nn/layers';
 * import { SsdLite } from '@nn/vision';
 * setDefaultBackend(cpu());
 * class Features {
 *   channels = [4, 8];
 *   first = new Conv2d(3, 4, 3, { stride: 8, padding: 1 });
 *   second = new Conv2d(4, 8, 3, { stride: 2, padding: 1 });
 *   maps(x: Tensor) {
 *     const fine = this.first.forward(x).relu();
 *     return [fine, this.second.forward(fine).relu()];
 *   }
 * }
 * const model = new SsdLite({ backbone: new Features(), classes: 3, size: { width: 32, height: 32 } });
 * const { logits } = model.forward(zeros([1, 3, 32, 32]));
 * console.log(logits.shape, model.anchors.length); // => [ 1, 120, 3 ] 480
 */
export class SsdLite {
  readonly backbone: FeatureMaps;
  readonly head: { readonly classificationHead: ScoringHead; readonly regressionHead: ScoringHead };
  /** [anchors * 4]: the default boxes, left, top, right, bottom in pixels of `size`, for `matchBoxes`. */
  readonly anchors: Float32Array<ArrayBuffer>;
  readonly size: Size;
  readonly #scale: { readonly mean: readonly number[]; readonly standardDeviation: readonly number[] };
  readonly #negatives: number;

  constructor(options: SsdLiteOptions) {
    checkOptions('SsdLite', options, [
      ...['backbone', 'classes', 'size', 'boxes', 'mean', 'standardDeviation', 'norm', 'negatives'],
    ]);
    const { backbone, classes, size, norm = { epsilon: 0.001, momentum: 0.03 }, negatives = 3 } = options;
    const { mean = [0.5, 0.5, 0.5], standardDeviation = [0.5, 0.5, 0.5] } = options;
    const { channels } = backbone;
    const boxes = options.boxes ?? { aspectRatios: channels.map(() => [2, 3]), minRatio: 0.2, maxRatio: 0.95 };
    const places = boxesPerPlace(boxes.aspectRatios);
    this.backbone = backbone;
    this.size = { width: size.width, height: size.height };
    this.#scale = { mean, standardDeviation };
    this.#negatives = negatives;
    // shapes alone: nothing is computed
    const maps = evaluate(() => backbone.maps(zeros([1, mean.length, size.height, size.width])));
    const found = maps.map((map) => map.shape[1]);
    if (found.join() !== channels.join()) {
      throw new ShapeError(
        'SsdLite',
        `the backbone's maps have ${found.join(', ')} channels, it says ${channels.join(', ')}.`,
      );
    }
    this.anchors = defaultBoxes(
      maps.map(({ shape }) => ({ height: shape[2]!, width: shape[3]! })),
      size,
      boxes,
    );
    this.head = {
      classificationHead: new ScoringHead(channels, places, classes, norm),
      regressionHead: new ScoringHead(channels, places, 4, norm),
    };
  }

  /** Pictures [N, 3, height, width] of 0 to 1, of the detector's size. Throws a `ShapeError` for another. */
  forward(images: Tensor): SsdOutput {
    const { width, height } = this.size;
    const { mean, standardDeviation } = this.#scale;
    if (images.rank !== 4 || images.shape[2] !== height || images.shape[3] !== width) {
      throw new ShapeError(
        'SsdLite',
        `takes pictures [N, ${mean.length}, ${height}, ${width}], got [${images.shape.join(', ')}]: resize them, or use detect.`,
        { shape: images.shape },
      );
    }
    const row = (numbers: readonly number[]): Tensor =>
      tensor([...numbers], { dtype: 'float32' }).reshape([1, -1, 1, 1]);
    const maps = this.backbone.maps(images.sub(row(mean)).div(row(standardDeviation)));
    return { logits: this.head.classificationHead.forward(maps), codes: this.head.regressionHead.forward(maps) };
  }

  /**
   * What to make small: `classification` is the cross entropy of the boxes that are to be found and of the worst background, `regression` the smooth L1
   * distance of the codes, both over the number of boxes to be found. Add them up.
   *
   * @param targets - Batches of the fields of `matchBoxes`: labels [N, anchors], corners [N, anchors, 4].
   */
  loss(
    { logits, codes }: SsdOutput,
    { labels, corners }: { readonly labels: Tensor; readonly corners: Tensor },
  ): { readonly classification: Tensor; readonly regression: Tensor } {
    const [batch, anchors, classes] = logits.shape as [number, number, number];
    if (labels.shape.join() !== `${batch},${anchors}` || corners.shape.join() !== `${batch},${anchors},4`) {
      throw new ShapeError(
        'SsdLite.loss',
        `${batch} pictures of ${anchors} default boxes take labels [${batch}, ${anchors}] and corners [${batch}, ${anchors}, 4], got [${labels.shape.join(', ')}] and [${corners.shape.join(', ')}]: matchBoxes makes them.`,
      );
    }
    const isBox = labels.greater(0);
    const count = isBox.cast('float32').sum().maximum(1);
    const apart = smoothL1(codes, encodeBoxes(corners, this.#anchorTensor()), { reduction: 'none' }).sum(-1);
    const losses = crossEntropy(logits.reshape([-1, classes]), labels.reshape([-1]), { reduction: 'none' }).reshape([
      batch,
      anchors,
    ]);
    // the rank of each background among the worst of its picture; boxes come last
    const wrong = where(isBox, -1, losses.stopGradient());
    const rank = wrong.argSort(1, { descending: true }).argSort(1);
    const limit = isBox.cast('int32').sum(1, { keepAxes: true }).mul(this.#negatives);
    const counts = isBox.logicalOr(rank.less(limit));
    return {
      classification: where(counts, losses, 0).sum().div(count),
      regression: where(isBox, apart, 0).sum().div(count),
    };
  }

  #anchorTensor(): Tensor {
    return tensor(this.anchors, { shape: [this.anchors.length / 4, 4] });
  }

  /**
   * What is on pictures of any size, each made to fit as torchvision does: boxes above the score, the best of each class, those dropped that a better
   * one covers. Boxes are in pixels of the picture as it was.
   *
   * @param images - Pictures, or a batch [N, 3, height, width] of 0 to 1.
   */
  async detect(images: Tensor | readonly Image[], options: DetectOptions = {}): Promise<Detections[]> {
    checkOptions('detect', options, ['scoreThreshold', 'iouThreshold', 'candidates', 'detections']);
    const { width, height } = this.size;
    const each = isTensor(images) ? [images] : images.map((image) => imageTensor([image]));
    const sizes = each.flatMap(({ shape }) =>
      Array.from({ length: shape[0]! }, () => ({ height: shape[2]!, width: shape[3]! })),
    );
    if (sizes.length === 0) return [];
    const fitted = each.map((x) =>
      x.shape[2] === height && x.shape[3] === width ? x : interpolate(x, { size: [height, width], mode: 'bilinear' }),
    );
    const [scores, corners] = evaluate(() => {
      const { logits, codes } = this.forward(concat(fitted, 0));
      const boxes = clipBoxesToImage(decodeBoxes(codes, this.#anchorTensor()), this.size);
      return [logits.softmax(-1), boxes];
    });
    const [chances, places] = await Promise.all([scores.data('float32'), corners.data('float32')]);
    const classes = scores.shape[2]!;
    const count = this.anchors.length / 4;
    return sizes.map((size, n) => {
      const found = best(
        chances.subarray(n * count * classes, (n + 1) * count * classes),
        places.subarray(4 * n * count, 4 * (n + 1) * count),
        classes,
        options,
      );
      const [x, y] = [size.width / width, size.height / height];
      return { ...found, corners: found.corners.map((value, i) => value * (i % 2 === 0 ? x : y)) };
    });
  }
}

/** The boxes of one picture that stay. */
function best(scores: Float32Array, corners: Float32Array, classes: number, options: DetectOptions): Detections {
  const { scoreThreshold = 0.001, iouThreshold = 0.55, candidates = 300, detections = 300 } = options;
  const [anchors, labels]: [number[], number[]] = [[], []];
  const scoreOf = (anchor: number, label: number): number => scores[anchor * classes + label]!;
  for (let label = 1; label < classes; label++) {
    const above: number[] = [];
    for (let a = 0; a < scores.length / classes; a++) if (scoreOf(a, label) > scoreThreshold) above.push(a);
    above.sort((a, b) => scoreOf(b, label) - scoreOf(a, label) || a - b);
    for (const a of above.slice(0, candidates)) {
      anchors.push(a);
      labels.push(label);
    }
  }
  const each = anchors.map((a, i) => scoreOf(a, labels[i]!));
  const boxes = anchors.flatMap((a) => Array.from(corners.subarray(4 * a, 4 * a + 4)));
  const kept = batchedNms(boxes, each, labels, iouThreshold).subarray(0, detections);
  return {
    corners: Float32Array.from([...kept].flatMap((i) => boxes.slice(4 * i, 4 * i + 4))),
    labels: Int32Array.from(kept, (i) => labels[i]!),
    scores: Float32Array.from(kept, (i) => each[i]!),
  };
}

/** MobileNet v3's features, cut before the last halving is filtered, and four blocks that halve further. */
class MobileNetMaps implements FeatureMaps {
  readonly channels: readonly number[];
  readonly features: readonly LayerLike[];
  readonly extra: readonly Sequential[];

  constructor(norm: BatchNormOptions, reducedTail: boolean) {
    const layers = featuresV3('large', norm, reducedTail);
    // the last block with a stride, whose first convolution still has the finer map
    const cut = 13;
    // the cast: the layers between the first and the last are blocks
    const { block } = layers[cut] as InvertedResidual;
    const [widen, ...rest] = block.layers as [LayerLike, ...LayerLike[]];
    const tail = new Stack(Object.fromEntries(rest.map((layer, k) => [String(k + 1), layer])));
    const coarse = reducedTail ? 480 : 960;
    this.channels = [672, coarse, 512, 256, 256, 128];
    this.features = [new Sequential(...layers.slice(0, cut), widen), new Sequential(tail, ...layers.slice(cut + 1))];
    const activation = new ReLU6();
    this.extra = this.channels.slice(2).map((outputs, k) => {
      const inside = outputs / 2;
      return new Sequential(
        convNorm(this.channels[k + 1]!, inside, 1, { activation, norm }),
        convNorm(inside, inside, 3, { stride: 2, groups: inside, activation, norm }),
        convNorm(inside, outputs, 1, { activation, norm }),
      );
    });
    redraw(this);
  }

  maps(x: Tensor): Tensor[] {
    const found: Tensor[] = [];
    for (const layer of [...this.features, ...this.extra]) {
      const input = found.at(-1) ?? x;
      found.push(typeof layer === 'function' ? layer(input) : layer.forward(input));
    }
    return found;
  }
}

export interface SsdLite320Options {
  /** With the background; COCO's 91 where not given. */
  readonly classes?: number;
  /** Half the channels at the end, as torchvision's weights have; true where not given. */
  readonly reducedTail?: boolean;
}

/** Howard et al. (2019) with the heads of Sandler et al. (2018), as torchvision's `ssdlite320_mobilenet_v3_large`, whose weights load. */
export function ssdLite320MobileNetV3Large(options: SsdLite320Options = {}): SsdLite {
  checkOptions('ssdLite320MobileNetV3Large', options, ['classes', 'reducedTail']);
  const { classes = 91, reducedTail = true } = options;
  const norm = { epsilon: 0.001, momentum: 0.03 };
  const backbone = new MobileNetMaps(norm, reducedTail);
  return new SsdLite({ backbone, classes, norm, size: { width: 320, height: 320 } });
}
