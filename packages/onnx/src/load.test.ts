import { cpu } from '@nn/backend-cpu';
import { namedParameters, ones, setDefaultBackend, setTraining, type Tensor, tensor } from '@nn/core';
import { SGD } from '@nn/optim';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeModel } from './export/encode.ts';
import { loadOnnx } from './load/load-onnx.ts';
import { floats, longs, model, node, value } from './testing/models.ts';

beforeAll(() => setDefaultBackend(cpu()));
afterEach(() => setTraining(true));

const numbers = async (x: unknown): Promise<number[]> => [...(await (x as Tensor).data())];

describe('a loaded network', () => {
  const weights = [floats('fc.weight', [2, 3], [1, 2, 3, 4, 5, 6]), floats('fc.bias', [2], [0.5, -0.5])];
  const nodes = [node('Gemm', ['x', 'fc.weight', 'fc.bias'], 'a', { transB: 1 }), node('Relu', ['a'], 'y')];
  const outputs = [value('y', ['n', 2])];

  it('computes, names its inputs, outputs and parameters', async () => {
    const net = await loadOnnx(model({ nodes, weights, outputs }));
    expect(net.inputs).toEqual([{ name: 'x', kind: 'tensor', type: 'float32', shape: ['n', 3] }]);
    expect([...namedParameters(net).keys()]).toEqual(['fc.weight', 'fc.bias']);
    expect(await net.forward(tensor([[1, 0, -1]])).array()).toEqual([[0, 0]]);
    expect(await net.forward(tensor([[1, 1, 1]])).array()).toEqual([[6.5, 14.5]]);
    expect(String(net)).toBe('OnnxModel(x -> y)');
    expect(net.summary({ x: [4, 3] }).toString()).toBe(
      [
        'node     output  parameters',
        'a: Gemm  [4, 2]           8',
        'y: Relu  [4, 2]           0',
        'total                     8',
      ].join('\n'),
    );
  });

  it('is trained as any layer', async () => {
    const net = await loadOnnx(model({ nodes, weights, outputs }));
    const optimizer = new SGD(net, { learningRate: 0.1 });
    await optimizer.step(net.forward(ones([1, 3])).sum());
    expect(await numbers(namedParameters(net).get('fc.bias'))).toEqual([Math.fround(0.4), Math.fround(-0.6)]);
  });

  it('leaves out of training what is asked for', async () => {
    const net = await loadOnnx(model({ nodes, weights, outputs }), { trainable: (name) => name.endsWith('bias') });
    expect([...namedParameters(net).keys()]).toEqual(['fc.bias']);
  });

  it('lists weights as inputs only where they are none (IR 3)', async () => {
    const inputs = [value('x', ['n', 3]), value('fc.weight', [2, 3]), value('fc.bias', [2])];
    const net = await loadOnnx(model({ nodes, weights, outputs, inputs }));
    expect(net.inputs.map(({ name }) => name)).toEqual(['x']);
  });

  it('sorts nodes that are out of order', async () => {
    const net = await loadOnnx(model({ nodes: nodes.toReversed(), weights, outputs }));
    expect(await net.forward(ones([1, 3])).array()).toEqual([[6.5, 14.5]]);
  });

  it('says what is wrong with inputs', async () => {
    const net = await loadOnnx(model({ nodes, weights, outputs }));
    expect(() => net.forward(ones([1, 4]))).toThrow(
      "OnnxModel: the input 'x' is [1, 4], the model takes float32 [n, 3]: axis 1 has 4 elements.",
    );
    expect(() => net.forward(ones([3]))).toThrow('it has 1 axes in place of 2');
    expect(() => net.forward(ones([1, 3], { dtype: 'int32' }))).toThrow(
      "OnnxModel: the input 'x' is int32, the model takes float32 [n, 3]: cast it, x.cast('float32').",
    );
    expect(() => net.call({ z: ones([1, 3]) })).toThrow("there is no input 'z': the model takes x.");
    expect(() => net.call({})).toThrow("the input 'x' is missing: float32 [n, 3].");
  });
});

