/** The order in which callbacks hear of events, and the warnings that they send themselves. Owns no event of its own. */
import type { Callback, Controls, Place, TrainingEvent } from './events.ts';

export class Announcer<V> {
  readonly callbacks: readonly Callback<V>[];
  #warnings: { readonly what: string; readonly message: string }[] = [];

  constructor(callbacks: readonly (Callback<V> | Callback<V>['handle'])[]) {
    this.callbacks = callbacks.map((callback) => (typeof callback === 'function' ? { handle: callback } : callback));
  }

  warn(what: string, message: string): void {
    this.#warnings.push({ what, message });
  }

  /** One event for all callbacks, each waited for, in their order. */
  async tell(event: TrainingEvent<V>, training: Controls): Promise<void> {
    for (const callback of this.callbacks) {
      const waiting = callback.handle(event, training);
      if (waiting !== undefined) await waiting;
    }
  }

  /** The event, and after it the warnings that callbacks had of it, told and then given to who walks over the events. */
  async *send(event: TrainingEvent<V>, training: Controls): AsyncGenerator<TrainingEvent<V>, void> {
    const place: Place = { epoch: event.epoch, step: event.step };
    await this.tell(event, training);
    yield event;
    for (let warning = this.#warnings.shift(); warning !== undefined; warning = this.#warnings.shift()) {
      const told = { type: 'warning', ...place, ...warning } as const;
      await this.tell(told, training);
      yield told;
    }
  }
}
