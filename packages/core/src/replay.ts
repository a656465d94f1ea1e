/**
 * What one call of a compiled function asked of the device, kept so that later calls repeat it: where each leaf of its
 * program gets its memory, what the host does beside it, whether it still holds, and in what two of them differ.
 * Finding or making one for a call is `compile-function.ts`.
 */
import type { Executable } from './backend.ts';
import type { Bound, Device } from './compile/device.ts';
import { sameKey } from './compile/key-stream.ts';
import { staleError } from './compile/trace.ts';
import { ValueError } from './errors.ts';
import { Counter } from './graph/counter.ts';
import { constant, leaf, type Node, type NumberSource } from './graph/node.ts';
import { type ArgumentCheck, type Condition, type HostEvent, takeBack } from './graph/recorder.ts';
import { isSameValue, isSoleOwner, lossOf, noteLoss, type Storage } from './graph/storage.ts';
import { countFreezes, type Variable } from './graph/variable.ts';
import { show } from './shape.ts';
import { rebuild, type Shaped } from './shaped.ts';
import { type Tensor, wrap } from './tensor.ts';

/** Where a leaf of the program gets its memory from, call after call. */
export type Source =
  | { readonly kind: 'argument'; readonly position: number }
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'storage'; readonly storage: Storage };

/** Where memory is found after a run; null where there is none. */
type Place = { readonly made: number } | { readonly leaf: number } | null;

/**
 * What the host does again: it reads a number, where that has a `place` among those of the trace, moves a counter on, or does
 * anything else. All are of one shape, because the engine of JavaScript looks at them before each run.
 */
export interface Repeated {
  readonly place: number | null;
  readonly source: NumberSource | null;
  readonly counter: Counter | null;
  readonly by: number;
  readonly advance: (() => void) | null;
  readonly undo: (() => void) | null;
  /** Whose state it is, where that is the same from call to call. */
  readonly subject: object | null;
}

export interface Replay {
  readonly bound: Bound;
  readonly device: Device;
  readonly sources: readonly Source[];
  /** What the host repeats, in order. */
  readonly events: readonly Repeated[];
  /** What must still hold. */
  readonly conditions: readonly Condition[];
  /** How many of them say that two variables share memory. */
  readonly twins: number;
  /** Whether the parameters that the function asked were frozen, and the count of answers that changed since when it is so. */
  readonly frozen: ReadonlyMap<Variable, boolean>;
  frozenAt: number;
  /** What arguments must be where the host has their values. */
  readonly checks: readonly ArgumentCheck[];
  readonly numbers: Float64Array;
  /** The result of the function, with a number in place of each tensor: the root of the trace. */
  readonly result: Shaped;
  /** For each root its memory after a run. */
  readonly places: readonly Place[];
  /** For each update whether its new value is a result of the function, too. */
  readonly returned: readonly boolean[];
  /** For each update whether the new value takes the memory of the old one; and the variables for which it does. */
  readonly donated: readonly boolean[];
  readonly givenAway: ReadonlySet<Variable>;
  /** For each output the variable that has it next and whose memory it takes over; null where it is a result as well. */
  readonly heirs: readonly (Variable | null)[];
}

/** What a result of a compiled function is: a value without a graph behind it. */
export function resultLeaf(storage: Storage, device: Device): Node {
  const node = leaf(storage, device.backend);
  node.cut = 'is the result of a compiled function: take the gradient inside of it, or stopGradient() first.';
  return node;
}

export function sourceOf(node: Node, variables: ReadonlyMap<Storage, Variable>): Source {
  if (node.storage === null) return { kind: 'argument', position: node.attributes as number };
  const variable = variables.get(node.storage);
  return variable === undefined ? { kind: 'storage', storage: node.storage } : { kind: 'variable', variable };
}

/** The host's part of a replay: counters advance, numbers are read anew. Where one of them throws, the others are taken back. */
export function repeatHost({ events, numbers }: Replay): void {
  let done = 0;
  try {
    for (; done < events.length; done++) {
      // only what is needed is looked at
      const event = events[done]!;
      const { place, counter } = event;
      if (counter !== null) {
        if (place === null) counter.move(event.by);
        else numbers[place] = counter.value;
      } else if (place === null) event.advance!();
      else numbers[place] = event.source!.read();
    }
  } catch (error) {
    takeBack(events.slice(0, done));
    throw error;
  }
}

/** Where the memory of each root of a program is found after a run: among its outputs, or among what it started from. */
export function placesOf({ trace, plan }: Bound): Place[] {
  return trace.roots.map((node, root): Place => {
    if (node.shape.includes(0)) return null; // it has no memory
    const output = plan.outputs[root]!;
    if (output >= 0) return { made: output };
    // a leaf itself: an argument is found as the node that it is, memory by what it is the memory of
    const isSame = (other: Node): boolean =>
      other === node || (node.storage !== null && other.storage === node.storage);
    return { leaf: trace.leaves.findIndex(isSame) };
  });
}

