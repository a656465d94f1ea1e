/** Functions that must be synchronous refuse async ones, and the promise that nobody waits for ends no process. */
import { reference } from '@nn/conformance';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  checkpoint,
  compile,
  customGradient,
  evaluate,
  gradcheck,
  gradients,
  jvp,
  noGradient,
  prepare,
  RandomGenerator,
  type Tensor,
  tensor,
  valueAndGrad,
  withRandom,
} from './index.ts';
import { prepare as prepareTests } from './testing.ts';

prepareTests(reference());

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.prependListener('unhandledRejection', note);
});
afterEach(() => void process.off('unhandledRejection', note));

// what a user's JavaScript would hand over
const failing = (async () => {
  throw new Error('the function failed on its own');
}) as unknown as () => Tensor;
const x = (): Tensor => tensor([1, 2]);

test.each<[string, () => unknown]>([
  ['noGradient', () => noGradient(failing)],
  ['evaluate', () => evaluate(failing)],
  ['withRandom', () => withRandom(new RandomGenerator(), failing)],
  ['compile', () => compile(failing)()],
  ['prepare', () => prepare(failing)],
  ['checkpoint', () => checkpoint(failing)(x())],
  ['grad', () => valueAndGrad(failing)(x())],
  ['jvp', () => jvp(failing, [x()], [x()])],
  ['gradcheck', () => gradcheck(failing, [x()])],
  ['customGradient', () => customGradient(failing, (g) => [g])(x())],
  [
    'customGradient',
    () => {
      const y = customGradient((z) => z.mul(2), failing as unknown as (g: Tensor) => Tensor[]);
      const input = x();
      return gradients(y(input).sum(), [input]);
    },
  ],
])('%s', async (operation, call) => {
  const error = await (async () => call())().catch((reason: unknown) => reason);
  expect(String(error)).toContain(
    `${operation}: the function must not be async: build the tensors inside and await their values outside.`,
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(unhandled).toEqual([]);
});
