/**
 * One optimizer on many ranks: each computes the gradients of its part of a batch, the mean of all is applied by each, so that
 * all have the same parameters. Owns when what travels; how gradients lie in arrays is buckets.ts, how they come from the device
 * flat-gradients.ts.
 */
import {
  compile,
  namedParameters,
  type Parameter,
  type Stateful,
  type Tensor,
  tensor,
  treeChildren,
  ValueError,
} from '@nn/core';
import type { Optimizer, OptimizerGroup, Rule } from '@nn/optim';
import { agree, averageParameters, broadcastParameters } from './agree.ts';
import { Agreement } from './agreement.ts';
import { unpacked } from './buckets.ts';
import type { Compression } from './compress/compression.ts';
import { FlatGradients, type Found } from './flat-gradients.ts';
import type { Group } from './group.ts';
import { checkWaiting } from './waiting.ts';

export interface DataParallelOptions {
  /** Bytes of gradients that travel at once; 4 MiB where not given. Smaller ones begin sooner, larger ones cost fewer calls. */
  readonly bucketBytes?: number;
  /** The same bits on every rank whatever the library of the group does, and in every run with as many ranks. */
  readonly deterministic?: boolean;
  /** Sends less than the gradients: `bf16()` or `powerSgd()`. */
  readonly compress?: Compression;
  /** Steps between two checks that all ranks have the same parameters; 500 where not given, 0 for none. */
  readonly checkEvery?: number;
}

/** What is asked of an optimizer: all of `@nn/optim` are such. */
type Inner = Optimizer<Rule>;

/** What `accumulate` gathered on the host: sums of gradients by bucket, and which parameters had one. */
interface Waiting {
  readonly sums: readonly Float32Array[];
  readonly present: readonly boolean[];
  readonly loss: number;
}

/** Samples that do not count alike: so many, which weigh so much together. */
export interface WeighedSamples {
  readonly samples: number;
  /** The sum of their weights, 0 or more. */
  readonly weight: number;
}

/** The gradients of a loss that a compiled program has computed: `stepOf` and `accumulate` take it in place of the loss. */
export interface ComputedGradients {
  readonly loss: Tensor;
  /** @internal By position, whether the parameter has a gradient. */
  readonly present: readonly boolean[];
}

/**
 * An optimizer whose steps are those of all ranks of a group together: the gradient is the mean over the samples of all, as one
 * process with the whole batch has it. Give each rank its part of each batch (`new DataLoader(data, { slice })`) and make the
 * same calls on all. `optimizer.clip` and everything else of the optimizer see the mean.
 * `dataParallel` makes one. (Li et al., 2020, "PyTorch Distributed".)
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { SGD } from '@nn/optim';
 * import { alone, dataParallel } from '@nn/distributed';
 * const x = parameter([3]);
 * const optimizer = await dataParallel(new SGD([x], { learningRate: 0.25 }), alone());
 * const loss = await optimizer.stepOf(1, x.square().sum());
 * console.log(loss, await x.array()); // => 9 [ 1.5 ]
 */
export class DataParallel implements Stateful {
  static readonly name: string = 'DataParallel';

  readonly optimizer: Inner;
  readonly group: Group;
  /** The samples of all ranks in the last step. */
  samples = 0;
  /** Whether a rank had called `raise` before the last step. */
  isRaised = false;
  readonly #flat: FlatGradients;
  readonly #compress: Compression | undefined;
  readonly #deterministic: boolean;
  readonly #checkEvery: number;
  readonly #applyCompiled: (means: readonly Tensor[], present: readonly boolean[]) => Promise<void>;
  /** Whether the next step must find the same parameters everywhere: after they were read from files. */
  #mustAgree = false;
  #raises = false;
  #waiting: Waiting | null = null;

