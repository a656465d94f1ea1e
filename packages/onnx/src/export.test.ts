import { cpu } from '@nn/backend-cpu';
import {
  evaluate,
  isTensor,
  namedParameters,
  ones,
  setDefaultBackend,
  setSeed,
  type Tensor,
  tensor,
  uniform,
} from '@nn/core';
import { Linear, LSTM, Sequential } from '@nn/layers';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeModel } from './export/encode.ts';
import { encodeOnnx } from './export/encode-onnx.ts';
import { readModel } from './format/model.ts';
import { loadOnnx } from './load/load-onnx.ts';
import { networks } from './testing/networks.ts';

beforeAll(() => setDefaultBackend(cpu()));
beforeEach(() => setSeed(3));

function inputFor(shape: readonly number[], isWhole: boolean): Tensor {
  if (!isWhole) return uniform(shape, { low: -1, high: 1 });
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor(
    Int32Array.from({ length: count }, (_, k) => (7 * k + 3) % 20),
    { shape },
  );
}

function tensorsOf(result: unknown): Tensor[] {
  return isTensor(result) ? [result] : Object.values(result as object).filter((value) => isTensor(value));
}

describe('a network that is written and read again', () => {
  for (const { name, make, shape, others, options, operators } of networks) {
    it(`computes the same: ${name}`, async () => {
      const model = make();
      const bytes = await encodeOnnx(model, shape, options);
      const { graph } = readModel(bytes);
      const written = new Set((graph?.nodes ?? []).map(({ operator }) => operator));
      for (const operator of operators) expect([...written]).toContain(operator);
      const read = await loadOnnx(bytes);
      for (const given of [shape, ...others]) {
        const x = inputFor(given, options.dtype === 'int32');
        const expected = tensorsOf(evaluate(() => model.forward(x)));
        const actual = Object.values(read.call({ input: x })) as Tensor[];
        expect(actual.length).toBe(expected.length);
        for (const [k, y] of expected.entries()) {
          const [a, b] = [await actual[k]!.data(), await y.data()];
          expect(actual[k]!.shape).toEqual(y.shape);
          for (let i = 0; i < b.length; i++) expect(a[i]).toBeCloseTo(b[i]!, 4);
        }
      }
    });
  }
});

describe('a file', () => {
  it('bears the names of the state dict, and of free sizes', async () => {
    const model = new Sequential(new Linear(3, 4), new Linear(4, 2, { bias: false }));
    const { graph, opsets, irVersion, metadata } = readModel(
      await encodeOnnx(model, [1, 3], { dynamic: { batch: 0 }, outputs: ['logits'], metadata: { made: 'here' } }),
    );
    expect(graph?.initializers.map(({ name }) => name)).toEqual([...namedParameters(model).keys()]);
    expect(graph?.inputs[0]?.type.shape).toEqual(['batch', 3]);
    expect(graph?.outputs[0]).toMatchObject({ name: 'logits', type: { shape: ['batch', 2] } });
    expect([irVersion, opsets.get(''), metadata.get('made')]).toEqual([8, 17, 'here']);
  });

  it('writes newer operators where a newer set is asked for', async () => {
    const { make, shape, options } = networks.find(({ name }) => name === 'GPT')!;
    const { graph } = readModel(await encodeOnnx(make(), shape, { ...options, opset: 20 }));
    expect(graph?.nodes.map(({ operator }) => operator)).toContain('Gelu');
  });

  it('puts its weights beside it where that is asked for', async () => {
    const model = new Linear(64, 32);
    const { model: bytes, data } = await encodeOnnx(model, [2, 64], { external: 'weights.bin' });
    expect(data?.length).toBe(4 * 64 * 32);
    const read = await loadOnnx(bytes, { external: { 'weights.bin': data! } });
    const x = ones([2, 64]);
    expect(await read.forward(x).data()).toEqual(await model.forward(x).data());
  });

  it('ties what is tied', async () => {
    class Tied {
      readonly encoder = new Linear(3, 3, { bias: false });
      readonly decoder = this.encoder;
      forward(x: Tensor): Tensor {
        return this.decoder.forward(this.encoder.forward(x));
      }
    }
    const { graph } = readModel(await encodeOnnx(new Tied(), [1, 3]));
    expect(graph?.initializers.map(({ name }) => name)).toEqual(['encoder.weight']);
  });
});

describe('what cannot be written', () => {
  it('says so', async () => {
    await expect(encodeOnnx({ forward: (x: Tensor) => x.sort().values }, [4])).rejects.toThrow(
      "encodeOnnx: the model computes with the operation 'rank', which is not written as ONNX.",
    );
    // as it comes from JavaScript
    for (const wrong of [{ x: [1, 2] }, [1.5, 2], [[1, 2], 3], '1,2', undefined]) {
      const shapes = wrong as unknown as number[];
      await expect(encodeOnnx(new Linear(2, 2), shapes)).rejects.toThrow('give the shape of the input, as [1, 784]');
    }
    await expect(encodeOnnx(new Linear(2, 2), [1, 2], { opset: 9 })).rejects.toThrow(
      'encodeOnnx: opset is 9: 17 to 23 are written.',
    );
    await expect(encodeOnnx(new Linear(2, 2), [1, 2], { dynamic: { batch: 3 } })).rejects.toThrow(
      "encodeOnnx: 'batch' is axis 3, and input 0 is [1, 2].",
    );
    const branching = { forward: (x: Tensor) => (x.shape[0]! > 2 ? x.exp() : x.sin()) };
    await expect(encodeOnnx(branching, [2, 2], { dynamic: { n: 0 } })).rejects.toThrow(
      'encodeOnnx: the model computes in another way for other sizes of the free axes',
    );
    const squared = { forward: (x: Tensor) => x.expand([x.shape[0]! ** 2, 2]) };
    await expect(
      encodeOnnx(
        { forward: (x: Tensor) => squared.forward(x.sum(0, { keepAxes: true }).add(0).mul(x.shape[0]!)) },
        [2, 2],
        { dynamic: { n: 0 } },
      ),
    ).rejects.toThrow('encodeOnnx');
  });

  it('leaves loops over part of a sequence to where they can be', async () => {
    const lstm = new LSTM(2, 3);
    const model = { lstm, forward: (x: Tensor) => lstm.forward(x, { lengths: [3, 2] }).output };
    const bytes = await encodeOnnx(model, [3, 2, 2]);
    const x = uniform([3, 2, 2]);
    const [a, b] = [await (await loadOnnx(bytes)).forward(x).data(), await model.forward(x).data()];
    for (let i = 0; i < b.length; i++) expect(a[i]).toBeCloseTo(b[i]!, 5);
  });
});

it('a model past what one file holds is refused with what to do, and written with its weights beside it', () => {
  const graph = {
    name: 'g',
    nodes: [{ operator: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: [{ name: 'x', type: 'float32', shape: [1000] }],
    outputs: [{ name: 'y', type: 'float32', shape: [1000] }],
    initializers: [{ name: 'w', type: 'float32', shape: [1000], bytes: new Uint8Array(4000) }],
  } as const;
  expect(() => encodeModel({ graph, opset: 17, mostBytes: 4000 })).toThrow(
    /^encodeOnnx: the model has 4\d\d\d bytes, and a file of ONNX holds 2 GiB: encodeOnnx\(model, shapes, \{ external: 'model.onnx.data' \}\) puts its weights beside it\.$/,
  );
  const { model, data } = encodeModel({
    graph,
    opset: 17,
    mostBytes: 4000,
    external: { name: 'w.bin', threshold: 1024 },
  });
  expect([model.length < 200, data?.length]).toEqual([true, 4000]);
});
