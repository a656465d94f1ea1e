/**
 * Images seen a little differently each time (augmentation): turned, slanted, stretched and moved, so that a network meets
 * more hands than there are samples. What happens to a sample follows from seed, epoch and its number alone, so a resumed
 * run sees the same images.
 */
import { type Stateful, tensor } from '@nn/core';
import { type Batch, type DataArray, type DataLoader, type Normalization, RandomSequence } from '@nn/data';

/** Standard deviations: a turn in radians, a slant, the logarithm of a stretch, a move in pixels of 28. */
const strength = { turn: 0.12, slant: 0.1, stretch: 0.07, move: 1 };

/** Its own streams of random numbers, apart from those that `@nn/data` uses. */
const firstStream = 0x21000000;

export interface Moment {
  readonly seed: number;
  readonly epoch: number;
}

type Fields = { readonly inputs: DataArray<Uint8Array>; readonly targets: DataArray<Int32Array> };

/** The batches of a loader with their images distorted anew in each epoch; where it stands is where the loader stands. */
export class DistortedBatches implements Stateful {
  readonly #loader: DataLoader<Fields>;
  readonly #how: { readonly seed: number; readonly normalization: Normalization };

  constructor(loader: DataLoader<Fields>, how: { readonly seed: number; readonly normalization: Normalization }) {
    [this.#loader, this.#how] = [loader, how];
  }

  get length(): number {
    return this.#loader.length;
  }

  *[Symbol.iterator](): Generator<Batch<Fields>, void> {
    const { dataset } = this.#loader;
    const { seed, normalization } = this.#how;
    for (const batch of this.#loader) {
      const moment = { seed, epoch: this.#loader.epoch };
      const { data, shape } = distortImages(dataset.fields.inputs, batch.indices, moment, normalization);
      yield { ...batch, inputs: tensor(data, { shape, borrow: true }) };
    }
  }

  hostState(): unknown {
    return this.#loader.hostState();
  }

  loadHostState(state: unknown): void {
    this.#loader.loadHostState(state);
  }
}

/** The images at `indices`, each distorted, as normalised numbers [indices.length, 1, size, size]. */
export function distortImages(
  images: DataArray<Uint8Array>,
  indices: Int32Array,
  { seed, epoch }: Moment,
  { offset: [offset = 0], divisor: [divisor = 1] }: Normalization,
): DataArray<Float32Array> {
  const [samples, , size] = images.shape as readonly [number, number, number, number];
  const area = size * size;
  const data = new Float32Array(indices.length * area);
  indices.forEach((index, row) => {
    const random = new RandomSequence(seed, firstStream + epoch * samples + index);
    distort(images.data.subarray(index * area, (index + 1) * area), size, random, (at, ink) => {
      data[row * area + at] = (ink - offset) / divisor;
    });
  });
  return { data, shape: [indices.length, 1, size, size] };
}

/** Finds for each pixel of the result where it comes from: the centre is fixed but for the move. */
function distort(
  image: Uint8Array,
  size: number,
  random: RandomSequence,
  put: (at: number, ink: number) => void,
): void {
  const turn = random.normal(0, strength.turn);
  const slant = random.normal(0, strength.slant);
  const [stretchX, stretchY] = [
    Math.exp(random.normal(0, strength.stretch)),
    Math.exp(random.normal(0, strength.stretch)),
  ];
  const [moveX, moveY] = [random.normal(0, (strength.move * size) / 28), random.normal(0, (strength.move * size) / 28)];
  const [cosine, sine] = [Math.cos(turn), Math.sin(turn)];
  const center = (size - 1) / 2;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [fromX, fromY] = [(x - center) * stretchX, (y - center) * stretchY];
      const leaning = fromX + slant * fromY;
      put(
        y * size + x,
        inkAt(
          image,
          size,
          center + moveX + cosine * leaning - sine * fromY,
          center + moveY + sine * leaning + cosine * fromY,
        ),
      );
    }
  }
}

/** The ink between four pixels, by their distances (bilinear); outside there is paper. */
function inkAt(image: Uint8Array, size: number, x: number, y: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  if (left < -1 || top < -1 || left >= size || top >= size) return 0;
  const [right, down] = [x - left, y - top];
  const at = (column: number, row: number): number =>
    column < 0 || row < 0 || column >= size || row >= size ? 0 : (image[row * size + column] as number);
  return (
    (1 - down) * ((1 - right) * at(left, top) + right * at(left + 1, top)) +
    down * ((1 - right) * at(left, top + 1) + right * at(left + 1, top + 1))
  );
}
