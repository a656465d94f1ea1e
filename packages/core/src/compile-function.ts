/**
 * compile(fn): keeps what one call of a function asks of the device, and from the third call on replays it without
 * building the graph again. Never changes the meaning: what may differ between calls is part of the key or read anew,
 * and the second call traces again and compares. Calls run one after the other, each from the values that the one before
 * left; what a call advanced on the host is taken back where it fails. What a call leaves for the next is `replay.ts`.
 */
import type { Backend, Executable } from './backend.ts';
import { type Device, deviceOf } from './compile/device.ts';
import { hold, letGo, type Plan } from './compile/plan.ts';
import { profiles } from './compile/profiler.ts';
import { BackendError, isOutOfMemory, ValueError } from './errors.ts';
import { Footing } from './footing.ts';
import { hooks } from './graph/hooks.ts';
import { argument, type Node } from './graph/node.ts';
import { currentRecorder, type HostEvent, recorder, recordWith, takeBack } from './graph/recorder.ts';
import { noteLoss } from './graph/storage.ts';
import { homeOf, rehearse } from './graph/variable.ts';
import { passMark } from './padding.ts';
import { isParameter } from './parameter.ts';
import {
  differenceOf,
  finish,
  heirsOf,
  holds,
  isCurrent,
  isThere,
  placesOf,
  type Replay,
  repeatedOf,
  resultLeaf,
  sameOwners,
  sourceOf,
  variablesOf,
} from './replay.ts';
import { checkSynchronous, getDefaultBackend, settings } from './settings.ts';
import { sameShape, show } from './shape.ts';
import { describe, isShapedAs, rebuild, type Shaped, take } from './shaped.ts';
import { type Tensor, wrap } from './tensor.ts';

interface Variant {
  calls: number;
  replay: Replay;
}

/** The replay of the last call, with all that its key was made of: most calls are as the one before, and need no key. */
interface Remembered {
  readonly replay: Replay;
  readonly shaped: Shaped;
  readonly given: readonly Pick<Tensor, 'dtype' | 'shape'>[];
  readonly isTraining: boolean;
  /** What its last run left in place; null where none can be relied on. */
  readonly footing: Footing | null;
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
  last: Remembered | null = null;
  /** The types of arguments for which the host computes a part, so that there is more than one program. */
  readonly onHost = new Set<string>();

  get(key: string): Variant | undefined {
    return this.#byKey.get(key);
  }

