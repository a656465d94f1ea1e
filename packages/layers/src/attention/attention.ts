/**
 * Attention: the function on queries, keys and values, and the layer with its projections.
 * PyTorch's function has true mean "may be seen" where its layer has true mean "must not": here each meaning has a name.
 */
import { arange, checkOptions, type Parameter, type Shape, ShapeError, type Tensor, ValueError, where } from '@nn/core';
import {
  constantParameter,
  countOf,
  type Layer,
  requireWhole,
  show,
  sizeAt,
  splitInto,
  uniformParameter,
} from '../layer.ts';
import { Linear } from '../linear.ts';
import { sequenceMask } from '../mask.ts';
import { dropout } from '../noise/dropout.ts';

/** Below every score, yet finite: a row with nothing to see becomes an even mean instead of NaN. */
const HIDDEN = -3e38;

/** Which keys each query sees; what is given holds together. Shapes broadcast to [..., queries, keys]. */
export interface Visibility {
  /** Bool: true may be seen, false is hidden (the `attn_mask` of PyTorch's `scaled_dot_product_attention`). */
  readonly visible?: Tensor;
  /** Bool: true is hidden (the `attn_mask` of PyTorch's `nn.MultiheadAttention`). */
  readonly hidden?: Tensor;
  /** Float32: added to the scores; -Infinity hides. */
  readonly bias?: Tensor;
}

export interface AttentionOptions extends Visibility {
  /** Whether a query sees only keys at its own position and before. Default false. */
  readonly causal?: boolean;
  /** Share of the weights that is dropped in training. Default 0. */
  readonly dropout?: number;
  /** What scores are multiplied with. Default 1 / sqrt(dimension). */
  readonly scale?: number;
}

/**
 * `softmax(query key^T * scale) value`: query [..., L, D], key [..., S, D], value [..., S, E] to [..., L, E], and the
 * weights [..., L, S]. Weights that nobody reads cost nothing more. (Vaswani et al. 2017.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { attention } from '@nn/layers';
 * const x = tensor([[1, 0], [0, 1]]);
 * console.log(await attention(x, x, x, { causal: true }).weights.at(0).array()); // => [1, 0]
 */
export function attention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): { readonly output: Tensor; readonly weights: Tensor } {
  checkVisibility('attention', options, ['visible', 'hidden', 'bias', 'causal', 'dropout', 'scale']);
  const { visible, hidden, bias, causal = false, scale = 1 / Math.sqrt(sizeAt(query, -1)) } = options;
  let scores = query.matmul(key.transpose()).mul(scale);
  if (bias !== undefined) scores = added(scores, bias);
  if (visible !== undefined) scores = where(visible, scores, HIDDEN);
  if (hidden !== undefined) scores = where(hidden, HIDDEN, scores);
  if (causal) {
    const [queries, keys] = [sizeAt(scores, -2), sizeAt(scores, -1)];
    scores = where(arange(queries).unsqueeze(1).less(arange(keys)), HIDDEN, scores);
  }
  const weights = scores.softmax(-1);
  return { output: dropout(weights, options.dropout ?? 0).matmul(value), weights };
}

/** Throws ValueError for the options that others have in place of ours, and for masks of the wrong dtype. */
function checkVisibility(of: string, options: Visibility, known: readonly string[]): void {
  if ('mask' in options) {
    throw new ValueError(
      of,
      'mask has two meanings, so there are two options: visible (true may be seen) and hidden (true must not); bias is added to the scores.',
    );
  }
  checkOptions(of, options, known);
  for (const name of ['visible', 'hidden'] as const) {
    const dtype = options[name]?.dtype;
    if (dtype === undefined || dtype === 'bool') continue;
    throw new ValueError(
      of,
      `${name} must be bool, got ${dtype}: compare it, mask.notEqual(0), or give numbers to add to the scores as bias.`,
      { option: name, dtype },
    );
  }
  if (options.bias?.dtype === 'bool') {
    throw new ValueError(of, 'bias is added to the scores, got bool: name its meaning, visible or hidden.');
  }
}

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

/** Which keys are seen: `visible`, `hidden` and `bias` are [L, S], [N * heads, L, S] or [N, heads, L, S]. */
export interface AttentionMasks extends Visibility {
  /** [N, S] bool: true marks keys that are padding, and hides them. PyTorch's `key_padding_mask`. */
  readonly keyPaddingMask?: Tensor;
  /** [N]: how many keys of each row are real, as a loader's batch tells them; hides the others. */
  readonly lengths?: Tensor;
  /** Whether a query sees only keys at its own position and before. */
  readonly causal?: boolean;
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
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly keyDimension: number;
  readonly valueDimension: number;
  inProjWeight: Parameter | null = null;
  qProjWeight: Parameter | null = null;
  kProjWeight: Parameter | null = null;
  vProjWeight: Parameter | null = null;
  inProjBias: Parameter | null;
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

