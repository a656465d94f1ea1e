/** Gradients gathered along the straight line from a baseline to the input: integrated gradients. */
import { checkOptions, gradientsOrNull, type Tensor, tensor, vmap, zerosLike } from '@nn/core';
import { activationAt, findLayer, type LayerChoice, replacedAt } from '../layer.ts';
import {
  alongFirst,
  type BaselineOptions,
  baselinesOf,
  callerOf,
  checkedInputs,
  type Explained,
  formed,
  type Inputs,
  type Like,
  requireWhole,
  scorerOf,
  selected,
  total,
} from '../model.ts';
import { type Quadrature, quadrature } from './quadrature.ts';

/** What the elements of the input add to the score, and whether that is all. */
export interface Attribution<A> {
  /** Of the shape of the input; of several inputs one each. */
  readonly attributions: A;
  /** The score of each input: [N]. */
  readonly scores: Tensor;
  /** The score of each baseline: [N]. */
  readonly baselineScores: Tensor;
  /** The sum of the attributions minus (score - score of the baseline), [N]: 0 where they are complete. */
  readonly convergenceDelta: Tensor;
}

export interface PathOptions extends BaselineOptions {
  /** How often the model is looked at between baseline and input. Default 50. */
  readonly steps?: number;
  /** Default 'gaussLegendre', exact for polynomials up to degree 2 steps - 1. */
  readonly method?: Quadrature;
}

/**
 * (x - b) times the mean gradient between the baseline b and x: what each element of the input adds to F(x) - F(b). The sum of
 * all is that difference, and `convergenceDelta` tells by how much it is missed. All steps are one batch of one program.
 * (Sundararajan et al. 2017.)
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { integratedGradients } from '@nn/explain';
 * const model = (x: Tensor) => x.slice([0, 0], [null, 1]).mul(x.slice([0, 1]).square()).sum(1); // a b^2
 * const { attributions } = integratedGradients(model, tensor([[3, 2]]));
 * const [[a = 0, b = 0] = []] = await attributions.array(2);
 * console.log(a.toFixed(3), b.toFixed(3)); // => 4.000 8.000
 */
export function integratedGradients<const I extends Inputs>(
  model: Explained,
  inputs: I,
  options: PathOptions = {},
): Attribution<Like<I>> {
  const operation = 'integratedGradients';
  checkOptions(operation, options, ['target', 'baseline', 'steps', 'method']);
  const { list } = checkedInputs(operation, inputs);
  const baselines = baselinesOf(operation, options.baseline, list);
  const found = integrate(operation, scorerOf(operation, model, options.target), list, baselines, options);
  return { ...found, attributions: formed(inputs, found.attributions) };
}

export interface LayerPathOptions extends PathOptions {
  /** The layer whose result is attributed to. */
  readonly layer: LayerChoice;
}

/**
 * Integrated gradients of what a layer gives, in place of the inputs: of the vectors of an embedding, say, whose indices have no
 * gradient. The attributions have the shape of the layer's result; the path goes from its result for the baseline.
 *
 * @example
 * import { setSeed, tensor } from '@nn/core';
 * import { layerIntegratedGradients } from '@nn/explain';
 * import { Embedding, Flatten, Linear, Sequential } from '@nn/layers';
 * setSeed(1);
 * const model = new Sequential(new Embedding(10, 4), new Flatten(), new Linear(12, 2));
 * const words = tensor([[3, 1, 7]], { dtype: 'int32' });
 * const { attributions } = layerIntegratedGradients(model, words, { layer: '0', target: 1 });
 * console.log(attributions.sum(2).shape); // => [1, 3]
 */
export function layerIntegratedGradients(
  model: Explained,
  inputs: Inputs,
  options: LayerPathOptions,
): Attribution<Tensor> {
  const operation = 'layerIntegratedGradients';
  checkOptions(operation, options, ['target', 'baseline', 'steps', 'method', 'layer']);
  const { list, samples } = checkedInputs(operation, inputs);
  const baselines = baselinesOf(operation, options.baseline, list);
  const call = callerOf(operation, model);
  const layer = findLayer(operation, model, options.layer);
  const from = activationAt(operation, layer, () => call(baselines)).activation;
  const to = activationAt(operation, layer, () => call(list)).activation;
  const score = ([value]: readonly Tensor[]): Tensor =>
    selected(
      operation,
      replacedAt(layer, value as Tensor, () => call(list)),
      options.target,
      samples,
    );
  const found = integrate(operation, score, [to.stopGradient()], [from.stopGradient()], options);
  return { ...found, attributions: found.attributions[0] as Tensor };
}

function integrate(
  operation: string,
  score: (inputs: readonly Tensor[]) => Tensor,
  list: readonly Tensor[],
  baselines: readonly Tensor[],
  options: PathOptions,
): Attribution<Tensor[]> {
  const differences = list.map((x, k) => x.sub(baselines[k] as Tensor));
  const slopes = alongPath(operation, baselines, differences, options, (points) =>
    gradientsOrNull(score(points).sum(), points).map((slope, k) => slope ?? zerosLike(points[k] as Tensor)),
  );
  const attributions = slopes.map((slope, k) => slope.mul(differences[k] as Tensor));
  return withDelta(attributions, score(list), score(baselines));
}

/** The weighted mean of what `look` gives on the way from the baselines to baseline + difference: one batch of all steps. */
export function alongPath(
  operation: string,
  baselines: readonly Tensor[],
  differences: readonly Tensor[],
  { steps = 50, method = 'gaussLegendre' }: PathOptions,
  look: (points: readonly Tensor[]) => Tensor[],
): Tensor[] {
  requireWhole(operation, 'steps', steps);
  const { places, weights } = quadrature(operation, method, steps);
  const looks = vmap((place: Tensor) => look(baselines.map((b, k) => b.add((differences[k] as Tensor).mul(place)))))(
    tensor(places),
  );
  const factors = tensor(weights);
  return looks.map((x) => x.mul(alongFirst(factors, x.rank)).sum(0));
}

/** Attributions with the scores that they are to explain. */
export function withDelta(attributions: Tensor[], scores: Tensor, baselineScores: Tensor): Attribution<Tensor[]> {
  const convergenceDelta = total(attributions).sub(scores.sub(baselineScores));
  return { attributions, scores, baselineScores, convergenceDelta };
}