  /** @internal `dataParallel` makes these. */
  constructor(optimizer: Inner, group: Group, options: DataParallelOptions = {}) {
    const { bucketBytes = 4 << 20, deterministic = false, compress, checkEvery = 500 } = options;
    if (!(bucketBytes >= 4)) {
      throw new ValueError('dataParallel', `bucketBytes is ${bucketBytes}: at least 4.`, { bucketBytes });
    }
    if (!Number.isInteger(checkEvery) || checkEvery < 0) {
      throw new ValueError('dataParallel', `checkEvery is ${checkEvery}: a whole number of steps, 0 for never.`, {
        checkEvery,
      });
    }
    this.optimizer = optimizer;
    this.group = group;
    this.#flat = new FlatGradients(optimizer.parameters, bucketBytes);
    [this.#compress, this.#deterministic, this.#checkEvery] = [compress, deterministic, checkEvery];
    this.#applyCompiled = compile((means: readonly Tensor[], present: readonly boolean[]) => {
      void this.#update(means, present);
    });
    // checkpoints hold what the optimizer keeps under the same names as without a group
    Object.defineProperty(this, treeChildren, {
      value: () => (optimizer as unknown as { [treeChildren](): unknown })[treeChildren](),
    });
  }

  get stepCount(): number {
    return this.optimizer.stepCount;
  }

  get parameters(): readonly Parameter[] {
    return this.optimizer.parameters;
  }

  get groups(): readonly OptimizerGroup[] {
    return this.optimizer.groups;
  }

  get learningRates(): number[] {
    return this.optimizer.learningRates;
  }

  get learningRate(): number {
    return this.optimizer.learningRate;
  }

  set learningRate(value: OptimizerGroup['learningRate']) {
    this.optimizer.learningRate = value;
  }

  /**
   * The parameters and the optimizer's state of rank 0 on all ranks, between two steps: `dataParallel` does it, and who reads a
   * checkpoint on one rank alone.
   */
  async synchronize(): Promise<void> {
    await broadcastParameters(this.group, [...this.parameters, ...statesOf(this)]);
    this.#mustAgree = false;
  }

  /**
   * Gives all ranks the mean of a model's buffers (the running statistics of BatchNorm), so that they validate and save one model.
   * Counters, which are whole numbers, stay each rank's own. All ranks call it.
   */
  averageBuffers(model: object): Promise<void> {
    const buffers = [...namedParameters(model).values()];
    return averageParameters(
      this.group,
      buffers.filter(({ isBuffer, dtype }) => isBuffer && dtype === 'float32'),
    );
  }

  /** @internal What `Training` asks beside steps: whether to stop, which all do at once. `wishes`: the strongest last. */
  agreement<Wish extends string>(wishes: readonly Wish[]): Agreement<Wish> {
    return new Agreement(this.group, wishes);
  }

  /** Tells all ranks with the next step that this one wants something, as to stop: then `isRaised` is true on all. */
  raise(): void {
    this.#raises = true;
  }

  /** As `optimizer.step`, with the mean of the losses of all ranks, each of which counts the same. */
  async step(loss: Tensor | null, ...also: readonly Tensor[]): Promise<void> {
    await this.stepOf(1, loss, ...also);
  }

  /**
   * A step on a loss that is the mean over `count` samples of this rank: ranks with more samples count more, one with none (0)
   * takes part all the same. Where the loss is a weighted mean, say what the samples weigh together: then ranks count by that. Resolves with the mean loss over the samples of all ranks; NaN where there are none, and then
   * nothing is changed. With `null` it applies what was accumulated.
   */
  stepOf(
    count: number | WeighedSamples,
    loss: Tensor | ComputedGradients | null,
    ...also: readonly Tensor[]
  ): Promise<number> {
    checkWaiting('stepOf');
    return this.#stepOf(typeof count === 'object' ? count : { samples: count, weight: count }, loss, also);
  }

  /**
   * A function from batches to the loss, compiled with its gradients; the update becomes a compiled program, too. What it gives
   * goes to `stepOf` before the next call.
   *
   * @example
   * import { parameter, type Tensor, tensor } from '@nn/core';
   * import { alone, dataParallel } from '@nn/distributed';
   * import { SGD } from '@nn/optim';
   * const weight = parameter([2]);
   * const optimizer = await dataParallel(new SGD([weight], { learningRate: 0.1 }), alone());
   * const gradients = optimizer.compileGradients((x: Tensor) => weight.mul(x).square().mean());
   * for (let step = 0; step < 5; step++) await optimizer.stepOf(2, await gradients(tensor([1, 2])));
   * console.log((await weight.item()).toFixed(4)); // => 0.0625
   */
  compileGradients<Arguments extends readonly unknown[]>(
    lossOf: (...batch: Arguments) => Tensor,
  ): (...batch: Arguments) => Promise<ComputedGradients> {
    return compile((...batch: Arguments) => {
      const { loss, present } = this.#flat.find(lossOf(...batch));
      void this.#flat.compute();
      return { loss, present };
    });
  }

  async #stepOf(
    count: WeighedSamples,
    loss: Tensor | ComputedGradients | null,
    also: readonly Tensor[],
  ): Promise<number> {
    for (const [what, own] of Object.entries(count)) {
      if (own >= 0 && Number.isFinite(own)) continue;
      throw new ValueError('stepOf', `${own} is not a number of samples, or what they weigh: 0 or more.`, {
        [what]: own,
      });
    }
    const { group } = this;
    if (this.#mustAgree) await agree(group, this.parameters);
    this.#mustAgree = false;
    const waiting = this.#waiting;
    if (loss === null && waiting === null) {
      throw new ValueError(
        'step',
        'there is no loss and nothing was accumulated: call step(loss), or accumulate first.',
      );
    }
    const found = this.#find(loss);
    const present = joined(found.present, waiting?.present);
    // samples, wishes and who has which gradient travel while the gradients are computed
    const facts = Float64Array.of(count.samples, count.weight, this.#raises ? 1 : 0, ...present.map(Number));
    const shared = group.allReduce(facts, 'sum', { fixed: true });
    this.#raises = false;
    const [[samples, weights, raised, ...holders]] = await Promise.all([shared, this.#flat.compute(found.loss, also)]);
    this.samples = samples!;
    this.isRaised = raised! > 0;
    const own = (found.loss === null ? 0 : await found.loss.item()) + (waiting?.loss ?? 0);
    // 1 where all ranks have as many samples, so that nothing is rounded
    const weight = weights === 0 ? 0 : (count.weight * group.size) / weights!;
    const sums = await this.#reduced(loss !== null, waiting, weight, own);
    this.#waiting = null;
    if (samples === 0) return Number.NaN;
    await this.#apply(
      sums,
      holders.map((ranks) => ranks > 0),
      isComputed(loss),
    );
    if (this.#checkEvery > 0 && this.stepCount % this.#checkEvery === 0) await agree(group, this.parameters);
    return sums.at(-1)![0]! / group.size;
  }

  /** Adds the gradients of `loss` to those that the next step will use, on this rank: nothing travels. */
  accumulate(loss: Tensor | ComputedGradients, ...also: readonly Tensor[]): Promise<void> {
    checkWaiting('accumulate');
    return this.#accumulate(loss, also);
  }

  async #accumulate(loss: Tensor | ComputedGradients, also: readonly Tensor[]): Promise<void> {
    const found = this.#find(loss);
    await this.#flat.compute(found.loss, also);
    const before = this.#waiting;
    const sums: Float32Array[] = [];
    for (const at of this.#flat.buckets.keys()) sums.push(added(await this.#flat.read(at), before?.sums[at]));
    const present = joined(found.present, before?.present);
    this.#waiting = { sums, present, loss: (before?.loss ?? 0) + (await found.loss!.item()) };
  }

  #find(loss: Tensor | ComputedGradients | null): Found {
    if (loss === null) return { loss, present: this.parameters.map(() => false) };
    return isComputed(loss) ? loss : this.#flat.find(loss);
  }

  /** The weighted sums over all ranks, and the loss in an array of its own: a bucket travels while the next is read. */
  async #reduced(isFresh: boolean, waiting: Waiting | null, weight: number, loss: number): Promise<Float32Array[]> {
    const travelling: Promise<Float32Array>[] = [];
    for (const [at, bucket] of this.#flat.buckets.entries()) {
      const own = isFresh ? await this.#flat.read(at) : new Float32Array(bucket.length);
      travelling.push(this.#travel(at, scaled(added(own, waiting?.sums[at]), weight)));
    }
    travelling.push(this.group.allReduce(scaled(Float32Array.of(loss), weight), 'sum', { fixed: true }));
    return Promise.all(travelling);
  }

  #travel(at: number, values: Float32Array): Promise<Float32Array> {
    if (this.#compress !== undefined && this.group.size > 1) {
      return this.#compress.reduce(values, { group: this.group, bucket: this.#flat.buckets[at]!, index: at });
    }
    return this.group.allReduce(values, 'sum', { fixed: this.#deterministic });
  }

  /** One program: the means as gradients of the optimizer. */
  #apply(sums: readonly Float32Array[], present: readonly boolean[], isCompiled: boolean): Promise<void> {
    const backend = this.parameters[0]?.backend ?? undefined;
    const given = this.#flat.buckets.map(({ length }, at) =>
      // what travelled is nobody's any more
      tensor(sums[at]!, { shape: [length], borrow: true, ...(backend && { backend }) }),
    );
    return isCompiled ? this.#applyCompiled(given, present) : this.#update(given, present);
  }

  #update(sums: readonly Tensor[], present: readonly boolean[]): Promise<void> {
    const { size } = this.group;
    const gradients: (Tensor | null)[] = this.parameters.map(() => null);
    this.#flat.buckets.forEach((bucket, at) => {
      const mean = size === 1 ? sums[at]! : sums[at]!.mul(1 / size);
      for (const [position, gradient] of unpacked(bucket, mean)) {
        if (present[position]) gradients[position] = gradient.cast(this.parameters[position]!.dtype);
      }
    });
    return this.optimizer.apply(gradients);
  }

  hostState(): unknown {
    if (this.#waiting !== null) {
      throw new ValueError(
        'DataParallel',
        'accumulated gradients wait for a step and cannot be saved: call step(null) first.',
      );
    }
    return this.optimizer.hostState();
  }

  /** Takes over what an optimizer saved, with or without a group, of any number of ranks. */
  loadHostState(state: unknown): void {
    this.optimizer.loadHostState(state);
    // ranks may have read different files
    this.#mustAgree = true;
    this.#waiting = null;
  }
}

