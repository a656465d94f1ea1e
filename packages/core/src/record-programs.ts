/**
 * The Programs behind a piece of work, for whoever counts what it costs: of what is computed, or of what would be. Each step
 * bears the label under which its node was made, so that counts can be told by layer, forward and backward.
 */
import type { Program } from './backend.ts';
import { type Recording, recordings } from './compile/profiler.ts';
import { hooks } from './graph/hooks.ts';
import type { Node } from './graph/node.ts';
import { prepare } from './prepare.ts';
import { checkSynchronous } from './settings.ts';
import type { Tensor } from './tensor.ts';

/** A Program, and where its steps come from. */
export interface RecordedProgram {
  readonly program: Program;
  /**
   * For each step the label of the operation that it computes, of a fused one that of its reduction; null where there was none,
   * and in functions that were compiled before the recording began.
   */
  readonly labels: readonly (string | null)[];
}

/** By plan: the labels of its steps, as the last graph that had this plan bears them. */
type Labels = WeakMap<object, RecordedProgram['labels']>;

const labelOf = /* @__PURE__ */ new WeakMap<Node, string>();
let current: string | null = null;
let listeners = 0;

/**
 * Runs `work`; operations that are made in it bear the label while programs are recorded, and so do their gradients. An inner
 * label stands for an outer one.
 *
 * @example
 * import { labelled, plannedPrograms, tensor } from '@nn/core';
 * const programs = await plannedPrograms(() => labelled('head', () => tensor([1, 2]).add(1)));
 * console.log(programs[0]?.labels); // => [ 'head' ]
 */
export function labelled<T>(label: string, work: () => T): T {
  const outer = current;
  current = label;
  try {
    return checkSynchronous('labelled', work());
  } finally {
    current = outer;
  }
}

/**
 * The Programs that would compute the tensors that `work` makes. Nothing is run and nothing moves on, as with `prepare`.
 *
 * @example
 * import { plannedPrograms, uniform } from '@nn/core';
 * const programs = await plannedPrograms(() => uniform([8, 4]).matmul(uniform([4, 2])).relu());
 * console.log(programs[0]?.program.steps.map(({ kernel }) => kernel.hint?.kind)); // => [ undefined, undefined, 'contraction' ]
 */
export function plannedPrograms(work: () => Tensor | readonly Tensor[]): Promise<RecordedProgram[]> {
  return record('planned', () => prepare(work));
}

/**
 * Runs `work` and gives the Programs that ran until its promise resolved, in order, each as often as it ran.
 *
 * @example
 * import { recordPrograms, tensor } from '@nn/core';
 * const programs = await recordPrograms(() => tensor([1, 2]).add(1).exp().data());
 * console.log(programs.map(({ program }) => program.steps.length)); // => [ 1 ]
 */
export function recordPrograms(work: () => unknown): Promise<RecordedProgram[]> {
  return record('ran', work);
}

async function record(which: 'planned' | 'ran', work: () => unknown): Promise<RecordedProgram[]> {
  const programs: RecordedProgram[] = [];
  const labels: Labels = new WeakMap();
  const recording: Recording = {
    found: (plan, { order }) => {
      const own = plan.origins.map((origin) => labelOf.get(order[origin]!) ?? null);
      labels.set(plan, own);
      if (which === 'planned') programs.push({ program: plan.program, labels: own });
    },
    ran: (plan) => {
      const { program } = plan;
      if (which === 'ran') programs.push({ program, labels: labels.get(plan) ?? program.steps.map(() => null) });
    },
  };
  const stop = listen();
  recordings.add(recording);
  try {
    await work();
  } finally {
    recordings.delete(recording);
    stop();
  }
  return programs.filter(({ program }) => program.steps.length > 0);
}

/** Has nodes bear the label that they are made under, and their gradients the same, until the last recording ends. */
function listen(): () => void {
  if (listeners++ > 0) return () => void listeners--;
  const { onNode, onGradient } = hooks;
  const noteNode = (node: Node): void => {
    onNode?.(node);
    if (current !== null) labelOf.set(node, current);
  };
  const noteGradient = <T>(of: Node, rule: () => T): T => {
    const own = onGradient === null ? rule : () => onGradient(of, rule);
    const label = labelOf.get(of);
    return label === undefined ? own() : labelled(label, own);
  };
  hooks.onNode = noteNode;
  hooks.onGradient = noteGradient;
  return () => {
    if (--listeners > 0) return;
    // debugging may have put others in their place meanwhile
    if (hooks.onNode === noteNode) hooks.onNode = onNode;
    if (hooks.onGradient === noteGradient) hooks.onGradient = onGradient;
  };
}
