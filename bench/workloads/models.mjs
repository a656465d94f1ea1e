/**
 * The models that are trained: their parameters (names and layouts of PyTorch), batches and losses, as data.
 * Each library builds them in its own way from the same arrays; `libraries/*` own the arithmetic.
 */
import { integers, sizeOf, uniform } from './numbers.mjs';

/**
 * @typedef {{ name: string, shape: number[], bound?: number, fill?: number }} ParameterSpec
 *   uniform in ±bound, or filled with one number
 * @typedef {{ name: string, parameters: ParameterSpec[], input: { shape: number[], below?: number },
 *   target: { shape: number[], below?: number }, classes: number, optimizer: 'adam' | 'sgd', learningRate: number }} ModelSpec
 *   `below`: whole numbers below it, else float32 in ±1
 * @typedef {{ input: Float32Array | Int32Array, target: Float32Array | Int32Array, parameters: Map<string, Float32Array> }} ModelData
 */

/** @param {string} name @param {number[]} shape @param {number} fan @returns {ParameterSpec[]} */
const affine = (name, shape, fan) => [
  { name: `${name}.weight`, shape, bound: 1 / Math.sqrt(fan) },
  { name: `${name}.bias`, shape: [shape[0] ?? 0], bound: 1 / Math.sqrt(fan) },
];

/** @param {string} name @param {number} width @returns {ParameterSpec[]} */
const norm = (name, width) => [
  { name: `${name}.weight`, shape: [width], fill: 1 },
  { name: `${name}.bias`, shape: [width], fill: 0 },
];

/** @param {string} name @param {number} width @param {number} inner */
const encoderLayer = (name, width, inner) => [
  { name: `${name}.self_attn.in_proj_weight`, shape: [3 * width, width], bound: Math.sqrt(6 / (4 * width)) },
  { name: `${name}.self_attn.in_proj_bias`, shape: [3 * width], fill: 0 },
  ...affine(`${name}.self_attn.out_proj`, [width, width], width),
  ...affine(`${name}.linear1`, [inner, width], width),
  ...affine(`${name}.linear2`, [width, inner], inner),
  ...norm(`${name}.norm1`, width),
  ...norm(`${name}.norm2`, width),
];

/** A convolution without bias, and the batch norm behind it. @param {string} conv @param {string} bn @param {number[]} shape */
const convNorm = (conv, bn, shape) => [
  { name: `${conv}.weight`, shape, bound: Math.sqrt(6 / ((shape[1] ?? 1) * (shape[2] ?? 1) * (shape[3] ?? 1))) },
  ...norm(bn, shape[0] ?? 0),
];

/** ResNet-18 for small images: a 3x3 stem without pooling, four stages of two blocks. */
const resnet = [
  ...convNorm('conv1', 'bn1', [64, 3, 3, 3]),
  ...[64, 128, 256, 512].flatMap((width, stage) =>
    [0, 1].flatMap((block) => {
      const name = `layer${stage + 1}.${block}`;
      const from = block === 0 && stage > 0 ? width / 2 : width;
      return [
        ...convNorm(`${name}.conv1`, `${name}.bn1`, [width, from, 3, 3]),
        ...convNorm(`${name}.conv2`, `${name}.bn2`, [width, width, 3, 3]),
        ...(from === width ? [] : convNorm(`${name}.downsample.0`, `${name}.downsample.1`, [width, from, 1, 1])),
      ];
    }),
  ),
  ...affine('fc', [10, 512], 512),
];

/** Two convolutions of 3x3. @param {string} name @param {number} from @param {number} to */
const double = (name, from, to) => [
  ...affine(`${name}.0`, [to, from, 3, 3], 9 * from),
  ...affine(`${name}.2`, [to, to, 3, 3], 9 * to),
];
/** A transposed convolution of 2x2 that doubles the sides. @param {string} name @param {number} from @param {number} to */
const doubling = (name, from, to) => [
  { name: `${name}.weight`, shape: [from, to, 2, 2], bound: 1 / Math.sqrt(4 * to) },
  { name: `${name}.bias`, shape: [to], bound: 1 / Math.sqrt(4 * to) },
];

