/** What is asked of WebAssembly before it is chosen: modules as large as those of programs, not only tiny ones. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

beforeEach(() => void vi.resetModules());
afterEach(() => void vi.unstubAllGlobals());

/** A thread that compiles modules up to `most` bytes while it waits, as some browsers let pages do. */
function upTo(most: number): void {
  const { Module } = WebAssembly;
  const limited = function limited(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
    if (bytes.byteLength > most) {
      throw new RangeError(
        'WebAssembly.Module(): Compile is disallowed on the main thread, if the buffer is larger than 4KB',
      );
    }
    return new Module(bytes);
  };
  vi.stubGlobal('WebAssembly', { ...members(), Module: limited });
}

const members = (): object =>
  Object.fromEntries(Object.getOwnPropertyNames(WebAssembly).map((name) => [name, Reflect.get(WebAssembly, name)]));

it('falls back to JavaScript where modules above 4 kB are refused, and says so', async () => {
  upTo(4096);
  const { cpu } = await import('../../cpu.ts');
  const backend = cpu();
  expect(backend.info().engine).toBe('javascript');
  expect(backend.info().reason).toBe(
    'the fastest that works here; no wasm, because this thread may not compile a WebAssembly module of 64 kB while it waits (WebAssembly.Module(): Compile is disallowed on the main thread, if the buffer is larger than 4KB); a worker may',
  );
  const { tensor } = await import('@nn/core');
  expect(await tensor([1, 2], { backend }).mul(3).array()).toEqual([3, 6]);
  expect(() => cpu({ engine: 'wasm' })).toThrow('cpu: no wasm, because this thread may not compile');
});

it('takes WebAssembly where they are not', async () => {
  upTo(8 * 2 ** 20);
  const { cpu } = await import('../../cpu.ts');
  expect(cpu().info().engine).toBe('wasm');
});
