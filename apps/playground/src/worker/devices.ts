/**
 * The backends by name, opened once each. The GPU's package is loaded only when it is asked for, and here alone.
 * Why one cannot be used is told in its own words.
 */
import { type CpuBackend, cpu } from '@nn/backend-cpu';
import type { GpuBackend } from '@nn/backend-gpu';
import { describeError } from '../model/describe-error.ts';
import type { BackendName } from '../model/spec.ts';
import type { Availability, BackendFacts, Frame } from './protocol.ts';

export type Device =
  | { readonly name: 'cpu'; readonly backend: CpuBackend }
  | { readonly name: 'webgl2' | 'webgpu'; readonly backend: GpuBackend };

const open = new Map<BackendName, Promise<Device>>();

/** The backend of a name; rejects with the reason where it cannot be used here. */
export function openDevice(name: BackendName): Promise<Device> {
  let device = open.get(name);
  if (device === undefined) {
    device = name === 'cpu' ? openCpu() : openGpu(name);
    open.set(name, device);
    device.catch(() => open.delete(name));
  }
  return device;
}

async function openCpu(): Promise<Device> {
  // memory can be shared between threads only where the host isolates the page
  return { name: 'cpu', backend: cpu(globalThis.crossOriginIsolated ? { threads: 'auto' } : {}) };
}

async function openGpu(mode: 'webgl2' | 'webgpu'): Promise<Device> {
  const { gpu } = await import('@nn/backend-gpu');
  return { name: mode, backend: await gpu({ mode }) };
}

/** Tries every way to compute. */
export async function availability(): Promise<Availability[]> {
  const found: Availability[] = [];
  for (const name of ['cpu', 'webgl2', 'webgpu'] as const) {
    try {
      await openDevice(name);
      found.push({ name, missing: null });
    } catch (error) {
      found.push({ name, missing: describeError(error) });
    }
  }
  return found;
}

export function factsOf(device: Device): BackendFacts {
  if (device.name !== 'cpu') return { name: device.name, detail: device.backend.info().device, threads: 1 };
  const { engine, details } = device.backend.info();
  const { threads } = details;
  return { name: 'cpu', detail: engine, threads: typeof threads === 'number' ? threads : 1 };
}

export function memoryOf(device: Device): Frame['memory'] {
  if (device.name === 'cpu') return device.backend.info().memory;
  return { used: device.backend.info().counters.bytes, pooled: 0, scratch: 0 };
}
