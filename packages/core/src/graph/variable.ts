/** A named place whose value can be replaced: what a Parameter is made of, without the tensor's methods. */
import type { Backend, TensorData } from '../backend.ts';
import { Assigned } from './custom-gradient.ts';
import { apply, type Node } from './node.ts';
import { currentRecorder } from './recorder.ts';
import { isSoleOwner, type Storage } from './storage.ts';

/** What a variable holds, apart from it: whoever knows only this does not keep the variable alive. */
export class Holding {
  storage: Storage | null = null;
  name: string;
  /** Whether somebody waits for the variable to be collected. */
  isWatched = false;
  readonly variable: WeakRef<Variable>;

  constructor(variable: Variable, name: string) {
    this.variable = new WeakRef(variable);
    this.name = name;
  }
}

let variablesMade = 0;
let freezes = 0;

/** How many variables that can be trained were made so far. */
export function countVariables(): number {
  return variablesMade;
}

/** How often a variable was frozen or unfrozen so far. */
export function countFreezes(): number {
  return freezes;
}

export class Variable {
  #node: Node;
  /** The last value that has memory. Equal to `node` when nothing is waiting to be computed. */
  committed: Node;
  /** Whether it is state beside training (running statistics, counters, moments), which no optimizer ever changes. */
  readonly isBuffer: boolean;
  #isFrozen = false;
  /** Where it was made; null for buffers. */
  origin: Error | null = null;
  /** The values at the last backup, and which backup that was. */
  copy: { readonly values: TensorData; readonly moment: object } | null = null;
  /** Whether anybody may have `committed`: only a value that nobody was given can change where it stands. */
  isGiven = true;
  readonly holding: Holding;

  constructor(node: Node, name: string, isBuffer: boolean) {
    this.#node = node;
    this.committed = node;
    this.isBuffer = isBuffer;
    if (!isBuffer) variablesMade++;
    this.holding = new Holding(this, name);
  }

  /** The value in the meaning of the program: replaced at once by an assignment. */
  get node(): Node {
    this.isGiven = true;
    if (this.#node === this.committed) currentRecorder()?.read.add(this);
    return this.#node;
  }

  set node(node: Node) {
    this.#node = node;
  }

  /** The same for who looks at it, and keeps it for nobody. */
  get seen(): Node {
    return this.#node;
  }

  /** Whether it is to stay as it is. */
  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  set isFrozen(isFrozen: boolean) {
    if (isFrozen !== this.#isFrozen) freezes++;
    this.#isFrozen = isFrozen;
  }

  get name(): string {
    return this.holding.name;
  }

  set name(name: string) {
    this.holding.name = name;
  }

  get isDirty(): boolean {
    return this.#node !== this.committed;
  }

  /**
   * The storage of its value on a device, if nobody but the variable knows it: the next value in the same memory may then have
   * it, for nobody can tell. Null where somebody may.
   */
  storageAlone(backend: Backend): Storage | null {
    const { storage } = this.committed;
    if (this.isGiven || storage === null || storage.backend !== backend || !isSoleOwner(storage)) return null;
    return storage;
  }

  /** The storage is the variable's from now on. */
  own(storage: Storage): void {
    storage.owners++;
    storage.owner = this.holding;
    this.holding.storage = storage;
  }
}

/**
 * What variables hold that have a new value which no program has computed yet. Every program on their device carries them
 * along. A variable that nobody can reach any more needs no value, so this does not keep it alive.
 */
const dirty = new Set<Holding>();

export function* dirtyVariables(): Generator<Variable> {
  for (const holding of dirty) {
    const variable = holding.variable.deref();
    if (variable === undefined) dirty.delete(holding);
    else yield variable;
  }
}

/** Whether no variable of any device waits. */
export function isClean(): boolean {
  return dirty.size === 0;
}

/** Gives the variable a new value: immediate in meaning, computed with the next program. Returns the node that stands for it. */
export function assignNode(variable: Variable, value: Node): Node {
  variable.node = apply(Assigned, [value], null);
  dirty.add(variable.holding);
  return variable.node;
}

/** The variable means its last computed value again. */
export function undoAssignment(variable: Variable): void {
  variable.node = variable.committed;
  dirty.delete(variable.holding);
}

/** A variable and the value it gets. */
export interface Update {
  readonly variable: Variable;
  readonly node: Node;
}

/** Where the new value is computed; null where its device is not decided. */
export function homeOf({ variable, node }: Update): Backend | null {
  return node.backend ?? variable.committed.backend;
}

/** The variables that wait for a program on `backend`. */
export function* dirtyOn(backend: Backend): Generator<Variable> {
  for (const variable of dirtyVariables()) {
    const home = homeOf({ variable, node: variable.node });
    if (home === null || home === backend) yield variable;
  }
}

/** Takes the updates that wait for a program on `backend` out of the waiting ones. */
export function takeUpdates(backend: Backend): Update[] {
  const updates: Update[] = [];
  for (const holding of dirty) {
    const variable = holding.variable.deref();
    if (variable === undefined) dirty.delete(holding);
    else {
      const update = { variable, node: variable.node };
      const home = homeOf(update);
      if (home !== null && home !== backend) continue;
      dirty.delete(holding);
      updates.push(update);
    }
  }
  return updates;
}

/** Variables mean their last computed values again. */
export function undoUpdates(updates: readonly Update[]): void {
  for (const { variable } of updates) undoAssignment(variable);
}

/**
 * Runs `work` and answers the updates that wait then. Nothing builds on them: the variables mean what they meant before,
 * also where `work` throws.
 */
export function rehearse<T>(work: () => T): { result: T; updates: Update[] } {
  const { result, undo } = watchUpdates(work);
  const updates = Array.from(dirtyVariables(), (variable) => ({ variable, node: variable.node }));
  undo();
  return { result, updates };
}

/** Runs `work` and answers the updates that it made, and what takes them back. Where `work` throws, they are taken back. */
export function watchUpdates<T>(work: () => T): { result: T; updates: Update[]; undo: () => void } {
  const before = new Map(Array.from(dirtyVariables(), (variable) => [variable, variable.node]));
  const undo = (): void => {
    for (const variable of dirtyVariables()) {
      const node = before.get(variable);
      if (node === undefined) undoAssignment(variable);
      else variable.node = node;
    }
  };
  try {
    const result = work();
    const made = Array.from(dirtyVariables(), (variable) => ({ variable, node: variable.node }));
    return { result, updates: made.filter(({ variable, node }) => before.get(variable) !== node), undo };
  } catch (error) {
    undo();
    throw error;
  }
}
