/**
 * Workers that make chunks: started by the user, so that any bundler and any policy for pages works; asked by messages; results
 * come back in the order of the requests. The other side is `serve.ts`.
 */
import { checkOptions, receivedError, type SentError, sentError, ValueError } from '@nn/core';
import type { ChunkRequest, ChunkResult, Work } from './chunk.ts';
import { isStream } from './source.ts';

/** A Web Worker, or a worker thread of Node's: what is needed of either. */
export interface WorkerLike {
  postMessage(message: unknown): void;
  terminate(): unknown;
}

export interface WorkerOptions {
  /** How many; 1 where not given. It changes no batch. */
  readonly count?: number;
  /** Starts one, whose module calls `servePipeline` with a pipeline made by the same function. */
  readonly start: () => WorkerLike;
  /** Milliseconds in which a worker must answer that it serves; 30,000 where not given. */
  readonly patience?: number;
}

/** What a worker says first. */
export interface Greeting {
  readonly type: 'nn.pipeline';
  readonly length: number;
  readonly stages: number;
}

/** The answer to a request. */
export type Answer =
  | { readonly type: 'nn.chunk'; readonly id: number; readonly result: ChunkResult }
  | { readonly type: 'nn.chunk'; readonly id: number; readonly error: SentError };

interface Waiting {
  readonly resolve: (result: ChunkResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Both kinds of workers as events: Node's have `on`, those of pages `addEventListener`. */
interface EventSource {
  on?(type: string, listener: (value: unknown) => void): void;
  addEventListener?(type: string, listener: (event: { data?: unknown; message?: string }) => void): void;
  ref?(): void;
  unref?(): void;
}

/** Throws for options that start no workers. */
export function checkWorkers(operation: string, options: WorkerOptions): void {
  checkOptions(operation, options, ['count', 'start', 'patience']);
  const { count = 1, start, patience = 30_000 } = options;
  if (Number.isInteger(count) && count >= 1 && typeof start === 'function' && patience > 0) return;
  throw new ValueError(
    operation,
    `count is ${count}, start a ${typeof start}, patience ${patience}: give a whole number, 1 or more, a function that starts a worker, and milliseconds above 0.`,
    { count, patience },
  );
}

export class WorkerPool {
  readonly #workers: PoolWorker[];

  /** The options were checked by `checkWorkers`. */
  constructor(work: Work, { count = 1, start, patience = 30_000 }: WorkerOptions) {
    this.#workers = Array.from({ length: count }, () => new PoolWorker(start(), expected(work), patience));
  }

  /** The worker with the least to do makes it. */
  run(request: ChunkRequest): Promise<ChunkResult> {
    const worker = this.#workers.reduce((least, each) => (each.pending < least.pending ? each : least));
    return worker.run(request);
  }

  close(): void {
    for (const worker of this.#workers) worker.close();
  }
}

/** What this side's pipeline is like, to compare. */
export function expected({ source, stages }: Work): Greeting {
  return { type: 'nn.pipeline', length: isStream(source) ? -1 : source.length, stages: stages.length };
}

class PoolWorker {
  readonly #worker: WorkerLike & EventSource;
  readonly #waiting = new Map<number, Waiting>();
  readonly #greeting: Greeting;
  #failure: Error | null = null;
  #serves = false;
  #requests = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(worker: WorkerLike, greeting: Greeting, patience: number) {
    if (typeof worker?.postMessage !== 'function') {
      throw new ValueError(
        'DataPipeline.batch: workers',
        `start must return a worker, as new Worker(...); it gave ${String(worker)}.`,
      );
    }
    this.#worker = worker;
    this.#greeting = greeting;
    const on = (type: string, listener: (value: unknown) => void): void => {
      if (this.#worker.on) this.#worker.on(type, listener);
      else this.#worker.addEventListener?.(type, (event) => listener(type === 'message' ? event.data : event));
    };
    on('message', (message) => this.#receive(message));
    on('error', (cause) => {
      // Node hands over errors that nobody caught without their class
      const known = cause instanceof Error ? receivedError(sentError(cause)) : cause;
      this.#fail(`a worker failed: ${messageOf(cause)}`, known);
    });
    on('exit', (code) => {
      const asked = this.#serves ? '' : ' before it served: does its module call servePipeline(pipeline)?';
      this.#fail(`a worker ended with ${code}${asked || '.'}`);
    });
    on('messageerror', () => this.#fail('a worker sent what cannot be read.'));
    this.#timer = setTimeout(
      () =>
        this.#fail(`a worker said nothing for ${patience} milliseconds: does its module call servePipeline(pipeline)?`),
      patience,
    );
    this.#idle();
  }

  get pending(): number {
    return this.#waiting.size;
  }

  run(request: ChunkRequest): Promise<ChunkResult> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const id = this.#requests++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.ref?.();
      this.#worker.postMessage({ id, request });
    });
  }

  close(): void {
    this.#fail('it was closed.');
    this.#worker.terminate();
  }

  #receive(message: unknown): void {
    const said = Object(message) as Partial<Greeting> | Answer;
    if (said.type === 'nn.pipeline') {
      clearTimeout(this.#timer);
      this.#serves = true;
      const { length, stages } = this.#greeting;
      if (said.length === length && said.stages === stages) return;
      this.#fail(
        `a worker's pipeline has ${said.length} samples and ${said.stages} functions, this one ${length} and ${stages}; make both by the same function.`,
      );
    } else if (said.type === 'nn.chunk' && 'id' in said) {
      const waiting = this.#waiting.get(said.id);
      this.#waiting.delete(said.id);
      if ('error' in said) waiting?.reject(receivedError(said.error));
      else waiting?.resolve(said.result);
      if (this.#waiting.size === 0) this.#idle();
    }
  }

  #fail(what: string, cause?: unknown): void {
    clearTimeout(this.#timer);
    this.#failure ??= Object.assign(new ValueError('DataPipeline', `${what}`), cause === undefined ? {} : { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
    this.#idle();
  }

  /** A worker that waits must not keep a process of Node's alive. */
  #idle(): void {
    this.#worker.unref?.();
    (this.#timer as { unref?(): void } | undefined)?.unref?.();
  }
}

function messageOf(cause: unknown): string {
  const { message } = Object(cause) as { message?: unknown };
  return typeof message === 'string' && message !== '' ? message : 'it could not start.';
}
