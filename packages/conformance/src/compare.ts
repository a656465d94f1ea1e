/**
 * How two results are compared: shape, dtype and every element, with a tolerance for floats and a message that names the
 * first element that differs. Owns no test runner: a difference is a `ConformanceError`.
 */
import type { DType, Shape, TensorData } from '@nn/core';

/** What a case throws when the backend does not do what the contract says. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError';
}

/** How far a float may be off: `absolute + relative * |expected|`. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

/** Bit for bit, but for the sign of zero and the payload of NaN. */
export const exactly: Tolerance = { relative: 0, absolute: 0 };

/** A result on the host. */
export interface Values {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TensorData;
}

/** Throws unless `actual` has the type of `expected` and its elements within the tolerance. */
export function expectClose(actual: Values, expected: Values, tolerance: Tolerance, label: string): void {
  if (actual.dtype !== expected.dtype || actual.shape.join() !== expected.shape.join()) {
    throw new ConformanceError(
      `${label}: is ${actual.dtype} [${actual.shape.join(', ')}], ${expected.dtype} [${expected.shape.join(', ')}] is right.`,
    );
  }
  expectData(actual.data, expected.data, tolerance, label);
}

/** As `expectClose`, for bare numbers. */
export function expectData(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
  label: string,
): void {
  if (actual.length !== expected.length) {
    throw new ConformanceError(`${label}: has ${actual.length} elements, ${expected.length} are right.`);
  }
  for (let i = 0; i < expected.length; i++) {
    const found = actual[i]!;
    const right = expected[i]!;
    if (isClose(found, right, tolerance)) continue;
    const wrong = Array.from(expected).filter((value, k) => !isClose(actual[k]!, value, tolerance)).length;
    throw new ConformanceError(
      `${label}: element ${i} is ${found}, ${right} is right (tolerance ${tolerance.relative} relative, ` +
        `${tolerance.absolute} absolute; ${wrong} of ${expected.length} elements differ).`,
    );
  }
}

function isClose(actual: number, expected: number, { relative, absolute }: Tolerance): boolean {
  if (actual === expected) return true;
  if (Number.isNaN(expected)) return Number.isNaN(actual);
  return Math.abs(actual - expected) <= absolute + relative * Math.abs(expected);
}

/** Throws unless `condition` holds. */
export function expectTrue(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ConformanceError(message);
}

/** Throws unless `work` throws or rejects; gives the error back. */
export async function expectFailure(work: () => unknown, message: string): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new ConformanceError(message);
}
