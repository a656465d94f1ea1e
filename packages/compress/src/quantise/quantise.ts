/**
 * Models whose layers compute with bytes. Owns the ways there (weights alone, ranges of each sample, ranges that were seen before,
 * ranges learned in training) and which layer takes the place of which; the layers are in `layers.ts`.
 */
import { checkOptions, evaluate, namedParameters, noGradient, type Parameter, type Tensor, ValueError } from '@nn/core';
import { Conv1d, Conv2d, Conv3d, Embedding, type Layer, Linear } from '@nn/layers';
import { absorbFollowing } from './absorb.ts';
import { InputQuantiser } from './activations.ts';
import { EntropyObserver, HistogramObserver, PercentileObserver } from './histogram.ts';
import { QuantisedInTraining, type Trainable } from './in-training.ts';
import { type ConvGeometry, GroupedLinear, QuantisedConv, QuantisedEmbedding, QuantisedLinear } from './layers.ts';
import { MinMaxObserver, MovingAverageObserver, type Observer } from './observers.ts';
import { type LayerPattern, replaceLayers, targetsIn } from './places.ts';
import { affineQuantisation, type Levels, type Quantisation, type Symmetry, sevenBits } from './scheme.ts';
import { groupSize, quantiseChannels, quantiseGroups } from './weights.ts';

/** Observers by name, for calibration. */
export type ObserverKind = 'minMax' | 'movingAverage' | 'percentile' | 'histogram' | 'entropy';

const observers: Readonly<Record<ObserverKind, () => Observer>> = {
  minMax: () => new MinMaxObserver(),
  movingAverage: () => new MovingAverageObserver(),
  percentile: () => new PercentileObserver(),
  histogram: () => new HistogramObserver(),
  entropy: () => new EntropyObserver(),
};

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

/** Weights are int8, and each sample is rounded by its own range as it comes: nothing has to be known before. */
export interface DynamicOptions extends CommonOptions {
  readonly mode: 'dynamic';
  /** The levels of inputs. Default 0 to 127, which products of bytes take at full speed. */
  readonly levels?: Levels;
}

/** Weights are int8, and inputs are rounded by ranges that were seen before. The fastest. */
export interface StaticOptions extends CommonOptions {
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
  /** Bytes of all parameters of the model, before and after. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

const elementBytes = { float32: 4, int32: 4, float16: 2, bfloat16: 2, bool: 1, int8: 1, uint8: 1 } as const;
const bytesOf = (model: object): number =>
  [...namedParameters(model).values()].reduce((sum, { size, dtype }) => sum + size * elementBytes[dtype], 0);

const isConv = (layer: object): layer is Conv1d | Conv2d | Conv3d =>
  layer instanceof Conv1d || layer instanceof Conv2d || layer instanceof Conv3d;
/** Groups of channels have too few products each for a row of bytes. */
const hasProducts = (layer: object): layer is Trainable =>
  layer instanceof Linear || (isConv(layer) && layer.groups === 1);

/**
 * Replaces layers of a model by quantised ones, in their places, and tells what became of them. The parameters of the new layers are
 * found by `namedParameters` and saved like any others, int8 as int8. Integer layers: Linear, Conv1d, Conv2d and Conv3d without groups;
 * with `weights` Linear in groups. Embedding in all modes but 'trained', by rows. In a Sequential a convolution takes over the relu and
 * the max pooling that follow it.
 *
 * Throws ValueError where the model has no such layer, for a calibration without batches, for options that do not exist.
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
  const made = await replacements(model, options);
  replaceLayers(model, new Map(made.map(({ layer, now }) => [layer, now])));
  absorbFollowing(model);
  return {
    layers: made.map(({ path, layer, now }) => ({ path, from: String(layer), to: String(now) })),
    bytesBefore,
    bytesAfter: bytesOf(model),
  };
}

/**
 * Puts layers that round their weights and inputs in the places of Linear and convolutional ones, to be trained on: their parameters are
 * the same objects, so an optimizer may be made before or after. Then `quantise(model, { mode: 'trained' })`. Returns the paths.
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
  const targets = targetsIn(
    'quantiseInTraining',
    model,
    layers,
    (layer) => (hasProducts(layer) ? layer : null),
    'Linear and Conv',
  );
  replaceLayers(
    model,
    new Map(targets.map(({ layer, meaning }) => [layer, new QuantisedInTraining(meaning, { symmetry, levels })])),
  );
  return targets.map(({ path }) => path);
}

interface Replacement {
  readonly path: string;
  readonly layer: object;
  readonly now: object;
}

async function replacements(model: object, options: QuantiseOptions): Promise<Replacement[]> {
  const common = ['mode', 'layers', 'symmetry'];
  switch (options.mode) {
    case 'weights':
      checkOptions('quantise', options, [...common, 'bits', 'groupSize']);
      return ofWeights(model, options);
    case 'dynamic':
      checkOptions('quantise', options, [...common, 'levels']);
      return ofProducts(model, options, async () => null);
    case 'static': {
      checkOptions('quantise', options, [...common, 'levels', 'calibration', 'observer']);
      const ranges = await calibrated(model, options);
      return ofProducts(model, options, async (layer) => ranges.get(layer) ?? null);
    }
    case 'trained':
      checkOptions('quantise', options, ['mode', 'layers']);
      return ofTrained(model, options);
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
    (layer) => (layer instanceof Linear || layer instanceof Embedding ? layer : null),
    'Linear and Embedding',
  );
  return Promise.all(
    targets.map(async ({ path, layer, meaning }) => {
      if (meaning instanceof Embedding) return { path, layer, now: await embedding(meaning, symmetry) };
      const weight = quantiseGroups(await floats(meaning.weight), meaning.outputs, bits, size, symmetry);
      const shape = [meaning.outputs, meaning.inputs] as const;
      return { path, layer, now: new GroupedLinear(weight, shape, bits, size, meaning.bias) };
    }),
  );
}

async function embedding({ weight, count, dimension }: Embedding, symmetry: Symmetry): Promise<QuantisedEmbedding> {
  return new QuantisedEmbedding(quantiseChannels(await floats(weight), count, symmetry), [count, dimension]);
}

async function ofProducts(
  model: object,
  options: DynamicOptions | StaticOptions,
  rangeOf: (layer: object) => Promise<Quantisation | null>,
): Promise<Replacement[]> {
  const { symmetry = 'pytorch', levels = sevenBits } = options;
  const targets = targetsIn(
    'quantise',
    model,
    options.layers,
    (layer) => (hasProducts(layer) || layer instanceof Embedding ? layer : null),
    'Linear, Conv and Embedding',
  );
  return Promise.all(
    targets.map(async ({ path, layer, meaning }) => {
      if (meaning instanceof Embedding) return { path, layer, now: await embedding(meaning, symmetry) };
      const known = await rangeOf(layer);
      return { path, layer, now: await integerLayer(meaning, symmetry, new InputQuantiser(known, levels)) };
    }),
  );
}

async function ofTrained(model: object, { layers }: TrainedOptions): Promise<Replacement[]> {
  const targets = targetsIn(
    'quantise',
    model,
    layers,
    (layer) => (layer instanceof QuantisedInTraining ? layer : null),
    'those of quantiseInTraining',
  );
  return Promise.all(
    targets.map(async ({ path, layer, meaning }) => {
      const [min, max] = (await meaning.inputRange.array()) as [number, number];
      if (min === 0 && max === 0) {
        throw new ValueError(
          'quantise',
          `the layer ${path} has seen no batch in training: train first, or use static.`,
        );
      }
      const input = new InputQuantiser(affineQuantisation(min, max, meaning.levels));
      return { path, layer, now: await integerLayer(meaning.layer, meaning.symmetry, input) };
    }),
  );
}

async function integerLayer(layer: Trainable, symmetry: Symmetry, input: InputQuantiser): Promise<Layer> {
  if (layer instanceof Linear) {
    const weight = quantiseChannels(await floats(layer.weight), layer.outputs, symmetry);
    return new QuantisedLinear(weight, [layer.outputs, layer.inputs], layer.bias, input);
  }
  const { kernelSize: kernel, stride, dilation } = layer;
  // channels last: [outputs, ...kernel, inputs]
  const turned = layer.weight.permute([0, ...kernel.map((_, axis) => axis + 2), 1]);
  const weight = quantiseChannels((await turned.data()) as Float32Array, layer.outputs, symmetry);
  const geometry: ConvGeometry = { kernel, stride, dilation, padding: paddingOf(layer) };
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

/** Stands in the place of a layer while inputs are seen. */
class Watching implements Layer {
  readonly layer: Layer;
  readonly seen: Tensor[] = [];

