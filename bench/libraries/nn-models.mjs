/** The models of the benchmark in nn, for the CPU and for GPUs, through public names only. */
import { namedParameters, parameter, tensor, zeros } from '@nn/core';
import {
  Conv2d,
  crossEntropy,
  Embedding,
  Flatten,
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
