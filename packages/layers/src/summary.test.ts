import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, type Tensor } from '@nn/core';
import { beforeAll, expect, test } from 'vitest';
import {
  BatchNorm2d,
  Conv2d,
  Embedding,
  Flatten,
  Linear,
  LSTM,
  MaxPool2d,
  MultiheadAttention,
  ReLU,
  Sequential,
  summary,
} from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

test('lists layers in a table, with totals', () => {
  const model = new Sequential(
    new Conv2d(1, 8, 3, { padding: 1 }),
    new BatchNorm2d(8),
    new ReLU(),
    new MaxPool2d(2),
    new Flatten(),
    new Linear(8 * 14 * 14, 10),
  );
  const table = summary(model, [1, 1, 28, 28]);
  expect(Reflect.get(table, Symbol.for('nodejs.util.inspect.custom'))()).toBe(table.toString());
  expect(table.toString().split('\n')).toEqual([
    'layer                 output          parameters  multiply-adds',
    '---------------------------------------------------------------',
    '0: Conv2d(1, 8, 3x3)  [1, 8, 28, 28]          80         56,448',
    '1: BatchNorm2d(8)     [1, 8, 28, 28]          16              0',
    '2: ReLU()             [1, 8, 28, 28]           0              0',
    '3: MaxPool2d(2x2)     [1, 8, 14, 14]           0              0',
    '4: Flatten()          [1, 1568]                0              0',
    '5: Linear(1568, 10)   [1, 10]             15,690         15,680',
    '---------------------------------------------------------------',
    'total                                     15,786         72,128',
  ]);
});

test('walks fields, arrays and maps of plain classes, and counts shared parameters once', () => {
  class Block {
    inner = new Linear(4, 4);
    forward(x: Tensor): Tensor {
      return this.inner.forward(x).relu();
    }
  }
  class Model {
    blocks = [new Block(), new Block()];
    heads = new Map([['policy', new Linear(4, 2)]]);
    tied = new Linear(4, 4);
    unused = new Linear(4, 4);
    constructor() {
      this.tied.weight = this.blocks[0]?.inner.weight ?? this.tied.weight;
    }
    forward(x: Tensor): Tensor {
      const hidden = this.blocks.reduce((value, block) => block.forward(value), x);
      return (this.heads.get('policy') ?? this.unused).forward(this.tied.forward(this.tied.forward(hidden)));
    }
  }
  const model = new Model();
  const table = summary(model, [3, 4]);
  expect(
    table.rows.map(({ path, depth, parameters, multiplyAdds }) => [path, depth, parameters, multiplyAdds]),
  ).toEqual([
    ['blocks.0', 0, 0, 0],
    ['blocks.0.inner', 1, 20, 48],
    ['blocks.1', 0, 0, 0],
    ['blocks.1.inner', 1, 20, 48],
    ['heads.policy', 0, 10, 24],
    ['tied', 0, 4, 96],
    ['unused', 0, 20, 0],
  ]);
  expect(table.rows.map(({ outputShape }) => outputShape).at(-1)).toBeNull();
  expect(table.parameters).toBe(74);
  expect(Object.hasOwn(model.tied, 'forward')).toBe(false);
});

test('counts the products of recurrent layers and attention', () => {
  class Model {
    embedding = new Embedding(10, 6);
    lstm = new LSTM(6, 4, { batchFirst: true });
    attention = new MultiheadAttention(4, 2, { batchFirst: true });
    forward(x: Tensor): Tensor {
      return this.attention.forward(this.lstm.forward(this.embedding.forward(x)).output);
    }
  }
  const table = summary(new Model(), [2, 5], { dtype: 'int32' });
  expect(table.rows.map(({ path, multiplyAdds }) => [path, multiplyAdds])).toEqual([
    ['embedding', 0],
    ['lstm', 2 * 5 * 16 * (6 + 4)],
    // query, key and value; then scores and sums over 5 keys
    ['attention', 2 * 5 * 4 * 4 * 3 + 2 * (2 * 5 * 4) * 5],
    ['attention.out_proj', 2 * 5 * 4 * 4],
  ]);
});

test('leaves the model as it was when forward fails', () => {
  const layer = new Linear(2, 3);
  expect(() => summary(layer, [1, 5])).toThrow(
    'Linear(2, 3): the last axis must have 2 values, the input [1, 5] has 5.',
  );
  expect(Object.hasOwn(layer, 'forward')).toBe(false);
});

test('takes several inputs, and says when some are missing', () => {
  class Two {
    a = new Linear(2, 3);
    b = new Linear(4, 3);
    forward(x: Tensor, y: Tensor): Tensor {
      return this.a.forward(x).add(this.b.forward(y));
    }
  }
  const table = summary(new Two(), [
    [1, 2],
    [1, 4],
  ]);
  expect(table.multiplyAdds).toBe(18);
  expect(() => summary(new Two(), [1, 2])).toThrow(
    'summary: forward of Two takes 2 inputs, shapes of 1 were given: give a list, [[1, 2], [1, 4]].',
  );
});
