/** The GPU libraries of the page, each with what must be set before it is asked for anything. */
import { gpu } from '@nn/backend-gpu';
import { setDefaultBackend } from '@nn/core';
import { prepareNn } from '../libraries/nn-workloads.mjs';

/**
 * @typedef {import('../harness/session.mjs').Library & { activate(): Promise<void> | void }} PageLibrary
 */

/** @type {Map<string, import('@nn/core').Backend>} */
const backends = new Map();

/** @param {'webgl2' | 'webgpu'} mode @returns {PageLibrary} */
const nn = (mode) => ({
  async start() {
    const backend = await gpu({ mode });
    backends.set(mode, backend);
    const { device } = backend.info();
    return { version: '0.0.0', detail: device };
  },
  prepare: prepareNn,
  activate: () => {
    const backend = backends.get(mode);
    if (backend !== undefined) setDefaultBackend(backend);
  },
});

/** @param {'webgl' | 'webgpu'} name @returns {PageLibrary} */
const tfjs = (name) => ({
  async start() {
    const tf = await import('@tensorflow/tfjs');
    if (name === 'webgpu') await import('@tensorflow/tfjs-backend-webgpu');
    else await import('@tensorflow/tfjs-backend-webgl');
    tf.enableProdMode();
    if (!(await tf.setBackend(name))) throw new Error(`TensorFlow.js cannot start ${name} here`);
    await tf.ready();
    return { version: tf.version_core, detail: tf.getBackend() };
  },
  async prepare(workload) {
    const tf = await import('@tensorflow/tfjs');
    const { prepareTfjs } = await import('../libraries/tfjs-workloads.mjs');
    // The queue is worked off in order: when this sum is read, all before it is done. Small sums would run on the CPU.
    const ones = tf.ones([64, 64]);
    const settled = async () => {
      const sum = tf.add(ones, ones);
      await sum.data();
      sum.dispose();
    };
    return prepareTfjs(tf, workload, settled);
  },
  async activate() {
    const tf = await import('@tensorflow/tfjs');
    if (tf.getBackend() !== name) await tf.setBackend(name);
  },
});

/** @param {'webgl' | 'webgpu'} device @returns {PageLibrary} */
const jax = (device) => ({
  async start() {
    const { init } = await import('@jax-js/jax');
    const started = await init(device);
    if (!started.includes(device)) throw new Error(`jax-js cannot start ${device} here`);
    return { version: '0.1.25', detail: device };
  },
  prepare: async (workload) => (await import('../libraries/jax-workloads.mjs')).prepareJax(workload),
  async activate() {
    const { defaultDevice } = await import('@jax-js/jax');
    defaultDevice(device);
  },
});

/** @type {Readonly<Record<string, PageLibrary>>} */
export const pageLibraries = {
  'nn-webgl2': nn('webgl2'),
  'nn-webgpu': nn('webgpu'),
  'tfjs-webgl': tfjs('webgl'),
  'tfjs-webgpu': tfjs('webgpu'),
  'jax-webgl': jax('webgl'),
  'jax-webgpu': jax('webgpu'),
};
