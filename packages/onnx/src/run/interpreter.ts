/**
 * Runs a graph, node after node: each operator makes tensors, which compute nothing yet, or numbers of the host. Where an
 * operator needs numbers that only the device knows, `runNow` says so and `runWaiting` reads them.
 */
import { isNNError } from '@nn/core';
import type { GraphMessage } from '../format/model.ts';
import { decodeTensor } from '../format/tensors.ts';
import { allocate, HostTensor, type MaybeValue } from '../values/value.ts';
import { Call, isSteps, type Request, type Result, type RunInner, type Steps } from './call.ts';
import type { ReadyGraph, ReadyModel, ReadyNode } from './graph.ts';

/** Values by name, and those of the graph around. */
export class Scope {
  readonly values: Map<string, MaybeValue> = new Map();
  readonly #outer: Scope | null;

  constructor(outer: Scope | null = null) {
    this.#outer = outer;
  }

  find(name: string): MaybeValue | undefined {
    const own = this.values.get(name);
    if (own !== undefined || this.values.has(name)) return own ?? null;
    return this.#outer?.find(name);
  }
}

/** Hears of every node that ran. */
export type Listener = (node: ReadyNode, results: readonly MaybeValue[]) => void;

/** What all nodes of one run share. */
export interface Run {
  readonly ready: ReadyModel;
  readonly listener: Listener | null;
  /** Whether statistics and dropout are those of training. */
  readonly trains: boolean;
}

export function* runNode(run: Run, node: ReadyNode, scope: Scope): Steps<MaybeValue[]> {
  const inputs = node.message.inputs.map((name) => (name === '' ? null : (scope.find(name) ?? null)));
  const runInner: RunInner = function* (graph: GraphMessage, given: readonly MaybeValue[]): Steps<MaybeValue[]> {
    const inner = run.ready.get(graph);
    const around = new Scope(scope);
    // branches of If that list what they take from outside as inputs find it there
    inner.inputs.slice(0, given.length).forEach((name, k) => {
      around.values.set(name, given[k] ?? null);
    });
    return yield* runGraph(run, inner, around);
  };
  const call = new Call(node.message, node.version, inputs, runInner, run.trains);
  let result: Result | Steps<Result>;
  try {
    result = node.operator(call);
    if (isSteps(result)) result = yield* result;
  } catch (error) {
    // what core says of a shape does not say which node of the file it was
    if (isNNError(error) && error instanceof Error && !error.message.includes(`${call.label}: `)) {
      error.message = `${call.label}: ${error.message}`;
    }
    throw error;
  }
  const results = isList(result) ? [...result] : [result];
  node.message.outputs.forEach((name, k) => {
    if (name !== '') scope.values.set(name, results[k] ?? null);
  });
  run.listener?.(node, results);
  return results;
}

function isList(result: Result): result is readonly MaybeValue[] {
  return Array.isArray(result);
}

export function* runGraph(run: Run, graph: ReadyGraph, scope: Scope): Steps<MaybeValue[]> {
  for (const message of graph.message.initializers) {
    if (!scope.values.has(message.name)) scope.values.set(message.name, decodeTensor(message));
  }
  for (const node of graph.nodes) {
    // constants and folded nodes are there already
    if (node.message.outputs.length > 0 && node.message.outputs.every((name) => name === '' || scope.values.has(name)))
      continue;
    yield* runNode(run, node, scope);
  }
  return graph.outputs.map((name) => scope.find(name) ?? null);
}

/** Runs without waiting. Throws ValueError where numbers of the device are needed. */
export function runNow<T>(steps: Steps<T>): T {
  const { done, value } = steps.next();
  if (done === true) return value;
  throw value.call.error(
    'it needs the numbers of a computed tensor to know what shape comes out: await model.run(inputs), which waits for them.',
  );
}

/** Runs, and reads what is asked for on the way; `within` surrounds each part that does not wait. */
export async function runWaiting<T>(
  steps: Steps<T>,
  within: <Part>(work: () => Part) => Part = (work) => work(),
): Promise<T> {
  let next = within(() => steps.next());
  while (next.done !== true) {
    const answer = await read(next.value);
    next = within(() => steps.next(answer));
  }
  return next.value;
}

async function read({ wanted }: Request): Promise<HostTensor> {
  const { type, tensor, shape } = wanted;
  const values = await tensor.data();
  const data = allocate(type, values.length);
  data.set(values);
  return new HostTensor(type, shape, data);
}