/**
 * An optimizer that learns from the samples of all ranks of a group; see `DataParallel`. All ranks make it with a model of the
 * same parameters, before the first forward pass; they go on with the values of rank 0.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { alone, dataParallel } from '@nn/distributed';
 * import { Adam } from '@nn/optim';
 * const weight = parameter([1, 2]);
 * const optimizer = await dataParallel(new Adam([weight]), alone(), { deterministic: true });
 * await optimizer.step(weight.sum());
 * console.log(optimizer.stepCount); // => 1
 */
export async function dataParallel<R extends Rule>(
  optimizer: Optimizer<R>,
  group: Group,
  options: DataParallelOptions = {},
): Promise<DataParallel> {
  // the cast: which rule it has does not matter to what is called here
  const parallel = new DataParallel(optimizer as unknown as Inner, group, options);
  await parallel.synchronize();
  return parallel;
}

/** The tensors that an optimizer keeps. */
function statesOf(owner: object): Parameter[] {
  const children = (owner as { [treeChildren]?(): Readonly<Record<string, Parameter>> })[treeChildren]?.() ?? {};
  return Object.values(children);
}

function isComputed(loss: Tensor | ComputedGradients | null): loss is ComputedGradients {
  return loss !== null && 'present' in loss;
}

/** Marks also what was marked before. */
function joined(present: readonly boolean[], before: readonly boolean[] | undefined): readonly boolean[] {
  return before === undefined ? present : present.map((is, position) => is || before[position]!);
}

function added(values: Float32Array, more: Float32Array | undefined): Float32Array {
  if (more !== undefined) for (let at = 0; at < values.length; at++) values[at] = values[at]! + more[at]!;
  return values;
}

/** Of no samples nothing is left, also where the gradient of none is NaN. */
function scaled(values: Float32Array, weight: number): Float32Array {
  if (weight === 0) values.fill(0);
  else if (weight !== 1) for (let at = 0; at < values.length; at++) values[at] = values[at]! * weight;
  return values;
}
