/**
 * Messages between a page or process and its workers: Web Workers and worker threads behind one interface. Owns the two
 * ways of listening; what the messages say is run.ts and trials.ts.
 */
import { isNNError, receivedError, type SentError, sentError, ValueError } from '@nn/core';
import { DivergedError } from '../diverged-error.ts';

/** A Web Worker, or a `Worker` of node:worker_threads. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  terminate(): unknown;
}

/** One end of a conversation. */
export interface Channel {
  send(message: object, transfer?: ArrayBuffer[]): void;
  /** Calls `message` for each message, `failed` when the other end is gone, in Node with its exit code. Returns what ends the listening. */
  listen(message: (data: unknown) => void, failed: (error: Error, exitCode?: number) => void): () => void;
}

/** A thing that tells of messages as Node does, or as browsers do. */
interface Emitter {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  on?(event: string, listener: (value: unknown) => void): unknown;
  off?(event: string, listener: (value: unknown) => void): unknown;
  addEventListener?(event: string, listener: (event: Event) => void): void;
  removeEventListener?(event: string, listener: (event: Event) => void): void;
}

/** The end of whoever made the worker. */
export function channelTo(worker: WorkerLike): Channel {
  return channelOf(worker as WorkerLike & Emitter);
}

/** The end of the worker itself. Throws ValueError where this is none. */
export function ownChannel(operation: string): Channel {
  const { process: nodeProcess } = globalThis as {
    process?: { getBuiltinModule?(name: 'node:worker_threads'): { readonly parentPort: Emitter | null } };
  };
  const port = nodeProcess?.getBuiltinModule?.('node:worker_threads').parentPort;
  if (port) return channelOf(port);
  const { WorkerGlobalScope: Scope } = globalThis as { WorkerGlobalScope?: abstract new () => object };
  // the cast: in a Web Worker the global object is the port
  if (Scope !== undefined && globalThis instanceof Scope) return channelOf(globalThis as typeof globalThis & Emitter);
  throw new ValueError(
    operation,
    'this is no worker: call it in a module that new Worker(...) starts, and trainInWorker or search where that is done.',
  );
}

function channelOf(end: Emitter): Channel {
  return {
    send: (message, transfer = []) => end.postMessage(message, transfer),
    listen: (message, failed) => {
      const listeners: [string, (value: unknown) => void][] = [
        ['message', message],
        ['error', (error) => failed(errorOf(error))],
        ['messageerror', (error) => failed(errorOf(error))],
      ];
      if (end.on !== undefined) {
        listeners.push(['exit', (code) => failed(new Error(`the worker ended with code ${code}`), Number(code))]);
        for (const [event, listener] of listeners) end.on(event, listener);
        return () => {
          for (const [event, listener] of listeners) end.off?.(event, listener);
        };
      }
      const onPage = listeners.map(([event, listener]) => {
        const heard = (told: Event): void => listener(event === 'message' ? (told as MessageEvent).data : told);
        return [event, heard] as const;
      });
      for (const [event, listener] of onPage) end.addEventListener?.(event, listener);
      return () => {
        for (const [event, listener] of onPage) end.removeEventListener?.(event, listener);
      };
    },
  };
}

/** The error that was thrown on the other side. */
export function errorFrom(sent: SentError): Error {
  return receivedError(sent, [DivergedError]);
}

/** What ended the other side: Node hands over errors that nobody caught as plain ones. */
function errorOf(error: unknown): Error {
  if (error instanceof Error) return isNNError(error) ? errorFrom(sentError(error)) : error;
  const { message } = Object(error) as { message?: unknown };
  return new Error(typeof message === 'string' && message !== '' ? message : 'the worker failed to start');
}