describe('shapes', () => {
  it('are computed on the host, for every size of a free axis', async () => {
    // x.reshape(n, 3 * m / 2, 2), as exporters write it
    const nodes = [
      node('Shape', ['x'], 's'),
      node('Gather', ['s', 'zero'], 'n', { axis: 0 }),
      node('Unsqueeze', ['n', 'axes'], 'n1'),
      node('Concat', ['n1', 'rest'], 'shape', { axis: 0 }),
      node('Reshape', ['x', 'shape'], 'y'),
    ];
    const weights = [longs('zero', [], [0]), longs('axes', [1], [0]), longs('rest', [2], [-1, 2])];
    const net = await loadOnnx(
      model({ nodes, weights, inputs: [value('x', ['n', 'm'])], outputs: [value('y', ['n', 'k', 2])] }),
    );
    expect(net.forward(ones([2, 4])).shape).toEqual([2, 2, 2]);
    expect(net.forward(ones([3, 6])).shape).toEqual([3, 3, 2]);
  });

  it('that depend on values are waited for by run, and refused by forward', async () => {
    const net = await loadOnnx(
      model({ nodes: [node('NonZero', ['x'], 'y')], outputs: [value('y', [2, 'k'], 'int64')] }),
    );
    const x = tensor([
      [0, 5, 0],
      [7, 0, 9],
    ]);
    expect(() => net.forward(x)).toThrow(
      "NonZero 'y': it needs the numbers of a computed tensor to know what shape comes out: await model.run(inputs), which waits for them.",
    );
    const { y } = await net.run({ x });
    expect(await (y as Tensor).array()).toEqual([
      [0, 1, 1],
      [1, 0, 2],
    ]);
  });

  it('of two inputs agree where they bear one name', async () => {
    const net = await loadOnnx(
      model({
        nodes: [node('Add', ['x', 'z'], 'y')],
        inputs: [value('x', ['n', 3]), value('z', ['n', 3])],
      }),
    );
    expect(() => net.forward(ones([2, 3]), ones([4, 3]))).toThrow("'n' is 2 in another input");
  });
});

describe('versions of operators', () => {
  it('broadcast along an axis before opset 7', async () => {
    const net = await loadOnnx(
      model({
        nodes: [node('Add', ['x', 'b'], 'y', { broadcast: 1, axis: 0 })],
        weights: [floats('b', [2], [10, 20])],
        inputs: [value('x', [2, 3])],
        opset: 6,
      }),
    );
    expect(await net.forward(ones([2, 3])).array()).toEqual([
      [11, 11, 11],
      [21, 21, 21],
    ]);
  });

  it('flatten before Softmax before opset 13', async () => {
    const shape = [1, 2, 2];
    const of = (opset: number): Promise<number[]> =>
      loadOnnx(
        model({
          nodes: [node('Softmax', ['x'], 'y')],
          inputs: [value('x', shape)],
          outputs: [value('y', shape)],
          opset,
        }),
      ).then((net) => numbers(net.forward(ones(shape))));
    expect(await of(12)).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(await of(13)).toEqual([0.5, 0.5, 0.5, 0.5]);
  });

  it('take axes as attribute and as input', async () => {
    const outputs = [value('y', ['n'])];
    const asAttribute = model({
      nodes: [node('ReduceSum', ['x'], 'y', { axes: [1], keepdims: 0 })],
      outputs,
      opset: 11,
    });
    const asInput = model({
      nodes: [node('ReduceSum', ['x', 'axes'], 'y', { keepdims: 0 })],
      outputs,
      weights: [longs('axes', [1], [1])],
    });
    for (const bytes of [asAttribute, asInput]) {
      expect(await (await loadOnnx(bytes)).forward(ones([2, 3])).array()).toEqual([3, 3]);
    }
  });
});

