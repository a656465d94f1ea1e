/**
 * Attention as the language models of today have it: heads that share keys and values, positions by rotation or by slopes, a
 * window. Owns the projections; the scores are in attention.ts.
 */
import { checkOptions, full, type Shape, ShapeError, showShape, type Tensor, ValueError } from '@nn/core';
import { countOf, type Layer, requireWhole, sizeAt } from '../layer.ts';
import { Linear } from '../linear.ts';
import { sequenceMask } from '../mask.ts';
import { requireRate } from '../noise/dropout.ts';
import { attention } from './attention.ts';
import { KeyValueCache, noLengths } from './cache.ts';
import type { AttentionPrefix } from './prefix.ts';
import { alibiSlopes, type RotaryOptions, rotary } from './rotary.ts';
import { checkWindow } from './visibility.ts';

export interface GroupedQueryAttentionOptions {
  /** Heads of keys and values, each shared by heads / keyValueHeads heads of queries. Default: as many as heads. */
  readonly keyValueHeads?: number;
  /** Width of a head. Default dimension / heads. */
  readonly headDimension?: number;
  /** Whether the projections have biases. Default false. */
  readonly bias?: boolean;
  /** Whether queries and keys are turned by their positions, and how. Default false. */
  readonly rotary?: boolean | Omit<RotaryOptions, 'positions'>;
  /** Whether scores fall with the distance, by `alibiSlopes`. Default false. */
  readonly alibi?: boolean;
  /** A query sees only keys that are less than so many positions away. Default: all. */
  readonly window?: number;
  /** Share of the attention weights that is dropped in training. Default 0. */
  readonly dropout?: number;
  /** Whether inputs are [N, length, dimension]; otherwise they are [length, N, dimension]. Default false, as in PyTorch. */
  readonly batchFirst?: boolean;
}

/** What a call may be given beside its input. */
export interface GroupedQueryAttentionMasks {
  /** Whether a query sees only keys at its own position and before. Default true. */
  readonly causal?: boolean;
  /** [N]: how many tokens of each row are real, as a loader's batch tells them; hides the others. */
  readonly lengths?: Tensor;
  /** Of this layer (`cache`): the tokens of the call come behind those of earlier calls, and see them. */
  readonly cache?: KeyValueCache;
}

/**
 * Self-attention in which several heads of queries share a head of keys and values: [length, N, dimension], the shape stays;
 * N first with `batchFirst`. Causal unless told otherwise. (Ainslie et al. 2023; Keras' `GroupQueryAttention`; with one head
 * of keys and values, the multi-query attention of Shazeer 2019.)
 *
 * Parameters are `q_proj.weight` [heads * headDimension, dimension], `k_proj.weight` and `v_proj.weight` [keyValueHeads *
 * headDimension, dimension] and `o_proj.weight`, as in the checkpoints of Llama and its kin. Throws ShapeError for sizes that
 * do not divide.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { GroupedQueryAttention } from '@nn/layers';
 * const layer = new GroupedQueryAttention(16, 4, { keyValueHeads: 2, rotary: true, batchFirst: true });
 * console.log(layer.forward(zeros([2, 10, 16])).shape, layer.kProj.weight.shape); // => [2, 10, 16] [8, 16]
 */
export class GroupedQueryAttention implements Layer {
  readonly dimension: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDimension: number;
  readonly rotary: Omit<RotaryOptions, 'positions'> | null;
  readonly window: number | null;
  readonly dropout: number;
  readonly batchFirst: boolean;
  /**
   * Keys and values in front of those of each call, which all queries see: an adapter. Its keys are as turned keys are where tokens
   * begin behind them (Hugging Face's caches): turned back by its length, they meet queries whose positions begin at 0.
   */
  prefix: AttentionPrefix | null = null;
  readonly #slopes: Tensor | null;
  qProj: Linear;
  kProj: Linear;
  vProj: Linear;
  oProj: Linear;

  constructor(dimension: number, heads: number, options: GroupedQueryAttentionOptions = {}) {
    this.dimension = dimension;
    this.heads = heads;
    const name = String(this);
    const { keyValueHeads = heads, bias = false, batchFirst = false, alibi = false, window } = options;
    checkOptions(name, options, optionNames);
    requireWhole(name, 'dimension', dimension);
    requireWhole(name, 'heads', heads);
    requireWhole(name, 'keyValueHeads', keyValueHeads);
    checkWindow(name, window);
    if (heads % keyValueHeads !== 0) {
      throw new ShapeError(name, `${heads} heads cannot share ${keyValueHeads} of keys and values evenly.`, {
        heads,
        keyValueHeads,
      });
    }
    if (options.headDimension === undefined && dimension % heads !== 0) {
      throw new ShapeError(
        name,
        `the dimension ${dimension} does not divide into ${heads} heads: it must be a multiple of heads, or give headDimension.`,
        { dimension, heads },
      );
    }
    if (alibi && options.rotary) {
      throw new ValueError(name, 'alibi and rotary both say where tokens stand: take one.');
    }
    this.keyValueHeads = keyValueHeads;
    this.headDimension = options.headDimension ?? dimension / heads;
    this.rotary = options.rotary === true ? {} : options.rotary || null;
    this.window = window ?? null;
    this.dropout = options.dropout ?? 0;
    requireRate(this.dropout, name);
    this.batchFirst = batchFirst;
    const [wide, narrow] = [heads * this.headDimension, keyValueHeads * this.headDimension];
    // [groups, heads of a group, 1, 1], as the scores are
    this.#slopes = alibi ? alibiSlopes(heads).reshape([keyValueHeads, heads / keyValueHeads, 1, 1]) : null;
    this.qProj = new Linear(dimension, wide, { bias });
    this.kProj = new Linear(dimension, narrow, { bias });
    this.vProj = new Linear(dimension, narrow, { bias });
    this.oProj = new Linear(wide, dimension, { bias });
  }

