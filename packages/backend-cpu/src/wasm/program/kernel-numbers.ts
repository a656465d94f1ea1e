/** Equal kernels have one number, which stands for their long keys wherever they are compared. */
import type { Kernel } from '@nn/core';

/** Kernels by number, equal ones by one: their keys are long, and an unrolled loop has thousands of steps. */
export class KernelNumbers {
  readonly #numbers = new Map<Kernel | string, number>();

  of(kernel: Kernel): number {
    const known = this.#numbers.get(kernel);
    if (known !== undefined) return known;
    const number = this.#numbers.get(kernel.key) ?? this.#numbers.size;
    this.#numbers.set(kernel.key, number);
    this.#numbers.set(kernel, number);
    return number;
  }
}
