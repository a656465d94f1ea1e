/**
 * Whole numbers for real ones: x is about scale * (q - zeroPoint). Owns the ways to choose scale and zero point for a range, in the
 * arithmetic of float32, as PyTorch (torch.ao) and ONNX have them. Which range that is, observers say.
 */
import { ValueError } from '@nn/core';

/** Whole numbers from `low` to `high`, both included. */
export interface Levels {
  readonly low: number;
  readonly high: number;
}

/** The real numbers that levels stand for: scale * (q - zeroPoint). */
export interface Quantisation extends Levels {
  readonly scale: number;
  readonly zeroPoint: number;
}

/**
 * Where a symmetric scale puts the largest magnitude. `pytorch`: at 127.5 of the levels -128 to 127, so scale = |x| / 127.5.
 * `onnx`: at 127 of the levels -127 to 127, as ONNX and TFLite do.
 */
export type Symmetry = 'pytorch' | 'onnx';

/** Activations by seven bits without a sign: what products of bytes take at full speed. PyTorch's `reduce_range`. */
export const sevenBits: Levels = { low: 0, high: 127 };

const smallestScale = 2 ** -23;

function checkRange(operation: string, min: number, max: number): void {
  if (min <= max && Number.isFinite(max - min)) return;
  throw new ValueError(
    operation,
    `the range is ${min} to ${max}: both must be finite, the first not above the second. What was observed has NaN or infinities, or nothing was.`,
    { min, max },
  );
}

/**
 * The scale and zero point by which `levels` cover `min` to `max`, and 0, which is met exactly (padding, relu).
 * scale = (max - min) / (high - low), zeroPoint = low - round(min / scale), halves to even; scale is at least 2^-23.
 *
 * @example
 * import { affineQuantisation } from '@nn/compress';
 * const { scale, zeroPoint } = affineQuantisation(-1, 2, { low: 0, high: 255 });
 * console.log(scale.toFixed(9), zeroPoint); // => 0.011764706 85
 */
export function affineQuantisation(min: number, max: number, { low, high }: Levels): Quantisation {
  checkRange('affineQuantisation', min, max);
  const [bottom, top] = [Math.fround(Math.min(min, 0)), Math.fround(Math.max(max, 0))];
  const scale = Math.max(Math.fround(Math.fround(top - bottom) / (high - low)), smallestScale);
  const zeroPoint = low - roundHalfEven(Math.fround(bottom / scale));
  return { low, high, scale, zeroPoint: Math.max(low, Math.min(high, zeroPoint)) };
}

/**
 * The scale by which 8 bits with a sign, or `bits`, cover -|x| to |x| for the larger magnitude of `min` and `max`; the zero point is 0.
 *
 * @example
 * import { symmetricQuantisation } from '@nn/compress';
 * console.log(symmetricQuantisation(-1.275, 1, { symmetry: 'pytorch' }).scale.toFixed(4)); // => 0.0100
 * console.log(symmetricQuantisation(-1.27, 1, { symmetry: 'onnx' }).scale.toFixed(4)); // => 0.0100
 */
export function symmetricQuantisation(
  min: number,
  max: number,
  options: { readonly symmetry?: Symmetry; readonly bits?: number } = {},
): Quantisation {
  checkRange('symmetricQuantisation', min, max);
  const { symmetry = 'pytorch', bits = 8 } = options;
  const high = 2 ** (bits - 1) - 1;
  const low = symmetry === 'onnx' ? -high : -high - 1;
  const most = Math.fround(Math.max(-min, max, 0));
  const scale = Math.max(Math.fround(most / ((high - low) / 2)), smallestScale);
  return { low, high, scale, zeroPoint: 0 };
}

/** To the nearest whole number, halves to the even one. */
export function roundHalfEven(x: number): number {
  const near = Math.round(x);
  return Math.abs(x % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near;
}

/** The level that stands for a real number. */
export function levelOf(x: number, { scale, zeroPoint, low, high }: Quantisation): number {
  // float32 throughout, as a kernel computes it
  const q = roundHalfEven(Math.fround(Math.fround(x) * Math.fround(1 / scale))) + zeroPoint;
  return Math.max(low, Math.min(high, q));
}
