/** Compiling ahead: what a first use would compile, without running it. */
import type { Executable } from './backend.ts';
import { deviceOf } from './compile/device.ts';
import { checkOptions } from './errors.ts';
import type { Node } from './graph/node.ts';
import { recorder, recordWith, takeBack } from './graph/recorder.ts';
import { noteLoss } from './graph/storage.ts';
import { homeOf, rehearse } from './graph/variable.ts';
import { checkSynchronous, getDefaultBackend } from './settings.ts';
import { type AbortSignalLike, untilAborted } from './signal.ts';
import { nodeOf, type Tensor } from './tensor.ts';

const withElements = (nodes: readonly Node[]): Node[] => nodes.filter(({ shape }) => !shape.includes(0));

export interface PrepareOptions {
  /** Ends the waiting: the promise rejects with the signal's reason. What is being compiled stays for later uses. */
  readonly signal?: AbortSignalLike;
}

/**
 * Compiles the program that would compute the tensors that `work` makes, and runs nothing: parameters that `work` assigns,
 * counters, and the stream of random numbers stay as they are. Useful on devices where compiling takes long.
 *
 * @example
 * import { ones, prepare } from '@nn/core';
 * console.log(await prepare(() => ones([8, 8]).matmul(ones([8, 8])))); // => undefined
 */
export async function prepare(work: () => Tensor | readonly Tensor[], options: PrepareOptions = {}): Promise<void> {
  checkOptions('prepare', options, ['signal']);
  options.signal?.throwIfAborted();
  const record = recorder(true);
  const { result, updates } = rehearse(() => recordWith(record, () => checkSynchronous('prepare', work())));
  takeBack(record.events);
  const nodes = withElements(('length' in result ? result : [result]).map((x) => nodeOf('prepare', x)));
  const { backend } = nodes.find((node) => node.backend !== null) ?? { backend: null };
  const device = deviceOf(backend ?? getDefaultBackend());
  const carried = updates.filter((update) => (homeOf(update) ?? device.backend) === device.backend);
  try {
    const parts = device.hostWork(nodes, carried).map((onHost) => onHost.flatMap(({ inputs }) => inputs));
    const plans = [...parts.map((inputs) => device.prepare(withElements(inputs), [])), device.prepare(nodes, carried)];
    for (const { plan } of plans) {
      plan.executable ??= await untilAborted(plan.compiling as Promise<Executable>, options.signal);
    }
  } catch (error) {
    noteLoss(device.backend, error);
    throw error;
  }
}
