/**
 * What an augmentation is: three functions with one set of random numbers between them. `draw` makes the numbers of an element on the host, from
 * its own seed; `onHost` applies them to a picture of bytes, `onDevice` those of a whole batch to a tensor, as arithmetic that joins the program of
 * the step. So both places do the same, and neither the size of a batch nor the number of workers changes what an element gets.
 */
import { type Backend, randomValue, ShapeError, type Tensor, tensor, ValueError, where } from '@nn/core';
import { RandomSequence } from '@nn/data';
import type { Image, Size } from '../images/image.ts';

/** Rectangles on a picture with their classes. */
export interface Boxes {
  /** [count, 4]: left, top, right, bottom in pixels from the upper left corner of the picture. */
  readonly corners: Float32Array;
  readonly labels: Int32Array;
}

/** A picture with what is moved along: a mask of classes, boxes. */
export interface Pictured {
  readonly image: Image;
  /** The class of each pixel, one channel; it is never blended. */
  readonly mask?: Image;
  /** Boxes of which less than a pixel is left are dropped with their labels. */
  readonly boxes?: Boxes;
}

/** A batch on the device with what is moved along. */
export interface PicturedBatch {
  /** [N, channels, height, width], 0 to 1. */
  readonly images: Tensor;
  /** [N, channels, height, width]; never blended. */
  readonly masks?: Tensor;
  /** [N, classes]: soft labels, which `mixUp` and `cutMix` mix. */
  readonly targets?: Tensor;
}

/** An augmentation, or one of your own: `compose` and the policies take any. */
export interface Transform {
  readonly name: string;
  /** The size that comes of a size. */
  outputSize(size: Size): Size;
  /** How many numbers `draw` gives for a picture of this size. */
  count(size: Size): number;
  draw(random: RandomSequence, size: Size): ArrayLike<number>;
  onHost(sample: Pictured, drawn: ArrayLike<number>): Pictured;
  /** `drawn` is [N, count]. */
  onDevice(batch: PicturedBatch, drawn: Tensor): PicturedBatch;
}

/**
 * Augments one element on the host, for `map` of a pipeline: the fields that are no picture stay as they are.
 *
 * @example
 * import { RandomSequence } from '@nn/data';
 * import { augment, imageOf, randomFlip } from '@nn/vision';
 * const image = imageOf(new Uint8Array([1, 2, 3]), 3, 1, 1);
 * const { image: flipped, label } = augment(randomFlip({ horizontal: 1 }), { image, label: 7 }, new RandomSequence(1));
 * console.log(flipped.data, label); // => Uint8Array(3) [ 3, 2, 1 ] 7
 */
export function augment<S extends Pictured>(transform: Transform, sample: S, random: RandomSequence): S {
  const { image, mask } = sample;
  if (mask && (mask.width !== image.width || mask.height !== image.height)) {
    throw new ShapeError(
      'augment',
      `the mask is ${mask.width} x ${mask.height} pixels, the picture ${image.width} x ${image.height}.`,
    );
  }
  return { ...sample, ...transform.onHost(sample, transform.draw(random, image)) };
}

/** Which elements a batch holds: their numbers alone decide what is drawn. */
export interface DrawOptions {
  readonly seed?: number;
  readonly epoch?: number;
  /** `batch.indices` of a loader or pipeline. */
  readonly indices: ArrayLike<number>;
  readonly backend?: Backend;
}

/** A stream of its own; the streams of `@nn/data` stand below. */
const batchStream = 0x21000000;

/**
 * The random numbers of a batch, [N, count], for `onDevice`: drawn on the host, each element's from seed, epoch and its index. Draw outside of a compiled
 * step and pass the tensor in.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend, tensor } from '@nn/core';
 * import { drawBatch, randomFlip } from '@nn/vision';
 * setDefaultBackend(cpu());
 * const flip = randomFlip({ horizontal: 1 });
 * const images = tensor([[[[0, 0.5, 1]]]]);
 * const drawn = drawBatch(flip, { height: 1, width: 3 }, { seed: 1, indices: [0] });
 * console.log(await flip.onDevice({ images }, drawn).images.flatten().array()); // => [ 1, 0.5, 0 ]
 */
export function drawBatch(transform: Transform, size: Size, options: DrawOptions): Tensor {
  const { seed = 0, epoch = 0, indices, backend } = options;
  if (!Number.isInteger(seed) || !Number.isInteger(epoch) || epoch < 0) {
    throw new ValueError('drawBatch', `seed ${seed} and epoch ${epoch} must be whole numbers.`, { seed, epoch });
  }
  const count = transform.count(size);
  const values = new Float32Array(indices.length * count);
  const half = (k: number): number => Math.floor(randomValue(seed | 0, batchStream, 2 * epoch + k) * 65536);
  const seedOfEpoch = (half(0) << 16) | half(1);
  for (let n = 0; n < indices.length; n++) {
    values.set(Array.from(transform.draw(new RandomSequence(seedOfEpoch, indices[n]!), size)), n * count);
  }
  return tensor(values, { shape: [indices.length, count], borrow: true, ...(backend && { backend }) });
}

