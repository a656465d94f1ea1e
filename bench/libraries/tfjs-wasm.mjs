/**
 * TensorFlow.js on its WebAssembly backend, SIMD, one thread. The backend has no gradient of conv2d for its filter; here
 * it is the convolution of the transposed input with the transposed cotangent, which runs on the backend's fast conv2d.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import { prepareTfjs } from './tfjs-workloads.mjs';

const folder = dirname(fileURLToPath(import.meta.resolve('@tensorflow/tfjs-backend-wasm/package.json')));

export async function start() {
  setWasmPaths(`${join(folder, 'dist')}/`);
  setThreadsCount(1);
  tf.enableProdMode();
  await tf.setBackend('wasm');
  await tf.ready();
  registerFilterGradient();
  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  return { version: version_wasm, detail: `${tf.getBackend()}, SIMD ${simd}, 1 thread` };
}

// dW[h, w, i, o] = sum over n, y, x of X[n, y + h, x + w, i] dY[n, y, x, o]: samples take the place of channels.
function registerFilterGradient() {
  if (tf.getKernel('Conv2DBackpropFilter', 'wasm') !== undefined) return;
  tf.registerKernel({
    kernelName: 'Conv2DBackpropFilter',
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => {
      const { x, dy } = /** @type {any} */ (inputs);
      if (/** @type {any} */ (attrs).pad !== 'valid') throw new Error('only for convolutions without padding');
      return tf.tidy(() => {
        const input = tf.transpose(tensorOf(x), [3, 1, 2, 0]);
        const cotangent = tf.transpose(tensorOf(dy), [1, 2, 0, 3]);
        return tf.transpose(
          tf.conv2d(/** @type {any} */ (input), /** @type {any} */ (cotangent), 1, 'valid'),
          [1, 2, 0, 3],
        );
      });
    },
  });
}

/** A kernel is given tensor information; operations take tensors. @param {any} info */
const tensorOf = (info) => (info instanceof tf.Tensor ? info : tf.engine().makeTensorFromTensorInfo(info));

/** @param {import('../workloads/list.mjs').Workload} workload */
export const prepare = (workload) => prepareTfjs(tf, workload, async () => {});
