/**
 * Workers that help with large steps: started once, unreferenced, noticed when they die. The caller always helps and can
 * finish alone, so nothing waits for a worker except for a piece that it has already claimed.
 */
import { BackendError } from '@nn/core';
import type { LinearMemory } from '../wasm/memory.ts';
import { control } from './protocol.ts';
import { workerSource } from './worker-source.ts';

/** How long a claimed piece may take before its worker counts as dead. */
const longestPiece = 20_000;

interface Helper {
  terminate(): void;
}

/** How many threads to use, and why not more. */
export interface ThreadChoice {
  readonly threads: number;
  /** Why there is one thread, or null. */
  readonly reason: string | null;
}

interface NodeWorker {
  postMessage(message: unknown): void;
  on(event: 'error' | 'exit', listener: (cause: unknown) => void): void;
  unref(): void;
  terminate(): Promise<number>;
}
interface NodeModules {
  getBuiltinModule?(name: 'node:worker_threads'): {
    Worker: new (source: string, options: { eval: true }) => NodeWorker;
  };
  getBuiltinModule?(name: 'node:os'): { availableParallelism(): number };
}

const nodeProcess = (): NodeModules | undefined => (globalThis as { process?: NodeModules }).process;
const inNode = (): boolean => typeof nodeProcess()?.getBuiltinModule === 'function';

/** What `threads: wanted` means here. */
export function chooseThreads(wanted: number | 'auto' | undefined): ThreadChoice {
  if (wanted === undefined || wanted === 1) return { threads: 1, reason: 'more were not asked for' };
  if (wanted !== 'auto' && !(Number.isInteger(wanted) && wanted > 0 && wanted <= 64)) {
    throw new BackendError(`cpu: threads is ${wanted}: use 'auto' or a whole number from 1 to 64.`, {
      threads: wanted,
    });
  }
  if (typeof SharedArrayBuffer !== 'function') {
    return {
      threads: 1,
      reason:
        'there is no SharedArrayBuffer: the page must be cross-origin isolated (COOP same-origin, COEP require-corp)',
    };
  }
  if (!inNode() && (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== true) {
    return { threads: 1, reason: 'the page is not cross-origin isolated (COOP same-origin, COEP require-corp)' };
  }
  const available = inNode()
    ? (nodeProcess()?.getBuiltinModule?.('node:os')?.availableParallelism() ?? 1)
    : ((globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 1);
  if (wanted !== 'auto') return { threads: wanted, reason: null };
  const threads = Math.max(1, Math.min(16, available));
  return { threads, reason: threads > 1 ? null : 'the machine has one processor' };
}

/** What a region needs to know of its program. */
export interface PoolProgram {
  readonly id: number;
  /** The module's bytes in shared memory. */
  readonly address: number;
  readonly bytes: number;
  work(control: number, sequence: number, own: number): void;
}

export class ThreadPool {
  readonly threads: number;
  readonly #memory: LinearMemory;
  readonly #control: number;
  readonly #words: Int32Array;
  readonly #next: BigInt64Array;
  readonly #helpers: Helper[] = [];
  #own = { address: 0, bytes: 0 };
  #failure: string | null = null;

  constructor(memory: LinearMemory, threads: number, library: Uint8Array<ArrayBuffer>) {
    this.threads = threads;
    this.#memory = memory;
    this.#control = memory.allocate(control.size);
    this.#words = new Int32Array(memory.memory.buffer, this.#control, control.size / 4);
    this.#next = new BigInt64Array(memory.memory.buffer, this.#control + control.next, 1);
    this.#words.fill(0);
    const source = workerSource();
    for (let number = 0; number < threads - 1; number++) {
      const start = { memory: memory.memory, at: this.#control, number, library };
      const failed = (cause: unknown): void => {
        const text =
          cause instanceof Error
            ? cause.message
            : typeof cause === 'number'
              ? `it ended with ${cause}`
              : 'it could not start';
        this.#failure ??= `a worker failed: ${text}`;
      };
      try {
        this.#helpers.push(inNode() ? nodeHelper(source, start, failed) : browserHelper(source, start, failed));
      } catch (cause) {
        failed(cause);
      }
    }
  }

  /** Why the workers no longer help, or null. */
  get failure(): string | null {
    return this.#failure;
  }
  /** The workers that have started. */
  get ready(): number {
    return Atomics.load(this.#words, control.ready / 4);
  }

  /** Memory for each worker alone, at least `bytes`. */
  reserve(bytes: number): void {
    if (bytes <= this.#own.bytes) return;
    const helpers = this.threads - 1;
    const address = this.#memory.allocate(bytes * helpers);
    if (this.#own.bytes > 0) this.#memory.free(this.#own.address, this.#own.bytes * helpers);
    this.#own = { address, bytes };
  }

  /** Computes `units` units of a phase in `pieces` pieces, with the help of all workers. `own` is the caller's memory. */
  run(
    program: PoolProgram,
    phase: number,
    at: { readonly table: number; readonly scratch: number; readonly own: number },
    units: number,
    pieces: number,
  ): void {
    const words = this.#words;
    const set = (offset: number, value: number): void => {
      words[offset >> 2] = value;
    };
    const sequence = (Atomics.load(words, control.sequence / 4) + 1) | 0;
    set(control.program, program.id);
    set(control.phase, phase);
    set(control.table, at.table);
    set(control.scratch, at.scratch);
    set(control.units, units);
    set(control.pieces, pieces);
    set(control.moduleAddress, program.address);
    set(control.moduleBytes, program.bytes);
    set(control.ownAddress, this.#own.address);
    set(control.ownBytes, this.#own.bytes);
    Atomics.store(words, control.finished / 4, 0);
    Atomics.store(this.#next, 0, BigInt(sequence) << 32n);
    Atomics.store(words, control.sequence / 4, sequence);
    if (this.#failure === null && Atomics.load(words, control.sleepers / 4) > 0) {
      Atomics.notify(words, control.sequence / 4);
    }
    program.work(this.#control, sequence, at.own);
    this.#join(pieces);
  }

  /** Waits for the pieces that workers have claimed. */
  #join(pieces: number): void {
    const words = this.#words;
    const finished = control.finished / 4;
    let turns = 0;
    let start = 0;
    while (Atomics.load(words, finished) < pieces) {
      if (++turns % 65536 !== 0) continue;
      start ||= performance.now();
      if (performance.now() - start < longestPiece) continue;
      this.#failure ??= 'a worker died';
      throw new BackendError(`threads: ${this.#failure} in the middle of a step, whose results are lost.`);
    }
  }

  close(): void {
    for (const helper of this.#helpers.splice(0)) helper.terminate();
  }
}

function nodeHelper(source: string, start: object, failed: (cause: unknown) => void): Helper {
  const threads = nodeProcess()?.getBuiltinModule?.('node:worker_threads');
  if (!threads) throw new Error('this Node has no worker_threads');
  const worker = new threads.Worker(source, { eval: true });
  worker.on('error', failed);
  worker.on('exit', failed);
  worker.postMessage(start);
  // A waiting worker must not keep the process alive.
  worker.unref();
  return { terminate: () => void worker.terminate() };
}

function browserHelper(source: string, start: object, failed: (cause: unknown) => void): Helper {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url);
  // A policy that forbids blob workers does not throw, it fires this.
  worker.onerror = () => failed('it could not start');
  worker.postMessage(start);
  return { terminate: () => worker.terminate() };
}
