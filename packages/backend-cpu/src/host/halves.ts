/** The conversions of half floats, which a page fetches when the first program has such a buffer. */
import type { Program } from '@nn/core';
import { Fetched } from '../fetched.ts';

type Conversions = typeof import('../half-floats.ts');

export const halves: Fetched<Conversions> = /* @__PURE__ */ new Fetched(
  'half floats',
  () => import('../half-floats.ts'),
);

/** The conversions, in a program that was found to need them. */
export const conversions = (): Conversions => halves.code!;

export const hasHalves = ({ buffers }: Program): boolean => buffers.some(({ dtype }) => dtype.endsWith('float16'));
