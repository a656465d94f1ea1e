/** Files of every dialect, written by hand in its layout: quantized weights, sets of files and addresses, old generations, weights alone. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { reference } from '@nn/conformance';
import { evaluate, namedParameters, parameter, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json } from './config/json.ts';
import { encodeHdf } from './formats/hdf5-write.ts';
import { type KerasSource, loadKeras, loadKerasTensors, loadKerasWeights } from './index.ts';

setDefaultBackend(reference());

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const dense = (name: string, units: number, more: Record<string, Json> = {}): Json => ({
  class_name: 'Dense',
  config: { name, units, use_bias: false, ...more },
});
const sequential = (layers: readonly Json[], version: string): Record<string, Json> => ({
  class_name: 'Sequential',
  keras_version: version,
  config: { name: 'model', layers },
});

const two = sequential([dense('first', 2, { batch_input_shape: [null, 3] }), dense('second', 1)], '2.15.0');
/** A model.json of `two`, whose two kernels of 6 and 2 elements are written so. */
const modelJson = (entries: readonly Record<string, Json>[], paths: readonly string[]): Uint8Array =>
  json({
    format: 'layers-model',
    modelTopology: { keras_version: '2.15.0', backend: 'tensorflow', model_config: two },
    weightsManifest: [{ paths, weights: entries }],
  });

async function kernels(source: Parameters<typeof loadKerasTensors>[0]): Promise<number[][]> {
  return [...(await loadKerasTensors(source)).values()].map(({ data }) => [...(data as Float32Array)]);
}

describe('quantized weights of TensorFlow.js', () => {
  const entry = (name: string, shape: number[], quantization: Json): Record<string, Json> => ({
    ...{ name, shape, dtype: 'float32', quantization },
  });

  test('uint8 and uint16: q scale + min', async () => {
    const bytes = new Uint8Array(6 + 4);
    bytes.set([0, 1, 2, 3, 128, 255]);
    new DataView(bytes.buffer).setUint16(6, 1, true);
    new DataView(bytes.buffer).setUint16(8, 65535, true);
    const files = new Map([
      [
        'model.json',
        modelJson(
          [
            entry('first/kernel', [3, 2], { dtype: 'uint8', scale: 0.5, min: -1 }),
            entry('second/kernel', [2, 1], { dtype: 'uint16', scale: 0.25, min: 2 }),
          ],
          ['group1-shard1of1.bin'],
        ),
      ],
      ['group1-shard1of1.bin', bytes],
    ]);
    expect(await kernels(files)).toEqual([
      [-1, -0.5, 0, 0.5, 63, 126.5],
      [2.25, 16385.75],
    ]);
    const model = await loadKeras(files);
    // [1, 1, 1] times the columns, then times the second kernel
    const y = evaluate(() => model.forward(tensor([[1, 1, 1]])));
    expect(await y.array()).toEqual([[(-1 + 0 + 63) * 2.25 + (-0.5 + 0.5 + 126.5) * 16385.75]]);
  });

  test('float16, in shards that a tensor straddles', async () => {
    // 1, -2, 0.5, 65504, 0.000061035, 0 and 1.5, -0.25 as half floats
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x3800, 0x7bff, 0x0400, 0, 0x3e00, 0xb400);
    const bytes = new Uint8Array(halves.buffer);
    const half: Json = { dtype: 'float16' };
    const files = new Map([
      [
        'my/model.json',
        modelJson([entry('first/kernel', [3, 2], half), entry('second/kernel', [2, 1], half)], ['./a', 'b']),
      ],
      ['my/b', bytes.subarray(5)],
      ['my/a', bytes.subarray(0, 5)],
    ]);
    expect(await kernels(files)).toEqual([
      [1, -2, 0.5, 65504, 2 ** -14, 0],
      [1.5, -0.25],
    ]);
  });

  test('what is missing, foreign or outside is named', async () => {
    const plain = [entry('first/kernel', [3, 2], null), entry('second/kernel', [2, 1], null)];
    const shard = new Uint8Array(32);
    const load = (path: string, bytes = shard, weights = plain) =>
      loadKeras(
        new Map([
          ['model.json', modelJson(weights, [path])],
          ['weights', bytes],
        ]),
      );
    await expect(load('other')).rejects.toThrow(
      "the file 'other' is not among those given; give all files of the model.",
    );
    await expect(load('weights', shard.subarray(1))).rejects.toThrow(
      "the shards end at byte 31, 'second/kernel' at 32",
    );
    await expect(load('weights', new Uint8Array(33))).rejects.toThrow(
      'the shards have 33 bytes, the weights of their group end at 32',
    );
    for (const path of ['../weights', '/etc/weights', 'https://x.org/weights', 'a/../../b', 'C:\\weights'])
      await expect(load(path)).rejects.toThrow("lies outside of the model's folder; it is not read.");
    const odd = [entry('first/kernel', [3, 2], { dtype: 'int4', scale: 1, min: 0 }), plain[1]!];
    await expect(load('weights', shard, odd)).rejects.toThrow("the quantization of 'first/kernel' is");
    await expect(loadKeras(modelJson(plain, ['weights']))).rejects.toThrow(
      "the model's weights are in 'weights': give all of its files",
    );
  });
});

