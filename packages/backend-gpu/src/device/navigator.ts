/**
 * Owns: lending gpu.js a `navigator.gpu` in Node while it opens a device, and putting back what was there; why there is none.
 * Does not own: anything in browsers, whose own `navigator.gpu` is used untouched.
 */
import { BackendError } from '@nn/core';
import { importNative, isNode } from './native.ts';

interface WebGpu {
  requestAdapter(): Promise<object | null>;
}

// Dawn frees its device when this is collected.
let dawn: WebGpu | undefined;

/** Runs `open` while `navigator.gpu` exists. */
export async function withNavigatorGpu<T>(open: () => Promise<T>): Promise<T> {
  const own = ownWebGpu();
  if (own !== undefined) return opened(own, open, 'this browser has WebGPU, but no device for it');
  if (!isNode) throw new BackendError('gpu/no-webgpu', 'this browser has no WebGPU (navigator.gpu is missing).');
  dawn ??= await loadDawn();
  const giveBack = lend(dawn);
  try {
    return await opened(
      dawn,
      open,
      'the package webgpu (Dawn) finds no device here; it needs a driver for Vulkan, Metal or Direct3D 12',
    );
  } finally {
    giveBack();
  }
}

function ownWebGpu(): WebGpu | undefined {
  return typeof navigator !== 'undefined' && 'gpu' in navigator ? (navigator.gpu as WebGpu | undefined) : undefined;
}

/** What `open` gives, or the reason in our words where there is no adapter. */
async function opened<T>(gpu: WebGpu, open: () => Promise<T>, none: string): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const adapter = await gpu.requestAdapter().catch(() => null);
    throw adapter === null ? new BackendError('gpu/no-adapter', `${none}.`, {}, error) : error;
  }
}

/** Puts it into `navigator`, which Node has from 21 on; gives what undoes that. */
function lend(gpu: WebGpu): () => void {
  const property = { value: gpu, configurable: true };
  if (typeof navigator === 'undefined') {
    Object.defineProperty(globalThis, 'navigator', {
      value: Object.defineProperty({}, 'gpu', property),
      configurable: true,
    });
    return () => void Reflect.deleteProperty(globalThis, 'navigator');
  }
  const lent = navigator;
  Object.defineProperty(lent, 'gpu', property);
  return () => void Reflect.deleteProperty(lent, 'gpu');
}

async function loadDawn(): Promise<WebGpu> {
  const module = await importNative('webgpu');
  const inner: unknown = isObject(module) ? Reflect.get(module, 'default') : undefined;
  for (const found of [module, inner]) {
    if (isObject(found) && 'create' in found && typeof found.create === 'function') return found.create([]) as WebGpu;
  }
  throw new BackendError('gpu', 'the installed package webgpu has no function create; 0.6 or later has.');
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
