/**
 * Handwritten-like digits, made rather than downloaded: a way to write the digit, a hand that bends it, a pen that draws it.
 * The shapes are data in `digit-shapes.ts`. What comes out has the form of MNIST: bytes, the ink centred in the image.
 */
import { checkOptions, ValueError } from '@nn/core';
import { checkWhole } from '../check-whole.ts';
import type { Classified } from '../samples/dataset.ts';
import { Dataset } from '../samples/dataset.ts';
import { RandomSequence, streams } from '../samples/random.ts';
import type { Way } from './digit-shapes.ts';
import { digitWays } from './digit-shapes.ts';

export interface DigitOptions {
  readonly seed?: number;
  /** Pixels along each side; 28 where not given. */
  readonly size?: number;
  /** How much hands differ: 0 for the shapes as they are, 1 as usual, 2 for a scrawl. */
  readonly distortion?: number;
}

/** Points of one stroke and the pen's radius at each: x, y, radius, x, y, radius, ... */
type Path = number[];

/**
 * Images of digits 0 to 9 in turn: inputs bytes [count, 1, size, size], 0 for paper and 255 for ink, targets [count].
 *
 * Each is a pure function of the seed and its number, so a larger set begins with the smaller. The hand is a random
 * affine map and a smooth random displacement of the pen's way (the idea of elastic deformation: Simard, Steinkraus and Platt,
 * "Best practices for convolutional neural networks", ICDAR 2003); the pen's width and pressure vary along the stroke.
 *
 * @example
 * import { digits } from '@nn/data';
 * const { inputs, targets } = digits(100, { seed: 1 }).fields;
 * console.log(inputs.shape, targets.data.slice(0, 3)); // => [ 100, 1, 28, 28 ] Int32Array(3) [ 0, 1, 2 ]
 */
export function digits(count: number, options: DigitOptions = {}): Classified<Uint8Array> {
  checkOptions('digits', options, ['seed', 'size', 'distortion']);
  const { seed = 0, size = 28, distortion = 1 } = options;
  checkWhole('digits', { count }, 1, ' of images');
  checkWhole('digits', { size }, 8, ' of pixels');
  if (!(distortion >= 0 && distortion < Number.POSITIVE_INFINITY)) {
    throw new ValueError('digits', `distortion ${distortion} is not a number, 0 or more.`, { distortion });
  }
  const inputs = new Uint8Array(count * size * size);
  const targets = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const digit = i % 10;
    const random = new RandomSequence(seed, streams.digits + i);
    const image = drawDigit(digit, size, distortion, random);
    inputs.set(image, i * size * size);
    targets[i] = digit;
  }
  return new Dataset({
    inputs: { data: inputs, shape: [count, 1, size, size] },
    targets: { data: targets, shape: [count] },
  });
}

function drawDigit(digit: number, size: number, distortion: number, random: RandomSequence): Uint8Array {
  const unit = size / 28;
  const way = chooseWay(digitWays[digit]!, random);
  const paths = way.strokes.map((stroke) => smoothPath(jitter(stroke, 0.018 * distortion, random)));
  bend(paths, 0.05 * distortion, random);
  const height = 19 * unit * (1 + 0.06 * distortion * random.normal());
  transform(paths, height, distortion, random);
  pressPen(paths, unit, distortion, random);
  center(paths, size, unit * distortion, random);
  return ink(paths, size, 1 - 0.2 * Math.min(1, distortion) * random.uniform());
}

function chooseWay(ways: readonly Way[], random: RandomSequence): Way {
  let left = random.uniform() * ways.reduce((sum, way) => sum + way.weight, 0);
  for (const way of ways) {
    left -= way.weight;
    if (left < 0) return way;
  }
  return ways[0]!;
}

/** Each point a little elsewhere; the two of a corner stay together. */
function jitter(stroke: readonly number[], deviation: number, random: RandomSequence): number[] {
  const moved: number[] = [];
  for (let i = 0; i < stroke.length; i += 2) {
    const x = stroke[i]!;
    const y = stroke[i + 1]!;
    if (i > 0 && stroke[i - 2] === x && stroke[i - 1] === y) {
      moved.push(moved[i - 2]!, moved[i - 1]!);
    } else {
      moved.push(x + random.normal(0, deviation), y + random.normal(0, deviation));
    }
  }
  return moved;
}

/** Pieces between two points of a stroke. */
const pieces = 6;

/**
 * A Catmull-Rom spline through the points. Between p1 and p2, with neighbours p0 and p3:
 * 2 c(t) = 2 p1 + (p2 - p0) t + (2 p0 - 5 p1 + 4 p2 - p3) t^2 + (3 p1 - p0 - 3 p2 + p3) t^3.
 * At a corner the point is its own neighbour, so the curve leaves it in a new direction.
 */
function smoothPath(points: readonly number[]): Path {
  const path: Path = [];
  const count = points.length / 2;
  const coordinate = (point: number, axis: number): number =>
    points[2 * Math.min(Math.max(point, 0), count - 1) + axis]!;
  for (let point = 0; point + 1 < count; point++) {
    const isCorner =
      coordinate(point, 0) === coordinate(point + 1, 0) && coordinate(point, 1) === coordinate(point + 1, 1);
    if (isCorner) continue;
    for (let piece = 0; piece < pieces; piece++) {
      const t = piece / pieces;
      for (let axis = 0; axis < 2; axis++) {
        const [p0, p1] = [coordinate(point - 1, axis), coordinate(point, axis)];
        const [p2, p3] = [coordinate(point + 1, axis), coordinate(point + 2, axis)];
        path.push(p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0))));
      }
      path.push(0);
    }
  }
  path.push(coordinate(count - 1, 0), coordinate(count - 1, 1), 0);
  return path;
}

