/** What a transformer attends to: the weights as it has them, found in its graph, and rolled out over its layers. */
import { checkOptions, eye, type GraphNode, showShape, type Tensor, traceGraph, ValueError } from '@nn/core';
import { callerOf, checkedInputs, type Explained, type Inputs } from '../model.ts';

/**
 * The attention weights of a call, layer by layer as they are computed: [N, heads, queries, keys] each. They are found in the
 * graph (a softmax over keys that is multiplied with values), so that the model need not give them. Those over the keys of a prefix
 * (an adapter) stand in front of the others.
 *
 * Throws ValueError where there are none: attention over very long sequences is computed in blocks, which have no weights.
 *
 * @example
 * import { setSeed, uniform } from '@nn/core';
 * import { attentionsOf } from '@nn/explain';
 * import { TransformerEncoder, TransformerEncoderLayer } from '@nn/layers';
 * setSeed(1);
 * const layer = () => new TransformerEncoderLayer(8, 2, { feedForward: 16, batchFirst: true });
 * const model = new TransformerEncoder(layer, 2);
 * console.log(attentionsOf(model, uniform([1, 5, 8])).map(({ shape }) => shape)); // => [[1, 2, 5, 5], [1, 2, 5, 5]]
 */
export function attentionsOf(model: Explained, inputs: Inputs): Tensor[] {
  const { list } = checkedInputs('attentionsOf', inputs);
  const call = callerOf('attentionsOf', model);
  const { result, nodeOf, compositeOf } = traceGraph(() => call(list));
  const isWeights = (node: GraphNode): boolean => node.shape.length >= 3 && compositeOf(node)?.name === 'softmax';
  const found: Tensor[] = [];
  const seen = new Set<GraphNode>();
  const stack: { readonly node: GraphNode; readonly isLeft: boolean }[] = [{ node: nodeOf(result), isLeft: false }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, isLeft } = top;
    if (isLeft) {
      const weights = node.operation === 'contraction' ? behindViews(node, isWeights) : undefined;
      if (weights !== undefined && !found.includes(weights.tensor)) found.push(weights.tensor);
    } else if (!seen.has(node)) {
      seen.add(node);
      stack.push({ node, isLeft: true });
      for (const input of node.inputs) stack.push({ node: input, isLeft: false });
    }
  }
  if (found.length > 0) return found;
  throw new ValueError(
    'attentionsOf',
    'no attention was found: the model has no softmax that is multiplied with values, or computes it in blocks.',
  );
}

/** An operand of a product that is what is looked for, also behind a change of its form. */
function behindViews(product: GraphNode, is: (node: GraphNode) => boolean): GraphNode | undefined {
  for (const operand of product.inputs) {
    let node: GraphNode | undefined = operand;
    while (node !== undefined && !is(node)) {
      node = ['reshape', 'permute', 'expand', 'slice'].includes(node.operation) ? node.inputs[0] : undefined;
    }
    if (node !== undefined) return node;
  }
  return undefined;
}

export interface RolloutOptions {
  /** How heads become one. Default 'mean'. */
  readonly heads?: 'mean' | 'max' | 'min';
}

/**
 * How much each token of the last layer rests on each token of the input: the product over layers of (A + I) / 2, rows scaled to
 * sum to 1, where half of what a token has comes past the attention. From weights [N, heads, tokens, tokens] or
 * [N, tokens, tokens] to [N, tokens, tokens]. (Abnar and Zuidema 2020.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { attentionRollout } from '@nn/explain';
 * const attention = tensor([[[0, 1], [0.5, 0.5]]]);
 * console.log(await attentionRollout([attention, attention]).array()); // => [[[0.375, 0.625], [0.3125, 0.6875]]]
 */
export function attentionRollout(attentions: readonly Tensor[], options: RolloutOptions = {}): Tensor {
  checkOptions('attentionRollout', options, ['heads']);
  const { heads = 'mean' } = options;
  if (!['mean', 'max', 'min'].includes(heads)) {
    throw new ValueError('attentionRollout', `heads is '${String(heads)}': it is 'mean', 'max' or 'min'.`);
  }
  const layers = attentions.map((weights) => {
    const [queries, keys] = weights.shape.slice(-2);
    if (queries !== keys || (weights.rank !== 3 && weights.rank !== 4)) {
      throw new ValueError(
        'attentionRollout',
        `the weights are ${showShape(weights.shape)}: they must be [N, heads, tokens, tokens] or [N, tokens, tokens], of self-attention.`,
      );
    }
    const joined = weights.rank === 3 ? weights : weights[heads](1);
    const mixed = joined.add(eye(queries as number)).mul(0.5);
    return mixed.div(mixed.sum(2, { keepAxes: true }));
  });
  const [first, ...rest] = layers;
  if (first === undefined)
    throw new ValueError('attentionRollout', 'there are no attentions: give those of each layer.');
  return rest.reduce((below, layer) => layer.matmul(below), first);
}
