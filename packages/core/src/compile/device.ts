/**
 * What is asked for of one backend: collects the reads of one turn of the event loop into one Program, finds or makes its
 * plan, has it run in order (`runner.ts`), and hands out the results. All-or-nothing: until a program has run, no variable
 * and no tensor has changed. Who may begin when is `turns.ts`, what becomes of old memory `advance.ts`. Its length is the
 * way of a request, from what is asked for to what has changed.
 */
import type { Backend, Executable, TensorData } from '../backend.ts';
import { allocate } from '../dtype.ts';
import { isOutOfMemory } from '../errors.ts';
import { hooks } from '../graph/hooks.ts';
import { letInputsGo, type Node } from '../graph/node.ts';
import { isSoleOwner, lossOf, noteLoss, Storage } from '../graph/storage.ts';
import { dirtyOn, isClean, takeUpdates, type Update, undoUpdates, type Variable } from '../graph/variable.ts';
import { inputsOfGradient } from '../graph/walk.ts';
import { getDefaultBackend } from '../settings.ts';
import { sizeOf } from '../shape.ts';
import { advance } from './advance.ts';
import { Pace } from './pace.ts';
import { hold, letGo, type Plan, PlanCache } from './plan.ts';
import { recordings } from './profiler.ts';
import { Residency } from './residency.ts';
import { Runner } from './runner.ts';
import { cutSpent } from './spent.ts';
import { awaitsHost, drawnBehind, resolve, staleError, type Trace, traceGraph, withCompared } from './trace.ts';
import { Turns } from './turns.ts';

/** Downloaded results up to this size leave the device at once. */
const smallResult = 4096;

/** One Program to be: what to compute, which variables it moves on, and who reads which result. */
interface Request {
  readonly roots: Node[];
  readonly updates: readonly Update[];
  readonly reads: { readonly node: Node; readonly resolve: (data: Promise<TensorData>) => void }[];
  readonly settle: { readonly resolve: () => void; readonly reject: (reason: unknown) => void }[];
}

/** A plan with everything that one run of it needs. */
export interface Bound {
  readonly plan: Plan;
  readonly trace: Trace;
  readonly updates: readonly Update[];
  /** For each update the place of its new value among the roots. */
  readonly updatedRoots: readonly number[];
}

/** Of runs whose outputs are nobody's next value. */
const nobody: readonly null[] = [];

const devices = new WeakMap<Backend, Device>();

export function deviceOf(backend: Backend): Device {
  let device = devices.get(backend);
  if (device === undefined) {
    device = new Device(backend);
    devices.set(backend, device);
  }
  return device;
}

const residencyOf = (backend: Backend): Residency => deviceOf(backend).residency;

/** The device that computes a node: its own, or the default. */
export function deviceFor(node: Node): Device {
  return deviceOf(node.backend ?? getDefaultBackend());
}

/** What nodes are computed from, as far as it has no memory yet. */
function inputsOf(nodes: readonly Node[]): Node[] {
  const inputs = nodes.flatMap((node) => node.inputs.map(resolve));
  return [...new Set(inputs)].filter(({ storage, shape }) => storage === null && sizeOf(shape) > 0);
}

export class Device {
  readonly backend: Backend;
  readonly plans: PlanCache;
  readonly residency: Residency;
  readonly turns: Turns;
  readonly #queue: Request[] = [];
  #collecting: Request | null = null;
  #waiting = false;
  /** What debugging looks at before it runs: its updates wait, and are in no queue yet. */
  #inspections = 0;
  readonly runner: Runner;

  constructor(backend: Backend) {
    this.backend = backend;
    this.plans = new PlanCache(backend);
    this.residency = new Residency(backend, residencyOf);
    const pace = new Pace();
    this.turns = new Turns(this.residency, pace);
    this.runner = new Runner(backend, residencyOf, this.residency, pace);
  }

