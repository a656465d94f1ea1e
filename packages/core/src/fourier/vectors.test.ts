/** The vectors of WebAssembly against the passes in double precision. */
import { expect, test } from 'vitest';
import { invertReal, transformReal } from './real.ts';
import { makeDouble, transformOf } from './transform.ts';
import { vectorTransformOf } from './vectors.ts';

test.each([64, 128, 256, 512, 1024, 8192])('rows of %i give what double precision gives, there and back', (n) => {
  const row = Float32Array.from({ length: 2 * n }, (_, k) => Math.sin(k * k + 1));
  const double = makeDouble(n);
  double.input.set(row);
  const right = double.run();
  const vectors = vectorTransformOf(n);
  if (vectors === null) throw new Error('this machine has no vectors');
  vectors.input.set(row);
  vectors.run(false, 0.5);
  const norm = Math.sqrt(n);
  const far = (a: ArrayLike<number>, b: ArrayLike<number>, scale: number): number =>
    Array.from(a).reduce((most, value, k) => Math.max(most, Math.abs(value - scale * (b[k] as number))), 0);
  expect(far(vectors.output, right, 0.5)).toBeLessThan(4e-7 * norm);
  vectors.input.set(vectors.output.slice());
  vectors.run(true, 2 / n);
  expect(far(vectors.output, row, 1)).toBeLessThan(1e-6);
});

test('other lengths have none', () => {
  for (const n of [1, 32, 96, 1000, 2 ** 19]) expect(vectorTransformOf(n)).toBe(null);
  expect(transformOf(96).input).toBeInstanceOf(Float64Array);
});

test('a row that is kept survives the growth of the memory', () => {
  const small = vectorTransformOf(64);
  vectorTransformOf(2 ** 17);
  small?.input.fill(1);
  small?.run();
  expect(small?.output[0]).toBe(64);
});

test.each([128, 256, 512, 8192])('real rows of %i give the first half of the whole spectrum, there and back', (n) => {
  const row = Float32Array.from({ length: n }, (_, k) => Math.sin(k * k + 1));
  const double = makeDouble(n);
  double.input.fill(0);
  row.forEach((value, k) => {
    double.input[2 * k] = value;
  });
  const right = double.run().slice(0, n + 2);
  const spectrum = new Float32Array(n + 3).fill(7);
  transformReal(n, row, 0, spectrum, 1, { ends: 1, others: 2 });
  const far = right.map((value, k) => Math.abs((spectrum[k + 1] ?? Number.NaN) - value * (k < 2 || k >= n ? 1 : 2)));
  expect(Math.max(...far)).toBeLessThan(2e-6 * Math.sqrt(n));
  expect([spectrum[0], spectrum[2], spectrum[n + 2]]).toEqual([7, 0, 0]);
  const back = new Float32Array(n);
  invertReal(n, Float32Array.from(right), 0, back, 0, { ends: 1 / n, others: 1 / n });
  expect(Math.max(...back.map((value, k) => Math.abs(value - (row[k] ?? Number.NaN))))).toBeLessThan(1e-6);
});
