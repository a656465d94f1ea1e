/** Fourier transforms where there is no WebAssembly: modules are loaded anew, so this file has a process of its own. */
import { expect, test, vi } from 'vitest';

test('where WebAssembly is forbidden, JavaScript does the work', async () => {
  vi.resetModules();
  vi.stubGlobal('WebAssembly', undefined);
  try {
    const forbidden = await import('./vectors.ts');
    expect(forbidden.vectorTransformOf(64)).toBe(null);
    const { transformOf: without } = await import('./transform.ts');
    expect(without(64).input).toBeInstanceOf(Float64Array);
  } finally {
    vi.unstubAllGlobals();
    vi.resetModules();
  }
});
