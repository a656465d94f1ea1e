/** Attention, influence, concepts, counterfactuals, attacks, and how explanations are judged. */
import { cpu } from '@nn/backend-cpu';
import {
  normal,
  parameters,
  setDefaultBackend,
  setSeed,
  type Tensor,
  type TensorData,
  tensor,
  uniform,
  zeros,
} from '@nn/core';
import {
  crossEntropy,
  Flatten,
  Linear,
  MultiheadAttention,
  ReLU,
  Sequential,
  TransformerEncoder,
  TransformerEncoderLayer,
} from '@nn/layers';
import { SGD } from '@nn/optim';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  attentionRollout,
  attentionsOf,
  conceptVector,
  counterfactual,
  fgsm,
  infidelity,
  inputTimesGradient,
  integratedGradients,
  pgd,
  saliency,
  sensitivity,
  tcav,
  tracIn,
} from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));
const flat = async (x: Tensor): Promise<number[]> => [...(await x.data())];
const near = (found: readonly number[], wanted: readonly number[], tolerance = 1e-4): void => {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, i) => {
    expect(Math.abs(value - (wanted[i] as number)), `${i}`).toBeLessThan(tolerance);
  });
};
const labels = (list: number[]): Tensor => tensor(list, { dtype: 'int32' });

describe('attention', () => {
  it('is found as the layer itself gives it', async () => {
    setSeed(1);
    const layer = new MultiheadAttention(8, 2, { batchFirst: true });
    const x = uniform([2, 5, 8]);
    const [found] = attentionsOf((y) => layer.forward(y), x);
    near(await flat(found as Tensor), await flat(layer.withWeights(x).weights), 1e-6);
    const make = (): TransformerEncoderLayer =>
      new TransformerEncoderLayer(8, 2, { feedForward: 16, batchFirst: true });
    expect(attentionsOf(new TransformerEncoder(make, 3), x).map(({ shape }) => shape)).toEqual(
      new Array(3).fill([2, 2, 5, 5]),
    );
    expect(() => attentionsOf(new Linear(8, 2), x)).toThrow(
      'attentionsOf: no attention was found: the model has no softmax that is multiplied with values, or computes it in blocks.',
    );
    expect(() => attentionsOf((y) => y.softmax(2), x)).toThrow('no attention was found');
  });

  it('two layers rolled out, by hand', async () => {
    const [a, b] = [[[0.5, 0.5], [0.2, 0.8]], [[1, 0], [0.6, 0.4]]]; // biome-ignore format: rows
    // (A + I) / 2 = [.75 .25; .1 .9] and [1 0; .3 .7]; the upper times the lower
    const found = attentionRollout([tensor([a as number[][]]), tensor([b as number[][]])]);
    near(await flat(found), [0.75, 0.25, 0.295, 0.705], 1e-6);
    near(await flat(attentionRollout([uniform([1, 4, 3, 3])], { heads: 'max' }).sum(2)), [1, 1, 1], 1e-5);
    expect(() => attentionRollout([zeros([1, 2, 3, 4])])).toThrow(
      'attentionRollout: the weights are [1, 2, 3, 4]: they must be [N, heads, tokens, tokens] or [N, tokens, tokens], of self-attention.',
    );
  });
});

describe('TracIn', () => {
  it('sums over checkpoints, finds the mislabelled sample, and leaves the weights as they are', async () => {
    setSeed(2);
    const model = new Linear(2, 2);
    const x = tensor([[2, 0], [1.5, 0.2], [-2, 0], [-1.6, 0.1], [1.8, 0.1]]); // biome-ignore format: rows
    const y = labels([0, 0, 1, 1, 1]); // the last one is wrong
    const loss = (a: Tensor, b: Tensor): Tensor => crossEntropy(model.forward(a), b);
    const optimizer = new SGD(model, { learningRate: 0.5 });
    const checkpoints: { weights: TensorData[]; learningRate: number }[] = [];
    const now = (): Promise<TensorData[]> => Promise.all(parameters(model).map((p) => p.data()));
    for (let step = 0; step < 20; step++) {
      await optimizer.step(loss(x, y));
      if (step % 10 === 9) checkpoints.push({ weights: await now(), learningRate: 0.5 });
    }
    const before = await now();
    const self = await (await tracIn(loss, model, [x, y], [x, y], { checkpoints })).array(2);
    expect((await now()).map((data) => [...data])).toEqual(before.map((data) => [...data]));
    const own = self.map((row, n) => row[n] as number);
    expect(own.indexOf(Math.max(...own))).toBe(4);
    expect(self[0]?.[4]).toBeLessThan(0); // it works against its likes
    expect(self[0]?.[1]).toBeGreaterThan(0);
    const parts = await Promise.all(
      checkpoints.map((one) => tracIn(loss, model, [x, y], [x, y], { checkpoints: [one] })),
    );
    near(await flat((parts[0] as Tensor).add(parts[1] as Tensor)), self.flat(), 1e-5);
    // the last checkpoint is the model as it is
    near(await flat((await tracIn(loss, model, [x, y], [x, y])).mul(0.5)), await flat(parts[1] as Tensor), 1e-5);
    await expect(
      tracIn(loss, model, [x, y], [x, y], { checkpoints: [{ weights: [], learningRate: 1 }] }),
    ).rejects.toThrow(
      'tracIn: the weights of a checkpoint are not those of the model, in the order of parameters(model).',
    );
  });
});

