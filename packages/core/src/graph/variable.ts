/** A named place whose value can be replaced: what a Parameter is made of, without the tensor's methods. */
import type { Backend, TensorData } from '../backend.ts';
import { Assigned } from './custom-gradient.ts';
import { apply, type Node } from './node.ts';

export class Variable {
  /** The value in the meaning of the program: replaced at once by an assignment. */
  node: Node;
  /** The last value that has memory. Equal to `node` when nothing is waiting to be computed. */
  committed: Node;
  name: string;
  /** The values at the last backup. */
  copy: TensorData | null = null;

  constructor(node: Node, name: string) {
    this.node = node;
    this.committed = node;
    this.name = name;
  }

  get isDirty(): boolean {
    return this.node !== this.committed;
  }
}

/** Variables with a new value that no program has computed yet. Every program on their device carries them along. */
export const dirtyVariables: Set<Variable> = new Set<Variable>();

/** Gives the variable a new value: immediate in meaning, computed with the next program. Returns the node that stands for it. */
export function assignNode(variable: Variable, value: Node): Node {
  variable.node = apply(Assigned, [value], null);
  dirtyVariables.add(variable);
  return variable.node;
}

/** A variable and the value it gets. */
export interface Update {
  readonly variable: Variable;
  readonly node: Node;
}

/** Runs `work`; what it assigned has not happened afterwards, and what waited before still waits. */
export function withoutAssignments<T>(work: () => T): T {
  const before = Array.from(dirtyVariables, (variable) => ({ variable, node: variable.node }));
  try {
    return work();
  } finally {
    undoUpdates(Array.from(dirtyVariables, (variable) => ({ variable, node: variable.node })));
    for (const { variable, node } of before) {
      variable.node = node;
      dirtyVariables.add(variable);
    }
  }
}

/** The variables that wait for a program on `backend`. */
export function* dirtyOn(backend: Backend): Generator<Variable> {
  for (const variable of dirtyVariables) {
    const home = variable.node.backend ?? variable.committed.backend;
    if (home === null || home === backend) yield variable;
  }
}

/** Takes the updates that wait for a program on `backend` out of the waiting ones. */
export function takeUpdates(backend: Backend): Update[] {
  return Array.from(dirtyOn(backend), (variable) => {
    dirtyVariables.delete(variable);
    return { variable, node: variable.node };
  });
}

/** Variables mean their last computed values again. */
export function undoUpdates(updates: readonly Update[]): void {
  for (const { variable } of updates) {
    variable.node = variable.committed;
    dirtyVariables.delete(variable);
  }
}
