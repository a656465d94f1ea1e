/** Owns: the tests of the scalar functions against double precision, for any device. */
import type { Alu } from '@nn/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GpuBackend, type GpuMode, gpu } from '../index.ts';
import { elementWise, oneStep } from './test-programs.ts';

// An error function of its own: the series below 3, the continued fraction beyond (Abramowitz and Stegun 7.1.6, 7.1.14).
function erf(x: number): number {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-18; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let fraction = size;
  for (let n = 60; n > 0; n--) fraction = size + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction);
}

interface Case {
  readonly op: Alu;
  readonly exact: (x: number) => number;
  readonly from: number;
  readonly to: number;
  /** The largest error: relative, or absolute for the waves. */
  readonly error: number;
  readonly absolute?: boolean;
}

const cases: readonly Case[] = [
  { op: 'exp', exact: Math.exp, from: -87, to: 88, error: 3e-7 },
  { op: 'log', exact: Math.log, from: 1e-6, to: 50, error: 3e-7 },
  { op: 'tanh', exact: Math.tanh, from: -12, to: 12, error: 3e-7 },
  { op: 'erf', exact: erf, from: -5, to: 5, error: 3e-7 },
  { op: 'sqrt', exact: Math.sqrt, from: 0, to: 1e6, error: 3e-7 },
  { op: 'sin', exact: Math.sin, from: -1000, to: 1000, error: 2e-7, absolute: true },
  { op: 'cos', exact: Math.cos, from: -1000, to: 1000, error: 2e-7, absolute: true },
];

export function testNumbers(mode: GpuMode): void {
  describe(`scalar functions on ${mode}`, () => {
    let backend: GpuBackend;
    beforeAll(async () => {
      backend = await gpu({ mode });
    });
    afterAll(() => backend.destroy());

    it.each(cases)('$op is exact to $error from $from to $to', async ({ op, exact, from, to, error, absolute }) => {
      const count = 50_000;
      const data = Float32Array.from({ length: count }, (_, at) => from + ((to - from) * at) / (count - 1));
      const nest = elementWise(count, 1, (body, a) => void body.alu(op, 'float32', a as number));
      const executable = await backend.compile(oneStep(nest, [count]));
      const input = backend.upload(data, { dtype: 'float32', shape: [count] });
      const [output] = executable.run([input], new Float64Array(0));
      const got = await backend.download(output!);
      let worst = 0;
      for (const [at, x] of data.entries()) {
        const wanted = exact(x);
        const scale = absolute ? 1 : Math.max(Math.abs(wanted), 1e-30);
        worst = Math.max(worst, Math.abs(got[at]! - wanted) / scale);
      }
      expect(worst).toBeLessThan(error);
      for (const buffer of [input, output!]) backend.release(buffer);
      executable.release();
    });
  });
}
