/** The side of the worker: makes the chunks that are asked for, and sends their arrays without copies. */
import { sentError, ValueError } from '@nn/core';
import { isRagged } from '../samples/dataset.ts';
import { type ChunkRequest, type ChunkResult, runChunk, type Work } from './chunk.ts';
import { type Answer, expected } from './workers.ts';

/** The end of a channel inside a worker: `self`, `parentPort`, a `MessagePort`. */
export interface PortLike {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
}

interface Events {
  on?(type: 'message', listener: (message: unknown) => void): void;
  addEventListener?(type: 'message', listener: (event: { data: unknown }) => void): void;
  start?(): void;
}

/**
 * Serves a pipeline from within a worker to the `batch` with `workers` that started it. The module of the worker makes the
 * pipeline by the same function as the main thread, calls this, and is done. Throws a `ValueError` outside of a worker.
 *
 * @example
 * import { dataPipeline, servePipeline } from '@nn/data';
 * const squares = () => dataPipeline([1, 2, 3]).map((x) => ({ inputs: x * x }));
 * // in squares-worker.ts: servePipeline(squares());
 * // in the main thread:   squares().batch(2, { workers: { start: () => new Worker(new URL('squares-worker.ts', import.meta.url)) } });
 * const { port1, port2 } = new MessageChannel();
 * servePipeline(squares(), port1);
 * const { length, stages } = await new Promise<{ length: number; stages: number }>((resolve) => {
 *   port2.onmessage = ({ data }) => resolve(data);
 * });
 * console.log(length, stages); // => 3 1
 * port1.close();
 */
export function servePipeline(pipeline: Work, port: PortLike = ownPort()): void {
  const channel: PortLike & Events = port;
  const answer = async (message: unknown): Promise<void> => {
    // The one cast: only a WorkerPool knows this port.
    const { id, request } = message as { readonly id: number; readonly request: ChunkRequest };
    let answered: Answer;
    try {
      answered = { type: 'nn.chunk', id, result: await runChunk(pipeline, request) };
      channel.postMessage(answered, buffersOf(answered.result));
    } catch (error) {
      channel.postMessage({ type: 'nn.chunk', id, error: sentError(error) } satisfies Answer, []);
    }
  };
  if (channel.on) channel.on('message', answer);
  else channel.addEventListener?.('message', ({ data }) => answer(data));
  channel.start?.();
  channel.postMessage(expected(pipeline), []);
}

/** The memory of the columns, each piece once; what is shared is not given away. */
function buffersOf({ columns }: ChunkResult): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const field of Object.values(columns ?? {})) {
    for (const { buffer } of isRagged(field) ? [field.data, field.offsets] : [field.data]) {
      if (buffer instanceof ArrayBuffer) buffers.add(buffer);
    }
  }
  return [...buffers];
}

function ownPort(): PortLike {
  const threads =
    typeof process !== 'undefined' && process.getBuiltinModule ? process.getBuiltinModule('node:worker_threads') : null;
  const scope = globalThis as { document?: unknown; importScripts?: unknown; postMessage?: unknown };
  if (threads?.parentPort) return threads.parentPort;
  if (!threads && scope.document === undefined && typeof scope.postMessage === 'function')
    return scope as PortLike & typeof scope;
  throw new ValueError(
    'servePipeline',
    'this is no worker: call it in the module that a worker is started with, or pass a port.',
  );
}
