/** Smaller layers compute what the larger ones would without the channels that went, through all that lies between. */
import { cpu } from '@nn/backend-cpu';
import {
  concat,
  evaluate,
  namedParameters,
  parameter,
  setDefaultBackend,
  setSeed,
  type Tensor,
  uniform,
} from '@nn/core';
import {
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Flatten,
  GlobalAveragePool,
  GroupedQueryAttention,
  LayerNorm,
  Linear,
  LSTM,
  MaxPool2d,
  MultiheadAttention,
  PReLU,
  ReLU,
  Sequential,
  TransformerEncoderLayer,
} from '@nn/layers';
import { Adam } from '@nn/optim';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cost, headImportance, prune, pruneHeads, shrink } from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));
beforeEach(() => setSeed(1));

/** Gives every parameter of a model values of its own, statistics too. */
function stir(model: object): void {
  for (const [name, { isBuffer, shape, dtype, assign }] of namedParameters(model)) {
    if (dtype !== 'float32') continue;
    const target = namedParameters(model).get(name)!;
    const values = uniform(shape);
    assign.call(target, isBuffer || shape.length === 1 ? values.add(0.5) : values.sub(0.5));
  }
}

async function expectClose(found: Tensor, wanted: Tensor | ArrayLike<number>): Promise<void> {
  const [a, b] = [await found.data(), 'data' in wanted ? await wanted.data() : wanted];
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i]!, 4);
}

const run = (model: { forward: (x: Tensor) => Tensor }, x: Tensor): Tensor => evaluate(() => model.forward(x));

/** Makes channels of a layer give 0 for good: its weights and bias, and the scale and shift behind it. */
async function silence(
  layers: readonly { weight: ReturnType<typeof parameter> | null; bias: ReturnType<typeof parameter> | null }[],
  channels: readonly number[],
): Promise<void> {
  for (const { weight, bias } of layers) {
    for (const member of [weight, bias]) {
      if (member === null) continue;
      const values = Float32Array.from(await member.data());
      const slice = member.size / member.shape[0]!;
      for (const channel of channels) values.fill(0, channel * slice, (channel + 1) * slice);
      member.assign(parameter(values, { shape: member.shape, buffer: true }));
    }
  }
}