describe('from an address', () => {
  const shard = Float32Array.of(1, 2, 3, 4, 5, 6, 1, -1);
  const entries = [
    { name: 'first/kernel', shape: [3, 2], dtype: 'float32' },
    { name: 'second/kernel', shape: [2, 1], dtype: 'float32' },
  ];
  let server: Server;
  let address = '';
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/folder/model.json') response.end(modelJson(entries, ['weights.bin']));
      else if (request.url === '/folder/weights.bin') response.end(new Uint8Array(shard.buffer));
      else if (request.url === '/page') response.end('<!doctype html><title>Not here</title>');
      else {
        response.statusCode = 404;
        response.end('no');
      }
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  test('a model.json finds its shards beside it', async () => {
    const model = await loadKeras(`${address}/folder/model.json`);
    expect(await evaluate(() => model.forward(tensor([[1, 0, 1]]))).array()).toEqual([[6 - 8]]);
  });

  test('an answer that is no model, and none at all', async () => {
    await expect(loadKeras(`${address}/nowhere`)).rejects.toThrow(
      'cannot be loaded: the server answered 404 Not Found.',
    );
    await expect(loadKeras(`${address}/page`)).rejects.toThrow('this is a web page, not a');
    const signal = AbortSignal.abort();
    await expect(loadKeras(`${address}/folder/model.json`, { signal })).rejects.toBe(signal.reason);
  });
});

/** A `.h5` of Keras 1 or 2: arrays by layer, in their order. */
async function legacy(
  model: Json | null,
  groups: Readonly<Record<string, readonly (readonly [name: string, shape: number[], values: number[]])[]>>,
  { version = '2.15.0', backend = 'tensorflow', isWhole = model !== null } = {},
): Promise<Uint8Array> {
  const root = isWhole ? 'model_weights' : '';
  const at = (path: string): string => (root === '' ? path : `${root}/${path}`);
  return encodeHdf({
    groups: Object.keys(groups).map(at),
    texts: [
      ...(model === null ? [] : [['', 'model_config', JSON.stringify(model)] as const]),
      ['', 'keras_version', version],
      [root, 'backend', backend],
      [root, 'layer_names', Object.keys(groups)],
      ...Object.entries(groups).map(
        ([layer, arrays]) => [at(layer), 'weight_names', arrays.map(([name]) => name)] as const,
      ),
    ],
    arrays: Object.entries(groups).flatMap(([layer, arrays]) =>
      arrays.map(([name, shape, values]) => ({ path: at(`${layer}/${name}`), shape, data: Float32Array.from(values) })),
    ),
  });
}

