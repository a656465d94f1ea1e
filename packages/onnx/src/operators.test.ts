/** Operators one by one, on numbers that can be checked by hand; `fixtures.node.test.ts` runs those that others wrote. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { beforeAll, expect, it } from 'vitest';
import type { Attribute, EncodedTensor } from './export/encode.ts';
import { loadOnnx } from './load/load-onnx.ts';
import { floats, longs, model, node, value } from './testing/models.ts';

beforeAll(() => setDefaultBackend(cpu()));

interface Case {
  readonly operator: string;
  /** The shape of x, and its elements. */
  readonly x: readonly [shape: readonly number[], data: readonly number[]];
  readonly more?: readonly (EncodedTensor | '')[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly opset?: number;
  readonly y: readonly [shape: readonly number[], data: readonly number[]];
}

const line: Case['x'] = [[4], [-2, -0.5, 0, 3]];
const square: Case['x'] = [
  [2, 3],
  [1, 2, 3, 4, 5, 6],
];
const picture: Case['x'] = [
  [1, 1, 3, 3],
  [1, 2, 3, 4, 5, 6, 7, 8, 9],
];

const cases: readonly Case[] = [
  { operator: 'LeakyRelu', x: line, attributes: { alpha: { float: 0.1 } }, y: [[4], [-0.2, -0.05, 0, 3]] },
  { operator: 'ThresholdedRelu', x: line, attributes: { alpha: { float: 1 } }, y: [[4], [0, 0, 0, 3]] },
  { operator: 'HardSigmoid', x: line, y: [[4], [0.1, 0.4, 0.5, 1]] },
  {
    operator: 'Shrink',
    x: line,
    attributes: { lambd: { float: 1 }, bias: { float: 0.5 } },
    y: [[4], [-1.5, 0, 0, 2.5]],
  },
  { operator: 'Clip', x: line, more: [floats('low', [], [-1]), floats('high', [], [1])], y: [[4], [-1, -0.5, 0, 1]] },
  { operator: 'Clip', x: line, attributes: { max: { float: 1 } }, opset: 6, y: [[4], [-2, -0.5, 0, 1]] },
  {
    operator: 'Mod',
    x: [[3], [-7, 7, 5]],
    more: [floats('b', [], [3])],
    attributes: { fmod: 1 },
    y: [[3], [-1, 1, 2]],
  },
  { operator: 'Round', x: [[4], [0.5, 1.5, -0.5, 2.4]], y: [[4], [0, 2, 0, 2]] },
  {
    operator: 'PRelu',
    x: [
      [1, 2, 2],
      [-1, 1, -2, 2],
    ],
    more: [floats('s', [2, 1], [0.5, 0.25])],
    y: [
      [1, 2, 2],
      [-0.5, 1, -0.5, 2],
    ],
  },
  {
    operator: 'PRelu',
    x: [
      [1, 2, 2],
      [-1, 1, -2, 2],
    ],
    more: [floats('s', [2], [0.5, 0.25])],
    opset: 6,
    y: [
      [1, 2, 2],
      [-0.5, 1, -0.5, 2],
    ],
  },
  {
    operator: 'Transpose',
    x: square,
    y: [
      [3, 2],
      [1, 4, 2, 5, 3, 6],
    ],
  },
  {
    operator: 'Slice',
    x: square,
    more: [longs('a', [1], [-1]), longs('b', [1], [-9007199254740991]), longs('c', [1], [1]), longs('d', [1], [-2])],
    y: [
      [2, 2],
      [3, 1, 6, 4],
    ],
  },
  {
    operator: 'Slice',
    x: square,
    attributes: { starts: [0, 1], ends: [1, 9] },
    opset: 9,
    y: [
      [1, 2],
      [2, 3],
    ],
  },
  {
    operator: 'Pad',
    x: [
      [1, 2],
      [1, 2],
    ],
    more: [longs('p', [4], [0, 1, 0, 1]), floats('v', [], [9])],
    y: [
      [1, 4],
      [9, 1, 2, 9],
    ],
  },
  {
    operator: 'Pad',
    x: [
      [1, 3],
      [1, 2, 3],
    ],
    more: [longs('p', [4], [0, 2, 0, 0])],
    attributes: { mode: 'reflect' },
    y: [
      [1, 5],
      [3, 2, 1, 2, 3],
    ],
  },
  {
    operator: 'Gather',
    x: square,
    more: [longs('i', [2], [-1, 0])],
    attributes: { axis: 1 },
    y: [
      [2, 2],
      [3, 1, 6, 4],
    ],
  },
  {
    operator: 'GatherElements',
    x: square,
    more: [longs('i', [1, 3], [1, 0, -1])],
    y: [
      [1, 3],
      [4, 2, 6],
    ],
  },
  { operator: 'GatherND', x: square, more: [longs('i', [2, 2], [0, 2, 1, -3])], y: [[2], [3, 4]] },
  {
    operator: 'ScatterElements',
    x: square,
    more: [longs('i', [1, 2], [1, 0]), floats('u', [1, 2], [8, 9])],
    y: [
      [2, 3],
      [1, 9, 3, 8, 5, 6],
    ],
  },
  {
    operator: 'ScatterND',
    x: square,
    more: [longs('i', [2, 1], [1, 1]), floats('u', [2, 3], [1, 1, 1, 2, 2, 2])],
    attributes: { reduction: 'add' },
    y: [
      [2, 3],
      [1, 2, 3, 7, 8, 9],
    ],
  },
  {
    operator: 'Trilu',
    x: [
      [2, 2],
      [1, 2, 3, 4],
    ],
    attributes: { upper: 0 },
    y: [
      [2, 2],
      [1, 0, 3, 4],
    ],
  },
  {
    operator: 'CumSum',
    x: square,
    more: [longs('a', [], [1])],
    attributes: { exclusive: 1, reverse: 1 },
    y: [
      [2, 3],
      [5, 3, 0, 11, 6, 0],
    ],
  },
  {
    operator: 'DepthToSpace',
    x: [
      [1, 4, 1, 1],
      [1, 2, 3, 4],
    ],
    attributes: { blocksize: 2 },
    y: [
      [1, 1, 2, 2],
      [1, 2, 3, 4],
    ],
  },
  {
    operator: 'Compress',
    x: square,
    more: [{ name: 'c', type: 'bool', shape: [3], bytes: Uint8Array.of(1, 0, 1) }],
    attributes: { axis: 1 },
    y: [
      [2, 2],
      [1, 3, 4, 6],
    ],
  },
  { operator: 'ReduceL2', x: square, attributes: { axes: [1], keepdims: 0 }, y: [[2], [Math.sqrt(14), Math.sqrt(77)]] },
  {
    operator: 'ReduceMax',
    x: square,
    more: [longs('axes', [1], [-2])],
    opset: 18,
    y: [
      [1, 3],
      [4, 5, 6],
    ],
  },
  {
    operator: 'Hardmax',
    x: square,
    y: [
      [2, 3],
      [0, 0, 1, 0, 0, 1],
    ],
  },
  {
    operator: 'MatMul',
    x: square,
    more: [floats('w', [3, 1], [1, 0, -1])],
    y: [
      [2, 1],
      [-2, -2],
    ],
  },
  {
    operator: 'Gemm',
    x: square,
    more: [floats('w', [2, 3], [1, 0, 0, 0, 1, 0]), floats('c', [2], [10, 20])],
    attributes: { transB: 1, beta: { float: 0.5 } },
    y: [
      [2, 2],
      [6, 12, 9, 15],
    ],
  },
  {
    operator: 'Einsum',
    x: square,
    more: [floats('w', [2, 3], [1, 1, 1, 1, 1, 1])],
    attributes: { equation: 'ij,kj->ik' },
    y: [
      [2, 2],
      [6, 6, 15, 15],
    ],
  },
  {
    operator: 'Conv',
    x: picture,
    more: [floats('w', [1, 1, 2, 2], [1, 1, 1, 1])],
    attributes: { pads: [1, 0, 0, 0] },
    y: [
      [1, 1, 3, 2],
      [3, 5, 12, 16, 24, 28],
    ],
  },
  {
    operator: 'Conv',
    x: picture,
    more: [floats('w', [1, 1, 2, 2], [1, 1, 1, 1])],
    attributes: { auto_pad: 'SAME_UPPER' },
    y: [
      [1, 1, 3, 3],
      [12, 16, 9, 24, 28, 15, 15, 17, 9],
    ],
  },
  {
    operator: 'ConvTranspose',
    x: [
      [1, 1, 1, 2],
      [1, 2],
    ],
    more: [floats('w', [1, 1, 1, 2], [1, 10])],
    attributes: { strides: [1, 2], output_padding: [0, 1] },
    y: [
      [1, 1, 1, 5],
      [1, 10, 2, 20, 0],
    ],
  },
  {
    operator: 'MaxPool',
    x: picture,
    attributes: { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 },
    y: [
      [1, 1, 2, 2],
      [5, 6, 8, 9],
    ],
  },
  {
    operator: 'AveragePool',
    x: picture,
    attributes: { kernel_shape: [2, 2], pads: [1, 1, 0, 0] },
    y: [
      [1, 1, 3, 3],
      [1, 1.5, 2.5, 2.5, 3, 4, 5.5, 6, 7],
    ],
  },
  {
    operator: 'AveragePool',
    x: picture,
    attributes: { kernel_shape: [2, 2], pads: [1, 1, 0, 0], count_include_pad: 1 },
    y: [
      [1, 1, 3, 3],
      [0.25, 0.75, 1.25, 1.25, 3, 4, 2.75, 6, 7],
    ],
  },
  { operator: 'GlobalMaxPool', x: picture, y: [[1, 1, 1, 1], [9]] },
  {
    operator: 'Resize',
    x: [
      [1, 1, 1, 2],
      [1, 2],
    ],
    more: ['', floats('s', [4], [1, 1, 1, 2])],
    attributes: { mode: 'linear' },
    y: [
      [1, 1, 1, 4],
      [1, 1.25, 1.75, 2],
    ],
  },
  {
    operator: 'Resize',
    x: [
      [1, 1, 1, 2],
      [1, 2],
    ],
    more: ['', '', longs('s', [4], [1, 1, 2, 4])],
    attributes: { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
    y: [
      [1, 1, 2, 4],
      [1, 1, 2, 2, 1, 1, 2, 2],
    ],
  },
  {
    operator: 'Upsample',
    x: [
      [1, 1, 1, 2],
      [1, 2],
    ],
    attributes: { scales: { floats: [1, 1, 1, 3] } },
    opset: 7,
    y: [
      [1, 1, 1, 6],
      [1, 1, 1, 2, 2, 2],
    ],
  },
  {
    operator: 'LayerNormalization',
    x: [
      [1, 2],
      [1, 3],
    ],
    more: [floats('g', [2], [2, 2]), floats('b', [2], [1, 1])],
    attributes: { epsilon: { float: 0 } },
    y: [
      [1, 2],
      [-1, 3],
    ],
  },
  {
    operator: 'InstanceNormalization',
    x: [
      [1, 1, 2],
      [1, 3],
    ],
    more: [floats('g', [1], [2]), floats('b', [1], [1])],
    attributes: { epsilon: { float: 0 } },
    y: [
      [1, 1, 2],
      [-1, 3],
    ],
  },
  {
    operator: 'LRN',
    x: [
      [1, 2, 1],
      [1, 2],
    ],
    attributes: { size: 1, alpha: { float: 1 }, beta: { float: 1 } },
    y: [
      [1, 2, 1],
      [0.5, 0.4],
    ],
  },
  {
    operator: 'QuantizeLinear',
    x: [[3], [-1, 0.26, 200]],
    more: [floats('s', [], [0.5]), { name: 'z', type: 'uint8', shape: [], bytes: Uint8Array.of(3) }],
    y: [[3], [1, 4, 255]],
  },
  {
    operator: 'Attention',
    x: [
      [1, 1, 2, 1],
      [0, 0],
    ],
    more: [floats('k', [1, 1, 2, 1], [1, 2]), floats('v', [1, 1, 2, 1], [4, 8])],
    attributes: { is_causal: 1 },
    opset: 23,
    y: [
      [1, 1, 2, 1],
      [4, 6],
    ],
  },
  {
    operator: 'RNN',
    x: [
      [2, 1, 1],
      [1, 1],
    ],
    more: [floats('w', [1, 1, 1], [1]), floats('r', [1, 1, 1], [1])],
    attributes: { hidden_size: 1, activations: ['Affine'], activation_alpha: { floats: [1] } },
    y: [
      [2, 1, 1, 1],
      [1, 2],
    ],
  },
  {
    operator: 'RNN',
    x: [
      [2, 1, 1],
      [1, 1],
    ],
    more: [floats('w', [1, 1, 1], [1]), floats('r', [1, 1, 1], [1])],
    attributes: { hidden_size: 1, direction: 'reverse', activations: ['Relu'] },
    y: [
      [2, 1, 1, 1],
      [2, 1],
    ],
  },
];

cases.forEach(
  ({ operator, x: [shape, data], more = [], attributes = {}, opset = 17, y: [outShape, expected] }, index) => {
    it(`${operator} of opset ${opset}, case ${index}`, async () => {
      const inputs = ['x', ...more.map((given) => (given === '' ? '' : given.name))];
      const type = operator === 'QuantizeLinear' ? 'uint8' : 'float32';
      const bytes = model({
        nodes: [node(operator, inputs, 'y', attributes)],
        inputs: [value('x', shape)],
        outputs: [value('y', outShape, type)],
        weights: more.filter((given) => given !== ''),
        opset,
      });
      const net = await loadOnnx(bytes);
      const x = tensor(Float32Array.from(data), { shape });
      const { y } = await net.run({ x });
      expect((y as Tensor).shape).toEqual(outShape);
      const found = await (y as Tensor).data();
      for (let i = 0; i < expected.length; i++) expect(found[i]).toBeCloseTo(expected[i]!, 5);
    });
  },
);
