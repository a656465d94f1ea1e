/**
 * Augmentation against torchvision, on bytes and for batches; the two places against each other; and what is moved along: masks, boxes, soft labels.
 */
import { cpu } from '@nn/backend-cpu';
import { compile, oneHot, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { RandomSequence } from '@nn/data';
import { beforeAll, describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/augmentation.json';
import { type Image, imageOf, imagesOf, imageTensor, planes } from '../images/image.ts';
import { fromBase64 } from '../testing.ts';
import * as colors from './colors.ts';
import { gaussianBlur, gaussianBlurBatch } from './filters.ts';
import {
  elasticTransform,
  gridDistortion,
  perspectiveMatrix,
  randomAffine,
  randomCrop,
  randomFlip,
  randomPerspective,
  randomResizedCrop,
  randomRotation,
} from './geometry.ts';
import { cutMix, mixUp } from './mix.ts';
import { augMix, type PolicyOperation, policyOperation, randAugment, trivialAugment } from './policies.ts';
import { coloring, colorJitter, randomBlur, randomErasing, randomSolarize } from './random-colors.ts';
import { augment, compose, drawBatch, oneOf, randomApply, type Transform } from './transform.ts';
import { affineMatrix, type Interpolation, projective, warping } from './warp.ts';

beforeAll(() => setDefaultBackend(cpu()));

/** Planes [channels, height, width] as a picture. */
function fromPlanes(bytes: string, [channels = 1, height = 1, width = 1]: readonly number[]): Image {
  const from = fromBase64(bytes);
  const count = width * height;
  const data = Uint8Array.from(
    { length: from.length },
    (_, i) => from[(i % channels) * count + Math.floor(i / channels)]!,
  );
  return imageOf(data, width, height, channels as 1 | 3);
}

/** The case's transformation, with nothing random left. */
function transformOf(operation: string, values: readonly unknown[]): Transform {
  if (operation in colors) {
    const color: unknown = Reflect.get(colors, operation);
    return coloring(operation, color as colors.ColorOperation, () => Number(values[0]));
  }
  if (operation === 'blur') {
    const [size = 1, sigma = 1] = values.map(Number);
    const both = {
      onHost: (image: Image, value: number) => gaussianBlur(image, size, value),
      onDevice: (x: Tensor, value: Tensor) => gaussianBlurBatch(x, size, value),
    };
    return coloring('blur', both, () => sigma);
  }
  if (operation === 'policy') return policyOperation(values[0] as PolicyOperation, Number(values[1]));
  const interpolation = values[0] as Interpolation;
  if (operation === 'elastic') {
    const field = values[1] as number[];
    return warping({
      ...elasticTransform({ interpolation }),
      ...elastic,
      interpolation,
      // torchvision's displacements are in halves of the sides, x and y in turn
      draw: (_, { width, height }) =>
        [0, 1].flatMap((k) =>
          Array.from({ length: width * height }, (_, i) => (field[2 * i + k]! * (k === 0 ? width : height)) / 2),
        ),
    });
  }
  const matrix = (width: number, height: number): readonly number[] => {
    const middle = [width / 2, height / 2] as const;
    if (operation === 'rotate') return affineMatrix({ angle: -Number(values[1]) }, middle);
    const [, angle, translate, scale, shear] = values as [string, number, [number, number], number, [number, number]];
    return affineMatrix({ angle, translate, scale, shear }, middle);
  };
  const points = values as unknown as [string, [number, number][], [number, number][]];
  const isPerspective = operation === 'perspective';
  return projective({
    name: operation,
    count: isPerspective ? 8 : 6,
    interpolation,
    draw: (_, { width, height }) => (isPerspective ? perspectiveMatrix(points[1], points[2]) : matrix(width, height)),
  });
}

/** What `elasticTransform` is made of, to put a field of our own in. */
const elastic = {
  name: 'elastic',
  count: ({ width, height }: { width: number; height: number }) => 2 * width * height,
  place:
    (drawn: ArrayLike<number>, { width, height }: { width: number; height: number }) =>
    (x: number, y: number, to: Float64Array): void => {
      const at = Math.floor(y) * width + Math.floor(x);
      to[0] = x + drawn[at]!;
      to[1] = y + drawn[width * height + at]!;
    },
  placeBatch: (drawn: Tensor, x: Tensor, y: Tensor, { width, height }: { width: number; height: number }) => {
    const [u, v] = drawn.reshape([-1, 2, height, width]).split(2, 1) as [Tensor, Tensor];
    return [u.squeeze(1).add(x), v.squeeze(1).add(y)] as const;
  },
};

describe('equals torchvision', () => {
  const draw = { indices: [0] };
  it.each(fixtures.cases.map((item, at) => ({ ...item, at, with: JSON.stringify(item.arguments).slice(0, 60) })))(
    '$at: $operation $with of $picture',
    async ({ operation, arguments: values, picture, bytes, floats }) => {
      const { bytes: source, shape } = fixtures.pictures[picture as 'color'];
      const image = fromPlanes(source, shape);
      const transform = transformOf(operation, values);
      const result = planes(augment(transform, { image }, new RandomSequence(0)).image);
      const expected = fromBase64(bytes);
      expect(result.shape).toEqual(shape);
      const apart = Array.from(expected, (value, i) => Math.abs(value - result.data[i]!));
      // Sums of floats end on the other side of a half, or of a whole where torchvision truncates, once in a while.
      const isNear = ['hue', 'gamma', 'blur', 'rotate', 'affine', 'perspective', 'elastic', 'sharpness'].includes(
        operation,
      );
      expect(Math.max(...apart)).toBeLessThanOrEqual(isNear ? 1 : 0);
      expect(apart.filter((each) => each > 0).length / apart.length).toBeLessThan(operation === 'hue' ? 0.25 : 0.02);
      const drawn = drawBatch(transform, image, draw);
      const onDevice = await transform.onDevice({ images: imageTensor([image]) }, drawn).images.data();
      const wanted = floats ?? Array.from(expected, (value) => value / 255);
      const most = Math.max(...wanted.map((value, i) => Math.abs(value - onDevice[i]!)));
      // Operations that torchvision has for bytes only truncate there.
      expect(most).toBeLessThan(floats ? 2e-4 : operation === 'policy' ? 2.01 / 255 : 1e-5);
    },
  );
});

const picture = fromPlanes(fixtures.pictures.color.bytes, fixtures.pictures.color.shape);
const every: readonly Transform[] = [
  randomFlip({ vertical: 0.5 }),
  randomCrop(9, { padding: 2, fill: 40 }),
  randomRotation(30, { fill: 128 }),
  randomAffine({ degrees: 20, translate: [0.2, 0.1], scale: [0.7, 1.4], shear: 10 }),
  randomPerspective({ probability: 0.8 }),
  elasticTransform({ alpha: 20, sigma: 2 }),
  gridDistortion(),
  colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.2 }),
  randomBlur(5),
  randomErasing({ probability: 0.8, fill: 9 }),
  randomApply(randomSolarize(120, 1), 0.5),
  trivialAugment(),
  randAugment({ count: 1 }),
  augMix({ width: 2 }),
  compose(randomFlip(), randomCrop(8), oneOf([randomFlip(), randomSolarize(99)])),
];

