import { cpu } from '@nn/backend-cpu';
import type { Parameter } from '@nn/core';
import { namedParameters, parameter, setDefaultBackend } from '@nn/core';
import { beforeAll, describe, expect, it } from 'vitest';
import stateDict from '../fixtures/state-dict.json' with { type: 'json' };
import torch from '../fixtures/torch.json' with { type: 'json' };
import type { HostTensor } from './element-types.ts';
import { encodeModel, loadModel } from './model.ts';
import { encodeSafetensors, parseSafetensors } from './safetensors.ts';
import { decode } from './testing/cases.ts';

beforeAll(() => {
  setDefaultBackend(cpu());
});

const zeros = (...shape: number[]): Parameter =>
  parameter(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape });

/** Fields by PyTorch's names for the model of the fixture. */
function convolutional() {
  return {
    '0': { weight: zeros(2, 1, 3, 3), bias: zeros(2) },
    '1': { weight: zeros(2), bias: zeros(2), runningMean: zeros(2), runningVar: zeros(2) },
    '4': { weight: zeros(3, 8), bias: zeros(3) },
  };
}

const file = Uint8Array.from(atob(stateDict.file), (character) => character.charCodeAt(0));
const host = (...values: number[]): HostTensor => ({
  dtype: 'float32',
  shape: [values.length],
  data: new Float32Array(values),
});

