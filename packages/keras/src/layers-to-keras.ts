/**
 * Which layers of Keras compute what a layer of nn does, one rule a class. Owns what is refused and why; the order of axes between
 * the layers is a `State`, and the model that is made of it `from-layers.ts`.
 */
import { type Parameter, ValueError } from '@nn/core';
import * as nn from '@nn/layers';
import type { Json, JsonObject } from './config/json.ts';

/** A layer of Keras, without its name. */
export interface Piece {
  readonly className: string;
  readonly config: JsonObject;
  /** The layer whose values it takes, under the same names. */
  readonly source?: object;
  /** The values it takes under other names. */
  readonly values?: Readonly<Record<string, Parameter>>;
}

/** What is known of the value between two layers. */
export interface State {
  /** Whether its channels come first here and last in Keras. */
  isTurned: boolean;
  /** How many axes it has beside the batch. */
  rank: number;
}

export function refuse(layer: unknown, why: string): never {
  throw new ValueError('kerasModel', `${String(layer)} cannot become a layer of Keras: ${why}.`);
}

type Rule = readonly [type: unknown, pieces: (layer: object, state: State) => readonly Piece[]];

/** The rule of a class; what inherits from it may compute something else, and has none. */
function rule<Layer extends object>(
  type: abstract new (...parameters: never[]) => Layer,
  pieces: (layer: Layer, state: State) => readonly Piece[],
): Rule {
  return [type, (layer, state) => (layer instanceof type ? pieces(layer, state) : [])];
}

const one = (className: string, config: JsonObject = {}, source?: object): Piece[] => [
  { className, config, ...(source && { source }) },
];

const activation = (name: string): Piece[] => one('Activation', { activation: name });

/** Amounts before and after each axis of space as Keras has them. */
function sides(amounts: readonly (readonly [number, number])[]): Json {
  return amounts.length === 1 ? [...amounts[0]!] : amounts.map((amount) => [...amount]);
}

/** Zeros on both sides of space as a layer of Keras, none where there are none. */
function padded(padding: readonly number[]): Piece[] {
  if (padding.every((amount) => amount === 0)) return [];
  return one(`ZeroPadding${padding.length}D`, { padding: sides(padding.map((amount) => [amount, amount])) });
}

function requireSpace(layer: object, { isTurned, rank }: State, space: number): void {
  if (!isTurned || rank !== space + 1) refuse(layer, `it takes [channels, ${'size, '.repeat(space - 1)}size]`);
}

function convolution(layer: nn.Conv1d | nn.Conv2d | nn.Conv3d, state: State): Piece[] {
  const { kernelSize, padding, groups, inputs, outputs } = layer;
  const rank = kernelSize.length;
  requireSpace(layer, state, rank);
  const windows = {
    ...{ kernel_size: kernelSize, strides: layer.stride, dilation_rate: layer.dilation, use_bias: layer.bias !== null },
    padding: padding === 'same' ? 'same' : 'valid',
  };
  const around = typeof padding === 'string' ? [] : padded(padding);
  // one group a channel has a class of its own in Keras
  if (groups === inputs && groups > 1 && rank < 3)
    return [...around, ...one(`DepthwiseConv${rank}D`, { ...windows, depth_multiplier: outputs / inputs }, layer)];
  return [...around, ...one(`Conv${rank}D`, { filters: outputs, ...windows, groups }, layer)];
}

function transposedConvolution(
  layer: nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d,
  state: State,
): Piece[] {
  const { kernelSize, padding, outputPadding, groups, stride, dilation } = layer;
  const rank = kernelSize.length;
  requireSpace(layer, state, rank);
  if (groups !== 1) refuse(layer, 'Keras transposes no convolutions in groups');
  if (outputPadding.some((amount) => amount > 0)) refuse(layer, 'Keras pads its result otherwise (outputPadding)');
  // Keras' own result is as large as the last window reaches, and never smaller than the steps
  if (kernelSize.some((size, k) => (size - 1) * dilation[k]! + 1 < stride[k]!))
    refuse(layer, 'its kernel is smaller than its stride, which Keras fills up');
  const config = { filters: layer.outputs, kernel_size: kernelSize, strides: stride, dilation_rate: dilation };
  const pieces = one(`Conv${rank}DTranspose`, { ...config, use_bias: layer.bias !== null }, layer);
  if (padding.every((amount) => amount === 0)) return pieces;
  return [...pieces, ...one(`Cropping${rank}D`, { cropping: sides(padding.map((amount) => [amount, amount])) })];
}