  /** The values of a node, computed with everything else that is read in this turn. A fresh copy. */
  async read(node: Node): Promise<TensorData> {
    if (sizeOf(node.shape) === 0) return allocate(node.dtype, 0);
    if (hooks.inspect !== null) await this.#inspect([], [node]);
    const source = resolve(node);
    const data = await (source.storage === null ? this.#collectRead(source) : this.#taken(source.storage));
    const pause = this.turns.pause();
    if (pause !== undefined) await pause;
    return data;
  }

  /** The same where nothing has to be waited for: on the host, or on a device that has nothing under way. Else null. */
  readAtOnce(node: Node): TensorData | null {
    const { storage } = resolve(node);
    if (storage === null || hooks.inspect !== null) return null;
    if (storage.host === null && this.backend.isSynchronous !== true) return null;
    try {
      const data = this.#taken(storage);
      if (ArrayBuffer.isView(data)) return data;
      data.catch(() => {});
    } catch {} // whoever reads and waits is told
    return null;
  }

  /** Moves variables on and computes `also`, in one Program, now. */
  async update(variables: readonly Update[], also: readonly Node[]): Promise<void> {
    const updates = this.#dirtyUpdates(variables);
    if (hooks.inspect !== null) await this.#inspect(updates, [...also, ...updates.map(({ node }) => node)]);
    const request = this.#takeCollected();
    request.roots.push(...also);
    const done = new Promise<void>((resolve, reject) => request.settle.push({ resolve, reject }));
    this.#enqueue({ ...request, updates });
    await done;
    const pause = this.turns.pause();
    if (pause !== undefined) await pause;
  }

  /** The values of nodes, in a program of their own that moves no variable on: for debugging. */
  compute(nodes: readonly Node[]): Promise<TensorData[]> {
    const request: Request = { roots: [...nodes], updates: [], reads: [], settle: [] };
    const values = nodes.map(
      (node) =>
        new Promise<TensorData>((resolve, reject) => {
          request.reads.push({ node, resolve });
          request.settle.push({ resolve: () => undefined, reject });
        }),
    );
    this.#enqueue(request);
    return Promise.all(values);
  }

  /** Waits for debugging to look at what is about to run; where it finds something, nothing has happened. */
  async #inspect(updates: readonly Update[], roots: readonly Node[]): Promise<void> {
    this.#inspections++;
    try {
      await hooks.inspect?.(roots);
    } catch (error) {
      undoUpdates([...updates, ...takeUpdates(this.backend)]);
      throw error;
    } finally {
      this.#inspections--;
    }
  }

  /** Whether everything that was asked for has run, and all variables have the values that they mean. */
  get isAtRest(): boolean {
    return (
      !this.#waiting &&
      this.#inspections === 0 &&
      this.#collecting === null &&
      this.#queue.length === 0 &&
      !this.#hasDirty()
    );
  }

  /** Resolves when everything asked for so far has run. */
  async settle(): Promise<void> {
    while (!this.isAtRest) await this.update([], []);
  }

  /** Whether work that starts from rest may do so now: nobody else has the turn, and nothing has to be waited for. */
  get isFree(): boolean {
    return this.turns.isFree && this.isAtRest && !this.turns.isBreathless;
  }

  /** The plan of a graph. Throws before anything has changed. */
  prepare(requested: readonly Node[], updates: readonly Update[]): Bound {
    return this.#bind(this.#trace(requested, updates), requested.length, updates);
  }

