/** The WebAssembly engine in all its variants against the conformance kit. */
import { testConformance } from '@nn/conformance/vitest';
import { test } from 'vitest';
import { features } from './code/features.ts';
import { WasmEngine } from './engine.ts';

testConformance('wasm, products and sums rounded apart', () => new WasmEngine({ fused: false }));

// Node 20 has no such instruction, and says so by a skipped test; browsers must have it.
if (features().relaxed || 'document' in globalThis) {
  testConformance('wasm, fused multiply-add', () => new WasmEngine({ fused: true }));
} else {
  test.skip('wasm, fused multiply-add: this engine has no relaxed SIMD', () => undefined);
}
