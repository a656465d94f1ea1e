/**
 * The workloads in TensorFlow.js, on whatever backend is set: NHWC, gradients by variableGrads, its own Adam and SGD.
 * Models are written with its operations, as its documentation does where tf.layers does not reach.
 */
import { inferenceInput, modelData, modelSpec } from '../workloads/models.mjs';
import { operandShape, operands, outcomeOf, samplePlaces } from '../workloads/operations.mjs';

/** @typedef {typeof import('@tensorflow/tfjs')} TF @typedef {import('@tensorflow/tfjs').Tensor} Tensor */
/** @typedef {import('../workloads/list.mjs').Workload} Workload @typedef {import('../harness/session.mjs').Prepared} Prepared */
/** @typedef {Record<string, any>} Weights  variables by PyTorch's names */

/** @param {TF} tf @returns {Record<string, (...args: any[]) => Tensor>} */
const formulas = (tf) => ({
  matmul: (a, b) => tf.matMul(a, b),
  add: (a, b) => tf.add(a, b),
  chain: (a, b, c, d) => tf.mul(tf.tanh(tf.add(tf.mul(a, b), c)), tf.sigmoid(d)),
  rowSum: (a) => tf.sum(a, 1),
  softmax: (a) => tf.softmax(a, 1),
  conv: (x, w) => tf.conv2d(x, w, 1, 'same'),
});

/** How PyTorch's layouts become those of TensorFlow.js. @param {string} name @param {readonly number[]} shape */
function layoutOf(name, shape) {
  if (shape.length === 4) return { permutation: [2, 3, 1, 0], from: shape };
  // Features of the first dense layer of the CNN count channels last here.
  if (name === '6.weight') return { permutation: [2, 3, 1, 0], from: [128, 64, 12, 12], to: [9216, 128] };
  if (name.endsWith('weight') && shape.length === 2 && name !== 'embedding.weight')
    return { permutation: [1, 0], from: shape };
  if (name.endsWith('weight_ih_l0') || name.endsWith('weight_hh_l0')) return { permutation: [1, 0], from: shape };
  return null;
}

/** @param {TF} tf @param {import('../workloads/models.mjs').ModelSpec} spec @returns {Weights} */
function weightsOf(tf, spec) {
  const { parameters } = modelData(spec);
  /** @type {Weights} */
  const weights = {};
  for (const { name, shape } of spec.parameters) {
    weights[name] = tf.tidy(() => {
      const values = /** @type {Float32Array} */ (parameters.get(name));
      const layout = layoutOf(name, shape);
      if (layout === null) return tf.variable(tf.tensor(values, shape));
      const turned = tf.transpose(tf.tensor(values, [...layout.from]), layout.permutation);
      return tf.variable(layout.to === undefined ? turned : turned.reshape(layout.to));
    });
  }
  return weights;
}

/** @param {TF} tf @param {Weights} w @param {string} name @param {any} x */
const affine = (tf, w, name, x) => tf.add(tf.matMul(x, w[`${name}.weight`]), w[`${name}.bias`]);

/** @param {TF} tf @param {any} x @param {any} scale @param {any} shift */
function layerNorm(tf, x, scale, shift) {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), scale), shift);
}

/** The forward pass of each model. @param {TF} tf @returns {Record<string, (w: any, x: any) => any>} */
const forwards = (tf) => ({
  mlp: (w, x) => affine(tf, w, '4', tf.relu(affine(tf, w, '2', tf.relu(affine(tf, w, '0', x))))),
  small: (w, x) => affine(tf, w, '2', tf.tanh(affine(tf, w, '0', x))),
  cnn: (w, x) => {
    const relu = /** @type {any} */ (tf.relu);
    const a = relu(tf.add(tf.conv2d(x, w['0.weight'], 1, 'valid'), w['0.bias']));
    const b = relu(tf.add(tf.conv2d(a, w['2.weight'], 1, 'valid'), w['2.bias']));
    const flat = tf.maxPool(b, 2, 2, 'valid').reshape([x.shape[0], 9216]);
    return affine(tf, w, '8', tf.relu(affine(tf, w, '6', flat)));
  },
  lstm: (w, x) => {
    const [samples, steps, width] = x.shape;
    const bias = tf.add(w['lstm.bias_ih_l0'], w['lstm.bias_hh_l0']);
    const projected = tf
      .add(tf.matMul(x.transpose([1, 0, 2]).reshape([steps * samples, width]), w['lstm.weight_ih_l0']), bias)
      .reshape([steps, samples, 512]);
    let [h, c] = [tf.zeros([samples, 128]), tf.zeros([samples, 128])];
    for (const part of tf.unstack(projected)) {
      const gates = tf.split(tf.add(part, tf.matMul(h, w['lstm.weight_hh_l0'])), 4, 1);
      const [i, f, g, o] = /** @type {any[]} */ (gates);
      c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
      h = tf.mul(tf.sigmoid(o), tf.tanh(c));
    }
    return affine(tf, w, 'head', h);
  },
  transformer: (w, tokens) => {
    const [samples, length] = tokens.shape;
    const rows = samples * length;
    // A product with one-hot rows: the wasm backend has no gradient of gather.
    const embedded = tf.matMul(tf.oneHot(tokens.reshape([rows]), 128).toFloat(), w['embedding.weight']);
    let x = tf.add(embedded.reshape([samples, length, 128]), w.position).reshape([rows, 128]);
    const heads = (/** @type {any} */ t) => t.reshape([samples, length, 4, 32]).transpose([0, 2, 1, 3]);
    for (const layer of [0, 1]) {
      const p = `encoder.layers.${layer}.`;
      const joined = tf.add(tf.matMul(x, w[`${p}self_attn.in_proj_weight`]), w[`${p}self_attn.in_proj_bias`]);
      const [q, k, v] = /** @type {any[]} */ (tf.split(joined, 3, 1).map(heads));
      const scores = tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(32)));
      const attended = tf.matMul(scores, v).transpose([0, 2, 1, 3]).reshape([rows, 128]);
      const first = tf.add(x, affine(tf, w, `${p}self_attn.out_proj`, attended));
      x = layerNorm(tf, first, w[`${p}norm1.weight`], w[`${p}norm1.bias`]);
      const inner = affine(tf, w, `${p}linear2`, tf.relu(affine(tf, w, `${p}linear1`, x)));
      x = layerNorm(tf, tf.add(x, inner), w[`${p}norm2.weight`], w[`${p}norm2.bias`]);
    }
    return affine(tf, w, 'head', x);
  },
});

