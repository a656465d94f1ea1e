/**
 * compile(fn): keeps what one call of a function asks of the device, and from the third call on replays it without
 * building the graph again. Never changes the meaning: what may differ between calls is part of the key or read anew,
 * and the second call traces again and compares. Calls run one after the other, each from the values that the one before
 * left; what a call advanced on the host is taken back where it fails.
 */
import type { Backend, Executable } from './backend.ts';
import { type Bound, type Device, deviceOf } from './compile/device.ts';
import { sameKey } from './compile/key-stream.ts';
import { hold, letGo, type Plan } from './compile/plan.ts';
import { staleError } from './compile/trace.ts';
import { BackendError, ValueError } from './errors.ts';
import { hooks } from './graph/hooks.ts';
import { argument, leaf, type Node, type NumberSource } from './graph/node.ts';
import { currentRecorder, type HostEvent, recorder, recordWith, takeBack } from './graph/recorder.ts';
import { isSoleOwner, lossOf, noteLoss, type Storage } from './graph/storage.ts';
import { homeOf, rehearse, type Update, type Variable } from './graph/variable.ts';
import { inputsFirst } from './graph/walk.ts';
import { passMark } from './padding.ts';
import { isParameter } from './parameter.ts';
import { checkSynchronous, getDefaultBackend, settings } from './settings.ts';
import { show } from './shape.ts';
import { describe, rebuild, type Shaped, take } from './shaped.ts';
import { type Tensor, wrap } from './tensor.ts';

/** Where a leaf of the program gets its memory from, call after call. */
type Source =
  | { readonly kind: 'argument'; readonly position: number }
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'storage'; readonly storage: Storage };

interface Replay {
  readonly bound: Bound;
  readonly device: Device;
  readonly sources: readonly Source[];
  /** What the host repeats, in order: counters, and numbers with their place among the trace's numbers. */
  readonly events: readonly (
    | { readonly advance: () => void; readonly undo: () => void; readonly subject: object | null }
    | { readonly place: number; readonly source: NumberSource }
  )[];
  /** What must still hold: the flags of parameters that the function read. */
  readonly conditions: readonly (() => boolean)[];
  readonly numbers: Float64Array;
  /** The result of the function, with a number in place of each tensor: the root of the trace. */
  readonly result: Shaped;
  /** For each update whether the new value takes the memory of the old one; and the variables for which it does. */
  readonly donated: readonly boolean[];
  readonly givenAway: ReadonlySet<Variable>;
}

interface Variant {
  calls: number;
  replay: Replay;
}

const mostVariants = 64;

/** Releases the plans of compiled functions that nobody can reach any more. */
const collected = /* @__PURE__ */ new FinalizationRegistry<Set<Plan>>((plans) => {
  for (const plan of plans) {
    try {
      letGo(plan);
    } catch {
      // the device is gone, and its programs with it: nobody is here who could read the error
    }
  }
});

/** What was traced, by the types of the arguments; each entry holds its plan. */
class Variants {
  /** Apart from the entries, which may lead back to the function. */
  readonly plans: Set<Plan> = new Set();
  readonly #byKey = new Map<string, Variant>();

  get(key: string): Variant | undefined {
    return this.#byKey.get(key);
  }

