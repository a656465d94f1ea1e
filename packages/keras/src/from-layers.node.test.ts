/** Layers of nn written as Keras' compute the same; what Keras does not have is refused. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reference } from '@nn/conformance';
import { evaluate, namedParameters, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import * as nn from '@nn/layers';
import { describe, expect, test } from 'vitest';
import { encodeKeras, encodeTfjs, type KerasModelOptions, kerasModel, loadKeras } from './index.ts';

setDefaultBackend(reference());

const folder = process.env.NN_KERAS_FILES;
if (folder) mkdirSync(folder, { recursive: true });

/** Every parameter with values of its own; variances stay positive. */
function settle(net: nn.Sequential): nn.Sequential {
  let at = 1;
  for (const [name, parameter] of namedParameters(net)) {
    const wave = Float32Array.from({ length: parameter.size }, () => Math.sin(at++ * 1.7) / 2);
    parameter.assign(tensor(/var/i.test(name) ? wave.map((value) => value + 1) : wave, { shape: parameter.shape }));
  }
  return net;
}

const filled = (shape: readonly number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, k) => Math.cos(k * 0.9)),
    { shape },
  );

/** [N, C, ...space] to [N, ...space, C]. */
const channelsLast = (x: Tensor): Tensor => x.permute([0, ...x.shape.slice(2).map((_, k) => k + 2), 1]);

const nets: readonly {
  readonly name: string;
  readonly net: nn.Sequential;
  readonly options: KerasModelOptions;
  readonly input?: Tensor;
  readonly isTurnedAtEnd?: boolean;
}[] = [
  {
    name: 'numbers',
    net: new nn.Sequential(
      new nn.Linear(4, 6),
      new nn.BatchNorm1d(6),
      new nn.GELU(),
      new nn.Dropout(0.5),
      new nn.PReLU(6),
      new nn.Linear(6, 5, { bias: false }),
      new nn.LayerNorm([5]),
      new nn.ELU({ alpha: 0.5 }),
      new nn.Linear(5, 3),
      new nn.Softmax(),
    ),
    options: { inputShape: [4] },
  },
  {
    name: 'pictures',
    net: new nn.Sequential(
      new nn.Conv2d(3, 4, 3, { padding: 1, stride: 2 }),
      new nn.BatchNorm2d(4),
      new nn.ReLU(),
      new nn.DepthwiseConv2d(4, 3, { multiplier: 2, padding: 'same' }),
      new nn.HardSwish(),
      new nn.Sequential(new nn.MaxPool2d(2), new nn.Identity()),
      new nn.Conv2d(8, 6, [1, 2], { groups: 2 }),
      new nn.LeakyReLU({ slope: 0.1 }),
      new nn.GroupNorm(3, 6),
      new nn.PReLU(6),
      new nn.Flatten(),
      new nn.Linear(24, 2),
    ),
    options: { inputShape: [3, 9, 12] },
  },
  {
    name: 'pictures of any size',
    net: new nn.Sequential(new nn.Conv2d(1, 3, 3), new nn.SiLU(), new nn.GlobalAveragePool(), new nn.Linear(3, 2)),
    options: { inputShape: [1, null, null], name: 'any' },
    input: filled([2, 1, 5, 6]),
  },
  {
    name: 'pictures that stay pictures',
    net: new nn.Sequential(
      new nn.ZeroPad2d([
        [1, 0],
        [2, 1],
      ]),
      new nn.ConvTranspose2d(2, 3, 3, { stride: 2, padding: 1 }),
      new nn.AvgPool2d(2, { padding: 1 }),
      new nn.Upsample({ scaleFactor: 2 }),
      new nn.PReLU(),
      new nn.AdaptiveAvgPool2d([2, 3]),
      new nn.Conv2d(3, 1, 1),
      new nn.Sigmoid(),
    ),
    options: { inputShape: [2, 4, 4] },
    isTurnedAtEnd: true,
  },
  {
    name: 'steps with channels',
    net: new nn.Sequential(
      new nn.Conv1d(2, 4, 3, { dilation: 2 }),
      new nn.Tanh(),
      new nn.AvgPool1d(2),
      new nn.ConvTranspose1d(4, 3, 2, { stride: 2 }),
      new nn.GlobalMaxPool(),
      new nn.Linear(3, 2),
      new nn.LogSoftmax(),
    ),
    options: { inputShape: [2, 9] },
  },
  {
    name: 'volumes',
    net: new nn.Sequential(
      new nn.Conv3d(1, 2, 2),
      new nn.MaxPool3d([1, 2, 1]),
      new nn.AdaptiveMaxPool3d(1),
      new nn.Flatten(),
      new nn.Linear(2, 2),
    ),
    options: { inputShape: [1, 3, 4, 3] },
  },
  {
    name: 'words',
    net: new nn.Sequential(
      new nn.Embedding(7, 4),
      new nn.RMSNorm([4]),
      new nn.Linear(4, 4),
      new nn.Softplus(),
      new nn.Flatten(),
      new nn.Linear(12, 2),
    ),
    options: { inputShape: [3], dtype: 'int32' },
    input: tensor(Int32Array.of(1, 6, 0, 2, 2, 5), { shape: [2, 3] }),
  },
];

