/**
 * Attention with several heads between learned projections, as PyTorch has it. Owns the projections, the forms that masks may
 * have, and the way through a cache; the scores are in attention.ts.
 */
import { checkOptions, type Parameter, type Shape, ShapeError, showShape, type Tensor, ValueError } from '@nn/core';
import { constantParameter, countOf, type Layer, requireWhole, sizeAt, splitInto, uniformParameter } from '../layer.ts';
import { Linear } from '../linear.ts';
import { sequenceMask } from '../mask.ts';
import { attention } from './attention.ts';
import { KeyValueCache, noLengths } from './cache.ts';
import type { AttentionPrefix } from './prefix.ts';
import { checkVisibility, type Neighbourhood, type Visibility } from './visibility.ts';

const maskNames = [
  ...['visible', 'hidden', 'bias', 'keyPaddingMask', 'lengths'],
  ...['causal', 'window', 'slopes', 'cache'],
];

export interface MultiheadAttentionOptions {
  /** Share of the attention weights that is dropped in training. Default 0. */
  readonly dropout?: number;
  /** Whether the projections have biases. Default true. */
  readonly bias?: boolean;
  /** Width of the keys, where it differs from `dimension`. */
  readonly keyDimension?: number;
  /** Width of the values, where it differs from `dimension`. */
  readonly valueDimension?: number;
  /** Whether inputs are [N, length, dimension]; otherwise they are [length, N, dimension]. Default false, as in PyTorch. */
  readonly batchFirst?: boolean;
}

/**
 * Which keys are seen: `visible`, `hidden` and `bias` are [L, S], [N * heads, L, S] or [N, heads, L, S]; with a cache S is its
 * capacity. `slopes` are [heads, 1, 1].
 */
export interface AttentionMasks extends Visibility, Omit<Neighbourhood, 'positions'> {
  /** [N, S] bool: true marks keys that are padding, and hides them. PyTorch's `key_padding_mask`. */
  readonly keyPaddingMask?: Tensor;
  /** [N]: how many keys of each row are real, as a loader's batch tells them; hides the others. */
  readonly lengths?: Tensor;
  /** Of this layer (`cache`): the tokens of the call come behind those of earlier calls, and see them. Always causal. */
  readonly cache?: KeyValueCache;
}

/** The projections of queries, keys and values as one layer: [..., width] to [..., 3 heads * headDimension]. */
export interface InProjection {
  /** `outputs`: those that are wanted, from the first up to the last; all by default. */
  forward(x: Tensor, outputs?: readonly [from: number, to: number]): Tensor;
}

/**
 * Attention with `heads` heads of width dimension / heads, between learned projections. (Vaswani et al. 2017.)
 *
 * Query [L, N, dimension], key and value [S, N, ...] to [L, N, dimension]; N first with `batchFirst`. Key defaults to the
 * query and value to the key. Parameters are those of PyTorch's `nn.MultiheadAttention`: `in_proj_weight`
 * [3 dimension, dimension] (or `q_proj_weight`, `k_proj_weight`, `v_proj_weight` where widths differ), `in_proj_bias`,
 * `out_proj.weight`, `out_proj.bias`. Throws ShapeError for widths and masks that do not fit.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { MultiheadAttention } from '@nn/layers';
 * const layer = new MultiheadAttention(8, 2, { batchFirst: true });
 * console.log(layer.forward(zeros([4, 10, 8]), undefined, undefined, { causal: true }).shape); // => [4, 10, 8]
 */
export class MultiheadAttention implements Layer {
  readonly dimension: number;
  readonly heads: number;
  /** Width of a head: dimension / heads, also of a layer that has lost heads. */
  readonly headDimension: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly keyDimension: number;
  readonly valueDimension: number;
  inProjWeight: Parameter | null = null;
  qProjWeight: Parameter | null = null;
  kProjWeight: Parameter | null = null;
  vProjWeight: Parameter | null = null;
  inProjBias: Parameter | null;
  /** Stands for the weights and biases above, which are null then: a layer of whole numbers in a quantised model. */
  inProj: InProjection | null = null;
  /** Keys and values in front of those of each call, which all queries see: an adapter. */
  prefix: AttentionPrefix | null = null;
  outProj: Linear;