  set(key: string, variant: Variant): void {
    const { plan } = variant.replay.bound;
    if (!this.plans.has(plan)) hold(plan);
    this.plans.add(plan);
    const old = this.#byKey.get(key);
    this.#byKey.delete(key);
    this.#byKey.set(key, variant);
    if (old !== undefined) this.#letGo(old);
    if (this.#byKey.size <= mostVariants) return;
    const [oldest] = this.#byKey;
    if (oldest === undefined) return;
    this.#byKey.delete(oldest[0]);
    this.#letGo(oldest[1]);
  }

  #letGo({ replay }: Variant): void {
    const { plan } = replay.bound;
    for (const other of this.#byKey.values()) if (other.replay.bound.plan === plan) return;
    if (this.plans.delete(plan)) letGo(plan);
  }
}

/** What `compile` gives: the function replayed, with a promise of its results. */
export interface CompiledFunction<Arguments extends readonly unknown[], Result> {
  (...args: Arguments): Promise<Result>;
  /** The function as it was given: inside another compiled function it becomes a part of that one's program. */
  readonly inline: (...args: Arguments) => Result;
}

/**
 * A faster version of a synchronous function from tensors to tensors, which may call `optimizer.step(loss)` inside. The
 * arguments and results are tensors, or arrays and records of them; other arguments are part of the key. The third call
 * with arguments of the same types no longer runs the function. Calls that were not awaited run one after the other.
 * Another compiled function calls `inline` of this one.
 *
 * @example
 * import { compile, type Tensor, tensor } from '@nn/core';
 * const norm = compile((x: Tensor) => x.square().sum().sqrt());
 * console.log(await (await norm(tensor([3, 4]))).item()); // => 5
 * const unit = compile((x: Tensor) => x.div(norm.inline(x)));
 * console.log(await (await unit(tensor([3, 4]))).array()); // => [ 0.6, 0.8 ]
 */
export function compile<Arguments extends readonly unknown[], Result>(
  fn: (...args: Arguments) => Result,
): CompiledFunction<Arguments, Result> {
  const variants = new Variants();
  const call = async (...args: Arguments): Promise<Result> => {
    const given: Tensor[] = [];
    const shaped = take(args, given);
    const device = deviceOf(backendOf(given));
    return device.inTurn(async () => {
      const result = await run<Result>(fn, variants, shaped, given, device);
      await device.pause();
      return result;
    });
  };
  const checked = (...args: Arguments): Promise<Result> => {
    if (currentRecorder() === null) return call(...args);
    throw new ValueError(
      'compile',
      'a compiled function was called inside another one (or in prepare), which cannot wait for its promise: ' +
        'call its inline(...) there, and it becomes a part of the outer program.',
    );
  };
  collected.register(checked, variants.plans);
  return Object.assign(checked, { inline: fn });
}

/** One call, from rest. Between the last wait and the new values of the variables nothing else runs. */
async function run<Result>(
  fn: (...args: never) => unknown,
  variants: Variants,
  shaped: Shaped,
  given: readonly Tensor[],
  device: Device,
): Promise<Result> {
  while (!isReady(given, device)) await settle(given, device);
  const tensors = given.map((x) => (isParameter(x) ? wrap(x.node) : x));
  if (hooks.inspect !== null) return runOnce(fn, shaped, tensors, device);
  const key = keyOf(shaped, tensors, device);
  const variant = variants.get(key);
  if (variant !== undefined && variant.calls >= 2 && isCurrent(variant.replay)) {
    const { replay } = variant;
    const result = await finish<Result>(replay, tensors, () => repeatHost(replay));
    variant.calls++;
    return result;
  }
  let traced = trace(fn, shaped, tensors, device);
  const held: Plan[] = [];
  try {
    while (traced.replay.bound.plan.executable === null) {
      const { plan } = traced.replay.bound;
      hold(plan); // the cache may forget it meanwhile
      held.push(plan);
      plan.executable = await (plan.compiling as Promise<Executable>);
      if (device.isAtRest && isCurrent(traced.replay)) break;
      // something moved on while the device compiled: this trace is of values that were
      takeBack(traced.events.splice(0));
      while (!isReady(given, device)) await settle(given, device);
      traced = trace(fn, shaped, tensors, device);
    }
    const { replay, events } = traced;
    const first = variant?.replay;
    const isComparable = first !== undefined && isCurrent(first) && sameDonors(first, replay);
    const difference = isComparable ? differenceOf(first, replay) : null;
    if (difference !== null) {
      throw new ValueError(
        'compile',
        `two calls of the function with arguments of the same types differ: ${difference}. ` +
          'What changes from call to call must be an argument, a numberSource, or a Parameter.',
      );
    }
    variants.set(key, { calls: (isComparable ? (variant?.calls ?? 0) : 0) + 1, replay });
    return await finish<Result>(replay, tensors, () => () => takeBack(events.splice(0)));
  } catch (error) {
    takeBack(traced.events.splice(0));
    noteLoss(device.backend, error);
    throw error;
  } finally {
    for (const plan of held) letGo(plan);
  }
}

const hasNoMemory = ({ node: { storage, shape } }: Tensor): boolean => storage === null && !shape.includes(0);

/** Whether all variables have the values that they mean, and the arguments have memory. True only until the next wait. */
function isReady(given: readonly Tensor[], device: Device): boolean {
  return device.isAtRest && !given.some(hasNoMemory);
}

async function settle(given: readonly Tensor[], device: Device): Promise<void> {
  await device.settle();
  const pending = given.filter(hasNoMemory).map(({ node }) => node);
  if (pending.length > 0) await device.update([], pending);
}

/** Runs the function once on placeholders and binds what it asks for. Changes nothing but what `events` can take back. */
function trace(
  fn: (...args: never) => unknown,
  shaped: Shaped,
  tensors: readonly Tensor[],
  device: Device,
): { readonly replay: Replay; readonly events: HostEvent[] } {
  const placeholders = tensors.map(({ node }, k) => {
    const placeholder = argument(k, node.dtype, node.shape, device.backend);
    passMark(node, placeholder);
    return placeholder;
  });
  const record = recorder(true);
  const { events } = record;
  const { result, updates } = rehearse(() =>
    recordWith(record, () => {
      const args = rebuild(shaped, (position) => wrap(placeholders[position] as Node)) as never[];
      return checkSynchronous('compile', fn(...(args as never)));
    }),
  );
  try {
    const elsewhere = updates.find((update) => (homeOf(update) ?? device.backend) !== device.backend);
    if (elsewhere !== undefined) {
      throw new BackendError(
        'compile',
        `the function runs on '${device.backend.name}' but replaces ${elsewhere.variable.name || 'a parameter'} on '${homeOf(elsewhere)?.name}': await move(model, optimizer, backend) first.`,
      );
    }
    const outputs: Tensor[] = [];
    const shapedResult = take(result, outputs);
    const variables = variablesOf(outputs, updates);
    const bound = device.prepare(
      outputs.map(({ node }) => node),
      updates,
    );
    const { plan, trace: graph } = bound;
    const donated = graph.donors.map((donor) => donor >= 0 && plan.donated.includes(donor));
    const places = new Map(graph.numbers.map((node, place) => [node, place]));
    const replay = {
      bound,
      device,
      sources: graph.leaves.map((node) => sourceOf(node, variables)),
      conditions: [...record.conditions.values()],
      events: events.flatMap((event): Replay['events'] => {
        if (event.kind === 'advance') return [{ advance: event.run, undo: event.undo, subject: event.subject }];
        const place = places.get(event.node);
        return event.source === null || place === undefined ? [] : [{ place, source: event.source }];
      }),
      numbers: Float64Array.from(graph.numbers, ({ attributes }) => attributes as number),
      result: shapedResult,
      donated,
      givenAway: new Set(updates.flatMap(({ variable }, k) => (donated[k] === true ? [variable] : []))),
    };
    return { replay, events };
  } catch (error) {
    takeBack(events);
    throw error;
  }
}

/** Runs the function on the values themselves, so that eager debugging sees each operation; nothing is kept. */
async function runOnce<Result>(
  fn: (...args: never) => unknown,
  shaped: Shaped,
  tensors: readonly Tensor[],
  device: Device,
): Promise<Result> {
  const outputs: Tensor[] = [];
  const record = recorder(false);
  const { events } = record;
  const { result, updates } = rehearse(() => {
    const made = recordWith(record, () =>
      checkSynchronous('compile', fn(...(rebuild(shaped, (position) => tensors[position]!) as never))),
    );
    return take(made, outputs);
  });
  const nodes = outputs.map(({ node }) => node);
  const before = updates.map(({ variable }) => variable.node);
  try {
    await device.update(updates, nodes);
  } catch (error) {
    takeBack(events);
    throw error;
  }
  updates.forEach(({ variable }, k) => {
    if (variable.node === before[k]) variable.node = variable.committed; // unless it was assigned meanwhile
  });
  return rebuild(result, (position) => {
    const node = nodes[position]!;
    return wrap(node.storage === null ? node : resultLeaf(node.storage, device)); // empty ones have no memory
  }) as Result;
}

/** What a result of a compiled function is: a value without a graph behind it. */
function resultLeaf(storage: Storage, device: Device): Node {
  const node = leaf(storage, device.backend);
  node.cut = 'is the result of a compiled function: take the gradient inside of it, or stopGradient() first.';
  return node;
}

function sourceOf(node: Node, variables: ReadonlyMap<Storage, Variable>): Source {
  if (node.storage === null) return { kind: 'argument', position: node.attributes as number };
  const variable = variables.get(node.storage);
  return variable === undefined ? { kind: 'storage', storage: node.storage } : { kind: 'variable', variable };
}

/** The host's part of a replay: counters advance, numbers are read anew. Returns what takes it back. */
function repeatHost({ events, numbers }: Replay): () => void {
  let done = 0;
  const undo = (): void => takeBack(events.slice(0, done));
  try {
    for (const event of events) {
      if ('advance' in event) event.advance();
      else numbers[event.place] = event.source.read();
      done++;
    }
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}

/** Runs the program, moves the variables on, and gives the results their memory. */
async function finish<Result>(
  replay: Replay,
  tensors: readonly Tensor[],
  advanceHost: () => () => void,
): Promise<Result> {
  const { bound, device, sources, numbers } = replay;
  const { plan, trace: graph, updates, updatedRoots } = bound;
  const args = tensors.map(({ node }) => node.storage as Storage);
  checkArguments(replay, args);
  const leaves = sources.map((source) => {
    if (source.kind === 'argument') return args[source.position]!;
    return source.kind === 'variable' ? (source.variable.committed.storage as Storage) : source.storage;
  });
  const undo = advanceHost();
  let made: Storage[];
  try {
    const outputs = device.run(plan, plan.executable as Executable, leaves, numbers);
    made = outputs instanceof Promise ? await outputs : outputs;
  } catch (error) {
    undo();
    noteLoss(device.backend, error);
    throw error;
  }
  const rootStorage = (root: number): Storage => {
    const output = plan.outputs[root]!;
    if (output >= 0) return made[output]!;
    const node = graph.roots[root]!;
    return leaves[graph.leaves.findIndex((other) => other === node || other.storage === node.storage)]!;
  };
  const result = rebuild(replay.result, (position) => wrap(resultLeaf(rootStorage(position), device)));
  const values = updatedRoots.map(rootStorage);
  // memory that was there before, or that is a result as well, has more than one owner
  plan.outputs.forEach((output, root) => {
    if (output < 0) rootStorage(root).isShared = true;
  });
  const returned = new Set(graph.roots.slice(0, graph.roots.length - updates.length));
  updates.forEach(({ variable }, k) => {
    const root = graph.roots[updatedRoots[k]!]!;
    if (returned.has(root)) values[k]!.isShared = true;
    device.advance(variable, values[k]!, replay.donated[k]!);
    variable.node = variable.committed;
  });
  for (const storage of made) device.residency.use(storage);
  return result as Result;
}

/** An argument may not be memory that the program gives away, or that an earlier one took. */
function checkArguments({ sources, donated, bound }: Replay, args: readonly Storage[]): void {
  for (const { spentBy } of args) if (spentBy !== null) throw staleError(spentBy);
  bound.trace.donors.forEach((donor, k) => {
    if (donated[k] !== true) return;
    const source = sources[donor];
    const storage = source?.kind === 'variable' ? source.variable.committed.storage : null;
    if (storage === null || !args.includes(storage)) return;
    throw new ValueError(
      'compile',
      'a parameter that the function replaces was passed as an argument: use it directly inside.',
    );
  });
}

/** The variables whose committed values the graph reads, by their memory. */
function variablesOf(outputs: readonly Tensor[], updates: readonly Update[]): Map<Storage, Variable> {
  const found = new Map<Storage, Variable>();
  const roots = [...outputs.map(({ node }) => node), ...updates.map(({ node }) => node)];
  for (const { storage } of inputsFirst(roots, ({ inputs }) => inputs)) {
    const variable = storage?.owner?.variable.deref();
    // of memory that two variables have, the owner is only the one that came last, and it may have moved on
    if (storage !== null && variable?.committed.storage === storage) found.set(storage, variable);
  }
  for (const { variable } of updates) found.set(variable.committed.storage as Storage, variable);
  return found;
}

/** Whether the memory that was captured is still there. */
function isCurrent({ sources, device, givenAway, conditions }: Replay): boolean {
  if (!conditions.every((holds) => holds())) return false;
  return sources.every((source) => {
    if (source.kind === 'argument') return true;
    const storage = source.kind === 'storage' ? source.storage : source.variable.committed.storage;
    if (storage === null || storage.spentBy !== null || lossOf(storage) !== null) return false;
    if (storage.backend !== null && storage.backend !== device.backend) return false;
    // what the program gives away must be the variable's alone
    return source.kind === 'storage' || !givenAway.has(source.variable) || isSoleOwner(storage);
  });
}

/**
 * Whether the same updates take over the same memory. They do not after the first step of a parameter whose first value
 * was memory of another's (`assign`): that call is not yet what later ones do.
 */
function sameDonors(first: Replay, second: Replay): boolean {
  const [a, b] = [first.bound.trace.donors, second.bound.trace.donors];
  return a.length !== b.length || a.every((donor, k) => donor === b[k]);
}

/** What two traces of one function do not share, in words. */
function differenceOf(first: Replay, second: Replay): string | null {
  const a = first.bound.trace;
  const b = second.bound.trace;
  if (!sameKey(a.key, b.key)) return 'they compute different things (an if, a loop or a shape depends on the outside)';
  if (!sameCounters(first, second)) return 'they advance other counters, or draw from other generators';
  for (const [k, source] of first.sources.entries()) {
    const other = second.sources[k]!;
    const same =
      source.kind === other.kind &&
      (source.kind === 'argument' ||
        (source.kind === 'variable' && source.variable === (other as typeof source).variable) ||
        (source.kind === 'storage' && source.storage === (other as typeof source).storage));
    if (!same)
      return `they use another tensor, ${show(b.leaves[k]!.shape)}, made in each call: make it once outside, or pass it as an argument`;
  }
  const read = new Set(second.events.flatMap((event) => ('place' in event ? [event.place] : [])));
  for (let place = 0; place < first.numbers.length; place++) {
    if (read.has(place) || Object.is(first.numbers[place], second.numbers[place])) continue;
    return `a number is ${first.numbers[place]} in the first and ${second.numbers[place]} in the second`;
  }
  return null;
}

function sameCounters(first: Replay, second: Replay): boolean {
  if (first.events.length !== second.events.length) return false;
  return first.events.every((event, k) => {
    const other = second.events[k]!;
    return 'advance' in event ? 'advance' in other && event.subject === other.subject : 'place' in other;
  });
}

function backendOf(tensors: readonly Tensor[]): Backend {
  return tensors.find(({ backend }) => backend !== null)?.backend ?? getDefaultBackend();
}

const backendNumbers = new WeakMap<Backend, number>();
let backendCount = 0;

function keyOf(shaped: Shaped, tensors: readonly Tensor[], { backend }: Device): string {
  let number = backendNumbers.get(backend);
  if (number === undefined) {
    number = backendCount++;
    backendNumbers.set(backend, number);
  }
  const types = tensors.map(({ dtype, shape }) => `${dtype}${show(shape)}`).join();
  return `${number}|${settings.isTraining}|${types}|${describe(shaped)}`;
}