  #bind(trace: Trace, requested: number, updates: readonly Update[]): Bound {
    const updatedRoots: number[] = [];
    for (let k = 0; k < updates.length; k++) updatedRoots.push(requested + k);
    const plan = this.plans.find(trace, updatedRoots);
    for (const { found } of recordings) found(plan, trace);
    return { plan, trace, updates, updatedRoots };
  }

  /** What the host must compute before a program can: for each step towards it the nodes that only the host computes. */
  hostWork(requested: readonly Node[], updates: readonly Update[]): Node[][] {
    const found: Node[][] = [];
    let nodes = this.#trace(requested, updates).leaves.filter(awaitsHost);
    while (nodes.length > 0) {
      found.unshift(nodes);
      nodes = this.#trace(inputsOf(nodes), []).leaves.filter(awaitsHost);
    }
    const done = new Set<Node>();
    return found.map((list) => list.filter((node) => !done.has(node) && done.add(node)));
  }

  #trace(requested: readonly Node[], updates: readonly Update[]): Trace {
    const roots = [...requested];
    const asked = new Set<Node>();
    // memory that some root has already stays what it is
    const kept = new Set<Storage>();
    for (const node of requested) {
      const root = resolve(node);
      asked.add(root);
      if (root.storage !== null) kept.add(root.storage);
    }
    for (const { node } of updates) {
      roots.push(node);
      const { storage } = resolve(node);
      if (storage !== null) kept.add(storage);
    }
    const donors: (Storage | null)[] = [];
    for (const { variable, node } of updates) {
      donors.push(asked.has(resolve(node)) ? null : this.#donorOf(variable, kept));
    }
    const { exactInt32, inPlace, loops = false } = this.backend.limits;
    return traceGraph(roots, !exactInt32, donors, loops && inPlace);
  }

  /**
   * Runs the plan; returns one storage for each output, or the promise of them while a profile is being taken. See `Runner.run`
   * for `heirs`.
   */
  run(
    plan: Plan,
    executable: Executable,
    leaves: readonly Storage[],
    numbers: ArrayLike<number>,
    heirs: readonly (Variable | null)[] = nobody,
  ): Storage[] | Promise<Storage[]> {
    return this.runner.run(plan, executable, leaves, numbers, heirs);
  }

  /** The variable has the new value. Returns the storage of the old one if it is spent now. */
  advance(variable: Variable, storage: Storage, isDonated: boolean, node: Node | null = null): Storage | null {
    return advance(variable, storage, { isDonated, node }, this.residency, residencyOf);
  }

  /** The values of a storage; small ones leave the device, and of others the last ones alone stay. */
  async fetch(storage: Storage): Promise<TensorData> {
    return this.#taken(storage);
  }

  /** The same: itself where the device need not be waited for. */
  #taken(storage: Storage): TensorData | Promise<TensorData> {
    const loss = lossOf(storage);
    if (loss !== null) throw loss;
    if (storage.spentBy !== null) throw staleError(storage.spentBy);
    if (storage.host !== null) return storage.host.slice();
    const backend = storage.backend as Backend;
    const lost = (error: unknown): never => {
      noteLoss(backend, error);
      throw error;
    };
    let found: TensorData | Promise<TensorData>;
    try {
      found = backend.download(storage.buffer as object);
    } catch (error) {
      return lost(error);
    }
    return ArrayBuffer.isView(found)
      ? this.#noteRead(storage, found)
      : found.then((data) => this.#noteRead(storage, data), lost);
  }

  /** What was read of a storage that nothing owns stays on the host. */
  #noteRead(storage: Storage, data: TensorData): TensorData {
    if (storage.owners === 0 && storage.buffer !== null && storage.host === null) {
      storage.host = data.slice();
      const { residency } = deviceOf(storage.backend as Backend);
      if (sizeOf(storage.shape) <= smallResult) residency.drop(storage);
      else residency.read(storage);
    }
    return data;
  }

  #collectRead(node: Node): Promise<TensorData> {
    return new Promise<TensorData>((resolve, reject) => {
      if (this.#collecting === null) {
        this.#collecting = { roots: [], updates: [], reads: [], settle: [] };
        queueMicrotask(() => {
          if (this.#collecting !== null) this.#enqueue({ ...this.#takeCollected(), updates: this.#dirtyUpdates([]) });
        });
      }
      this.#collecting.roots.push(node);
      this.#collecting.reads.push({ node, resolve });
      this.#collecting.settle.push({ resolve: () => undefined, reject });
    });
  }

  #hasDirty(): boolean {
    if (isClean()) return false;
    for (const _ of dirtyOn(this.backend)) return true;
    return false;
  }

  #takeCollected(): Request {
    const request = this.#collecting ?? { roots: [], updates: [], reads: [], settle: [] };
    this.#collecting = null;
    return request;
  }

  /** The given updates and those of all other variables of this device that wait for a program. */
  #dirtyUpdates(first: readonly Update[]): Update[] {
    const all = [...first];
    const waiting = takeUpdates(this.backend);
    if (waiting.length === 0) return all;
    const named = new Set<Variable>();
    for (const { variable } of first) named.add(variable);
    for (const update of waiting) if (!named.has(update.variable)) all.push(update);
    return all;
  }

  #enqueue(request: Request): void {
    this.#queue.push(request);
    this.#pump();
  }

  /** Runs the queue in order. Stays synchronous as long as plans are compiled. */
  #pump(): void {
    while (!this.#waiting) {
      const request = this.#queue.shift();
      if (request === undefined) return;
      try {
        const pending = this.#execute(request);
        if (pending === undefined) continue;
        this.#wait(request, pending);
      } catch (error) {
        if (isOutOfMemory(error)) this.#wait(request, Promise.reject(error));
        else this.#fail(request, error);
      }
    }
  }

  /** The queue goes on when the request has run, at the second try if there was no memory at the first, or has failed. */
  #wait(request: Request, pending: Promise<void>): void {
    this.#waiting = true;
    pending
      .catch(async (error: unknown) => {
        if (!isOutOfMemory(error)) throw error;
        await this.residency.relieve();
        await this.#execute(request);
      })
      .catch((error: unknown) => this.#fail(request, error))
      .then(() => {
        this.#waiting = false;
        this.#pump();
      });
  }

  #execute(request: Request): Promise<void> | undefined {
    const roots: Node[] = [];
    for (const node of new Set(withCompared(request.roots))) if (sizeOf(node.shape) > 0) roots.push(node);
    const updates: Update[] = [];
    for (const update of request.updates) {
      if (sizeOf(update.node.shape) > 0 && update.variable.committed !== update.node) updates.push(update);
    }
    const trace = this.#trace(roots, updates);
    const onHost = trace.leaves.filter(awaitsHost);
    if (onHost.length > 0) return this.#computeOnHost(onHost).then(() => this.#execute(request));
    const bound = this.#bind(trace, roots.length, updates);
    const { plan } = bound;
    if (plan.executable !== null) return this.#complete(request, bound, plan.executable);
    hold(plan); // the cache may forget it meanwhile
    return (plan.compiling as Promise<Executable>)
      .then((executable) => {
        plan.executable = executable;
        return this.#complete(request, bound, executable);
      })
      .finally(() => letGo(plan));
  }

  /** Gives nodes that only the host computes their memory, from that of their inputs, which a program computes before. */
  async #computeOnHost(nodes: readonly Node[]): Promise<void> {
    const inputs = inputsOf(nodes);
    if (inputs.length > 0) await this.#execute({ roots: inputs, updates: [], reads: [], settle: [] });
    for (const node of nodes.filter(awaitsHost)) {
      const values = await Promise.all(node.inputs.map((input) => this.#valuesOf(resolve(input))));
      const data = node.primitive.compute?.(values, node) as TensorData;
      node.storage = new Storage(node.dtype, node.shape, data);
    }
  }

  /** The values of a realised node, to be read only. */
  #valuesOf({ storage, dtype }: Node): TensorData | Promise<TensorData> {
    if (storage === null) return allocate(dtype, 0);
    return storage.host !== null && storage.spentBy === null ? storage.host : this.fetch(storage);
  }

  #complete(request: Request, bound: Bound, executable: Executable): Promise<void> | undefined {
    const { plan, trace } = bound;
    const leaves: Storage[] = [];
    for (const { storage } of trace.leaves) leaves.push(storage as Storage);
    const numbers: number[] = [];
    for (const { attributes } of trace.numbers) numbers.push(attributes as number);
    const settle = (outputs: readonly Storage[]): void => {
      this.#commit(bound, outputs, request.roots);
      for (const { node, resolve } of request.reads) resolve(this.fetch(node.storage as Storage));
      for (const { resolve } of request.settle) resolve();
    };
    const outputs = this.run(plan, executable, leaves, numbers);
    if (outputs instanceof Promise) return outputs.then(settle);
    settle(outputs);
    return undefined;
  }

  /** Gives roots and variables their new memory, and cuts off what can no longer be computed again. */
  #commit({ plan, trace, updates, updatedRoots }: Bound, outputs: readonly Storage[], asked: readonly Node[]): void {
    trace.roots.forEach((root, k) => {
      const output = plan.outputs[k]!;
      if (output < 0) {
        // a value that had memory before is a result as well: that memory has more than one owner now
        (root.storage as Storage).isShared = true;
        return;
      }
      const storage = outputs[output]!;
      root.storage = storage;
      root.backend = this.backend;
      const drawn = drawnBehind(root);
      if (drawn !== null) drawn.storage = storage;
      this.residency.use(storage);
    });
    const spent = new Map<Storage, string>();
    const shared = new Set(asked.map(resolve));
    updates.forEach(({ variable, node }, k) => {
      const root = trace.roots[updatedRoots[k]!]!;
      const storage = root.storage as Storage;
      if (shared.has(root)) storage.isShared = true; // it was asked for as well, so it belongs to a tensor too
      const donor = trace.donors[k]!;
      // the node of the assignment stays what it is to gradients, and becomes a leaf
      node.storage = storage;
      letInputsGo(node);
      node.backend = storage.backend ?? node.backend;
      const old = this.advance(variable, storage, donor >= 0 && plan.donated.includes(donor), node);
      if (old !== null) spent.set(old, variable.name);
      if (variable.node === node) variable.node = variable.committed;
    });
    for (const node of asked) {
      // a transparent node shares the memory of what it stands for
      if (node.storage === null) node.storage = resolve(node).storage;
      if (inputsOfGradient(node).length === 0) letInputsGo(node); // no gradient will ask for them
    }
    if (spent.size > 0) cutSpent([...asked, ...trace.roots], spent);
  }

  /** Everything that waited behind a failed program fails with it; variables keep their last computed values. */
  #fail(request: Request, error: unknown): void {
    noteLoss(this.backend, error);
    const rest = this.#queue.splice(0);
    for (const { updates, settle } of [request, ...rest]) {
      undoUpdates(updates);
      for (const { reject } of settle) reject(error);
    }
  }

  /** The storage whose memory the variable's next value may take: its own, if nothing else has it. */
  #donorOf(variable: Variable, kept: ReadonlySet<Storage>): Storage | null {
    const { storage } = variable.committed;
    if (storage === null || !isSoleOwner(storage)) return null;
    if (storage.backend !== null && storage.backend !== this.backend) return null;
    return kept.has(storage) ? null : storage;
  }
}