describe('loadModel', () => {
  it('reads a state dict of PyTorch by name, skipping the counter of batches', async () => {
    const model = convolutional();
    expect(await loadModel(file, model)).toEqual({ missing: [], unexpected: [], mismatched: [], skipped: [] });
    const written = parseSafetensors(await encodeModel(model)).tensors;
    const original = parseSafetensors(file).tensors;
    expect(stateDict.names).toContain('1.num_batches_tracked');
    expect([...written.keys()].sort()).toEqual(stateDict.names.filter((name) => !name.endsWith('tracked')).sort());
    for (const [name, stored] of written) expect(stored, name).toEqual(original.get(name));
  });

  it('lists everything that does not fit, and changes nothing', async () => {
    const model = { a: zeros(1), b: zeros(2), c: zeros(1) };
    const bytes = encodeSafetensors([
      ['a', host(7)],
      ['b', host(1, 2, 3)],
      ['d', host(1)],
    ]);
    await expect(loadModel(bytes, model)).rejects.toThrow(
      "loadModel: the file does not fit, and nothing was changed; missing in the file: c; unexpected in the file: d; different: 'b' has the shape [3] in the file, [2] here.",
    );
    expect([...(await model.a.data())]).toEqual([0]);
    await expect(loadModel(bytes, model, { strict: false })).rejects.toThrow(/nothing was changed; different: 'b'/);
  });

  it('tells what it left out when not strict', async () => {
    const model = { a: zeros(1), c: zeros(1) };
    const bytes = encodeSafetensors([
      ['a', host(7)],
      ['d', host(1)],
    ]);
    expect(await loadModel(bytes, model, { strict: false })).toEqual({
      missing: ['c'],
      unexpected: ['d'],
      mismatched: [],
      skipped: [],
    });
    expect([...(await model.a.data())]).toEqual([7]);
  });

  it('renames and leaves out names', async () => {
    const model = { a: zeros(1) };
    const bytes = encodeSafetensors([
      ['module.a', host(7)],
      ['other', host(1)],
    ]);
    await loadModel(bytes, model, { rename: (name) => (name.startsWith('module.') ? name.slice(7) : null) });
    expect([...(await model.a.data())]).toEqual([7]);
    await expect(loadModel(bytes, model, { rename: () => 'a' })).rejects.toThrow("'a' is given twice");
  });

  it('widens half floats, and rounds float64 only when asked', async () => {
    const model = { a: zeros(2) };
    const half: HostTensor = { dtype: 'float16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) };
    await loadModel(encodeSafetensors([['a', half]]), model);
    expect([...(await model.a.data())]).toEqual([1, -2]);
    const double = fileOfDoubles([0.1, 5]);
    await expect(loadModel(double, model)).rejects.toThrow("'a' is F64, which float32 cannot keep exactly");
    await loadModel(double, model, { narrow: true });
    expect([...(await model.a.data())]).toEqual([Math.fround(0.1), 5]);
  });

  it('refuses integers for a parameter of floats', async () => {
    const integers: HostTensor = { dtype: 'int32', shape: [1], data: Int32Array.of(1) };
    await expect(loadModel(encodeSafetensors([['a', integers]]), { a: zeros(1) })).rejects.toThrow(
      "'a' is I32 in the file, float32 here",
    );
  });
});

describe('loadModel of tied weights', () => {
  const tied = (): { embedding: { weight: Parameter }; head: { weight: Parameter; bias: Parameter } } => {
    const weight = zeros(2);
    return { embedding: { weight }, head: { weight, bias: zeros(1) } };
  };
  const rest = ['head.bias', host(5)] as const;

  it('finds them under either name, or both with equal values', async () => {
    for (const names of [['embedding.weight'], ['head.weight'], ['embedding.weight', 'head.weight']]) {
      const model = tied();
      const bytes = encodeSafetensors([...names.map((name) => [name, host(1, 2)] as const), rest]);
      expect(await loadModel(bytes, model)).toEqual({ missing: [], unexpected: [], mismatched: [], skipped: [] });
      expect([...(await model.head.weight.data())]).toEqual([1, 2]);
      expect(model.head.weight).toBe(model.embedding.weight);
    }
  });

  it('says so where they differ, or where no name of theirs is there', async () => {
    const both = encodeSafetensors([['embedding.weight', host(1, 2)], ['head.weight', host(1, 3)], rest]);
    await expect(loadModel(both, tied())).rejects.toThrow(
      "different: 'embedding.weight' and 'head.weight' are one parameter here, and two different tensors in the file",
    );
    await expect(loadModel(encodeSafetensors([rest]), tied())).rejects.toThrow(
      'missing in the file: embedding.weight.',
    );
  });

  it('are written once', async () => {
    expect([...parseSafetensors(await encodeModel(tied())).tensors.keys()]).toEqual(['embedding.weight', 'head.bias']);
  });
});

describe('loadModel with a head of another size', () => {
  const bytes = encodeSafetensors([
    ['body', host(7)],
    ['head', host(1, 2, 3)],
  ]);
  it('skips what does not fit when asked, and lists it', async () => {
    const model = { body: zeros(1), head: zeros(2) };
    expect(await loadModel(bytes, model, { skipMismatched: true })).toEqual({
      missing: [],
      unexpected: [],
      mismatched: [{ reason: 'shape', name: 'head', file: [3], here: [2] }],
      skipped: [],
    });
    expect([[...(await model.body.data())], [...(await model.head.data())]]).toEqual([[7], [0, 0]]);
    const refused = await loadModel(bytes, model).catch((error: unknown) => error);
    expect(Object(refused).data.mismatched).toEqual([{ reason: 'shape', name: 'head', file: [3], here: [2] }]);
    await expect(loadModel(bytes, { ...model, extra: zeros(1) }, { skipMismatched: true })).rejects.toThrow(
      'missing in the file: extra.',
    );
  });

  it('names options that do not exist', async () => {
    const wrong = Reflect.apply(loadModel, undefined, [bytes, {}, { ignoreMismatched: true }]);
    await expect(wrong).rejects.toThrow('loadModel: no option ignoreMismatched');
  });
});

describe('loadModel of a checkpoint of PyTorch', () => {
  const files = new Map(torch.cases.map(({ name, file, tensors }) => [name, { bytes: decode(file), tensors }]));
  const network = () => ({
    '0': { weight: zeros(3, 2), bias: zeros(3) },
    '1': { weight: zeros(3), bias: zeros(3), runningMean: zeros(3), runningVar: zeros(3) },
    '2': { weight: zeros(1, 3), bias: zeros(1) },
  });
  const whole = files.get('module')!;
  const expected = Object.entries(whole.tensors)
    .filter(([name]) => !name.endsWith('tracked'))
    .map(([name, { values }]) => [name, values.map((value) => Math.fround(Number(value)))]);

  for (const name of ['checkpoint', 'checkpoint, legacy', 'wrapped', 'module', 'module, legacy', 'protocol 4']) {
    it(`finds the model in it: ${name}`, async () => {
      const model = network();
      const { missing, unexpected, mismatched } = await loadModel(files.get(name)!.bytes, model);
      expect([missing, unexpected, mismatched]).toEqual([[], [], []]);
      const found = [...namedParameters(model)].map(async ([path, value]) => [path, [...(await value.data())]]);
      expect(Object.fromEntries(await Promise.all(found))).toEqual(Object.fromEntries(expected));
    });
  }

  it('takes the dictionary that key names, and lists those that there are', async () => {
    const { bytes } = files.get('checkpoint')!;
    const { skipped } = await loadModel(bytes, network(), { key: 'state_dict' });
    expect(skipped).toContain('epoch: a number, 7');
    await expect(loadModel(bytes, network(), { key: 'model' })).rejects.toThrow(
      "loadModel: the file has no tensors under 'model'; it has 'state_dict', 'optimizer.state.0', 'optimizer.state.1', 'optimizer.state.2'",
    );
  });

  it('says which dictionaries there are where no name fits, and asks where two fit', async () => {
    const { bytes } = files.get('checkpoint')!;
    await expect(loadModel(bytes, { other: zeros(1) })).rejects.toThrow(
      "The file holds dictionaries of tensors: 'state_dict', 'optimizer.state.0', ",
    );
    const nested = encodeTorchTree();
    await expect(loadModel(nested, { a: zeros(1) })).rejects.toThrow(
      "loadModel: the file holds several models: 'ema' (1 tensors that fit), 'model' (1 tensors that fit); choose one: { key: 'ema' }.",
    );
    const model = { a: zeros(1) };
    await loadModel(nested, model, { key: 'model' });
    expect([...(await model.a.data())]).toEqual([2]);
  });
});

/** { ema: { a: [1] }, model: { a: [2] } }, by the pickle that Python would write for it. */
function encodeTorchTree(): Uint8Array {
  return decode(torch.cases.find(({ name }) => name === 'two models')?.file ?? '');
}

describe('what does not fit stands side by side', () => {
  it('with shapes, and the nearest name on the other side', async () => {
    const bytes = encodeSafetensors([
      ['layer1.weights', host(1, 2)],
      ['head', host(1, 2, 3)],
      ['extra', host(1)],
    ]);
    const error = await loadModel(bytes, { layer1: { weight: zeros(2) }, head: zeros(2) }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      data: {
        rows: [
          { name: 'head', here: '[2]', file: '[3]', nearest: null },
          { name: 'layer1.weight', here: '[2]', file: null, nearest: 'layer1.weights' },
          { name: 'extra', here: null, file: '[1]', nearest: null },
          { name: 'layer1.weights', here: null, file: '[2]', nearest: 'layer1.weight' },
        ],
      },
    });
    expect(String(error)).toContain(
      [
        '',
        '  name            here  in the file  nearest name',
        '  head            [2]   [3]',
        '  layer1.weight   [2]   -            layer1.weights',
        '  extra           -     [1]',
        '  layer1.weights  -     [2]          layer1.weight',
      ].join('\n'),
    );
  });
});

