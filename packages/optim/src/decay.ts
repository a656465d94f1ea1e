/** Decoupled weight decay, as AdamW's: it takes its share off the parameter and does not pass through the update rule. */

import type { NumberSource, Tensor } from '@nn/core';

/** The context with p *= 1 - rate decay, where `keep` is 1 - rate decay. (Loshchilov and Hutter 2017.) */
export function decoupledDecay<
  C extends { readonly parameter: Tensor; readonly numbers: Readonly<Record<'keep', NumberSource>> },
>(context: C): C {
  return { ...context, parameter: context.parameter.mul(context.numbers.keep) };
}
