/** What the layers of encoder and decoder share: their options, and the small network after attention. */
import type { Tensor } from '@nn/core';
import { gelu } from '../activations/gates.ts';
import { relu } from '../activations/rectifiers.ts';
import type { Linear } from '../linear.ts';
import { dropout } from '../noise/dropout.ts';

export type TransformerActivation = 'relu' | 'gelu' | ((x: Tensor) => Tensor);

export interface TransformerLayerOptions {
  /** Width of the inner network. Default 2048. */
  readonly feedForward?: number;
  /** Share of values dropped in training: of the attention weights, inside the network, and before each sum. Default 0.1. */
  readonly dropout?: number;
  /** Default 'relu'. */
  readonly activation?: TransformerActivation;
  /** Added to the variance in the norms. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether inputs are [N, length, dimension]; otherwise they are [length, N, dimension]. Default false, as in PyTorch. */
  readonly batchFirst?: boolean;
  /** Whether norms come before attention and network instead of after the sums. Default false, as in PyTorch. */
  readonly normFirst?: boolean;
  /** Whether projections, networks and norms have biases. Default true. */
  readonly bias?: boolean;
}

export const layerOptionNames: readonly string[] = [
  ...['feedForward', 'dropout', 'activation', 'epsilon'],
  ...['batchFirst', 'normFirst', 'bias'],
];

export function activationOf(activation: TransformerActivation): (x: Tensor) => Tensor {
  if (activation === 'relu') return relu;
  return activation === 'gelu' ? (x) => gelu(x) : activation;
}

/** A layer that has the network. */
interface WithNetwork {
  readonly dropout: number;
  readonly activation: (x: Tensor) => Tensor;
  readonly linear1: Linear;
  readonly linear2: Linear;
}

/** Out, bent, and back: dropout(linear2(dropout(activation(linear1 x)))). */
export function transform(layer: WithNetwork, x: Tensor): Tensor {
  const inner = dropout(layer.activation(layer.linear1.forward(x)), layer.dropout);
  return dropout(layer.linear2.forward(inner), layer.dropout);
}