/**
 * The elastic part: points move by a smooth random field, the sum of a few plane waves of about half a period across the
 * digit, so that neighbouring parts move together.
 */
function bend(paths: readonly Path[], amplitude: number, random: RandomSequence): void {
  const waves = Array.from({ length: 4 }, () => ({
    x: random.normal(0, 2.6),
    y: random.normal(0, 2.6),
    phase: random.uniform(0, 2 * Math.PI),
    toX: random.normal(0, amplitude),
    toY: random.normal(0, amplitude),
  }));
  forEachPoint(paths, (path, i) => {
    const [x, y] = [path[i]!, path[i + 1]!];
    for (const wave of waves) {
      const height = Math.sin(wave.x * x + wave.y * y + wave.phase);
      path[i] = path[i]! + wave.toX * height;
      path[i + 1] = path[i + 1]! + wave.toY * height;
    }
  });
}

/** The affine part, to pixels: width, slant (most hands lean to the right), rotation. */
function transform(paths: readonly Path[], height: number, distortion: number, random: RandomSequence): void {
  const width = height * 0.78 * Math.exp(0.14 * distortion * random.normal());
  const slant = distortion * random.normal(0.12, 0.2);
  const angle = distortion * random.normal(0, 0.1);
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  forEachPoint(paths, (path, i) => {
    const y = (path[i + 1]! - 0.5) * height;
    const x = (path[i]! - 0.5) * width - slant * y;
    path[i] = cosine * x - sine * y;
    path[i + 1] = sine * x + cosine * y;
  });
}

/** The pen's radius: one for the hand, with slow waves along the strokes, never under half a pixel. */
function pressPen(paths: readonly Path[], unit: number, distortion: number, random: RandomSequence): void {
  const radius = 1.3 * unit * Math.exp(0.24 * distortion * random.normal());
  const wave = random.uniform(0.1, 0.35);
  const phase = random.uniform(0, 2 * Math.PI);
  forEachPoint(paths, (path, i) => {
    path[i + 2] = Math.max(0.5 * unit, radius * (1 + 0.18 * distortion * Math.sin(wave * (i / 3) + phase)));
  });
}

/** The middle of the ink to the middle of the image, with a little jitter, and all of the ink inside. */
function center(paths: readonly Path[], size: number, deviation: number, random: RandomSequence): void {
  let [sumX, sumY, count] = [0, 0, 0];
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  forEachPoint(paths, (path, i) => {
    const [x, y, radius] = [path[i]!, path[i + 1]!, path[i + 2]!];
    sumX += x;
    sumY += y;
    count++;
    left = Math.min(left, x - radius);
    right = Math.max(right, x + radius);
    top = Math.min(top, y - radius);
    bottom = Math.max(bottom, y + radius);
  });
  const fit = Math.min(1, (size - 2) / Math.max(right - left, bottom - top));
  const shift = (mean: number, low: number, high: number): number => {
    const wanted = size / 2 - fit * mean + random.normal(0, 0.7 * deviation);
    return Math.min(Math.max(wanted, 1 - fit * low), size - 1 - fit * high);
  };
  const moveX = shift(sumX / count, left, right);
  const moveY = shift(sumY / count, top, bottom);
  forEachPoint(paths, (path, i) => {
    path[i] = fit * path[i]! + moveX;
    path[i + 1] = fit * path[i + 1]! + moveY;
  });
}

/**
 * Draws the strokes: a pixel's ink is clamp(radius - distance + 1/2, 0, 1) to the nearest piece of a stroke, which is
 * close to the share of the pixel that the pen covers.
 */
function ink(paths: readonly Path[], size: number, darkness: number): Uint8Array {
  const cover = new Float64Array(size * size);
  for (const path of paths) {
    for (let i = 0; i + 3 < path.length; i += 3) {
      const [x, y, radius] = [path[i]!, path[i + 1]!, path[i + 2]!];
      const dx = path[i + 3]! - x;
      const dy = path[i + 4]! - y;
      const growth = path[i + 5]! - radius;
      const squared = dx * dx + dy * dy;
      const reach = Math.max(radius, radius + growth) + 0.5;
      const firstColumn = Math.max(0, Math.floor(Math.min(x, x + dx) - reach));
      const lastColumn = Math.min(size - 1, Math.ceil(Math.max(x, x + dx) + reach));
      const firstRow = Math.max(0, Math.floor(Math.min(y, y + dy) - reach));
      const lastRow = Math.min(size - 1, Math.ceil(Math.max(y, y + dy) + reach));
      for (let row = firstRow; row <= lastRow; row++) {
        for (let column = firstColumn; column <= lastColumn; column++) {
          const px = column + 0.5 - x;
          const py = row + 0.5 - y;
          // The nearest point of the piece: (p . d) / (d . d) of the way along it.
          const along = squared > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy) / squared)) : 0;
          const distance = Math.hypot(px - along * dx, py - along * dy);
          const value = radius + along * growth - distance + 0.5;
          const at = row * size + column;
          if (value > cover[at]!) cover[at] = Math.min(1, value);
        }
      }
    }
  }
  return Uint8Array.from(cover, (value) => Math.round(255 * darkness * value));
}

function forEachPoint(paths: readonly Path[], change: (path: Path, i: number) => void): void {
  for (const path of paths) for (let i = 0; i < path.length; i += 3) change(path, i);
}
