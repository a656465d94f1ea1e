/**
 * What layers give, unit by unit: mean, deviation, units that are always 0, units that are saturated. A metric like any
 * other, so its sums ride in the program of the step; and a watch that updates one for each layer of a model.
 */
import {
  checkOptions,
  concat,
  full,
  isTensor,
  isTraining,
  type Model,
  namedParameters,
  type Stateful,
  type Tensor,
  ValueError,
  walkTree,
} from '@nn/core';
import { type Metric, read, SumMetric } from '@nn/metrics';
import { checkOfModel } from '../callbacks/monitor.ts';
import type { Callback } from '../events.ts';
import { figure } from '../format.ts';
import { type Finding, OncePerPlace } from './finding.ts';

/** What a layer gave over some updates. */
export interface ActivationReading {
  readonly units: number;
  /** Values that were seen of each unit. */
  readonly count: number;
  readonly mean: number;
  /** The standard deviation of all values. */
  readonly deviation: number;
  /** The share of values that are exactly 0. */
  readonly zeros: number;
  /** The numbers of the units that were 0 every time: after a relu they get no gradient. */
  readonly deadUnits: readonly number[];
  /**
   * The share of values within 0.03 of -1 or 1, where none is beyond (tanh; of a sigmoid the upper limit alone, for
   * relu gives 0 as well); else 0.
   */
  readonly saturated: number;
}

/**
 * Statistics of the outputs of a layer [N, units, ...], over all updates.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ActivationStatistics } from '@nn/train';
 * const statistics = new ActivationStatistics();
 * statistics.update(tensor([[0, 2], [0, 0]]));
 * const { deadUnits, zeros } = (await statistics.read()).epoch;
 * console.log(deadUnits, zeros); // => [ 0 ] 0.75
 */
export class ActivationStatistics extends SumMetric<readonly [outputs: Tensor], ActivationReading> {
  static override readonly name: string = 'ActivationStatistics';

  readonly #axis: number;

  /** `axis`: that of the units. Default 1; -1 for [N, time, units]. */
  constructor(options: { readonly name?: string; readonly axis?: number } = {}) {
    checkOptions('ActivationStatistics', options, ['name', 'axis']);
    const { name = 'activations', axis = 1 } = options;
    super(name, null);
    this.#axis = axis;
  }

  protected override measure(outputs: Tensor): Tensor {
    const axis = this.#axis < 0 ? this.#axis + outputs.rank : this.#axis;
    const units = outputs.shape[axis];
    if (units === undefined) {
      throw new ValueError(
        'ActivationStatistics',
        `outputs [${outputs.shape.join(', ')}] have no axis ${this.#axis} of units: set axis.`,
      );
    }
    const others = outputs.shape.map((_, other) => other).filter((other) => other !== axis);
    const values = outputs.cast('float32');
    const size = values.abs();
    const sum = (x: Tensor): Tensor => x.cast('float32').sum(others).reshape([1, units]);
    return concat(
      [
        sum(values),
        sum(values.square()),
        sum(values.notEqual(0)),
        sum(size.greater(0.97).logicalAnd(size.lessEqual(1))),
        sum(size.greater(1)),
        full([1, units], outputs.size / units),
      ],
      0,
    );
  }

  protected override compute(totals: Float64Array, units: number): ActivationReading {
    const row = (at: number): Float64Array => totals.subarray(at * units, (at + 1) * units);
    const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
    const count = sum(row(5));
    const mean = sum(row(0)) / count;
    const perUnit = count / units;
    return {
      units,
      count: perUnit,
      mean,
      deviation: Math.sqrt(Math.max(0, sum(row(1)) / count - mean * mean)),
      zeros: 1 - sum(row(2)) / count,
      deadUnits: count === 0 ? [] : [...row(2)].flatMap((nonzero, unit) => (nonzero === 0 ? [unit] : [])),
      saturated: sum(row(4)) > 0 ? 0 : sum(row(3)) / count,
    };
  }
}

/** What stands in a model and can be watched: an object with `forward`, or a function in a list of layers. */
interface Watched {
  readonly name: string;
  watch(see: (output: unknown) => void): () => void;
}

/**
 * Updates statistics for each layer of a model while it trains: layers are objects with `forward`, and functions in lists, as
 * in `Sequential`. `stop` leaves the model as it was.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Linear, relu, Sequential } from '@nn/layers';
 * import { ActivationWatch } from '@nn/train';
 * const model = new Sequential(new Linear(2, 3), relu);
 * const watch = new ActivationWatch(model);
 * model.forward(tensor([[1, 2]]));
 * console.log([...watch.layers.keys()]); // => [ '0', '1' ]
 */
export class ActivationWatch {
  /** By the names of the layers, as those of their parameters begin. */
  readonly layers: ReadonlyMap<string, ActivationStatistics>;
  readonly #undo: readonly (() => void)[];