  constructor(dimension: number, heads: number, options: MultiheadAttentionOptions = {}) {
    const { dropout = 0, bias = true, batchFirst = false } = options;
    const known = ['dropout', 'bias', 'keyDimension', 'valueDimension', 'batchFirst'];
    checkOptions('MultiheadAttention', options, known);
    this.dimension = dimension;
    this.heads = heads;
    requireWhole(String(this), 'dimension', dimension);
    requireWhole(String(this), 'heads', heads);
    if (dimension % heads !== 0) {
      throw new ShapeError(
        String(this),
        `the dimension ${dimension} does not divide into ${heads} heads: it must be a multiple of heads.`,
        { layer: String(this), dimension, heads },
      );
    }
    this.headDimension = dimension / heads;
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    this.keyDimension = options.keyDimension ?? dimension;
    this.valueDimension = options.valueDimension ?? dimension;
    // xavier_uniform_: ±sqrt(6 / (rows + columns))
    const projection = (rows: number, columns: number): Parameter =>
      uniformParameter([rows, columns], Math.sqrt(6 / (rows + columns)));
    if (this.keyDimension === dimension && this.valueDimension === dimension) {
      this.inProjWeight = projection(3 * dimension, dimension);
    } else {
      this.qProjWeight = projection(dimension, dimension);
      this.kProjWeight = projection(dimension, this.keyDimension);
      this.vProjWeight = projection(dimension, this.valueDimension);
    }
    this.inProjBias = bias ? constantParameter([3 * dimension], 0) : null;
    this.outProj = new Linear(dimension, dimension, { bias });
    if (bias) this.outProj.bias = constantParameter([dimension], 0);
  }

  forward(query: Tensor, key: Tensor = query, value: Tensor = key, masks: AttentionMasks = {}): Tensor {
    return this.withWeights(query, key, value, masks).output;
  }

  /** As `forward`, with the weights [N, heads, L, S] beside the output; those over a prefix stand in front of the S. */
  withWeights(
    query: Tensor,
    key: Tensor = query,
    value: Tensor = key,
    masks: AttentionMasks = {},
  ): { readonly output: Tensor; readonly weights: Tensor } {
    this.#check(query, key, value);
    const same = query === key && key === value;
    const turn = (x: Tensor): Tensor => (this.batchFirst ? x : x.transpose(0, 1));
    const keys = turn(key);
    const { q, k, v } = this.#project(turn(query), keys, key === value ? keys : turn(value), same);
    const { cache, causal = false, window, slopes } = masks;
    if (cache !== undefined && !same) {
      throw new ValueError(String(this), 'a cache is of self-attention: key and value must be the query.');
    }
    if (cache !== undefined && masks.lengths !== undefined) throw noLengths(String(this));
    const prefix = this.prefix?.keysAndValues();
    const filled = cache?.append(String(this), this.#split(k), this.#split(v));
    const found = attention(this.#split(q), filled?.key ?? this.#split(k), filled?.value ?? this.#split(v), {
      dropout: this.dropout,
      causal: causal || filled !== undefined,
      ...(window !== undefined && { window }),
      ...(slopes && { slopes }),
      ...(filled && { positions: filled.positions }),
      ...(prefix && { prefix }),
      ...this.#visibility(masks, sizeAt(q, 0), sizeAt(q, 1), cache?.capacity ?? sizeAt(k, 1)),
    });
    const joined = found.output
      .permute([0, 2, 1, 3])
      .reshape([sizeAt(q, 0), sizeAt(q, 1), this.heads * this.headDimension]);
    return { output: turn(this.outProj.forward(joined)), weights: found.weights };
  }

  /** Memory for the keys and values of `batch` sequences of up to `capacity` tokens; with a window, of any length. */
  cache(batch: number, capacity: number, options: { readonly window?: number } = {}): KeyValueCache {
    return new KeyValueCache(batch, this.heads, capacity, this.headDimension, options);
  }

