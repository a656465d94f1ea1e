/**
 * Workers that help with large steps: started once, unreferenced, noticed when they die. The caller always helps and can
 * finish alone, so nothing waits for a worker except for a piece that it has already claimed.
 */
import { BackendError } from '@nn/core';
import type { LinearMemory } from '../memory.ts';
import { control, shared } from './protocol.ts';
import { workerSource } from './worker-source.ts';

/** How long a claimed piece may take before its worker counts as dead, in milliseconds in which this thread ran. */
const longestPiece = 20_000;
/**
 * What a pause between two looks counts at most. A process that was stopped, or a machine that slept, stops its workers too:
 * they are late then, not dead, and the time in which nobody ran says nothing.
 */
const longestLook = 250;

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

/** A module in shared memory, from where workers take it (laid out as `shared` in `protocol.ts`). */
export interface SharedModule {
  /** Never given again: what lies behind it is this module. */
  readonly id: number;
  readonly address: number;
  readonly bytes: number;
}

/** What a region needs to know of its program. */
export interface PoolProgram {
  readonly module: SharedModule;
  work(control: number, sequence: number, own: number): void;
}

/** What became of the workers. It stands apart from the pool, which their listeners must not keep alive. */
interface Health {
  failure: string | null;
}

/** Ends the workers of a pool that nobody can reach any more: they would wait for ever, and hold its memory. */
const forgotten = /* @__PURE__ */ new FinalizationRegistry<readonly Helper[]>((helpers) => {
  for (const helper of helpers) helper.terminate();
});

export class ThreadPool {
  readonly threads: number;
  readonly #memory: LinearMemory;
  readonly #control: number;
  readonly #words: Int32Array;
  readonly #next: BigInt64Array;
  readonly #helpers: Helper[] = [];
  readonly #health: Health = { failure: null };
  #own = { address: 0, bytes: 0 };
  #modules = 0;

  /** `tier`: source of a function of a memory, which gives functions in the place of the library's. */
  constructor(memory: LinearMemory, threads: number, library: Uint8Array<ArrayBuffer>, tier = '') {
    this.threads = threads;
    this.#memory = memory;
    this.#control = memory.allocate(control.size);
    this.#words = new Int32Array(memory.memory.buffer, this.#control, control.size / 4);
    this.#next = new BigInt64Array(memory.memory.buffer, this.#control + control.next, 1);
    this.#words.fill(0);
    const source = workerSource(tier);
    for (let number = 0; number < threads - 1; number++) {
      const helper = startHelper(source, { memory: memory.memory, at: this.#control, number, library }, this.#health);
      if (helper !== null) this.#helpers.push(helper);
    }
    forgotten.register(this, this.#helpers);
  }

  /** Why the workers no longer help, or null. */
  get failure(): string | null {
    return this.#health.failure;
  }
  /** The workers that have started. */
  get ready(): number {
    return Atomics.load(this.#words, control.ready / 4);
  }

  /** Memory for each worker alone, at least `bytes`. */
  reserve(bytes: number): void {
    if (bytes <= this.#own.bytes) return;
    const helpers = this.threads - 1;
    if (this.#own.bytes > 0) this.#memory.free(this.#own.address, this.#own.bytes * helpers);
    this.#own = { address: 0, bytes: 0 };
    this.#own = { address: this.#memory.allocate(bytes * helpers), bytes };
  }

  /** Puts a module where workers find it; each of them will need `ownBytes` for itself. */
  share(code: Uint8Array<ArrayBuffer>, ownBytes: number): SharedModule {
    this.reserve(ownBytes);
    const address = this.#memory.allocate(shared.bytes + code.length);
    const { bytes, words } = this.#memory;
    bytes.set(code, address + shared.bytes);
    words[(address + shared.length) / 4] = code.length;
    this.#modules += 1;
    Atomics.store(words, (address + shared.id) / 4, this.#modules);
    return { id: this.#modules, address, bytes: code.length };
  }

  /** Takes a module away again. */
  forget({ address, bytes }: SharedModule): void {
    Atomics.store(this.#memory.words, (address + shared.id) / 4, 0);
    this.#memory.free(address, shared.bytes + bytes);
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
    // The high half of NEXT: nobody claims a piece of the region before with words of this one.
    Atomics.store(words, control.next / 4 + 1, sequence);
    set(control.program, program.module.id);
    set(control.phase, phase);
    set(control.table, at.table);
    set(control.scratch, at.scratch);
    set(control.units, units);
    set(control.pieces, pieces);
    set(control.moduleAddress, program.module.address);
    set(control.ownAddress, this.#own.address);
    set(control.ownBytes, this.#own.bytes);
    Atomics.store(words, control.finished / 4, 0);
    Atomics.store(this.#next, 0, BigInt(sequence) << 32n);
    Atomics.store(words, control.sequence / 4, sequence);
    if (this.#health.failure === null && Atomics.load(words, control.sleepers / 4) > 0) {
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
    let waited = 0;
    let last = 0;
    while (Atomics.load(words, finished) < pieces) {
      if (++turns % 65536 !== 0) continue;
      const now = performance.now();
      if (last > 0) waited += Math.min(now - last, longestLook);
      last = now;
      const hasFailed = Atomics.load(words, control.failed / 4) > 0;
      if (!hasFailed && waited < longestPiece) continue;
      this.#health.failure ??= hasFailed ? 'a worker failed' : 'a worker died';
      // It may only be slow: what it still writes must not meet what comes after.
      this.close();
      throw new BackendError(
        'threads',
        `${this.#health.failure} in the middle of a step, so what this backend holds cannot be trusted. Make a new one with cpu(), and bring the model back from its last backup: recover(model, optimizer, backend).`,
        { lost: true },
      );
    }
  }

  /** Between two runs, for good: workers end, and their memory comes back. */
  end(): void {
    this.close();
    const { address, bytes } = this.#own;
    if (bytes > 0) this.#memory.free(address, bytes * (this.threads - 1));
    this.#own = { address: 0, bytes: 0 };
  }

  close(): void {
    for (const helper of this.#helpers.splice(0)) helper.terminate();
  }
}

/** A worker, or null where none can be started: `health` says why, then or later. */
function startHelper(source: string, start: object, health: Health): Helper | null {
  const failed = (cause: unknown): void => {
    const text = cause instanceof Error ? cause.message : typeof cause === 'number' ? `it ended with ${cause}` : cause;
    health.failure ??= `a worker failed: ${text}`;
  };
  try {
    return inNode() ? nodeHelper(source, start, failed) : browserHelper(source, start, failed);
  } catch (cause) {
    failed(cause);
    return null;
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
  // A policy that forbids blob workers does not throw, it fires this, without a word.
  worker.onerror = ({ message }) =>
    failed(message || "it could not start (a Content-Security-Policy must allow it: 'worker-src blob:')");
  worker.postMessage(start);
  return { terminate: () => worker.terminate() };
}
