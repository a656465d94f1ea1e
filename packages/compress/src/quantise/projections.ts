/**
 * The projections of attention as layers of their own while a model is quantised: their weights are one parameter (or three) of the
 * attention layer, and what may stand in the place of a Linear layer is to stand in theirs. Owns that exchange, and taking it back.
 */
import { concat, type Parameter, type Tensor, ValueError } from '@nn/core';
import { type InProjection, Linear, layersOf, MultiheadAttention } from '@nn/layers';
import { fitsPath, type LayerPattern } from '../model.ts';

/** The outputs of a layer that are wanted: from the first up to the last. */
export type Outputs = readonly [from: number, to: number];

/** A Linear layer around parameters that are there, of which some outputs may be asked for. */
export class Projection extends Linear implements InProjection {
  static around(weight: Parameter, bias: Parameter | null): Projection {
    // not by the constructor, which would draw a weight
    const made: Projection = Object.create(Projection.prototype);
    const [outputs, inputs] = weight.shape;
    return Object.assign(made, { inputs, outputs, weight, bias });
  }

  override forward(x: Tensor, outputs?: Outputs): Tensor {
    if (outputs === undefined) return super.forward(x);
    const product = x.matmul(rowsOf(this.weight, outputs).transpose());
    return this.bias === null ? product : product.add(rowsOf(this.bias, outputs));
  }
}

/** Some of the first axis, or all. */
export function rowsOf(x: Tensor, rows: Outputs | undefined): Tensor {
  if (rows === undefined) return x;
  const rest = x.shape.slice(1);
  return x.slice([rows[0], ...rest.map(() => 0)], [rows[1], ...rest]);
}

/** Projections of queries, keys and values of different widths, with one bias. */
class ApartProjections implements InProjection {
  q: InProjection;
  k: InProjection;
  v: InProjection;
  bias: Parameter | null;
  readonly #width: number;

  constructor([q, k, v]: readonly [Parameter, Parameter, Parameter], bias: Parameter | null) {
    this.q = Projection.around(q, null);
    this.k = Projection.around(k, null);
    this.v = Projection.around(v, null);
    this.bias = bias;
    this.#width = q.shape[0] ?? 0;
  }

  forward(x: Tensor, outputs: Outputs = [0, 3 * this.#width]): Tensor {
    const [first, last] = outputs.map((at) => at / this.#width);
    const parts = [this.q, this.k, this.v].slice(first, last).map((part) => part.forward(x));
    const product = concat(parts, -1);
    return this.bias === null ? product : product.add(rowsOf(this.bias, outputs));
  }

  get isWhole(): boolean {
    return [this.q, this.k, this.v].every((part) => part instanceof Projection);
  }
}

const weights = ['inProjWeight', 'qProjWeight', 'kProjWeight', 'vProjWeight', 'inProjBias'] as const;

/** The layer that stands for the weights of one. Throws ValueError where they are computed from others. */
function projectionOf(operation: string, path: string, layer: MultiheadAttention): Projection | ApartProjections {
  if (weights.some((field) => Object.getOwnPropertyDescriptor(layer, field)?.get !== undefined)) {
    throw new ValueError(
      operation,
      `the projections of ${path || String(layer)} are computed from other parameters: removePruning(model), or merge adapters, first.`,
    );
  }
  const { inProjWeight, qProjWeight, kProjWeight, vProjWeight, inProjBias } = layer;
  if (inProjWeight !== null) return Projection.around(inProjWeight, inProjBias);
  if (qProjWeight === null || kProjWeight === null || vProjWeight === null) {
    throw new ValueError(operation, `${path || String(layer)} has no weights of projections.`);
  }
  return new ApartProjections([qProjWeight, kProjWeight, vProjWeight], inProjBias);
}

/** Whether a pattern means the projections of the layer at a path. */
const isMeant = (pattern: LayerPattern | undefined, path: string): boolean => {
  const own = path === '' ? 'in_proj' : `${path}.in_proj`;
  return [own, `${own}.q`, `${own}.k`, `${own}.v`].some((each) => fitsPath(pattern, each));
};

/**
 * Lets the projections of attention be layers, `in_proj` (or `in_proj.q`, ...), of those that a pattern means. What is returned is to be
 * called in the end: it gives the weights back to those whose projections nothing has taken the place of.
 */
export function exposeProjections(operation: string, model: object, pattern: LayerPattern | undefined): () => void {
  const exposed = layersOf(model).flatMap(({ path, layer }) => {
    if (!(layer instanceof MultiheadAttention) || layer.inProj !== null || !isMeant(pattern, path)) return [];
    const kept = Object.fromEntries(weights.map((field) => [field, layer[field]]));
    return [{ layer, kept, projection: projectionOf(operation, path, layer) }];
  });
  for (const { layer, projection } of exposed) {
    for (const field of weights) layer[field] = null;
    layer.inProj = projection;
  }
  return () => {
    for (const { layer, kept, projection } of exposed) {
      const isUntouched = projection instanceof Projection || projection.isWhole;
      if (layer.inProj === projection && isUntouched) Object.assign(layer, kept, { inProj: null });
    }
  };
}
