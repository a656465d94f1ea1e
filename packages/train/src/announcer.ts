/**
 * The order in which everybody hears of an event: callbacks, then whoever walks over the events, then the warnings that
 * callbacks had of it. Waits only where somebody asks to be waited for, because small steps take microseconds. Owns no event.
 */
import { ValueError } from '@nn/core';
import type { Callback, Controls, Heard, TrainingEvent } from './events.ts';

const types = ['start', 'step', 'read', 'epoch', 'validating', 'validated', 'rest', 'warning', 'stopped'] as const;
const names: readonly Heard[] = [...types, 'some steps'];

export class Announcer<V> {
  readonly callbacks: readonly Callback<V>[];
  /** Whoever walks over the events: the training goes on when the promise resolves. */
  follower: ((event: TrainingEvent<V>) => Promise<void>) | null = null;
  /** Whether somebody hears of an event now, and the training waits. */
  isTelling = false;
  /** By the type of an event who hears of it. */
  readonly #heard: ReadonlyMap<TrainingEvent<V>['type'], readonly Callback<V>[]>;
  readonly #eachStep: boolean;
  #warnings: { readonly what: string; readonly message: string }[] = [];

  /** `isFirst`: whether this is the process that prints and writes. Throws ValueError for what nobody can hear. */
  constructor(callbacks: readonly (Callback<V> | Callback<V>['handle'])[], isFirst = true) {
    this.callbacks = callbacks.map((callback) => (typeof callback === 'function' ? handledBy(callback) : callback));
    const told = this.callbacks.filter(({ isOutput }) => isFirst || isOutput !== true);
    for (const { hears = [] } of told) {
      const wrong = hears.find((name) => !names.includes(name));
      if (wrong === undefined) continue;
      throw new ValueError('Training', `a callback hears '${wrong}', which is none of ${names.join(', ')}.`, { wrong });
    }
    const hearsOf = (name: Heard, { hears }: Callback<V>): boolean => hears?.includes(name) ?? true;
    const hearing = (type: (typeof types)[number]): Callback<V>[] =>
      told.filter((one) => hearsOf(type, one) || (type === 'step' && hearsOf('some steps', one)));
    this.#heard = new Map(types.map((type) => [type, hearing(type)]));
    this.#eachStep = told.some((one) => hearsOf('step', one));
  }

  /** Whether anybody hears of steps. */
  get hearsSteps(): boolean {
    return this.follower !== null || this.#heard.get('step')!.length > 0;
  }

  /** Whether somebody must hear of each step. */
  get hearsEachStep(): boolean {
    return this.follower !== null || this.#eachStep;
  }

  warn(what: string, message: string): void {
    // callbacks that watch the same say the same
    if (this.#warnings.every((known) => known.message !== message)) this.#warnings.push({ what, message });
  }

  /** Tells callbacks, in their order, each waited for where it returns a promise; undefined where none does. */
  tell(event: TrainingEvent<V>, training: Controls, from = 0): Promise<void> | undefined {
    const heard = this.#heard.get(event.type)!;
    this.isTelling = true;
    for (let at = from; at < heard.length; at++) {
      const waiting = heard[at]!.handle(event, training);
      if (waiting !== undefined) return Promise.resolve(waiting).then(() => this.tell(event, training, at + 1));
    }
    this.isTelling = false;
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
    this.isTelling = true;
    await this.follower?.(event);
    for (let warning = this.#warnings.shift(); warning !== undefined; warning = this.#warnings.shift()) {
      const told = { type: 'warning', epoch: event.epoch, step: event.step, ...warning } as const;
      await this.tell(told, training);
      this.isTelling = true;
      await this.follower?.(told);
    }
    this.isTelling = false;
  }
}

/**
 * A function as a callback. Throws ValueError where it is one that makes callbacks, and its parentheses were forgotten: then
 * it takes the event for its options, and throws in its own name, or answers the callback that nobody would hear of.
 */
function handledBy<V>(callback: Callback<V>['handle']): Callback<V> {
  return {
    handle: (event, training) => {
      try {
        const waiting = callback(event, training);
        if (!('handle' in Object(waiting))) return waiting;
      } catch (error) {
        const { kind, message } = Object(error) as { kind?: unknown; message?: unknown };
        if (kind !== `value/${callback.name}` && !/: no option (type|model):/.test(String(message))) throw error;
      }
      throw new ValueError('Training', `callbacks holds a maker of callbacks: call it, ${callback.name}(...).`);
    },
  };
}
