/** Norms and sums by ghosts and by vmap, beside the gradients of single samples, each computed alone. */
import { cpu } from '@nn/backend-cpu';
import { gradients, parameters, setDefaultBackend, setSeed, stack, type Tensor, tensor, zeros } from '@nn/core';
import * as nn from '@nn/layers';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { SampleGradients } from './sample-gradients.ts';

// a device of its own for each test: none then warns of many shapes
beforeEach(() => setDefaultBackend(cpu({ threads: 1 })));

type Batch = { readonly x: Tensor };
interface Case {
  readonly model: object;
  readonly shape: readonly number[];
  readonly integers?: number;
  readonly loss: (x: Tensor) => Tensor;
}

const rows = 4;
const squares = (y: Tensor): Tensor => y.reshape([y.shape[0]!, -1]).square().sum(1);
const recurrent = (layer: nn.LSTM | nn.GRU | nn.RNN, length = 3): Case => ({
  model: layer,
  shape: [length, 3],
  loss: (x) => {
    const { output, hidden } = layer.forward(layer.batchFirst ? x : x.transpose(0, 1));
    return squares(layer.batchFirst ? output : output.transpose(0, 1)).add(squares(hidden.transpose(0, 1)));
  },
});
const chain = (...layers: readonly nn.Layer[]): nn.Sequential => new nn.Sequential(...layers);
const plain = (model: nn.Layer, shape: readonly number[]): Case => ({
  model,
  shape,
  loss: (x) => squares(model.forward(x)),
});

const cases: Readonly<Record<string, () => Case>> = {
  'two Linear': () => plain(chain(new nn.Linear(3, 5), new nn.Tanh(), new nn.Linear(5, 2)), [3]),
  'Linear over steps': () =>
    plain(chain(new nn.Linear(8, 9), new nn.Tanh(), new nn.Linear(9, 2, { bias: false })), [3, 8]),
  'Linear over many steps': () => plain(new nn.Linear(2, 2), [9, 2]),
  Conv1d: () => plain(new nn.Conv1d(2, 3, 3, { padding: 'same' }), [2, 6]),
  'Conv2d with stride and padding': () =>
    plain(
      chain(new nn.Conv2d(1, 2, 3, { stride: 2, padding: 1 }), new nn.Tanh(), new nn.Conv2d(2, 3, 2, { dilation: 2 })),
      [1, 8, 9],
    ),
  'Conv2d of few places': () => plain(new nn.Conv2d(6, 8, 3), [6, 3, 4]),
  'Conv2d in groups': () => plain(new nn.Conv2d(2, 4, 3, { groups: 2 }), [2, 4, 4]),
  Conv3d: () => plain(new nn.Conv3d(1, 2, 2), [1, 3, 3, 3]),
  ConvTranspose2d: () => plain(new nn.ConvTranspose2d(2, 2, 2), [2, 3, 3]),
  'norms of a sample': () =>
    plain(chain(new nn.Linear(3, 4), new nn.LayerNorm(4), new nn.Linear(4, 4), new nn.PReLU()), [3]),
  Embedding: () => {
    const model = { embedding: new nn.Embedding(5, 3, { paddingIndex: 0 }), head: new nn.Linear(3, 2) };
    return {
      model,
      shape: [6],
      integers: 5,
      loss: (x) => squares(model.head.forward(model.embedding.forward(x).mean(1))),
    };
  },
  'a layer that is called twice': () => {
    const model = { layer: new nn.Linear(3, 3) };
    return { model, shape: [3], loss: (x) => squares(model.layer.forward(model.layer.forward(x).tanh())) };
  },
  'tied weights': () => {
    const model = { embedding: new nn.Embedding(5, 4), head: new nn.Linear(4, 5, { bias: false }) };
    model.head.weight = model.embedding.weight;
    return { model, shape: [3], integers: 5, loss: (x) => squares(model.head.forward(model.embedding.forward(x))) };
  },
  'time first, as long as the batch': () => {
    const model = new nn.Linear(3, 2);
    return { model, shape: [rows, 3], loss: (x) => squares(model.forward(x.transpose(0, 1)).transpose(0, 1)) };
  },
  RNN: () => recurrent(new nn.RNN(3, 2, { batchFirst: true })),
  LSTM: () => recurrent(new nn.LSTM(3, 4)),
  'LSTM in a loop of the program': () => recurrent(new nn.LSTM(3, 2, { batchFirst: true }), 17),
  'LSTM, two layers, both directions': () =>
    recurrent(new nn.LSTM(3, 2, { layers: 2, bidirectional: true, batchFirst: true })),
  'LSTM with a projection': () => recurrent(new nn.LSTM(3, 4, { projection: 2, batchFirst: true })),
  GRU: () => recurrent(new nn.GRU(3, 4, { batchFirst: true })),
  'GRU, both directions': () => recurrent(new nn.GRU(3, 3, { bidirectional: true, batchFirst: true })),
  attention: () => {
    const layer = new nn.MultiheadAttention(4, 2, { batchFirst: true });
    return { model: layer, shape: [3, 4], loss: (x) => squares(layer.forward(x, x, x)) };
  },
};

