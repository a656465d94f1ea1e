/**
 * Pictures as a camera might show them, drawn by rules for the tests: a shape of any colour is held before a room that is the same in
 * all pictures, somewhere, near or far, turned a little, in changing light.
 */
import type { RandomSequence } from '@nn/data';
import { pictureSide } from './protocol.ts';

export const shapes = ['disc', 'cross', 'triangle', 'nothing'] as const;

type Inside = (x: number, y: number) => boolean;
const insides: Readonly<Record<(typeof shapes)[number], Inside>> = {
  disc: (x, y) => x * x + y * y < 1,
  cross: (x, y) => Math.min(Math.abs(x), Math.abs(y)) < 0.28 && Math.max(Math.abs(x), Math.abs(y)) < 1,
  triangle: (x, y) => y < 0.7 && Math.abs(x) < (0.7 + y + 0.3) / 1.7,
  nothing: () => false,
};

/** RGBA bytes of a picture of a class of `shapes`. */
export function drawnPicture(label: number, random: RandomSequence): Uint8ClampedArray {
  const inside = insides[shapes[label] ?? 'nothing'];
  const [centerX, centerY] = [random.uniform(0.35, 0.65), random.uniform(0.35, 0.65)];
  const [size, turn, light] = [random.uniform(0.2, 0.32), random.uniform(-0.3, 0.3), random.uniform(0.75, 1.2)];
  const color = [random.uniform(60, 250), random.uniform(60, 250), random.uniform(60, 250)];
  const [sine, cosine] = [Math.sin(turn), Math.cos(turn)];
  const pixels = new Uint8ClampedArray(4 * pictureSide * pictureSide);
  for (let row = 0; row < pictureSide; row++) {
    for (let column = 0; column < pictureSide; column++) {
      const [u, v] = [(column + 0.5) / pictureSide, (row + 0.5) / pictureSide];
      const [x, y] = [(u - centerX) / size, (v - centerY) / size];
      const isShape = inside(cosine * x + sine * y, cosine * y - sine * x);
      const shelf = v > 0.6 ? 40 : 0;
      const room = [110 + 70 * u + shelf, 100 + 50 * v - shelf, 90 + 60 * Math.sin(9 * u) * Math.sin(5 * v)];
      for (let k = 0; k < 3; k++) {
        const value = (isShape ? color : room)[k] ?? 0;
        pixels[4 * (row * pictureSide + column) + k] = light * value + 8 * random.normal();
      }
      pixels[4 * (row * pictureSide + column) + 3] = 255;
    }
  }
  return pixels;
}