describe('weights that do not say where they belong', () => {
  const arrays = {
    first: [
      [3, 2],
      [1, 2, 3, 4, 5, 6],
    ],
    second: [
      [2, 1],
      [1, -1],
    ],
  } as const;
  const [a, b] = [arrays.first, arrays.second].map(
    ([shape, values]) => [[...shape], [...values]] as [number[], number[]],
  ) as [[number[], number[]], [number[], number[]]];
  const expectRight = async (file: Uint8Array): Promise<void> => {
    const model = await loadKeras(json(two), { weights: file });
    expect(await evaluate(() => model.forward(tensor([[1, 0, 1]]))).array()).toEqual([[-2]]);
  };

  test('weights alone: by the names of layers, by order where the names are others', async () => {
    await expectRight(await legacy(null, { first: [['first/kernel:0', ...a]], second: [['second/kernel:0', ...b]] }));
    // layers without weights are left out; the order counts
    await expectRight(
      await legacy(null, { dense_7: [['dense_7/kernel:0', ...a]], dropout: [], dense_8: [['dense_8/kernel:0', ...b]] }),
    );
  });

  test('by the path of Keras 3, by the name of layers as tf.keras 2.13 has them, by order and shape', async () => {
    const paths = (first: string, second: string) =>
      encodeHdf({
        groups: [],
        texts: [],
        arrays: [
          { path: second, shape: b[0], data: Float32Array.from(b[1]) },
          { path: first, shape: a[0], data: Float32Array.from(a[1]) },
          { path: 'optimizer/vars/0', shape: [], data: Float32Array.of(7) },
        ],
      });
    await expectRight(await paths('layers/dense/vars/0', 'layers/dense_1/vars/0'));
    await expectRight(
      await paths('_layer_checkpoint_dependencies/dense/vars/0', '_layer_checkpoint_dependencies/dense_1/vars/0'),
    );
    await expectRight(await paths('layers/q_dense_4/vars/0', 'layers/q_dense_12/vars/0'));
  });

  test('what does not fit is told side by side, and nothing is changed', async () => {
    const model = await loadKeras(json(two), {
      weights: await legacy(null, { first: [['kernel:0', ...a]], second: [['kernel:0', ...b]] }),
    });
    const other = await legacy(null, {
      first: [['first/kernel:0', [3, 4], Array.from({ length: 12 }, () => 9)]],
      second: [['second/kernel:0', ...b]],
    });
    await expect(loadKerasWeights(other, model)).rejects.toThrow(
      [
        'loadKerasWeights: the weights do not fit the model, and nothing was changed: 2 variables in the model, 2 arrays in the file.',
        '  in the model           in the file',
        '  first/kernel [3, 2]    first/kernel [3, 4]',
        '  second/kernel [2, 1]   second/kernel [2, 1]',
      ]
        .join('\n')
        .replace(/ {3}(?=second|in the file|first\/kernel \[3, 4)/g, '  '),
    );
    expect(await evaluate(() => model.forward(tensor([[1, 0, 1]]))).array()).toEqual([[-2]]);
  });
});

describe('old generations', () => {
  test('kernels that Theano wrote are turned, channels first', async () => {
    const layer: Json = {
      class_name: 'Convolution2D',
      config: {
        ...{
          name: 'conv',
          nb_filter: 1,
          nb_row: 2,
          nb_col: 2,
          border_mode: 'valid',
          subsample: [1, 1],
          dim_ordering: 'th',
        },
        ...{ batch_input_shape: [null, 1, 2, 2], activation: 'linear', bias: false },
      },
    };
    const model = { class_name: 'Sequential', config: [layer] };
    // Keras 1 kept kernels [out, in, rows, columns] for 'th'
    const file = await legacy(
      model,
      { conv: [['conv_W', [1, 1, 2, 2], [1, 2, 3, 4]]] },
      { version: '1.2.2', backend: 'theano' },
    );
    const loaded = await loadKeras(file);
    const y = evaluate(() => loaded.forward(tensor(Float32Array.of(1, 10, 100, 1000), { shape: [1, 1, 2, 2] })));
    expect([...(await y.data())]).toEqual([4 * 1 + 3 * 10 + 2 * 100 + 1 * 1000]);
  });

  test('an LSTM of Keras 1: twelve arrays, gate by gate, hard_sigmoid', async () => {
    const layer: Json = {
      class_name: 'LSTM',
      config: {
        name: 'lstm',
        output_dim: 1,
        batch_input_shape: [null, 1, 1],
        activation: 'tanh',
        inner_activation: 'hard_sigmoid',
        return_sequences: false,
      },
    };
    const one = (name: string, value: number, shape = [1, 1]): readonly [string, number[], number[]] => [
      name,
      shape,
      [value],
    ];
    const gates = { i: [0.5, 0.1, 0.2], c: [1, 0.3, -0.1], f: [0.7, 0.2, 1], o: [-0.4, 0.6, 0.3] } as const;
    const file = await legacy(
      { class_name: 'Sequential', config: [layer] },
      {
        lstm: Object.entries(gates).flatMap(([gate, [w, u, b]]) => [
          one(`lstm_W_${gate}`, w),
          one(`lstm_U_${gate}`, u),
          one(`lstm_b_${gate}`, b, [1]),
        ]),
      },
      { version: '1.2.2' },
    );
    const model = await loadKeras(file);
    const hard = (x: number): number => Math.min(1, Math.max(0, 0.2 * x + 0.5));
    const x = 0.8;
    const cell = hard(0.5 * x + 0.2) * Math.tanh(1 * x - 0.1);
    const right = hard(-0.4 * x + 0.3) * Math.tanh(cell);
    expect((await evaluate(() => model.forward(tensor([[[x]]]))).data())[0]).toBeCloseTo(right, 6);
  });
});

describe('layers of cuDNN', () => {
  const [inputs, units, steps] = [3, 2, 4];
  const wave = (count: number, from: number): number[] => Array.from({ length: count }, (_, k) => Math.sin(from + k));
  /** Columns `from` to `from + width` of a matrix [rows, columns]. */
  const columns = (values: readonly number[], rows: number, from: number, width: number): number[][] =>
    Array.from({ length: rows }, (_, row) => {
      const start = (row * values.length) / rows + from;
      return values.slice(start, start + width);
    });

  /**
   * What Keras does to load weights of its own layers into those of cuDNN (saving/legacy/hdf5_format.py): of each gate the kernel,
   * transposed, is read row by row into a matrix of the old shape.
   */
  function turned(values: readonly number[], rows: number, gates: number): number[] {
    const blocks = Array.from({ length: gates }, (_, gate) => {
      const block = columns(values, rows, gate * units, units);
      const flat = Array.from({ length: units }, (_, column) => block.map((row) => row[column]!)).flat();
      return Array.from({ length: rows }, (_, row) => flat.slice(row * units, (row + 1) * units));
    });
    return Array.from({ length: rows }, (_, row) => blocks.flatMap((block) => block[row]!)).flat();
  }

  const sizes = { batch_input_shape: [null, steps, inputs], units, return_sequences: true };
  test.each([
    ['LSTM', 4, { recurrent_activation: 'sigmoid' }],
    ['GRU', 3, { recurrent_activation: 'sigmoid', reset_after: true }],
  ] as const)(
    'CuDNN%s computes what the layer computes from which Keras made its weights',
    async (name, gates, more) => {
      const width = gates * units;
      const [kernel, recurrent] = [wave(inputs * width, 1), wave(units * width, 2)];
      const biases = wave(2 * width, 3);
      const own = name === 'GRU' ? ([[2, width], biases] as const) : null;
      const sum = biases.slice(0, width).map((value, k) => value + biases[width + k]!);
      const plain = await legacy(
        { class_name: 'Sequential', config: [{ class_name: name, config: { name: 'cell', ...sizes, ...more } }] },
        {
          cell: [
            ['kernel', [inputs, width], kernel],
            ['recurrent_kernel', [units, width], recurrent],
            own ? ['bias', [...own[0]], [...own[1]]] : ['bias', [width], sum],
          ],
        },
        { version: '2.4.3' },
      );
      const onCudnn = await legacy(
        { class_name: 'Sequential', config: [{ class_name: `CuDNN${name}`, config: { name: 'cell', ...sizes } }] },
        {
          cell: [
            ['kernel', [inputs, width], turned(kernel, inputs, gates)],
            ['recurrent_kernel', [units, width], turned(recurrent, units, gates)],
            ['bias', [2 * width], biases],
          ],
        },
        { version: '2.4.3' },
      );
      const x = tensor(Float32Array.from(wave(2 * steps * inputs, 4)), { shape: [2, steps, inputs] });
      const numbers = async (file: KerasSource): Promise<number[]> => {
        const model = await loadKeras(file);
        return [...(await evaluate(() => model.forward(x)).data())];
      };
      const [a, b] = [await numbers(plain), await numbers(onCudnn)];
      expect(a.length).toBe(2 * steps * units);
      for (const [k, value] of a.entries()) expect(b[k]).toBeCloseTo(value, 5);
    },
  );
});

describe('layers of users', () => {
  const model = sequential(
    [
      {
        class_name: 'Lambda',
        config: { name: 'twice', batch_input_shape: [null, 2], function: ['4wEAAAA=', null, null] },
      },
      { class_name: 'Scaled', config: { name: 'scaled', by: 3 } },
    ],
    '2.15.0',
  );

  test('take the place of Lambda and of classes that are not known, by name or class', async () => {
    await expect(loadKeras(json(model))).rejects.toThrow(
      "2 layers are of classes that are not read: 'twice' (Lambda), 'scaled' (Scaled).",
    );
    const scale = parameter(Float32Array.of(1, 1), { shape: [2] });
    const loaded = await loadKeras(await legacy(model, { twice: [], scaled: [['scaled/scale:0', [2], [5, 7]]] }), {
      layers: {
        twice: () => ({ forward: (x: Tensor) => x.mul(2) }),
        Scaled: ({ config, inputShapes }) => {
          expect(inputShapes).toEqual([[1, 2]]);
          const by = Number(config.by);
          return { scale, forward: (x: Tensor) => x.mul(scale).mul(by) };
        },
      },
    });
    expect(await evaluate(() => loaded.forward(tensor([[1, 10]]))).array()).toEqual([[2 * 5 * 3, 20 * 7 * 3]]);
  });

  test('names of JavaScript are no layers', async () => {
    for (const className of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      const strange = sequential(
        [{ class_name: className, config: { name: 'x', batch_input_shape: [null, 2] } }],
        '2.15.0',
      );
      await expect(loadKeras(json(strange))).rejects.toThrow('1 layers are of classes that are not read');
    }
  });
});

describe('fine-tuning', () => {
  const bn = (trainable: boolean): Json => ({
    class_name: 'BatchNormalization',
    config: { name: 'norm', trainable, momentum: 0.5, batch_input_shape: [null, 1] },
  });
  const step = async (trainable: boolean): Promise<{ output: number[]; mean: number[] }> => {
    const model = await loadKeras(json(sequential([bn(trainable)], '2.15.0')));
    const output = model.forward(tensor([[1], [3]]));
    const [, , mean] = [...namedParameters(model).values()];
    return { output: [...(await output.data())], mean: [...(await mean!.data())] };
  };

  test('a BatchNormalization that Keras has frozen keeps its statistics in training, as in Keras', async () => {
    const frozen = await step(false);
    expect(frozen.mean).toEqual([0]);
    expect(frozen.output[0]).toBeCloseTo(1 / Math.sqrt(1.001), 6);
    const free = await step(true);
    expect(free.mean).toEqual([1]);
    expect(free.output[0]).toBeCloseTo(-1 / Math.sqrt(1.001), 6);
  });
});
