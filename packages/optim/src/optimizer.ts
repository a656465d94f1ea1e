/**
 * What all optimizers share: the counting of steps, accumulation, and the one program of a step (gradients, update and
 * evaluation of the loss). Owns no update rule: that is `update` in sgd.ts, adam.ts and rmsprop.ts.
 */
import {
  gradients as gradientsOf,
  type Json,
  type NumberSource,
  numberSource,
  onReplay,
  type Parameter,
  parameter,
  parameters as parametersOf,
  replace,
  ShapeError,
  type Stateful,
  type Tensor,
  treeChildren,
  ValueError,
} from '@nn/core';
import { type Clip, clipBy } from './clipping.ts';
import {
  type Complete,
  type Group,
  type OptimizerOptions,
  type ParameterSource,
  rateAt,
  readGroups,
} from './groups.ts';
import { readHostState } from './host-state.ts';
import type { Schedule } from './schedules.ts';

/**
 * What an update rule is made of: its options, the names of the numbers that change from step to step, and the names of
 * the tensors that it keeps for each parameter.
 */
export interface Rule {
  readonly options: OptimizerOptions;
  readonly numbers: string;
  readonly state: string;
}

/** What an update rule works with, for one parameter. */
export interface UpdateContext<R extends Rule> {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly options: Complete<R['options']>;
  /** What `numbers` answers, read anew at each step. */
  readonly numbers: Readonly<Record<R['numbers'], NumberSource>>;
  /** The tensors that `stateNames` asked for. */
  readonly state: Readonly<Partial<Record<R['state'], Tensor>>>;
}

/** What an update rule answers: the new values. State that it leaves out stays. */
export interface Update<R extends Rule> {
  readonly parameter: Tensor;
  readonly state?: Readonly<Partial<Record<R['state'], Tensor>>>;
}

type Sources<R extends Rule> = Readonly<Record<R['numbers'], NumberSource>>;

/**
 * The base of all optimizers.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { SGD } from '@nn/optim';
 * const x = parameter([3]);
 * const optimizer = new SGD([x], { learningRate: 0.25 });
 * await optimizer.step(x.square().sum());
 * console.log(await x.array(), optimizer.stepCount); // => [1.5] 1
 */
export abstract class Optimizer<R extends Rule> implements Stateful {
  /** All parameters, in the order of the groups. `apply` takes gradients in this order. */
  readonly parameters: readonly Parameter[];
  /** Steps taken so far. Schedules see the number of steps before the current one. */
  stepCount = 0;
  readonly #clip: Clip | undefined;
  readonly #groups: readonly Group<Complete<R['options']>>[];
  /** For each parameter, its group. */
  readonly #groupOf: readonly Group<Complete<R['options']>>[];
  readonly #positions: ReadonlyMap<Parameter, number>;
  /** For each parameter, how often it was updated: `minimize` may leave some out. */
  #steps: number[];
  /** For each parameter, the tensors of the rule by name. */
  readonly #state: readonly Readonly<Partial<Record<R['state'], Parameter>>>[];
  #accumulated: readonly Parameter[] | null = null;
  /** Parameters whose accumulated gradient waits for a step. */
  #waiting = new Set<number>();

