/** What WebAssembly can do here, asked with tiny modules: SIMD, and multiply-add with one rounding. */
import { ModuleBuilder, type V128 } from './assembler.ts';
import { f32, f32x4 } from './instructions.ts';

export interface Features {
  readonly simd: boolean;
  readonly relaxed: boolean;
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

function ask(): Features {
  if (typeof WebAssembly !== 'object') return { simd: false, relaxed: false, reason: 'there is no WebAssembly here' };
  if (!accepts((vector) => f32x4.add(vector, vector))) {
    return { simd: false, relaxed: false, reason: 'this WebAssembly has no SIMD' };
  }
  try {
    new WebAssembly.Module(new ModuleBuilder().bytes());
  } catch {
    return {
      simd: false,
      relaxed: false,
      reason: "a policy forbids to compile WebAssembly (it needs 'wasm-unsafe-eval')",
    };
  }
  return { simd: true, relaxed: accepts((vector) => f32x4.relaxedMadd(vector, vector, vector)), reason: '' };
}
