/**
 * Models whose layers compute with bytes. Owns the ways there (weights alone, ranges of each sample, ranges that were seen before,
 * ranges learned in training) and which layer takes the place of which; the layers are in `layers.ts` and `recurrent.ts`.
 */
import { checkOptions, namedParameters, type Parameter, type Tensor, ValueError } from '@nn/core';
import { Conv1d, Conv2d, Conv3d, Embedding, type Layer, Linear } from '@nn/layers';
import { weightHostsOf } from '../adapters/host.ts';
import { type LayerPattern, replaceLayers, targetsIn } from '../model.ts';
import { absorbFollowing } from './absorb.ts';
import { InputQuantiser } from './activations.ts';
import { calibrated, type ObserverKind } from './calibrate.ts';
import { QuantisedInTraining, type Trainable } from './in-training.ts';
import { type ConvGeometry, GroupedLinear, QuantisedConv, QuantisedEmbedding, QuantisedLinear } from './layers.ts';
import type { Observer } from './observers.ts';
import { exposeProjections } from './projections.ts';
import { type FloatRecurrent, isRecurrent, isRecurrentInTraining, matricesOf, withProducts } from './recurrent.ts';
import { affineQuantisation, type Levels, type Symmetry, sevenBits } from './scheme.ts';
import { groupSize, quantiseChannels, quantiseGroups } from './weights.ts';

interface CommonOptions {
  /** Which layers. Default all that can be. */
  readonly layers?: LayerPattern;
  /** Where scales of weights put the largest magnitude. Default 'pytorch'. */
  readonly symmetry?: Symmetry;
}

/** Only weights are bytes, or halves of bytes; layers compute in float32. Less memory, and faster where memory is what a layer waits for. */
export interface WeightOptions extends CommonOptions {
  readonly mode: 'weights';
  /** Default 8. */
  readonly bits?: 4 | 8;
  /** How many neighbours share a scale in a Linear layer, even. Default 32. */
  readonly groupSize?: number;
}

interface ProductOptions extends CommonOptions {
  /**
   * 'memory', the default, turns all layers to bytes. 'speed' leaves those in float32 that are slower on bytes: Conv2d of 3x3 windows
   * without strides, dilation and groups, of 8 channels and more, of which float32 takes a fourth of the products (Winograd), and
   * convolutions in groups of fewer than 32 channels, depthwise ones among them.
   */
  readonly prefer?: 'memory' | 'speed';
}

/** Weights are int8, and each sample is rounded by its own range as it comes: nothing has to be known before. */
export interface DynamicOptions extends ProductOptions {
  readonly mode: 'dynamic';
  /** The levels of inputs. Default 0 to 127, which products of bytes take at full speed. */
  readonly levels?: Levels;
}

/** Weights are int8, and inputs are rounded by ranges that were seen before. The fastest. */
export interface StaticOptions extends ProductOptions {
  readonly mode: 'static';
  /** Batches of inputs as the model will see them; a hundred samples are often enough. */
  readonly calibration: Iterable<Tensor> | AsyncIterable<Tensor>;
  /** How ranges are found. Default 'minMax'. */
  readonly observer?: ObserverKind | (() => Observer);
  /** As in `DynamicOptions`. */
  readonly levels?: Levels;
}

/** After training with `quantiseInTraining`, with the ranges that were seen there. */
export interface TrainedOptions {
  readonly mode: 'trained';
  readonly layers?: LayerPattern;
}

export type QuantiseOptions = WeightOptions | DynamicOptions | StaticOptions | TrainedOptions;

