/** Compiling ahead: what a first use would compile, without running it. */
import type { Backend, Executable } from './backend.ts';
import { deviceOf } from './compile/device.ts';
import type { Plan } from './compile/plan.ts';
import { recordWith } from './graph/recorder.ts';
import { noteLoss } from './graph/storage.ts';
import { dirtyOn, withoutAssignments } from './graph/variable.ts';
import { randomState, setRandomState } from './random.ts';
import { checkSynchronous, getDefaultBackend } from './settings.ts';
import { nodeOf, type Tensor } from './tensor.ts';

/**
 * Compiles the program that would compute the tensors that `work` makes, and runs nothing: parameters that `work` assigns
 * and the stream of random numbers stay as they are. Useful on devices where compiling takes long.
 *
 * @example
 * import { ones, prepare } from '@nn/core';
 * console.log(await prepare(() => ones([8, 8]).matmul(ones([8, 8])))); // => undefined
 */
export async function prepare(work: () => Tensor | readonly Tensor[]): Promise<void> {
  const { backend, plan } = withoutAssignments(() => planOf(work));
  try {
    plan.executable ??= await (plan.compiling as Promise<Executable>);
  } catch (error) {
    noteLoss(backend, error);
    throw error;
  }
}

/** The plan of what `work` makes and assigns; the stream of random numbers is where it was. */
function planOf(work: () => Tensor | readonly Tensor[]): { readonly backend: Backend; readonly plan: Plan } {
  const numbers = randomState();
  try {
    const result = checkSynchronous('prepare', recordWith({ events: [], isReplayed: true }, work));
    const nodes = ('length' in result ? result : [result])
      .map((x) => nodeOf('prepare', x))
      .filter(({ shape }) => !shape.includes(0));
    const device = deviceOf(nodes.find(({ backend }) => backend !== null)?.backend ?? getDefaultBackend());
    const updates = Array.from(dirtyOn(device.backend), (variable) => ({ variable, node: variable.node }));
    return { backend: device.backend, plan: device.prepare(nodes, updates).plan };
  } finally {
    setRandomState(numbers);
  }
}
