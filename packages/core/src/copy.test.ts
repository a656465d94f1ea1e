import { cpu } from '@nn/backend-cpu';
import { expect, test } from 'vitest';
import {
  DuplicateCoreError,
  gradients,
  isNNError,
  isTensor,
  parameter,
  parameters,
  replace,
  type Tensor,
  tensor,
} from './index.ts';

/** What this copy sees of a tensor that another copy made. */
const foreign = { isTensor: true, copy: '0.1.0, CommonJS', shape: [2], dtype: 'float32' } as object as Tensor;

test('a tensor of another copy is refused wherever tensors are taken, and both copies are named', async () => {
  const own = parameter([1, 2], { backend: cpu() });
  for (const meet of [
    () => isTensor(foreign),
    () => own.mul(foreign),
    () => own.assign(foreign),
    () => gradients(own.sum(), [foreign]),
    () => gradients(foreign, [own]),
    () => parameters({ weight: foreign }),
    () => parameter(foreign),
    () => replace([[own, foreign]]),
  ]) {
    expect(meet).toThrow(DuplicateCoreError);
    expect(meet).toThrow(/\(0\.1\.0, CommonJS\) came to this one \(from source\).*npm ls @nn\/core/);
  }
  expect(await own.array()).toEqual([1, 2]);
});

test('the error carries the names as data', () => {
  let caught: unknown;
  try {
    tensor([1]).add(foreign);
  } catch (error) {
    caught = error;
  }
  expect(isNNError(caught) && [caught.code, caught.data]).toEqual([
    'duplicate-core',
    { here: 'from source', there: '0.1.0, CommonJS' },
  ]);
});