describe('on the host and on the device', () => {
  it.each(every.map((transform) => ({ transform, name: transform.name })))(
    '$name gives the same',
    async ({ transform }) => {
      const indices = [3, 0, 7, 12];
      const drawn = drawBatch(transform, picture, { seed: 5, epoch: 2, indices });
      const { images } = transform.onDevice({ images: imageTensor(indices.map(() => picture)) }, drawn);
      const batch = await imagesOf(images);
      const numbers = await drawn.data();
      const count = numbers.length / indices.length;
      let apart = 0;
      for (const [n, image] of batch.entries()) {
        const alone = transform.onHost(
          { image: picture },
          Float64Array.from(numbers.subarray(n * count, (n + 1) * count)),
        ).image;
        expect([image.width, image.height]).toEqual([alone.width, alone.height]);
        // Bytes between operations are rounded on the host; places on a border may fall to either side.
        apart +=
          alone.data.reduce((sum, value, i) => sum + Number(Math.abs(value - image.data[i]!) > 4), 0) /
          alone.data.length;
      }
      expect(apart / indices.length).toBeLessThan(0.02);
    },
  );

  it('joins a compiled step, which takes other numbers without being built anew', async () => {
    const transform = compose(randomFlip(), randomAffine({ degrees: 20 }), colorJitter({ brightness: 0.5 }));
    const step = compile((images: Tensor, drawn: Tensor) => transform.onDevice({ images }, drawn).images.sum());
    const images = imageTensor([picture, picture]);
    for (const epoch of [0, 1, 2]) {
      const drawn = drawBatch(transform, picture, { epoch, indices: [0, 1] });
      const expected = await transform.onDevice({ images }, drawn).images.sum().item();
      expect(await (await step(images, drawn)).item()).toBeCloseTo(expected, 1);
    }
  });

  it('draws for an element what its index says, whoever is beside it', async () => {
    const transform = randAugment();
    const one = await drawBatch(transform, picture, { seed: 1, epoch: 4, indices: [9] }).array();
    const many = (await drawBatch(transform, picture, { seed: 1, epoch: 4, indices: [2, 9, 5] }).array(2))[1];
    expect(many).toEqual((one as number[][])[0]);
    const other = await drawBatch(transform, picture, { seed: 1, epoch: 5, indices: [9] }).array();
    expect(other).not.toEqual(one);
  });
});

