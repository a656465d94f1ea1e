/** Products on half floats: the switch. What it means for an operation is `ops/autocast.ts`. */
import type { DType } from './backend.ts';
import { isFloat, isHalf } from './dtype.ts';
import { ValueError } from './errors.ts';
import { storingAs } from './ops/autocast.ts';
import { asComputed, withStoring } from './ops/halves.ts';
import { checkSynchronous } from './settings.ts';

/** A dtype in which products may be stored; sums are float32 in any case. */
export type ProductDType = 'float16' | 'bfloat16' | 'float32';

/**
 * Runs `work`, in which the operands and results of matrix products and convolutions are stored as `dtype`, half the memory of
 * float32, and their gradients with them; sums are of float32, and so is everything else: softmax, losses, norms, parameters,
 * updates. 'float32' inside of it is the way out for a part. (PyTorch's `torch.autocast`; Micikevicius et al. 2017.)
 *
 * Gradients of float16 lose numbers below 6e-8: see GradScaler of @nn/optim. Throws ValueError for another dtype, and for an
 * async function.
 *
 * @example
 * import { autocast, tensor } from '@nn/core';
 * const x = tensor([[1.001]]);
 * const w = tensor([[3]]);
 * console.log(await autocast('bfloat16', () => x.matmul(w)).array()); // => [[3]]
 */
export function autocast<T>(dtype: ProductDType, work: () => T): T {
  checkProductDType('autocast', dtype);
  const storing = isFloat(dtype) ? asComputed : storingAs(dtype);
  return withStoring(storing, () => checkSynchronous('autocast', work()));
}

/** Throws ValueError unless products may be stored as `dtype`. */
export function checkProductDType(operation: string, dtype: DType): void {
  if (isFloat(dtype) || isHalf(dtype)) return;
  throw new ValueError(operation, `the dtype is ${String(dtype)}: it must be 'bfloat16', 'float16' or 'float32'.`, {
    dtype,
  });
}
