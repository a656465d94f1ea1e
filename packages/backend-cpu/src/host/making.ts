/** What the making of a kernel takes and gives, for the plain way (`kernels.ts`) and for algorithms, which lie above. */
import type { Kernel } from '@nn/core';
import type { KernelFunction } from './call.ts';
import type { Dialect } from './dialect.ts';
import type { Placement } from './placement.ts';
import type { Workspace } from './region.ts';

/** What making a kernel needs, besides the kernel. */
export interface Making {
  readonly placement: Placement;
  readonly dialect: Dialect;
  readonly workspace: Workspace;
}

/** A kernel as a function, and how it works, in a word for people. */
export interface MadeKernel {
  readonly run: KernelFunction;
  readonly path: string;
}

/** The kernel by the algorithm that its hint names; null where there is none, or where the loops are as good. */
export type Hinted = (kernel: Kernel, making: Making) => MadeKernel | null;
