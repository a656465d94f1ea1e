/** The WebAssembly engine with two threads against the conformance kit. */
import { testConformance } from '@nn/conformance/vitest';
import { WasmEngine } from '../wasm/engine.ts';

testConformance('wasm with two threads', () => new WasmEngine({ fused: false, threads: 2 }));