/** What `quantise` did. */
export interface Quantised {
  readonly layers: readonly { readonly path: string; readonly from: string; readonly to: string }[];
  /** Paths of layers that float32 computes faster (see `prefer`): bytes now, which saves memory alone, or left as they were. */
  readonly fasterInFloat: readonly string[];
  /** Bytes of all parameters of the model, before and after. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

const elementBytes = { float32: 4, int32: 4, float16: 2, bfloat16: 2, bool: 1, int8: 1, uint8: 1 } as const;
const bytesOf = (model: object): number =>
  [...namedParameters(model).values()].reduce((sum, { size, dtype }) => sum + size * elementBytes[dtype], 0);

const isConv = (layer: object): layer is Conv1d | Conv2d | Conv3d =>
  layer instanceof Conv1d || layer instanceof Conv2d || layer instanceof Conv3d;
/** Channels of a group below which its products are too thin for bytes: measured, docs/benchmarks.md. */
const thinGroup = 32;
/**
 * Whether float32 computes a convolution faster than bytes can: in groups of few channels, depthwise ones first of all, and where Winograd
 * takes a fourth of the products, as @nn/backend-cpu decides.
 */
const isFasterInFloat = (layer: object): boolean =>
  (isConv(layer) && layer.groups > 1 && layer.inputs / layer.groups < thinGroup) || isWinograd(layer);
const isWinograd = (layer: object): boolean =>
  layer instanceof Conv2d &&
  layer.kernelSize.every((size) => size === 3) &&
  [...layer.stride, ...layer.dilation, layer.groups].every((step) => step === 1) &&
  Math.min(layer.inputs, layer.outputs) >= 8;

const hasProducts = (layer: object): layer is Trainable => layer instanceof Linear || isConv(layer);

/**
 * Replaces layers of a model by quantised ones, in their places, and tells what became of them. The parameters of the new layers are
 * found by `namedParameters` and saved like any others, int8 as int8. Integer layers: Linear, Conv1d to Conv3d, the projections of
 * MultiheadAttention (as its layers `in_proj` and `out_proj`), RNN, LSTM, GRU and their cells, whose inputs and states are rounded by the
 * range of each row in every mode. With `weights` all of these but convolutions, in groups. Embedding in all modes but 'trained', by
 * rows. In a Sequential a convolution takes over the relu and the max pooling that follow it.
 *
 * Throws ValueError where the model has no such layer or has adapters, for a calibration without batches, for options that do not exist.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { quantise } from '@nn/compress';
 * import { setDefaultBackend, setSeed, tensor, uniform } from '@nn/core';
 * import { Linear, ReLU, Sequential } from '@nn/layers';
 * setDefaultBackend(cpu());
 * setSeed(1);
 * const model = new Sequential(new Linear(64, 128), new ReLU(), new Linear(128, 10));
 * const x = uniform([32, 64]);
 * const before = tensor(await model.forward(x).data(), { shape: [32, 10] });
 * const { layers, bytesBefore, bytesAfter } = await quantise(model, { mode: 'static', calibration: [x] });
 * console.log(layers[0]?.to, (bytesBefore / bytesAfter).toFixed(1)); // => QuantisedLinear(64, 128) 3.4
 * console.log((await model.forward(x).sub(before).abs().max().item()) < 0.05); // => true
 */
export async function quantise(model: object, options: QuantiseOptions): Promise<Quantised> {
  const bytesBefore = bytesOf(model);
  const [adapted] = weightHostsOf(model);
  if (adapted !== undefined) {
    throw new ValueError(
      'quantise',
      `${adapted.path || 'the model'} has adapters, which a layer of few bits in its place would not have: mergeAdapters(model, { forget: true }) first, or add them afterwards.`,
    );
  }
  const conceal = exposeProjections('quantise', model, options.layers);
  const fasterInFloat: string[] = [];
  const made = await replacements(model, options, fasterInFloat)
    .then((all) => {
      replaceLayers(model, new Map(all.map(({ layer, now }) => [layer, now])));
      return all;
    })
    .finally(conceal);
  absorbFollowing(model);
  return {
    layers: made.map(({ path, layer, now }) => ({ path, from: String(layer), to: String(now) })),
    fasterInFloat,
    bytesBefore,
    bytesAfter: bytesOf(model),
  };
}

/**
 * Puts layers that round their weights and inputs in the places of Linear, convolutional and recurrent ones and of the projections of
 * attention, to be trained on: their parameters are the same objects, so an optimizer may be made before or after. Then
 * `quantise(model, { mode: 'trained' })`. Returns the paths.
 *
 * @example
 * import { quantiseInTraining } from '@nn/compress';
 * import { Linear, ReLU, Sequential } from '@nn/layers';
 * const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 2));
 * console.log(quantiseInTraining(model)); // => ['0', '2']
 */
export function quantiseInTraining(
  model: object,
  options: CommonOptions & { readonly levels?: Levels } = {},
): string[] {
  checkOptions('quantiseInTraining', options, ['layers', 'symmetry', 'levels']);
  const { layers, symmetry = 'pytorch', levels = sevenBits } = options;
  const conceal = exposeProjections('quantiseInTraining', model, layers);
  try {
    const targets = targetsIn(
      'quantiseInTraining',
      model,
      layers,
      (layer) => (hasProducts(layer) || isRecurrent(layer) ? layer : null),
      'Linear, Conv, MultiheadAttention, RNN, LSTM and GRU',
    );
    const inTraining = (layer: Trainable, rangeOfRows = false): QuantisedInTraining =>
      new QuantisedInTraining(layer, { symmetry, levels, rangeOfRows });
    const made = targets.map(({ layer, meaning }): [object, object] => {
      if (hasProducts(meaning)) return [layer, inTraining(meaning)];
      const products = matricesOf(meaning).map((matrix) =>
        matrix instanceof Linear ? inTraining(matrix, true) : matrix,
      );
      return [layer, withProducts(meaning, products)];
    });
    replaceLayers(model, new Map(made));
    return targets.map(({ path }) => path);
  } finally {
    conceal();
  }
}

interface Replacement {
  readonly path: string;
  readonly layer: object;
  readonly now: object;
}

async function replacements(model: object, options: QuantiseOptions, fasterInFloat: string[]): Promise<Replacement[]> {
  const common = ['mode', 'layers', 'symmetry'];
  switch (options.mode) {
    case 'weights':
      checkOptions('quantise', options, [...common, 'bits', 'groupSize']);
      return ofWeights(model, options);
    case 'dynamic':
      checkOptions('quantise', options, [...common, 'levels', 'prefer']);
      return ofProducts(model, options, null, fasterInFloat);
    case 'static':
      checkOptions('quantise', options, [...common, 'levels', 'prefer', 'calibration', 'observer']);
      return ofProducts(model, options, options, fasterInFloat);
    case 'trained':
      checkOptions('quantise', options, ['mode', 'layers']);
      return ofTrained(model, options, fasterInFloat);
    default: {
      const { mode } = options as { readonly mode?: unknown };
      throw new ValueError('quantise', `mode is ${String(mode)}: it is weights, dynamic, static or trained.`, { mode });
    }
  }
}

const floats = async (parameter: Parameter): Promise<Float32Array> =>
  (await parameter.cast('float32').data()) as Float32Array;

async function ofWeights(model: object, options: WeightOptions): Promise<Replacement[]> {
  const { bits = 8, groupSize: size = groupSize, symmetry = 'pytorch' } = options;
  if (!Number.isInteger(size) || size < 2 || size % 2 !== 0) {
    throw new ValueError('quantise', `groupSize is ${size}: it must be an even whole number of at least 2.`, { size });
  }
  const targets = targetsIn(
    'quantise',
    model,
    options.layers,
    (layer) => (layer instanceof Linear || layer instanceof Embedding || isRecurrent(layer) ? layer : null),
    'Linear, MultiheadAttention, RNN, LSTM, GRU and Embedding',
  );
  const linear = async ({ weight, bias, inputs, outputs }: Matrix): Promise<GroupedLinear> =>
    new GroupedLinear(
      quantiseGroups(await floats(weight), outputs, bits, size, symmetry),
      [outputs, inputs],
      bits,
      size,
      bias,
    );
  return Promise.all(
    targets.map(async ({ path, layer, meaning }) => {
      if (meaning instanceof Embedding) return { path, layer, now: await embedding(meaning, symmetry) };
      if (meaning instanceof Linear) return { path, layer, now: await linear(meaning) };
      return { path, layer, now: await recurrent(meaning, linear) };
    }),
  );
}

/** A weight [outputs, inputs] and its bias, to become a product of few bits. */
type Matrix = Pick<Linear, 'weight' | 'bias' | 'inputs' | 'outputs'>;

async function recurrent(
  layer: FloatRecurrent,
  make: (matrix: Matrix) => Promise<QuantisedLinear | GroupedLinear>,
): Promise<object> {
  const matrices = matricesOf(layer).filter((matrix) => matrix instanceof Linear);
  return withProducts(layer, await Promise.all(matrices.map(make)));
}

async function embedding({ weight, count, dimension }: Embedding, symmetry: Symmetry): Promise<QuantisedEmbedding> {
  return new QuantisedEmbedding(quantiseChannels(await floats(weight), count, symmetry), [count, dimension]);
}

/** By the range of each sample, or with a calibration by what is seen in it. */
async function ofProducts(
  model: object,
  options: DynamicOptions | StaticOptions,
  calibration: StaticOptions | null,
  fasterInFloat: string[],
): Promise<Replacement[]> {
  const { symmetry = 'pytorch', levels = sevenBits, prefer = 'memory' } = options;
  if (prefer !== 'memory' && prefer !== 'speed') {
    throw new ValueError('quantise', `prefer is ${String(prefer)}: it is memory or speed.`, { prefer });
  }
  const possible = targetsIn(
    'quantise',
    model,
    options.layers,
    (layer) => (hasProducts(layer) || layer instanceof Embedding || isRecurrent(layer) ? layer : null),
    'Linear, Conv, MultiheadAttention, RNN, LSTM, GRU and Embedding',
  );
  for (const { path, meaning } of possible) if (isFasterInFloat(meaning)) fasterInFloat.push(path);
  const targets = possible.filter(({ meaning }) => prefer === 'memory' || !isFasterInFloat(meaning));
  const watched = targets.flatMap(({ path, meaning }) => (hasProducts(meaning) ? [{ path, layer: meaning }] : []));
  const ranges = calibration && (await calibrated(model, watched, calibration));
  const ofRows = (matrix: Matrix): Promise<QuantisedLinear> =>
    integerLinear(matrix, symmetry, new InputQuantiser(null, levels));
  return Promise.all(
    targets.map(async ({ path, layer, meaning }) => {
      if (meaning instanceof Embedding) return { path, layer, now: await embedding(meaning, symmetry) };
      if (!hasProducts(meaning)) return { path, layer, now: await recurrent(meaning, ofRows) };
      const input = new InputQuantiser(ranges?.get(layer) ?? null, levels);
      return { path, layer, now: await integerLayer(meaning, symmetry, input) };
    }),
  );
}

async function ofTrained(model: object, { layers }: TrainedOptions, fasterInFloat: string[]): Promise<Replacement[]> {
  const targets = targetsIn(
    'quantise',
    model,
    layers,
    (layer) => (layer instanceof QuantisedInTraining || isRecurrentInTraining(layer) ? layer : null),
    'those of quantiseInTraining',
  );
  const ofRows = ({ layer, symmetry, levels }: QuantisedInTraining): Promise<QuantisedLinear> =>
    integerLinear(layer as Linear, symmetry, new InputQuantiser(null, levels)); // the cast: those of cells are Linear
  return Promise.all(
    targets.map(async ({ path, layer, meaning }) => {
      if (!(meaning instanceof QuantisedInTraining)) {
        const matrices = matricesOf(meaning).filter((matrix) => matrix instanceof QuantisedInTraining);
        return { path, layer, now: withProducts(meaning, await Promise.all(matrices.map(ofRows))) };
      }
      const [min = 0, max = 0] = (await meaning.inputRange?.data()) ?? [];
      if (min === 0 && max === 0) {
        throw new ValueError(
          'quantise',
          `the layer ${path} has seen no batch in training: train first, or use static.`,
        );
      }
      if (isFasterInFloat(meaning.layer)) fasterInFloat.push(path);
      const input = new InputQuantiser(affineQuantisation(min, max, meaning.levels));
      return { path, layer, now: await integerLayer(meaning.layer, meaning.symmetry, input) };
    }),
  );
}

async function integerLinear(
  { weight, bias, inputs, outputs }: Matrix,
  symmetry: Symmetry,
  input: InputQuantiser,
): Promise<QuantisedLinear> {
  const levels = quantiseChannels(await floats(weight), outputs, symmetry);
  return new QuantisedLinear(levels, [outputs, inputs], bias, input);
}

async function integerLayer(layer: Trainable, symmetry: Symmetry, input: InputQuantiser): Promise<Layer> {
  if (layer instanceof Linear) return integerLinear(layer, symmetry, input);
  const { kernelSize: kernel, stride, dilation, groups } = layer;
  // channels last: [outputs, ...kernel, inputs / groups]
  const turned = layer.weight.permute([0, ...kernel.map((_, axis) => axis + 2), 1]);
  const weight = quantiseChannels((await turned.data()) as Float32Array, layer.outputs, symmetry);
  const geometry: ConvGeometry = { kernel, stride, dilation, padding: paddingOf(layer), groups };
  return new QuantisedConv(weight, turned.shape, layer.bias, input, geometry);
}

/** Zeros before and after each axis; 'same' puts the odd one behind. */
function paddingOf({ padding, kernelSize, dilation }: Conv1d | Conv2d | Conv3d): [number, number][] {
  return kernelSize.map((size, axis) => {
    if (padding === 'valid') return [0, 0];
    if (padding !== 'same') return [padding[axis]!, padding[axis]!];
    const total = (size - 1) * dilation[axis]!;
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
}
