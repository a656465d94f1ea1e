/**
 * Owns: lending gpu.js a `navigator.gpu` in Node while it opens a device, and putting back what was there.
 * Does not own: anything in browsers, whose own `navigator.gpu` is used untouched.
 */
import { BackendError } from '@nn/core';

interface Dawn {
  readonly create: (flags: readonly string[]) => object;
}

// Dawn frees its device when this is collected.
let dawn: object | undefined;

/** Runs `open` while `navigator.gpu` exists. */
export async function withNavigatorGpu<T>(open: () => Promise<T>): Promise<T> {
  const { navigator } = globalThis;
  if (navigator !== undefined && 'gpu' in navigator && navigator.gpu !== undefined) return open();
  if (typeof process === 'undefined' || process.versions?.node === undefined) {
    throw new BackendError('gpu: this browser has no WebGPU (navigator.gpu is missing).');
  }
  dawn ??= (await loadDawn()).create([]);
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: dawn }, configurable: true });
  try {
    return await open();
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, 'navigator');
    else Object.defineProperty(globalThis, 'navigator', before);
  }
}

/** The package `webgpu`, which the user installs: it is native, so nobody is made to. */
async function loadDawn(): Promise<Dawn> {
  const name = 'webgpu';
  try {
    const module: unknown = await import(/* @vite-ignore */ name);
    if (isDawn(module)) return module;
    const inner: unknown = typeof module === 'object' && module !== null ? Reflect.get(module, 'default') : undefined;
    if (isDawn(inner)) return inner;
  } catch (error) {
    throw new BackendError('gpu: the package webgpu (Dawn) is not installed or does not start here.', {}, error);
  }
  throw new BackendError('gpu: the installed package webgpu has no function create; 0.6 or later has.');
}

function isDawn(module: unknown): module is Dawn {
  return typeof module === 'object' && module !== null && 'create' in module && typeof module.create === 'function';
}
