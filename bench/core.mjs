/**
 * What graphs cost before any number is computed: building them, finding their plan, planning. Run by
 * `npm run bench -- --core`, from the sources, because it looks inside core. A backend that computes nothing takes the
 * device out of the picture. LSTM with Adam: the graph grows with the length, so cost per node must not.
 */
import { cpu } from '@nn/backend-cpu';
import { gradients, parameters, setDefaultBackend, tensor } from '@nn/core';
import { crossEntropy, Linear, LSTM } from '@nn/layers';
import { Adam } from '@nn/optim';
import { traceGraph } from '../packages/core/src/compile/trace.ts';
import { print } from './harness/print.mjs';
import { median } from './harness/statistics.mjs';
import { digits, textTable } from './report/format.mjs';

/** A backend whose programs do nothing at once. */
function emptyBackend() {
  return {
    name: 'empty',
    limits: cpu({ engine: 'interpreter' }).limits,
    upload: () => ({}),
    download: async () => new Float32Array(1),
    release: () => {},
    compile: (/** @type {import('@nn/core').Program} */ { outputs, steps }) => {
      lastSteps = steps.length;
      return { run: () => outputs.map(() => ({})), release: () => {} };
    },
    idle: async () => {},
  };
}
let lastSteps = 0;

/** @param {number} repeats @param {() => unknown} work milliseconds, the median */
async function timeOf(repeats, work) {
  const times = [];
  for (let k = 0; k < repeats; k++) {
    const begin = performance.now();
    await work();
    times.push(performance.now() - begin);
  }
  return median(times);
}

/** @param {number} length */
async function measure(length) {
  setDefaultBackend(/** @type {any} */ (emptyBackend()));
  const model = { lstm: new LSTM(32, 128, { batchFirst: true }), head: new Linear(128, 10) };
  const x = tensor(new Float32Array(32 * length * 32), { shape: [32, length, 32] });
  const y = tensor(new Int32Array(32));
  const loss = () => {
    const { hidden } = model.lstm.forward(x);
    return crossEntropy(model.head.forward(hidden.reshape([32, 128])), y);
  };
  const optimizer = new Adam(model);
  const step = () => optimizer.step(loss());
  const first = await timeOf(1, step);
  const kernels = lastSteps;
  const repeats = Math.max(9, Math.round(20_000 / length));
  const build = () => {
    const value = loss();
    return [value, ...gradients(value, parameters(model))];
  };
  const roots = build().map(({ node }) => node);
  const nodes = traceGraph(roots, false, []).order.length;
  return {
    length,
    nodes,
    kernels,
    build: await timeOf(repeats, build),
    key: await timeOf(repeats, () => traceGraph(roots, false, [])),
    whole: await timeOf(repeats, step),
    first,
  };
}

await measure(5); // the engine warms up
const rows = [];
for (const length of [50, 100, 200, 500]) rows.push(await measure(length));
print(
  `Node ${process.versions.node}; LSTM 32 x T x 32, hidden 128, cross entropy, gradients; steps with Adam on an empty backend.`,
);
print('');
print(
  textTable([
    ['T', 'nodes', 'kernels', 'build, ms', 'ns/node', 'key, ms', 'ns/node', 'whole step, ms', 'first step (plans), ms'],
    ...rows.map(({ length, nodes, kernels, build, key, whole, first }) => [
      String(length),
      String(nodes),
      String(kernels),
      digits(build),
      digits((build / nodes) * 1e6),
      digits(key),
      digits((key / nodes) * 1e6),
      digits(whole),
      digits(first),
    ]),
  ]),
);
const [short, long] = [rows[0], rows.at(-1)];
if (short !== undefined && long !== undefined) {
  const growth = (long.build + long.key) / long.nodes / ((short.build + short.key) / short.nodes);
  print(`\nA node of the longest graph costs ${digits(growth)} times one of the shortest (1: linear).`);
}
