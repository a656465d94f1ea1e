/** The page's end of a place's worker: calls with answers, the last frame as a signal, and whether it trains. */
import { type Signal, signal } from '@preact/signals';
import { complain } from '../state/actions.ts';
import { Refusal } from '../state/link.ts';
import type { Calls, FromPlace, ToPlace } from './protocol.ts';

type Settle = { readonly resolve: (value: never) => void; readonly reject: (error: Refusal) => void };

/** A worker of its own, which waits where the person is elsewhere. */
export class PlaceWorker<Known extends { readonly [Name in keyof Known]: Calls[string] }, Frame> {
  readonly frame: Signal<Frame | null> = signal(null);
  readonly running: Signal<boolean> = signal(false);
  readonly #worker: Worker;
  readonly #open = new Map<number, Settle>();
  #count = 0;

  /** `onFrame` hears of each frame before it is shown. */
  constructor(worker: Worker, onFrame: (frame: Frame) => void = () => {}) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromPlace>) => {
      if (data.kind === 'frame') {
        const frame = data.frame as Frame; // the one cast: the worker of this place makes no others
        onFrame(frame);
        this.frame.value = frame;
        requestAnimationFrame(() => this.#post({ kind: 'seen' }));
      } else if (data.kind === 'stopped') {
        this.running.value = false;
        complain(new Refusal(data.why));
      } else this.#settle(data);
    };
    worker.onerror = (event) => {
      this.running.value = false;
      complain(new Refusal({ kind: 'page/worker', message: event.message || 'The worker did not start.', data: {} }));
    };
  }

  #settle(data: Extract<FromPlace, { id: number }>): void {
    const settle = this.#open.get(data.id);
    this.#open.delete(data.id);
    if (data.kind === 'refused') settle?.reject(new Refusal(data.why));
    else settle?.resolve(data.value as never);
  }

  #post(message: ToPlace, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  ask<Name extends keyof Known & string>(
    name: Name,
    ...values: Parameters<Known[Name]>
  ): Promise<Awaited<ReturnType<Known[Name]>>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#count;
      this.#open.set(id, { resolve, reject });
      this.#post({ kind: 'call', id, name, values: values as never[] });
    });
  }

  run(): void {
    this.running.value = true;
    this.#post({ kind: 'run' });
  }

  pause(): void {
    this.running.value = false;
    this.#post({ kind: 'pause' });
  }

  toggle(): void {
    if (this.running.peek()) this.pause();
    else this.run();
  }
}
