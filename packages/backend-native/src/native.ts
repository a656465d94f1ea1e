/**
 * The CPU backend of Node in native code. It is a tier: WebAssembly computes from the first step on, a compiler works beside it
 * in a process of its own, first on products, then on each program that takes time, and its code takes over between two steps.
 * Nothing waits, and nothing fails where there is no compiler: `info()` says what runs and why.
 */
import process from 'node:process';
import { type CpuBackend, type CpuOptions, tieredCpu } from '@nn/backend-cpu/tier';
import { loadTier, programTier } from './addon.ts';
import { addonSource } from './c/addon.ts';
import { findToolchain, messageOf, Unavailable } from './compiler.ts';
import { trial } from './trial.ts';

export interface NativeOptions extends Pick<CpuOptions, 'deterministic' | 'threads'> {
  /** The program that compiles C: by default `$CC`, `cc`, `clang` or `gcc`, the first that is in PATH. */
  readonly compiler?: string;
  /** The folder that keeps what was compiled, yours alone; `nn-native` in your cache folder by default. */
  readonly cache?: string;
  /** Whether to compile at all: true, unless the environment has `NN_NATIVE=0`. */
  readonly enabled?: boolean;
  /**
   * Whether a program waits for its native code instead of starting as WebAssembly: results are then those of native code from
   * the first step on, and first steps are slow. For measurements and tests, after `ready()`; false by default.
   */
  readonly wait?: boolean;
  /**
   * Milliseconds from which on a step runs beside the event loop, which goes on meanwhile: 8 by default, 0 for all steps in
   * native code, Infinity for none.
   */
  readonly besideFrom?: number;
}

export interface NativeBackend extends CpuBackend {
  /**
   * Resolves when it is decided what runs, and the native code of all programs that deserve it so far is there: true for native
   * code, false for WebAssembly alone. Never rejects.
   */
  ready(): Promise<boolean>;
}

/**
 * A backend that computes in WebAssembly at once, and in native code as soon as that is compiled.
 * Throws a `BackendError` where there is no WebAssembly with SIMD.
 *
 * @example
 * import { native } from '@nn/backend-native';
 * const backend = native();
 * const isNative = await backend.ready();
 * const { native: code } = backend.info().details;
 * console.log(isNative ? String(code).includes('products by') : String(code).startsWith('no, because')); // => true
 */
export function native(options: NativeOptions = {}): NativeBackend {
  const { compiler, cache, enabled = process.env.NN_NATIVE !== '0', wait = false, besideFrom = 8, ...rest } = options;
  const { backend, fused, raise, raisePrograms, note, settled } = tieredCpu(rest);
  const start = async (): Promise<boolean> => {
    try {
      if (!enabled) throw new Unavailable('it is switched off (enabled: false, or NN_NATIVE=0)');
      note({ native: 'not yet: compiling' });
      const tools = await findToolchain({ compiler, cache, fused });
      const { file, fromCache } = await tools.build(addonSource);
      // without fused sums the bits are those of WebAssembly, whose vectors have 4 lanes
      const lanes = fused && process.arch === 'x64' ? 8 : 4;
      const nativeFrom = fromCache ? 'cache' : 'compiled now';
      const { crew, ...library } = loadTier(file);
      raise(library);
      note({ native: `products by ${tools.compiler}`, nativeFrom });
      const programs = { fused, waits: wait, lanes, besideFrom, crew } as const;
      const tier = programTier(programs, async (source) => (await tools.build(source)).file);
      const wrong = await raisePrograms(tier, trial);
      const what = wrong === null ? 'programs and products' : 'products';
      note({
        native: `${what} by ${tools.compiler}`,
        nativeFrom,
        ...(wrong !== null && { noNativePrograms: wrong }),
      });
      return true;
    } catch (error) {
      const why = error instanceof Unavailable ? error.message : `of an unexpected error (${messageOf(error)})`;
      note({ native: `no, because ${why}` });
      return false;
    }
  };
  const decided = start();
  const ready = async (): Promise<boolean> => {
    // the compiler alone keeps no process alive; somebody who waits for it does
    const awake = setInterval(() => undefined, 60_000);
    const isNative = await decided;
    await settled();
    clearInterval(awake);
    return isNative;
  };
  return Object.assign(backend, { ready });
}
