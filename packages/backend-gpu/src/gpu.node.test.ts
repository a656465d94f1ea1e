import { BackendError } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { available, gpu } from './index.ts';

describe('gpu in Node without a device', () => {
  it('says what was tried and what to do, and does not compute elsewhere', async () => {
    const error = await gpu().catch((reason: unknown) => reason);
    if (!(error instanceof BackendError)) return; // Dawn is installed here
    expect(error.message).toMatch(/^gpu: no usable device\. webgl2: there is no WebGL 2 outside browsers\. webgpu: /);
    expect(error.message).toContain('In Node, install the package webgpu');
    expect(error.data.tried).toHaveLength(2);
  });

  it('tries only the mode that is asked for', async () => {
    await expect(gpu({ mode: 'webgl2' })).rejects.toThrow('no usable device. webgl2: there is no WebGL 2');
  });

  it('lists each way with its reason', async () => {
    const list = await available();
    expect(list.map(({ mode }) => mode)).toEqual(['webgl2', 'webgpu']);
    expect(list[0]).toEqual({ mode: 'webgl2', usable: false, detail: 'there is no WebGL 2 outside browsers.' });
  });

  it('leaves the globals as they were', async () => {
    const before = [Reflect.get(globalThis, 'GPU'), Reflect.get(globalThis, 'navigator')];
    await available();
    expect([Reflect.get(globalThis, 'GPU'), Reflect.get(globalThis, 'navigator')]).toEqual(before);
  });
});
