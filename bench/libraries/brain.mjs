/**
 * brain.js: the nearest thing that it has. Its networks have sigmoid in every layer and take a step after each sample, so a
 * "step" here is one pass over the batch, which its reference (`online` in pytorch.py) repeats in double precision.
 */
import { readFileSync } from 'node:fs';
import brain from 'brain.js';
import { inferenceInput, modelData, modelSpec } from '../workloads/models.mjs';

export async function start() {
  const file = new URL('../node_modules/brain.js/package.json', import.meta.url);
  return { version: JSON.parse(readFileSync(file, 'utf8')).version, detail: 'NeuralNetwork, plain JavaScript' };
}

/** @param {Float32Array | Int32Array} values @param {number} width */
const rows = (values, width) =>
  Array.from({ length: values.length / width }, (_, row) =>
    Float32Array.from(values.subarray(row * width, (row + 1) * width)),
  );

/** @param {import('../workloads/models.mjs').ModelSpec} spec @param {Map<string, Float32Array>} parameters */
function networkOf(spec, parameters) {
  const layers = spec.parameters
    .filter(({ shape }) => shape.length === 2)
    .map(({ name, shape }) => ({
      weights: rows(/** @type {Float32Array} */ (parameters.get(name)), shape[1] ?? 0).map((row) => [...row]),
      biases: [.../** @type {Float32Array} */ (parameters.get(name.replace('weight', 'bias')))],
    }));
  const sizes = [layers[0]?.weights[0]?.length ?? 0, ...layers.map(({ biases }) => biases.length)];
  const network = new brain.NeuralNetwork({ hiddenLayers: sizes.slice(1, -1), activation: 'sigmoid' });
  return network.fromJSON(
    /** @type {any} */ ({
      type: 'NeuralNetwork',
      sizes,
      layers: [{ weights: [], biases: [] }, ...layers],
      inputLookup: null,
      inputLookupLength: 0,
      outputLookup: null,
      outputLookupLength: 0,
      options: {},
      trainOpts: network.trainOpts,
    }),
  );
}

/** @param {import('../workloads/list.mjs').Workload} workload @returns {Promise<import('../harness/session.mjs').Prepared>} */
export async function prepare(workload) {
  const spec = modelSpec(workload.model);
  const { input, target, parameters } = modelData(spec);
  const network = networkOf(spec, parameters);
  if (workload.kind === 'infer') {
    const inputs = rows(inferenceInput(spec, workload.batch).values, 784);
    return {
      result: async () => ({ values: inputs.flatMap((x) => [.../** @type {Float32Array} */ (network.run(x))]) }),
      async run(count) {
        for (let k = 0; k < count; k++) for (const x of inputs) network.run(x);
      },
    };
  }
  const width = spec.input.shape[1] ?? 0;
  const wanted =
    spec.classes === 0
      ? rows(
          Float32Array.from(target, (y) => y / 2 + 0.5),
          1,
        )
      : Array.from(target, (label) => Float32Array.from({ length: spec.classes }, (_, k) => (k === label ? 1 : 0)));
  const data = rows(input, width).map((x, k) => ({ input: x, output: /** @type {Float32Array} */ (wanted[k]) }));
  const epochs = (/** @type {number} */ iterations) =>
    network.train(/** @type {any} */ (data), {
      iterations,
      learningRate: 0.1,
      momentum: 0.1,
      errorThresh: 1e-12,
      log: false,
    });
  return {
    step: async () => epochs(1).error,
    async run(count) {
      epochs(count);
    },
  };
}