describe('rename by patterns', () => {
  const bytes = encodeSafetensors([
    ['bert.encoder.layer.0.attention.self.query.weight', host(1)],
    ['bert.encoder.layer.11.attention.self.query.weight', host(2)],
    ['bert.pooler.bias', host(3)],
  ]);
  it('takes whole parts, stars for any one, and regular expressions', async () => {
    const model = { blocks: { '0': { query: zeros(1) }, '11': { query: zeros(1) } }, poolerBias: zeros(1) };
    await loadModel(bytes, model, {
      rename: [
        ['bert', ''],
        ['encoder.layer.*.attention.self.query.weight', 'blocks.*.query'],
        [/^pooler\.bias$/, 'pooler_bias'],
      ],
    });
    expect([...(await model.blocks['11'].query.data()), ...(await model.poolerBias.data())]).toEqual([2, 3]);
  });
  it('does not touch parts that only begin alike, and refuses what is no pattern', async () => {
    const { unexpected } = await loadModel(bytes, {}, { strict: false, rename: [['ber', 'x']] });
    expect(unexpected.length).toBe(3);
    await expect(loadModel(bytes, {}, { rename: [['a.*', '*.*']] })).rejects.toThrow(
      "loadModel: rename: 'a.*' and '*.*': a * stands for one whole part, and the replacement has no more of them.",
    );
    await expect(Reflect.apply(loadModel, undefined, [bytes, {}, { rename: [['a']] }])).rejects.toThrow(
      'loadModel: rename[0] is no pair of pattern and replacement',
    );
  });
});

describe('encodeModel', () => {
  it("marks the file as PyTorch's, and keeps metadata", async () => {
    const { metadata } = parseSafetensors(await encodeModel({ a: zeros(1) }, { metadata: { classes: 'cat,dog' } }));
    expect(Object.fromEntries(metadata)).toEqual({ format: 'pt', classes: 'cat,dog' });
  });

  it('writes what PyTorch and NumPy read, and refuses metadata there', async () => {
    for (const format of ['pytorch', 'npz'] as const) {
      const model = { a: zeros(2), b: { c: zeros(1) } };
      const source = { a: parameter([1, 2]), b: { c: parameter([3]) } };
      await loadModel(await encodeModel(source, { format }), model);
      expect([...(await model.a.data()), ...(await model.b.c.data())]).toEqual([1, 2, 3]);
      await expect(encodeModel(source, { format, metadata: {} })).rejects.toThrow(
        `saveModel: a file of the format '${format}' has no place for metadata; leave metadata out, or write safetensors.`,
      );
    }
    await expect(Reflect.apply(encodeModel, undefined, [{}, { format: 'h5' }])).rejects.toThrow(
      "saveModel: format is 'h5'; 'safetensors', 'pytorch' and 'npz' are written.",
    );
  });
});

/** A file with one F64 tensor 'a', which this package does not write. */
function fileOfDoubles(values: number[]): Uint8Array {
  const json = JSON.stringify({ a: { dtype: 'F64', shape: [values.length], data_offsets: [0, 8 * values.length] } });
  const header = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const bytes = new Uint8Array(8 + header.length + 8 * values.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set(new Uint8Array(new Float64Array(values).buffer), 8 + header.length);
  return bytes;
}

it('tells of a model without parameters, and of what is no model', async () => {
  await expect(encodeModel({})).rejects.toThrow('saveModel: the model has no parameters: layers are found in fields');
  const model = { weight: parameter([1]) };
  const bytes = await encodeModel(model);
  const none: unknown = undefined;
  await expect(loadModel(bytes, none as object)).rejects.toThrow('loadModel: the file comes first, then the model');
});
