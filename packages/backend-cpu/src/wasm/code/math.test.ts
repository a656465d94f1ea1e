import { type TensorData, tensor } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { makeCpu } from '../../backend.ts';
import { WasmEngine } from '../engine.ts';
import { pointwiseKernel, runKernel } from '../testing.ts';
import { features } from './features.ts';

const view = new DataView(new ArrayBuffer(4));
/** The place of a float among all floats in ascending order. */
function rank(value: number): number {
  view.setFloat32(0, value);
  const bits = view.getInt32(0);
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
}

/** Distance in units of the last place of the exact result, with the exact result not rounded. */
function ulps(got: number, exact: number): number {
  if (Object.is(got, exact) || got === exact || (Number.isNaN(got) && Number.isNaN(exact))) return 0;
  if (Number.isNaN(got) || Number.isNaN(exact)) return Number.POSITIVE_INFINITY;
  const rounded = Math.fround(exact);
  if (!Number.isFinite(got) || !Number.isFinite(rounded)) return Math.abs(rank(got) - rank(rounded));
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(rounded) || 2 ** -149)));
  return Math.abs(got - exact) / 2 ** (exponent - 23);
}

/** Every float whose bits are a multiple of a step, and the special ones. */
function wholeRange(step = 9973): Float32Array {
  const values = [
    0,
    -0,
    Infinity,
    -Infinity,
    Number.NaN,
    1,
    -1,
    2 ** -149,
    -(2 ** -149),
    2 ** -126,
    3.4e38,
    0.5,
    88.72,
    88.73,
  ];
  values.push(
    -87.3,
    -87.4,
    -103.9,
    -104,
    Math.PI,
    Math.PI / 2,
    Math.PI / 4,
    1e6,
    2 ** 20,
    2 ** 20 + 1,
    9.01,
    9.02,
    3.94,
  );
  // Where errors are largest.
  const worst = [-11.790464, -10.400452, 76.87297, -8.1067114, 6.5915804, 8.883917, -3.380131, -3.5036387, 3.7097161];
  for (const x of [...worst, 1558.7334, 990.92, 9810.684, 922848.9, 0.7001511, 1.4137539]) {
    for (let near = -200; near <= 200; near++) values.push(x * (1 + near * 2 ** -23));
  }
  for (let bits = 0; bits < 2 ** 32; bits += step) {
    view.setUint32(0, bits);
    values.push(view.getFloat32(0));
  }
  // Half of the numbers where results are ordinary.
  for (let at = 0; at < 100_000; at++)
    values.push(((at - 50_000) / 50_000) * (at % 3 === 0 ? 105 : at % 3 === 1 ? 10 : 1));
  return Float32Array.from(values);
}

function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x) || size > 6) return Number.isNaN(x) ? x : Math.sign(x);
  let term = x;
  let sum = x;
  // erf x = 2 / sqrt pi * sum of (-1)^n x^(2n+1) / (n! (2n+1)), in the form without cancellation.
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-18; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const functions = {
  exp: [Math.exp, 3.5],
  log: [Math.log, 1],
  tanh: [Math.tanh, 6.5],
  erf: [erf, 7],
  sin: [Math.sin, 1.6],
  cos: [Math.cos, 1.6],
  sqrt: [Math.sqrt, 0.5],
} as const;

