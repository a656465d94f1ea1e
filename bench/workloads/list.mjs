/** What is measured. Each workload is plain data: it travels to the processes of the libraries as JSON. */

/**
 * @typedef {{ name: string, title: string, group: 'products' | 'elementwise' | 'training' | 'small' | 'inference',
 *   kind: 'matmul' | 'add' | 'chain' | 'rowSum' | 'softmax' | 'conv' | 'train' | 'infer' | 'generate', unit: 'ms' | 'µs', size: number, model: string,
 *   batch: number, quick: boolean, read: boolean, work?: number }} Workload
 *   `work`: floating-point operations, where GFLOP/s say more than times; `read`: each result is read before the next
 */

/** @param {Partial<Workload> & Pick<Workload, 'name' | 'title' | 'group' | 'kind'>} given @returns {Workload} */
const workload = (given) => ({ unit: 'ms', size: 0, model: '', batch: 0, quick: true, read: false, ...given });

/** @param {string} model @param {string} title @param {boolean} quick */
const step = (model, title, quick = true) =>
  workload({ name: `${model}-step`, title: `${title} step`, group: 'training', kind: 'train', model, quick });

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

/** @param {number} size @param {boolean} quick */
const matmul = (size, quick) =>
  workload({
    name: `matmul-${size}`,
    title: `matmul ${size}`,
    group: 'products',
    kind: 'matmul',
    size,
    work: 2 * size ** 3,
    quick,
  });

const chain = workload({
  name: 'chain',
  title: 'tanh(a*b+c)*sigmoid(d), 10^6',
  group: 'elementwise',
  kind: 'chain',
  size: 1e6,
});

/** On the CPU. */
export const workloads = [
  ...[64, 128, 256, 512, 1024, 2048].map((size) => matmul(size, size === 64 || size === 256)),
  chain,
  workload({ name: 'row-sum', title: 'row sum 1024x1024', group: 'elementwise', kind: 'rowSum', size: 1024 }),
  workload({ name: 'softmax', title: 'softmax 1024x1024', group: 'elementwise', kind: 'softmax', size: 1024 }),
  step('mlp', 'MLP'),
  step('cnn', 'CNN'),
  step('lstm', 'LSTM'),
  step('transformer', 'Transformer'),
  step('odd', 'odd MLP', false),
  step('resnet', 'ResNet-18', false),
  step('gpt', 'GPT', false),
  step('unet', 'U-Net', false),
  workload({ name: 'small-step', title: '2-4-1 step', group: 'small', kind: 'train', model: 'small', unit: 'µs' }),
  inference('mlp', 'MLP', 1),
  inference('mlp', 'MLP', 64),
  inference('cnn', 'CNN', 1),
  inference('cnn', 'CNN', 64),
  workload({
    name: 'gpt-token',
    title: 'GPT, a token',
    group: 'inference',
    kind: 'generate',
    model: 'gpt',
    batch: 1,
    quick: false,
  }),
];

/** On GPUs, in a browser. */
export const gpuWorkloads = [
  ...[256, 512, 1024].map((size) => matmul(size, size === 256)),
  workload({ name: 'add', title: 'a+b, 10^6', group: 'elementwise', kind: 'add', size: 1e6 }),
  chain,
  workload({
    name: 'conv',
    title: 'conv 3x3, 8x32x28x28 to 64 channels',
    group: 'products',
    kind: 'conv',
    size: 28,
    work: 2 * 8 * 64 * 28 * 28 * 32 * 9,
  }),
  step('mlp', 'MLP'),
  step('cnn', 'CNN'),
  workload({ name: 'launch', title: 'a+b of 1024, not read', group: 'small', kind: 'add', size: 1024, unit: 'µs' }),
  workload({
    name: 'round-trip',
    title: 'a+b of 1024, each result read',
    group: 'small',
    kind: 'add',
    size: 1024,
    unit: 'µs',
    read: true,
  }),
];
