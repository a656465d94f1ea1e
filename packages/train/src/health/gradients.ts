/**
 * Gradients and updates of each parameter, as numbers: computed in the program of the step, read when asked. Owns the sums
 * and what they say; where a warning goes, the callback or the caller decides.
 */
import { arange, checkOptions, concat, type Parameter, parameter, type Stateful, type Tensor, where } from '@nn/core';
import type { Rider } from '@nn/optim';
import { checkOfModel } from '../callbacks/monitor.ts';
import type { Callback } from '../events.ts';
import { figure } from '../format.ts';
import { type Finding, OncePerPlace } from './finding.ts';

/** One parameter in the last step. */
export interface GradientReading {
  readonly name: string;
  /** The root of the mean of the squares of its gradient, before clipping. */
  readonly gradient: number;
  /** The share of its gradient that is exactly 0. */
  readonly zeros: number;
  /** How far the step moved it, by its own size: |new - old| / |old|. About 0.001 is usual. */
  readonly update: number;
}

/** The part of an optimizer that is used: those of @nn/optim have it. */
interface Watchable {
  readonly parameters: readonly Parameter[];
  readonly names: readonly string[];
  attach(rider: Rider): void;
}

const sums = 4;

/**
 * Watches the gradients of an optimizer: `read` answers, for each parameter, how large its gradient was in the last step and
 * how far the step moved it. The sums are part of the program of each step (one pass over gradients and parameters).
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * import { SGD } from '@nn/optim';
 * import { GradientStatistics } from '@nn/train';
 * const model = new Linear(1, 1, { bias: false });
 * const optimizer = new SGD(model, { learningRate: 0.5 });
 * const gradients = new GradientStatistics(optimizer);
 * await optimizer.step(model.forward(tensor([[3]])).sum());
 * const [weight] = await gradients.read();
 * console.log(weight?.name, weight?.gradient, weight?.zeros); // => weight 3 0
 */
export class GradientStatistics {
  readonly #names: readonly string[];
  readonly #sizes: readonly number[];
  #table: Parameter | null = null;
  /** Positions that a step has changed. */
  readonly #seen = new Set<number>();

  constructor(optimizer: Watchable) {
    const { parameters } = optimizer;
    this.#names = optimizer.names;
    this.#sizes = parameters.map(({ size }) => size);
    optimizer.attach((gradients, _loss, _steps, values) => {
      const positions = parameters.flatMap((member, at) => (values.has(member) ? [at] : []));
      const table = this.#tableOn(gradients[0]!);
      const rows = new Map(
        positions.map((at, i) => {
          const member = parameters[at]!;
          return [at, rowOf(gradients[i]!, member, values.get(member)!)] as const;
        }),
      );
      for (const at of positions) this.#seen.add(at);
      const all = parameters.map((_, at) => rows.get(at) ?? table.slice([at, 0], [at + 1, sums]));
      return [[table, concat(all, 0)]];
    });
  }

  /** In the order of the optimizer's parameters; those that no step has changed are left out. */
  async read(): Promise<GradientReading[]> {
    const table = await this.#table?.data();
    if (table === undefined) return [];
    return this.#names.flatMap((name, at) => {
      if (!this.#seen.has(at)) return [];
      const [squares, zeros, moved, before] = Float64Array.from(table).subarray(at * sums, (at + 1) * sums);
      const size = this.#sizes[at]!;
      return [
        {
          name,
          gradient: Math.sqrt(squares! / size),
          zeros: zeros! / size,
          update: Math.sqrt(moved! / before!),
        },
      ];
    });
  }

  #tableOn({ backend }: Tensor): Parameter {
    const old = this.#table;
    if (old !== null && (old.backend === null || old.backend === backend)) return old;
    const size = this.#names.length * sums;
    this.#table = parameter(new Float32Array(size), { shape: [this.#names.length, sums], buffer: true });
    return this.#table;
  }
}

/** Elements from which a kernel for each sum is faster than one for all, in which each element is looked at for every sum. */
const large = 2048;

