/**
 * An optimizer whose state is spread over the ranks (Rajbhandari et al., 2020, "ZeRO", stage 1): each keeps the state of a part
 * of the parameters, updates that part, and sends the new values around. What travels is as much as without; Adam's state is
 * divided by the number of ranks.
 */
import { gradients, type Parameter, replace, type Tensor, tensor, ValueError } from '@nn/core';
import type { Optimizer, Rule } from '@nn/optim';
import { agree, broadcastParameters } from './agree.ts';
import { type Bucket, packed, sizeOf, unpacked } from './buckets.ts';
import type { Group } from './group.ts';
import { collectState, takeState } from './sharded-state.ts';
import { checkWaiting } from './waiting.ts';

export interface ShardedOptions {
  /** Limits the norm of the mean gradient of all parameters together, before any rank sees its part. */
  readonly globalNorm?: number;
}

/**
 * Deals parameters out to ranks, the largest first, each to the rank that has the least: positions by rank.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { shardsOf } from '@nn/distributed';
 * console.log(shardsOf([parameter([1, 2, 3]), parameter([1]), parameter([1])], 2)); // => [ [ 0 ], [ 1, 2 ] ]
 */
export function shardsOf(parameters: readonly Parameter[], ranks: number): number[][] {
  const shards: number[][] = Array.from({ length: ranks }, () => []);
  const loads = new Array<number>(ranks).fill(0);
  const bySize = [...parameters.keys()].sort((a, b) => parameters[b]!.size - parameters[a]!.size || a - b);
  for (const position of bySize) {
    const rank = loads.indexOf(Math.min(...loads));
    shards[rank]!.push(position);
    loads[rank] = loads[rank]! + parameters[position]!.size;
  }
  for (const shard of shards) shard.sort((a, b) => a - b);
  return shards;
}

/**
 * An optimizer for the parameters of this rank, whose steps are those of the whole; `sharded` makes one. Its state is a part of
 * the whole: `consolidate` brings all parts to one rank as an ordinary optimizer, for a file that any number of ranks reads, and
 * `distribute` gives each rank its part of one.
 */
export class Sharded {
  static readonly name: string = 'Sharded';

  /** That of this rank's part; null where it has none, because there are more ranks than parameters. */
  readonly optimizer: Optimizer<Rule> | null;
  readonly parameters: readonly Parameter[];
  readonly group: Group;
  readonly #make: (parameters: Parameter[]) => Optimizer<Rule>;
  readonly #shards: readonly (readonly number[])[];
  readonly #buckets: readonly Bucket[];
  readonly #most: number;
  readonly #globalNorm: number | undefined;

