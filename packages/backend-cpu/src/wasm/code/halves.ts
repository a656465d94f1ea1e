/**
 * The dtypes of 16 bits. The conversions that their loads and stores need are in `storage.ts`, which a page fetches when the first
 * program has such a buffer.
 */
import { Fetched } from '../../fetched.ts';
import { call, f32, f32x4, i16x8, i32, i32x4, select, v128 } from './instructions.ts';
import { keep } from './math.ts';
import type { Conversions, HalfDType } from './storage.ts';

export type { HalfDType };

export const isHalf = (dtype: string): dtype is HalfDType => dtype === 'float16' || dtype === 'bfloat16';

export const halves: Fetched<Conversions> = /* @__PURE__ */ new Fetched('half floats', async () => {
  const { conversionsWith } = await import('./storage.ts');
  return conversionsWith({ call, f32, f32x4, i16x8, i32, i32x4, keep, select, v128 });
});

/** The conversions, in a program that was found to need them. */
export const conversions = (): Conversions => halves.code!;