describe('shrink', () => {
  it('cuts Conv, BatchNorm, PReLU, depthwise Conv and Linear behind pooling and flattening', async () => {
    const parts = [new Conv2d(1, 8, 3), new BatchNorm2d(8), new PReLU(8), new Conv2d(8, 8, 3, { groups: 8 })] as const;
    const model = new Sequential(...parts, new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(8 * 4, 5));
    stir(model);
    await silence([parts[0], parts[1], parts[3]], [1, 4, 6]);
    const x = uniform([3, 1, 9, 9]);
    const before = await run(model, x).data();
    const shrunk = await shrink(model, [1, 1, 9, 9], { amount: 3 });
    expect(shrunk).toEqual([{ path: '0', layer: 'Conv2d(1, 5, 3x3)', from: 8, to: 5 }]);
    await expectClose(run(model, x), before);
    const shapes = [...namedParameters(model)].map(([name, { shape }]) => `${name} ${shape.join('x')}`);
    expect(shapes).toEqual([
      ...['0.weight 5x1x3x3', '0.bias 5', '1.weight 5', '1.bias 5', '1.running_mean 5', '1.running_var 5'],
      ...['1.num_batches_tracked ', '2.weight 5', '3.weight 5x1x3x3', '3.bias 5', '7.weight 5x20', '7.bias 5'],
    ]);
  });

  it('cuts several layers in a row, a transposed one too, and the model trains on', async () => {
    const model = new Sequential(
      new Conv2d(1, 4, 3),
      new ReLU(),
      new ConvTranspose2d(4, 8, 2, { stride: 2 }),
      new ReLU(),
      new Conv2d(8, 6, 1),
      new GlobalAveragePool(),
      new Linear(6, 8),
      new ReLU(),
      new Linear(8, 2),
    );
    const [larger] = [await cost(model, [1, 1, 8, 8])];
    const shrunk = await shrink(model, [1, 1, 8, 8], { amount: 0.5, importance: 'l1' });
    expect(shrunk.map(({ path, from, to }) => [path, from, to])).toEqual([
      ['0', 4, 2],
      ['2', 8, 4],
      ['4', 6, 3],
      ['6', 8, 4],
    ]);
    expect((await cost(model, [1, 1, 8, 8])).multiplyAdds).toBeLessThan(larger!.multiplyAdds / 3);
    const optimizer = new Adam(model, { learningRate: 0.05 });
    const x = uniform([16, 1, 8, 8]);
    const loss = (): Tensor => model.forward(x).sub(1).square().mean();
    const start = await loss().item();
    for (let step = 0; step < 20; step++) await optimizer.step(loss());
    expect(await loss().item()).toBeLessThan(start / 4);
  });

  it('binds what a residual sum binds, and follows a concatenation', async () => {
    class Residual {
      first = new Conv2d(2, 6, 3, { padding: 1 });
      inner = new Conv2d(6, 4, 3, { padding: 1 });
      back = new Conv2d(4, 6, 3, { padding: 1 });
      side = new Conv2d(2, 3, 3, { padding: 1 });
      head = new Linear(9, 2);
      forward(x: Tensor): Tensor {
        const a = this.first.forward(x).relu();
        const b = a.add(this.back.forward(this.inner.forward(a).relu()).relu());
        return this.head.forward(concat([this.side.forward(x).relu(), b], 1).mean([2, 3]));
      }
    }
    const model = new Residual();
    stir(model);
    await silence([model.first, model.back], [0, 5]);
    await silence([model.inner], [2]);
    await silence([model.side], [1]);
    const x = uniform([2, 2, 5, 5]);
    const before = await run(model, x).data();
    const shrunk = await shrink(model, [1, 2, 5, 5], { amount: 1 / 3 });
    expect(Object.fromEntries(shrunk.map(({ path, to }) => [path, to]))).toEqual({
      first: 4,
      back: 4,
      inner: 3,
      side: 2,
    });
    expect(model.head.inputs).toBe(6);
    await expectClose(run(model, x), before);
  });

  it('leaves what meets the input, the result, or layers that cannot be cut', async () => {
    class Stuck {
      same = new Linear(4, 4);
      before = new Linear(4, 6);
      norm = new LayerNorm(6);
      free = new Linear(6, 8);
      last = new Linear(8, 3);
      forward(x: Tensor): Tensor {
        const y = x.add(this.same.forward(x));
        return this.last.forward(this.free.forward(this.norm.forward(this.before.forward(y))).relu());
      }
    }
    const shrunk = await shrink(new Stuck(), [2, 4], { amount: 0.5 });
    expect(shrunk.map(({ path }) => path)).toEqual(['free']);
    const encoder = new TransformerEncoderLayer(8, 2, { feedForward: 16, batchFirst: true, dropout: 0 });
    expect((await shrink(encoder, [1, 3, 8], { amount: 0.25 })).map(({ path, to }) => [path, to])).toEqual([
      ['linear1', 12],
    ]);
    const recurrent = {
      body: new Linear(3, 4),
      lstm: new LSTM(4, 4),
      forward: (x: Tensor): Tensor => recurrent.lstm.forward(recurrent.body.forward(x)).output,
    };
    await expect(shrink(recurrent, [2, 1, 3], { amount: 0.5 })).rejects.toThrow('shrink: no channels can go');
  });

  it('takes the least of all layers together, in multiples, of those that are chosen', async () => {
    const model = new Sequential(new Linear(4, 16), new ReLU(), new Linear(16, 16), new ReLU(), new Linear(16, 2));
    await silence([model.at(2) as Linear], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const shrunk = await shrink(model, [1, 4], { amount: 10, scope: 'global', multipleOf: 4 });
    expect(shrunk.map(({ path, from, to }) => [path, from, to])).toEqual([['2', 16, 8]]);
    expect(
      (await shrink(model, [1, 4], { amount: 0.5, which: '0', importance: 'random' })).map(({ path }) => path),
    ).toEqual(['0']);
    await expect(shrink(model, [1, 4], { amount: 0.5, which: '7' })).rejects.toThrow(
      'no layer fits 7: of those that can be smaller there are 0, 2.',
    );
    await expect(shrink(model, [1, 4], { amount: 0.5, multipleOf: 0 })).rejects.toThrow('multipleOf is 0');
    // one channel always stays
    expect((await shrink(model, [1, 4], { amount: 1 })).map(({ to }) => to)).toEqual([1, 1]);
  });

  it('gives everything back where the model does not run afterwards', async () => {
    class Hidden {
      first = new Linear(3, 4);
      shift = parameter([1, 2, 3, 4]);
      second = new Linear(4, 1);
      forward(x: Tensor): Tensor {
        return this.second.forward(this.first.forward(x).add(this.shift));
      }
    }
    const model = new Hidden();
    const { weight } = model.first;
    await expect(shrink(model, [1, 3], { amount: 0.5 })).rejects.toThrow(
      'the model does not run with fewer channels, and is as it was',
    );
    expect(model.first.weight).toBe(weight);
    expect(model.first.outputs).toBe(4);
    const masked = new Sequential(new Linear(3, 4), new Linear(4, 1));
    await prune(masked, { amount: 0.5 });
    await expect(shrink(masked, [1, 3], { amount: 0.5 })).rejects.toThrow('masked weights');
  });
});

describe('heads of attention', () => {
  it('go as if they gave nothing', async () => {
    const layer = new MultiheadAttention(8, 4, { batchFirst: true });
    stir(layer);
    const x = uniform([2, 5, 8]);
    // columns of the output's projection that belong to heads 1 and 2
    const out = Float32Array.from(await layer.outProj.weight.data()).map((value, at) =>
      at % 8 >= 2 && at % 8 < 6 ? 0 : value,
    );
    layer.outProj.weight.assign(parameter(out, { shape: [8, 8], buffer: true }));
    const importance = await headImportance(layer);
    expect(importance.map((value) => value > 0)).toEqual([true, false, false, true]);
    const before = await run(layer, x).data();
    await pruneHeads(layer, [1, 2]);
    expect([layer.heads, layer.inProjWeight!.shape, layer.outProj.inputs]).toEqual([2, [12, 8], 4]);
    await expectClose(run(layer, x), before);
    const cache = layer.cache(2, 5);
    const masks = { cache } as const;
    expect(evaluate(() => layer.forward(x, x, x, masks)).shape).toEqual([2, 5, 8]);
  });

  it('of shared keys and values go in groups', async () => {
    const layer = new GroupedQueryAttention(12, 6, { keyValueHeads: 3, rotary: true, batchFirst: true });
    const x = uniform([1, 4, 12]);
    const out = Float32Array.from(await layer.oProj.weight.data()).map((value, at) =>
      at % 12 >= 4 && at % 12 < 8 ? 0 : value,
    );
    layer.oProj.weight.assign(parameter(out, { shape: [12, 12], buffer: true }));
    const before = await run(layer, x).data();
    await pruneHeads(layer, [1]);
    expect([layer.heads, layer.keyValueHeads, layer.kProj.weight.shape]).toEqual([4, 2, [4, 12]]);
    await expectClose(run(layer, x), before);
  });

  it('are named when they are not there, and stay where they cannot go', async () => {
    const layer = new MultiheadAttention(4, 2);
    await expect(pruneHeads(layer, [2])).rejects.toThrow(
      'pruneHeads: MultiheadAttention(4, 2) has no head 2: they are 0 to 1.',
    );
    await expect(pruneHeads(layer, [0, 1])).rejects.toThrow(
      'all 2 heads of MultiheadAttention(4, 2) would go: leave at least one.',
    );
    const sloped = new GroupedQueryAttention(8, 4, { alibi: true });
    const { weight } = sloped.qProj;
    await expect(pruneHeads(sloped, [0])).rejects.toThrow('cannot lose heads, and is as it was');
    expect([sloped.heads, sloped.qProj.weight]).toEqual([4, weight]);
  });
});
