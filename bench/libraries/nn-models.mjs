/** The models of the benchmark in nn, for the CPU and for GPUs, through public names only. */
import { concat, namedParameters, parameter, tensor, zeros } from '@nn/core';
import {
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  crossEntropy,
  Embedding,
  Flatten,
  LayerNorm,
  Linear,
  LSTM,
  MaxPool2d,
  meanSquaredError,
  ReLU,
  Sequential,
  Tanh,
  TransformerEncoderLayer,
} from '@nn/layers';
import { Adam, SGD } from '@nn/optim';
import { modelData } from '../workloads/models.mjs';

/** @typedef {import('../workloads/models.mjs').ModelSpec} ModelSpec */

class Recurrent {
  lstm = new LSTM(32, 128, { batchFirst: true });
  head = new Linear(128, 10);

  /** @param {import('@nn/core').Tensor} x */
  forward(x) {
    const { hidden } = this.lstm.forward(x);
    return this.head.forward(hidden.reshape([-1, 128]));
  }
}

class Encoder {
  embedding = new Embedding(128, 128);
  position = parameter(zeros([64, 128]));
  encoder = {
    layers: [0, 1].map(() => new TransformerEncoderLayer(128, 4, { feedForward: 512, dropout: 0, batchFirst: true })),
  };
  head = new Linear(128, 128);

  /** @param {import('@nn/core').Tensor} tokens */
  forward(tokens) {
    let x = this.embedding.forward(tokens).add(this.position);
    for (const layer of this.encoder.layers) x = layer.forward(x);
    return this.head.forward(x);
  }
}