describe('batch normalization', () => {
  const bytes = model({
    nodes: [node('BatchNormalization', ['x', 'scale', 'bias', 'mean', 'var'], 'y', { momentum: { float: 0.5 } })],
    weights: ['scale', 'bias', 'mean', 'var'].map((name, k) =>
      floats(name, [3], new Array<number>(3).fill(k % 3 === 0 ? 1 : 0)),
    ),
  });

  it('answers with the statistics of the file, and learns its scale', async () => {
    const net = await loadOnnx(bytes);
    const [y] = await numbers(net.forward(tensor([[2, 2, 2]])));
    expect(y).toBeCloseTo(2, 4);
    const found = namedParameters(net);
    expect([...found].filter(([, { trainable }]) => trainable).map(([name]) => name)).toEqual(['scale', 'bias']);
  });

  it('takes those of the batch and moves its own while it is trained', async () => {
    const net = await loadOnnx(bytes);
    net.trains = true;
    const y = await numbers(
      net.forward(
        tensor([
          [0, 0, 0],
          [4, 4, 4],
        ]),
      ),
    );
    expect(y[0]).toBeCloseTo(-1, 4);
    expect(await numbers(namedParameters(net).get('mean'))).toEqual([1, 1, 1]);
    expect(await numbers(namedParameters(net).get('var'))).toEqual([2.5, 2.5, 2.5]);
  });
});

describe('control flow', () => {
  const body = (
    nodes: Parameters<typeof model>[0]['nodes'],
    inputs: Parameters<typeof value>[],
    outputs: Parameters<typeof value>[],
  ) => ({
    graph: {
      name: 'body',
      nodes,
      inputs: inputs.map((args) => value(...args)),
      outputs: outputs.map((args) => value(...args)),
      initializers: [],
    },
  });

  it('takes the branch that a shape decides, and names from outside', async () => {
    const nodes = [
      node('Shape', ['x'], 's'),
      node('Gather', ['s', 'zero'], 'n'),
      node('Greater', ['n', 'one'], 'c'),
      node('If', ['c'], 'y', {
        then_branch: body([node('Neg', ['x'], 't')], [], [['t', ['n', 3]]]),
        else_branch: body([node('Identity', ['x'], 'e')], [], [['e', ['n', 3]]]),
      }),
    ];
    const net = await loadOnnx(model({ nodes, weights: [longs('zero', [], [0]), longs('one', [], [1])] }));
    expect(await net.forward(ones([1, 3])).array()).toEqual([[1, 1, 1]]);
    expect(await numbers(net.forward(ones([2, 3])))).toEqual([-1, -1, -1, -1, -1, -1]);
  });

  it('runs a loop until its condition fails', async () => {
    const turn = body(
      [
        node('Add', ['sum', 'sum'], 'next'),
        node('ReduceSum', ['next'], 'total', { keepdims: 0 }),
        node('Less', ['total', 'most'], 'again'),
      ],
      [
        ['i', [], 'int64'],
        ['c', [], 'bool'],
        ['sum', ['n', 3]],
      ],
      [
        ['again', [], 'bool'],
        ['next', ['n', 3]],
      ],
    );
    const nodes = [node('Loop', ['', 'yes', 'x'], 'y', { body: turn })];
    const yes = { name: 'yes', type: 'bool' as const, shape: [], bytes: Uint8Array.of(1) };
    const net = await loadOnnx(model({ nodes, weights: [yes, floats('most', [], [20])] }));
    const { y } = await net.run({ x: ones([1, 3]) });
    expect(await numbers(y)).toEqual([8, 8, 8]);
  });

  it('scans rows, carrying a sum', async () => {
    const turn = body(
      [node('Add', ['sum', 'row'], 'next'), node('Identity', ['next'], 'out')],
      [
        ['sum', [3]],
        ['row', [3]],
      ],
      [
        ['next', [3]],
        ['out', [3]],
      ],
    );
    const nodes = [node('Scan', ['start', 'x'], ['last', 'y'], { body: turn, num_scan_inputs: 1 })];
    const net = await loadOnnx(model({ nodes, weights: [floats('start', [3], [0, 0, 0])] }));
    expect(await numbers(net.forward(ones([4, 3])))).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
  });
});

