/** The workloads in nn on the default backend. `cpu` and `gpu` differ only in the backend that they set. */
import { compile, conv2d, evaluate, parameter, tensor, zeros } from '@nn/core';
import { softmax } from '@nn/layers';
import { inferenceInput, modelSpec, prompt } from '../workloads/models.mjs';
import { operandShape, operands, outcomeOf, samplePlaces } from '../workloads/operations.mjs';
import { buildModel, Gpt } from './nn-models.mjs';

/** @typedef {import('../workloads/list.mjs').Workload} Workload @typedef {import('../harness/session.mjs').Prepared} Prepared */
/** @typedef {import('@nn/core').Tensor} Tensor */

/** @type {Record<string, (...args: Tensor[]) => Tensor>} */
const formulas = {
  matmul: (a, b) => a.matmul(b),
  add: (a, b) => a.add(b),
  conv: (x, w) => conv2d(x, w, { padding: 1 }),
  chain: (a, b, c, d) => a.mul(b).add(c).tanh().mul(d.sigmoid()),
  rowSum: (a) => a.sum(1),
  softmax: (a) => softmax(a, { axis: 1 }),
};

/** @param {Workload} workload @param {{ compile?: boolean }} options @returns {Promise<Prepared>} */
export async function prepareNn(workload, options) {
  if (workload.kind === 'train') return train(workload, options.compile === true);
  if (workload.kind === 'infer') return infer(workload, options.compile === true);
  if (workload.kind === 'generate') return generate(workload, options.compile === true);
  return operation(workload);
}

/**
 * A result that nobody reads is not computed, so each goes into a parameter, whose old memory is used again.
 * @param {Workload} workload
 */
async function operation(workload) {
  const inputs = operands(workload).map((values) => tensor(values, { shape: operandShape(workload, values) }));
  const formula = formulas[workload.kind];
  if (formula === undefined) throw new Error(`nn has no ${workload.kind} here`);
  const place = parameter(zeros(formula(...inputs).shape), { trainable: false });
  const once = compile((/** @type {Tensor[]} */ ...args) => place.assign(formula(...args)));
  const run = async (/** @type {number} */ count) => {
    for (let k = 0; k < count; k++) await once(...inputs);
    await place.backend?.idle();
  };
  const runAndRead = async (/** @type {number} */ count) => {
    for (let k = 0; k < count; k++) await formula(...inputs).data();
  };
  return {
    async result() {
      await once(...inputs);
      return outcomeOf(await place.data(), samplePlaces(workload));
    },
    run: workload.read ? runAndRead : run,
  };
}

/** @param {Workload} workload @param {boolean} compiled @returns {Promise<Prepared>} */
async function train(workload, compiled) {
  const { input, target, loss, optimizer } = await buildModel(modelSpec(workload.model));
  const body = async () => {
    const value = loss(input, target);
    await optimizer.step(value);
    return value;
  };
  const replayed = compile((/** @type {Tensor} */ x, /** @type {Tensor} */ y) => {
    const value = loss(x, y);
    optimizer.step(value);
    return value;
  });
  const step = compiled ? () => replayed(input, target) : body;
  return {
    step: async () => (await step()).item(),
    async run(count) {
      let last = null;
      for (let k = 0; k < count; k++) last = await step();
      await last?.item();
    },
  };
}

/**
 * Token by token: each is the likeliest behind those before it, which the layers remember. After 128 it begins anew.
 * @param {Workload} workload @param {boolean} compiled @returns {Promise<Prepared>}
 */
async function generate(workload, compiled) {
  const spec = modelSpec(workload.model);
  const { model } = await buildModel(spec);
  if (!(model instanceof Gpt)) throw new Error(`${workload.model} does not generate`);
  const capacity = spec.input.shape[1] ?? 0;
  const caches = model.caches(capacity);
  const forward = (/** @type {Tensor} */ token) => evaluate(() => model.next(token, caches));
  const replayed = compile((/** @type {Tensor} */ token) => {
    const logits = forward(token);
    return { logits, likeliest: logits.argMax(0) };
  });
  const next = async (/** @type {number} */ id) => {
    const token = tensor(Int32Array.of(id), { shape: [1, 1] });
    if (compiled) return replayed(token);
    const logits = forward(token);
    return { logits, likeliest: logits.argMax(0) };
  };
  let last = 0;
  let length = 0;
  const restart = () => {
    for (const cache of caches) cache.reset();
    length = 0;
  };
  return {
    async result() {
      restart();
      /** @type {ArrayLike<number>} */
      let values = [];
      for (const id of prompt(spec)) values = await (await next(id)).logits.data();
      restart();
      return { values: Array.from(values) };
    },
    async run(count) {
      for (let k = 0; k < count; k++) {
        if (length === capacity) restart();
        last = await (await next(last)).likeliest.item();
        length++;
      }
    },
  };
}

/** @param {Workload} workload @param {boolean} compiled @returns {Promise<Prepared>} */
async function infer(workload, compiled) {
  const spec = modelSpec(workload.model);
  const { model } = await buildModel(spec);
  const { shape, values } = inferenceInput(spec, workload.batch);
  const replayed = compile((/** @type {Tensor} */ x) => evaluate(() => model.forward(x)));
  // Borrowed, as the other libraries do: the device has its copy before the result is there.
  const input = () => tensor(values, { shape, borrow: true });
  const once = compiled
    ? async () => (await replayed(input())).data()
    : () => evaluate(() => model.forward(input())).data();
  return {
    result: async () => ({ values: [...(await once())] }),
    async run(count) {
      for (let k = 0; k < count; k++) await once();
    },
  };
}