describe.each(Object.entries(cases))('%s', (_, make) => {
  it.each(['ghost', 'vmap'] as const)('by %s is as each sample alone', async (method) => {
    setSeed(3);
    const { model, shape, integers, loss } = make();
    const size = shape.reduce((a, b) => a * b, rows);
    const values = Float32Array.from({ length: size }, (_, i) =>
      integers === undefined ? Math.sin(i * 1.7) : (i * i + 3 * i) % integers,
    );
    const x = tensor(integers === undefined ? values : Int32Array.from(values), { shape: [rows, ...shape] });
    const mask = tensor([1, 1, 1, 0]);
    const { losses, uses } = new SampleGradients('step', model, method).of<Batch>({ x }, mask, (batch) =>
      loss(batch.x),
    );
    const trained = parameters(model);
    expect(new Set(uses.map(({ parameter }) => parameter))).toEqual(new Set(trained));
    const alone = Array.from({ length: rows }, (_, k) => {
      const of = loss(x.slice([k], [k + 1])).sum();
      return { of, slopes: gradients(of, trained) };
    });
    expect(await losses.array()).toEqual(
      [...(await Promise.all(alone.slice(0, 3).map(({ of }) => of.item()))), 0].map((each) => expect.closeTo(each, 3)),
    );
    const weights = [0.5, 2, 1, 7];
    // all reads of one turn are one program
    const read = uses.map((use) => {
      const at = trained.indexOf(use.parameter);
      const truth = stack(alone.map(({ slopes }, k) => (k < 3 ? slopes[at]! : zeros(use.parameter.shape))));
      const flat = truth.reshape([rows, -1]);
      return Promise.all([
        apart(use.squaredNorms(), flat.square().sum(1)),
        apart(use.perSample(), truth),
        apart(use.weighted(tensor(weights)), tensor([weights]).matmul(flat).reshape(use.parameter.shape)),
      ]);
    });
    for (const each of await Promise.all(read)) expect(Math.max(...each)).toBeLessThan(2e-5);
  });
});

/** The largest difference, as a share of the largest value or 1. */
async function apart(found: Tensor, expected: Tensor): Promise<number> {
  expect(found.shape).toEqual(expected.shape);
  const [a, b] = await Promise.all([found.data(), expected.data()]);
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / Math.max(1, ...b.map(Math.abs));
}

describe('what breaks the proof is refused', () => {
  const mask = tensor([1, 1, 1, 1]);
  const x = zeros([4, 2]);

  test('layers that mix samples, by their path', () => {
    const model = chain(new nn.Linear(2, 2), new nn.BatchNorm1d(2));
    const start = () => new SampleGradients('step', model, 'ghost');
    expect(start).toThrow(
      'step: 1 is BatchNorm1d(2), whose statistics mix the samples of a batch, which breaks the proof: use GroupNorm or LayerNorm, or freeze its running statistics.',
    );
    expect(
      () => new SampleGradients('step', chain(new nn.InstanceNorm2d(3, { trackRunningStatistics: true })), 'vmap'),
    ).toThrow('mix the samples');
    expect(() => new SampleGradients('step', chain(new nn.InstanceNorm2d(3)), 'vmap')).not.toThrow();
  });

  test('parameters that nobody can watch', () => {
    const layer = new nn.Linear(2, 2);
    const of = (loss: (x: Tensor) => Tensor, model: object = { layer }) =>
      new SampleGradients('step', model, 'ghost').of({ x }, mask, (batch) => loss(batch.x));
    expect(() => of((each) => squares(each.matmul(layer.weight)))).toThrow(
      "step: layer.weight is used outside of its layer's forward, where it cannot be watched: call the layer, or take { method: 'vmap' }.",
    );
    expect(() => of(squares, { bare: layer.weight })).toThrow('is held by no layer');
    const narrow = new nn.Linear(1, 2);
    expect(() => of((each) => squares(narrow.forward(each.reshape([-1, 1])).reshape([-1, 4])), narrow)).toThrow(
      'in which the batch of 4 is no axis of its own',
    );
  });

  test('a loss that is not one for each row', () => {
    const layer = new nn.Linear(2, 2);
    for (const method of ['ghost', 'vmap'] as const) {
      expect(() =>
        new SampleGradients('step', layer, method).of({ x }, mask, (batch) => layer.forward(batch.x).mean()),
      ).toThrow("crossEntropy(logits, targets, { reduction: 'none' }).");
    }
  });

  test('layers that draw inside and are done again', () => {
    const unit = { inner: new nn.LSTM(4, 2, { layers: 2, dropout: 0.5, batchFirst: true }) };
    const of = () =>
      new SampleGradients('step', { inner: unit.inner }, 'ghost').of({ x: zeros([4, 3, 4]) }, mask, (batch) =>
        squares(unit.inner.forward(batch.x).output),
      );
    expect(of).toThrow(
      "step: inner draws random numbers inside, so it cannot be done again for each sample: set its dropout to 0, or take { method: 'vmap' }.",
    );
  });
});
