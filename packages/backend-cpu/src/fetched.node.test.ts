/** Code that is fetched when a program first needs it: the seam, and what of the engines lies behind it. */

import { buildKernel, hintedCase } from '@nn/conformance';
import { BackendError, type Executable, type Program, type TensorData } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { cpu } from './cpu.ts';
import { Fetched } from './fetched.ts';
import { programOf } from './wasm/testing.ts';

describe('what is fetched', () => {
  it('is fetched once, when it is first asked for', async () => {
    let times = 0;
    const fetched = new Fetched('convolutions', async () => ++times);
    expect(fetched.code).toBe(null);
    await Promise.all([fetched.fetch(), fetched.fetch()]);
    await fetched.fetch();
    expect([fetched.code, times]).toEqual([1, 1]);
  });

  it('says what failed and what to do, and is asked for again', async () => {
    let isThere = false;
    const fetched = new Fetched('convolutions', async () => {
      if (!isThere) throw new TypeError('Failed to fetch dynamically imported module');
      return 'code';
    });
    const failed = fetched.fetch();
    await expect(failed).rejects.toThrow(BackendError);
    await expect(failed).rejects.toThrow(
      'cpu: the code of convolutions could not be fetched (Failed to fetch dynamically imported module): serve all files that the bundler wrote beside the page, and try again.',
    );
    isThere = true;
    await fetched.fetch();
    expect(fetched.code).toBe('code');
  });
});

describe.each([
  { engine: 'wasm', kind: 'conv' },
  { engine: 'javascript', kind: 'contraction' },
] as const)('programs of the engine $engine', ({ engine, kind }) => {
  it(`are compiled at once, but for the first with a ${kind}`, async () => {
    const backend = cpu({ engine });
    const value = buildKernel({ domain: [3], reads: ['float32'], value: (body) => void body.load(0, body.axis(0)) });
    const plain = programOf(value, [[3]]);
    const wanting: Program = hintedCase(kind, 0).program;
    expect(backend.compile(plain)).not.toBeInstanceOf(Promise);
    const first = backend.compile(wanting);
    expect(first).toBeInstanceOf(Promise);
    await first;
    expect(backend.compile(wanting)).not.toBeInstanceOf(Promise);
  });
});

describe.each(['wasm', 'javascript', 'interpreter'] as const)('programs of the engine %s', (engine) => {
  it('fetch the conversions of half floats once, whether these are read or written', async () => {
    const backend = cpu({ engine });
    const twice = (from: 'float32' | 'bfloat16', to: 'float32' | 'float16'): Program =>
      programOf(
        buildKernel({
          domain: [3],
          reads: [from],
          value: (body) => {
            const x = body.load(0, body.axis(0), from);
            const wide = from === 'float32' ? x : body.alu('cast', 'float32', x);
            const sum = body.alu('add', 'float32', wide, wide);
            if (to === 'float16') body.alu('cast', to, sum);
          },
        }),
        [[3]],
      );
    const plain = backend.compile(twice('float32', 'float32'));
    expect(plain).not.toBeInstanceOf(Promise);
    const [reading, writing] = [await backend.compile(twice('bfloat16', 'float32')), twice('float32', 'float16')];
    const half = backend.compile(writing);
    expect(half).not.toBeInstanceOf(Promise);
    const run = async (executable: Executable, data: TensorData, dtype: 'float32' | 'bfloat16'): Promise<number[]> => {
      const [out] = executable.run([backend.upload(data, { dtype, shape: [3] })], new Float64Array(0));
      return [...(await backend.download(out!))];
    };
    expect(await run(reading, new Uint16Array([0x3f80, 0xc000, 0x7f80]), 'bfloat16')).toEqual([2, -4, Infinity]);
    expect(await run(await half, new Float32Array([0.5, -1, 40000]), 'float32')).toEqual([0x3c00, 0xc000, 0x7c00]);
  });
});
