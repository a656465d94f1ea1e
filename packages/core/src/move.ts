/** Where values live: moving a model between backends in the middle of a run, and bringing it back from a lost device. */
import type { Backend, TensorData } from './backend.ts';
import { deviceOf } from './compile/device.ts';
import { BackendError } from './errors.ts';
import { hostLeaf } from './graph/node.ts';
import { lossOf } from './graph/storage.ts';
import { undoAssignment, type Variable } from './graph/variable.ts';
import { isParameter } from './parameter.ts';
import { type RandomState, randomState, setRandomState } from './random.ts';
import { type Tensor, wrap } from './tensor.ts';
import { isStateful, type Stateful, walkTree } from './tree.ts';

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
    rehome(variable, values[k]!, backend);
  });
}

/** A copy of a tensor on another backend. Gradients do not pass. */
export async function moveTensor(x: Tensor, backend: Backend): Promise<Tensor> {
  return wrap(hostLeaf(await x.data(), x.dtype, x.shape, backend));
}

/** One call of `backup`: what it kept belongs together. */
interface Moment {
  readonly random: RandomState;
}

const states = new WeakMap<Stateful, { readonly state: unknown; readonly moment: Moment }>();

/**
 * Keeps a copy on the host of everything below the given objects, for `recover`: parameters, the counts of optimizers,
 * positions of loaders, random generators and the shared random stream. All copies are of this moment, whatever runs until
 * the promise resolves: call it now and then, as often as you can bear to lose the steps between.
 */
export async function backup(...objects: readonly object[]): Promise<void> {
  const { variables, stateful } = below(objects);
  const moment: Moment = { random: randomState() };
  const kept = stateful.map((owner) => ({ state: structuredClone(owner.hostState()), moment }));
  const values = await Promise.all(variables.map(({ node }) => wrap(node).data()));
  variables.forEach((variable, k) => {
    variable.copy = { values: values[k]!, moment };
  });
  stateful.forEach((owner, k) => {
    states.set(owner, kept[k]!);
  });
}

/**
 * Brings everything below the given objects to a backend after their device was lost, as it was at the last `backup`:
 * parameters, counts, positions and random numbers, so that the run goes on from there as it did the first time. All go back
 * to one and the same moment, or nothing changes and a BackendError names what has no backup or one of another moment.
 */
export async function recover(...targets: ObjectsAndBackend): Promise<void> {
  const { variables, stateful, backend } = read(targets);
  const isLost = variables.some(({ committed: { storage } }) => storage !== null && lossOf(storage) !== null);
  if (!isLost) return move(...targets);
  const parameters = variables.map(({ name, copy }) => ({ name, moment: copy?.moment as Moment | undefined }));
  const owners = stateful.map((owner) => ({ name: owner.constructor.name, moment: states.get(owner)?.moment }));
  const copies = [...parameters, ...owners];
  const newest = copies[0]?.moment;
  const isMissing = ({ moment }: (typeof copies)[0]): boolean => moment === undefined || moment !== newest;
  const missing = parameters.filter(isMissing).map(({ name }) => name);
  const missingStates = owners.filter(isMissing).map(({ name }) => name);
  if (missing.length + missingStates.length > 0 || newest === undefined) {
    const isNone = copies.some(({ moment }) => moment === undefined);
    const what = isNone ? 'there is no backup of' : 'the backup is of another moment for';
    const all = [
      ...missing.map((name) => name || 'a parameter'),
      ...missingStates.map((name) => `the state of ${name}`),
    ];
    const names = `${all.slice(0, 5).join(', ')}${all.length > 5 ? ` and ${all.length - 5} more` : ''}`;
    throw new BackendError(
      'recover',
      `${what} ${names}: load a checkpoint, and call backup(model, optimizer), with all at once, now and then next time.`,
      { missing, missingStates },
    );
  }
  for (const owner of stateful) owner.loadHostState(structuredClone(states.get(owner)?.state));
  setRandomState(newest.random);
  // nothing writes to the values of a storage on the host, so the backup is there again for the next loss
  for (const variable of variables) if (variable.copy !== null) rehome(variable, variable.copy.values, backend);
}

interface Below {
  readonly variables: Variable[];
  readonly stateful: Stateful[];
}

function read(targets: ObjectsAndBackend): Below & { readonly backend: Backend } {
  return { ...below(targets.slice(0, -1)), backend: targets[targets.length - 1] as Backend };
}

function below(objects: readonly object[]): Below {
  const variables = new Set<Variable>();
  const stateful = new Set<Stateful>();
  for (const object of objects) {
    walkTree(object, (value) => {
      if (isParameter(value)) variables.add(value.variable);
      else if (isStateful(value)) stateful.add(value);
      return !isParameter(value);
    });
  }
  return { variables: [...variables], stateful: [...stateful] };
}

function rehome(variable: Variable, data: TensorData, backend: Backend): void {
  const { dtype, shape } = variable.node;
  const node = hostLeaf(data, dtype, shape, backend);
  deviceOf(backend).advance(variable, node.storage as NonNullable<typeof node.storage>, false);
  variable.committed.backend = backend;
  undoAssignment(variable);
}