  /** Memory for the keys and values of `batch` sequences of up to `capacity` tokens; with a window, of any length. */
  cache(batch: number, capacity: number): KeyValueCache {
    const { keyValueHeads, headDimension, window } = this;
    return new KeyValueCache(batch, keyValueHeads, capacity, headDimension, { ...(window !== null && { window }) });
  }

  forward(input: Tensor, masks: GroupedQueryAttentionMasks = {}): Tensor {
    if (input.rank !== 3 || input.shape[2] !== this.dimension) {
      throw new ShapeError(
        String(this),
        `takes ${this.batchFirst ? '[N, length' : '[length, N'}, ${this.dimension}], got ${showShape(input.shape)}.`,
        { layer: String(this), shape: input.shape },
      );
    }
    checkOptions(String(this), masks, ['causal', 'lengths', 'cache']);
    const { cache, lengths, causal = true } = masks;
    if (cache !== undefined && lengths !== undefined) throw noLengths(String(this));
    const x = this.batchFirst ? input : input.transpose(0, 1);
    const [batch, length] = [sizeAt(x, 0), sizeAt(x, 1)];
    // with a cache, positions go on where the last call ended: they must be asked for before it is written
    const positions = cache?.positions(length);
    const turn = (heads: Tensor, where = positions): Tensor =>
      this.rotary === null ? heads : rotary(heads, { ...this.rotary, ...(where && { positions: where }) });
    const prefix = this.prefix?.keysAndValues();
    const count = this.prefix?.length ?? 0;
    const front = prefix && {
      key: turn(prefix.key, full([count], -count, { dtype: 'int32' })).unsqueeze(1),
      value: prefix.value.unsqueeze(1),
    };
    const key = turn(this.#split(this.kProj.forward(x), this.keyValueHeads));
    const value = this.#split(this.vProj.forward(x), this.keyValueHeads);
    const query = turn(this.#split(this.qProj.forward(x), this.heads));
    const filled = cache?.append(String(this), key, value);
    const keys = cache?.capacity ?? length;
    const group = this.heads / this.keyValueHeads;
    const { output } = attention(
      query.reshape([batch, this.keyValueHeads, group, length, this.headDimension]),
      (filled?.key ?? key).unsqueeze(2),
      (filled?.value ?? value).unsqueeze(2),
      {
        dropout: this.dropout,
        causal: causal || filled !== undefined,
        ...(this.window !== null && { window: this.window }),
        ...(this.#slopes && { slopes: this.#slopes }),
        ...(filled && { positions: filled.positions }),
        ...(front && { prefix: front }),
        ...(lengths && { visible: this.#real(lengths, batch, keys) }),
      },
    );
    const wide = this.heads * this.headDimension;
    const heads = output.reshape([batch, this.heads, length, this.headDimension]);
    const result = this.oProj.forward(heads.permute([0, 2, 1, 3]).reshape([batch, length, wide]));
    return this.batchFirst ? result : result.transpose(0, 1);
  }

  /** [N, length, heads * width] to [N, heads, length, width]. */
  #split(x: Tensor, heads: number): Tensor {
    return x.reshape([sizeAt(x, 0), sizeAt(x, 1), heads, this.headDimension]).permute([0, 2, 1, 3]);
  }

  #real(lengths: Tensor, batch: number, keys: number): Tensor {
    if (showShape(lengths.shape) !== `[${batch}]`) {
      throw new ShapeError(String(this), `lengths must be [${batch}], got ${showShape(lengths.shape)}.`, {
        layer: String(this),
        lengths: lengths.shape,
      });
    }
    return sequenceMask(lengths, keys).reshape([batch, 1, 1, 1, keys]);
  }

  /** The two products of attention; the projections count their own. */
  multiplyAdds(inputs: readonly Shape[]): number {
    const shape = inputs[0] ?? [0, 0];
    const keys = sizeAt({ shape }, this.batchFirst ? 1 : 0) + (this.prefix?.length ?? 0);
    return 2 * countOf(shape.slice(0, 2)) * keys * this.heads * this.headDimension;
  }

  toString(): string {
    return `GroupedQueryAttention(${this.dimension}, ${this.heads})`;
  }
}

const optionNames = [
  ...['keyValueHeads', 'headDimension', 'bias', 'rotary', 'alibi'],
  ...['window', 'dropout', 'batchFirst'],
];
