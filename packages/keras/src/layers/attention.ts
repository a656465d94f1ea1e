/**
 * Keras' attention layers: dot products (Attention), sums through tanh (AdditiveAttention), several heads
 * (MultiHeadAttention, GroupQueryAttention). Masks of inputs and of arguments hide keys; the projections are Linear layers.
 */
import { arange, type Parameter, repeatInterleave, type Tensor, where } from '@nn/core';
import { dropout, Linear } from '@nn/layers';
import type { Settings } from '../config/settings.ts';
import { asValue, logical, type Value } from '../value.ts';
import { below, plain, reordered, type Variable } from '../weights/variable.ts';
import { type Builder, type CallOptions, drawnParameter, filledParameter, isValue, lastSize } from './layer.ts';

function argument(options: CallOptions, name: string): Value | null {
  const found = options[name];
  return isValue(found) ? found : null;
}

/** Query, value and key: the key is the value where it is not given. */
function threeOf(settings: Settings, inputs: readonly Value[], options: CallOptions): readonly [Value, Value, Value] {
  const [given, second, third] = inputs;
  const query = given ?? argument(options, 'query');
  const value = second ?? argument(options, 'value');
  const key = third ?? argument(options, 'key') ?? value;
  if (!query || !value || !key) return settings.fail('takes a query and a value.');
  for (const { tensor } of [query, value, key]) {
    if (tensor.rank !== 3) settings.fail(`takes [N, steps, features], got [${tensor.shape.join(', ')}].`);
  }
  const masked = (of: Value, name: string): Value => {
    const mask = argument(options, name);
    return mask ? { ...of, mask: logical(mask) } : of;
  };
  const seen = masked(value, 'value_mask');
  return [masked(query, 'query_mask'), seen, key === value ? seen : masked(key, 'key_mask')];
}

/** Query i sees keys up to i. [L, S] */
function causalSight(queries: number, keys: number): Tensor {
  return arange(queries).unsqueeze(1).greaterEqual(arange(keys));
}

/** The weights of keys: of those that are not seen, 0. `sights` are bool, over the scores [..., L, S]. */
function weightsOf(scores: Tensor, sights: readonly Tensor[], rate: number): Tensor {
  // as Keras: a large negative number, so that rows without any key stay finite
  const seen = sights.reduce((all, sight) => where(sight, all, -1e9), scores);
  return dropout(seen.softmax(-1), rate);
}

/** Masks of the query, of the value (or key), and the causal one where it is asked for. */
function isCausal(settings: Settings, options: CallOptions): boolean {
  return options.use_causal_mask === true || settings.flag('causal', false);
}

/** Attention and AdditiveAttention, by how they score [N, L, 1, D] against [N, 1, S, D], or [N, L, D] against [N, S, D]. */
function simpleAttention(
  make: (
    settings: Settings,
    width: number,
  ) => { variables: Variable[]; module: object | null; score(query: Tensor, key: Tensor): Tensor },
): Builder {
  return (settings, inputs, context) => {
    const [first] = threeOf(settings, inputs, {});
    const width = lastSize(settings, first);
    context.reserve(settings, [width]);
    const { variables, module, score } = make(settings, width);
    const rate = settings.number('dropout', 0);
    return {
      module,
      variables,
      call: (given, options) => {
        const [query, value, key] = threeOf(settings, given, options);
        const scores = score(logical(query), logical(key));
        const sights: Tensor[] = [];
        if (value.mask) sights.push(value.mask.unsqueeze(1));
        if (isCausal(settings, options)) sights.push(causalSight(scores.shape[1]!, scores.shape[2]!));
        const weights = weightsOf(scores, sights, rate);
        const output = weights.matmul(logical(value));
        const result = asValue(query.mask ? where(query.mask.unsqueeze(-1), output, 0) : output, false, query.mask);
        return options.return_attention_scores === true ? [result, asValue(weights)] : result;
      },
    };
  };
}

const dotAttention = simpleAttention((settings) => {
  const scale = settings.flag('use_scale', false) ? filledParameter([], 1) : null;
  const isSum = settings.word('score_mode', ['dot', 'concat'], 'dot') === 'concat';
  const factor = isSum ? filledParameter([], 1) : null;
  const variables: Variable[] = [];
  const add = (name: string, parameter: Parameter | null): void => {
    if (parameter) variables.push(plain({ name, path: `vars/${variables.length}` }, parameter));
  };
  add('scale', scale);
  add('concat_score_weight', factor);
  return {
    module: scale || factor ? { scale, concat_score_weight: factor } : null,
    variables,
    score: (query, key) => {
      if (factor) {
        const sum = query.unsqueeze(2).add(key.unsqueeze(1));
        return (scale ? sum.mul(scale) : sum).tanh().sum(-1).mul(factor);
      }
      const product = query.matmul(key.transpose());
      return scale ? product.mul(scale) : product;
    },
  };
});

const additiveAttention = simpleAttention((settings, width) => {
  const scale = settings.flag('use_scale', true) ? drawnParameter([width], width) : null;
  return {
    module: scale ? { scale } : null,
    variables: scale ? [plain({ name: 'scale', path: 'vars/0' }, scale)] : [],
    score: (query, key) => {
      const sum = query.unsqueeze(2).add(key.unsqueeze(1)).tanh();
      return (scale ? sum.mul(scale) : sum).sum(-1);
    },
  };
});