describe('concepts', () => {
  it('a direction that is there, one that is not, and what rests on it', async () => {
    setSeed(3);
    const inner = new Linear(6, 6);
    const model = (x: Tensor): Tensor =>
      inner
        .forward(x)
        .mul(tensor([1, 0, 0, 0, 0, 0]))
        .sum(1);
    const spread = (): Tensor => normal([40, 6]);
    const shift = tensor([3, 0, 0, 0, 0, 0]);
    const options = { layer: inner };
    const real = await conceptVector(model, spread().add(shift), spread().sub(shift), options);
    const none = await conceptVector(model, spread(), spread(), options);
    expect(real.vector.shape).toEqual([6]);
    expect(real.accuracy).toBeGreaterThan(0.97);
    expect(none.accuracy).toBeLessThan(0.75);
    const way = await real.vector.array(1);
    const along = await inner
      .forward(shift.unsqueeze(0))
      .sub(inner.forward(zeros([1, 6])))
      .array(2);
    const cosine = way.reduce((sum, value, k) => sum + value * (along[0]?.[k] as number), 0);
    expect(cosine).toBeGreaterThan(0);
    const { score, sensitivities } = await tcav(model, spread(), { layer: inner, vector: tensor([1, 0, 0, 0, 0, 0]) });
    expect(score).toBe(1);
    near(await flat(sensitivities), new Array(40).fill(1));
    await expect(tcav(model, spread(), { layer: inner, vector: tensor([1, 0]) })).rejects.toThrow(
      'tcav: the vector is [2], a sample of the layer [6]: take that of conceptVector for this layer.',
    );
  });
});

describe('counterfactuals', () => {
  it('change little, where it may be changed, within the bounds', async () => {
    setSeed(4);
    const model = (x: Tensor): Tensor =>
      x
        .mul(tensor([1, 0.5, 2]))
        .sum(1)
        .sub(4);
    const x = tensor([[1, 1, 0.5], [5, 1, 1]]); // biome-ignore format: rows
    // 1 more of the last is 2 of the score, and the cheapest: it takes (4.1 - 2.5) / 2
    const { inputs, found, distances } = await counterfactual(model, x, { wanted: 1, steps: 120 });
    expect(found).toEqual([true, true]);
    near((await flat(inputs)).slice(0, 3), [1, 1, 1.3], 0.05);
    near((await flat(inputs)).slice(3), [5, 1, 1], 1e-6); // it was there
    near(distances, [0.8, 0], 0.05);
    const fixed = await counterfactual(model, x, {
      wanted: 1,
      changeable: tensor([true, true, false]),
      maximum: 2.2,
      steps: 120,
    });
    const [a = 0, b = 0, c = 0] = await flat(fixed.inputs);
    expect([fixed.found[0], c, a < 2.201, b < 2.201]).toEqual([true, 0.5, true, true]);
    near([a + 0.5 * b], [3.1], 0.1);
    const stuck = await counterfactual(model, x, { wanted: 1, maximum: tensor([1, 1, 1]), steps: 50 });
    expect(stuck.found).toEqual([false, true]);
  });

  it('of classes, by costs', async () => {
    const model = (x: Tensor): Tensor => x.matmul(tensor([[1, 0, 0], [0, 1, 0]])); // biome-ignore format: rows
    const x = tensor([[2, 1]]);
    const { inputs } = await counterfactual(model, x, { wanted: 1, costs: tensor([1, 10]), steps: 100 });
    near(await flat(inputs), [0.9, 1], 0.05);
    await expect(counterfactual(model, x, { wanted: 3 })).rejects.toThrow(
      'counterfactual: wanted is 3, the model gives [1, 3] for 1 samples: it must be a class, 0 to 2, of [N, classes] or [N].',
    );
  });
});