function batchNorm(layer: nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d, { isTurned, rank }: State): Piece[] {
  if (layer.runningMean === null || layer.runningVar === null) refuse(layer, 'it keeps no running statistics');
  if (layer.momentum === null) refuse(layer, 'Keras keeps no mean of all batches (momentum: null)');
  if (!isTurned && rank > 1) refuse(layer, 'its axis is not the last, which Keras normalizes');
  const config = {
    ...{ epsilon: layer.epsilon, momentum: 1 - layer.momentum },
    ...{ scale: layer.weight !== null, center: layer.bias !== null },
  };
  return one('BatchNormalization', config, layer);
}

function lastAxisNorm(
  layer: nn.LayerNorm | nn.RMSNorm,
  className: string,
  config: JsonObject,
  { isTurned }: State,
): Piece[] {
  if (isTurned || layer.shape.length !== 1) refuse(layer, 'only that of the last axis can');
  return one(className, { epsilon: layer.epsilon, ...config }, layer);
}

function maxPool(layer: nn.MaxPool1d | nn.MaxPool2d | nn.MaxPool3d, state: State): Piece[] {
  requireSpace(layer, state, layer.size.length);
  if (layer.ceilMode) refuse(layer, 'its last windows reach past the end (ceilMode)');
  if (layer.padding.some((amount) => amount > 0)) refuse(layer, 'Keras would pad with 0, which may be the largest');
  if (layer.dilation.some((step) => step > 1)) refuse(layer, 'Keras has no windows with gaps (dilation)');
  return one(`MaxPooling${layer.size.length}D`, { pool_size: layer.size, strides: layer.stride, padding: 'valid' });
}

function averagePool(layer: nn.AvgPool1d | nn.AvgPool2d | nn.AvgPool3d, state: State): Piece[] {
  requireSpace(layer, state, layer.size.length);
  if (layer.ceilMode) refuse(layer, 'its last windows reach past the end (ceilMode)');
  if (layer.divisorOverride !== null) refuse(layer, 'Keras divides by the size of the window (divisorOverride)');
  const isPadded = layer.padding.some((amount) => amount > 0);
  if (isPadded && !layer.countIncludesPadding)
    refuse(layer, 'its padding is not counted (countIncludesPadding: false)');
  const config = { pool_size: layer.size, strides: layer.stride, padding: 'valid' };
  return [...padded(layer.padding), ...one(`AveragePooling${layer.size.length}D`, config)];
}

function globalPool(kind: 'Average' | 'Max', layer: nn.GlobalAveragePool | nn.GlobalMaxPool, state: State): Piece[] {
  const space = state.rank - 1;
  if (!state.isTurned) refuse(layer, 'it follows values without channels');
  if (!layer.keepAxes) {
    state.isTurned = false;
    state.rank = 1;
  }
  return one(`Global${kind}Pooling${space}D`, { keepdims: layer.keepAxes });
}

type Adaptive =
  | nn.AdaptiveAvgPool1d
  | nn.AdaptiveAvgPool2d
  | nn.AdaptiveAvgPool3d
  | nn.AdaptiveMaxPool1d
  | nn.AdaptiveMaxPool2d
  | nn.AdaptiveMaxPool3d;