  /** [N, length, heads * headDimension] to [N, heads, length, headDimension]. */
  #split(x: Tensor): Tensor {
    return x.reshape([sizeAt(x, 0), sizeAt(x, 1), this.heads, this.headDimension]).permute([0, 2, 1, 3]);
  }

  #project(query: Tensor, key: Tensor, value: Tensor, same: boolean): Record<'q' | 'k' | 'v', Tensor> {
    const { inProjWeight, inProjBias, inProj } = this;
    if (inProj !== null) return this.#throughLayer(inProj, query, key, value, same);
    if (same && inProjWeight !== null) {
      // one product for all three
      const product = query.matmul(inProjWeight.transpose());
      return splitInto(['q', 'k', 'v'], inProjBias === null ? product : product.add(inProjBias));
    }
    const [wq, wk, wv] = inProjWeight?.split(3, 0) ?? [this.qProjWeight, this.kProjWeight, this.vProjWeight];
    const [bq, bk, bv] = inProjBias?.split(3, 0) ?? [];
    return { q: projected(query, wq, bq), k: projected(key, wk, bk), v: projected(value, wv, bv) };
  }

  #throughLayer(
    inProj: InProjection,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    same: boolean,
  ): Record<'q' | 'k' | 'v', Tensor> {
    if (same) return splitInto(['q', 'k', 'v'], inProj.forward(query));
    const inner = this.heads * this.headDimension;
    const q = inProj.forward(query, [0, inner]);
    if (key === value) return { q, ...splitInto(['k', 'v'], inProj.forward(key, [inner, 3 * inner])) };
    return { q, k: inProj.forward(key, [inner, 2 * inner]), v: inProj.forward(value, [2 * inner, 3 * inner]) };
  }

  /** The masks of a call as [N or 1, heads or 1, L, S]. */
  #visibility(masks: AttentionMasks, batch: number, queries: number, keys: number): Visibility {
    checkVisibility(String(this), masks, maskNames);
    const found: { -readonly [Name in keyof Visibility]: Tensor } = {};
    for (const name of ['visible', 'hidden', 'bias'] as const) {
      const mask = masks[name];
      if (mask !== undefined) found[name] = this.#fitted(name, mask, [batch, queries, keys]);
    }
    const { keyPaddingMask, lengths } = masks;
    const padding: Tensor[] = found.hidden === undefined ? [] : [found.hidden];
    if (keyPaddingMask !== undefined) {
      if (showShape(keyPaddingMask.shape) !== showShape([batch, keys]) || keyPaddingMask.dtype !== 'bool') {
        throw new ShapeError(
          String(this),
          `keyPaddingMask must be bool [${batch}, ${keys}], true at padding, got ${keyPaddingMask.dtype} ${showShape(keyPaddingMask.shape)}.`,
          { layer: String(this), keyPaddingMask: keyPaddingMask.shape },
        );
      }
      padding.push(keyPaddingMask.reshape([batch, 1, 1, keys]));
    }
    if (lengths !== undefined) {
      if (showShape(lengths.shape) !== `[${batch}]`) {
        throw new ShapeError(String(this), `lengths must be [${batch}], got ${showShape(lengths.shape)}.`, {
          layer: String(this),
          lengths: lengths.shape,
        });
      }
      padding.push(sequenceMask(lengths, keys).logicalNot().reshape([batch, 1, 1, keys]));
    }
    const [first, ...rest] = padding;
    return first === undefined ? found : { ...found, hidden: rest.reduce((a, b) => a.logicalOr(b), first) };
  }

  /** A mask in the form [N or 1, heads or 1, L, S]. Throws ShapeError where it has none. */
  #fitted(name: string, mask: Tensor, [batch, queries, keys]: readonly [number, number, number]): Tensor {
    const { shape } = mask;
    const rows = batch * this.heads;
    const isOfRows = shape.length === 3 && shape[0] === rows;
    const isOfHeads =
      shape.length === 4 && [1, batch].includes(sizeAt(mask, 0)) && [1, this.heads].includes(sizeAt(mask, 1));
    const isPlain = shape.length === 2;
    if ((isPlain || isOfRows || isOfHeads) && sizeAt(mask, -2) === queries && sizeAt(mask, -1) === keys) {
      return isOfRows ? mask.reshape([batch, this.heads, queries, keys]) : mask;
    }
    throw new ShapeError(
      String(this),
      `${name} ${showShape(shape)} fits neither [${queries}, ${keys}] nor [${rows}, ${queries}, ${keys}] nor [${batch}, ${this.heads}, ${queries}, ${keys}].`,
      { layer: String(this), [name]: shape },
    );
  }

  #check(query: Tensor, key: Tensor, value: Tensor): void {
    const batch = this.batchFirst ? 0 : 1;
    const form = this.batchFirst ? ['N', 'length'] : ['length', 'N'];
    const parts: [string, Tensor, number][] = [
      ['query', query, this.dimension],
      ['key', key, this.keyDimension],
      ['value', value, this.valueDimension],
    ];
    for (const [name, x, width] of parts) {
      if (x.rank !== 3 || x.shape[2] !== width) {
        throw new ShapeError(
          String(this),
          `${name} must be [${form.join(', ')}, ${width}], got ${showShape(x.shape)}.`,
          {
            layer: String(this),
            shape: x.shape,
          },
        );
      }
    }
    if (query.shape[batch] !== key.shape[batch] || key.shape[0] !== value.shape[0] || key.shape[1] !== value.shape[1]) {
      throw new ShapeError(
        String(this),
        `query ${showShape(query.shape)}, key ${showShape(key.shape)} and value ${showShape(value.shape)} do not fit together: the batch must be equal, and key and value equally long.`,
        { layer: String(this), query: query.shape, key: key.shape, value: value.shape },
      );
    }
  }

  /** Projections of the inputs and the two products of attention; `outProj` and `inProj` count their own. */
  multiplyAdds(inputs: readonly Shape[]): number {
    const query = inputs[0] ?? [0, 0];
    const key = inputs[1] ?? query;
    const value = inputs[2] ?? key;
    const keys = sizeAt({ shape: key }, this.batchFirst ? 1 : 0) + (this.prefix?.length ?? 0);
    const inner = this.heads * this.headDimension;
    const projections = this.inProj === null ? (countOf(query) + countOf(key) + countOf(value)) * inner : 0;
    return projections + 2 * (countOf(query) / this.dimension) * inner * keys;
  }

  toString(): string {
    return `MultiheadAttention(${this.dimension}, ${this.heads})`;
  }
}

function projected(x: Tensor, weight: Tensor | null | undefined, bias: Tensor | undefined): Tensor {
  const product = weight ? x.matmul(weight.transpose()) : x;
  return bias === undefined ? product : product.add(bias);
}