/** What of the events of a trace is repeated; `numbers` are those of its program. */
export function repeatedOf(events: readonly HostEvent[], numbers: readonly Node[]): Repeated[] {
  const places = new Map(numbers.map((node, place) => [node, place]));
  const none = { place: null, source: null, counter: null, by: 0, advance: null, undo: null, subject: null };
  return events.flatMap((event): Repeated[] => {
    if (event.kind === 'advance') {
      return [{ ...none, advance: event.run, undo: event.undo, subject: event.subject }];
    }
    if (event.kind === 'growth') {
      const { counter, by, undo } = event;
      return [{ ...none, counter, by, undo, subject: counter }];
    }
    const place = places.get(event.node);
    const { source } = event;
    if (source === null || place === undefined) return [];
    return [{ ...none, place, source, counter: source instanceof Counter ? source : null }];
  });
}

/** The `heirs` of a replay. */
export function heirsOf(
  { updates, updatedRoots, plan }: Bound,
  places: readonly Place[],
  donated: readonly boolean[],
  returned: readonly boolean[],
): (Variable | null)[] {
  const heirs = plan.program.outputs.map((): Variable | null => null);
  const taken = new Set<number>();
  updates.forEach(({ variable }, k) => {
    const place = places[updatedRoots[k]!];
    if (!place || !('made' in place)) return;
    // what two variables have next is nobody's alone
    heirs[place.made] = donated[k] === true && returned[k] !== true && !taken.has(place.made) ? variable : null;
    taken.add(place.made);
  });
  return heirs;
}

/**
 * Runs the program on the memory of the arguments, moves the variables on, and gives the results their memory: at once, but
 * while a profile is being taken. The answer is a list of one, for a result may be anything. `traced`: what the host has done
 * already while the function was traced; without it the host's part is repeated. It is taken back where the program fails.
 */
export function finish<Result>(
  replay: Replay,
  given: readonly Tensor[],
  traced: HostEvent[] | null = null,
): readonly [Result] | Promise<readonly [Result]> {
  // loops, not closures: this runs for every step, and some take a microsecond
  const { bound, device, numbers } = replay;
  checkArguments(replay, given);
  const leaves = leavesOf(replay, given);
  if (traced === null) repeatHost(replay);
  let made: Storage[] | Promise<Storage[]>;
  try {
    made = device.run(bound.plan, bound.plan.executable as Executable, leaves, numbers, replay.heirs);
  } catch (error) {
    return fail(replay, traced, error);
  }
  return made instanceof Promise ? later<Result>(replay, leaves, made, traced) : settle<Result>(replay, leaves, made);
}

async function later<Result>(
  replay: Replay,
  leaves: readonly Storage[],
  made: Promise<Storage[]>,
  traced: HostEvent[] | null,
): Promise<readonly [Result]> {
  const outputs = await made.catch((error: unknown) => fail(replay, traced, error));
  return settle<Result>(replay, leaves, outputs);
}

export function fail({ events, device }: Replay, traced: HostEvent[] | null, error: unknown): never {
  takeBack(traced?.splice(0) ?? events);
  noteLoss(device.backend, error);
  throw error;
}

/** The memory of the leaves of the program. */
export function leavesOf({ sources }: Replay, given: readonly Tensor[]): Storage[] {
  const leaves: Storage[] = [];
  for (const source of sources) leaves.push(memoryOf(source, given) as Storage);
  return leaves;
}

/** Of one that is current. */
export function memoryOf(source: Source, given: readonly Tensor[]): Storage | null {
  if (source.kind === 'variable') return source.variable.committed.storage;
  return source.kind === 'argument' ? given[source.position]!.node.storage : source.storage;
}

function memoryAt(place: NonNullable<Place>, leaves: readonly Storage[], made: readonly Storage[]): Storage {
  return 'made' in place ? made[place.made]! : leaves[place.leaf]!;
}

/** What follows a run: nothing waits here, so that nobody sees a half of it. */
export function settle<Result>(
  replay: Replay,
  leaves: readonly Storage[],
  made: readonly Storage[],
): readonly [Result] {
  const { bound, device, places, donated, returned } = replay;
  const { updates, updatedRoots } = bound;
  const result = resultOf(replay, leaves, made);
  // memory that was there before, or that is a result as well, has more than one owner
  for (const place of places) if (place !== null && 'leaf' in place) leaves[place.leaf]!.isShared = true;
  for (let k = 0; k < updates.length; k++) {
    const { variable } = updates[k]!;
    // updates of what has no elements were left out
    const value = memoryAt(places[updatedRoots[k]!] as NonNullable<Place>, leaves, made);
    if (returned[k] === true) value.isShared = true;
    // mostly the storage that it has goes on
    if (variable.committed.storage !== value) device.advance(variable, value, donated[k]!);
    variable.node = variable.committed;
  }
  for (const storage of made) if (storage.owners === 0) device.residency.use(storage);
  // the cast: what the function gave, with other tensors in the places of its own
  return [result as Result];
}