describe('moves along', () => {
  /** A rectangle in the picture, in its mask, and as a box. */
  const marked = (): { image: Image; mask: Image; boxes: { corners: Float32Array; labels: Int32Array } } => {
    const data = new Uint8Array(32 * 24);
    for (let y = 8; y < 16; y++) data.fill(255, y * 32 + 10, y * 32 + 21);
    const image = imageOf(data, 32, 24, 1);
    return {
      image,
      mask: { ...image, data: data.map((value) => value & 1) },
      boxes: { corners: new Float32Array([10, 8, 21, 16]), labels: new Int32Array([4]) },
    };
  };
  const geometric = [
    randomFlip({ horizontal: 1, vertical: 1 }),
    randomCrop({ width: 28, height: 20 }),
    randomResizedCrop({ width: 40, height: 30 }, { scale: [0.8, 1] }),
    randomAffine({ degrees: 20, translate: [0.1, 0.1], scale: [0.8, 1.2] }),
    randomPerspective({ distortion: 0.3, probability: 1 }),
    elasticTransform({ alpha: 15, sigma: 4 }),
    gridDistortion({ steps: 4 }),
  ];
  it.each(geometric.map((transform) => ({ transform, name: transform.name })))(
    '$name: mask and boxes',
    ({ transform }) => {
      for (let seed = 0; seed < 6; seed++) {
        const { image, mask, boxes } = augment(transform, marked(), new RandomSequence(seed));
        const where = [...mask.data.keys()].filter((i) => mask.data[i] === 1);
        const xs = where.map((i) => i % mask.width);
        const ys = where.map((i) => Math.floor(i / mask.width));
        const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
        for (const [k, value] of box.entries()) {
          expect(Math.abs(value - boxes.corners[k]!), `${seed}: ${box} ${boxes.corners}`).toBeLessThan(2.1);
        }
        expect([...new Set(mask.data)].sort()).toEqual([0, 1]);
        const differing = mask.data.filter((value, i) => value !== Number(image.data[i]! > 127)).length;
        expect(differing / mask.data.length).toBeLessThan(0.02);
        expect(boxes.labels).toEqual(new Int32Array([4]));
      }
    },
  );

  it('drops boxes that leave the picture, with their labels', () => {
    const { image } = marked();
    const boxes = { corners: new Float32Array([0, 0, 4, 4, 10, 8, 21, 16]), labels: new Int32Array([1, 2]) };
    const moved = projective({ name: 'move', count: 6, draw: () => [1, 0, 8, 0, 1, 0] });
    const { boxes: left } = augment(moved, { image, boxes }, new RandomSequence(0));
    expect([[...left.corners], [...left.labels]]).toEqual([[2, 8, 13, 16], [2]]);
  });

  it('masks of a batch stay classes', async () => {
    const { image, mask } = marked();
    const transform = randomAffine({ degrees: 40, scale: [0.7, 1.3], fill: 255 });
    const masks = tensor(
      Float32Array.from(mask.data, (value) => value * 5),
      { shape: [1, 1, 24, 32] },
    );
    const moved = transform.onDevice(
      { images: imageTensor([image]), masks },
      drawBatch(transform, image, { indices: [1] }),
    );
    expect([...new Set(await moved.masks!.data())].sort()).toEqual([0, 5]);
  });

  it('mixUp and cutMix: soft labels by the same shares', async () => {
    const images = tensor(
      Float32Array.from({ length: 3 * 100 }, (_, i) => Math.floor(i / 100) / 2),
      { shape: [3, 1, 10, 10] },
    );
    const targets = oneHot(tensor([0, 1, 2], { dtype: 'int32' }), 3);
    const indices = [0, 1, 2];
    for (const transform of [mixUp({ alpha: 1 }), cutMix()]) {
      const drawn = drawBatch(transform, { width: 10, height: 10 }, { seed: 3, indices });
      const mixed = transform.onDevice({ images, targets }, drawn);
      const shares = await mixed.targets!.array(2);
      const means = await mixed.images.mean([1, 2, 3]).array(1);
      shares.forEach((row, n) => {
        expect(row.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 5);
        // the pictures are 0, 1/2 and 1 throughout, so their mean is the mean of the labels
        expect(means[n]).toBeCloseTo((row[1]! + 2 * row[2]!) / 2, 4);
        expect(row[n]! + row[(n + 2) % 3]!).toBeCloseTo(1, 5);
      });
    }
    expect(() => augment(mixUp(), { image: picture }, new RandomSequence(0))).toThrow(
      'mixUp: mixes the elements of a batch: use it by onDevice, not in the map of a pipeline.',
    );
  });
});

