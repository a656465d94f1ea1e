/** What WebAssembly can do here, asked with small modules: SIMD, multiply-add with one rounding, and how good its compiler is. */
import { ModuleBuilder, type V128 } from './assembler.ts';
import { f32, f32x4 } from './instructions.ts';

export interface Features {
  readonly simd: boolean;
  readonly relaxed: boolean;
  /**
   * Whether the compiler is of 2025 or later. V8 13 (Node 24, Chromium of that year) allocates registers for all 15 live
   * vectors of a 6 x 8 tile, V8 12 spills them; 16-bit floats arrived in between, and stand for the year.
   */
  readonly recent: boolean;
  /** Why there is no SIMD, in words that follow "because". */
  readonly reason: string;
}

function accepts(build: (vector: V128) => V128): boolean {
  const module = new ModuleBuilder();
  module.function(null, [], ['f32'], (builder) => {
    builder.emit(f32x4.extract(build(f32x4.splat(f32.const(1))), 0).code);
  });
  return WebAssembly.validate(module.bytes());
}

let known: Features | null = null;

/** Asked once: the answer cannot change. */
export function features(): Features {
  known ??= ask();
  return known;
}

/** Some browsers stop a page at 4 kB, which is less than the module of a small program; a longer one costs milliseconds. */
const probeBytes = 2 ** 16;

/** A module without functions, with a section that nobody reads: it is as long as it is asked to be, and costs nothing. */
function padded(bytes: number): Uint8Array<ArrayBuffer> {
  const module = new Uint8Array(bytes);
  module.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0]);
  // the length of the custom section as LEB128 in four bytes: what is left behind it; its name is empty
  const length = bytes - 13;
  for (let k = 0; k < 4; k++) module[9 + k] = ((length >>> (7 * k)) & 0x7f) | (k < 3 ? 0x80 : 0);
  return module;
}

function ask(): Features {
  const recent = 'Float16Array' in globalThis;
  if (typeof WebAssembly !== 'object')
    return { simd: false, relaxed: false, recent, reason: 'there is no WebAssembly here' };
  if (!accepts((vector) => f32x4.add(vector, vector))) {
    return { simd: false, relaxed: false, recent, reason: 'this WebAssembly has no SIMD' };
  }
  const without = (reason: string): Features => ({ simd: false, relaxed: false, recent, reason });
  try {
    new WebAssembly.Module(new ModuleBuilder().bytes());
  } catch {
    return without("a policy forbids to compile WebAssembly (it needs 'wasm-unsafe-eval')");
  }
  try {
    new WebAssembly.Module(padded(probeBytes));
  } catch (error) {
    return without(
      `this thread may not compile a WebAssembly module of ${probeBytes / 2 ** 10} kB while it waits (${error instanceof Error ? error.message : error}); a worker may`,
    );
  }
  return { simd: true, relaxed: accepts((vector) => f32x4.relaxedMadd(vector, vector, vector)), recent, reason: '' };
}
