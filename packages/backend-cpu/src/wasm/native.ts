/**
 * Programs in native code: a tier is given the module of a program, emitted for its vectors, and gives back its functions over
 * the same memory. Layout, plans and threads stay those of the engine; a program is exchanged between two of its runs.
 */
import type { Program, TensorData } from '@nn/core';
import type { Lanes } from './code/assembler.ts';
import { host, type Target } from './code/module-context.ts';
import { Crew, type CrewTier } from './crew.ts';
import { libraryBytes } from './kernels/library.ts';
import type { LinearMemory } from './memory.ts';
import { type CompiledProgram, compileProgram } from './program/program.ts';

type Words = (...words: number[]) => void;

/** What a program in native code exports, as its module would. */
export interface NativeExports {
  readonly run: Words;
  /** Where threads share its work. */
  readonly work?: Words;
  /**
   * Where it asks nothing of the host: (table, scratch, first, end, done) runs beside the event loop, which calls `done` in the
   * end, and gives what `join` takes; nothing where that cannot be.
   */
  readonly start?: (table: number, scratch: number, first: number, end: number, done: () => void) => unknown;
  /** Waits for the end, before `done` was called. */
  readonly join?: (job: unknown) => void;
  /** Called when the memory has grown: it may lie elsewhere. */
  readonly move: (memory: Uint8Array) => void;
}

export interface NativeCode {
  /** Under which workers open it (see `LibraryTier.source`). */
  readonly name: string;
  /** `functions`: those of the host that the module imports. `crew`: threads that a program shares which asks nothing of it. */
  link(memory: Uint8Array, functions: Readonly<Record<string, unknown>>, crew: object | null): NativeExports;
}

/** Makes native code of modules. */
export interface ProgramTier {
  /** Of vectors: modules with 8 are not WebAssembly (see `Lanes`). */
  readonly lanes: Lanes;
  /** Whether products and sums may be rounded once. */
  readonly fused: boolean;
  /** Whether a program is compiled before it runs at all; else it runs as WebAssembly until then. */
  readonly waits: boolean;
  /** Milliseconds from which on a program runs beside the event loop. */
  readonly besideFrom: number;
  /** Threads of native code; those of JavaScript where there are none. */
  readonly crew?: CrewTier;
  /** Rejects where there is none. `library`: the module that the program imports. */
  build(program: Uint8Array, library: Uint8Array): Promise<NativeCode>;
}

export interface NativeProgram {
  readonly compiled: CompiledProgram;
  /** Under which workers open it. */
  readonly name: string;
  readonly besideFrom: number;
  /** The threads that share its work where it asks nothing of the host (then it has a `start`). */
  readonly crew: Crew | null;
  /** `functions`: those of the host beside the ones of mathematics. */
  link(memory: Memory, functions: WebAssembly.ModuleImports): LinkedProgram;
}

export interface LinkedProgram {
  readonly run: Words;
  readonly work: Words;
  /** Runs it beside the event loop; null where it asks the host, which answers there alone. */
  readonly start: ((table: number, scratch: number, done: () => void) => (() => void) | null) | null;
}

/** A memory that may come to lie elsewhere. */
interface Memory {
  readonly bytes: Uint8Array;
}

/** A program that both ways must agree on before native code is trusted. */
export interface Trial {
  readonly program: Program;
  readonly inputs: readonly TensorData[];
  /** What is wrong with the native outputs; null for nothing. */
  compare(own: readonly TensorData[], native: readonly TensorData[]): string | null;
}

/** After so many failures nothing more is asked for: something is wrong with the machine, not with a program. */
const patience = 3;
/** Native code is never unloaded: so many programs at most. */
const most = 4096;

/** All programs of an engine for which native code was asked. */
export class NativePrograms {
  readonly #tier: ProgramTier;
  readonly #target: Target;
  #library: Uint8Array | null = null;
  #made = 0;
  #failures: string[] = [];
  #last: Promise<unknown> = Promise.resolve();
  readonly #crew: Crew | null;

  constructor(tier: ProgramTier, target: Target, memory: LinearMemory) {
    this.#tier = tier;
    this.#crew = tier.crew && target.threads > 1 ? new Crew(tier.crew, memory, target.threads) : null;
    const { lanes, fused } = tier;
    this.#target = { ...target, lanes, fused, wide: false };
  }

  get waits(): boolean {
    return this.#tier.waits;
  }
  /** The first reason why there is no native code of a program; null if there was none. */
  get failure(): string | null {
    return this.#failures[0] ?? null;
  }
  /** Facts for people. The first program was on trial. */
  get details(): Readonly<Record<string, string | number>> {
    return { nativePrograms: this.#made - 1, ...(this.failure !== null && { nativeFailure: this.failure }) };
  }
  /** Resolves when everything that was asked for is there, or is known to fail. */
  settled(): Promise<unknown> {
    return this.#last;
  }

  /** The program in native code, one after the other; null where it cannot be had. */
  make(program: Program): Promise<NativeProgram | null> {
    const made = this.#last.then(() => this.#make(program));
    this.#last = made;
    return made;
  }

  async #make(program: Program): Promise<NativeProgram | null> {
    if (this.#failures.length >= patience || this.#made >= most) return null;
    try {
      const compiled = compileProgram(program, this.#target);
      this.#library ??= libraryBytes(this.#target);
      const code = await this.#tier.build(compiled.bytes, this.#library);
      this.#made += 1;
      const { besideFrom } = this.#tier;
      const crew = this.#crew;
      const link = (memory: Memory, functions: WebAssembly.ModuleImports): LinkedProgram =>
        linked(code, memory, functions, crew);
      return { compiled, name: code.name, besideFrom, crew, link };
    } catch (error) {
      this.#failures.push(error instanceof Error ? error.message : String(error));
      return null;
    }
  }
}

/** A native program over a memory, told where that is whenever it has moved. */
function linked(
  code: NativeCode,
  memory: Memory,
  functions: WebAssembly.ModuleImports,
  crew: Crew | null,
): LinkedProgram {
  let { buffer } = memory.bytes;
  const made = code.link(memory.bytes, { ...host, ...functions }, crew?.handle ?? null);
  const { run, work = () => undefined, start, join, move } = made;
  const settled = (): void => {
    const { bytes } = memory;
    if (bytes.buffer !== buffer) move(bytes);
    buffer = bytes.buffer;
  };
  return {
    run: (table, scratch, first, end) => {
      settled();
      run(table, scratch, first, end);
    },
    work,
    start:
      start && join
        ? (table, scratch, done) => {
            settled();
            const job = start(table, scratch, 0, 0x7fffffff, done);
            return job === undefined ? null : () => join(job);
          }
        : null,
  };
}
