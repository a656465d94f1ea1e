/**
 * What all optimizers share: the counting of steps, accumulation, and the one program of a step (gradients, update and
 * evaluation of the loss). Owns no update rule: that is `update` in sgd.ts, adam.ts and rmsprop.ts.
 */
import {
  claimParameters,
  GradientError,
  gradientsOrNull,
  type NumberSource,
  numberSource,
  onReplay,
  type Parameter,
  parameter,
  parameters as parametersOf,
  replace,
  replayWhile,
  type Shape,
  ShapeError,
  type Stateful,
  type Tensor,
  treeChildren,
  ValueError,
  warnOfUnclaimed,
  where,
  zerosLike,
} from '@nn/core';
import { type Clip, checkClip, clipBy } from './clipping.ts';
import { counted } from './counted.ts';
import {
  type Complete,
  checkRate,
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
 * the tensors that it keeps for each parameter: always, and where an option asks for them.
 */
export interface Rule {
  readonly options: Complete<OptimizerOptions>;
  readonly numbers: string;
  readonly state: string;
  readonly optionalState: string;
}

/** The tensors that a rule keeps for one parameter. */
type State<R extends Rule, T> = Readonly<Record<R['state'], T> & Partial<Record<R['optionalState'], T | undefined>>>;

/** What an update rule works with, for one parameter. */
export interface UpdateContext<R extends Rule> {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly options: R['options'];
  /** What `numbers` answers, read anew at each step. */
  readonly numbers: Readonly<Record<R['numbers'], NumberSource>>;
  /** The tensors that `keeps` asked for. */
  readonly state: State<R, Tensor>;
}

/** What an update rule answers: the new values of the parameter and of all its state. */
export interface Update<R extends Rule> {
  readonly parameter: Tensor;
  readonly state: State<R, Tensor>;
}

/** A parameter with what its optimizer keeps for it. */
export interface Kept<R extends Rule> {
  readonly parameter: Parameter;
  readonly state: State<R, Parameter>;
  readonly options: R['options'];
}

/**
 * What rides in the program of a step: from the gradients, as they are before clipping, the loss, where there is one, and
 * the new values of parameters so far, it makes new values of parameters of its own, or others of those. `stepCount`
 * counts the step; a compiled one asks at each replay.
 */
export type Rider = (
  gradients: readonly Tensor[],
  loss: Tensor | undefined,
  stepCount: () => number,
  values: ReadonlyMap<Parameter, Tensor>,
) => readonly (readonly [Parameter, Tensor])[];

/** Parameters that share options, as an optimizer shows them. */
export class OptimizerGroup {
  readonly #optimizer: string;
  readonly #group: Group<unknown>;
  readonly #stepCount: () => number;

  /** @internal Optimizers make these. */
  constructor(optimizer: string, group: Group<unknown>, stepCount: () => number) {
    this.#optimizer = optimizer;
    this.#group = group;
    this.#stepCount = stepCount;
  }

  get parameters(): readonly Parameter[] {
    return this.#group.parameters;
  }

  /** The learning rate of the next step; may be set to a number or a schedule. */
  get learningRate(): number {
    return rateAt(this.#group, this.#stepCount());
  }

  set learningRate(value: number | Schedule) {
    checkRate(this.#optimizer, value);
    this.#group.learningRate = value;
  }

  /** The function that gives the learning rate, null where it is a plain number. */
  get schedule(): Schedule | null {
    const { learningRate } = this.#group;
    return typeof learningRate === 'function' ? learningRate : null;
  }
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
  /** All parameters, in the order of the groups, frozen ones too. `apply` takes gradients in this order. */
  readonly parameters: readonly Parameter[];
  /** The groups in the order in which they were given; one where none were. The learning rate of each may be set. */
  readonly groups: readonly OptimizerGroup[];
  /** Steps taken so far. Schedules see the number of steps before the current one. */
  stepCount = 0;
  /** What checkpoints call the parameters, in the order of `parameters`. */
  readonly names: readonly string[];
  readonly #clip: Clip | undefined;
  readonly #groups: readonly Group<R['options']>[];
  /** For each parameter, its group. */
  readonly #groupOf: readonly Group<R['options']>[];
  readonly #positions: ReadonlyMap<Parameter, number>;
  /** For each parameter, how often it was updated: `minimize` may leave some out. */
  #steps: number[];
  /** For each parameter that was ever trainable, the tensors of the rule by name. */
  readonly #state: (State<R, Parameter> | undefined)[];
  /** For each parameter that was ever trained as half floats: it in float32. */
  readonly #masters: (Parameter | undefined)[];
  #accumulated: readonly Parameter[] | null = null;
  /** Parameters whose accumulated gradient waits for a step. */
  #waiting = new Set<number>();
  /** How many parameters there were when parameters that nobody holds were last looked for. */
  #lookedAt = 0;
  /** What rides in the programs of all steps, for as long as nothing joins it. */
  #riders: { readonly all: readonly Rider[]; holds: boolean } = { all: [], holds: true };
  /** All positions. */
  readonly #all: readonly number[];
  #uncount: () => void = () => undefined;

  constructor(source: ParameterSource<R['options']>, options: R['options']) {
    const { parameters, groups, groupOf, names } = readGroups(this.constructor.name, source, options);
    this.parameters = parameters;
    this.names = names;
    this.#groups = groups;
    this.#groupOf = groupOf;
    if (options.clip !== undefined) checkClip(this.constructor.name, options.clip);
    this.#clip = options.clip;
    this.#positions = new Map(parameters.map((member, position) => [member, position]));
    this.#steps = parameters.map(() => 0);
    this.#all = [...parameters.keys()];
    this.#state = parameters.map(() => undefined);
    this.#masters = parameters.map(() => undefined);
    parameters.forEach((member, position) => void (member.trainable && this.#stateOf(position)));
    this.groups = groups.map((group) => new OptimizerGroup(this.constructor.name, group, () => this.stepCount));
    claimParameters(parameters);
    // what a walk finds here are the tensors of the optimizer itself; the model's parameters belong to the model
    Object.defineProperty(this, treeChildren, { value: () => this.#tensors() });
  }

  /**
   * The tensors to keep for a parameter, all 0 at first: true for one of its shape, or a shape. Called when the parameter
   * is first trainable, by the constructor for most; throws where the rule is none for this parameter.
   */
  protected abstract keeps(
    options: R['options'],
    parameter: Parameter,
  ): Readonly<Record<R['state'], true | Shape> & Partial<Record<R['optionalState'], boolean | Shape>>>;

  /** The numbers of a step: from the options, the learning rate and the count of steps, which starts at 1. */
  protected abstract numbers(
    options: R['options'],
    learningRate: number,
    steps: number,
  ): Readonly<Record<R['numbers'], number>>;

  /** The new values of a parameter and its state; weight decay was applied before. */
  protected abstract update(context: UpdateContext<R>): Update<R>;

  /** Weight decay, where it is not 0: here decay * parameter joins the gradient. */
  protected decay(context: UpdateContext<R>): UpdateContext<R> {
    const { parameter, gradient, options } = context;
    return { ...context, gradient: gradient.add(parameter.mul(options.weightDecay)) };
  }

  /** Called before the program of a step is made; throws where the optimizer cannot step at present. */
  protected ready(_operation: string): void {}

  /** What is kept for each parameter at present, in the order of `parameters`; null for one that was never trainable. */
  protected kept(): readonly (Kept<R> | null)[] {
    return this.parameters.map((member, position) => {
      const state = this.#state[position];
      return state === undefined ? null : { parameter: member, state, options: at(this.#groupOf, position).options };
    });
  }

  /** How often a parameter was updated. */
  protected stepsOf(position: number): number {
    return at(this.#steps, position);
  }

  /** The learning rate of the next step, of the first group. Setting it replaces that of every group. */
  get learningRate(): number {
    return rateAt(at(this.#groups, 0), this.stepCount);
  }

  set learningRate(value: number | Schedule) {
    for (const group of this.groups) group.learningRate = value;
  }

  /** The learning rate of the next step, for each group. */
  get learningRates(): number[] {
    return this.#groups.map((group) => rateAt(group, this.stepCount));
  }

  /**
   * Updates the parameters that `loss` (a scalar) depends on to lower it, and computes `loss` and the tensors in `also`
   * from the old parameters in the same program. With `null` it applies what was accumulated. Frozen ones stay as they
   * are. Throws GradientError when the loss depends on none of them.
   */
  step(loss: Tensor | null, ...also: readonly Tensor[]): Promise<void> {
    if (loss !== null) return this.#run('step', this.#gradients(loss), [loss, ...also]);
    if (this.#waiting.size > 0) return this.#run('step', new Map(), also);
    throw new ValueError(
      'step',
      'there is no loss and nothing was accumulated: call step(loss), or accumulate(loss) first.',
    );
  }

  /** As `step`, for some of the parameters only: a model, or a list of parameters, that this optimizer holds. */
  minimize(loss: Tensor, some: object, ...also: readonly Tensor[]): Promise<void> {
    const chosen = parametersOf(some).map((member) => {
      const position = this.#positions.get(member);
      if (position !== undefined) return position;
      throw new ValueError('minimize', 'a parameter is not one of this optimizer: give it to the constructor too.');
    });
    return this.#run('minimize', this.#gradients(loss, chosen), [loss, ...also], chosen);
  }

  /**
   * Updates all parameters with gradients that were computed elsewhere, in the order of `parameters`; null for one that is
   * to stay as it is.
   */
  apply(gradients: readonly (Tensor | null)[], ...also: readonly Tensor[]): Promise<void> {
    if (gradients.length !== this.parameters.length) {
      throw new ShapeError(
        'apply',
        `${gradients.length} gradients for ${this.parameters.length} parameters: give one for each, in the order of optimizer.parameters.`,
        { gradients: gradients.length, parameters: this.parameters.length },
      );
    }
    gradients.forEach((gradient, position) => {
      const { shape } = at(this.parameters, position);
      if (gradient !== null && gradient.shape.join() !== shape.join()) {
        throw new ShapeError(
          'apply',
          `gradient ${position} is [${gradient.shape.join(', ')}], its parameter [${shape.join(', ')}].`,
          { position, gradient: gradient.shape, parameter: shape },
        );
      }
    });
    const given = [...gradients.entries()].filter((entry): entry is [number, Tensor] => entry[1] !== null);
    return this.#run('apply', new Map(given), also);
  }

  /**
   * Adds the gradients of `loss` to those that the next step will use, for batches that do not fit at once.
   * Gradients are summed: divide each loss by the number of parts to get the mean.
   */
  accumulate(loss: Tensor, ...also: readonly Tensor[]): Promise<void> {
    const fresh = this.#gradients(loss);
    // what is on no device yet, sums of frozen parameters or a parameter that was just assigned, stands anywhere: a compiled
    // function would take new sums for other tensors
    const home = loss.backend;
    const isElsewhere = home !== null && this.#accumulated?.some(({ backend }) => backend !== null && backend !== home);
    if (this.#accumulated === null || (isElsewhere && this.#waiting.size === 0)) {
      this.#accumulated = this.parameters.map(({ shape }) => zerosOf(shape));
    }
    const sums = this.#accumulated;
    const updates = [...fresh].map(([position, gradient]) => {
      const sum = at(sums, position);
      return [sum, sum.add(gradient)] as const;
    });
    return counted(
      () => this.#wait(fresh.keys()),
      () => replace(updates, [loss, ...also]),
    );
  }

  /** Marks that the accumulated gradients of `positions` wait for a step; returns what takes that back. */
  #wait(positions: Iterable<number>): () => void {
    const fresh = [...positions].filter((position) => !this.#waiting.has(position));
    for (const position of fresh) this.#waiting.add(position);
    return () => {
      for (const position of fresh) this.#waiting.delete(position);
    };
  }

  /**
   * What counts a step of `positions`, with which the gradients that `waited` are used up, and returns what takes that back: mostly
   * one function for all steps, since a replay does little else on the host.
   */
  #counter(positions: readonly number[], waited: readonly number[]): () => () => void {
    const add = (by: 1 | -1): void => {
      this.stepCount += by;
      for (const position of positions) this.#steps[position] = at(this.#steps, position) + by;
    };
    const takeBack = (): void => add(-1);
    return () => {
      add(1);
      this.#uncount = takeBack;
      if (waited.length === 0) return takeBack;
      const used = waited.filter((position) => this.#waiting.delete(position));
      this.#uncount = () => {
        takeBack();
        for (const position of used) this.#waiting.add(position);
      };
      return this.#uncount;
    };
  }

  /** @internal The last step turned out to have changed nothing: it does not count. */
  uncount(): void {
    this.#uncount();
    this.#uncount = () => undefined;
  }

  /** Lets something ride in the programs of all steps from now on; see `Rider`. Once is enough. */
  attach(rider: Rider): void {
    this.#riders.holds = false;
    this.#riders = { all: [...this.#riders.all, rider], holds: true };
  }

  /** The gradients of a loss by position, of trainable parameters that it depends on. */
  #gradients(loss: Tensor, among: readonly number[] = this.#all): Map<number, Tensor> {
    this.#lookedAt = warnOfUnclaimed(loss, this.#lookedAt);
    const positions: number[] = [];
    const targets: Parameter[] = [];
    for (const position of among) {
      const member = at(this.parameters, position);
      if (!member.trainable) continue;
      positions.push(position);
      targets.push(member);
    }
    const found = gradientsOrNull(loss, targets);
    const result = new Map<number, Tensor>();
    for (let i = 0; i < found.length; i++) {
      const gradient = found[i];
      if (gradient != null) result.set(at(positions, i), gradient);
    }
    return result;
  }

  /** One program: the updates of all parameters (or those `among`) that have a gradient, of their state, and `also`. */
  #run(
    operation: string,
    fresh: ReadonlyMap<number, Tensor>,
    also: readonly Tensor[],
    among: readonly number[] = this.#all,
  ): Promise<void> {
    this.ready(operation);
    const positions = this.#positionsOf(operation, fresh, among);
    const waited = this.#waiting.size === 0 ? [] : among.filter((position) => this.#waiting.has(position));
    const gradients = positions.map((position) => this.#gradientOf(position, fresh));
    const riders = this.#riders;
    replayWhile(this, riders);
    return counted(this.#counter(positions, waited), () => {
      const values = new Map<Parameter, Tensor>();
      for (const position of waited) {
        const sum = this.#accumulated?.[position];
        if (sum !== undefined) values.set(sum, zerosLike(sum));
      }
      this.#updateAll(positions, this.#clip === undefined ? gradients : clipBy(this.#clip, gradients), values);
      for (const rider of riders.all) {
        const riding = rider(gradients, also[0], () => this.stepCount, values);
        for (const [target, value] of riding) values.set(target, value);
      }
      return replace([...values], also);
    });
  }

  /** The parameters that a program changes: trainable, with a gradient. Throws GradientError when there is none. */
  #positionsOf(operation: string, fresh: ReadonlyMap<number, Tensor>, among: readonly number[]): number[] {
    const trainable = among.filter((position) => at(this.parameters, position).trainable);
    if (trainable.length === 0) {
      throw new GradientError(operation, `all ${among.length} parameters are frozen: unfreeze(model) some first.`);
    }
    const positions = trainable.filter((position) => fresh.has(position) || this.#waiting.has(position));
    if (positions.length > 0) return positions;
    throw new GradientError(
      operation,
      `the loss depends on none of the ${trainable.length} parameters: it was made without them, or behind a stopGradient or noGradient.`,
    );
  }

  /** What a parameter learns from: its fresh gradient and the accumulated ones. */
  #gradientOf(position: number, fresh: ReadonlyMap<number, Tensor>): Tensor {
    const gradient = fresh.get(position);
    const sum = this.#waiting.has(position) ? this.#accumulated?.[position] : undefined;
    if (sum === undefined) return gradient ?? zerosLike(at(this.parameters, position));
    return gradient === undefined ? sum : sum.add(gradient);
  }

  /** Adds the new values of parameters and of their state to `values`. */
  #updateAll(positions: readonly number[], gradients: readonly Tensor[], values: Map<Parameter, Tensor>): void {
    const sourcesOf = this.#sources();
    for (let i = 0; i < positions.length; i++) {
      const position = at(positions, i);
      const { options } = at(this.#groupOf, position);
      const member = at(this.parameters, position);
      const state = this.#stateOf(position);
      const given = options.maximize ? at(gradients, i).neg() : at(gradients, i);
      const gradient = options.transform?.(given, { parameter: member, steps: () => this.stepsOf(position) }) ?? given;
      const master = this.#masterOf(position);
      const newest = master === null ? member : newestOf(master, member);
      const context = { parameter: newest, gradient, options, numbers: sourcesOf(position), state };
      const next = this.update(options.weightDecay === 0 ? context : this.decay(context));
      const newValue = options.constraint?.(next.parameter) ?? next.parameter;
      values.set(member, newValue);
      if (master !== null) values.set(master, newValue);
      for (const name of namesOf<R['state'] | R['optionalState']>(state)) {
        const [target, value] = [state[name], next.state[name]];
        if (target !== undefined && value !== undefined) values.set(target, value);
      }
    }
  }

  /** The state of a parameter, made when it is first trainable. */
  #stateOf(position: number): State<R, Parameter> {
    const member = at(this.parameters, position);
    const { options } = at(this.#groupOf, position);
    const state = this.#state[position] ?? stateOf<R>(this.keeps(options, member), member.shape);
    this.#state[position] = state;
    return state;
  }

  /** Float32 beside a parameter that is stored as half floats; null where it is not, or is not to have one. */
  #masterOf(position: number): Parameter | null {
    const { dtype, shape } = at(this.parameters, position);
    if (dtype === 'float32' || at(this.#groupOf, position).options.masterWeights === false) return null;
    const master = this.#masters[position] ?? zerosOf(shape);
    this.#masters[position] = master;
    return master;
  }

  /**
   * The number sources of one program. Parameters of a group that were updated equally often share theirs, so that a
   * program has a few scalars and not a few per parameter.
   */
  #sources(): (position: number) => Sources<R> {
    interface Shared {
      readonly group: Group<R['options']>;
      readonly steps: number;
      readonly members: number[];
      readonly sources: Sources<R>;
    }
    const shared: Shared[] = [];
    onReplay(() => {
      for (const { members } of shared) {
        const steps = this.#steps[at(members, 0)];
        for (const position of members) {
          if (this.#steps[position] === steps) continue;
          throw new ValueError(
            'step',
            'parameters that had been updated equally often at compile no longer are: call minimize before, or use an optimizer for each part.',
          );
        }
      }
    });
    return (position) => {
      const group = at(this.#groupOf, position);
      const steps = at(this.#steps, position);
      const known = shared.find((other) => other.group === group && other.steps === steps);
      if (known !== undefined) {
        known.members.push(position);
        return known.sources;
      }
      const read = (): Readonly<Record<R['numbers'], number>> =>
        this.numbers(group.options, rateAt(group, this.stepCount - 1), at(this.#steps, position));
      const sources = record(namesOf(read()), (name) => numberSource(() => read()[name]));
      shared.push({ group, steps, members: [position], sources });
      return sources;
    };
  }

  /**
   * For checkpoints: counts, and learning rates that are plain numbers. The tensors are found by walking the tree.
   * Throws ValueError between `accumulate` and `step`: what was accumulated is not part of a checkpoint.
   */
  hostState(): unknown {
    if (this.#waiting.size > 0) {
      throw new ValueError(
        this.constructor.name,
        'accumulated gradients wait for a step and cannot be saved: call step(null) first.',
      );
    }
    return {
      stepCount: this.stepCount,
      names: [...this.names],
      steps: [...this.#steps],
      learningRates: this.#groups.map(({ learningRate }) => (typeof learningRate === 'number' ? learningRate : null)),
    };
  }

  /**
   * Takes over what `hostState` saved, by the parameters' names, whatever their order. Throws FormatError, and changes
   * nothing, for the state of an optimizer of another model and for numbers that no optimizer writes.
   */
  loadHostState(state: unknown): void {
    const saved = readHostState(this.constructor.name, state, this.names, this.#groups.length);
    this.stepCount = saved.stepCount;
    this.#steps = [...saved.steps];
    this.#groups.forEach((group, i) => {
      const rate = saved.learningRates[i];
      if (typeof rate === 'number' && typeof group.learningRate === 'number') group.learningRate = rate;
    });
  }

  /** By name, in snake_case as all names of parameters, and the parameter's. */
  #tensors(): Record<string, unknown> {
    const children: Record<string, Parameter> = Object.create(null);
    this.parameters.forEach((member, position) => {
      if (this.#state[position] === undefined && !member.trainable) return;
      const state = this.#stateOf(position);
      for (const name of namesOf<R['state'] | R['optionalState']>(state)) {
        const tensor = state[name];
        const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
        if (tensor !== undefined) children[`${snake}.${at(this.names, position)}`] = tensor;
      }
      const master = this.#masterOf(position);
      if (master !== null) children[`master_weight.${at(this.names, position)}`] = master;
    });
    if (this.#waiting.size === 0) return children;
    this.#accumulated?.forEach((sum, position) => {
      children[`accumulated.${at(this.names, position)}`] = sum;
    });
    return children;
  }
}

/**
 * The parameter with all its digits: those of its float32 copy, where that still is what the parameter was rounded from. Where it
 * is not, somebody gave the parameter another value since, and that one counts.
 */
function newestOf(master: Parameter, member: Parameter): Tensor {
  return where(master.cast(member.dtype).equal(member), master, member);
}

function zerosOf(shape: Shape): Parameter {
  const size = shape.reduce((product, length) => product * length, 1);
  return parameter(new Float32Array(size), { shape, buffer: true });
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

/** A tensor for each name that is true or has a shape of its own, so for all of `R['state']`. */
function stateOf<R extends Rule>(keeps: Readonly<Record<string, boolean | Shape>>, shape: Shape): State<R, Parameter> {
  const names = Object.keys(keeps).filter((name) => keeps[name] !== false);
  return record(names, (name) => zerosOf(Array.isArray(keeps[name]) ? keeps[name] : shape)) as State<R, Parameter>;
}
