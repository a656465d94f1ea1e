/**
 * js-pytorch on its CPU device: nested arrays. Its relu has a slope of 0.001 below 0 and its Adam does not correct the
 * moments; its reference (`mlp-leaky` in pytorch.py) does the same.
 */
import { readFileSync } from 'node:fs';
import { torch } from 'js-pytorch';
import { inferenceInput, modelData, modelSpec } from '../workloads/models.mjs';
import { operands, outcomeOf, samplePlaces } from '../workloads/operations.mjs';

const { nn } = torch;

export async function start() {
  const file = new URL('../node_modules/js-pytorch/package.json', import.meta.url);
  return { version: JSON.parse(readFileSync(file, 'utf8')).version, detail: 'device cpu' };
}

/** @param {Float32Array | Int32Array} values @param {number} width @returns {number[][]} */
const nested = (values, width) =>
  Array.from({ length: values.length / width }, (_, row) => [...values.subarray(row * width, (row + 1) * width)]);

/** @param {number[][]} matrix */
const transposed = (matrix) => (matrix[0] ?? []).map((_, column) => matrix.map((row) => row[column]));

class Mlp extends nn.Module {
  constructor() {
    super();
    this.first = new nn.Linear(784, 512);
    this.second = new nn.Linear(512, 256);
    this.third = new nn.Linear(256, 10);
    this.relu = new nn.ReLU();
  }

  /** @param {any} x */
  forward(x) {
    const inner = this.relu.forward(this.first.forward(x));
    return this.third.forward(this.relu.forward(this.second.forward(inner)));
  }
}

/** @param {import('../workloads/list.mjs').Workload} workload @returns {Promise<import('../harness/session.mjs').Prepared>} */
export async function prepare(workload) {
  if (workload.kind === 'matmul') {
    const [a, b] = operands(workload).map((values) => torch.tensor(nested(values, workload.size)));
    const once = () => torch.matmul(/** @type {any} */ (a), /** @type {any} */ (b));
    return {
      result: async () => outcomeOf(once().data.flat(), samplePlaces(workload)),
      async run(count) {
        for (let k = 0; k < count; k++) once();
      },
    };
  }
  const spec = modelSpec(workload.model);
  const { input, target, parameters } = modelData(spec);
  const model = new Mlp();
  [model.first, model.second, model.third].forEach((layer, k) => {
    const shape = spec.parameters[2 * k]?.shape ?? [];
    const weight = /** @type {Float32Array} */ (parameters.get(`${2 * k}.weight`));
    layer.W._data = transposed(nested(weight, shape[1] ?? 0));
    layer.b._data = [.../** @type {Float32Array} */ (parameters.get(`${2 * k}.bias`))];
  });
  if (workload.kind === 'infer') {
    const x = nested(inferenceInput(spec, workload.batch).values, 784);
    const once = () => model.forward(torch.tensor(x)).data;
    return {
      result: async () => ({ values: once().flat() }),
      async run(count) {
        for (let k = 0; k < count; k++) once();
      },
    };
  }
  const x = torch.tensor(nested(input, 784));
  const y = torch.tensor([...target]);
  const lossOf = new nn.CrossEntropyLoss();
  const optimizer = new torch.optim.Adam(model.parameters(), spec.learningRate, 0, [0.9, 0.99], 1e-9);
  const step = () => {
    const loss = lossOf.forward(model.forward(x), y);
    loss.backward();
    optimizer.step();
    optimizer.zero_grad();
    return loss;
  };
  return {
    step: async () => Number([step().data].flat(Number.POSITIVE_INFINITY)[0]),
    async run(count) {
      for (let k = 0; k < count; k++) step();
    },
  };
}
