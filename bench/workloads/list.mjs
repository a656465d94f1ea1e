/** What is measured. Each workload is plain data: it travels to the processes of the libraries as JSON. */

/**
 * @typedef {{ name: string, title: string, group: 'products' | 'elementwise' | 'training' | 'small' | 'inference',
 *   kind: 'matmul' | 'chain' | 'rowSum' | 'softmax' | 'train' | 'infer', unit: 'ms' | 'µs', size: number, model: string,
 *   batch: number, quick: boolean, work?: number }} Workload
 *   `work`: floating-point operations, where GFLOP/s say more than times
 */

/** @param {Partial<Workload> & Pick<Workload, 'name' | 'title' | 'group' | 'kind'>} given @returns {Workload} */
const workload = (given) => ({ unit: 'ms', size: 0, model: '', batch: 0, quick: true, ...given });

/** @param {string} model @param {string} title */
const step = (model, title) =>
  workload({ name: `${model}-step`, title: `${title} step`, group: 'training', kind: 'train', model });

/** @param {string} model @param {string} title @param {number} batch */
const inference = (model, title, batch) =>
  workload({
    name: `${model}-inference-${batch}`,
    title: `${title} inference, batch ${batch}`,
    group: 'inference',
    kind: 'infer',
    model,
    batch,
  });

export const workloads = [
  ...[64, 128, 256, 512, 1024, 2048].map((size) =>
    workload({
      name: `matmul-${size}`,
      title: `matmul ${size}`,
      group: 'products',
      kind: 'matmul',
      size,
      work: 2 * size ** 3,
      quick: size === 64 || size === 256,
    }),
  ),
  workload({ name: 'chain', title: 'tanh(a*b+c)*sigmoid(d), 10^6', group: 'elementwise', kind: 'chain', size: 1e6 }),
  workload({ name: 'row-sum', title: 'row sum 1024x1024', group: 'elementwise', kind: 'rowSum', size: 1024 }),
  workload({ name: 'softmax', title: 'softmax 1024x1024', group: 'elementwise', kind: 'softmax', size: 1024 }),
  step('mlp', 'MLP'),
  step('cnn', 'CNN'),
  step('lstm', 'LSTM'),
  step('transformer', 'Transformer'),
  workload({ name: 'small-step', title: '2-4-1 step', group: 'small', kind: 'train', model: 'small', unit: 'µs' }),
  inference('mlp', 'MLP', 1),
  inference('mlp', 'MLP', 64),
  inference('cnn', 'CNN', 1),
  inference('cnn', 'CNN', 64),
];
