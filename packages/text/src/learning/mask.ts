/**
 * What a masked language model and a decoder are given to learn from: ids with holes and what stood there; targets moved by one. On
 * tensors, so that each step of a compiled training draws its own holes.
 */
import {
  checkOptions,
  concat,
  full,
  randomInteger,
  ShapeError,
  type Tensor,
  uniform,
  ValueError,
  where,
} from '@nn/core';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { ignored } from './pack.ts';

export interface MaskTokensOptions {
  /** bool [N, L]: which tokens are real, as a tokenizer's batch has them. Default: all. */
  readonly mask?: Tensor;
  /** The share of tokens to be told. Default 0.15. */
  readonly probability?: number;
  /** Of those, the share that becomes the mask token. Default 0.8. */
  readonly masked?: number;
  /** Of those, the share that becomes any token; the rest stays as it is. Default 0.1. */
  readonly random?: number;
}

/** Ids to look at, and what is to be told of them. */
export interface Exercise {
  /** int32 [N, L] */
  readonly inputs: Tensor;
  /** int32 [N, L]; -100, which `crossEntropy` ignores, where nothing is to be told. */
  readonly targets: Tensor;
}

/**
 * Ids [N, L] with holes for a masked language model: of the tokens that are real and not special, each is chosen with `probability`;
 * 80 % of the chosen become the mask token, 10 % any token, 10 % stay. (Devlin et al. 2019; the rules of BERT.) Draws from the
 * generator of `setSeed`. Throws ValueError for a tokenizer without a mask token.
 *
 * @example
 * import { setSeed } from '@nn/core';
 * import { maskTokens, wordTokenizer } from '@nn/text';
 * setSeed(1);
 * const tokenizer = wordTokenizer(['so it goes'], { special: { padding: '[PAD]', unknown: '[UNK]', mask: '[MASK]' } });
 * const { ids, mask } = tokenizer.batch(['so it goes', 'it goes']);
 * const { inputs, targets } = maskTokens(ids, tokenizer, { mask, probability: 0.5 });
 * console.log(inputs.shape, (await targets.data()).some((id) => id >= 0)); // => [ 2, 3 ] true
 */
export function maskTokens(ids: Tensor, tokenizer: Tokenizer, options: MaskTokensOptions = {}): Exercise {
  checkOptions('maskTokens', options, ['mask', 'probability', 'masked', 'random']);
  const { mask, probability = 0.15, masked = 0.8, random = 0.1 } = options;
  for (const [name, share] of Object.entries({ probability, masked, random })) {
    if (share >= 0 && share <= 1) continue;
    throw new ValueError('maskTokens', `${name} is ${share}: it must be a share from 0 to 1.`, { [name]: share });
  }
  if (masked + random > 1) {
    throw new ValueError(
      'maskTokens',
      `masked ${masked} and random ${random} are more than 1 together: they are shares of the same tokens.`,
      { masked, random },
    );
  }
  const maskId = tokenizer.ids.mask;
  if (maskId === null) {
    throw new ValueError('maskTokens', 'the tokenizer has no mask token: give one as special.mask when it is made.');
  }
  checkMask('maskTokens', ids, mask);
  const special = [...tokenizer.specialIds].map((id) => ids.equal(id)).reduce((a, b) => a.logicalOr(b));
  const open = mask === undefined ? special.logicalNot() : special.logicalNot().logicalAnd(mask);
  const isChosen = uniform(ids.shape).less(probability).logicalAnd(open);
  const fate = uniform(ids.shape);
  const other = randomInteger(ids.shape, 0, tokenizer.size);
  const told = where(fate.less(masked), maskId, where(fate.less(masked + random), other, ids));
  return { inputs: where(isChosen, told, ids), targets: where(isChosen, ids, ignored) };
}

/**
 * What a decoder is given and what it should say: inputs are `startId` and the ids [N, L] without the last, targets the ids. Each token
 * is told after the right ones before it, whatever the model would have said (teacher forcing: Williams and Zipser 1989). Padding
 * is to be told nowhere: `mask`, bool [N, L], says which ids are real.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { teacherForcing } from '@nn/text';
 * const { inputs, targets } = teacherForcing(tensor([[7, 8, 2], [9, 2, 0]], { dtype: 'int32' }), {
 *   startId: 1,
 *   mask: tensor([[true, true, true], [true, true, false]]),
 * });
 * console.log(await inputs.array()); // => [ [ 1, 7, 8 ], [ 1, 9, 2 ] ]
 * console.log(await targets.array()); // => [ [ 7, 8, 2 ], [ 9, 2, -100 ] ]
 */
export function teacherForcing(ids: Tensor, options: { readonly startId: number; readonly mask?: Tensor }): Exercise {
  checkOptions('teacherForcing', options, ['startId', 'mask']);
  const { startId, mask } = options;
  if (!Number.isInteger(startId) || startId < 0) {
    throw new ValueError('teacherForcing', `startId is ${startId}: it must be the id of a token.`, { startId });
  }
  const [batch, length] = checkMask('teacherForcing', ids, mask);
  const start = full([batch, 1], startId, { dtype: 'int32' });
  return {
    inputs: length === 1 ? start : concat([start, ids.at([], [0, -1])], 1),
    targets: mask === undefined ? ids : where(mask, ids, ignored),
  };
}

/** Throws ShapeError unless ids are [N, L] and a mask is of the same shape. */
function checkMask(operation: string, ids: Tensor, mask: Tensor | undefined): readonly [number, number] {
  const [batch, length] = ids.shape;
  if (ids.rank !== 2 || ids.dtype !== 'int32' || batch === undefined || length === undefined) {
    throw new ShapeError(operation, `takes int32 ids [N, L], got ${ids.dtype} [${ids.shape.join(', ')}].`);
  }
  if (mask !== undefined && (mask.rank !== 2 || mask.shape[0] !== batch || mask.shape[1] !== length)) {
    throw new ShapeError(
      operation,
      `the mask must be [${batch}, ${length}] as the ids, got [${mask.shape.join(', ')}].`,
    );
  }
  return [batch, length];
}
