/**
 * The CPU backend of Node with products in native code. It is a tier: WebAssembly computes from the first step on, a compiler
 * works beside it in a process of its own, and its code takes over between two steps. Nothing waits, and nothing fails where
 * there is no compiler: `info()` says what runs and why.
 */
import process from 'node:process';
import { type CpuBackend, type CpuOptions, tieredCpu } from '@nn/backend-cpu/tier';
import { loadTier } from './addon.ts';
import { build, messageOf, Unavailable } from './compiler.ts';

export interface NativeOptions extends Pick<CpuOptions, 'deterministic' | 'threads'> {
  /** The program that compiles C: by default `$CC`, `cc`, `clang` or `gcc`, the first that is in PATH. */
  readonly compiler?: string;
  /** The folder that keeps what was compiled, yours alone; `nn-native` in your cache folder by default. */
  readonly cache?: string;
  /** Whether to compile at all: true, unless the environment has `NN_NATIVE=0`. */
  readonly enabled?: boolean;
}

export interface NativeBackend extends CpuBackend {
  /** Resolves when it is decided what runs: true for native code, false for WebAssembly alone. Never rejects. */
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
 * console.log(isNative ? String(code).startsWith('products by') : String(code).startsWith('no, because')); // => true
 */
export function native(options: NativeOptions = {}): NativeBackend {
  const { compiler, cache, enabled = process.env.NN_NATIVE !== '0', ...rest } = options;
  const { backend, fused, raise, note } = tieredCpu(rest);
  const start = async (): Promise<boolean> => {
    try {
      if (!enabled) throw new Unavailable('it is switched off (enabled: false, or NN_NATIVE=0)');
      note({ native: 'not yet: compiling' });
      const built = await build({ compiler, cache, fused });
      raise(loadTier(built.file));
      note({ native: `products by ${built.compiler}`, nativeFrom: built.fromCache ? 'cache' : 'compiled now' });
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
    return decided.finally(() => clearInterval(awake));
  };
  return Object.assign(backend, { ready });
}