describe.each(features().relaxed ? [false, true] : [false])('vectorised functions, fused: %s', (fused) => {
  const engine = new WasmEngine({ fused });
  const values = wholeRange();

  it.each(Object.entries(functions))(
    '%s stays within its stated error over the whole range',
    async (op, [exact, bound]) => {
      const got = await runKernel(engine, pointwiseKernel(op, ['float32'], 'float32', values.length), [values]);
      let worst = 0;
      let where = 0;
      values.forEach((x, at) => {
        const error = ulps(got[at] as number, exact(x));
        if (error > worst) [worst, where] = [error, x];
      });
      expect(worst, `at ${where}`).toBeLessThanOrEqual(bound);
    },
  );

  it('pow stays within 1 ULP, signs, zeros and infinities included', async () => {
    const special = [
      0,
      -0,
      1,
      -1,
      2,
      -2,
      0.5,
      3,
      -3,
      Infinity,
      -Infinity,
      Number.NaN,
      1e30,
      1e-30,
      2 ** -149,
      1.0000001,
    ];
    const bases: number[] = [];
    const exponents: number[] = [];
    for (const x of special) for (const y of special) [bases.push(x), exponents.push(y)];
    for (let at = 0; at < 100_000; at++) {
      view.setUint32(0, Math.imul(at, 2654435761) >>> 0);
      bases.push(view.getFloat32(0));
      view.setUint32(0, Math.imul(at + 17, 2246822519) >>> 0);
      exponents.push(view.getFloat32(0));
    }
    for (let at = 0; at < 100_000; at++) {
      bases.push(Math.fround(2 ** (((at * 7919) % 2000) / 100 - 10)));
      exponents.push(Math.fround((((at * 104729) % 4001) - 2000) / 150));
    }
    const kernel = pointwiseKernel('pow', ['float32', 'float32'], 'float32', bases.length);
    const got = await runKernel(engine, kernel, [Float32Array.from(bases), Float32Array.from(exponents)]);
    let worst = 0;
    let where = '';
    bases.forEach((x, at) => {
      const y = Math.fround(exponents[at] as number);
      const base = Math.fround(x);
      const exact = base === 1 || (base === -1 && Math.abs(y) === Infinity) ? 1 : base ** y;
      const error = ulps(got[at] as number, exact);
      if (error > worst) [worst, where] = [error, `${base} ** ${y}: ${got[at]} for ${exact}`];
    });
    expect(worst, where).toBeLessThanOrEqual(1);
  });

  it('sigmoid stays within 5 ULP down to the smallest normal result, and is 0 beyond', async () => {
    const backend = makeCpu({}, { wasm: () => engine });
    const got = await tensor(values, { backend }).sigmoid().data();
    let worst = 0;
    let where = 0;
    values.forEach((x, at) => {
      const exact = 1 / (1 + Math.exp(-x));
      if (exact < 2 ** -126) expect([0, Math.fround(exact)].some((end) => ulps(got[at] as number, end) < 4)).toBe(true);
      else {
        const error = ulps(got[at] as number, exact);
        if (error > worst) [worst, where] = [error, x];
      }
    });
    expect(worst, `at ${where}`).toBeLessThanOrEqual(5);
  });

  it('sin, cos and pow of a number do not depend on its neighbours', async () => {
    const x = Float32Array.from({ length: 4096 }, (_, at) => 0.01 + ((at * 7919) % 4099) / 41);
    const y = Float32Array.from({ length: 4096 }, (_, at) => ((at * 104729) % 4001) / 400 - 5);
    for (const [op, strange] of [
      ['sin', [1e9, Number.NaN, Infinity]],
      ['cos', [1e9, Number.NaN, -Infinity]],
      ['pow', [-2, 0, Infinity]],
    ] as const) {
      const reads = op === 'pow' ? (['float32', 'float32'] as const) : (['float32'] as const);
      const kernel = pointwiseKernel(op, reads, 'float32', x.length);
      const mixed = x.map((value, at) => (at % 4 === 1 ? (strange[at % 3] as number) : value));
      const [alone, among] = await Promise.all(
        [x, mixed].map((values) => runKernel(engine, kernel, op === 'pow' ? [values, y] : [values])),
      );
      const usual = (values: TensorData) => values.filter((_, at) => at % 4 !== 1);
      expect(usual(among as TensorData)).toEqual(usual(alone as TensorData));
    }
  });

  it('keeps the sign of zero', async () => {
    for (const op of ['sin', 'tanh', 'erf', 'sqrt']) {
      const got = await runKernel(engine, pointwiseKernel(op, ['float32'], 'float32', 4), [
        new Float32Array([-0, 0, -0, 0]),
      ]);
      expect([...got]).toEqual([-0, 0, -0, 0]);
    }
  });

  it('gives the same bits for one element as for four', async () => {
    for (const op of ['exp', 'log', 'tanh', 'erf', 'sin', 'cos']) {
      const three = Float32Array.of(0.3, 1.7, 2.9);
      const four = await runKernel(engine, pointwiseKernel(op, ['float32'], 'float32', 4), [
        Float32Array.of(...three, 1),
      ]);
      const one = await runKernel(engine, pointwiseKernel(op, ['float32'], 'float32', 3), [three]);
      expect([...one]).toEqual([...four.slice(0, 3)]);
    }
  });
});