  set(key: string, variant: Variant): void {
    this.last = null;
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
  /**
   * The call where nothing has to be waited for, as from the third step of a training on: its result, in a list. Null where
   * something has, and then nothing has happened: `step.atOnce(x) ?? (await step(x))`. Steps that take microseconds come
   * without a promise that way.
   */
  readonly atOnce: (...args: Arguments) => readonly [Result] | null;
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
  const atOnce = (...args: Arguments): readonly [Result] | null =>
    currentRecorder() === null ? again<Result>(variants, args) : null;
  const inTurn = async (args: Arguments): Promise<Result> => {
    const given: Tensor[] = [];
    const shaped = take(args, given);
    const device = deviceOf(backendOf(given));
    return device.turns.inTurn(async () => {
      const result = await run<Result>(fn, variants, shaped, given, device);
      await device.turns.pause();
      return result;
    });
  };
  const call = (...args: Arguments): Promise<Result> => {
    if (currentRecorder() === null) {
      try {
        const done = again<Result>(variants, args);
        return done === null ? inTurn(args) : Promise.resolve(done[0]);
      } catch (error) {
        return Promise.reject(error);
      }
    }
    throw new ValueError(
      'compile',
      'a compiled function was called inside another one (or in prepare), which cannot wait for its promise: ' +
        'call its inline(...) there, and it becomes a part of the outer program.',
    );
  };
  collected.register(call, variants.plans);
  return Object.assign(call, { inline: fn, atOnce });
}

/**
 * The replay of the last call with the arguments of this one, if they are alike and nothing has to be waited for. Null where it
 * is not so, and nothing has happened.
 */
function again<Result>({ last }: Variants, args: readonly unknown[]): readonly [Result] | null {
  if (last === null || hooks.inspect !== null || profiles.size > 0) return null;
  const given: Tensor[] = [];
  if (last.isTraining !== settings.isTraining || !isShapedAs(last.shaped, args, given)) return null;
  const { replay, footing } = last;
  const { device } = replay;
  if (backendOf(given) !== device.backend || !device.isFree) return null;
  for (let k = 0; k < given.length; k++) {
    const { dtype, shape, storage } = given[k]!.node;
    const type = last.given[k]!;
    if (dtype !== type.dtype || !sameShape(shape, type.shape)) return null;
    if (storage === null && !shape.includes(0)) return null;
  }
  if (!holds(replay)) return null;
  const isFooted = footing?.holds === true;
  if (!isFooted && !isThere(replay)) return null;
  device.turns.begin();
  try {
    if (isFooted) return footing.run<Result>(given);
    const done = finish<Result>(replay, given);
    footing?.find();
    return done instanceof Promise ? null : done; // it is one only while a profile is being taken
  } catch (error) {
    if (isOutOfMemory(error)) return null; // whoever may wait tries again
    throw error;
  } finally {
    device.turns.end();
  }
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
  if (variants.onHost.has(key)) return runOnce(fn, shaped, tensors, device);
  const variant = variants.get(key);
  if (variant !== undefined && variant.calls >= 2 && isCurrent(variant.replay)) {
    const { replay } = variant;
    const { isTraining } = settings;
    const [result] = await finish<Result>(replay, tensors);
    variant.calls++;
    const types = tensors.map(({ dtype, shape }) => ({ dtype, shape }));
    const footing = variants.last?.replay === replay ? variants.last.footing : Footing.of(replay);
    footing?.find();
    variants.last = { replay, shaped, given: types, isTraining, footing };
    return result;
  }
  let traced = trace(fn, shaped, tensors, device);
  if (traced === null) {
    if (variants.onHost.size < mostVariants) variants.onHost.add(key);
    return runOnce(fn, shaped, tensors, device);
  }
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
      const again = trace(fn, shaped, tensors, device);
      if (again === null) return await runOnce<Result>(fn, shaped, tensors, device);
      traced = again;
    }
    const { replay, events } = traced;
    const first = variant?.replay;
    const isComparable = first !== undefined && isCurrent(first) && sameOwners(first, replay);
    const difference = isComparable ? differenceOf(first, replay) : null;
    if (difference !== null) {
      throw new ValueError(
        'compile',
        `two calls of the function with arguments of the same types differ: ${difference}. ` +
          'What changes from call to call must be an argument, a numberSource, or a Parameter.',
      );
    }
    variants.set(key, { calls: (isComparable ? (variant?.calls ?? 0) : 0) + 1, replay });
    const [result] = await finish<Result>(replay, tensors, events);
    return result;
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

/**
 * Runs the function once on placeholders and binds what it asks for. Changes nothing but what `events` can take back. Null,
 * with everything taken back, where the host computes a part: there is more than one program then, and no replay.
 */
function trace(
  fn: (...args: never) => unknown,
  shaped: Shaped,
  tensors: readonly Tensor[],
  device: Device,
): { readonly replay: Replay; readonly events: HostEvent[] } | null {
  const placeholders = tensors.map(({ node }, k) => {
    const placeholder = argument(k, node.dtype, node.shape, device.backend);
    passMark(node, placeholder);
    return placeholder;
  });
  const record = recorder(true);
  const { events } = record;
  const { result, updates: all } = rehearse(() =>
    recordWith(record, () => {
      const args = rebuild(shaped, (position) => wrap(placeholders[position] as Node)) as never[];
      return checkSynchronous('compile', fn(...(args as never)));
    }),
  );
  const updates = all.filter(({ node }) => !node.shape.includes(0)); // what has no elements stays as it is
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
    const asked = outputs.map(({ node }) => node);
    if (device.hostWork(asked, updates).length > 0) {
      takeBack(events);
      return null;
    }
    const bound = device.prepare(asked, updates);
    const { plan, trace: graph } = bound;
    const donated = graph.donors.map((donor) => donor >= 0 && plan.donated.includes(donor));
    const places = placesOf(bound);
    const returned = bound.updatedRoots.map((root) => graph.roots.indexOf(graph.roots[root]!) < outputs.length);
    const { variables, twins } = variablesOf(graph.leaves, record.read);
    const replay = {
      bound,
      device,
      sources: graph.leaves.map((node) => sourceOf(node, variables)),
      conditions: [...record.conditions.values(), ...twins],
      twins: twins.length,
      frozen: record.frozen,
      frozenAt: -1,
      checks: [...record.checks.values()],
      events: repeatedOf(events, graph.numbers),
      numbers: Float64Array.from(graph.numbers, ({ attributes }) => attributes as number),
      result: shapedResult,
      places,
      returned,
      donated,
      heirs: heirsOf(bound, places, donated, returned),
      givenAway: new Set(updates.flatMap(({ variable }, k) => (donated[k] === true ? [variable] : []))),
    };
    return { replay, events };
  } catch (error) {
    takeBack(events);
    throw error;
  }
}

/**
 * Runs the function on the values themselves, so that eager debugging sees each operation, and the host can compute what only
 * it does; nothing is kept but the plans of the programs.
 */
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

function backendOf(tensors: readonly Tensor[]): Backend {
  for (const { backend } of tensors) if (backend !== null) return backend;
  return getDefaultBackend();
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