async function difference(a: Tensor, b: Tensor): Promise<number> {
  expect(a.shape).toEqual(b.shape);
  const [x, y] = [await a.data(), await b.data()];
  return [...x].reduce((most, value, k) => Math.max(most, Math.abs(value - y[k]!)), 0);
}

describe('a Sequential as a Keras model', () => {
  for (const { name, net, options, input, isTurnedAtEnd = false } of nets) {
    test(`${name}: the same outputs, also after it was written`, async () => {
      const x = input ?? filled([2, ...options.inputShape.map((size) => size ?? 5)]);
      settle(net);
      // the cast: these nets take and give tensors
      const right = evaluate(() => net.forward(x) as Tensor);
      const expected = isTurnedAtEnd ? channelsLast(right) : right;
      const given = x.rank > 2 ? channelsLast(x) : x;
      const model = kerasModel(net, options);
      expect(
        await difference(
          evaluate(() => model.forward(given)),
          expected,
        ),
      ).toBeLessThan(1e-5);
      for (const format of ['keras', 'h5'] as const) {
        const bytes = await encodeKeras(model, { format });
        if (folder) {
          writeFileSync(join(folder, `net-${name}.${format}`), bytes);
          const both = {
            input: { shape: given.shape, data: [...(await given.data())] },
            output: { shape: expected.shape, data: [...(await expected.data())] },
          };
          writeFileSync(join(folder, `net-${name}.json`), JSON.stringify(both));
        }
        const read = await loadKeras(bytes);
        expect(
          await difference(
            evaluate(() => read.forward(given)),
            expected,
          ),
        ).toBeLessThan(1e-5);
      }
    });
  }

  test('frozen layers stay frozen', async () => {
    const first = new nn.Linear(2, 2);
    const net = new nn.Sequential(first, new nn.Linear(2, 1));
    for (const parameter of namedParameters(first).values()) parameter.frozen = true;
    const read = await loadKeras(await encodeKeras(kerasModel(net, { inputShape: [2] }), { format: 'h5' }));
    expect(read.variables.map(({ trainable }) => trainable)).toEqual([false, false, true, true]);
  });

  test.each([
    [
      new nn.Linear(3, 2),
      [3, 4, 4],
      'Linear(3, 2) cannot become a layer of Keras: it follows channels without a Flatten, and would see their other order.',
    ],
    [new nn.MaxPool2d(2, { padding: 1 }), [3, 4, 4], 'Keras would pad with 0, which may be the largest.'],
    [new nn.AvgPool2d(2, { ceilMode: true }), [3, 5, 5], 'its last windows reach past the end (ceilMode).'],
    [
      new nn.AvgPool2d(2, { padding: 1, countIncludesPadding: false }),
      [3, 4, 4],
      'its padding is not counted (countIncludesPadding: false).',
    ],
    [new nn.BatchNorm2d(3, { momentum: null }), [3, 4, 4], 'Keras keeps no mean of all batches (momentum: null).'],
    [new nn.BatchNorm1d(3), [3, 4], null],
    [new nn.GELU({ approximate: 'tanh' }), [3], 'Keras has gelu without settings.'],
    [new nn.Flatten(2), [3, 4, 4], 'Keras flattens all axes but the batch.'],
    [new nn.LSTM(3, 2), [4, 3], 'no layer of Keras is known for it.'],
    [
      new nn.ConvTranspose2d(3, 2, 1, { stride: 2 }),
      [3, 4, 4],
      'its kernel is smaller than its stride, which Keras fills up.',
    ],
  ] as const)('%s', (layer, inputShape, words) => {
    // the cast: a layer of another form is what is tried
    const make = () => kerasModel(new nn.Sequential(layer as nn.Linear), { inputShape });
    if (words === null) make();
    else expect(make).toThrow(words);
  });

  test('what inherits from a layer of nn may compute something else, and is refused', () => {
    class Doubled extends nn.Linear {
      override forward(x: Tensor): Tensor {
        return super.forward(x).mul(2);
      }
    }
    expect(() => kerasModel(new nn.Sequential(new Doubled(2, 2)), { inputShape: [2] })).toThrow(
      'cannot become a layer of Keras: no layer of Keras is known for it.',
    );
  });

  test('a weight that is computed from others is refused', () => {
    const net = new nn.Sequential(nn.weightNorm(new nn.Linear(2, 2)));
    expect(() => kerasModel(net, { inputShape: [2] })).toThrow(
      'is computed from others; remove the parametrization first.',
    );
  });

  test('a net for TensorFlow.js has its arrays by the names of the layers', async () => {
    const net = kerasModel(new nn.Sequential(new nn.Linear(2, 2), new nn.GELU()), { inputShape: [2] });
    const files = await encodeTfjs(net);
    expect((await loadKeras(files)).variables.map(({ name }) => name)).toEqual(['dense/kernel', 'dense/bias']);
  });
});
