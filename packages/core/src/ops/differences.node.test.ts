/** The gradients of every operation, first and second, against differences in double precision. */
import { inputsOf, listOf, operations, reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import { gradcheck, type Tensor, tensor } from '../index.ts';
import { prepare } from '../testing.ts';

const backend = prepare(reference());

/** All float results in a row. */
function joined(results: readonly Tensor[]): Tensor {
  const floats = results.filter(({ dtype }) => dtype === 'float32');
  return floats.map((x, k) => x.mul(k + 1).sum()).reduce((a, b) => a.add(b), tensor(0, { backend }));
}

const smooth = operations().filter(
  (op) =>
    op.isBent !== true &&
    op.differentiable !== false &&
    op.needs === undefined &&
    op.inputs.some(({ shape, dtype = 'float32' }) => dtype === 'float32' && !shape.includes(0)) &&
    op.inputs.every((input) => !('kind' in input) || input.kind !== 'tied'),
);

/** Differences take two evaluations for each element, so the larger samples are left to the first order. */
const isSmall = ({ inputs }: (typeof smooth)[number]): boolean =>
  inputs.reduce((sum, { shape }) => sum + shape.reduce((product, extent) => product * extent, 1), 0) <= 18;

describe('gradients agree with differences:', () => {
  test.each(smooth.map((op) => [op.name, op] as const))('%s', async (_, op) => {
    const f = (...inputs: Tensor[]): Tensor => {
      const results = listOf(op.apply(inputs, backend));
      const weights = (x: Tensor): Tensor =>
        tensor(
          Float32Array.from({ length: x.size }, (_, i) => (((5 * i) % 13) - 6.5) / 8),
          { shape: x.shape },
        );
      return joined(results.map((x) => (x.dtype === 'float32' ? x.mul(weights(x)) : x)));
    };
    // what the host computes was rounded to float32, so its differences need longer steps
    const accuracy = op.onHost === true ? { step: 2 ** -6, tolerance: 2e-3 } : { step: 1e-4, tolerance: 2e-6 };
    expect(await gradcheck(f, inputsOf(op, backend), { ...accuracy, order: isSmall(op) ? 2 : 1 })).toBeLessThan(1e-2);
  });
});