  /** @internal `sharded` makes these. */
  constructor(
    make: (parameters: Parameter[]) => Optimizer<Rule>,
    parameters: readonly Parameter[],
    group: Group,
    { globalNorm }: ShardedOptions,
  ) {
    if (globalNorm !== undefined && !(globalNorm > 0)) {
      throw new ValueError('sharded', `globalNorm is ${globalNorm}: it must be above 0.`, { globalNorm });
    }
    const frozen = parameters.findIndex(({ trainable }) => !trainable);
    if (frozen >= 0) {
      throw new ValueError('sharded', `parameter ${frozen} is frozen: give those that are trained.`, { frozen });
    }
    const shards = shardsOf(parameters, group.size);
    this.parameters = parameters;
    this.group = group;
    [this.#make, this.#shards] = [make, shards];
    this.#globalNorm = globalNorm;
    this.#buckets = shards.map((positions) => {
      let length = 0;
      const members = positions.map((position) => {
        const start = length;
        length += sizeOf(parameters[position]!.shape);
        return { position, start, shape: parameters[position]!.shape };
      });
      return { members, length };
    });
    // parts of the same length, so that a sum over all ranks can be handed out in parts
    this.#most = Math.max(...this.#buckets.map(({ length }) => length));
    const mine = shards[group.rank]!.map((position) => parameters[position]!);
    this.optimizer = mine.length === 0 ? null : make(mine);
  }

  get stepCount(): number {
    return this.optimizer?.stepCount ?? 0;
  }

  /** Numbers of the state that this rank keeps, for each number of the rule. */
  get ownSize(): number {
    return this.#buckets[this.group.rank]!.length;
  }

  /**
   * A step on the mean loss over `count` samples of this rank, as that of `DataParallel`. Resolves with the mean loss over the
   * samples of all ranks.
   */
  stepOf(count: number, loss: Tensor): Promise<number> {
    checkWaiting('Sharded.stepOf');
    return this.#stepOf(count, loss);
  }

  async #stepOf(count: number, loss: Tensor): Promise<number> {
    if (!(count >= 0) || !Number.isFinite(count)) {
      throw new ValueError('stepOf', `${count} is not a number of samples: 0 or more.`, { count });
    }
    const { group, parameters } = this;
    const found = gradients(loss, [...parameters]);
    const flat = this.#buckets.map((bucket) => (bucket.members.length === 0 ? null : packed(bucket, found)));
    const totals = group.allReduce(Float64Array.of(count), 'sum', { fixed: true });
    await replace([], [...flat.filter((part) => part !== null), loss]);
    const samples = (await totals)[0]!;
    const weight = samples === 0 ? 0 : count / samples;
    const own = new Float32Array(this.#most * group.size);
    for (const [rank, part] of flat.entries()) {
      if (part === null || weight === 0) continue;
      const values = await part.data();
      for (let at = 0; at < values.length; at++) own[rank * this.#most + at] = values[at]! * weight;
    }
    const mean = await group.reduceScatter(own);
    const meanLoss = await group.allReduce(Float64Array.of(weight === 0 ? 0 : (await loss.item()) * weight), 'sum', {
      fixed: true,
    });
    if (samples === 0) return Number.NaN;
    await this.#clip(mean);
    await this.#update(mean);
    return meanLoss[0]!;
  }

  /**
   * The states of all ranks as one optimizer over all parameters, on the rank `root`; null on the others. All ranks call it;
   * `root` saves it with the model, as one without a group is saved.
   *
   * @example
   * import { parameter } from '@nn/core';
   * import { alone, sharded } from '@nn/distributed';
   * import { Adam } from '@nn/optim';
   * const weight = parameter([1, 2]);
   * const optimizer = await sharded((mine) => new Adam(mine, { learningRate: 0.1 }), [weight], alone());
   * await optimizer.stepOf(1, weight.sum());
   * const whole = await optimizer.consolidate(); // saveCheckpoint(path, { model, optimizer: whole })
   * console.log(whole?.stepCount); // => 1
   */
  async consolidate(root = 0): Promise<Optimizer<Rule> | null> {
    const { group, parameters } = this;
    const whole = this.#make([...parameters]);
    await collectState(whole, this.optimizer, this.#shards, group, root);
    return group.rank === root ? whole : null;
  }

  /**
   * Gives each rank its part of the state of an optimizer over all parameters, which all ranks have read from the same file.
   * Throws ValueError where it is not one of these parameters.
   *
   * @example
   * import { parameter } from '@nn/core';
   * import { alone, sharded } from '@nn/distributed';
   * import { Adam } from '@nn/optim';
   * const weight = parameter([1, 2]);
   * const whole = new Adam([weight], { learningRate: 0.1 }); // then loadCheckpoint(path, { model, optimizer: whole })
   * await whole.step(weight.sum());
   * const optimizer = await sharded((mine) => new Adam(mine, { learningRate: 0.1 }), [weight], alone());
   * await optimizer.distribute(whole);
   * console.log(optimizer.stepCount); // => 1
   */
  async distribute<R extends Rule>(whole: Optimizer<R>): Promise<void> {
    const { parameters, group, optimizer } = this;
    const isSame =
      whole.parameters.length === parameters.length && parameters.every((one, at) => one === whole.parameters[at]);
    if (!isSame) {
      throw new ValueError(
        'Sharded.distribute',
        `the optimizer has ${whole.parameters.length} parameters that are not the ${parameters.length} of this one in their order: make it with the same list.`,
      );
    }
    // the cast: which rule it has does not matter to what is called here
    if (optimizer !== null) await takeState(whole as unknown as Optimizer<Rule>, optimizer, this.#shards[group.rank]!);
    // ranks may have read different files
    await agree(group, parameters);
  }

  /** Scales this rank's part by the factor that the norm of all parts asks for. */
  async #clip(mean: Float32Array): Promise<void> {
    if (this.#globalNorm === undefined) return;
    let squares = 0;
    for (const value of mean) squares += value * value;
    const [sum] = await this.group.allReduce(Float64Array.of(squares), 'sum', { fixed: true });
    const factor = Math.min(1, this.#globalNorm / (Math.sqrt(sum!) + 1e-6));
    if (factor < 1) for (let at = 0; at < mean.length; at++) mean[at] = mean[at]! * factor;
  }

  /** Updates one's own part, and takes that of the others. */
  async #update(mean: Float32Array): Promise<void> {
    const { group, parameters } = this;
    const own = this.#buckets[group.rank]!;
    const values = new Float32Array(this.#most);
    if (this.optimizer !== null) {
      await this.optimizer.apply(
        unpacked(own, onDevice(mean, own.length, parameters)).map(([position, gradient]) =>
          gradient.cast(parameters[position]!.dtype),
        ),
      );
      const current: (Tensor | null)[] = [...parameters];
      values.set(await packed(own, current).data());
    }
    const all = await group.allGather(values);
    const updates = this.#buckets.flatMap((bucket, rank) => {
      if (rank === group.rank || bucket.members.length === 0) return [];
      const part = all.subarray(rank * this.#most, (rank + 1) * this.#most);
      return unpacked(bucket, onDevice(part, bucket.length, parameters)).map(
        ([position, value]) => [parameters[position]!, value] as const,
      );
    });
    if (updates.length > 0) await replace(updates);
  }
}

function onDevice(values: Float32Array, length: number, parameters: readonly Parameter[]): Tensor {
  const backend = parameters[0]?.backend;
  return tensor(values.slice(0, length), { shape: [length], ...(backend && { backend }) });
}

/**
 * Spreads the state of an optimizer over the ranks of a group. `make` gets the parameters of this rank; a `clip` of its own
 * would see these alone: give `globalNorm` here. All ranks call it before the first forward pass, and go on with the parameters
 * of rank 0.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { alone, sharded } from '@nn/distributed';
 * import { AdamW } from '@nn/optim';
 * const weight = parameter([1, 2]);
 * const optimizer = await sharded((mine) => new AdamW(mine, { learningRate: 0.1 }), [weight], alone());
 * console.log((await optimizer.stepOf(1, weight.sum())).toFixed(1), optimizer.ownSize); // => 3.0 2
 */
export async function sharded<R extends Rule>(
  make: (parameters: Parameter[]) => Optimizer<R>,
  parameters: readonly Parameter[],
  group: Group,
  options: ShardedOptions = {},
): Promise<Sharded> {
  await broadcastParameters(group, parameters);
  // the cast: which rule it has does not matter to what is called here
  return new Sharded(make as unknown as (parameters: Parameter[]) => Optimizer<Rule>, parameters, group, options);
}
