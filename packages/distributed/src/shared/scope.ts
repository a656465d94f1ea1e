/**
 * The two places where threads are made: Node's worker_threads and the workers of a browser. Owns their differences; the
 * conversation is workers.ts.
 */
import { ValueError } from '@nn/core';

/** A thread that was started. */
export interface Thread {
  send(message: unknown): void;
  listen(message: (data: unknown) => void, failed: (error: Error) => void): void;
  stop(): void;
  /** Resolves when it has left the group. */
  readonly left: Promise<void>;
}

/** Where this program runs. */
export interface Scope {
  /** Whether a group started this thread. */
  readonly isMember: boolean;
  /** Whether it may sleep until other threads are there: a page may not. */
  readonly canWait: boolean;
  /** Starts a module, this program where not given, as a thread that is a member. */
  start(module: string | undefined, name: string): Thread;
  /** Asks who started this thread; `answered` gets what it says. */
  ask(question: string, answered: (message: unknown) => void): void;
  /** Tells who started this thread something. */
  tell(message: string): void;
  /** Calls `over` when the program fails, or ends (null). Returns what ends the listening. */
  onEnd(over: (error: string | null) => void): () => void;
  /** Tells who started this thread that it has left. */
  leave(): void;
}

type Listener = (value: never) => void;
interface Emitter {
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
}
interface Port extends Emitter {
  postMessage(message: unknown): void;
  once(event: string, listener: Listener): unknown;
  unref(): void;
}
interface NodeWorker extends Emitter {
  postMessage(message: unknown): void;
  terminate(): unknown;
  unref(): void;
}
interface Threads {
  readonly isMainThread: boolean;
  readonly parentPort: Port | null;
  readonly workerData: unknown;
  readonly Worker: new (module: string | URL, options: object) => NodeWorker;
}
interface NodeProcess extends Emitter {
  readonly argv: readonly string[];
  getBuiltinModule(name: 'node:worker_threads'): Threads;
}

/** A Worker of a browser, as it is used here. */
interface WebWorker {
  postMessage(message: unknown): void;
  terminate(): void;
  addEventListener(event: string, listener: (event: { data?: unknown; message?: string }) => void): void;
}
interface WebScope {
  readonly name?: string;
  readonly location?: { readonly href: string };
  readonly Worker?: new (module: string | URL, options: object) => WebWorker;
  readonly WorkerGlobalScope?: abstract new () => object;
  postMessage(message: unknown): void;
  addEventListener(
    event: string,
    listener: (event: { data?: unknown; message?: string; reason?: unknown }) => void,
  ): void;
  removeEventListener(event: string, listener: unknown): void;
}

/** Under this name a thread knows that a group started it. */
const membership = 'nn group';

export function scopeHere(): Scope {
  // the casts: what each of the two is known to have
  const { process } = globalThis as unknown as { process?: Partial<NodeProcess> };
  return process?.getBuiltinModule === undefined
    ? webScope(globalThis as unknown as WebScope)
    : nodeScope(process as NodeProcess);
}

function nodeScope(process: NodeProcess): Scope {
  const { isMainThread, parentPort, workerData, Worker } = process.getBuiltinModule('node:worker_threads');
  const isMember = Object(workerData)[membership] === true;
  return {
    isMember,
    canWait: true,
    start(module, name) {
      const program = module ?? (isMainThread ? process.argv[1] : undefined);
      if (program === undefined) {
        throw new ValueError(
          'workers',
          'it is not known which module the ranks run: give { module: import.meta.url }.',
        );
      }
      const worker = new Worker(/^[a-z]{2,}:/.test(program) ? new URL(program) : program, {
        name,
        workerData: { [membership]: true },
        argv: process.argv.slice(2),
      });
      return {
        send: (message) => worker.postMessage(message),
        listen(message, failed) {
          worker.on('message', message);
          worker.on('error', (error: Error) => failed(error));
          worker.on('exit', (code: number) => failed(new Error(`its thread ended with code ${code}`)));
        },
        stop: () => void worker.terminate(),
        left: new Promise((resolve) => {
          worker.on('exit', () => resolve());
        }),
      };
    },
    ask(question, answered) {
      parentPort!.once('message', answered);
      parentPort!.postMessage(question);
    },
    tell: (message) => parentPort!.postMessage(message),
    onEnd(over) {
      const failed = (error: unknown): void => over(error instanceof Error ? error.message : String(error));
      const ended = (): void => over(null);
      process.on('uncaughtExceptionMonitor', failed);
      process.on('exit', ended);
      return () => {
        process.off('uncaughtExceptionMonitor', failed);
        process.off('exit', ended);
      };
    },
    leave: () => undefined,
  };
}

function webScope(scope: WebScope): Scope {
  const { WorkerGlobalScope: Global, Worker, location } = scope;
  return {
    isMember: scope.name?.startsWith(membership) === true,
    canWait: Global !== undefined && scope instanceof Global,
    start(module, name) {
      const worker = new Worker!(module ?? location!.href, { type: 'module', name: `${membership}, ${name}` });
      return {
        send: (message) => worker.postMessage(message),
        listen(message, failed) {
          worker.addEventListener('message', ({ data }) => message(data));
          worker.addEventListener('error', ({ message: words }) =>
            failed(new Error(words ?? 'its module was not found')),
          );
        },
        stop: () => worker.terminate(),
        left: new Promise((resolve) => {
          worker.addEventListener('message', ({ data }) => {
            if (data !== 'left') return;
            worker.terminate();
            resolve();
          });
        }),
      };
    },
    ask(question, answered) {
      const listener = ({ data }: { data?: unknown }): void => {
        scope.removeEventListener('message', listener);
        answered(data);
      };
      scope.addEventListener('message', listener);
      scope.postMessage(question);
    },
    tell: (message) => scope.postMessage(message),
    onEnd(over) {
      const failed = ({ message, reason }: { message?: string; reason?: unknown }): void =>
        over(message ?? (reason instanceof Error ? reason.message : String(reason)));
      scope.addEventListener('error', failed);
      scope.addEventListener('unhandledrejection', failed);
      return () => {
        scope.removeEventListener('error', failed);
        scope.removeEventListener('unhandledrejection', failed);
      };
    },
    leave: () => scope.postMessage('left'),
  };
}
