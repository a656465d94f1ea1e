/**
 * The form of a kernel that the dialects execute: one loop nest, without hints. `kernels.ts` makes nests of kernels
 * (one for most, several around a fixed algorithm for hinted ones); JavaScript and the interpreter run nests.
 */
import type { Body, DType, Kernel, Shape } from '@nn/core';

/** Where an array is visited: element `base + sum of strides * index` for each index of the domain. */
export interface Layout {
  /** One stride for each axis of the domain, in elements. */
  readonly strides: readonly number[];
  /** Whether `call.base` is added, which is where the box of an `into` starts. */
  readonly based: boolean;
}

export interface Nest {
  /** The kernel's key, for names and caches. */
  readonly key: string;
  readonly domain: Shape;
  /** The extents reduced over; empty where nothing is reduced. */
  readonly extents: Shape;
  readonly reads: readonly DType[];
  readonly scalars: readonly DType[];
  /** For each read, whether it may start at an offset. */
  readonly offsets: readonly boolean[];
  /** Without `reduce` and `scan`, an operation `accumulator` in `value` loads from `call.accumulator`. */
  readonly value: Body;
  readonly epilogue?: Body;
  readonly reduce?: Pick<NonNullable<Kernel['reduce']>, 'op' | 'dtype'>;
  /** The value is reduced along the last axis of the domain, up to each element, before the epilogue. */
  readonly scan?: Pick<NonNullable<Kernel['reduce']>, 'op' | 'dtype'>;
  /**
   * The value is added to `out` (or, with `op` 'max', the larger of both kept) instead of stored, at the element that the int32 at position `index` of `value` names:
   * `stride * index` is added to the place, and indices outside `0 <= index < extent` are ignored. `isWide`: it is added to
   * the doubles of `call.wide` in its stead.
   */
  readonly scatter?: {
    readonly op: 'sum' | 'max';
    readonly index: number;
    readonly extent: number;
    readonly stride: number;
    readonly isWide: boolean;
  };
  readonly store: Layout & { readonly dtype: DType };
  readonly accumulator?: Layout & { readonly dtype: DType };
}