/**
 * @param {TF} tf @param {Workload} workload
 * @param {() => Promise<void>} settled waits until the device has done what was asked
 * @returns {Promise<Prepared>}
 */
export async function prepareTfjs(tf, workload, settled) {
  if (workload.kind === 'train') return train(tf, workload);
  if (workload.kind === 'infer') return infer(tf, workload);
  const inputs = operands(workload).map((values) => operandTensor(tf, workload, values));
  const formula = formulas(tf)[workload.kind];
  if (formula === undefined) throw new Error(`no ${workload.kind} here`);
  /** Its values in the order of PyTorch. */
  const read = async () => {
    const output = tf.tidy(() => {
      const made = formula(...inputs);
      return workload.kind === 'conv' ? made.transpose([0, 3, 1, 2]) : made;
    });
    const values = await output.data();
    output.dispose();
    return values;
  };
  return {
    result: async () => outcomeOf(await read(), samplePlaces(workload)),
    async run(count) {
      if (workload.read) for (let k = 0; k < count; k++) await read();
      else for (let k = 0; k < count; k++) tf.tidy(() => void formula(...inputs));
      await settled();
    },
    release: () => tf.dispose(inputs),
  };
}

/** @param {TF} tf @param {Workload} workload @param {Float32Array} values */
function operandTensor(tf, workload, values) {
  const shape = operandShape(workload, values);
  if (workload.kind !== 'conv') return tf.tensor(values, shape);
  return tf.tidy(() => tf.transpose(tf.tensor(values, shape), shape[0] === 64 ? [2, 3, 1, 0] : [0, 2, 3, 1]));
}

/** @param {TF} tf @param {number[]} shape @param {Float32Array | Int32Array} values */
function inputTensor(tf, shape, values) {
  if (shape.length === 4) {
    // One channel: NCHW and NHWC are the same numbers.
    return tf.tensor(values, [shape[0] ?? 1, 28, 28, 1]);
  }
  return tf.tensor(values, shape, values instanceof Int32Array ? 'int32' : 'float32');
}

/** @param {TF} tf @param {Workload} workload @returns {Promise<Prepared>} */
async function train(tf, workload) {
  const spec = modelSpec(workload.model);
  const { input, target } = modelData(spec);
  const weights = weightsOf(tf, spec);
  const forward = forwards(tf)[spec.name];
  if (forward === undefined) throw new Error(`no ${spec.name} here`);
  const x = inputTensor(tf, spec.input.shape, input);
  const y =
    spec.classes === 0
      ? tf.tensor(target, spec.target.shape)
      : tf.tidy(() => tf.oneHot(tf.tensor1d(target, 'int32'), spec.classes).toFloat());
  const optimizer =
    spec.optimizer === 'adam' ? tf.train.adam(spec.learningRate, 0.9, 0.999, 1e-8) : tf.train.sgd(spec.learningRate);
  const loss = () =>
    spec.classes === 0
      ? tf.losses.meanSquaredError(y, forward(weights, x))
      : tf.losses.softmaxCrossEntropy(y, forward(weights, x));
  const list = Object.values(weights);
  const step = () => /** @type {Tensor} */ (optimizer.minimize(/** @type {any} */ (loss), true, list));
  return {
    async step() {
      const value = step();
      const [number] = await value.data();
      value.dispose();
      return Number(number);
    },
    async run(count) {
      for (let k = 1; k < count; k++) step().dispose();
      const last = step();
      await last.data();
      last.dispose();
    },
    release: () => {
      tf.dispose([x, y, ...list]);
      optimizer.dispose();
    },
  };
}

/** @param {TF} tf @param {Workload} workload @returns {Promise<Prepared>} */
async function infer(tf, workload) {
  const spec = modelSpec(workload.model);
  const weights = weightsOf(tf, spec);
  const { shape, values } = inferenceInput(spec, workload.batch);
  const forward = forwards(tf)[spec.name];
  const once = async () => {
    const output = tf.tidy(() => forward?.(weights, inputTensor(tf, shape, values)));
    const found = await output.data();
    output.dispose();
    return found;
  };
  return {
    result: async () => ({ values: [...(await once())] }),
    async run(count) {
      for (let k = 0; k < count; k++) await once();
    },
    release: () => tf.dispose(Object.values(weights)),
  };
}