/** What the function gave, with tensors of this run in it. */
function resultOf(
  { result, places, bound, device }: Replay,
  leaves: readonly Storage[],
  made: readonly Storage[],
): unknown {
  if (result.kind === 'other') return result.value;
  return rebuild(result, (root) => {
    const place = places[root]!;
    if (place !== null) return wrap(resultLeaf(memoryAt(place, leaves, made), device));
    const { dtype, shape } = bound.trace.roots[root]!;
    return wrap(constant(0, dtype, shape, device.backend));
  });
}

/** An argument may not be memory that the program gives away, or that an earlier one took, nor indices that are outside. */
export function checkArguments({ givenAway, checks }: Replay, given: readonly Tensor[]): void {
  for (let k = 0; k < checks.length; k++) checks[k]!(given);
  for (const { node } of given) {
    const { storage } = node;
    if (storage === null) continue;
    if (storage.spentBy !== null) throw staleError(storage.spentBy);
    if (storage.owners === 0) continue;
    for (const variable of givenAway) {
      if (variable.committed.storage !== storage) continue;
      throw new ValueError(
        'compile',
        'a parameter that the function replaces was passed as an argument: use it directly inside.',
      );
    }
  }
}

/** That two variables share memory: a copy takes no other until one of them moves on. */
class Twins implements Condition {
  readonly #one: Variable;
  readonly #other: Variable;

  constructor(one: Variable, other: Variable) {
    this.#one = one;
    this.#other = other;
  }

  get holds(): boolean {
    return this.#one.committed.storage === this.#other.committed.storage;
  }
}

/**
 * The variables whose committed values the leaves of a graph are, by their memory, and those `read` that are twins: they are one leaf,
 * so a replay holds for as long as they share it.
 */
export function variablesOf(
  leaves: readonly Node[],
  read: Iterable<Variable>,
): { readonly variables: ReadonlyMap<Storage, Variable>; readonly twins: readonly Twins[] } {
  const variables = new Map<Storage, Variable>();
  const twins: Twins[] = [];
  const met = new Set(leaves.map(({ storage }) => storage));
  for (const variable of read) {
    const { storage } = variable.committed;
    if (storage === null || !met.has(storage)) continue;
    const twin = variables.get(storage);
    if (twin === undefined) variables.set(storage, variable);
    else twins.push(new Twins(twin, variable));
  }
  return { variables, twins };
}

/** Whether what the function asked of the host still has the same answer. */
export function holds(replay: Replay): boolean {
  const { conditions, frozen } = replay;
  for (let k = 0; k < conditions.length; k++) if (!conditions[k]!.holds) return false;
  // one number for all parameters: a question to each would be a part of a small step
  if (replay.frozenAt === countFreezes()) return true;
  for (const [variable, isFrozen] of frozen) if (variable.isFrozen !== isFrozen) return false;
  replay.frozenAt = countFreezes();
  return true;
}

/** Whether the memory that was captured is still there, and all that the function asked holds. */
export function isCurrent(replay: Replay): boolean {
  return holds(replay) && isThere(replay);
}

/** Whether the memory that was captured is still there. */
export function isThere({ sources, device, givenAway }: Replay): boolean {
  // loops, not closures: this runs for every step, and some take a few microseconds
  for (let k = 0; k < sources.length; k++) {
    const source = sources[k]!;
    if (source.kind === 'argument') continue;
    const storage = source.kind === 'storage' ? source.storage : source.variable.committed.storage;
    if (storage === null || storage.spentBy !== null || lossOf(storage) !== null) return false;
    if (storage.backend !== null && storage.backend !== device.backend) return false;
    // what the program gives away must be the variable's alone
    if (source.kind === 'variable' && !isSoleOwner(storage) && givenAway.has(source.variable)) return false;
  }
  return true;
}

/**
 * Whether the same memory is shared, and the same updates take over the same. They do not after the first step of a parameter whose
 * first value was memory of another's (`assign`), or after a copy was made of it: that call is not yet what later ones do.
 */
export function sameOwners(first: Replay, second: Replay): boolean {
  const [a, b] = [first.bound.trace.donors, second.bound.trace.donors];
  return first.twins === second.twins && (a.length !== b.length || a.every((donor, k) => donor === b[k]));
}

/** What two traces of one function do not share, in words. */
export function differenceOf(first: Replay, second: Replay): string | null {
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
        (source.kind === 'storage' && isSameValue(source.storage, (other as typeof source).storage)));
    if (!same)
      return `they use another tensor, ${show(b.leaves[k]!.shape)}, made in each call: make it once outside, pass it as an argument, or, if its values never change, say tensor(..., { constant: true })`;
  }
  const read = new Set(second.events.map(({ place }) => place));
  for (let place = 0; place < first.numbers.length; place++) {
    if (read.has(place) || Object.is(first.numbers[place], second.numbers[place])) continue;
    return `a number is ${first.numbers[place]} in the first and ${second.numbers[place]} in the second`;
  }
  return null;
}

function sameCounters(first: Replay, second: Replay): boolean {
  if (first.events.length !== second.events.length) return false;
  return first.events.every(({ place, subject }, k) => {
    const other = second.events[k]!;
    return (place === null) === (other.place === null) && subject === other.subject;
  });
}