/** [1, 4]: squares of the gradient, zeros in it, squares of the step, squares of the parameter before it. */
function rowOf(gradient: Tensor, before: Tensor, after: Tensor): Tensor {
  const n = gradient.size;
  const [g, old, fresh] = [gradient, before, after].map((x) => x.cast('float32').reshape([n])) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const terms = [g.square(), g.equal(0).cast('float32'), fresh.sub(old).square(), old.square()];
  if (n >= large) {
    const each = terms.map((term) => term.sum().reshape([1]));
    return concat(each, 0).reshape([1, sums]);
  }
  const row = arange(sums).reshape([sums, 1]).expand([sums, n]);
  const wide = terms.map((term) => term.reshape([1, n]).expand([sums, n]));
  const chosen = wide.reduceRight((rest, term, at) => where(row.equal(at), term, rest));
  return chosen.sum(1).reshape([1, sums]);
}

export interface GradientWarningOptions {
  /** A step that moves a parameter by more than this share of its size is warned of. Default 0.3. */
  readonly largestUpdate?: number;
  /** A parameter whose gradient is smaller than this share of the largest one's is warned of. Default 1e-6. */
  readonly smallestShare?: number;
  /** A gradient larger than this, as the root of its mean square, is warned of. Default 1e3. */
  readonly largestGradient?: number;
}

/** What gradients say: not finite, exploding, vanishing, none, and steps that are too large. Each with number, place and advice. */
export function judgeGradients(
  readings: readonly GradientReading[],
  { largestUpdate = 0.3, smallestShare = 1e-6, largestGradient = 1e3 }: GradientWarningOptions = {},
): Finding[] {
  const largest = Math.max(0, ...readings.map(({ gradient }) => gradient).filter(Number.isFinite));
  return readings.flatMap(({ name, gradient, zeros, update }): Finding[] => {
    const found = (what: string, message: string): Finding[] => [{ what, place: name, message }];
    const is = `the gradient of ${name} is ${figure(gradient)}`;
    if (!Number.isFinite(gradient)) {
      return found('gradient-not-finite', `${is}: debug({ eager: true }) names the operation.`);
    }
    if (zeros === 1) {
      const why = 'units that are dead, a stopGradient, or an output that the loss does not use';
      return found('no-gradient', `the gradient of ${name} is 0 throughout: ${why}.`);
    }
    if (gradient > largestGradient) {
      const advice = 'clip the gradients ({ clip: { globalNorm: 1 } }), lower the learning rate, or scale the inputs';
      return found('exploding-gradient', `${is}: ${advice}.`);
    }
    if (gradient < smallestShare * largest) {
      const advice =
        'normalise between layers, add residual connections, or take relu in place of saturating activations';
      return found('vanishing-gradient', `${is}, that of others ${figure(largest)}: it hardly learns; ${advice}.`);
    }
    if (update > largestUpdate && Number.isFinite(update)) {
      const share = `${figure(100 * update)} % of its size`;
      return found(
        'large-update',
        `a step moved ${name} by ${share}: the learning rate is too high (about 0.1 % is usual).`,
      );
    }
    return [];
  });
}

/**
 * Warns of gradients that vanish, explode or are not there, and of steps that are too large, at each read.
 *
 * @example
 * import { Linear } from '@nn/layers';
 * import { SGD } from '@nn/optim';
 * import { gradientStatistics } from '@nn/train';
 * const { statistics } = gradientStatistics(new SGD(new Linear(1, 1), { learningRate: 0.1 }));
 * console.log(await statistics.read()); // => []
 */
export function gradientStatistics(
  optimizer: Watchable,
  options: GradientWarningOptions = {},
): Callback & { readonly statistics: GradientStatistics; readonly told: Stateful } {
  checkOptions('gradientStatistics', options, ['largestUpdate', 'smallestShare', 'largestGradient']);
  const statistics = new GradientStatistics(optimizer);
  const once = new OncePerPlace();
  return {
    statistics,
    told: once,
    hears: ['read'],
    handle: async (event, training) => {
      if (event.type !== 'read') return;
      checkOfModel('gradientStatistics', training, optimizer.parameters);
      for (const { what, message } of once.fresh(judgeGradients(await statistics.read(), options))) {
        training.warn(what, `step ${event.step}: ${message}`);
      }
    },
  };
}
