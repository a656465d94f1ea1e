/**
 * Which values reach the layers of a model, from batches: a watcher in the place of each layer, and an observer for its inputs. Owns the
 * passes over the model; what ranges make of values is in `observers.ts` and `histogram.ts`.
 */
import { evaluate, noGradient, type Tensor, ValueError } from '@nn/core';
import type { Layer } from '@nn/layers';
import { replaceLayers } from '../model.ts';
import { EntropyObserver, HistogramObserver, PercentileObserver } from './histogram.ts';
import type { Trainable } from './in-training.ts';
import { MinMaxObserver, MovingAverageObserver, type Observer } from './observers.ts';
import type { Outputs } from './projections.ts';
import { affineQuantisation, type Levels, type Quantisation, sevenBits } from './scheme.ts';

/** Observers by name, for calibration. */
export type ObserverKind = 'minMax' | 'movingAverage' | 'percentile' | 'histogram' | 'entropy';

const observers: Readonly<Record<ObserverKind, () => Observer>> = {
  minMax: () => new MinMaxObserver(),
  movingAverage: () => new MovingAverageObserver(),
  percentile: () => new PercentileObserver(),
  histogram: () => new HistogramObserver(),
  entropy: () => new EntropyObserver(),
};

/** What a calibration needs to know. */
interface Calibration {
  /** Batches of inputs as the model will see them. */
  readonly calibration: Iterable<Tensor> | AsyncIterable<Tensor>;
  readonly observer?: ObserverKind | (() => Observer);
  readonly levels?: Levels;
}

/** Stands in the place of a layer while inputs are seen. */
class Watching implements Layer {
  readonly layer: { forward(x: Tensor, outputs?: Outputs): Tensor };
  readonly seen: Tensor[] = [];

  constructor(layer: Layer) {
    this.layer = layer;
  }

  forward(x: Tensor, outputs?: Outputs): Tensor {
    this.seen.push(x);
    return outputs === undefined ? this.layer.forward(x) : this.layer.forward(x, outputs);
  }
}

/** The quantisation of each layer's input, from batches. The model is as before, whatever happens. */
export async function calibrated(
  model: object,
  layers: readonly { readonly path: string; readonly layer: Trainable }[],
  options: Calibration,
): Promise<Map<object, Quantisation>> {
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
  const watching = layers.map(({ path, layer }) => ({ path, layer, stand: new Watching(layer), observer: make() }));
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
