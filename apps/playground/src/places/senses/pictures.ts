/** Pictures as the network gets them, and what a picture may also have looked like: moved, turned, nearer, lit otherwise. */
import type { RandomSequence } from '@nn/data';
import { augment, colorJitter, compose, fromPixels, type Image, planes, randomAffine } from '@nn/vision';
import { pictureSide } from './protocol.ts';

export const pictureShape: readonly number[] = [3, pictureSide, pictureSide];

const transform = compose(
  randomAffine({ degrees: 12, translate: [0.12, 0.12], scale: [0.85, 1.2] }),
  colorJitter({ brightness: 0.25, contrast: 0.25, saturation: 0.2 }),
);

/** The picture of RGBA bytes of a square. */
export function pictureOf(pixels: Uint8ClampedArray): Image {
  return fromPixels({ width: pictureSide, height: pictureSide, data: pixels });
}

/** Writes planes, -1 to 1. */
export function writePicture(image: Image, into: Float32Array, at: number): void {
  planes(image).data.forEach((byte, i) => {
    into[at + i] = byte / 127.5 - 1;
  });
}

export function writeVariedPicture(image: Image, random: RandomSequence, into: Float32Array, at: number): void {
  writePicture(augment(transform, { image }, random).image, into, at);
}
