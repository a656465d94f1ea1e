/**
 * The order in which everybody hears of an event: callbacks, then whoever walks over the events, then the warnings that
 * callbacks had of it. Waits only where somebody asks to be waited for, because small steps take microseconds. Owns no event.
 */
import type { Callback, Controls, TrainingEvent } from './events.ts';

export class Announcer<V> {
  readonly callbacks: readonly Callback<V>[];
  /** Whoever walks over the events: the training goes on when the promise resolves. */
  follower: ((event: TrainingEvent<V>) => Promise<void>) | null = null;
  #warnings: { readonly what: string; readonly message: string }[] = [];

  readonly #isFirst: boolean;

  /** `isFirst`: whether this is the process that prints and writes. */
  constructor(callbacks: readonly (Callback<V> | Callback<V>['handle'])[], isFirst = true) {
    this.#isFirst = isFirst;
    this.callbacks = callbacks.map((callback) => (typeof callback === 'function' ? { handle: callback } : callback));
  }

  warn(what: string, message: string): void {
    this.#warnings.push({ what, message });
  }

  /** Tells callbacks, in their order, each waited for where it returns a promise; undefined where none does. */
  tell(event: TrainingEvent<V>, training: Controls, from = 0): Promise<void> | undefined {
    for (let at = from; at < this.callbacks.length; at++) {
      const callback = this.callbacks[at]!;
      if (callback.isOutput === true && !this.#isFirst) continue;
      const waiting = callback.handle(event, training);
      if (waiting !== undefined) return Promise.resolve(waiting).then(() => this.tell(event, training, at + 1));
    }
    return undefined;
  }

  /** Tells everybody; undefined where nobody has to be waited for. */
  send(event: TrainingEvent<V>, training: Controls): Promise<void> | undefined {
    const waiting = this.tell(event, training);
    if (waiting === undefined && this.follower === null && this.#warnings.length === 0) return undefined;
    return this.#finish(event, training, waiting);
  }

  async #finish(event: TrainingEvent<V>, training: Controls, waiting: Promise<void> | undefined): Promise<void> {
    await waiting;
    await this.follower?.(event);
    for (let warning = this.#warnings.shift(); warning !== undefined; warning = this.#warnings.shift()) {
      const told = { type: 'warning', epoch: event.epoch, step: event.step, ...warning } as const;
      await this.tell(told, training);
      await this.follower?.(told);
    }
  }
}