  constructor(source: ParameterSource<R['options']>, options: Complete<R['options']>) {
    const { parameters, groups, groupOf } = readGroups(this.constructor.name, source, options);
    this.parameters = parameters;
    this.#groups = groups;
    this.#groupOf = groupOf;
    this.#clip = options.clip;
    this.#positions = new Map(parameters.map((member, position) => [member, position]));
    this.#steps = parameters.map(() => 0);
    this.#state = parameters.map((member, position) => {
      const names = this.stateNames(at(groupOf, position).options);
      return record(names, () => zerosFor(member));
    });
  }

  /** The tensors to keep for each parameter of a group, all 0 at first. Called by the constructor. */
  protected abstract stateNames(options: Complete<R['options']>): readonly R['state'][];

  /** The numbers of a step: from the options, the learning rate and the count of steps, which starts at 1. */
  protected abstract numbers(
    options: Complete<R['options']>,
    learningRate: number,
    steps: number,
  ): Readonly<Record<R['numbers'], number>>;

  /** The new values of a parameter and its state. */
  protected abstract update(context: UpdateContext<R>): Update<R>;

  /** The learning rate of the next step, of the first group. Setting it replaces that of every group. */
  get learningRate(): number {
    return rateAt(at(this.#groups, 0), this.stepCount);
  }

  set learningRate(value: number | Schedule) {
    for (const group of this.#groups) group.learningRate = value;
  }

  /** The learning rate of the next step, for each group. */
  get learningRates(): number[] {
    return this.#groups.map((group) => rateAt(group, this.stepCount));
  }

  /**
   * Updates all parameters to lower `loss` (a scalar), and computes `loss` and the tensors in `also` from the old
   * parameters in the same program. With `null` it applies what was accumulated.
   */
  step(loss: Tensor | null, ...also: readonly Tensor[]): Promise<void> {
    const positions = [...this.parameters.keys()];
    if (loss !== null) return this.#run(positions, gradientsOf(loss, this.parameters), [loss, ...also]);
    if (this.#waiting.size === 0) {
      throw new ValueError(
        'step: there is no loss and nothing was accumulated: call step(loss), or accumulate(loss) first.',
      );
    }
    const waiting = positions.filter((position) => this.#waiting.has(position));
    return this.#run(waiting, null, also);
  }

  /** As `step`, for some of the parameters only: a model, or a list of parameters, that this optimizer holds. */
  minimize(loss: Tensor, some: object, ...also: readonly Tensor[]): Promise<void> {
    const chosen = parametersOf(some);
    const positions = chosen.map((member) => {
      const position = this.#positions.get(member);
      if (position !== undefined) return position;
      throw new ValueError('minimize: a parameter is not one of this optimizer: give it to the constructor too.');
    });
    return this.#run(positions, gradientsOf(loss, chosen), [loss, ...also]);
  }

  /** Updates all parameters with gradients that were computed elsewhere, in the order of `parameters`. */
  apply(gradients: readonly Tensor[], ...also: readonly Tensor[]): Promise<void> {
    if (gradients.length !== this.parameters.length) {
      throw new ShapeError(
        `apply: ${gradients.length} gradients for ${this.parameters.length} parameters: give one for each, in the order of optimizer.parameters.`,
        { gradients: gradients.length, parameters: this.parameters.length },
      );
    }
    gradients.forEach((gradient, position) => {
      const { shape } = at(this.parameters, position);
      if (gradient.shape.join() !== shape.join()) {
        throw new ShapeError(
          `apply: gradient ${position} is [${gradient.shape.join(', ')}], its parameter [${shape.join(', ')}].`,
          { position, gradient: gradient.shape, parameter: shape },
        );
      }
    });
    return this.#run([...this.parameters.keys()], gradients, also);
  }

  /**
   * Adds the gradients of `loss` to those that the next step will use, for batches that do not fit at once.
   * Gradients are summed: divide each loss by the number of parts to get the mean.
   */
  accumulate(loss: Tensor, ...also: readonly Tensor[]): Promise<void> {
    const fresh = gradientsOf(loss, this.parameters);
    this.#accumulated ??= this.parameters.map(zerosFor);
    const mark = (): void => {
      this.#waiting = new Set(this.parameters.keys());
    };
    mark();
    onReplay(mark);
    const updates = this.#accumulated.map((sum, position) => [sum, sum.add(at(fresh, position))] as const);
    return replace(updates, [loss, ...also]);
  }

  /** One program: the updates of the parameters at `positions` and of their state, and `also`. */
  #run(positions: readonly number[], fresh: readonly Tensor[] | null, also: readonly Tensor[]): Promise<void> {
    const updates: (readonly [Parameter, Tensor])[] = [];
    const waited = positions.filter((position) => this.#waiting.has(position));
    const raw = positions.map((position, i) => {
      if (!this.#waiting.has(position) || this.#accumulated === null) return at(fresh ?? [], i);
      const sum = at(this.#accumulated, position);
      updates.push([sum, sum.mul(0)]);
      return fresh === null ? sum : sum.add(at(fresh, i));
    });
    const gradients = this.#clip === undefined ? raw : clipBy(this.#clip, raw);
    const count = (by: 1 | -1): void => {
      this.stepCount += by;
      for (const position of positions) this.#steps[position] = at(this.#steps, position) + by;
      for (const position of waited) by === 1 ? this.#waiting.delete(position) : this.#waiting.add(position);
    };
    count(1);
    onReplay(() => count(1));
    const undo = (error: unknown): never => {
      count(-1);
      throw error;
    };
    try {
      const sourcesOf = this.#sources();
      positions.forEach((position, i) => {
        const { options } = at(this.#groupOf, position);
        const member = at(this.parameters, position);
        const state = at(this.#state, position);
        const gradient = options.maximize ? at(gradients, i).neg() : at(gradients, i);
        const next = this.update({ parameter: member, gradient, options, numbers: sourcesOf(position), state });
        updates.push([member, next.parameter]);
        for (const name of namesOf(state)) {
          const [target, value] = [state[name], next.state?.[name]];
          if (target !== undefined && value !== undefined) updates.push([target, value]);
        }
      });
      return replace(updates, also).catch(undo);
    } catch (error) {
      return undo(error);
    }
  }

  /**
   * The number sources of one program. Parameters of a group that were updated equally often share theirs, so that a
   * program has a few scalars and not a few per parameter.
   */
  #sources(): (position: number) => Sources<R> {
    const shared = new Map<string, { readonly members: number[]; readonly sources: Sources<R> }>();
    onReplay(() => {
      for (const { members } of shared.values()) {
        if (members.some((position) => this.#steps[position] !== this.#steps[at(members, 0)])) {
          throw new ValueError(
            'step: parameters that had been updated equally often when this step was compiled no longer are: call minimize on a part of them before compile, or use one optimizer for each part.',
          );
        }
      }
    });
    return (position) => {
      const group = at(this.#groupOf, position);
      const key = `${this.#groups.indexOf(group)} ${at(this.#steps, position)}`;
      const known = shared.get(key);
      if (known !== undefined) {
        known.members.push(position);
        return known.sources;
      }
      const read = (): Readonly<Record<R['numbers'], number>> =>
        this.numbers(group.options, rateAt(group, this.stepCount - 1), at(this.#steps, position));
      const sources = record(namesOf(read()), (name) => numberSource(() => read()[name]));
      shared.set(key, { members: [position], sources });
      return sources;
    };
  }

  /** For checkpoints: counts, and learning rates that are plain numbers. The tensors are found by walking the tree. */
  hostState(): Json {
    return {
      stepCount: this.stepCount,
      steps: [...this.#steps],
      waiting: [...this.#waiting],
      learningRates: this.#groups.map(({ learningRate }) => (typeof learningRate === 'number' ? learningRate : null)),
    };
  }

  /** Takes over what `hostState` saved. Throws FormatError for the state of an optimizer of another model. */
  loadHostState(state: Json): void {
    const saved = readHostState(this.constructor.name, state, this.parameters.length, this.#groups.length);
    this.stepCount = saved.stepCount;
    this.#steps = [...saved.steps];
    this.#waiting = new Set(saved.waiting);
    if (saved.waiting.length > 0) this.#accumulated ??= this.parameters.map(zerosFor);
    this.#groups.forEach((group, i) => {
      const rate = saved.learningRates[i];
      if (typeof rate === 'number' && typeof group.learningRate === 'number') group.learningRate = rate;
    });
  }

  /** The tensors of the optimizer itself, by name and position; the model's parameters belong to the model. */
  [treeChildren](): Record<string, unknown> {
    const children: Record<string, Record<string, Parameter>> = {};
    const put = (name: string, position: number, tensor: Parameter): void => {
      children[name] ??= {};
      children[name][position] = tensor;
    };
    this.#state.forEach((state, position) => {
      for (const name of namesOf(state)) if (state[name] !== undefined) put(name, position, state[name]);
    });
    if (this.#waiting.size > 0) this.#accumulated?.forEach((sum, position) => void put('accumulated', position, sum));
    return children;
  }
}

function zerosFor(member: Parameter): Parameter {
  return parameter(new Float32Array(member.size), { shape: member.shape, trainable: false });
}

/** An element that is known to exist. */
function at<T>(list: readonly T[], position: number): T {
  const item = list[position];
  if (item === undefined) throw new RangeError(`no element ${position} of ${list.length}`);
  return item;
}

// The keys of a record are its type's: the one place where the type system has to be told so.
function namesOf<Name extends string>(values: Readonly<Partial<Record<Name, unknown>>>): Name[] {
  return Object.keys(values) as Name[];
}

function record<Name extends string, T>(names: readonly Name[], make: (name: Name) => T): Record<Name, T> {
  const result: Partial<Record<Name, T>> = {};
  for (const name of names) result[name] = make(name);
  return result as Record<Name, T>;
}
