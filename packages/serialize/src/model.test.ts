import { cpu } from '@nn/backend-cpu';
import type { Parameter } from '@nn/core';
import { parameter, setDefaultBackend } from '@nn/core';
import { beforeAll, describe, expect, it } from 'vitest';
import stateDict from '../fixtures/state-dict.json' with { type: 'json' };
import type { HostTensor } from './element-types.ts';
import { encodeModel, loadModel } from './model.ts';
import { encodeSafetensors, parseSafetensors } from './safetensors.ts';

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
    expect(await loadModel(file, model)).toEqual({ missing: [], unexpected: [], mismatched: [] });
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
      expect(await loadModel(bytes, model)).toEqual({ missing: [], unexpected: [], mismatched: [] });
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
      mismatched: ["'head' has the shape [3] in the file, [2] here"],
    });
    expect([[...(await model.body.data())], [...(await model.head.data())]]).toEqual([[7], [0, 0]]);
    await expect(loadModel(bytes, { ...model, extra: zeros(1) }, { skipMismatched: true })).rejects.toThrow(
      'missing in the file: extra.',
    );
  });

  it('names options that do not exist', async () => {
    const wrong = Reflect.apply(loadModel, undefined, [bytes, {}, { ignoreMismatched: true }]);
    await expect(wrong).rejects.toThrow('loadModel: no option ignoreMismatched');
  });
});

describe('encodeModel', () => {
  it("marks the file as PyTorch's, and keeps metadata", async () => {
    const { metadata } = parseSafetensors(await encodeModel({ a: zeros(1) }, { metadata: { classes: 'cat,dog' } }));
    expect(Object.fromEntries(metadata)).toEqual({ format: 'pt', classes: 'cat,dog' });
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
