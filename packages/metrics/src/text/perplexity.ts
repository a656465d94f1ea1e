/** How surprised a language model is: perplexity per token, and bits per byte, which compares tokenizers. On the device. */
import { checkOptions, stack, type Tensor, ValueError } from '@nn/core';
import { LogLoss, logLoss } from '../classification/likelihood.ts';
import type { Weighting } from '../inputs.ts';
import { SumMetric } from '../sum-metric.ts';

export interface PerplexityOptions {
  /** 'logits' by default: these metrics are of language models. */
  readonly from?: 'logits' | 'probabilities';
  /** The axis of the vocabulary. Default 1, as in `crossEntropy`; -1 for [N, time, vocabulary]. */
  readonly axis?: number;
  /** Targets with this index count nothing. */
  readonly ignoreIndex?: number;
}

const known = ['from', 'axis', 'ignoreIndex'];

/**
 * exp of the mean -log probability of the tokens: 0-d, for logits [N, vocabulary, time] and targets [N, time].
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { perplexity } from '@nn/metrics';
 * console.log((await perplexity(tensor([[0, 0, 0, 0]]), tensor([2])).item()).toFixed(3)); // => 4.000
 */
export function perplexity(predictions: Tensor, targets: Tensor, options: PerplexityOptions & Weighting = {}): Tensor {
  checkOptions('perplexity', options, [...known, 'weights', 'mask']);
  return logLoss(predictions, targets, { from: 'logits', ...options }).exp();
}

/**
 * exp of the mean -log probability of all tokens, over all updates: not the mean of the batches' perplexities.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Perplexity } from '@nn/metrics';
 * const metric = new Perplexity();
 * metric.update(tensor([[0, 0, 0, 0]]), tensor([2]));
 * console.log((await metric.read()).epoch.toFixed(3)); // => 4.000
 */
export class Perplexity extends LogLoss {
  static override readonly name: string = 'Perplexity';

  constructor(options: PerplexityOptions = {}) {
    checkOptions('Perplexity', options, known);
    super({ from: 'logits', ...options }, 'perplexity');
  }

  protected override finish(mean: number): number {
    return Math.exp(super.finish(mean));
  }
}

/**
 * Bits that a byte of text costs: the sum of -log2 probabilities of tokens over the bytes they stand for, over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { BitsPerByte } from '@nn/metrics';
 * const metric = new BitsPerByte();
 * metric.update(tensor(Math.log(2) * 6), { tokens: 2, bytes: 4 }); // a mean loss in nats, of two tokens
 * console.log((await metric.read()).epoch.toFixed(3)); // => 3.000
 */
export class BitsPerByte extends SumMetric<
  readonly [meanLoss: Tensor, of: { readonly tokens: number | Tensor; readonly bytes: number | Tensor }],
  number
> {
  static override readonly name: string = 'BitsPerByte';

  constructor() {
    super('bits_per_byte', false);
  }

  protected override measure(
    meanLoss: Tensor,
    of: { readonly tokens: number | Tensor; readonly bytes: number | Tensor },
  ): Tensor {
    checkOptions('BitsPerByte', of, ['tokens', 'bytes']);
    const { tokens, bytes } = of;
    if (meanLoss.size !== 1)
      throw new ValueError('BitsPerByte', 'takes the mean loss of a batch, one number, in nats.');
    const nats = meanLoss.reshape([1]).mul(typeof tokens === 'number' ? tokens : tokens.cast('float32').sum());
    const length = nats.mul(0).add(typeof bytes === 'number' ? bytes : bytes.cast('float32').sum());
    return stack([nats, length], 0);
  }

  protected override compute([nats = 0, bytes = 0]: Float64Array): number {
    return nats / bytes / Math.LN2;
  }
}
