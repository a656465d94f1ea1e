import { BackendError } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { available, gpu } from './index.ts';

describe('gpu in Node without a device', () => {
  it('says what was tried and what to do, and does not compute elsewhere', async () => {
    const error = await gpu().catch((reason: unknown) => reason);
    if (!(error instanceof BackendError)) return; // there is one here
    expect(error.message).toMatch(
      /^gpu: no usable device\. headlessgl: the package gl .*\. webgpu: the package webgpu /,
    );
    expect(error.message).toContain('In Node a GPU needs one of two native packages, which you install');
    expect(error.data.tried).toHaveLength(2);
  });

  it('tries only the mode that is asked for', async () => {
    await expect(gpu({ mode: 'webgl2' })).rejects.toThrow('no usable device. webgl2: there is no WebGL 2');
  });

  it('lists each way with its reason', async () => {
    const list = await available();
    expect(list.map(({ mode }) => mode)).toEqual(['webgl2', 'headlessgl', 'webgpu']);
    expect(list[0]).toEqual({ mode: 'webgl2', usable: false, detail: 'there is no WebGL 2 outside browsers.' });
  });
});