describe('what cannot be loaded', () => {
  it('is listed at once, before any work', async () => {
    const nodes = [
      node('Frobnicate', ['x'], 'a'),
      node('Relu', ['a'], 'b'),
      node('Frobnicate', ['b'], 'c'),
      node('Fused', ['c'], 'y', {}, 'com.example'),
    ];
    await expect(loadOnnx(model({ nodes }))).rejects.toThrow(
      "loadOnnx: 3 nodes are not supported: Frobnicate (opset 17): 'a', 'c'; com.example:Fused (opset 0): 'y'.",
    );
  });

  it('is told by what it is', async () => {
    const text = (words: string): Uint8Array => new TextEncoder().encode(words);
    await expect(loadOnnx(text('<!DOCTYPE html><html>'))).rejects.toThrow('this is a web page');
    await expect(loadOnnx(text('version https://git-lfs.github.com/spec/v1'))).rejects.toThrow('git lfs pull');
    await expect(loadOnnx(text('PK\x03\x04'))).rejects.toThrow('this is a ZIP archive');
    await expect(loadOnnx(new Uint8Array(0))).rejects.toThrow('the file is empty');
    await expect(loadOnnx(Uint8Array.of(8, 8))).rejects.toThrow('the file holds no ONNX graph');
  });

  it('is refused where the file is damaged', async () => {
    const good = model({ nodes: [node('Relu', ['x'], 'y')] });
    await expect(loadOnnx(good.subarray(0, good.length - 9))).rejects.toThrow('the file ends inside of');
    await expect(loadOnnx(model({ nodes: [node('Relu', ['q'], 'y')] }))).rejects.toThrow(
      "Relu 'y' needs 'q', which nothing makes: the file is damaged.",
    );
    await expect(loadOnnx(model({ nodes: [node('Add', ['x', 'y'], 'z'), node('Relu', ['z'], 'y')] }))).rejects.toThrow(
      'the graph runs in a circle',
    );
    await expect(loadOnnx(model({ nodes: [node('Relu', ['x'], 'y'), node('Neg', ['x'], 'y')] }))).rejects.toThrow(
      "two nodes make 'y'",
    );
    const short = { ...floats('w', [4], [1, 2, 3]), shape: [4] };
    await expect(loadOnnx(model({ nodes: [node('Add', ['x', 'w'], 'y')], weights: [short] }))).rejects.toThrow(
      "the tensor 'w' of [4] float32 needs 16 bytes and has 12",
    );
  });
});

describe('weights in another file', () => {
  const graph = {
    name: 'test',
    nodes: [node('Add', ['x', 'w'], 'y')],
    inputs: [value('x', [3])],
    outputs: [value('y', [3])],
    initializers: [floats('w', [3], [1, 2, 3])],
  };
  const files = encodeModel({ graph, opset: 17, external: { name: 'w.data', threshold: 0 } });

  it('are found by a record, a function or a list of files', async () => {
    const data = files.data ?? new Uint8Array(0);
    const list = [{ name: 'w.data', arrayBuffer: () => Promise.resolve(data.slice().buffer) }];
    for (const external of [{ 'w.data': data }, () => data, list]) {
      const net = await loadOnnx(files.model, { external });
      expect(await net.forward(ones([3])).array()).toEqual([2, 3, 4]);
    }
  });

  it('are asked for by name where they are missing, and checked', async () => {
    await expect(loadOnnx(files.model)).rejects.toThrow("the weights lie in another file, 'w.data'");
    await expect(loadOnnx(files.model, { external: { 'w.data': new Uint8Array(3) } })).rejects.toThrow(
      "'w.data' has 3 bytes, and weights lie up to byte 12",
    );
  });

  it('are never read outside of the folder', async () => {
    for (const name of ['../w.data', '/etc/w.data', 'C:\\w.data', 'a/../../w', '']) {
      const bad = encodeModel({ graph, opset: 17, external: { name, threshold: 0 } }).model;
      await expect(loadOnnx(bad, { external: () => new Uint8Array(12) })).rejects.toThrow('outside of its folder');
    }
  });
});
