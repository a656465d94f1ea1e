/** Where values live: moving a model between backends in the middle of a run, and bringing it back from a lost device. */
import type { Backend, TensorData } from './backend.ts';
import { deviceOf } from './compile/device.ts';
import { BackendError } from './errors.ts';
import { hostLeaf } from './graph/node.ts';
import { lossOf } from './graph/storage.ts';
import { undoAssignment, type Variable } from './graph/variable.ts';
import { isParameter } from './parameter.ts';
import { type Tensor, wrap } from './tensor.ts';
import { walkTree } from './tree.ts';

type ObjectsAndBackend = readonly [...objects: object[], backend: Backend];

/**
 * Brings every parameter below the given objects (models, optimizers) to another backend, in the middle of a run if need
 * be. A tensor is not changed: for tensors use the copies that `moveTensor` gives.
 */
export async function move(...targets: ObjectsAndBackend): Promise<void> {
  const { variables, backend } = read(targets);
  const moving = variables.filter((variable) => variable.committed.backend !== backend || variable.isDirty);
  const values = await Promise.all(moving.map(({ node }) => wrap(node).data()));
  moving.forEach((variable, k) => {
    rehome(variable, values[k] as TensorData, backend);
  });
}

/** A copy of a tensor on another backend. Gradients do not pass. */
export async function moveTensor(x: Tensor, backend: Backend): Promise<Tensor> {
  return wrap(hostLeaf(await x.data(), x.dtype, x.shape, backend));
}

/**
 * Keeps a copy of every parameter below the given objects on the host, for `recover`. The copies are those of this moment:
 * call it now and then, as often as you can bear to lose the steps between.
 */
export async function backup(...objects: readonly object[]): Promise<void> {
  const variables = variablesBelow(objects);
  const values = await Promise.all(variables.map(({ node }) => wrap(node).data()));
  variables.forEach((variable, k) => {
    variable.copy = values[k] as TensorData;
  });
}

/**
 * Brings every parameter below the given objects to a backend after their device was lost. Either all have a backup and
 * all go back to it, so that they are of one moment, or nothing changes and a BackendError names those without.
 */
export async function recover(...targets: ObjectsAndBackend): Promise<void> {
  const { variables, backend } = read(targets);
  const isLost = variables.some(({ committed: { storage } }) => storage !== null && lossOf(storage) !== null);
  if (!isLost) return move(...targets);
  const missing = variables.filter(({ copy }) => copy === null);
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name || 'a parameter');
    throw new BackendError(
      `recover: there is no backup of ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}: load a checkpoint, and call backup(model, optimizer) now and then next time.`,
      { missing: names },
    );
  }
  for (const variable of variables) rehome(variable, (variable.copy as TensorData).slice(), backend);
}

function read(targets: ObjectsAndBackend): { variables: Variable[]; backend: Backend } {
  return { variables: variablesBelow(targets.slice(0, -1)), backend: targets[targets.length - 1] as Backend };
}

function variablesBelow(objects: readonly object[]): Variable[] {
  const found = new Set<Variable>();
  for (const object of objects) {
    walkTree(object, (value) => {
      if (isParameter(value)) found.add(value.variable);
      return !isParameter(value);
    });
  }
  return [...found];
}

function rehome(variable: Variable, data: TensorData, backend: Backend): void {
  const { dtype, shape } = variable.committed;
  const node = hostLeaf(data, dtype, shape, backend);
  deviceOf(backend).advance(variable, node.storage as NonNullable<typeof node.storage>, false);
  variable.committed.backend = backend;
  undoAssignment(variable);
}
