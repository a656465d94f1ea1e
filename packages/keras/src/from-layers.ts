/**
 * Layers of nn as a Keras model: a Sequential becomes Keras' layers with the channels last, so that what is written computes the
 * same. Values are copied. Which layer becomes which is `layers-to-keras.ts`.
 */
import { checkOptions, namedParameters, ValueError } from '@nn/core';
import * as nn from '@nn/layers';
import type { LayerEntry, Topology } from './config/topology.ts';
import { type Piece, piecesOf, refuse, type State } from './layers-to-keras.ts';
import { KerasModel } from './model.ts';
import { numbering } from './weights/names.ts';

export interface KerasModelOptions {
  /** The shape of the input without the batch, as the layers take it: [channels, height, width] for pictures; null for sizes that may be any. */
  readonly inputShape: readonly (number | null)[];
  /** The type of the input; 'int32' for models that begin with an Embedding. Default 'float32'. */
  readonly dtype?: 'float32' | 'int32';
  readonly name?: string;
}

/** Whether the channels of the input come first: always with space behind them, of two axes where a layer of channels comes first. */
function beginsTurned(layers: readonly object[], rank: number): boolean {
  if (rank !== 2) return rank > 2;
  const first = layers.find(
    (layer) =>
      layer instanceof nn.Linear ||
      layer instanceof nn.LayerNorm ||
      layer instanceof nn.RMSNorm ||
      layer instanceof nn.Conv1d ||
      layer instanceof nn.ConvTranspose1d ||
      layer instanceof nn.MaxPool1d ||
      layer instanceof nn.AvgPool1d ||
      layer instanceof nn.BatchNorm1d,
  );
  return (
    first !== undefined && !(first instanceof nn.Linear || first instanceof nn.LayerNorm || first instanceof nn.RMSNorm)
  );
}

/**
 * A Sequential of nn's layers as a Keras model, which `encodeKeras` and `encodeTfjs` write. Pictures [channels, height, width] become
 * [height, width, channels]. Values are copied. Throws a ValueError that names the first layer that Keras does not have.
 *
 * @example
 * import { ones } from '@nn/core';
 * import { kerasModel } from '@nn/keras';
 * import { Conv2d, Flatten, Linear, ReLU, Sequential } from '@nn/layers';
 * const net = new Sequential(new Conv2d(3, 4, 3), new ReLU(), new Flatten(), new Linear(144, 2));
 * const model = kerasModel(net, { inputShape: [3, 8, 8] });
 * console.log(model.forward(ones([1, 8, 8, 3])).shape); // => [1, 2]
 */
export function kerasModel(layers: nn.Sequential, options: KerasModelOptions): KerasModel {
  checkOptions('kerasModel', options, ['inputShape', 'dtype', 'name']);
  const { inputShape, dtype = 'float32', name = 'sequential' } = options;
  const flat = flatten(layers);
  const state: State = { isTurned: beginsTurned(flat, inputShape.length), rank: inputShape.length };
  const shape = state.isTurned ? [...inputShape.slice(1), inputShape[0] ?? null] : inputShape;
  const numbered = numbering();
  const pieces = new Map<string, { readonly piece: Piece; readonly layer: object }>();
  let before = 'input';
  const entries = flat.flatMap((layer) =>
    piecesOf(layer, state).map((piece): LayerEntry => {
      const own = numbered(piece.className);
      pieces.set(own, { piece, layer });
      const inputs = [{ layer: before, call: 0, output: 0 }];
      before = own;
      return {
        name: own,
        className: piece.className,
        config: { name: own, ...piece.config },
        calls: [{ inputs, options: {} }],
      };
    }),
  );
  if (entries.length === 0) throw new ValueError('kerasModel', 'the Sequential has no layers that compute anything.');
  const topology: Topology = {
    ...{ name, isSequential: true, generation: 3, layers: entries },
    inputs: [{ layer: 'input', shape: [null, ...shape], dtype }],
    outputs: [{ layer: before, call: 0, output: 0 }],
  };
  const budget = { left: Number.POSITIVE_INFINITY };
  const model = new KerasModel(topology, { channels: 'last', inputShapes: null, registry: {}, budget });
  for (const { entry, built } of model.graph.inOrder()) {
    const { piece, layer } = pieces.get(entry.name)!;
    if (built.module) copyValues(layer, piece, built.module);
  }
  return model;
}

/** Gives a layer of the model the values of the layer that it stands for; all of them, or it throws. */
function copyValues(layer: object, { source, values }: Piece, target: object): void {
  const given = new Map(Object.entries(values ?? {}));
  for (const [key, parameter] of source ? namedParameters(source) : []) given.set(key, parameter);
  const wanted = namedParameters(target);
  for (const [key, parameter] of wanted) {
    const value = given.get(key);
    const from = value ?? refuse(layer, `its '${key}' is computed from others; remove the parametrization first`);
    parameter.assign(from.reshape(parameter.shape));
    parameter.frozen = from.frozen;
  }
}

/** The layers of a Sequential and of those in it. */
function flatten(layers: nn.Sequential): object[] {
  return [...layers].flatMap((layer, k): object[] => {
    if (typeof layer === 'function') {
      throw new ValueError(
        'kerasModel',
        `item ${k} is a function, which no file can hold: use a layer in its place, as new ReLU() for relu.`,
        { index: k },
      );
    }
    return layer instanceof nn.Sequential ? flatten(layer) : [layer];
  });
}
