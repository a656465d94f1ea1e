/** The device to compute on. The packages of other backends are loaded only where they are asked for. */
import { cpu } from '@nn/backend-cpu';
import { type Backend, isNNError } from '@nn/core';
import { Failure } from './failure.ts';

export interface Device {
  readonly backend: Backend;
  /** For the headline: what computes. */
  readonly description: string;
}

export async function openDevice(name: 'cpu' | 'gpu' | 'native'): Promise<Device> {
  if (name === 'cpu') {
    const backend = cpu();
    return { backend, description: `cpu (${backend.info().engine})` };
  }
  if (name === 'native') {
    const { native } = await import('@nn/backend-native');
    const backend = native();
    // a demonstration waits a second for what a program would take over as it comes
    const isNative = await backend.ready();
    const { native: code } = backend.info().details;
    return { backend, description: isNative ? `native (${code})` : `cpu (wasm; native: ${code})` };
  }
  try {
    const { gpu } = await import('@nn/backend-gpu');
    const backend = await gpu();
    const { mode, device } = backend.info();
    return { backend, description: `gpu (${mode}${device === '' ? '' : `, ${device}`})` };
  } catch (error) {
    if (!isNNError(error)) throw error;
    const fix = error.message.includes('is not installed')
      ? ' Here, node scripts/install-node-gpu.mjs installs both.'
      : '';
    throw new Failure(`--backend gpu: ${error.message.replace(/^gpu: /, '')}${fix}`);
  }
}
