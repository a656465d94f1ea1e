/** Compiling ahead: what a first use would compile, without running it. */
import type { Executable } from './backend.ts';
import { deviceOf } from './compile/device.ts';
import { recordWith } from './graph/recorder.ts';
import { noteLoss } from './graph/storage.ts';
import { takeUpdates, undoUpdates } from './graph/variable.ts';
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
  const numbers = randomState();
  const result = checkSynchronous(
    'prepare',
    recordWith({ events: [] }, () => work()),
  );
  const nodes = ('length' in result ? result : [result])
    .map((x) => nodeOf('prepare', x))
    .filter(({ shape }) => !shape.includes(0));
  const device = deviceOf(nodes.find(({ backend }) => backend !== null)?.backend ?? getDefaultBackend());
  const updates = takeUpdates(device.backend);
  try {
    const { plan } = device.prepare(nodes, updates);
    plan.executable ??= await (plan.compiling as Promise<Executable>);
  } catch (error) {
    noteLoss(device.backend, error);
    throw error;
  } finally {
    undoUpdates(updates);
    setRandomState(numbers);
  }
}