/** The variables of a projection to heads: [inputs, heads, width] and [heads, width]. */
function toHeads(name: string, module: Linear, heads: number, prefix: string): Variable[] {
  const width = module.outputs / heads;
  const kernel = reordered({ name: 'kernel', path: 'vars/0' }, module.weight, [module.inputs, module.outputs], [1, 0]);
  const variables: Variable[] = [{ ...kernel, shape: [module.inputs, heads, width] }];
  if (module.bias) variables.push(plain({ name: 'bias', path: 'vars/1' }, module.bias, [heads, width]));
  return variables.map((variable) => below(variable, `${prefix}${name}_dense`, `${name}/`));
}

/** Those of the projection from heads: [heads, width, outputs] and [outputs]. */
function fromHeads(module: Linear, heads: number, prefix: string): Variable[] {
  const kernel = reordered({ name: 'kernel', path: 'vars/0' }, module.weight, [module.inputs, module.outputs], [1, 0]);
  const variables: Variable[] = [{ ...kernel, shape: [heads, module.inputs / heads, module.outputs] }];
  if (module.bias) variables.push(plain({ name: 'bias', path: 'vars/1' }, module.bias));
  return variables.map((variable) => below(variable, `${prefix}output_dense`, 'attention_output/'));
}

/** Heads of queries, of keys and values, and their widths. */
interface Heads {
  readonly queries: number;
  readonly keys: number;
  readonly width: number;
  readonly valueWidth: number;
}

function headed(headsOf: (settings: Settings) => Heads): Builder {
  return (settings, inputs, context) => {
    const [query, value, key] = threeOf(settings, inputs, {});
    const { queries, keys, width, valueWidth } = headsOf(settings);
    if (queries % keys !== 0) settings.fail(`${queries} heads of queries do not divide among ${keys} of keys.`);
    const axes = settings.has('attention_axes') ? settings.wholes('attention_axes') : [1];
    if (axes.length !== 1 || axes[0] !== 1)
      settings.fail('attention along other axes than that of the steps (attention_axes) is not read.');
    const bias = settings.flag('use_bias', true);
    const [inQuery, inKey, inValue] = [query, key, value].map((of) => lastSize(settings, of)) as [
      number,
      number,
      number,
    ];
    const outputs = settings.has('output_shape') ? settings.wholes('output_shape') : [inQuery];
    if (outputs.length !== 1) settings.fail('an output of several axes (output_shape) is not read.');
    context.reserve(
      settings,
      [inQuery, queries * width],
      [inKey, keys * width],
      [inValue, keys * valueWidth],
      [queries * valueWidth, outputs[0]!],
    );
    const module = {
      query: new Linear(inQuery, queries * width, { bias }),
      key: new Linear(inKey, keys * width, { bias }),
      value: new Linear(inValue, keys * valueWidth, { bias }),
      output: new Linear(queries * valueWidth, outputs[0]!, { bias }),
    };
    const rate = settings.number('dropout', 0);
    // where grouped heads keep their projections, Keras says so with an underscore
    const prefix = settings.className.startsWith('Group') ? '_' : '';
    /** [N, steps, heads * width] to [N, heads, steps, width]; each head of keys serves several of queries. */
    const split = (x: Tensor, heads: number): Tensor => {
      const [batch = 1, steps = 1, all = 1] = x.shape;
      const apart = x.reshape([batch, steps, heads, all / heads]).transpose(1, 2);
      return heads === queries ? apart : repeatInterleave(apart, queries / heads, 1);
    };
    return {
      module,
      variables: [
        ...toHeads('query', module.query, queries, prefix),
        ...toHeads('key', module.key, keys, prefix),
        ...toHeads('value', module.value, keys, prefix),
        ...fromHeads(module.output, queries, prefix),
      ],
      call: (given, options) => {
        const [ofQuery, ofValue, ofKey] = threeOf(settings, given, options);
        const q = split(module.query.forward(logical(ofQuery)), queries);
        const k = split(module.key.forward(logical(ofKey)), keys);
        const v = split(module.value.forward(logical(ofValue)), keys);
        const scores = q.matmul(k.transpose()).mul(1 / Math.sqrt(width));
        const sights: Tensor[] = [];
        if (ofQuery.mask) sights.push(ofQuery.mask.unsqueeze(1).unsqueeze(-1));
        if (ofValue.mask) sights.push(ofValue.mask.unsqueeze(1).unsqueeze(1));
        if (ofKey.mask && ofKey !== ofValue) sights.push(ofKey.mask.unsqueeze(1).unsqueeze(1));
        const mask = argument(options, 'attention_mask');
        if (mask) {
          const sight = logical(mask).notEqual(0);
          sights.push(sight.rank === 3 ? sight.unsqueeze(1) : sight);
        }
        if (isCausal(settings, options)) sights.push(causalSight(q.shape[2]!, k.shape[2]!));
        const weights = weightsOf(scores, sights, rate);
        const [batch = 1, , steps = 1] = q.shape;
        const joined = weights
          .matmul(v)
          .transpose(1, 2)
          .reshape([batch, steps, queries * valueWidth]);
        const result = asValue(module.output.forward(joined), false, ofQuery.mask);
        return options.return_attention_scores === true ? [result, asValue(weights)] : result;
      },
    };
  };
}

export const attentionBuilders: Readonly<Record<string, Builder>> = {
  Attention: dotAttention,
  AdditiveAttention: additiveAttention,
  MultiHeadAttention: headed((settings) => {
    const heads = settings.whole('num_heads');
    const width = settings.whole('key_dim');
    const valueWidth = settings.has('value_dim') ? settings.whole('value_dim') : width;
    return { queries: heads, keys: heads, width, valueWidth };
  }),
  GroupQueryAttention: headed((settings) => {
    const width = settings.whole('head_dim');
    const [queries, keys] = [settings.whole('num_query_heads'), settings.whole('num_key_value_heads')];
    return { queries, keys, width, valueWidth: width };
  }),
};
