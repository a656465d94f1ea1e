/**
 * Answers without gradients, again and again: what one call asks of the device is compiled and replayed for tensors of the same
 * types. A graph whose shapes depend on values, or that gives more than tensors, is walked anew in each call.
 */
import { type CompiledFunction, compile, evaluate, noGradient, type Tensor } from '@nn/core';
import type { MaybeValue } from '../values/value.ts';
import type { Steps } from './call.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/** Why a graph has no program of its own: it waits on the way, or an output is no tensor. */
class NoReplay extends Error {}

export class Inference {
  readonly #replay: CompiledFunction<[Tensors], readonly Tensor[]>;
  /** False from the first call on that could not be replayed. */
  #isReplayed = true;

  /** @param walk through the graph, for tensors by the names of the inputs */
  constructor(walk: (inputs: Tensors) => Steps<MaybeValue[]>) {
    this.#replay = compile((inputs) => withoutGradients(() => tensorsOf(walk(inputs))));
  }

  /** The outputs, or null where the graph has to be walked each time; no promise where nothing has to be waited for. */
  run(inputs: Tensors): readonly Tensor[] | null | Promise<readonly Tensor[] | null> {
    if (!this.#isReplayed) return null;
    return this.#replay.atOnce(inputs)?.[0] ?? this.#wait(inputs);
  }

  async #wait(inputs: Tensors): Promise<readonly Tensor[] | null> {
    try {
      return await this.#replay(inputs);
    } catch (error) {
      if (!(error instanceof NoReplay)) throw error;
      this.#isReplayed = false;
      return null;
    }
  }
}

/** Runs `work` as a network that only answers. */
export function withoutGradients<T>(work: () => T): T {
  return evaluate(() => noGradient(work));
}

function tensorsOf(steps: Steps<MaybeValue[]>): Tensor[] {
  const { done, value } = steps.next();
  if (done !== true) throw new NoReplay();
  return value.map((output) => {
    if (output?.kind === 'device' || output?.kind === 'host') return output.tensor;
    throw new NoReplay();
  });
}
