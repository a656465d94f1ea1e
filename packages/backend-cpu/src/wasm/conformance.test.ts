/**
 * The WebAssembly engine in all its variants against the conformance kit. In Node, products and sums that are rounded apart run
 * the whole kit; in a page fused ones do, and of the others a part: all of both by `NN_KIT=whole`.
 */
import { testConformance } from '@nn/conformance/vitest';
import { test } from 'vitest';
import { features } from './code/features.ts';
import { WasmEngine } from './engine.ts';
import { isWhole } from './testing.ts';

const isPage = 'document' in globalThis;
const part = isWhole || !isPage ? {} : { values: 8, gradients: 12, fusion: 12, 'special numbers': 4, programs: 3 };

testConformance('wasm, products and sums rounded apart', () => new WasmEngine({ fused: false }), { every: part });

// Node 20 has no such instruction, and says so by a skipped test; browsers must have it.
if (features().relaxed || isPage) {
  testConformance('wasm, fused multiply-add', () => new WasmEngine({ fused: true }));
} else {
  test.skip('wasm, fused multiply-add: this engine has no relaxed SIMD', () => undefined);
}