/** One after the other. */
export function compose(...transforms: readonly Transform[]): Transform {
  const sizes = (size: Size): Size[] => {
    const result = [size];
    for (const transform of transforms) result.push(transform.outputSize(result.at(-1)!));
    return result;
  };
  const counts = (size: Size): number[] => transforms.map((transform, i) => transform.count(sizes(size)[i]!));
  return {
    name: `compose(${transforms.map(({ name }) => name).join(', ')})`,
    outputSize: (size) => sizes(size).at(-1)!,
    count: (size) => counts(size).reduce((sum, each) => sum + each, 0),
    draw: (random, size) => {
      const each = sizes(size);
      return transforms.flatMap((transform, i) => Array.from(transform.draw(random, each[i]!)));
    },
    onHost(sample, drawn) {
      const numbers = Array.from(drawn);
      let at = 0;
      return transforms.reduce((value, transform) => {
        const count = transform.count(value.image);
        at += count;
        return transform.onHost(value, numbers.slice(at - count, at));
      }, sample);
    },
    onDevice(batch, drawn) {
      let at = 0;
      return transforms.reduce((value, transform) => {
        const count = transform.count(sizeOfBatch(value.images));
        at += count;
        return transform.onDevice(value, columns(drawn, at - count, at));
      }, batch);
    },
  };
}

/** With this chance, else the picture as it is. The size must stay. */
export function randomApply(transform: Transform, probability = 0.5): Transform {
  return oneOf([transform, identity()], [probability, 1 - probability], `randomApply(${transform.name})`);
}

/** Nothing. */
export function identity(): Transform {
  return {
    name: 'identity',
    outputSize: (size) => size,
    count: () => 0,
    draw: () => [],
    onHost: (sample) => sample,
    onDevice: (batch) => batch,
  };
}

/**
 * One of several, chosen for each element, all equally likely where no chances are given. On the device all are computed and one is taken. Throws a
 * `ShapeError` on use where they change the size in different ways.
 */
export function oneOf(transforms: readonly Transform[], chances?: readonly number[], name?: string): Transform {
  const total = chances?.reduce((sum, each) => sum + each, 0) ?? transforms.length;
  if (transforms.length === 0 || (chances && chances.length !== transforms.length) || !(total > 0)) {
    throw new ValueError(
      'oneOf',
      `takes transformations and a chance for each, got ${transforms.length} and ${chances?.length}.`,
    );
  }
  const outputSize = (size: Size): Size => {
    const all = transforms.map((transform) => transform.outputSize(size));
    const first = all[0]!;
    if (all.every(({ width, height }) => width === first.width && height === first.height)) return first;
    throw new ShapeError('oneOf', 'its transformations give pictures of different sizes.');
  };
  const count = (size: Size): number => 1 + Math.max(...transforms.map((transform) => transform.count(size)));
  return {
    name: name ?? `oneOf(${transforms.map((transform) => transform.name).join(', ')})`,
    outputSize,
    count,
    draw(random, size) {
      let left = random.uniform() * total;
      let chosen = 0;
      for (; chosen < transforms.length - 1; chosen++) {
        const chance = chances?.[chosen] ?? 1;
        if (left < chance) break;
        left -= chance;
      }
      const drawn = Array.from(transforms[chosen]!.draw(random, size));
      return [chosen, ...drawn, ...new Array<number>(count(size) - 1 - drawn.length).fill(0)];
    },
    onHost(sample, drawn) {
      const transform = transforms[drawn[0]!]!;
      return transform.onHost(sample, Array.from(drawn).slice(1, 1 + transform.count(sample.image)));
    },
    onDevice(batch, drawn) {
      const size = sizeOfBatch(batch.images);
      const chosen = column(drawn, 0);
      return transforms
        .map((transform) => transform.onDevice(batch, columns(drawn, 1, 1 + transform.count(size))))
        .reduce((result, value, k) => choose(chosen.equal(k), value, result));
    },
  };
}

/** Elements of `yes` where the mask [N, 1, 1, 1] holds, else those of `no`. */
export function choose(mask: Tensor, yes: PicturedBatch, no: PicturedBatch): PicturedBatch {
  const pick = (a: Tensor, b: Tensor): Tensor => (a === b ? a : where(mask, a, b));
  return {
    images: pick(yes.images, no.images),
    ...(yes.masks && no.masks && { masks: pick(yes.masks, no.masks) }),
    ...(yes.targets && no.targets && { targets: yes.targets }),
  };
}

/** Height and width of images [N, channels, height, width]. */
export function sizeOfBatch(images: Tensor): Size {
  const [, , height, width] = images.shape;
  if (images.rank !== 4 || height === undefined || width === undefined) {
    throw new ShapeError('onDevice', `takes images [N, channels, height, width], got [${images.shape.join(', ')}].`, {
      shape: images.shape,
    });
  }
  return { height, width };
}

/** A number of each element as [N, 1, 1, 1]. */
export function column(drawn: Tensor, at: number): Tensor {
  return columns(drawn, at, at + 1).reshape([-1, 1, 1, 1]);
}

/** Some of the numbers of each element, [N, to - from]. */
export function columns(drawn: Tensor, from: number, to: number): Tensor {
  return drawn.slice([0, from], [null, to]);
}
