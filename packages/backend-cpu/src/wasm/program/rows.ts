/**
 * Buffers of a program in bytes, whole and by the rows of a group: what units are chosen by, and what a layout places.
 */
import type { Group, Program } from '@nn/core';
import { sizeOf } from '../../shape.ts';
import { bytesPerElement } from '../../storage.ts';

/** Bytes of local rows that one block of a group may keep: half of a small first-level cache. */
export const blockBudget = 16384;

/** Bytes of a buffer. */
export function bytesOf({ buffers }: Program, buffer: number): number {
  const { dtype, shape } = buffers[buffer]!;
  return bytesPerElement(dtype) * sizeOf(shape);
}
export const sameSlot = ({ buffers }: Program, a: number, b: number): boolean => buffers[a]?.slot === buffers[b]?.slot;

/** The outer positions of a group. */
export function positionsOf({ steps }: Program, { first, outer }: Group): number {
  return sizeOf(steps[first]!.kernel.domain.slice(0, outer));
}

/** Bytes of a local buffer at one outer position. Its shape may have more axes of one element than the domain that fills it. */
export const rowBytesOf = (program: Program, group: Group, buffer: number): number =>
  bytesOf(program, buffer) / positionsOf(program, group);

/** Bytes of all local buffers at one outer position. */
export const groupRowBytes = (program: Program, group: Group): number =>
  group.local.reduce((sum, buffer) => sum + rowBytesOf(program, group, buffer), 0);

/** The outer positions that go through all steps of a group together. */
export function rowsPerBlock(program: Program, group: Group): number {
  const rows = Math.max(1, Math.floor(blockBudget / Math.max(groupRowBytes(program, group), 4)));
  // Multiples of 16 keep vectors whole where a row is one element.
  return Math.min(positionsOf(program, group), rows >= 16 ? rows - (rows % 16) : rows);
}