class Residual {
  /** @param {number} from @param {number} to */
  constructor(from, to) {
    const stride = from === to ? 1 : 2;
    this.conv1 = new Conv2d(from, to, 3, { stride, padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(to);
    this.conv2 = new Conv2d(to, to, 3, { padding: 1, bias: false });
    this.bn2 = new BatchNorm2d(to);
    this.downsample =
      from === to ? null : new Sequential(new Conv2d(from, to, 1, { stride, bias: false }), new BatchNorm2d(to));
  }

  /** @param {import('@nn/core').Tensor} x */
  forward(x) {
    const inner = this.bn1.forward(this.conv1.forward(x)).relu();
    return this.bn2
      .forward(this.conv2.forward(inner))
      .add(this.downsample?.forward(x) ?? x)
      .relu();
  }
}

class ResNet {
  conv1 = new Conv2d(3, 64, 3, { padding: 1, bias: false });
  bn1 = new BatchNorm2d(64);
  layer1 = new Sequential(new Residual(64, 64), new Residual(64, 64));
  layer2 = new Sequential(new Residual(64, 128), new Residual(128, 128));
  layer3 = new Sequential(new Residual(128, 256), new Residual(256, 256));
  layer4 = new Sequential(new Residual(256, 512), new Residual(512, 512));
  fc = new Linear(512, 10);

  /** @param {import('@nn/core').Tensor} x */
  forward(x) {
    let y = this.bn1.forward(this.conv1.forward(x)).relu();
    for (const stage of [this.layer1, this.layer2, this.layer3, this.layer4]) y = stage.forward(y);
    return this.fc.forward(y.mean([2, 3]));
  }
}

export class Gpt {
  embedding = new Embedding(512, 256);
  position = parameter(zeros([128, 256]));
  encoder = {
    layers: [0, 1, 2, 3].map(
      () =>
        new TransformerEncoderLayer(256, 4, {
          feedForward: 1024,
          dropout: 0,
          batchFirst: true,
          normFirst: true,
          activation: 'gelu',
        }),
    ),
  };
  norm = new LayerNorm(256);
  head = new Linear(256, 512);

  /** @param {import('@nn/core').Tensor} tokens */
  forward(tokens) {
    let x = this.embedding.forward(tokens).add(this.position);
    for (const layer of this.encoder.layers) x = layer.forward(x, { causal: true });
    return this.head.forward(this.norm.forward(x));
  }

  /** Memory for what the tokens before leave in each layer. @param {number} capacity */
  caches(capacity) {
    return this.encoder.layers.map((layer) => layer.cache(1, capacity));
  }

  /** The logits behind one more token. @param {import('@nn/core').Tensor} token [1, 1] @param {import('@nn/layers').KeyValueCache[]} caches */
  next(token, caches) {
    const places = /** @type {import('@nn/layers').KeyValueCache} */ (caches[0]).positions(1);
    let x = this.embedding.forward(token).add(this.position.gather(places, 0));
    this.encoder.layers.forEach((layer, k) => {
      const cache = caches[k];
      if (cache !== undefined) x = layer.forward(x, { cache });
    });
    return this.head.forward(this.norm.forward(x)).reshape([512]);
  }
}

/** @param {number} from @param {number} to */
const double = (from, to) =>
  new Sequential(
    new Conv2d(from, to, 3, { padding: 1 }),
    new ReLU(),
    new Conv2d(to, to, 3, { padding: 1 }),
    new ReLU(),
  );

class UNet {
  pool = new MaxPool2d(2);
  down1 = double(1, 16);
  down2 = double(16, 32);
  middle = double(32, 64);
  up2 = new ConvTranspose2d(64, 32, 2, { stride: 2 });
  join2 = double(64, 32);
  up1 = new ConvTranspose2d(32, 16, 2, { stride: 2 });
  join1 = double(32, 16);
  out = new Conv2d(16, 1, 1);

  /** @param {import('@nn/core').Tensor} x */
  forward(x) {
    const first = this.down1.forward(x);
    const second = this.down2.forward(this.pool.forward(first));
    const deepest = this.middle.forward(this.pool.forward(second));
    const up = this.join2.forward(concat([this.up2.forward(deepest), second], 1));
    return this.out.forward(this.join1.forward(concat([this.up1.forward(up), first], 1)));
  }
}

const builders = {
  mlp: () => new Sequential(new Linear(784, 512), new ReLU(), new Linear(512, 256), new ReLU(), new Linear(256, 10)),
  cnn: () =>
    new Sequential(
      new Conv2d(1, 32, 3),
      new ReLU(),
      new Conv2d(32, 64, 3),
      new ReLU(),
      new MaxPool2d(2),
      new Flatten(),
      new Linear(9216, 128),
      new ReLU(),
      new Linear(128, 10),
    ),
  lstm: () => new Recurrent(),
  transformer: () => new Encoder(),
  odd: () => new Sequential(new Linear(211, 353), new ReLU(), new Linear(353, 97), new ReLU(), new Linear(97, 13)),
  resnet: () => new ResNet(),
  gpt: () => new Gpt(),
  unet: () => new UNet(),
  small: () => new Sequential(new Linear(2, 4), new Tanh(), new Linear(4, 1)),
};

/**
 * A model with the parameters of the benchmark, which are on the device when this answers.
 * @param {ModelSpec} spec
 */
export async function buildModel(spec) {
  const model = builders[/** @type {keyof typeof builders} */ (spec.name)]();
  const { parameters, input, target } = modelData(spec);
  const found = namedParameters(model);
  for (const { name, shape } of spec.parameters) {
    const values = parameters.get(name);
    const place = found.get(name);
    if (place === undefined || values === undefined) throw new Error(`${spec.name} has no parameter ${name}`);
    place.assign(tensor(values, { shape }));
  }
  for (const place of found.values()) await place.data();
  return {
    model,
    input: tensor(input, { shape: spec.input.shape }),
    target: tensor(target, { shape: spec.target.shape }),
    optimizer:
      spec.optimizer === 'adam'
        ? new Adam(model, { learningRate: spec.learningRate })
        : new SGD(model, { learningRate: spec.learningRate }),
    /** @param {import('@nn/core').Tensor} x @param {import('@nn/core').Tensor} y */
    loss: (x, y) => {
      const output = model.forward(x);
      if (spec.classes === 0) return meanSquaredError(output, y);
      return crossEntropy(output.reshape([-1, spec.classes]), y.reshape([-1]));
    },
  };
}
