/**
 * What a call of a model sees: padding on the left of prompts or on the right of texts, documents packed into one row, tokens
 * of earlier calls in caches. Owns masks and positions; attention in heads.ts uses them.
 */
import { arange, ShapeError, type Tensor } from '@nn/core';
import type { KeyValueCache } from '@nn/layers';

/** What a decoder is given beside ids [N, L]. */
export interface DecoderCall {
  /** One for each layer, as the model's `caches` makes them: the tokens of the call come behind those of earlier calls. */
  readonly caches?: readonly KeyValueCache[];
  /** int32 [N]: how many tokens at the left of each row are padding; in cached calls those of the first call. */
  readonly padding?: Tensor;
  /** bool [N, L]: which tokens are real, as a tokenizer's batch has them. Not with caches. */
  readonly mask?: Tensor;
  /** int32 [N, L]: tokens see only those of the same number, and positions begin anew with each. Not with caches. */
  readonly documents?: Tensor;
}

export const callNames: readonly string[] = ['caches', 'padding', 'mask', 'documents'];

export interface Sight {
  /** bool that broadcasts to [N, heads, L, S]: which keys are hidden, besides later ones; null where none is. */
  readonly hidden: Tensor | null;
  /** int32 [L] or [N, L]: where tokens stand in their texts. */
  readonly positions: Tensor;
}

/** Masks and positions of a call. Throws ShapeError for masks of another shape, and for what does not go together. */
export function sightOf(operation: string, call: DecoderCall, batch: number, length: number): Sight {
  const { caches, padding, mask, documents } = call;
  const [cache] = caches ?? [];
  if (cache !== undefined && (mask !== undefined || documents !== undefined)) {
    throw new ShapeError(operation, 'caches go with padding on the left alone: leave mask and documents out.');
  }
  const slots = cache === undefined ? arange(length) : cache.positions(length);
  const keys = cache?.capacity ?? length;
  const hidden: Tensor[] = [];
  let positions = slots;
  if (padding !== undefined) {
    check(operation, 'padding', padding, [batch]);
    hidden.push(arange(keys).less(padding.unsqueeze(1)).reshape([batch, 1, 1, keys]));
    positions = slots.sub(padding.unsqueeze(1)).maximum(0);
  }
  if (mask !== undefined) {
    check(operation, 'mask', mask, [batch, length]);
    hidden.push(mask.logicalNot().reshape([batch, 1, 1, length]));
  }
  if (documents !== undefined) {
    check(operation, 'documents', documents, [batch, length]);
    const differs = documents.unsqueeze(2).notEqual(documents.unsqueeze(1));
    hidden.push(differs.reshape([batch, 1, length, length]));
    // a token stands as far from the start of its document as there are tokens of the document before it
    const before = arange(length).unsqueeze(1).greater(arange(length));
    positions = before.logicalAnd(differs.logicalNot()).cast('int32').sum(-1);
  }
  const [first, ...rest] = hidden;
  return { hidden: first === undefined ? null : rest.reduce((a, b) => a.logicalOr(b), first), positions };
}

function check(operation: string, name: string, { shape }: Tensor, expected: readonly number[]): void {
  if (shape.length === expected.length && shape.every((size, axis) => size === expected[axis])) return;
  throw new ShapeError(operation, `${name} must be [${expected.join(', ')}], got [${shape.join(', ')}].`, {
    [name]: shape,
    expected,
  });
}
