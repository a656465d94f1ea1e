/** The networks that the exporter is checked with: small, with every kind of layer that the field exports. */
import type { Tensor } from '@nn/core';
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Embedding,
  Flatten,
  GELU,
  GlobalAveragePool,
  GRU,
  LayerNorm,
  Linear,
  LSTM,
  MaxPool2d,
  MultiheadAttention,
  ReLU,
  relu,
  Sequential,
  Softmax,
  TransformerEncoder,
  TransformerEncoderLayer,
} from '@nn/layers';
import type { EncodeOnnxOptions } from '../export/encode-onnx.ts';

class Block {
  conv1: Conv2d;
  bn1: BatchNorm2d;
  conv2: Conv2d;
  bn2: BatchNorm2d;
  downsample: Sequential | null;

  constructor(inputs: number, outputs: number, stride: number) {
    this.conv1 = new Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(outputs);
    this.conv2 = new Conv2d(outputs, outputs, 3, { padding: 1, bias: false });
    this.bn2 = new BatchNorm2d(outputs);
    const isSame = stride === 1 && inputs === outputs;
    this.downsample = isSame
      ? null
      : new Sequential(new Conv2d(inputs, outputs, 1, { stride, bias: false }), new BatchNorm2d(outputs));
  }

  forward(x: Tensor): Tensor {
    const y = this.bn2.forward(this.conv2.forward(relu(this.bn1.forward(this.conv1.forward(x)))));
    return relu(y.add(this.downsample === null ? x : this.downsample.forward(x)));
  }
}

class SequenceClassifier {
  lstm = new LSTM(5, 6, { layers: 2, bidirectional: true, batchFirst: true });
  head = new Linear(12, 3);

  forward(x: Tensor): Tensor {
    const { output } = this.lstm.forward(x);
    return this.head.forward(output.mean(1));
  }
}

class GruStates {
  gru = new GRU(4, 5);

  forward(x: Tensor): { output: Tensor; hidden: Tensor } {
    const { output, hidden } = this.gru.forward(x);
    return { output, hidden };
  }
}

class GptBlock {
  ln1 = new LayerNorm(16);
  attention = new MultiheadAttention(16, 2, { batchFirst: true });
  ln2 = new LayerNorm(16);
  mlp = new Sequential(new Linear(16, 32), new GELU(), new Linear(32, 16));

  forward(x: Tensor): Tensor {
    const h = this.ln1.forward(x);
    const attended = x.add(this.attention.forward(h, h, h, { causal: true }));
    return attended.add(this.mlp.forward(this.ln2.forward(attended)));
  }
}

class Gpt {
  tokens = new Embedding(20, 16);
  positions = new Embedding(12, 16);
  blocks = [new GptBlock(), new GptBlock()];
  norm = new LayerNorm(16);
  head = new Linear(16, 20, { bias: false });

  forward(ids: Tensor): Tensor {
    const steps = ids.shape[1] ?? 1;
    let x = this.tokens.forward(ids).add(this.positions.weight.slice([0, 0], [steps, 16]));
    for (const block of this.blocks) x = block.forward(x);
    return this.head.forward(this.norm.forward(x));
  }
}

export interface Network {
  readonly name: string;
  readonly make: () => { forward(x: Tensor): unknown };
  readonly shape: readonly number[];
  /** Other shapes that a file with free axes must run on. */
  readonly others: readonly (readonly number[])[];
  readonly options: EncodeOnnxOptions;
  /** Operators that the file is expected to have, among others. */
  readonly operators: readonly string[];
}

export const networks: readonly Network[] = [
  {
    name: 'MLP',
    make: () => new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 3), new Softmax()),
    shape: [1, 4],
    others: [[7, 4]],
    options: { dynamic: { batch: 0 } },
    operators: ['Gemm', 'Relu', 'Softmax'],
  },
  {
    name: 'CNN',
    make: () =>
      new Sequential(
        new Conv2d(3, 6, 3, { padding: 1 }),
        new ReLU(),
        new MaxPool2d(2),
        new Conv2d(6, 8, 3, { groups: 2, stride: 2, padding: 1 }),
        new GELU({ approximate: 'tanh' }),
        new AvgPool2d(2),
        new Flatten(),
        new Linear(32, 5),
      ),
    shape: [1, 3, 16, 16],
    others: [[3, 3, 16, 16]],
    options: { dynamic: { batch: 0 } },
    operators: ['Conv', 'MaxPool', 'AveragePool', 'Gemm'],
  },
  {
    name: 'autoencoder',
    make: () =>
      new Sequential(
        new Conv2d(1, 4, 3, { stride: 2, padding: 1 }),
        new ReLU(),
        new ConvTranspose2d(4, 1, 3, { stride: 2, padding: 1, outputPadding: 1 }),
      ),
    shape: [1, 1, 8, 8],
    others: [],
    options: {},
    operators: ['Conv', 'ConvTranspose'],
  },
  {
    name: 'ResNet',
    make: () =>
      new Sequential(
        new Conv2d(3, 8, 3, { padding: 1, bias: false }),
        new BatchNorm2d(8),
        new ReLU(),
        new Block(8, 8, 1),
        new Block(8, 16, 2),
        new GlobalAveragePool(),
        new Linear(16, 4),
      ),
    shape: [1, 3, 8, 8],
    others: [[2, 3, 8, 8]],
    options: { dynamic: { batch: 0 } },
    operators: ['Conv', 'BatchNormalization', 'Add', 'ReduceMean', 'Gemm'],
  },
  {
    name: 'LSTM',
    make: () => new SequenceClassifier(),
    shape: [1, 6, 5],
    others: [
      [3, 6, 5],
      [2, 9, 5],
    ],
    options: { dynamic: { batch: 0, steps: 1 } },
    operators: ['LSTM', 'Gemm'],
  },
  {
    name: 'GRU with its state',
    make: () => new GruStates(),
    shape: [5, 2, 4],
    others: [],
    options: {},
    operators: ['GRU'],
  },
  {
    name: 'GPT',
    make: () => new Gpt(),
    shape: [1, 6],
    others: [
      [2, 6],
      [1, 11],
    ],
    options: { dynamic: { batch: 0, steps: 1 }, dtype: 'int32' },
    operators: ['Gather', 'LayerNormalization', 'MatMul', 'Softmax', 'Erf'],
  },
  {
    name: 'Transformer encoder',
    make: () =>
      new TransformerEncoder(() => new TransformerEncoderLayer(8, 2, { feedForward: 16, batchFirst: true }), 2),
    shape: [1, 5, 8],
    others: [[4, 5, 8]],
    options: { dynamic: { batch: 0 } },
    operators: ['LayerNormalization', 'MatMul', 'Softmax', 'Relu'],
  },
];