function adaptivePool(kind: 'Average' | 'Max', layer: Adaptive, state: State): Piece[] {
  const size = layer.outputSize;
  requireSpace(layer, state, size.length);
  // every version of Keras has the mean of all
  if (size.every((length) => length === 1)) return one(`Global${kind}Pooling${size.length}D`, { keepdims: true });
  if (size.includes(null)) refuse(layer, 'Keras keeps no size of the input (null)');
  return one(`Adaptive${kind}Pooling${size.length}D`, { output_size: size });
}

function flatten(layer: nn.Flatten, state: State): Piece[] {
  if (layer.from !== 1 || (layer.to !== -1 && layer.to !== state.rank))
    refuse(layer, 'Keras flattens all axes but the batch');
  const space = state.rank - 1;
  const order = [state.rank, ...Array.from({ length: space }, (_, k) => k + 1)];
  // Keras flattens channels last; nn has them first
  const turn = state.isTurned ? one('Permute', { dims: order }) : [];
  state.isTurned = false;
  state.rank = 1;
  return [...turn, ...one('Flatten')];
}

function prelu(layer: nn.PReLU, { isTurned, rank }: State): Piece[] {
  const isShared = layer.weight.size === 1;
  if (!isShared && !isTurned && rank > 1) refuse(layer, 'its channels are not the last axis');
  const axes = Array.from({ length: isShared ? rank : rank - 1 }, (_, k) => k + 1);
  return [
    { className: 'PReLU', config: { shared_axes: axes.length > 0 ? axes : null }, values: { alpha: layer.weight } },
  ];
}

function zeroPad(layer: nn.ZeroPad1d | nn.ZeroPad2d | nn.ZeroPad3d, state: State): Piece[] {
  requireSpace(layer, state, layer.amounts.length);
  const amounts = layer.amounts.map(([before = 0, after = 0]): [number, number] => [before, after]);
  if (amounts.flat().some((amount) => amount < 0)) refuse(layer, 'Keras does not cut by padding');
  return one(`ZeroPadding${amounts.length}D`, { padding: sides(amounts) });
}

function upsample(layer: nn.Upsample, state: State): Piece[] {
  const { scaleFactor, size, mode = 'nearest' } = layer.options;
  const space = state.rank - 1;
  const factors = typeof scaleFactor === 'number' ? new Array<number>(space).fill(scaleFactor) : (scaleFactor ?? []);
  requireSpace(layer, state, space);
  if (size !== undefined || mode !== 'nearest' || factors.length !== space || !factors.every(Number.isInteger))
    refuse(layer, 'whole factors and the nearest place can');
  return one(`UpSampling${space}D`, { size: space === 1 ? factors[0]! : factors });
}

function embedding(layer: nn.Embedding, state: State): Piece[] {
  state.rank++;
  return one('Embedding', { input_dim: layer.count, output_dim: layer.dimension }, layer);
}

function linear(layer: nn.Linear, { isTurned }: State): Piece[] {
  if (isTurned) refuse(layer, 'it follows channels without a Flatten, and would see their other order');
  return one('Dense', { units: layer.outputs, use_bias: layer.bias !== null }, layer);
}

/** Softmax along an axis: of all axes but the batch, for values whose axes are those of Keras. */
function softmax(layer: nn.Softmax | nn.LogSoftmax, { isTurned, rank }: State): Piece[] {
  const axis = layer.axis < 0 ? layer.axis + rank + 1 : layer.axis;
  if (isTurned || axis < 1) refuse(layer, 'its axis would be another');
  if (layer instanceof nn.Softmax) return one('Softmax', { axis });
  return axis === rank ? activation('log_softmax') : refuse(layer, 'only that of the last axis can');
}

/** An activation that Keras has with one setting alone. */
const only = (layer: object, name: string, isSo: boolean): Piece[] =>
  isSo ? activation(name) : refuse(layer, `Keras has ${name} without settings`);

