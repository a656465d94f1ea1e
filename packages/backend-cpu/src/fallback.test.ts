/** The choice of the engine. WebAssembly is taken away before anything asks for it, so this file stands alone. */
import { buildKernel, ProgramBuilder } from '@nn/conformance';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cpu } from './cpu.ts';
import type { EngineName } from './engine.ts';
import { cpu as javascriptCpu } from './javascript/index.ts';
import { cpu as wasmCpu } from './wasm/index.ts';

beforeAll(() => {
  vi.stubGlobal('WebAssembly', undefined);
  cpu();
});

afterAll(() => {
  vi.unstubAllGlobals();
});

/** What a Content-Security-Policy without `unsafe-eval` does. */
function withoutFunctions<T>(run: () => T): T {
  const original = globalThis.Function;
  Reflect.set(globalThis, 'Function', function forbidden() {
    throw new EvalError('Code generation from strings disallowed for this context');
  });
  try {
    return run();
  } finally {
    Reflect.set(globalThis, 'Function', original);
  }
}

describe('cpu without WebAssembly', () => {
  it('takes the engine that is asked for and says so', () => {
    for (const engine of ['javascript', 'interpreter'] as const) {
      const info = cpu({ engine }).info();
      expect([info.engine, info.reason]).toEqual([engine, 'asked for']);
    }
  });

  it('generates JavaScript, and says why', () => {
    const info = cpu().info();
    expect(info.engine).toBe('javascript');
    expect(info.reason).toMatch(/^the fastest that works here; no wasm, because /);
  });

  it('interprets where functions cannot be generated either, and says why', async () => {
    const backend = withoutFunctions(() => cpu());
    expect(backend.info().engine).toBe('interpreter');
    expect(backend.info().reason).toContain(
      'no javascript, because functions cannot be generated here (Code generation',
    );
    const program = new ProgramBuilder();
    const kernel = buildKernel({
      domain: [3],
      reads: ['float32'],
      value: (body) => {
        const x = body.load(0, body.axis(0));
        body.alu('add', 'float32', x, x);
      },
    });
    program.output(program.step(kernel, [program.input('float32', [3])]));
    const input = backend.upload(Float32Array.of(1, 2, 3), { dtype: 'float32', shape: [3] });
    const executable = await withoutFunctions(() => backend.compile(program.build()));
    const [output] = withoutFunctions(() => executable.run([input], new Float64Array(0)));
    expect(await backend.download(output!)).toEqual(Float32Array.of(2, 4, 6));
  });

  it('throws when the engine that it must take cannot work', () => {
    expect(() => withoutFunctions(() => cpu({ engine: 'javascript' }))).toThrow(
      "cpu: no javascript, because functions cannot be generated here (Code generation from strings disallowed for this context). Use { engine: 'auto' } to take what works here.",
    );
    const unknown = 'quantum' as EngineName;
    expect(() => cpu({ engine: unknown })).toThrow(
      /^cpu: there is no engine 'quantum' in this entry: use 'auto' or one of /,
    );
  });
});

describe('the entries with one engine', () => {
  it('take it and say so', () => {
    const info = javascriptCpu().info();
    expect([info.engine, info.reason]).toEqual(['javascript', 'the only one of this entry']);
    expect(javascriptCpu({ engine: 'javascript' }).info().reason).toBe('asked for');
  });

  it('say why there is one thread where more were asked for', () => {
    expect(javascriptCpu({ threads: 2 }).info().reason).toBe(
      'the only one of this entry; one thread, because only wasm has more',
    );
  });

  it('throw where it cannot work, and name the entry that has the others', () => {
    expect(() => wasmCpu()).toThrow(
      /^cpu: no wasm, because .*[.] Import from '@nn\/backend-cpu' to take what works here[.]$/,
    );
    expect(() => withoutFunctions(() => javascriptCpu())).toThrow(
      "Import from '@nn/backend-cpu' to take what works here.",
    );
  });

  it('do not know the engines of the others', () => {
    expect(() => javascriptCpu({ engine: 'wasm' })).toThrow(
      "cpu: there is no engine 'wasm' in this entry: use 'auto' or one of 'javascript'.",
    );
  });
});
