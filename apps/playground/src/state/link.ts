/** The page's end of the worker: questions with answers, frames, and the report that training ended by itself. */
import type { Told } from '../i18n/words.ts';
import type { Answers, Command, CommandOf, Frame, FromWorker } from '../worker/protocol.ts';

/** Why the worker refused. */
export class Refusal extends Error {
  readonly why: Told;
  constructor(why: Told) {
    super(why.message);
    this.name = 'Refusal';
    this.why = why;
  }
}

export interface Listener {
  readonly frame: (frame: Frame) => void;
  readonly stopped: (refusal: Refusal) => void;
  readonly rested: () => void;
}

export interface Link {
  ask<Kind extends Command['kind']>(command: CommandOf<Kind>): Promise<Answers[Kind]>;
}

type Settle = { readonly resolve: (value: never) => void; readonly reject: (error: Refusal) => void };

/** The worker starts with the first question: whoever is in another place of the page has none. */
export function connect(listener: Listener): Link {
  const open = new Map<number, Settle>();
  let worker: Worker | null = null;
  let count = 0;
  return {
    ask: (command) =>
      new Promise((resolve, reject) => {
        count++;
        open.set(count, { resolve, reject });
        worker ??= start(open, listener);
        worker.postMessage({ ...command, id: count });
      }),
  };
}

function start(open: Map<number, Settle>, listener: Listener): Worker {
  const worker = new Worker(new URL('../worker/main.ts', import.meta.url), { type: 'module', name: 'training' });
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if (data.kind === 'frame') {
      listener.frame(data.frame);
      // the next frame may come when this one is on the screen
      requestAnimationFrame(() => worker.postMessage({ kind: 'seen', id: 0 }));
    } else if (data.kind === 'rested') {
      listener.rested();
    } else if (data.kind === 'stopped') {
      listener.stopped(new Refusal(data.why));
    } else {
      const settle = open.get(data.id);
      open.delete(data.id);
      if (data.kind === 'refused') settle?.reject(new Refusal(data.why));
      else settle?.resolve(data.value as never); // the one cast: the protocol answers each kind with its own type
    }
  };
  worker.onerror = (event) => {
    const message = event.message || 'The worker did not start.';
    listener.stopped(new Refusal({ kind: 'page/worker', message, data: {} }));
  };
  return worker;
}