/** Made when the first model is: a page that only reads models carries none of it. */
const makeRules = (): ReadonlyMap<unknown, Rule[1]> =>
  new Map([
    rule(nn.Linear, linear),
    ...[nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.DepthwiseConv1d, nn.DepthwiseConv2d].map((type) => rule(type, convolution)),
    ...[nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d].map((type) => rule(type, transposedConvolution)),
    ...[nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d].map((type) => rule(type, batchNorm)),
    rule(nn.LayerNorm, (layer, state) =>
      lastAxisNorm(layer, 'LayerNormalization', { scale: layer.weight !== null, center: layer.bias !== null }, state),
    ),
    rule(nn.RMSNorm, (layer, state) =>
      layer.weight === null ? refuse(layer, 'Keras always scales') : lastAxisNorm(layer, 'RMSNormalization', {}, state),
    ),
    rule(nn.GroupNorm, (layer, { isTurned, rank }) =>
      isTurned || rank === 1
        ? one(
            'GroupNormalization',
            { groups: layer.groups, epsilon: layer.epsilon, scale: layer.weight !== null, center: layer.bias !== null },
            layer,
          )
        : refuse(layer, 'its channels are not the last axis'),
    ),
    rule(nn.Embedding, embedding),
    rule(nn.Flatten, flatten),
    rule(nn.Identity, () => []),
    rule(nn.Dropout, ({ rate }) => one('Dropout', { rate })),
    rule(nn.AlphaDropout, ({ rate }) => one('AlphaDropout', { rate })),
    ...[nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d].map((type) => rule(type, maxPool)),
    ...[nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d].map((type) => rule(type, averagePool)),
    rule(nn.GlobalAveragePool, (layer, state) => globalPool('Average', layer, state)),
    rule(nn.GlobalMaxPool, (layer, state) => globalPool('Max', layer, state)),
    ...[nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d].map((type) =>
      rule(type, (layer, state) => adaptivePool('Average', layer, state)),
    ),
    ...[nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d].map((type) =>
      rule(type, (layer, state) => adaptivePool('Max', layer, state)),
    ),
    ...[nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d].map((type) => rule(type, zeroPad)),
    rule(nn.Upsample, upsample),
    rule(nn.PReLU, prelu),
    rule(nn.Softmax, softmax),
    rule(nn.LogSoftmax, softmax),
    rule(nn.ReLU, () => activation('relu')),
    rule(nn.ReLU6, () => activation('relu6')),
    rule(nn.Sigmoid, () => activation('sigmoid')),
    rule(nn.Tanh, () => activation('tanh')),
    rule(nn.SiLU, () => activation('silu')),
    rule(nn.Mish, () => activation('mish')),
    rule(nn.SELU, () => activation('selu')),
    rule(nn.Softsign, () => activation('softsign')),
    rule(nn.LogSigmoid, () => activation('log_sigmoid')),
    rule(nn.HardSigmoid, () => activation('hard_sigmoid')),
    rule(nn.HardSwish, () => activation('hard_silu')),
    rule(nn.TanhShrink, () => activation('tanh_shrink')),
    rule(nn.GELU, (layer) => only(layer, 'gelu', layer.approximate === 'none')),
    rule(nn.CELU, (layer) => only(layer, 'celu', layer.alpha === 1)),
    rule(nn.Softplus, (layer) => only(layer, 'softplus', layer.beta === 1)),
    rule(nn.HardTanh, (layer) => only(layer, 'hard_tanh', layer.min === -1 && layer.max === 1)),
    rule(nn.ELU, ({ alpha }) => one('ELU', { alpha })),
    rule(nn.LeakyReLU, ({ slope }) => one('LeakyReLU', { negative_slope: slope })),
  ]);

let rules: ReadonlyMap<unknown, Rule[1]> | undefined;

/** The layers of Keras that compute what a layer does; `state` becomes what goes out. Throws a ValueError where there are none. */
export function piecesOf(layer: object, state: State): readonly Piece[] {
  rules ??= makeRules();
  const pieces = rules.get(layer.constructor);
  return pieces ? pieces(layer, state) : refuse(layer, 'no layer of Keras is known for it');
}
