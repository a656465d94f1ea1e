/** What a kernel with a way of its own is asked for: everything that decides how it may be written. */
import type { Kernel } from '@nn/core';

export interface SpecialRequest {
  readonly kernel: Kernel;
  readonly outStrides: readonly number[];
  /** Whether a read may share memory with the output. */
  readonly aliased: boolean;
}