describe('attacks', () => {
  const network = (): Sequential => new Sequential(new Linear(6, 16), new ReLU(), new Linear(16, 3));
  const drops = async (model: Sequential, x: Tensor, y: Tensor, moved: Tensor): Promise<number> => {
    const loss = (given: Tensor): Tensor => crossEntropy(model.forward(given), y);
    return (await loss(moved).sub(loss(x)).item()) as number;
  };

  it('FGSM moves every element by exactly epsilon, PGD no further, and both raise the loss', async () => {
    setSeed(5);
    const model = network();
    const [x, y] = [uniform([4, 6]), labels([0, 1, 2, 0])];
    const once = fgsm(model, x, y, { epsilon: 0.125 });
    near((await flat(once.sub(x))).map(Math.abs), new Array(24).fill(0.125), 1e-6);
    const often = await pgd(model, x, y, { epsilon: 0.125, randomStart: true });
    expect(await often.sub(x).abs().max().item()).toBeLessThanOrEqual(0.1250001);
    const rises = [await drops(model, x, y, once), await drops(model, x, y, often)];
    expect(Math.min(...rises)).toBeGreaterThan(0);
    const round = await pgd(model, x, y, { epsilon: 0.5, norm: 'l2' });
    expect(await round.sub(x).square().sum(1).sqrt().max().item()).toBeLessThanOrEqual(0.50001);
    const towards = fgsm(model, x, y, { epsilon: 0.125, targeted: true, minimum: 0, maximum: 1 });
    expect(await drops(model, x, y, towards)).toBeLessThan(0);
    expect(await towards.min().item()).toBeGreaterThanOrEqual(0);
    expect(await towards.max().item()).toBeLessThanOrEqual(1);
  });

  it('tell what is wrong', async () => {
    const x = uniform([2, 6]);
    expect(() => fgsm(network(), x, labels([0, 1]), { epsilon: 0 })).toThrow('fgsm: epsilon is 0: it is above 0.');
    expect(() => fgsm(network(), x, labels([0]), { epsilon: 1 })).toThrow(
      'fgsm: 1 labels for 2 samples: give one for each.',
    );
    await expect(pgd(network(), x, labels([0, 1]), { epsilon: 1, minimum: 1, maximum: 0 })).rejects.toThrow(
      'pgd: the bounds 1 and 0 leave no room.',
    );
  });
});

describe('judged', () => {
  it('a linear model has explanations without infidelity and without sensitivity', async () => {
    setSeed(6);
    const model = (x: Tensor): Tensor => x.mul(tensor([3, -2])).sum(1);
    const x = tensor([[5, 1], [2, 2]]); // biome-ignore format: rows
    near(await flat(infidelity(model, x, saliency(model, x, { absolute: false }))), [0, 0], 1e-8);
    near(await flat(sensitivity((y) => saliency(model, y), x)), [0, 0], 1e-6);
    const wrong = infidelity(model, x, saliency(model, x), { perturbation: 0.1, samples: 5000 }); // the sign is lost
    near(await flat(wrong), [0.16, 0.16], 0.02); // (2 x 2 x 0.1)^2
    expect(() => infidelity(model, x, tensor([1]))).toThrow(
      'infidelity: the attributions of input 0 are not of its shape, [2, 2].',
    );
  });

  it('what bends is sensitive: |x| at most by the radius over x', async () => {
    const model = (x: Tensor): Tensor => x.square().sum(1).mul(0.5);
    const found = await flat(sensitivity((y) => saliency(model, y), tensor([[1]]), { radius: 0.1, samples: 200 }));
    expect(found[0]).toBeLessThanOrEqual(0.1001);
    expect(found[0]).toBeGreaterThan(0.09);
  });
});

it('a planted shortcut: the attribution is on the planted pixel, and without it the network has to look', async () => {
  setSeed(7);
  const count = 128;
  const y = labels(Array.from({ length: count }, (_, n) => n % 2));
  // noisy bars (rows or columns), and in the corner a pixel that gives the class away
  const noise = await uniform([count, 8, 8]).data();
  const make = (planted: boolean): Tensor => {
    const data = Float32Array.from(noise, (value) => value * 0.8);
    for (let n = 0; n < count; n++) {
      const at = (n * 5) % 8;
      for (let k = 0; k < 8; k++) data[n * 64 + (n % 2 ? k * 8 + at : at * 8 + k)]! += 0.25;
      data[n * 64] = planted ? (n % 2) * 4 - 2 : 0;
    }
    return tensor(data, { shape: [count, 8, 8] });
  };
  const train = async (x: Tensor): Promise<Sequential> => {
    const model = new Sequential(new Flatten(), new Linear(64, 16), new ReLU(), new Linear(16, 2));
    const optimizer = new SGD(model, { learningRate: 0.2, momentum: 0.9, weightDecay: 0.03 });
    for (let step = 0; step < 80; step++) await optimizer.step(crossEntropy(model.forward(x), y));
    return model;
  };
  const shareOfPixel = async (model: Sequential, x: Tensor): Promise<number> => {
    const target = (output: Tensor): Tensor =>
      output
        .slice([0, 1], [null, 2])
        .sub(output.slice([0, 0], [null, 1]))
        .reshape([count]);
    // the baseline is the mean picture: what the pictures have in common explains no class
    const { attributions } = integratedGradients(model, x, { target, baseline: x.mean(0) });
    const mass: Float32Array = await attributions.abs().mean(0).data('float32');
    return mass[0]! / mass.reduce((sum, value) => sum + value, 0);
  };
  const fooled = await train(make(true));
  expect(await shareOfPixel(fooled, make(true))).toBeGreaterThan(0.9);
  const accuracy = async (model: Sequential, x: Tensor): Promise<number> =>
    model.forward(x).argMax(1).equal(y).cast('float32').mean().item();
  expect(await accuracy(fooled, make(true))).toBe(1);
  expect(await accuracy(fooled, make(false))).toBeLessThan(0.8); // it never looked at the bars
  const honest = await train(make(false));
  expect(await shareOfPixel(honest, make(true))).toBeLessThan(0.2);
  expect(inputTimesGradient(honest, make(false), { target: 0 }).shape).toEqual([count, 8, 8]);
});
