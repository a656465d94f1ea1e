import { expect, it } from 'vitest';
import { encodeModel } from './export/encode.ts';
import { inspectOnnx } from './inspect.ts';
import { floats, model, node, value } from './testing/models.ts';

const nodes = [node('Gemm', ['x', 'w', 'b'], 'a', { transB: 1 }), node('Frobnicate', ['a'], 'y')];
const weights = [floats('w', [2, 3], [1, 2, 3, 4, 5, 6]), floats('b', [2], [1, 2])];

it('shows versions, inputs, outputs, nodes with their weights, and what is not supported', async () => {
  const report = await inspectOnnx(model({ nodes, weights, outputs: [value('y', ['n', 2])] }));
  expect(String(report)).toBe(
    [
      'the file: ONNX, IR 8, opset ai.onnx 17, by nn, 2 nodes',
      '',
      'operator    node  weights     elements',
      '--------------------------------------',
      'Gemm        a     [2, 3] [2]         8',
      'Frobnicate  y                        0',
      '--------------------------------------',
      'total             32 bytes           8',
      '',
      'inputs',
      '  x: float32 [n, 3]',
      '',
      'outputs',
      '  y: float32 [n, 2]',
      '',
      'not supported',
      '  y: Frobnicate of opset 17',
    ].join('\n'),
  );
});

it('names other files without reading them', async () => {
  const graph = {
    name: 'g',
    nodes: [node('Add', ['x', 'b'], 'y')],
    inputs: [value('x', [2])],
    outputs: [value('y', [2])],
    initializers: [floats('b', [2], [1, 2])],
  };
  const report = await inspectOnnx(encodeModel({ graph, opset: 17, external: { name: 'b.bin', threshold: 0 } }).model);
  expect(report.external).toEqual(['b.bin']);
  expect(String(report)).toContain(
    'total           8 bytes         2\n\ninputs\n  x: float32 [2]\n\noutputs\n  y: float32 [2]\n\nweights in other files\n  b.bin',
  );
});

it('refuses what is no model', async () => {
  await expect(inspectOnnx(new TextEncoder().encode('<html>'))).rejects.toThrow('this is a web page');
});
