/**
 * `@nn/backend-cpu/tier`: for packages that bring other code for functions of the WebAssembly engine's library, as
 * `@nn/backend-native` does. The engine starts with its own functions; once others are there, they take their place between
 * two runs, on the same memory, under the same plans and threads. Not for programs that train networks.
 */
import type { Executable, Program, TensorData } from '@nn/core';
import { type CpuBackend, makeCpu } from '../backend.ts';
import type { CpuOptions } from '../engine.ts';
import { type LibraryTier, WasmEngine, wasmEngine } from './engine.ts';
import { NativePrograms, type ProgramTier, type Trial } from './native.ts';

export type { CpuBackend, CpuInfo } from '../backend.ts';
export type { CpuOptions, EngineInfo, EngineName } from '../engine.ts';
export type { CrewTier } from './crew.ts';
export type { LibraryTier, LinkedTier } from './engine.ts';
export { filters, type Matrix, outputs, patches, transposed } from './kernels/winograd/filtering.ts';
export { productOf, type Sums } from './kernels/winograd/sums.ts';
export type { NativeCode, NativeExports, ProgramTier, Trial } from './native.ts';
export { control } from './threads/protocol.ts';

/** A backend whose functions may be replaced. */
export interface TieredCpu {
  readonly backend: CpuBackend;
  /** Whether multiply-add may round once, in the functions that are brought. */
  readonly fused: boolean;
  /** Puts other functions in the place of the engine's own, from the next run on. */
  raise(tier: LibraryTier): void;
  /**
   * Gives whole programs to a tier, each between two of its runs, if the one that is on trial comes out right. Resolves to
   * the reason why that is not so, or to null.
   */
  raisePrograms(tier: ProgramTier, trial: Trial): Promise<string | null>;
  /** Adds facts to `info().details`, in the place of those that were added before. */
  note(details: Readonly<Record<string, string | number | boolean>>): void;
  /** Resolves when there is nothing on its way. */
  settled(): Promise<void>;
}

/** As `cpu()` of `@nn/backend-cpu/wasm`. Throws a `BackendError` where there is no WebAssembly. */
export function tieredCpu(options: CpuOptions = {}): TieredCpu {
  const made: WasmEngine[] = [];
  const backend = makeCpu(options, {
    wasm: (given) => {
      const engine = wasmEngine(given);
      if (engine instanceof WasmEngine) made.push(engine);
      return engine;
    },
  });
  // makeCpu throws where there is none
  const own = made[0]!;
  const compile = (program: Program): Executable | Promise<Executable> => {
    const made = own.compile(program);
    if (!own.programs?.waits) return made;
    return Promise.resolve(made).then(async (executable) => {
      await executable.becomeNative();
      return executable;
    });
  };
  // Asked after each run: a step beside the event loop is not done then, and core has to know how many are under way.
  Object.defineProperty(backend, 'isSynchronous', { get: () => own.lane.isFree });
  return {
    backend: Object.assign(backend, { compile }),
    fused: options.deterministic !== true,
    raise: (tier) => own.raise(tier),
    raisePrograms: (tier, trial) => raisePrograms(own, tier, trial),
    note: (details) => own.note(details),
    settled: async () => void (await own.programs?.settled()),
  };
}

async function raisePrograms(
  engine: WasmEngine,
  tier: ProgramTier,
  { program, inputs, compare }: Trial,
): Promise<string | null> {
  const programs = new NativePrograms(tier, engine.target, engine.memory);
  const made = await programs.make(program);
  if (made === null) return programs.failure;
  const executable = engine.make(program);
  const outputs = async (): Promise<TensorData[]> => {
    const given = inputs.map((data, at) => engine.upload(data, program.buffers[at]!));
    const results = executable.run(given, new Float64Array(program.scalars.length));
    const data = await Promise.all(results.map((result) => engine.download(result)));
    for (const buffer of [...given, ...results]) engine.release(buffer);
    return data;
  };
  const own = await outputs();
  executable.adopt(made);
  const wrong = compare(own, await outputs());
  executable.release();
  if (wrong === null) engine.programs = programs;
  return wrong;
}
