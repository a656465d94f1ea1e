/** What tests share: tensors of the fixtures, and how near is near. Only for tests. */
import { type Tensor, tensor } from '@nn/core';
import { expect } from 'vitest';

/** A tensor in a fixture. */
export interface Packed {
  readonly dtype?: string;
  readonly data: readonly number[];
  readonly shape: readonly number[];
}

export function unpack({ dtype = 'float32', data, shape }: Packed): Tensor {
  if (dtype === 'bool') return tensor(Uint8Array.from(data), { shape, dtype: 'bool' });
  return tensor([...data], { shape, dtype: dtype === 'int32' ? 'int32' : 'float32' });
}

export function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>, digits = 4): void {
  expect(found.length).toBe(wanted.length);
  for (let i = 0; i < found.length; i++) expect(found[i]).toBeCloseTo(wanted[i]!, digits);
}
