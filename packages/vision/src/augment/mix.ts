/** Augmentations that mix the elements of a batch, on the device: pictures and their soft labels together. */
import { checkOptions, roll, type Tensor, ValueError, where } from '@nn/core';
import type { RandomSequence } from '@nn/data';
import { insideBox } from './random-colors.ts';
import { column, columns, type PicturedBatch, type Transform } from './transform.ts';

/** A number of the beta distribution with both parameters `alpha`: a ratio of two of the gamma distribution. */
export function betaOf(random: RandomSequence, alpha: number): number {
  const [a, b] = [gammaOf(random, alpha), gammaOf(random, alpha)];
  return a + b === 0 ? 0.5 : a / (a + b);
}

/** A number of the gamma distribution (Marsaglia and Tsang 2000); below 1 by one from alpha + 1 and a power of a uniform one. */
export function gammaOf(random: RandomSequence, alpha: number): number {
  if (alpha < 1) return gammaOf(random, alpha + 1) * (1 - random.uniform()) ** (1 / alpha);
  const d = alpha - 1 / 3;
  for (;;) {
    const x = random.normal();
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

interface MixOptions {
  /** Of the beta distribution: small numbers mix little. */
  readonly alpha?: number;
}

/** Masks are classes, which cannot be blended; and there are no partners on the host. */
function mixing(
  name: string,
  count: number,
  draw: Transform['draw'],
  mix: (batch: PicturedBatch, drawn: Tensor) => PicturedBatch,
): Transform {
  return {
    name,
    outputSize: (size) => size,
    count: () => count,
    draw,
    onHost() {
      throw new ValueError(name, `mixes the elements of a batch: use it by onDevice, not in the map of a pipeline.`);
    },
    onDevice(batch, drawn) {
      if (batch.masks && name === 'mixUp')
        throw new ValueError(name, 'masks of classes cannot be blended: use cutMix.');
      return mix(batch, drawn);
    },
  };
}

/**
 * Blends each picture with its neighbour in the batch, and their soft labels alike (Zhang et al. 2018): lambda of Beta(alpha, alpha), drawn for each element. Labels of
 * classes become soft by `oneHot`; `crossEntropy` takes probabilities of classes.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { oneHot, setDefaultBackend, tensor } from '@nn/core';
 * import { drawBatch, mixUp } from '@nn/vision';
 * setDefaultBackend(cpu());
 * const mix = mixUp();
 * const batch = { images: tensor([[[[0]]], [[[1]]]]), targets: oneHot(tensor([0, 1], { dtype: 'int32' }), 2) };
 * const { images, targets } = mix.onDevice(batch, drawBatch(mix, { height: 1, width: 1 }, { indices: [0, 1] }));
 * const [share] = await images.flatten().array(1);
 * console.log((await targets?.array(2))?.[0]?.[1] === share); // => true
 */
export function mixUp(options: MixOptions = {}): Transform {
  checkOptions('mixUp', options, ['alpha']);
  const { alpha = 0.2 } = options;
  return mixing(
    'mixUp',
    1,
    (random) => [betaOf(random, alpha)],
    ({ images, targets }, drawn) => {
      const blend = (x: Tensor, share: Tensor): Tensor => x.mul(share).add(roll(x, 1, 0).mul(share.neg().add(1)));
      return {
        images: blend(images, column(drawn, 0)),
        ...(targets && { targets: blend(targets, columns(drawn, 0, 1)) }),
      };
    },
  );
}

/** Puts a rectangle of the neighbour in the batch into each picture, and mixes their soft labels by its area (Yun et al. 2019). */
export function cutMix(options: MixOptions = {}): Transform {
  checkOptions('cutMix', options, ['alpha']);
  const { alpha = 1 } = options;
  const draw: Transform['draw'] = (random, { width, height }) => {
    const half = 0.5 * Math.sqrt(1 - betaOf(random, alpha));
    const [x, y] = [random.integer(width), random.integer(height)];
    const cut = (at: number, side: number): [number, number] => [
      Math.max(0, Math.trunc(at - half * side)),
      Math.min(side, Math.trunc(at + half * side)),
    ];
    const [[left, right], [top, bottom]] = [cut(x, width), cut(y, height)];
    return [left, top, right, bottom, 1 - ((right - left) * (bottom - top)) / (width * height)];
  };
  return mixing('cutMix', 5, draw, ({ images, masks, targets }, drawn) => {
    const inside = insideBox(images, drawn);
    const cut = (x: Tensor): Tensor => where(inside, roll(x, 1, 0), x);
    const share = columns(drawn, 4, 5);
    return {
      images: cut(images),
      ...(masks && { masks: cut(masks) }),
      ...(targets && { targets: targets.mul(share).add(roll(targets, 1, 0).mul(share.neg().add(1))) }),
    };
  });
}
