/** The WebAssembly engine in all its variants against the conformance kit. */
import { testConformance } from '@nn/conformance/vitest';
import { WasmEngine } from './engine.ts';
import { features } from './features.ts';

testConformance('wasm, products and sums rounded apart', () => new WasmEngine({ fused: false }));
if (features().relaxed) testConformance('wasm, fused multiply-add', () => new WasmEngine({ fused: true }));
