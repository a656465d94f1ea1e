/**
 * Owns: the choice of a device, and the error where there is none. It never falls back to a CPU.
 * Does not own: the devices (`gl-device.ts`, `webgpu-device.ts`) and their check (`limits.ts`).
 */
import { BackendError, isNNError } from '@nn/core';
import { type GpuBackend, makeBackend } from './backend.ts';
import type { Device } from './device/device.ts';
import { loadGpuJs } from './device/facade.ts';
import { GlDevice } from './device/gl-device.ts';
import { HeadlessDevice } from './device/headless-device.ts';
import { probe } from './device/limits.ts';
import { isNode } from './device/native.ts';
import { withNavigatorGpu } from './device/navigator.ts';
import { WebGpuDevice } from './device/webgpu-device.ts';

/** The ways to a GPU: WebGL 2 and WebGPU in browsers; in Node WebGL 2 through headless-gl and WebGPU through Dawn. */
export type GpuMode = 'webgl2' | 'headlessgl' | 'webgpu';

export interface GpuOptions {
  /** The way to use; by default the first that works: webgl2 (in Node headlessgl), then webgpu. */
  readonly mode?: GpuMode;
}

/** Whether one way to a GPU works here, and why not where it does not. */
export interface Availability {
  readonly mode: GpuMode;
  readonly usable: boolean;
  /** The device's name, or what is missing. */
  readonly detail: string;
}

const modes: readonly GpuMode[] = ['webgl2', 'headlessgl', 'webgpu'];

const isBrowser = typeof document !== 'undefined' || typeof OffscreenCanvas !== 'undefined';

/** The modes worth trying here. */
const likely = modes.filter((mode) =>
  mode === 'webgl2' ? isBrowser || !isNode : mode === 'headlessgl' ? isNode : true,
);

/**
 * Opens a GPU and checks it with a small computation.
 *
 * Throws `BackendError` where no device is usable; the message says what was tried and what to do. It never computes on
 * the CPU instead.
 *
 * @example
 * import { gpu } from '@nn/backend-gpu';
 * import { isNNError } from '@nn/core';
 * const backend = await gpu({ mode: 'webgl2' }).catch((error) => error);
 * console.log(isNNError(backend) || backend.name === 'gpu'); // => true
 */
export async function gpu(options: GpuOptions = {}): Promise<GpuBackend> {
  const tried: string[] = [];
  const reasons: { readonly kind: string; readonly message: string; readonly data: object }[] = [];
  for (const mode of options.mode === undefined ? likely : [options.mode]) {
    let device: Device | undefined;
    try {
      device = await openDevice(mode);
      return makeBackend(device, await probe(device));
    } catch (error) {
      device?.destroy();
      const message = reason(error);
      tried.push(`${mode}: ${message}`);
      reasons.push({
        message,
        ...(isNNError(error) ? { kind: error.kind, data: error.data } : { kind: '', data: {} }),
      });
    }
  }
  throw new BackendError('gpu/unavailable', `no usable device. ${tried.join(' ')} ${fix()}`, { tried, reasons });
}

/** Tries every way to a GPU and gives the devices back. */
export async function available(): Promise<readonly Availability[]> {
  const result: Availability[] = [];
  for (const mode of modes) {
    try {
      const backend = await gpu({ mode });
      result.push({ mode, usable: true, detail: backend.info().device });
      backend.destroy();
    } catch (error) {
      const tried = isNNError(error) ? error.data.tried : undefined;
      const [first] = Array.isArray(tried) ? tried : [reason(error)];
      result.push({ mode, usable: false, detail: String(first).replace(`${mode}: `, '') });
    }
  }
  return result;
}

export async function openDevice(mode: GpuMode): Promise<Device> {
  const library = await loadGpuJs();
  if (mode === 'webgl2') return new GlDevice(library);
  if (mode === 'headlessgl') return HeadlessDevice.open(library);
  return withNavigatorGpu(() => WebGpuDevice.open(library));
}

function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const plain = isNNError(error) ? text.replace(/^gpu: /, '') : text;
  return plain.endsWith('.') ? plain : `${plain}.`;
}

function fix(): string {
  return isNode && !isBrowser
    ? 'In Node a GPU needs one of two native packages, which you install: gl, with OpenGL and on Linux a display (xvfb-run gives one), or webgpu, with a driver for Vulkan, Metal or Direct3D 12. Or use the CPU backend.'
    : 'Allow hardware acceleration in the browser, try another browser, or use the CPU backend.';
}
