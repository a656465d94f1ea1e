/**
 * Every metric against scikit-learn and friends: the class over two batches with a read between them, and the function
 * of tensors. The fixtures are made by scripts/golden/metrics.py.
 */
import { cpu } from '@nn/backend-cpu';
import { isTensor, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { beforeAll, describe, expect, test } from 'vitest';
import classification from '../fixtures/classification.json';
import curves from '../fixtures/curves.json';
import regression from '../fixtures/regression.json';
import * as metrics from './index.ts';

interface Packed {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

interface Case {
  readonly metric: string;
  readonly options: object;
  readonly predictions: Packed;
  readonly targets: Packed | null;
  readonly weights: Packed | null;
  readonly value: unknown;
}

const families: Readonly<Record<string, readonly Case[]>> = {
  classification: classification.cases,
  curves: curves.cases,
  regression: regression.cases,
};

beforeAll(() => setDefaultBackend(cpu()));

function unpack({ dtype, shape, data }: Packed): Tensor {
  const numbers = data.map(Number);
  return tensor(dtype === 'int32' ? Int32Array.from(numbers) : Float32Array.from(numbers), { shape });
}

/** Rows `from` to `to`. */
function part(packed: Packed, from: number, to: number): Tensor {
  const [rows = 1, ...rest] = packed.shape;
  const size = packed.data.length / rows;
  return unpack({ ...packed, shape: [to - from, ...rest], data: packed.data.slice(from * size, to * size) });
}

/** Numbers of any nesting, NaN included, to float32's digits. */
function near(actual: unknown, expected: unknown, path = ''): void {
  if (Array.isArray(expected)) {
    expect(actual, path).toHaveLength(expected.length);
    expected.forEach((item, k) => {
      near(Object(actual)[k], item, `${path}[${k}]`);
    });
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [name, item] of Object.entries(expected)) near(Object(actual)[name], item, `${path}.${name}`);
  } else {
    const [a, e] = [Number(actual), Number(expected)];
    const isNear = Number.isNaN(e) ? Number.isNaN(a) : Math.abs(a - e) <= 2e-6 + 2e-5 * Math.abs(e);
    expect(isNear, `${path} is ${a}, expected ${e}`).toBe(true);
  }
}

const functionName = (name: string): string =>
  name === 'AUROC' ? 'auroc' : `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`;

/** Areas as functions are exact, and of one score per sample. */
const isArea = (name: string): boolean => name === 'AUROC' || name === 'AveragePrecision';

for (const [family, cases] of Object.entries(families)) {
  describe(family, () => {
    cases.forEach(({ metric: name, options, predictions, targets, weights, value }, index) => {
      const title = `${index}: ${name}(${JSON.stringify(options)})${weights === null ? '' : ' weighted'}`;
      test(title, async () => {
        const made: unknown = Reflect.construct(Reflect.get(metrics, name), [options]);
        if (!(made instanceof metrics.Metric)) throw new Error(`${name} is no metric`);
        const rows = predictions.shape[0] ?? 1;
        const update: unknown = Reflect.get(made, 'update');
        if (typeof update !== 'function') throw new Error(`${name} has no update`);
        const cut = rows >> 1;
        for (const [from, to] of [
          [0, cut],
          [cut, rows],
        ] as const) {
          const batch = [part(predictions, from, to), ...(targets === null ? [] : [part(targets, from, to)])];
          update.call(made, ...batch, weights === null ? {} : { weights: part(weights, from, to) });
          await made.read();
        }
        near((await made.read()).epoch, value);
      });

      const fn: unknown = Reflect.get(metrics, functionName(name));
      if (typeof fn !== 'function') return;
      if (isArea(name) && Object.keys(options).join() !== 'from,exact') return;
      test(`${title}, as a function`, async () => {
        const given = isArea(name) ? { from: 'probabilities' } : options;
        const more = weights === null ? given : { ...given, weights: unpack(weights) };
        const result: unknown = fn(unpack(predictions), ...(targets === null ? [] : [unpack(targets)]), more);
        if (!isTensor(result)) throw new Error(`${name} answers no tensor`);
        near(result.rank === 0 ? await result.item() : await result.array(), value);
      });
    });
  });
}
