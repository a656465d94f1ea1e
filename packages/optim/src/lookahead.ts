/** Lookahead: slow weights that follow the fast ones of any optimizer. Owns the slow weights; the step is the optimizer's. */
import {
  checkOptions,
  FormatError,
  numberSource,
  type Parameter,
  parameter,
  type Stateful,
  type Tensor,
  treeChildren,
  ValueError,
} from '@nn/core';
import type { Optimizer, Rider, Rule } from './optimizer.ts';

export interface LookaheadOptions {
  /** After how many steps the slow weights follow. Default 5. */
  readonly every?: number;
  /** The share of the way that they go. Default 0.5. */
  readonly alpha?: number;
}

/**
 * Every `every` steps of an optimizer: slow += alpha (fast - slow); fast = slow. It rides in the program of the steps, so
 * that any way to step works, `step` here too. In checkpoints it is a part of its own beside the optimizer.
 * (Zhang et al. 2019.)
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { Lookahead, SGD } from '@nn/optim';
 * const x = parameter([4]);
 * const optimizer = new Lookahead(new SGD([x], { learningRate: 0.25 }), { every: 2 });
 * for (let step = 0; step < 2; step++) await optimizer.step(x.square().sum());
 * console.log(await x.array()); // => [2.5]
 */
export class Lookahead<R extends Rule> implements Stateful {
  static readonly name: string = 'Lookahead';

  readonly optimizer: Optimizer<R>;
  readonly #slow: (Parameter | undefined)[];
  /** For each parameter the count of the step that saw it first, whose slow weight is the one before. */
  #starts: (number | null)[];

  /** Throws ValueError for `every` that is not a whole number above 0, and `alpha` outside 0 to 1. */
  constructor(optimizer: Optimizer<R>, options: LookaheadOptions = {}) {
    checkOptions('Lookahead', options, ['every', 'alpha']);
    const { every = 5, alpha = 0.5 } = options;
    if (!(Number.isInteger(every) && every > 0 && alpha >= 0 && alpha <= 1)) {
      throw new ValueError(
        'Lookahead',
        `every is ${every} and alpha ${alpha}: a whole number above 0 and a number from 0 to 1.`,
        { every, alpha },
      );
    }
    this.optimizer = optimizer;
    this.#slow = optimizer.parameters.map(() => undefined);
    this.#starts = optimizer.parameters.map(() => null);
    optimizer.attach(this.#rider(every, alpha));
    // what a walk finds here are the slow weights; the optimizer is a part of its own
    Object.defineProperty(this, treeChildren, { value: () => this.#tensors() });
  }

  /** As the optimizer's `step`. */
  step(loss: Tensor | null, ...also: readonly Tensor[]): Promise<void> {
    return this.optimizer.step(loss, ...also);
  }

  #rider(every: number, alpha: number): Rider {
    return (_gradients, _loss, stepCount, values) => {
      const take = (): number => (stepCount() % every === 0 ? 1 : 0);
      const [taken, stays] = [numberSource(take), numberSource(() => 1 - take())];
      const way = numberSource(() => take() * alpha);
      return this.optimizer.parameters.flatMap((member, position) => {
        const fast = values.get(member);
        if (fast === undefined) return [];
        this.#starts[position] ??= stepCount();
        const first = numberSource(() => (stepCount() === this.#starts[position] ? 1 : 0));
        const slow = this.#slowOf(position, member);
        const before = slow.add(member.mul(first)); // it is 0 up to then
        const next = before.add(fast.sub(before).mul(way));
        return [
          [slow, next],
          [member, fast.mul(stays).add(next.mul(taken))],
        ] as const;
      });
    };
  }

  #slowOf(position: number, member: Parameter): Parameter {
    const slow =
      this.#slow[position] ?? parameter(new Float32Array(member.size), { shape: member.shape, buffer: true });
    this.#slow[position] = slow;
    return slow;
  }

  #tensors(): Record<string, Parameter> {
    const { parameters, names } = this.optimizer;
    const found = parameters.flatMap((member, position) =>
      member.trainable || this.#slow[position] !== undefined
        ? [[`slow.${names[position]}`, this.#slowOf(position, member)] as const]
        : [],
    );
    return Object.fromEntries(found);
  }

  hostState(): unknown {
    return { names: [...this.optimizer.names], starts: [...this.#starts] };
  }

  /** Goes on where `hostState` was taken, by the parameters' names. Throws FormatError for anything else. */
  loadHostState(state: unknown): void {
    const isState = typeof state === 'object' && state !== null && 'names' in state && 'starts' in state;
    const [names, starts]: unknown[] = isState ? [state.names, state.starts] : [];
    const isStart = (value: unknown): boolean => value === null || Number.isSafeInteger(value);
    if (!Array.isArray(names) || !Array.isArray(starts) || names.length !== starts.length || !starts.every(isStart)) {
      throw new FormatError('Lookahead', 'the saved state is not one of names and steps.');
    }
    const saved = new Map<unknown, number | null>(names.map((name, i) => [name, starts[i]]));
    const missing = this.optimizer.names.find((name) => !saved.has(name));
    if (missing !== undefined) throw new FormatError('Lookahead', `the saved state does not know ${missing}.`);
    this.#starts = this.optimizer.names.map((name) => saved.get(name) ?? null);
  }
}
