/** Gradients against differences: what a user runs on an operation or a loss of their own before trusting it. */
import { tensor } from './create.ts';
import { isFloat } from './dtype.ts';
import { GradientError, ValueError } from './errors.ts';
import { gradientsOrNull } from './gradients.ts';
import { checkSynchronous } from './settings.ts';
import { show, sizeOf, stridesOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

export interface GradientCheckOptions {
  /** How far inputs are moved to each side; 2^-7 by default, which suits float32. */
  readonly step?: number;
  /** The error allowed, as a part of the slope plus an absolute one: 2e-3 by default. */
  readonly tolerance?: number;
  /** 2 checks the gradients of the gradients too. */
  readonly order?: 1 | 2;
}

/** Inputs with more elements than this are moved along random directions instead of element by element. */
const mostElements = 64;

/**
 * Compares the gradients of `f` (tensors in, one tensor of any shape out) at the given float32 inputs with central
 * differences, (f(x + h) - f(x - h)) / 2h, for every element. Resolves with the largest error; throws a `GradientError`
 * that names the element where it is too large. Keep away from kinks and jumps.
 *
 * @example
 * import { customGradient, gradcheck, tensor } from '@nn/core';
 * const x = tensor([0.5, 1, 2]);
 * console.log((await gradcheck((x) => x.exp().sum(), [x])) < 1e-2); // => true
 * const wrong = customGradient((x) => x.mul(2), (g) => [g.mul(3)]);
 * console.log(await gradcheck(wrong, [x]).catch((error) => error.code)); // => gradient
 */
export async function gradcheck(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: GradientCheckOptions = {},
): Promise<number> {
  const { step = 2 ** -7, tolerance = 2e-3, order = 1 } = options;
  if (!(step > 0)) throw new ValueError('gradcheck', `the step must be positive, got ${step}.`);
  const scalar = (...moved: Tensor[]): Tensor => {
    const y = checkSynchronous('gradcheck', f(...moved));
    return y.mul(weightsFor(y)).sum();
  };
  const error = await compare(scalar, inputs, step, tolerance, 'gradient');
  if (order === 1) return error;
  const slope = (...moved: Tensor[]): Tensor => {
    const found = gradientsOrNull(
      scalar(...moved),
      moved.filter(({ dtype }) => isFloat(dtype)),
    );
    const parts = found.flatMap((gradient) => (gradient === null ? [] : [gradient.mul(weightsFor(gradient)).sum()]));
    return parts.reduce((sum, part) => sum.add(part), scalar(...moved).mul(0));
  };
  return Math.max(error, await compare(slope, inputs, step, tolerance, 'second gradient'));
}

async function compare(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  step: number,
  tolerance: number,
  words: string,
): Promise<number> {
  const gradients = gradientsOrNull(f(...inputs), inputs);
  const checks = inputs.flatMap((input, k) =>
    !isFloat(input.dtype) ? [] : directionsFor(input).map((direction) => ({ k, direction, input })),
  );
  // the differences are taken where f is computed, so that nothing is rounded before it is subtracted
  const values = await Promise.all(
    checks.map(({ k, direction, input }) => {
      const shift = tensor(direction.values, { shape: input.shape }).mul(step);
      const at = (moved: Tensor): Tensor => f(...inputs.map((other, i) => (i === k ? moved : other)));
      const difference = at(input.add(shift))
        .sub(at(input.sub(shift)))
        .div(2 * step);
      const gradient = gradients[k] ?? input.mul(0);
      const slope = gradient.mul(tensor(direction.values, { shape: input.shape })).sum();
      return Promise.all([slope.item(), difference.item()]);
    }),
  );
  let largest = 0;
  values.forEach(([slope, difference], n) => {
    const { k, direction } = checks[n]!;
    const error = Math.abs(slope - difference);
    largest = Math.max(largest, error);
    if (error <= tolerance * (1 + Math.abs(difference))) return;
    throw new GradientError(
      'gradcheck',
      `the ${words} of input ${k} ${direction.words} is ${slope}, differences give ${difference}.`,
      { input: k, slope, difference },
    );
  });
  return largest;
}

interface Direction {
  readonly values: Float32Array;
  readonly words: string;
}

/** One direction an element; for large inputs a few of +1 and -1 in a fixed disorder. */
function directionsFor({ shape }: Tensor): Direction[] {
  const size = sizeOf(shape);
  if (size > mostElements) {
    return [1, 2, 3, 4].map((turn) => ({
      values: Float32Array.from({ length: size }, (_, i) => ((i * i * turn + (i >> turn)) % 3 === 0 ? 1 : -1)),
      words: `along direction ${turn}`,
    }));
  }
  const strides = stridesOf(shape);
  return Array.from({ length: size }, (_, i) => {
    const values = new Float32Array(size);
    values[i] = 1;
    const index = shape.map((length, axis) => Math.floor(i / strides[axis]!) % length);
    return { values, words: `at ${show(index)}` };
  });
}

/** A weight for each element of a result, no two neighbours alike. */
function weightsFor({ shape }: Tensor): Tensor {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => (((7 * i) % 11) - 4.5) / 4);
  return tensor(data, { shape });
}
