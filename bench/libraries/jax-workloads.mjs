/**
 * The workloads in jax-js on the default device: whole steps (gradients and update) inside `jit`. It is given a wait
 * every few steps, because queued steps pile up. An array is owned by whoever it is passed to; `ref` keeps it.
 */
import { blockUntilReady, jit, lax, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { inferenceInput, modelData, modelSpec } from '../workloads/models.mjs';
import { operandShape, operands, outcomeOf, samplePlaces } from '../workloads/operations.mjs';

/** @typedef {import('../workloads/list.mjs').Workload} Workload @typedef {import('../harness/session.mjs').Prepared} Prepared */

const stepsPerWait = 4;

/** @type {Record<string, (...args: any[]) => any>} */
const formulas = {
  matmul: (a, b) => np.matmul(a, b),
  add: (a, b) => a.add(b),
  chain: (a, b, c, d) => np.tanh(a.mul(b).add(c)).mul(nn.sigmoid(d)),
  rowSum: (a) => a.sum(1),
  softmax: (a) => nn.softmax(a, 1),
  conv: (x, w) => lax.conv(x, w, [1, 1], 'SAME'),
};

/** @param {Float32Array | Int32Array} values @param {readonly number[]} shape */
const array = (values, shape) => np.array(/** @type {any} */ (values)).reshape([...shape]);

/** @param {any} w @param {string} name @param {any} x */
const affine = (w, name, x) => np.matmul(x, w[`${name}.weight`].ref.transpose()).add(w[`${name}.bias`].ref);

/** @param {any} x @param {any} scale @param {any} shift */
const layerNorm = (x, scale, shift) => nn.standardize(x, -1, { epsilon: 1e-5 }).mul(scale.ref).add(shift.ref);

/** The forward pass of each model: `w` is kept, `x` is consumed. @type {Record<string, (w: any, x: any) => any>} */
const forwards = {
  mlp: (w, x) => affine(w, '4', nn.relu(affine(w, '2', nn.relu(affine(w, '0', x))))),
  small: (w, x) => affine(w, '2', np.tanh(affine(w, '0', x))),
  cnn: (w, x) => {
    const samples = x.shape[0];
    const bias = (/** @type {any} */ b) => b.ref.reshape([-1, 1, 1]);
    const a = nn.relu(lax.conv(x, w['0.weight'].ref, [1, 1], 'VALID').add(bias(w['0.bias'])));
    const b = nn.relu(lax.conv(a, w['2.weight'].ref, [1, 1], 'VALID').add(bias(w['2.bias'])));
    const pooled = b.reshape([samples, 64, 12, 2, 12, 2]).max([3, 5]);
    return affine(w, '8', nn.relu(affine(w, '6', pooled.reshape([samples, 9216]))));
  },
  lstm: (w, x) => {
    const [samples, steps] = x.shape;
    const bias = w['lstm.bias_ih_l0'].ref.add(w['lstm.bias_hh_l0'].ref);
    const projected = np.matmul(x, w['lstm.weight_ih_l0'].ref.transpose()).add(bias);
    let [h, c] = [np.zeros([samples, 128]), np.zeros([samples, 128])];
    for (let t = 0; t < steps; t++) {
      const gates = projected.ref.slice([], t).add(np.matmul(h, w['lstm.weight_hh_l0'].ref.transpose()));
      const gate = (/** @type {number} */ k) => gates.ref.slice([], [k * 128, (k + 1) * 128]);
      c = nn
        .sigmoid(gate(1))
        .mul(c)
        .add(nn.sigmoid(gate(0)).mul(np.tanh(gate(2))));
      h = nn.sigmoid(gate(3)).mul(np.tanh(c.ref));
      gates.dispose();
    }
    projected.dispose();
    c.dispose();
    return affine(w, 'head', h);
  },
  transformer: (w, tokens) => {
    const [samples, length] = tokens.shape;
    const hot = nn.oneHot(tokens.reshape([samples * length]), 128);
    const embedded = np.matmul(hot, w['embedding.weight'].ref).reshape([samples, length, 128]);
    let x = embedded.add(w.position.ref);
    for (const layer of [0, 1]) {
      const p = `encoder.layers.${layer}.`;
      const joined = np
        .matmul(x.ref, w[`${p}self_attn.in_proj_weight`].ref.transpose())
        .add(w[`${p}self_attn.in_proj_bias`].ref);
      const part = (/** @type {number} */ k) =>
        joined.ref
          .slice([], [], [k * 128, (k + 1) * 128])
          .reshape([samples, length, 4, 32])
          .transpose([0, 2, 1, 3]);
      const scores = np.matmul(part(0), part(1).transpose([0, 1, 3, 2])).mul(1 / Math.sqrt(32));
      const attended = np
        .matmul(nn.softmax(scores, -1), part(2))
        .transpose([0, 2, 1, 3])
        .reshape([samples, length, 128]);
      joined.dispose();
      const first = x.add(affine(w, `${p}self_attn.out_proj`, attended));
      x = layerNorm(first, w[`${p}norm1.weight`], w[`${p}norm1.bias`]);
      const inner = affine(w, `${p}linear2`, nn.relu(affine(w, `${p}linear1`, x.ref)));
      x = layerNorm(x.add(inner), w[`${p}norm2.weight`], w[`${p}norm2.bias`]);
    }
    return affine(w, 'head', x);
  },
};

/** @param {Workload} workload @returns {Promise<Prepared>} */
export async function prepareJax(workload) {
  if (workload.kind === 'train') return train(workload);
  if (workload.kind === 'infer') return infer(workload);
  const inputs = operands(workload).map((values) => array(values, operandShape(workload, values)));
  const formula = formulas[workload.kind];
  if (formula === undefined) throw new Error(`no ${workload.kind} here`);
  const once = jit(formula);
  return {
    async result() {
      return outcomeOf(await once(...inputs.map((input) => input.ref)).data(), samplePlaces(workload));
    },
    async run(count) {
      // A result that is disposed before anybody waits for it is never computed.
      const waiting = [];
      for (let k = 1; k <= count; k++) {
        const output = once(...inputs.map((input) => input.ref));
        if (workload.read) {
          await output.data();
          continue;
        }
        waiting.push(output);
        if (k !== count && k % stepsPerWait !== 0) continue;
        await blockUntilReady(waiting);
        for (const done of waiting.splice(0)) done.dispose();
      }
    },
    release: () => {
      for (const input of inputs) input.dispose();
      once.dispose();
    },
  };
}

/** @param {import('../workloads/models.mjs').ModelSpec} spec @returns {Record<string, any>} */
function weightsOf(spec) {
  const { parameters } = modelData(spec);
  return Object.fromEntries(
    spec.parameters.map(({ name, shape }) => [name, array(/** @type {Float32Array} */ (parameters.get(name)), shape)]),
  );
}

/** @param {Workload} workload @returns {Promise<Prepared>} */
async function train(workload) {
  const spec = modelSpec(workload.model);
  const { input, target } = modelData(spec);
  const forward = forwards[spec.name];
  if (forward === undefined) throw new Error(`no ${spec.name} here`);
  const x = array(input, spec.input.shape);
  const y =
    spec.classes === 0 ? array(target, spec.target.shape) : nn.oneHot(array(target, [target.length]), spec.classes);
  const loss = (/** @type {any} */ w, /** @type {any} */ input, /** @type {any} */ wanted) => {
    const output = forward(w, input);
    tree.dispose(w);
    if (spec.classes === 0) return np.square(output.sub(wanted)).mean();
    return nn
      .logSoftmax(output.reshape([target.length, spec.classes]), -1)
      .mul(wanted)
      .sum()
      .mul(-1 / target.length);
  };
  const isAdam = spec.optimizer === 'adam';
  const rate = spec.learningRate;
  const update = jit((state, numbers, input, wanted) => {
    const [value, gradients] = valueAndGrad(loss)(tree.ref(state.w), input, wanted);
    /** @type {any} */
    const next = { w: {}, m: {}, v: {} };
    for (const [name, p] of Object.entries(state.w)) {
      const g = gradients[name];
      if (!isAdam) {
        next.w[name] = p.sub(g.mul(rate));
        continue;
      }
      const m = state.m[name].mul(0.9).add(g.ref.mul(0.1));
      const v = state.v[name].mul(0.999).add(np.square(g).mul(0.001));
      // numbers: rate / (1 - 0.9^t) and 1 / (1 - 0.999^t)
      const root = np.sqrt(v.ref.mul(numbers.ref.slice(1))).add(1e-8);
      next.w[name] = p.sub(m.ref.mul(numbers.ref.slice(0)).div(root));
      next.m[name] = m;
      next.v[name] = v;
    }
    numbers.dispose();
    return [value, next];
  });
  const w = weightsOf(spec);
  const zeros = () =>
    isAdam ? Object.fromEntries(spec.parameters.map(({ name, shape }) => [name, np.zeros([...shape])])) : {};
  /** @type {any} */
  let state = { w, m: zeros(), v: zeros() };
  await blockUntilReady(state);
  let steps = 0;
  const step = () => {
    steps++;
    const numbers = np.array(new Float32Array([rate / (1 - 0.9 ** steps), 1 / (1 - 0.999 ** steps)]));
    const [value, next] = /** @type {any} */ (update(state, numbers, x.ref, y.ref));
    state = next;
    return value;
  };
  return {
    async step() {
      const [number] = await step().data();
      return number;
    },
    async run(count) {
      for (let k = 1; k <= count; k++) {
        const value = step();
        if (k === count || k % stepsPerWait === 0) await blockUntilReady([value, state]);
        value.dispose();
      }
    },
    release: () => {
      tree.dispose(state);
      x.dispose();
      y.dispose();
      update.dispose();
    },
  };
}

/** @param {Workload} workload @returns {Promise<Prepared>} */
async function infer(workload) {
  const spec = modelSpec(workload.model);
  const w = weightsOf(spec);
  const { shape, values } = inferenceInput(spec, workload.batch);
  const forward = jit((weights, x) => {
    const output = forwards[spec.name]?.(weights, x);
    tree.dispose(weights);
    return output;
  });
  const once = () => /** @type {any} */ (forward(tree.ref(w), array(values, shape))).data();
  return {
    result: async () => ({ values: [...(await once())] }),
    async run(count) {
      for (let k = 0; k < count; k++) await once();
    },
    release: () => {
      tree.dispose(w);
      forward.dispose();
    },
  };
}