  /** As `forward`, with the weights [N, heads, L, S] beside the output. */
  withWeights(
    query: Tensor,
    key: Tensor = query,
    value: Tensor = key,
    masks: AttentionMasks = {},
  ): { readonly output: Tensor; readonly weights: Tensor } {
    this.#check(query, key, value);
    const same = query === key && key === value;
    const turn = (x: Tensor): Tensor => (this.batchFirst ? x : x.transpose(0, 1));
    const { q, k, v } = this.#project(turn(query), turn(key), turn(value), same);
    const found = attention(this.#split(q), this.#split(k), this.#split(v), {
      dropout: this.dropout,
      causal: masks.causal ?? false,
      ...this.#visibility(masks, q.shape, k.shape),
    });
    const joined = found.output.permute([0, 2, 1, 3]).reshape([sizeAt(q, 0), sizeAt(q, 1), this.dimension]);
    return { output: turn(this.outProj.forward(joined)), weights: found.weights };
  }

  /** [N, length, dimension] to [N, heads, length, dimension / heads]. */
  #split(x: Tensor): Tensor {
    return x.reshape([sizeAt(x, 0), sizeAt(x, 1), this.heads, this.dimension / this.heads]).permute([0, 2, 1, 3]);
  }

  #project(query: Tensor, key: Tensor, value: Tensor, same: boolean): Record<'q' | 'k' | 'v', Tensor> {
    const { inProjWeight, inProjBias } = this;
    if (same && inProjWeight !== null) {
      // one product for all three
      const product = query.matmul(inProjWeight.transpose());
      return splitInto(['q', 'k', 'v'], inProjBias === null ? product : product.add(inProjBias));
    }
    const [wq, wk, wv] = inProjWeight?.split(3, 0) ?? [this.qProjWeight, this.kProjWeight, this.vProjWeight];
    const [bq, bk, bv] = inProjBias?.split(3, 0) ?? [];
    return { q: projected(query, wq, bq), k: projected(key, wk, bk), v: projected(value, wv, bv) };
  }

  /** The masks of a call as [N or 1, heads or 1, L, S]. */
  #visibility(masks: AttentionMasks, query: Shape, key: Shape): Visibility {
    checkVisibility(String(this), masks, ['visible', 'hidden', 'bias', 'keyPaddingMask', 'lengths', 'causal']);
    const [batch, queries, keys] = [
      sizeAt({ shape: query }, 0),
      sizeAt({ shape: query }, 1),
      sizeAt({ shape: key }, 1),
    ];
    const found: { -readonly [Name in keyof Visibility]: Tensor } = {};
    for (const name of ['visible', 'hidden', 'bias'] as const) {
      const mask = masks[name];
      if (mask !== undefined) found[name] = this.#fitted(name, mask, [batch, queries, keys]);
    }
    const { keyPaddingMask, lengths } = masks;
    const padding: Tensor[] = found.hidden === undefined ? [] : [found.hidden];
    if (keyPaddingMask !== undefined) {
      if (show(keyPaddingMask.shape) !== show([batch, keys]) || keyPaddingMask.dtype !== 'bool') {
        throw new ShapeError(
          String(this),
          `keyPaddingMask must be bool [${batch}, ${keys}], true at padding, got ${keyPaddingMask.dtype} ${show(keyPaddingMask.shape)}.`,
          { layer: String(this), keyPaddingMask: keyPaddingMask.shape },
        );
      }
      padding.push(keyPaddingMask.reshape([batch, 1, 1, keys]));
    }
    if (lengths !== undefined) {
      if (show(lengths.shape) !== `[${batch}]`) {
        throw new ShapeError(String(this), `lengths must be [${batch}], got ${show(lengths.shape)}.`, {
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
      `${name} ${show(shape)} fits neither [${queries}, ${keys}] nor [${rows}, ${queries}, ${keys}] nor [${batch}, ${this.heads}, ${queries}, ${keys}].`,
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
        throw new ShapeError(String(this), `${name} must be [${form.join(', ')}, ${width}], got ${show(x.shape)}.`, {
          layer: String(this),
          shape: x.shape,
        });
      }
    }
    if (query.shape[batch] !== key.shape[batch] || key.shape[0] !== value.shape[0] || key.shape[1] !== value.shape[1]) {
      throw new ShapeError(
        String(this),
        `query ${show(query.shape)}, key ${show(key.shape)} and value ${show(value.shape)} do not fit together: the batch must be equal, and key and value equally long.`,
        { layer: String(this), query: query.shape, key: key.shape, value: value.shape },
      );
    }
  }

  /** Projections of the inputs and the two products of attention; `outProj` counts its own. */
  multiplyAdds(inputs: readonly Shape[]): number {
    const query = inputs[0] ?? [0, 0];
    const key = inputs[1] ?? query;
    const value = inputs[2] ?? key;
    const keys = sizeAt({ shape: key }, this.batchFirst ? 1 : 0);
    const projections = (countOf(query) + countOf(key) + countOf(value)) * this.dimension;
    return projections + 2 * countOf(query) * keys;
  }

  toString(): string {
    return `MultiheadAttention(${this.dimension}, ${this.heads})`;
  }
}

function projected(x: Tensor, weight: Tensor | null | undefined, bias: Tensor | undefined): Tensor {
  const product = weight ? x.matmul(weight.transpose()) : x;
  return bias === undefined ? product : product.add(bias);
}

/** Scores plus a mask of numbers; where that is -Infinity they are hidden as by a mask of booleans, so that a row of nothing else is an even mean. */
function added(scores: Tensor, mask: Tensor): Tensor {
  return where(mask.equal(Number.NEGATIVE_INFINITY), HIDDEN, scores.add(mask));
}
