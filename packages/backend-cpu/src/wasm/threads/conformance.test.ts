/** The WebAssembly engine with two threads against the conformance kit, in Node and in a page. */
import { testConformance } from '@nn/conformance/vitest';
import { afterAll, expect, test, vi } from 'vitest';
import { WasmEngine } from '../engine.ts';
import { isWhole } from '../testing.ts';

const engine = new WasmEngine({ fused: false, threads: 2 });
afterAll(() => engine.pool?.close());

/** The caller could do all the work alone: the kit shall see a worker that helps. */
async function withWorker(): Promise<WasmEngine> {
  await vi.waitFor(() => expect(engine.pool?.ready).toBe(1), { timeout: 20_000 });
  return engine;
}

/**
 * What threads do to a step, programs and trainings show; the same operations on small tensors are one thread's work, of which
 * some are run, and all by `NN_KIT=whole`.
 */
const part = isWhole
  ? {}
  : { values: 8, gradients: 12, fusion: 8, 'special numbers': 4, 'random graphs': 2, 'functions of tensors': 4 };

testConformance('wasm with two threads', withWorker, { every: part });

test('the worker was there all the time', () => {
  expect(engine.pool?.failure).toBe(null);
  expect(engine.engineInfo().details).toMatchObject({ threads: 2 });
});
