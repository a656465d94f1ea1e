/** What optimizers are made of: replacing parameters in one Program, numbers that change between replays, and moving. */
import { deviceOf } from './compile/device.ts';
import { commonBackend, type NumberSource } from './graph/node.ts';
import { type Condition, currentRecorder, recordAdvance } from './graph/recorder.ts';
import { assignNode, type Update, type Variable } from './graph/variable.ts';
import { cast } from './ops/functions.ts';
import type { Parameter } from './parameter.ts';
import { getDefaultBackend } from './settings.ts';
import { nodeOf, type Tensor } from './tensor.ts';

/**
 * A number that is read again on each run of a compiled function. Accepted wherever an operation takes a number. Used several times
 * there, with nothing that advances in between, it is read once a run, and is one number; elsewhere each use reads it.
 */
export function numberSource(read: () => number): NumberSource {
  return { read };
}

/**
 * Repeats a host effect that was just made (a step counter) on each replay of the function that is being compiled; does
 * nothing elsewhere. `undo` takes one of them back: it is called where the function throws or its program fails, so that
 * state on the host moves only with success. Returns what strikes the effect out again.
 */
export function onReplay(advance: () => void, undo: () => void = () => undefined): () => void {
  return recordAdvance(advance, undo);
}

/**
 * The function that is being compiled asked something of the host: it is traced anew once the condition no longer `holds`, which
 * is asked before each run. Of several conditions for one object the last counts. Does nothing elsewhere.
 */
export function replayWhile(of: object, condition: Condition): void {
  currentRecorder()?.conditions.set(of, condition);
}

/**
 * Whether a function is being compiled at the moment: what has to wait, for a device or for another process, has no place in
 * it, and says so.
 *
 * @example
 * import { compile, isCompiling, type Tensor, tensor } from '@nn/core';
 * let seen = false;
 * const twice = compile((x: Tensor) => {
 *   seen = isCompiling();
 *   return x.mul(2);
 * });
 * await twice(tensor([1]));
 * console.log(isCompiling(), seen); // => false true
 */
export function isCompiling(): boolean {
  return currentRecorder() !== null;
}

/**
 * Replaces parameters by new values and computes `also` from the old ones, all in one Program; the memory of the old
 * values goes to the new. Immediate in meaning: the parameters are new when the call returns, the promise says when the
 * numbers are. If the program fails, the parameters keep their old values and the promise rejects.
 */
export function replace(
  updates: readonly (readonly [Parameter, Tensor])[],
  also: readonly Tensor[] = [],
): Promise<void> {
  const values = updates.map(([, value]) => nodeOf('replace', value));
  const others = also.map((value) => nodeOf('replace', value));
  const backend = commonBackend('replace', [...values, ...others], 'model, optimizer') ?? getDefaultBackend();
  const moves = new Map<Variable, Update>();
  updates.forEach(([{ variable, dtype }], k) => {
    moves.set(variable, { variable, node: assignNode(variable, cast(values[k]!, dtype)) });
  });
  if (currentRecorder() !== null) return Promise.resolve(); // the compiled function runs it
  return deviceOf(backend).update([...moves.values()], others);
}

/**
 * Begins to compute the value that a parameter waits for, if it does. For what grows with each batch where no step follows
 * (validation): the graph would grow with it. Where that fails the value still waits, and reading it says why.
 */
export function computeWaiting(parameter: Parameter): void {
  if (parameter.isWaiting) replace([]).catch(() => {});
}
