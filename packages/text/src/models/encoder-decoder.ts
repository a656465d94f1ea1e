/**
 * What encoder-decoder models share: the memory that a decoder looks at, and what their calls are given. Owns the forms; the
 * architectures are in marian.ts, t5.ts and the recurrent ones in attention-lstm.ts.
 */
import { checkOptions, type Tensor } from '@nn/core';
import type { KeysAndValues, KeyValueCache } from '@nn/layers';

/** What a decoder knows of the source: keys and values for each of its layers. */
export interface Memory {
  /** [N, heads, S, width] */
  readonly layers: readonly KeysAndValues[];
  /** bool [N, 1, 1, S]: which tokens of the source are padding; null where none is. */
  readonly hidden: Tensor | null;
}

/** What a call of encoder and decoder is given beside their ids. */
export interface PairCall {
  /** bool [N, S]: which tokens of the source are real. Default: all. */
  readonly sourceMask?: Tensor;
  /** bool [N, L]: which tokens of the target are real. Default: all. */
  readonly targetMask?: Tensor;
}

/** What a call of the decoder is given beside ids and memory. */
export interface TargetCall {
  /** One for each layer: the tokens of the call come behind those of earlier calls. */
  readonly caches?: readonly KeyValueCache[];
  /** bool [N, L]: which tokens are real. Not with caches. */
  readonly mask?: Tensor;
}

export function checkPairCall(operation: string, call: PairCall): void {
  checkOptions(operation, call, ['sourceMask', 'targetMask']);
}

/** bool [N, L] of what is real as [N, 1, 1, L] of what is hidden. */
export function hiddenBy(mask: Tensor | undefined): Tensor | null {
  if (mask === undefined) return null;
  const [batch = 0, length = 0] = mask.shape;
  return mask.logicalNot().reshape([batch, 1, 1, length]);
}
