/** Layers that ONNX has an operator for: what a call of one was given, so that the operator can be written in its place. */
import { isTensor, type Tensor } from '@nn/core';
import { BatchNorm1d, BatchNorm2d, BatchNorm3d, GRU, LayerNorm, Linear, LSTM, RNN, type Watched } from '@nn/layers';

export type LayerKind = 'layer:linear' | 'layer:batchNorm' | 'layer:layerNorm' | 'layer:recurrent' | 'layer:quantised';

/** How a recurrent layer reads its sequence. */
export interface RecurrentAttributes {
  readonly operator: 'LSTM' | 'GRU' | 'RNN';
  readonly path: string;
  readonly hidden: number;
  readonly layers: number;
  readonly directions: number;
  readonly batchFirst: boolean;
}

/** How a layer of whole numbers reads its input, and where its kernel slides; null: it is Linear. */
export interface QuantisedAttributes {
  readonly path: string;
  readonly levels: { readonly low: number; readonly high: number };
  readonly geometry: {
    readonly kernel: readonly number[];
    readonly stride: readonly number[];
    readonly dilation: readonly number[];
    readonly padding: readonly (readonly [number, number])[];
    readonly groups: number;
  } | null;
  /** What a convolution does to its results: relu, and the largest of pieces of space. */
  readonly relu: boolean;
  readonly pool: readonly number[] | null;
}

export interface LayerCall {
  readonly kind: LayerKind;
  readonly attributes:
    | { readonly epsilon: number; readonly rank: number }
    | RecurrentAttributes
    | QuantisedAttributes
    | null;
}

interface Seen {
  readonly call: LayerCall;
  readonly inputs: readonly (Tensor | null)[];
  readonly results: readonly Tensor[];
}

/** A call as it is written down, or null for one that is written as the operations that it is made of. */
export function layerCall(layer: Watched, path: string, given: readonly unknown[], output: unknown): Seen | null {
  const [input, start] = given;
  if (!isTensor(input)) return null;
  if (layer instanceof Linear && isTensor(output)) {
    return seen('layer:linear', null, [input, layer.weight, layer.bias], output);
  }
  const isBatchNorm = layer instanceof BatchNorm1d || layer instanceof BatchNorm2d || layer instanceof BatchNorm3d;
  if (isBatchNorm && isTensor(output) && start === undefined) {
    const { weight, bias, runningMean, runningVar, epsilon } = layer;
    if (weight === null || bias === null || runningMean === null || runningVar === null) return null;
    return seen(
      'layer:batchNorm',
      { epsilon, rank: input.rank },
      [input, weight, bias, runningMean, runningVar],
      output,
    );
  }
  if (layer instanceof LayerNorm && isTensor(output) && layer.weight !== null) {
    const { weight, bias, epsilon, shape } = layer;
    return seen('layer:layerNorm', { epsilon, rank: shape.length }, [input, weight, bias], output);
  }
  if (layer instanceof LSTM || layer instanceof GRU || layer instanceof RNN)
    return recurrentCall(layer, path, input, start, output);
  // of projections of attention some outputs may be asked for alone
  const isWhole = start === undefined && isTensor(output);
  return isQuantised(layer) && isWhole ? quantisedCall(layer, path, input, output) : null;
}

/** A layer of whole numbers, by what it keeps: those of @nn/compress, of which nothing is needed here. */
interface QuantisedLayer extends Watched {
  readonly weight: Tensor;
  readonly weightScale: Tensor;
  readonly weightSum: Tensor;
  readonly bias: Tensor | null;
  readonly input: {
    readonly scale: Tensor | null;
    readonly zeroPoint: Tensor | null;
    readonly levels: QuantisedAttributes['levels'];
  };
  readonly geometry?: QuantisedAttributes['geometry'];
  readonly relu?: boolean;
  readonly pool?: QuantisedAttributes['pool'];
}

function isQuantised(layer: Watched): layer is QuantisedLayer {
  return 'weightSum' in layer && 'weightScale' in layer && 'input' in layer;
}

function quantisedCall(layer: QuantisedLayer, path: string, input: Tensor, output: Tensor): Seen {
  const { weight, weightScale, bias, geometry = null, relu = false, pool = null } = layer;
  const { scale, zeroPoint, levels } = layer.input;
  const attributes: QuantisedAttributes = { path, levels, geometry, relu, pool };
  return seen('layer:quantised', attributes, [input, weight, weightScale, bias, scale, zeroPoint], output);
}

function seen(
  kind: LayerKind,
  attributes: LayerCall['attributes'],
  inputs: readonly (Tensor | null)[],
  output: Tensor,
): Seen {
  return { call: { kind, attributes }, inputs, results: [output] };
}

/** From the beginning of whole sequences only: lengths and masks are written as the steps that they make. */
function recurrentCall(
  layer: LSTM | GRU | RNN,
  path: string,
  input: Tensor,
  start: unknown,
  output: unknown,
): Seen | null {
  if (start !== undefined || typeof output !== 'object' || output === null || input.rank !== 3) return null;
  const { output: all, hidden, cell } = output as Readonly<Record<string, unknown>>;
  const results = [all, hidden, cell].filter((value) => isTensor(value));
  const weights: (Tensor | null)[] = [];
  for (const cell of layer.cells) {
    if ('weightHr' in cell && cell.weightHr !== null) return null;
    weights.push(cell.weightIh, cell.weightHh, cell.biasIh, cell.biasHh);
  }
  const operator = layer instanceof LSTM ? 'LSTM' : layer instanceof GRU ? 'GRU' : 'RNN';
  if (layer instanceof RNN && layer.nonlinearity !== 'tanh') return null;
  const attributes: RecurrentAttributes = {
    operator,
    path,
    hidden: layer.hidden,
    layers: layer.layers,
    directions: layer.bidirectional ? 2 : 1,
    batchFirst: layer.batchFirst,
  };
  return { call: { kind: 'layer:recurrent', attributes }, inputs: [input, ...weights], results };
}
