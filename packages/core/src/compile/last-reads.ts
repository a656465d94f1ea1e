/** Which buffers a step reads, the base around its box among them, and which step reads a buffer last. */
import type { Step } from '../backend.ts';

type Reader = Pick<Step, 'reads' | 'into' | 'piece'>;

export function readBy({ reads, into, piece }: Reader): number[] {
  const buffers = reads.map(({ buffer }) => buffer);
  for (const base of [into?.base, piece?.base]) if (base !== null && base !== undefined) buffers.push(base);
  return buffers;
}

/** For each buffer the last step that reads it. */
export function lastReads(steps: readonly Reader[]): Map<number, number> {
  const last = new Map<number, number>();
  steps.forEach((step, at) => {
    for (const buffer of readBy(step)) last.set(buffer, at);
  });
  return last;
}