describe('says what is wrong', () => {
  it.each([
    [() => randomFlip({ horizontal: 2 }), 'randomFlip: horizontal is 2: a probability lies between 0 and 1.'],
    [() => randomFlip({ chance: 1 } as never), 'randomFlip: no option chance: horizontal, vertical.'],
    [() => colorJitter({ hue: 0.7 }), 'colorJitter: hue is 0.7: at least 0, at most 0.5.'],
    [() => randomBlur(4), 'randomBlur: the window is 4 and sigma 0.1 to 2: an odd number, and a positive range.'],
    [() => randAugment({ magnitude: 31 }), 'randAugment: magnitude is 31: a whole number below the 31 bins.'],
    [
      () => augment(randomFlip(), { image: picture, mask: imageOf(new Uint8Array(4), 2, 2, 1) }, new RandomSequence(0)),
      'augment: the mask is 2 x 2 pixels, the picture 17 x 13.',
    ],
    [
      () => oneOf([randomCrop(4), randomFlip()]).outputSize(picture),
      'oneOf: its transformations give pictures of different sizes.',
    ],
    [() => randomFlip().onDevice({ images: tensor([1]) }, tensor([[0, 0]])), 'flip: '],
  ])('%#', (work, message) => {
    expect(work).toThrow(message);
  });
});

it('erasing leaves the mask, or gives it the class that is asked for, on the host and on the device alike', async () => {
  const size = { width: 6, height: 6 };
  const image = imageOf(new Uint8Array(36).fill(200), 6, 6, 1);
  const mask = imageOf(new Uint8Array(36).fill(3), 6, 6, 1);
  const [plain, told] = [{}, { maskFill: 255 }].map((options) => randomErasing({ probability: 1, ...options }));
  const drawn = drawBatch(told!, size, { seed: 2, indices: [0] });
  const numbers = await drawn.data();
  expect(plain!.onHost({ image, mask }, numbers).mask).toBe(mask);
  const host = told!.onHost({ image, mask }, numbers);
  const covered = [...host.image.data].map((value) => (value === 0 ? 255 : 3));
  expect(covered.filter((value) => value === 255).length).toBeGreaterThan(0);
  expect([...host.mask!.data]).toEqual(covered);
  const masks = tensor(new Int32Array(36).fill(3), { shape: [1, 1, 6, 6] });
  const device = told!.onDevice({ images: imageTensor([image]), masks }, drawn);
  expect([...(await device.masks!.data())]).toEqual(covered);
  expect(device.masks!.dtype).toBe('int32');
  expect(plain!.onDevice({ images: imageTensor([image]), masks }, drawn).masks).toBe(masks);
});
