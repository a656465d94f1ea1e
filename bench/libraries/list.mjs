/** The libraries that are measured on the CPU: how their process starts, and which workloads they have. */

import { untuned } from '../workloads/models.mjs';

/** @typedef {import('../workloads/list.mjs').Workload} Workload */
/**
 * @typedef {{ name: string, title: string, file: string, options: Record<string, unknown>, threads: number,
 *   supports(workload: Workload): boolean, variant(workload: Workload): string,
 *   leftOut?: Readonly<Record<string, string>> }} LibraryEntry
 *   `variant`: the suffix of the reference for libraries whose mathematics differ;
 *   `leftOut`: workloads that a library has but that are not measured, with the reason
 */

/** @param {Partial<LibraryEntry> & Pick<LibraryEntry, 'name' | 'title' | 'file'>} given @returns {LibraryEntry} */
const entry = (given) => ({ options: {}, threads: 1, supports: () => true, variant: () => '', ...given });

const isTuned = (/** @type {Workload} */ { model }) => !untuned.includes(model);
const isModel = (/** @type {Workload} */ { kind }) => kind === 'train' || kind === 'infer' || kind === 'generate';
const isInferenceOrOperation = (/** @type {Workload} */ { kind }) => kind !== 'train' && kind !== 'generate';

/** @param {number} threads a second entry with this many threads for the libraries that have them; 1 for none */
export function libraries(threads) {
  const one = [
    entry({ name: 'nn', title: 'nn', file: 'nn-cpu.mjs' }),
    entry({
      name: 'nn-compile',
      title: 'nn, compile',
      file: 'nn-cpu.mjs',
      options: { compile: true },
      supports: isModel,
    }),
    // only where V8 can be asked for 256 bits: Node 24 on x64 with AVX2; left out with the reason elsewhere
    entry({ name: 'nn-wide', title: 'nn, wide', file: 'nn-cpu.mjs', options: { wide: true } }),
    entry({ name: 'nn-native', title: 'nn, native', file: 'nn-native.mjs' }),
    entry({ name: 'tfjs-wasm', title: 'tfjs-wasm', file: 'tfjs-wasm.mjs', supports: isTuned }),
    entry({ name: 'jax-js', title: 'jax-js', file: 'jax-wasm.mjs', supports: isTuned }),
    entry({
      name: 'onnxruntime-web',
      title: 'onnxruntime-web',
      file: 'onnxruntime.mjs',
      supports: isInferenceOrOperation,
    }),
    entry({
      name: 'brain.js',
      title: 'brain.js (nearest thing)',
      file: 'brain.mjs',
      supports: ({ kind, model }) => model === 'mlp' || (model === 'small' && kind === 'train'),
      variant: () => '-online',
    }),
    entry({
      name: 'js-pytorch',
      title: 'js-pytorch',
      file: 'js-pytorch.mjs',
      supports: ({ kind, model, size }) => (kind === 'matmul' && size <= 512) || model === 'mlp',
      variant: () => '-leaky',
    }),
    entry({ name: 'pytorch', title: 'PyTorch', file: 'pytorch.py' }),
    entry({
      name: 'fann',
      title: 'FANN',
      file: 'fann.py',
      supports: ({ kind, model }) => model === 'small' && kind === 'train',
    }),
  ];
  if (threads < 2) return one;
  const more = ['nn', 'nn-native', 'onnxruntime-web', 'pytorch'].flatMap((name) => {
    const found = one.find((library) => library.name === name);
    if (found === undefined) return [];
    const options = { ...found.options, threads };
    return [{ ...found, name: `${name}-${threads}t`, title: `${found.title}, ${threads} threads`, options, threads }];
  });
  return [...one, ...more];
}
