/** Shaders that programs share: which are one, which go when there are too many, and that none goes while it may be launched. */
import { describe, expect, it } from 'vitest';
import type { Kernel } from '../device/device.ts';
import type { Shader } from '../shader/shader.ts';
import { KernelCache, type Lease } from './kernel-cache.ts';

const shaderOf = (body: string): Shader => ({ body, reads: [], parameters: [], result: 'F' });

/** A device that notes what it compiles and what is released; `later` gives promises, as WebGPU does. */
function setUp(capacity: number, later = false) {
  const compiled: string[] = [];
  const released: string[] = [];
  const compile = (shader: Shader, writes: number): Kernel | Promise<Kernel> => {
    const name = writes === 1 ? shader.body : `${shader.body} of ${writes}`;
    compiled.push(name);
    if (name === 'wrong') return Promise.reject(new Error('does not compile'));
    const kernel: Kernel = { launch: () => undefined, release: () => void released.push(name) };
    return later ? Promise.resolve(kernel) : kernel;
  };
  const cache = new KernelCache({ compile }, capacity);
  const lease = async (body: string, writes = 1): Promise<Lease> => cache.lease(shaderOf(body), writes);
  return { lease, compiled, released };
}

describe('KernelCache', () => {
  it('compiles what is equal once, and what writes another number of buffers again', async () => {
    const { lease, compiled } = setUp(8);
    const [a, b, c] = [await lease('a'), await lease('a'), await lease('a', 4)];
    expect(b.kernel).toBe(a.kernel);
    expect(c.kernel).not.toBe(a.kernel);
    expect(compiled).toEqual(['a', 'a of 4']);
  });

  for (const later of [false, true]) {
    it(`releases the idle kernel that was not used for longest, ${later ? 'when it is there' : 'at once'}`, async () => {
      const { lease, compiled, released } = setUp(2, later);
      for (const body of ['a', 'b', 'a', 'c']) (await lease(body)).release();
      await Promise.resolve();
      expect(released).toEqual(['b']);
      await lease('a');
      expect(compiled).toEqual(['a', 'b', 'c']);
    });
  }

  it('keeps what somebody may still launch, past its capacity, and lets it go afterwards', async () => {
    const { lease, released } = setUp(1);
    const [first, second] = [await lease('a'), await lease('b')];
    const again = await lease('a');
    (await lease('c')).release();
    expect(released).toEqual([]);
    first.release();
    second.release();
    (await lease('d')).release();
    expect(released.sort()).toEqual(['b', 'c']);
    again.release();
    (await lease('e')).release();
    expect(released.sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('tries a shader again that did not compile', async () => {
    const { lease, compiled } = setUp(8);
    for (let k = 0; k < 2; k++) await expect(lease('wrong')).rejects.toThrow('does not compile');
    expect(compiled).toEqual(['wrong', 'wrong']);
  });
});