/** @type {Readonly<Record<string, ModelSpec>>} */
export const models = {
  // 784-512-256-10 with relu, cross-entropy
  mlp: {
    name: 'mlp',
    parameters: [...affine('0', [512, 784], 784), ...affine('2', [256, 512], 512), ...affine('4', [10, 256], 256)],
    input: { shape: [128, 784] },
    target: { shape: [128], below: 10 },
    classes: 10,
    optimizer: 'adam',
    learningRate: 0.001,
  },
  // conv 3x3x32, relu, conv 3x3x64, relu, maxpool 2, dense 128, relu, dense 10, without padding
  cnn: {
    name: 'cnn',
    parameters: [
      ...affine('0', [32, 1, 3, 3], 9),
      ...affine('2', [64, 32, 3, 3], 288),
      ...affine('6', [128, 9216], 9216),
      ...affine('8', [10, 128], 128),
    ],
    input: { shape: [32, 1, 28, 28] },
    target: { shape: [32], below: 10 },
    classes: 10,
    optimizer: 'adam',
    learningRate: 0.001,
  },
  // 50 steps of 32 numbers, hidden 128; the classes from the last hidden state
  lstm: {
    name: 'lstm',
    parameters: [
      { name: 'lstm.weight_ih_l0', shape: [512, 32], bound: 1 / Math.sqrt(128) },
      { name: 'lstm.weight_hh_l0', shape: [512, 128], bound: 1 / Math.sqrt(128) },
      { name: 'lstm.bias_ih_l0', shape: [512], bound: 1 / Math.sqrt(128) },
      { name: 'lstm.bias_hh_l0', shape: [512], bound: 1 / Math.sqrt(128) },
      ...affine('head', [10, 128], 128),
    ],
    input: { shape: [32, 50, 32] },
    target: { shape: [32], below: 10 },
    classes: 10,
    optimizer: 'adam',
    learningRate: 0.001,
  },
  // tokens and positions embedded, 2 encoder layers (4 heads, norm last, relu, no dropout), a class for each token
  transformer: {
    name: 'transformer',
    parameters: [
      { name: 'embedding.weight', shape: [128, 128], bound: 1 },
      { name: 'position', shape: [64, 128], bound: 0.1 },
      ...encoderLayer('encoder.layers.0', 128, 512),
      ...encoderLayer('encoder.layers.1', 128, 512),
      ...affine('head', [128, 128], 128),
    ],
    input: { shape: [16, 64], below: 128 },
    target: { shape: [16, 64], below: 128 },
    classes: 128,
    optimizer: 'adam',
    learningRate: 0.001,
  },
  // 2-4-1 with tanh inside, mean squared error
  small: {
    name: 'small',
    parameters: [...affine('0', [4, 2], 2), ...affine('2', [1, 4], 4)],
    input: { shape: [100, 2] },
    target: { shape: [100, 1] },
    classes: 0,
    optimizer: 'sgd',
    learningRate: 0.1,
  },
  // four that nothing was tuned to: odd sizes, a deep residual network, a language model, an image to an image
  odd: {
    name: 'odd',
    parameters: [...affine('0', [353, 211], 211), ...affine('2', [97, 353], 353), ...affine('4', [13, 97], 97)],
    input: { shape: [37, 211] },
    target: { shape: [37], below: 13 },
    classes: 13,
    optimizer: 'adam',
    learningRate: 0.001,
  },
  resnet: {
    name: 'resnet',
    parameters: resnet,
    input: { shape: [32, 3, 32, 32] },
    target: { shape: [32], below: 10 },
    classes: 10,
    optimizer: 'sgd',
    learningRate: 0.01,
  },
  // 4 layers, width 256, norm first, gelu, 128 tokens that see only those before them
  gpt: {
    name: 'gpt',
    parameters: [
      { name: 'embedding.weight', shape: [512, 256], bound: 0.1 },
      { name: 'position', shape: [128, 256], bound: 0.1 },
      ...[0, 1, 2, 3].flatMap((layer) => encoderLayer(`encoder.layers.${layer}`, 256, 1024)),
      ...norm('norm', 256),
      ...affine('head', [512, 256], 256),
    ],
    input: { shape: [8, 128], below: 512 },
    target: { shape: [8, 128], below: 512 },
    classes: 512,
    optimizer: 'adam',
    learningRate: 0.0003,
  },
  // 16, 32 and 64 channels down, transposed convolutions and the skipped halves up, mean squared error
  unet: {
    name: 'unet',
    parameters: [
      ...double('down1', 1, 16),
      ...double('down2', 16, 32),
      ...double('middle', 32, 64),
      ...doubling('up2', 64, 32),
      ...double('join2', 64, 32),
      ...doubling('up1', 32, 16),
      ...double('join1', 32, 16),
      ...affine('out', [1, 16, 1, 1], 16),
    ],
    input: { shape: [4, 1, 128, 128] },
    target: { shape: [4, 1, 128, 128] },
    classes: 0,
    optimizer: 'adam',
    learningRate: 0.001,
  },
};

/** Measured in nn and PyTorch alone. */
export const untuned = ['odd', 'resnet', 'gpt', 'unet'];

/** @param {string} name @returns {ModelSpec} */
export function modelSpec(name) {
  const spec = models[name];
  if (spec === undefined) throw new Error(`There is no model '${name}'.`);
  return spec;
}

/** The arrays of a model: seed 1 is the input, 2 the target, 3 and up the parameters. @param {ModelSpec} spec @returns {ModelData} */
export function modelData(spec) {
  const parameters = spec.parameters.map(({ name, shape, bound, fill }, k) => {
    const length = sizeOf(shape);
    return /** @type {const} */ ([
      name,
      fill === undefined ? uniform(3 + k, length, bound) : new Float32Array(length).fill(fill),
    ]);
  });
  return { input: values(1, spec.input), target: values(2, spec.target), parameters: new Map(parameters) };
}

/** @param {number} seed @param {{ shape: number[], below?: number }} field */
const values = (seed, { shape, below }) =>
  below === undefined ? uniform(seed, sizeOf(shape)) : integers(seed, sizeOf(shape), below);

/** The tokens that a language model is given one by one before its logits are compared (seed 99). @param {ModelSpec} spec */
export function prompt(spec) {
  return integers(99, 16, spec.input.below ?? 0);
}

/** The input of an inference: the first samples of 64 (seed 99). @param {ModelSpec} spec @param {number} batch */
export function inferenceInput(spec, batch) {
  const shape = [batch, ...spec.input.shape.slice(1)];
  return { shape, values: uniform(99, sizeOf(shape)) };
}
