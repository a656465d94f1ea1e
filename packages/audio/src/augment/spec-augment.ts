/**
 * SpecAugment (Park et al. 2019): bands of frequencies and stretches of time are covered on spectrograms. Masks are drawn
 * on the host, each element's from its own seed, and applied on the device in the program of the step. The paper's warping of time is left
 * out, which it found to matter least.
 */
import {
  arange,
  type Backend,
  checkOptions,
  randomValue,
  ShapeError,
  type Tensor,
  tensor,
  ValueError,
  where,
} from '@nn/core';
import { RandomSequence } from '@nn/data';

export interface SpecAugmentOptions {
  /** How many bands are covered; 2 by default. */
  readonly frequencyMasks?: number;
  /** The widest band, in rows of the spectrogram; 27 by default. */
  readonly frequencyWidth?: number;
  /** How many stretches of time are covered; 2 by default. */
  readonly timeMasks?: number;
  /** The longest stretch, in frames; 100 by default. */
  readonly timeWidth?: number;
  /** No stretch covers more of the time than this share; 1 by default. */
  readonly timeShare?: number;
  /** What covers: a number, or the mean of each spectrogram; 0 by default. */
  readonly fill?: number | 'mean';
}

/** For which elements of which epoch masks are drawn. */
export interface MaskDrawOptions {
  readonly seed?: number;
  readonly epoch?: number;
  /** `batch.indices` of a loader or pipeline. */
  readonly indices: ArrayLike<number>;
  readonly backend?: Backend;
}

/** How large the spectrograms are. */
export interface SpectrogramSize {
  readonly frequencies: number;
  readonly frames: number;
}

export interface SpecAugment {
  /** The masks of one element, [masks, 2], for a pipeline's `map`. */
  drawElement(size: SpectrogramSize, random: RandomSequence): Float32Array;
  /** The masks of a batch of spectrograms of this size: [N, masks, 2], where each begins and where it ends. */
  draw(size: SpectrogramSize, options: MaskDrawOptions): Tensor;
  /** The spectrograms [N, ..., F, T] with the masks drawn for them. */
  apply(x: Tensor, drawn: Tensor): Tensor;
}

/** A stream of its own; the streams of `@nn/data` and of pictures stand below. */
const maskStream = 0x23000000;

/**
 * Masks on spectrograms, with torchaudio's arithmetic (`FrequencyMasking`, `TimeMasking`): a width is
 * drawn below the widest, then where it begins. Draw outside of a compiled step, and pass the tensor in.
 *
 * @example
 * import { specAugment } from '@nn/audio';
 * import { cpu } from '@nn/backend-cpu';
 * import { ones, setDefaultBackend } from '@nn/core';
 * setDefaultBackend(cpu());
 * const augment = specAugment({ frequencyMasks: 1, frequencyWidth: 4, timeMasks: 0 });
 * const drawn = augment.draw({ frequencies: 8, frames: 5 }, { seed: 3, indices: [0, 1] });
 * const covered = augment.apply(ones([2, 8, 5]), drawn);
 * console.log(covered.shape, (await covered.mean().item()) < 1); // => [ 2, 8, 5 ] true
 */
export function specAugment(options: SpecAugmentOptions = {}): SpecAugment {
  const names = ['frequencyMasks', 'frequencyWidth', 'timeMasks', 'timeWidth', 'timeShare', 'fill'] as const;
  checkOptions('specAugment', options, names);
  const { frequencyMasks = 2, frequencyWidth = 27, timeMasks = 2, timeWidth = 100, timeShare = 1, fill = 0 } = options;
  const counts = { frequencyMasks, frequencyWidth, timeMasks, timeWidth };
  for (const [name, value] of Object.entries(counts)) {
    if (Number.isInteger(value) && value >= 0) continue;
    throw new ValueError('specAugment', `${name} is ${value}: it must be a whole number from 0.`, { [name]: value });
  }
  if (!(timeShare >= 0 && timeShare <= 1)) {
    throw new ValueError('specAugment', `timeShare is ${timeShare}: it must lie between 0 and 1.`, { timeShare });
  }
  const count = frequencyMasks + timeMasks;
  const drawElement = ({ frequencies, frames }: SpectrogramSize, random: RandomSequence): Float32Array => {
    const values = new Float32Array(count * 2);
    for (let m = 0; m < count; m++) {
      const isFrequency = m < frequencyMasks;
      const size = isFrequency ? frequencies : frames;
      const widest = Math.min(size, isFrequency ? frequencyWidth : Math.min(timeWidth, Math.floor(timeShare * frames)));
      const width = random.uniform(0, widest);
      const start = Math.floor(random.uniform(0, size - width));
      values.set([start, start + Math.floor(width)], m * 2);
    }
    return values;
  };
  return {
    drawElement,
    draw(size, { seed = 0, epoch = 0, indices, backend }) {
      if (!Number.isInteger(seed) || !Number.isInteger(epoch) || epoch < 0) {
        throw new ValueError('specAugment', `seed ${seed} and epoch ${epoch} must be whole numbers.`, { seed, epoch });
      }
      const half = (k: number): number => Math.floor(randomValue(seed | 0, maskStream, 2 * epoch + k) * 65536);
      const seedOfEpoch = (half(0) << 16) | half(1);
      const values = new Float32Array(indices.length * count * 2);
      for (let n = 0; n < indices.length; n++) {
        values.set(drawElement(size, new RandomSequence(seedOfEpoch, indices[n]!)), n * count * 2);
      }
      return tensor(values, { shape: [indices.length, count, 2], borrow: true, ...(backend && { backend }) });
    },
    apply(x, drawn) {
      if (x.rank < 3 || drawn.rank !== 3 || drawn.shape[0] !== x.shape[0] || drawn.shape[1] !== count) {
        throw new ShapeError(
          'specAugment',
          `takes spectrograms [N, ..., F, T] and their masks [N, ${count}, 2], got [${x.shape.join(', ')}] and [${drawn.shape.join(', ')}].`,
          { shape: x.shape, drawn: drawn.shape },
        );
      }
      if (count === 0) return x;
      const [height, width] = x.shape.slice(-2) as [number, number];
      const [starts, ends] = [drawn.slice([0, 0, 0], [null, null, 1]), drawn.slice([0, 0, 1])];
      /** Whether places along an axis lie in any of these masks: [N, size]. */
      const covered = (from: number, to: number, size: number): Tensor => {
        const places = arange(size).cast('float32');
        const part = (side: Tensor): Tensor => side.slice([0, from, 0], [null, to, null]);
        return places
          .greaterEqual(part(starts))
          .logicalAnd(places.less(part(ends)))
          .any(1);
      };
      const between = x.shape.slice(1, -2).map(() => 1);
      const batch = x.shape[0]!;
      const masks: Tensor[] = [];
      if (frequencyMasks > 0) {
        masks.push(covered(0, frequencyMasks, height).reshape([batch, ...between, height, 1]));
      }
      if (timeMasks > 0) masks.push(covered(frequencyMasks, count, width).reshape([batch, ...between, 1, width]));
      const all = masks.reduce((a, b) => a.logicalOr(b));
      const cover = fill === 'mean' ? x.mean([-2, -1], { keepAxes: true }) : fill;
      return where(all, cover, x);
    },
  };
}
