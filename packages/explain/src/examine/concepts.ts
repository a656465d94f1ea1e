/** Concepts that people have, in the space of a layer: their directions, and whether a class rests on them (TCAV). */
import { checkOptions, gradients, type Tensor, tensor, ValueError } from '@nn/core';
import { activationAt, findLayer, type LayerChoice } from '../layer.ts';
import { callerOf, checkedInputs, type Explained, selected, sumOfEach, type TargetOptions } from '../model.ts';
import { solvePositive } from '../perturbation/least-squares.ts';

export interface ConceptOptions {
  /** The layer in whose space the concept is a direction. */
  readonly layer: LayerChoice;
  /** The ridge of the classifier. Default 1, as scikit-learn's RidgeClassifier. */
  readonly alpha?: number;
}

export interface ConceptVector {
  /** The direction towards the concept: of the shape of a sample of the layer. */
  readonly vector: Tensor;
  /** The share of the samples that a classifier made without them tells apart: near 1/2 there is no such direction. */
  readonly accuracy: number;
}

/**
 * The concept activation vector: the direction in which a linear (ridge) classifier tells what a layer makes of samples of a
 * concept from what it makes of others. (Kim et al. 2018.)
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { conceptVector } from '@nn/explain';
 * import { Identity, Sequential } from '@nn/layers';
 * const model = new Sequential(new Identity());
 * const [bright, dark] = [tensor([[3, 0], [4, 1], [3, 1]]), tensor([[-3, 0], [-4, 1], [-3, 1]])];
 * const { vector, accuracy } = await conceptVector(model, bright, dark, { layer: '0' });
 * console.log((await vector.array(1)).map((x) => x > 0.1), accuracy); // => [true, false] 1
 */
export async function conceptVector(
  model: Explained,
  concept: Tensor,
  others: Tensor,
  options: ConceptOptions,
): Promise<ConceptVector> {
  const operation = 'conceptVector';
  checkOptions(operation, options, ['layer', 'alpha']);
  const { alpha = 1 } = options;
  if (!(alpha > 0)) throw new ValueError(operation, `alpha is ${alpha}: it is above 0.`);
  const layer = findLayer(operation, model, options.layer);
  const call = callerOf(operation, model);
  const given = [concept, others].map((x) => activationAt(operation, layer, () => call([x])).activation);
  const shape = given[0]?.shape.slice(1) ?? [];
  const tables = await Promise.all(given.map((x) => x.data()));
  const rows = tables.flatMap((data, t) => {
    const count = given[t]?.shape[0] as number;
    const size = data.length / count;
    return Array.from({ length: count }, (_, n) => Float64Array.from(data.subarray(n * size, (n + 1) * size)));
  });
  const labels = rows.map((_, n) => (n < (given[0]?.shape[0] as number) ? 1 : -1));
  const { weights, accuracy } = ridgeClassifier(rows, labels, alpha);
  return { vector: tensor(Float32Array.from(weights), { shape }), accuracy };
}

/**
 * w = X^T (X X^T + alpha I)^-1 y with centred X and y: the ridge regression on -1 and 1 by the products of the samples, of
 * which there are fewer than coordinates. The residual without a sample is its dual weight over the diagonal of the inverse.
 */
function ridgeClassifier(
  rows: readonly Float64Array[],
  labels: readonly number[],
  alpha: number,
): { readonly weights: Float64Array; readonly accuracy: number } {
  const n = rows.length;
  const size = rows[0]?.length ?? 0;
  const mean = new Float64Array(size);
  for (const row of rows) for (let k = 0; k < size; k++) mean[k] = (mean[k] as number) + (row[k] as number) / n;
  const centred = rows.map((row) => row.map((value, k) => value - (mean[k] as number)));
  const middle = labels.reduce((sum, label) => sum + label, 0) / n;
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const [a, b] = [centred[i] as Float64Array, centred[j] as Float64Array];
      gram[i * n + j] = a.reduce((sum, value, k) => sum + value * (b[k] as number), i === j ? alpha : 0);
    }
  }
  // the inverse's columns, and behind them the dual weights
  const solved = new Float64Array(n * (n + 1));
  for (let i = 0; i < n; i++) {
    solved[i * (n + 1) + i] = 1;
    solved[i * (n + 1) + n] = (labels[i] as number) - middle;
  }
  if (!solvePositive(gram, n, solved, n + 1)) {
    throw new ValueError('conceptVector', 'the activations are too large for the ridge: raise alpha.');
  }
  const weights = new Float64Array(size);
  let right = 0;
  for (let i = 0; i < n; i++) {
    const dual = solved[i * (n + 1) + n] as number;
    (centred[i] as Float64Array).forEach((value, k) => {
      weights[k] = (weights[k] as number) + dual * value;
    });
    const without = (labels[i] as number) - dual / (solved[i * (n + 1) + i] as number);
    if (Math.sign(without) === labels[i]) right++;
  }
  return { weights, accuracy: right / n };
}

export interface TcavOptions extends TargetOptions {
  readonly layer: LayerChoice;
  /** The direction, as `conceptVector` gives it. */
  readonly vector: Tensor;
}

export interface Tcav {
  /** The slope of each sample's score along the direction: [N]. */
  readonly sensitivities: Tensor;
  /** The share of samples whose score grows with the concept. Compare it with that of random directions. */
  readonly score: number;
}

/**
 * Whether a class rests on a concept: the share of samples whose score grows when the layer's result moves towards it.
 * (Kim et al. 2018.)
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { tcav } from '@nn/explain';
 * const inner = { forward: (x: Tensor) => x.mul(2) };
 * const model = (x: Tensor) => inner.forward(x).square().sum(1);
 * const { score } = await tcav(model, tensor([[1, 5], [-1, 2], [3, 0]]), { layer: inner, vector: tensor([1, 0]) });
 * console.log(score.toFixed(2)); // => 0.67
 */
export async function tcav(model: Explained, x: Tensor, options: TcavOptions): Promise<Tcav> {
  const operation = 'tcav';
  checkOptions(operation, options, ['target', 'layer', 'vector']);
  const { samples } = checkedInputs(operation, x);
  const layer = findLayer(operation, model, options.layer);
  const call = callerOf(operation, model);
  const { result, activation } = activationAt(operation, layer, () => call([x]));
  const [slope] = gradients(selected(operation, result, options.target, samples).sum(), [activation]);
  const { vector } = options;
  if (vector.shape.join() !== activation.shape.slice(1).join()) {
    throw new ValueError(
      operation,
      `the vector is [${vector.shape.join(', ')}], a sample of the layer [${activation.shape.slice(1).join(', ')}]: take that of conceptVector for this layer.`,
    );
  }
  const sensitivities = sumOfEach(slope.mul(vector));
  const score = await sensitivities.greater(0).cast('float32').mean().item();
  return { sensitivities, score };
}