  constructor(layer: Layer) {
    this.layer = layer;
  }

  forward(x: Tensor): Tensor {
    this.seen.push(x);
    return this.layer.forward(x);
  }
}

/** The quantisation of each layer's input, from batches. The model is as before, whatever happens. */
async function calibrated(model: object, options: StaticOptions): Promise<Map<object, Quantisation>> {
  const { observer = 'minMax', levels = sevenBits } = options;
  const make = typeof observer === 'function' ? observer : observers[observer];
  if (make === undefined) {
    const known = Object.keys(observers).join(', ');
    throw new ValueError(
      'quantise',
      `there is no observer ${String(observer)}: ${known}, or a function that makes one.`,
    );
  }
  if (!('forward' in model) || typeof model.forward !== 'function') {
    throw new ValueError('quantise', 'a calibration calls the model: it must have a method forward(x).');
  }
  const targets = targetsIn(
    'quantise',
    model,
    options.layers,
    (layer) => (hasProducts(layer) ? layer : null),
    'Linear and Conv',
  );
  const watching = targets.map(({ path, layer, meaning }) => ({
    path,
    layer,
    stand: new Watching(meaning),
    observer: make(),
  }));
  let batches = 0;
  replaceLayers(model, new Map(watching.map(({ layer, stand }) => [layer, stand])));
  try {
    for await (const batch of options.calibration) {
      batches++;
      evaluate(() => noGradient(() => Reflect.apply(Object(model).forward, model, [batch])));
      for (const { stand, observer: watcher } of watching) {
        for (const x of stand.seen.splice(0)) watcher.observe((await x.cast('float32').data()) as Float32Array);
      }
    }
  } finally {
    replaceLayers(model, new Map(watching.map(({ layer, stand }) => [stand, layer])));
  }
  if (batches === 0)
    throw new ValueError('quantise', 'the calibration has no batches: give some inputs as the model will see them.');
  return new Map(
    watching.map(({ path, layer, observer: watcher }) => {
      try {
        const { min, max } = watcher.range();
        return [layer, affineQuantisation(min, max, levels)];
      } catch (cause) {
        throw new ValueError(
          'quantise',
          `the layer ${path} was not called in the calibration: leave it out by { layers }.`,
          { cause },
        );
      }
    }),
  );
}