  /** `pattern`: which layers, by name; all where not given. `axis`: that of the units. */
  constructor(model: Model, options: ActivationWatchOptions = {}) {
    checkOptions('ActivationWatch', options, ['pattern', 'axis']);
    const { pattern, axis = 1 } = options;
    const found = watchedIn(model).filter(({ name }) => name !== '' && (pattern?.test(name) ?? true));
    if (found.length === 0) {
      throw new ValueError(
        'ActivationWatch',
        `${pattern === undefined ? 'the model has no layers with forward in its fields' : `no layer matches ${pattern}`}: update ActivationStatistics in your own forward.`,
      );
    }
    const layers = new Map<string, ActivationStatistics>();
    this.layers = layers;
    this.#undo = found.map(({ name, watch }) => {
      const statistics = new ActivationStatistics({ name, axis });
      layers.set(name, statistics);
      return watch((output) => {
        if (isTraining() && isTensor(output) && output.rank >= 2 && output.dtype.startsWith('float')) {
          statistics.update(output);
        }
      });
    });
  }

  /** Takes the watches away. */
  stop(): void {
    for (const undo of this.#undo) undo();
  }
}

export interface ActivationWatchOptions {
  readonly pattern?: RegExp;
  readonly axis?: number;
}

function watchedIn(model: Model): Watched[] {
  const found: Watched[] = [];
  walkTree(model, (value, name) => {
    if ('forward' in value && typeof value.forward === 'function') found.push(watchedLayer(value, name));
    // a list of layers stands in the field `layers`, whose elements are named as its owner's
    for (const [field, list] of Object.entries(value)) {
      if (!Array.isArray(list) || Object.isFrozen(list)) continue;
      list.forEach((item, at) => {
        if (typeof item !== 'function') return;
        const path = [name, ...(field === 'layers' ? [] : [field]), at].filter((part) => part !== '').join('.');
        found.push(watchedFunction(list, at, path));
      });
    }
    return true;
  });
  return found.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

function watchedLayer(layer: object, name: string): Watched {
  return {
    name,
    watch: (see) => {
      const own = Object.getOwnPropertyDescriptor(layer, 'forward');
      const forward: unknown = Reflect.get(layer, 'forward');
      Object.defineProperty(layer, 'forward', {
        configurable: true,
        writable: true,
        value(...inputs: readonly unknown[]): unknown {
          const output: unknown = Reflect.apply(forward as () => unknown, layer, inputs);
          see(output);
          return output;
        },
      });
      return () => {
        if (own === undefined) Reflect.deleteProperty(layer, 'forward');
        else Object.defineProperty(layer, 'forward', own);
      };
    },
  };
}

function watchedFunction(list: unknown[], at: number, name: string): Watched {
  return {
    name,
    watch: (see) => {
      const own = list[at] as (...inputs: readonly unknown[]) => unknown;
      list[at] = (...inputs: readonly unknown[]): unknown => {
        const output = own(...inputs);
        see(output);
        return output;
      };
      return () => {
        list[at] = own;
      };
    },
  };
}

/** What the outputs of a layer say: dead units, saturation, sizes that grow out of hand. */
export function judgeActivations(place: string, reading: ActivationReading): Finding[] {
  const { units, count, deadUnits, saturated, deviation } = reading;
  const findings: Finding[] = [];
  if (deadUnits.length > 0.1 * units) {
    const some = deadUnits.slice(0, 5).join(', ');
    findings.push({
      what: 'dead-units',
      place,
      message: `layer ${place}: ${deadUnits.length} of ${units} units (${some}${deadUnits.length > 5 ? ', ...' : ''}) were 0 for all ${count} values, and learn no more: lower the learning rate, or take leakyRelu or gelu.`,
    });
  }
  if (saturated > 0.5) {
    findings.push({
      what: 'saturated-units',
      place,
      message: `layer ${place}: ${figure(100 * saturated)} % of the values are within 0.03 of their limit, where gradients vanish: smaller initial weights, normalised inputs, or a lower learning rate.`,
    });
  }
  if (deviation > 1e3) {
    findings.push({
      what: 'large-activations',
      place,
      message: `layer ${place}: the outputs have a standard deviation of ${figure(deviation)}: normalise the inputs, or add a normalisation layer before it.`,
    });
  }
  return findings;
}

/**
 * Watches the layers of a model while it trains, and warns at the end of an epoch of units that are dead or saturated.
 *
 * @example
 * import { Linear, relu, Sequential } from '@nn/layers';
 * import { activationStatistics } from '@nn/train';
 * const { watch } = activationStatistics(new Sequential(new Linear(2, 3), relu), { pattern: /1/ });
 * console.log(watch.layers.size); // => 1
 */
export function activationStatistics(
  model: Model,
  options: ActivationWatchOptions = {},
): Callback & { readonly watch: ActivationWatch; readonly told: Stateful } {
  const watch = new ActivationWatch(model, options);
  const once = new OncePerPlace();
  return {
    watch,
    told: once,
    hears: ['start', 'read', 'epoch'],
    handle: async (event, training) => {
      if (event.type === 'start') checkOfModel('activationStatistics', training, namedParameters(model).values());
      if (event.type !== 'read' && event.type !== 'epoch') return;
      const metrics: Record<string, Metric<ActivationReading>> = Object.fromEntries(watch.layers);
      const readings = await read(metrics);
      if (event.type === 'read') return;
      const findings = Object.entries(readings).flatMap(([name, { epoch }]) => judgeActivations(name, epoch));
      for (const { what, message } of once.fresh(findings)) training.warn(what, `epoch ${event.epoch}: ${message}`);
      for (const metric of watch.layers.values()) metric.reset();
    },
  };
}
