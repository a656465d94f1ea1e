/**
 * The planes of a JPEG to pixels: colours that were kept at half the size are spread as libjpeg does ("fancy upsampling": three parts of the
 * nearer sample, one of the farther, in each direction), then luma and chroma (JFIF) or inks become RGB by its whole numbers. So pixels
 * equal those of PIL and torchvision.
 */

/** Samples of one component. */
export interface Plane {
  readonly data: Uint8ClampedArray;
  /** From line to line. */
  readonly stride: number;
  /** The samples that count; behind them lies what filled up a block. */
  readonly width: number;
  readonly height: number;
  /** How many pixels share a sample, beside and below each other. */
  readonly across: number;
  readonly down: number;
}

/** What components mean. */
export type ColorModel = 'grey' | 'rgb' | 'luma' | 'inks' | 'luma and ink';

/** The pixels of planes: grey or RGB. */
export function pixelsOf(planes: readonly Plane[], width: number, height: number, model: ColorModel): Uint8Array {
  const channels = model === 'grey' ? 1 : 3;
  const result = new Uint8ClampedArray(width * height * channels);
  // spread lines may be longer than the picture
  const lines = planes.map(({ across }) => new Uint8Array(width + 2 * Math.ceil(across)));
  for (let y = 0; y < height; y++) {
    planes.forEach((plane, k) => {
      fillLine(plane, y, width, lines[k]!);
    });
    const to = result.subarray(y * width * channels, (y + 1) * width * channels);
    const [a, b, c, d] = lines as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    if (model === 'grey') to.set(a.subarray(0, width));
    else if (model === 'rgb') interleave(a, b, c, width, to);
    else if (model === 'luma') toRgb(a, b, c, width, to);
    else {
      if (model === 'inks') interleave(a, b, c, width, to);
      else toRgb(a, b, c, width, to);
      mixInks(to, d, model === 'inks');
    }
  }
  return new Uint8Array(result.buffer);
}

/** The samples of a line of pixels. */
function fillLine(plane: Plane, y: number, width: number, to: Uint8Array): void {
  const { data, stride, height, across, down } = plane;
  const isSmooth = plane.width > 2 && across === 2 && (down === 1 || down === 2);
  if (across === 1 && down === 1) {
    to.set(data.subarray(y * stride, y * stride + width));
  } else if (isSmooth && down === 1) {
    spread(data, y * stride, plane.width, to);
  } else if (isSmooth || (across === 1 && down === 2)) {
    const [near, far] = [y >> 1, Math.min(height - 1, Math.max(0, (y >> 1) + (y & 1 ? 1 : -1)))];
    if (across === 1) between(data, near * stride, far * stride, width, (y & 1) + 1, to);
    else spreadBoth(data, near * stride, far * stride, plane.width, to);
  } else {
    const line = Math.floor(y / down) * stride;
    for (let x = 0; x < width; x++) to[x] = data[line + Math.floor(x / across)]!;
  }
}

/** Twice as many: (3 near + far) / 4, rounded down to the left and up to the right. */
function spread(data: Uint8ClampedArray, at: number, count: number, to: Uint8Array): void {
  to[0] = data[at]!;
  for (let i = 0, o = 1; i < count - 1; i++, o += 2) {
    const [left, right] = [data[at + i]!, data[at + i + 1]!];
    to[o] = (3 * left + right + 2) >> 2;
    to[o + 1] = (3 * right + left + 1) >> 2;
  }
  to[2 * count - 1] = data[at + count - 1]!;
}

/** The same between two lines. */
function between(
  data: Uint8ClampedArray,
  near: number,
  far: number,
  count: number,
  round: number,
  to: Uint8Array,
): void {
  for (let i = 0; i < count; i++) to[i] = (3 * data[near + i]! + data[far + i]! + round) >> 2;
}

/** Both at once, rounded once: sixteenths. */
function spreadBoth(data: Uint8ClampedArray, near: number, far: number, count: number, to: Uint8Array): void {
  let left = 3 * data[near]! + data[far]!;
  to[0] = (4 * left + 8) >> 4;
  for (let i = 1, o = 1; i < count; i++, o += 2) {
    const right = 3 * data[near + i]! + data[far + i]!;
    to[o] = (3 * left + right + 7) >> 4;
    to[o + 1] = (3 * right + left + 8) >> 4;
    left = right;
  }
  to[2 * count - 1] = (4 * left + 7) >> 4;
}

function interleave(a: Uint8Array, b: Uint8Array, c: Uint8Array, width: number, to: Uint8ClampedArray): void {
  for (let x = 0, o = 0; x < width; x++, o += 3) {
    to[o] = a[x]!;
    to[o + 1] = b[x]!;
    to[o + 2] = c[x]!;
  }
}

/** R = Y + 1.402 Cr, G = Y - 0.71414 Cr - 0.34414 Cb, B = Y + 1.772 Cb, Cb and Cr from -128 on, with factors of 16 bits. */
function toRgb(luma: Uint8Array, blue: Uint8Array, red: Uint8Array, width: number, to: Uint8ClampedArray): void {
  for (let x = 0, o = 0; x < width; x++, o += 3) {
    const y = luma[x]!;
    const cb = blue[x]! - 128;
    const cr = red[x]! - 128;
    to[o] = y + ((91881 * cr + 32768) >> 16);
    to[o + 1] = y + ((32768 - 22554 * cb - 46802 * cr) >> 16);
    to[o + 2] = y + ((116130 * cb + 32768) >> 16);
  }
}

/**
 * Light through inks: (255 - ink) (255 - black) / 255. Files keep what is left of the light in place of ink (Adobe's way), luma and chroma
 * those of the ink; PIL takes all files so.
 */
function mixInks(to: Uint8ClampedArray, black: Uint8Array, isLight: boolean): void {
  for (let x = 0, o = 0; o < to.length; x++, o += 3) {
    for (let k = o; k < o + 3; k++) {
      const light = isLight ? to[k]! : 255 - to[k]!;
      const product = light * black[x]! + 128;
      to[k] = (product + (product >> 8)) >> 8;
    }
  }
}
