/**
 * Pictures for the tasks: the photos of `--data`, or drawn ones, so that nothing has to be downloaded. Drawn pictures have what real ones have: things
 * of any place, size and colour before a ground that varies, and noise.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AbortSignalLike, isNNError } from '@nn/core';
import { byteRange, gunzip, RandomSequence, shuffledOrder } from '@nn/data';
import { centerCrop, type Image, imageOf, imageShards, resize } from '@nn/vision';
import { Failure } from './failure.ts';

/** A picture and the number of its class. */
export interface Photo {
  readonly image: Image;
  readonly label: number;
}

export interface Photos {
  readonly train: readonly Photo[];
  readonly test: readonly Photo[];
  readonly classes: readonly string[];
  readonly name: string;
}

/** The middle of a picture as a square of so many pixels. */
const square = (image: Image, side: number): Image => centerCrop(resize(image, side), side);

/** ants-bees.tar.gz of a folder, or drawn beetles, as squares of `side` pixels. */
export async function photos(
  folder: string | undefined,
  seed: number,
  side: number,
  signal: AbortSignalLike,
): Promise<Photos> {
  const classes = ['ants', 'bees'];
  if (folder === undefined) {
    const draw = (count: number, stream: number): Photo[] =>
      Array.from({ length: count }, (_, i) => beetle(new RandomSequence(seed, 2 * i + stream), side, i % 2));
    return { train: draw(160, 0), test: draw(80, 1), classes: ['spotted', 'striped'], name: 'drawn beetles' };
  }
  const path = join(folder, 'ants-bees.tar.gz');
  const bytes = await readFile(path).catch(() => {
    throw new Failure(`--data ${folder}: there is no ants-bees.tar.gz.`);
  });
  try {
    const shard = await imageShards([byteRange(await gunzip(bytes, undefined, { signal }))], { names: [path] });
    const all: Photo[] = [];
    for (let i = 0; i < shard.length; i++) {
      signal.throwIfAborted();
      const { key, image } = await shard.get(i);
      const label = classes.findIndex((name) => key.split('/').includes(name));
      if (label >= 0) all.push({ image: square(image, side), label });
    }
    if (all.length < 20) throw new Failure(`${path}: it holds ${all.length} pictures in folders named ants and bees.`);
    const order = Array.from(shuffledOrder(all.length, seed), (i) => all[i]!);
    const held = Math.floor(all.length / 3);
    return { train: order.slice(held), test: order.slice(0, held), classes, name: 'photos of ants and bees' };
  } catch (error) {
    throw isNNError(error) ? new Failure(`${path}: ${error.message}`) : error;
  }
}

/** A picture by a function of the place, 0 to 1 for each colour, with some noise. */
function painted(
  random: RandomSequence,
  side: number,
  colorAt: (x: number, y: number) => readonly [number, number, number],
): Image {
  const data = new Uint8Array(3 * side * side);
  for (let i = 0; i < side * side; i++) {
    const color = colorAt((i % side) / side, Math.floor(i / side) / side);
    const noise = random.normal(0, 0.04);
    color.forEach((value, k) => {
      data[3 * i + k] = Math.round(255 * Math.min(1, Math.max(0, value + noise)));
    });
  }
  return imageOf(data, side, side, 3);
}

type Color = readonly [number, number, number];
const anyColor = (random: RandomSequence, low: number, high: number): Color => {
  const one = (): number => low + (high - low) * random.uniform();
  return [one(), one(), one()];
};

/** A ground whose light changes from one side to the other, in waves. */
function ground(random: RandomSequence): (x: number, y: number) => Color {
  const color = anyColor(random, 0.45, 0.9);
  const [turn, waves, phase] = [6.3 * random.uniform(), 2 + 10 * random.uniform(), 6.3 * random.uniform()];
  return (x, y) => {
    const along = x * Math.cos(turn) + y * Math.sin(turn);
    const light = 0.15 * along + 0.06 * Math.sin(waves * along + phase);
    return [color[0] + light - 0.1, color[1] + light - 0.1, color[2] + light - 0.1];
  };
}

/** An oval beetle, turned anyhow, with spots (class 0) or stripes (class 1) on its back. */
function beetle(random: RandomSequence, side: number, label: number): Photo {
  const under = ground(random);
  const [body, mark] = [anyColor(random, 0.1, 0.6), anyColor(random, 0, 0.9)];
  const [middleX, middleY, turn] = [0.3 + 0.4 * random.uniform(), 0.3 + 0.4 * random.uniform(), 6.3 * random.uniform()];
  const [long, wide] = [0.2 + 0.15 * random.uniform(), 0.12 + 0.1 * random.uniform()];
  const [period, phase] = [0.09 + 0.04 * random.uniform(), random.uniform()];
  const image = painted(random, side, (x, y) => {
    const [dx, dy] = [x - middleX, y - middleY];
    const along = dx * Math.cos(turn) + dy * Math.sin(turn);
    const across = dy * Math.cos(turn) - dx * Math.sin(turn);
    if ((along / long) ** 2 + (across / wide) ** 2 > 1) return under(x, y);
    const wave = (at: number): number => Math.cos((2 * Math.PI * at) / period + phase);
    const isMarked = label === 1 ? wave(along) > 0.2 : wave(along) > 0 && wave(across) > 0;
    return isMarked ? mark : body;
  });
  return { image, label };
}

/** A picture with the class of each pixel. */
export interface Scene {
  readonly image: Image;
  readonly mask: Image;
}

export const shapeNames: readonly string[] = ['ground', 'disc', 'square', 'triangle'];

/** One to three shapes before a ground, the later ones before the earlier: discs (1), squares (2), triangles (3), turned a little. */
export function drawnScene(seed: number, index: number, side: number): Scene {
  const random = new RandomSequence(seed, index);
  const under = ground(random);
  const mask = new Uint8Array(side * side);
  const shapes = Array.from({ length: 1 + random.integer(3) }, () => ({
    kind: 1 + random.integer(3),
    color: anyColor(random, 0, 1),
    at: [0.2 + 0.6 * random.uniform(), 0.2 + 0.6 * random.uniform()] as const,
    radius: 0.16 + 0.14 * random.uniform(),
    turn: 0.7 * (random.uniform() - 0.5) - Math.PI / 2,
  }));
  const image = painted(random, side, (x, y) => {
    let color = under(x, y);
    for (const { kind, color: own, at, radius, turn } of shapes) {
      const [dx, dy] = [x - at[0], y - at[1]];
      // how far the place is out in the directions of the shape's sides
      const sides = kind === 2 ? 4 : 3;
      const out = Array.from({ length: sides }, (_, k) => {
        const angle = turn + Math.PI + (2 * Math.PI * k) / sides;
        return dx * Math.cos(angle) + dy * Math.sin(angle);
      });
      const isInside = kind === 1 ? Math.hypot(dx, dy) < radius : Math.max(...out) < radius * (kind === 2 ? 0.8 : 0.62);
      if (!isInside) continue;
      color = own;
      mask[Math.round(y * side) * side + Math.round(x * side)] = kind;
    }
    return color;
  });
  return { image, mask: imageOf(mask, side, side, 1) };
}
