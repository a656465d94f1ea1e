/** What JavaScript users are told where a type checker would have stopped them. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, zeros } from '@nn/core';
import { beforeAll, expect, test } from 'vitest';
import * as layers from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const all: Readonly<Record<string, unknown>> = layers;
/** Constructs or calls an export without types. */
const use = (name: keyof typeof layers, ...args: readonly unknown[]): unknown => {
  const what = all[name];
  if (typeof what !== 'function') throw new Error(`${name} is no function`);
  return /^[A-Z]/.test(name) ? Reflect.construct(what, args) : Reflect.apply(what, undefined, args);
};
const x = zeros([2, 2]);

test.each<[keyof typeof layers, readonly unknown[], string]>([
  ['Linear', [2, 1, { activation: 'relu' }], 'Linear(2, 1): no option activation: bias.'],
  ['Conv2d', [1, 8, 3, { strides: 2 }], 'Conv2d(1, 8): no option strides: stride, padding,'],
  [
    'Conv1d',
    [1, 8, { kernelSize: 3 }],
    'Conv1d(1, 8): kernelSize is [object Object]: give one number, or a list of 1.',
  ],
  [
    'LSTM',
    [2, 4, { numLayers: 2 }],
    'LSTM(2, 4): no option numLayers: layers, batchFirst, dropout, bidirectional, bias, projection.',
  ],
  ['RNN', [2, 4, { activation: 'relu' }], 'RNN(2, 4): no option activation'],
  ['MultiheadAttention', [8, 2, { batch_first: true }], 'MultiheadAttention: no option batch_first'],
  [
    'crossEntropy',
    [x, x, { weights: [1, 2] }],
    'crossEntropy: no option weights: reduction, mask, sampleWeight, weight,',
  ],
  [
    'meanSquaredError',
    [x, x, 'sum'],
    'meanSquaredError: takes options by name, { reduction, mask, sampleWeight }, got sum.',
  ],
  [
    'meanSquaredError',
    [[1], [2]],
    'meanSquaredError: takes two tensors, what the model gives and the target, got 1: tensor([...]) makes one',
  ],
  ['crossEntropy', [{ inputs: x, targets: x }], 'crossEntropy: takes two tensors'],
  ['focal', [x, [0, 1]], 'focal: takes two tensors, what the model gives and the target, got 0,1: tensor'],
  ['bceWithLogits', [x, x, { posWeight: 2 }], 'bceWithLogits: no option posWeight'],
  ['Sequential', [[layers.relu]], 'Sequential: item 0 is neither a layer nor a function: spread the list'],
])('%s refuses %o', (name, args, message) => {
  expect(() => use(name, ...args)).toThrow(message);
});

test('a recurrent layer in Sequential is told what it gives', () => {
  const model = use('Sequential', new layers.ReLU(), new layers.LSTM(3, 4), new layers.Linear(4, 1));
  expect(() => model instanceof layers.Sequential && model.forward(zeros([2, 5, 3]))).toThrow(
    'Sequential: LSTM(3, 4) gave { output, hidden, cell }, not a tensor: write a class whose forward takes what it needs of it, such as .output. (item 1 of Sequential)',
  );
});

test('a layer that gets arrays asks for a tensor', () => {
  const forward = (layer: layers.Layer, input: unknown) => () => Reflect.apply(layer.forward, layer, [input]);
  expect(forward(new layers.Linear(2, 1), [[1, 2]])).toThrow(
    'Linear(2, 1): the input is no tensor with axes: the last one must have 2 values.',
  );
  expect(forward(new layers.Conv2d(1, 2, 3), [[1]])).toThrow('Conv2d(1, 2, 3x3): the input is no tensor');
});
