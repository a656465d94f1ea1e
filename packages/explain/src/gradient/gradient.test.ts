/** The methods that go by gradients: against definitions written out in PyTorch, closed forms, and what must always hold. */
import { cpu } from '@nn/backend-cpu';
import {
  applyChainRule,
  type Backend,
  concat,
  gradients,
  interpolate,
  type Parameter,
  setDefaultBackend,
  setSeed,
  type Tensor,
  tensor,
  traceGraph,
  withChainRule,
} from '@nn/core';
import {
  Conv2d,
  Embedding,
  Flatten,
  GELU,
  LayerNorm,
  Linear,
  MaxPool2d,
  MultiheadAttention,
  ReLU,
  Sequential,
  Tanh,
} from '@nn/layers';
import { beforeAll, describe, expect, it } from 'vitest';
import golden from '../../fixtures/golden.json';
import {
  deconvolution,
  deepLift,
  gradCam,
  gradientShap,
  guidedBackpropagation,
  guidedGradCam,
  inputTimesGradient,
  integratedGradients,
  layerConductance,
  layerIntegratedGradients,
  neuronConductance,
  saliency,
  smoothGrad,
} from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));

/** The network of scripts/golden/explanations.py. */
function network(): Sequential {
  const { weights } = golden;
  const [conv, first, last] = [new Conv2d(1, 3, 3), new Linear(12, 4), new Linear(4, 3)];
  const set = (to: Parameter | null, values: number[]): void => to?.assign(tensor(values).reshape(to.shape));
  set(conv.weight, weights.conv_w);
  set(conv.bias, weights.conv_b);
  set(first.weight, weights.lin_w);
  set(first.bias, weights.lin_b);
  set(last.weight, weights.out_w);
  set(last.bias, weights.out_b);
  return new Sequential(conv, new ReLU(), new MaxPool2d(2), new Flatten(), first, new ReLU(), new Tanh(), last);
}
const picture = (): Tensor => tensor(golden.x).reshape([2, 1, 6, 6]);
const base = (): Tensor => tensor(golden.base).reshape([1, 6, 6]);
const flat = async (x: Tensor): Promise<number[]> => [...(await x.data())];

async function expectClose(found: Tensor, wanted: readonly number[], tolerance = 1e-4): Promise<void> {
  const values = await flat(found);
  expect(values).toHaveLength(wanted.length);
  values.forEach((value, i) => {
    expect(Math.abs(value - (wanted[i] as number)), `element ${i}`).toBeLessThan(tolerance);
  });
}
const expectZero = (x: Tensor, tolerance = 1e-4): Promise<void> => expectClose(x, new Array(x.size).fill(0), tolerance);

describe('against PyTorch', () => {
  it('saliency', () => expectClose(saliency(network(), picture(), { target: 1 }), golden.saliency));

  it('integrated gradients', async () => {
    const found = integratedGradients(network(), picture(), { target: 1, baseline: base(), steps: 400 });
    await expectClose(found.attributions, golden.integrated, 4e-3); // kinks: 4,000 steps there, 400 here
    await expectZero(found.convergenceDelta, 4e-3);
  });

  it('Grad-CAM, guided backpropagation, and both', async () => {
    const options = { layer: '1', target: 1 };
    const cam = gradCam(network(), picture(), options);
    expect(cam.shape).toEqual([2, 1, 4, 4]);
    await expectClose(cam, golden.cam);
    await expectClose(guidedBackpropagation(network(), picture(), { target: 1 }), golden.guided);
    await expectClose(guidedGradCam(network(), picture(), options), golden.guidedCam);
    expect(interpolate(cam, { size: [6, 6], mode: 'bilinear' }).shape).toEqual([2, 1, 6, 6]);
  });

  it('DeepLift, through convolution, ReLU, max pooling and tanh', async () => {
    const found = deepLift(network(), picture(), { target: 1, baseline: base() });
    await expectClose(found.attributions, golden.deepLift);
    await expectZero(found.convergenceDelta);
  });

  it('the conductance of a layer, and of its neurons', async () => {
    const options = { target: 1, baseline: base(), steps: 300, layer: '6' };
    const layer = layerConductance(network(), picture(), options);
    await expectClose(layer.attributions, golden.conductance, 5e-3);
    for (const neuron of [0, 3]) {
      const through = neuronConductance(network(), picture(), { ...options, neuron });
      const wanted = layer.attributions.slice([0, neuron], [null, neuron + 1]);
      await expectClose(through.sum([1, 2, 3]), await flat(wanted), 2e-3);
    }
  });
});

describe('closed forms', () => {
  const cubic = (x: Tensor): Tensor =>
    x
      .slice([0, 0], [null, 1])
      .mul(x.slice([0, 1]).square())
      .sum(1);

  it('integrated gradients of x1 x2^2 are F/3 and 2F/3, exact with two nodes', async () => {
    const x = tensor([[3, 2], [-1, 4]]); // biome-ignore format: rows
    const { attributions, convergenceDelta } = integratedGradients(cubic, x, { steps: 2 });
    await expectClose(attributions, [4, 8, -16 / 3, -32 / 3]);
    await expectZero(convergenceDelta);
  });

  it('the weights of a trapezoid sum to 1', async () => {
    const line = (x: Tensor): Tensor => x.sum(1);
    const { attributions } = integratedGradients(line, tensor([[2, 5]]), { method: 'trapezoid', steps: 5 });
    await expectClose(attributions, [2, 5]);
    const half = integratedGradients(cubic, tensor([[3, 2]]), { method: 'midpoint', steps: 200 });
    await expectClose(half.attributions, [4, 8], 1e-3);
  });

  it('noise on a quadratic: the mean is A x, the variance s^2 times the squared norms of the rows', async () => {
    setSeed(3);
    const a = tensor([[2, 1], [1, 3]]); // biome-ignore format: rows
    const model = (x: Tensor): Tensor => x.matmul(a).mul(x).sum(1).mul(0.5);
    const slope = (x: Tensor): Tensor => saliency(model, x, { absolute: false });
    const options = { samples: 20_000, standardDeviation: 0.5 };
    const x = tensor([[1, -2]]);
    await expectClose(smoothGrad(slope, x, options), [0, -5], 0.05);
    await expectClose(smoothGrad(slope, x, { ...options, kind: 'variance' }), [5 / 4, 10 / 4], 0.1);
    await expectClose(smoothGrad(slope, x, { ...options, kind: 'square' }), [5 / 4, 25 + 10 / 4], 0.3);
  });

  it('expected gradients tend to integrated ones', async () => {
    setSeed(3);
    const { attributions, convergenceDelta } = gradientShap(cubic, tensor([[3, 2]]), {
      baselines: tensor([[0, 0]]),
      samples: 20_000,
    });
    await expectClose(attributions, [4, 8], 0.2);
    await expectZero(convergenceDelta, 0.3);
  });

  it('expected gradients of a sum are exact for any baselines', async () => {
    const line = (x: Tensor): Tensor => x.mul(tensor([2, -1])).sum(1);
    const { attributions } = gradientShap(line, tensor([[4, 1]]), { baselines: tensor([[1, 3]]), samples: 3 });
    await expectClose(attributions, [6, 2]);
  });

  it('the input times the gradient of a linear model is w x', async () => {
    const line = (x: Tensor): Tensor => x.matmul(tensor([[1], [2], [-3]]));
    await expectClose(inputTimesGradient(line, tensor([[1, 2, 3]])), [1, 4, -9]);
  });

  it("Grad-CAM of the one-convolution network of Captum's tests", async () => {
    const [conv, last] = [new Conv2d(1, 2, 3), new Linear(8, 4)];
    conv.weight.assign(tensor(new Float32Array(18).fill(1)).reshape([2, 1, 3, 3]));
    conv.bias?.assign(tensor([-50, -75]));
    last.weight.assign(tensor(Array.from({ length: 4 }, () => [1, 1, 1, 1, 1, -1, -1, -1])));
    last.bias?.assign(tensor([0, 0, 0, 0]));
    const model = new Sequential(conv, new ReLU(), new Flatten(), last, new ReLU());
    const x = tensor(Float32Array.from({ length: 16 }, (_, i) => i)).reshape([1, 1, 4, 4]);
    await expectClose(gradCam(model, x, { layer: conv, target: 0 }), [11.25, 13.5, 20.25, 22.5]);
  });

  it('a max model gives the difference to the element that is largest', async () => {
    const model = (x: Tensor): Tensor => x.max(1);
    const baseline = tensor([[1, 2, 3, 9], [4, 8, 6, 7]]); // biome-ignore format: rows
    const { attributions } = deepLift(model, tensor([[1, 1, 1, 1], [1, 1, 1, 1]]), { baseline }); // biome-ignore format: rows
    await expectClose(attributions, [0, 0, 0, -8, 0, -7, 0, 0]);
  });
});

describe('DeepLift is complete', () => {
  const check = async (model: (x: Tensor) => Tensor, x: Tensor, baseline: number | Tensor = 0): Promise<void> => {
    const { attributions, convergenceDelta, scores, baselineScores } = deepLift(model, x, { baseline });
    await expectZero(convergenceDelta, 2e-4);
    const [moved] = await flat(scores.sub(baselineScores).abs().sum());
    expect(moved).toBeGreaterThan(1e-3); // there is something to explain
    expect((await flat(attributions)).some((value) => Math.abs(value) > 1e-4)).toBe(true);
  };
  const x = (): Tensor => tensor([[0.7, -1.2, 2, 0.4], [-0.3, 0.9, -2, 1.5]]); // biome-ignore format: rows
  const sum = (f: (x: Tensor) => Tensor) => (y: Tensor) =>
    f(y)
      .mul(tensor([1, 2, -1, 0.5]))
      .sum(1);

  it.each<[string, (x: Tensor) => Tensor]>([
    ['relu', (y) => y.relu()],
    ['sigmoid', (y) => y.sigmoid()],
    ['gelu', (y) => y.gelu()],
    ['silu', (y) => y.silu()],
    ['softplus', (y) => y.softplus()],
    ['abs', (y) => y.abs()],
    ['clamp', (y) => y.clamp(-1, 1)],
    ['softmax', (y) => y.softmax(1)],
    ['logSoftmax', (y) => y.logSoftmax(1)],
    ['a quotient', (y) => y.div(y.square().add(1))],
    ['a choice', (y) => y.maximum(y.mul(0.1))],
    ['the smaller of two', (y) => y.minimum(y.flip(1))],
    ['a power', (y) => y.square().add(1).pow(0.3)],
    ['a product of two that change', (y) => y.mul(y.flip(1)).mul(y)],
    ['sorting out the largest', (y) => y.mul(y.max(1, { keepAxes: true }))],
  ])('through %s', async (_, f) => {
    await check(sum(f), x());
    await check(sum(f), x(), tensor([0.5, 0.5, -0.5, 1]));
  });

  it('through normalisation, attention and a network around them', async () => {
    setSeed(4);
    const attention = new MultiheadAttention(4, 2, { batchFirst: true });
    const [norm, gelu, out] = [new LayerNorm(4), new GELU(), new Linear(12, 1)];
    const model = (y: Tensor): Tensor => {
      const z = norm.forward(y.add(attention.forward(y)));
      return out.forward(gelu.forward(z).reshape([2, 12]));
    };
    const tokens = tensor(Float32Array.from({ length: 24 }, (_, i) => Math.sin(3 * i))).reshape([2, 3, 4]);
    await check(model, tokens, 0.1);
  });

  it('equals the gradient times the difference where no ReLU turns', async () => {
    const model = (y: Tensor): Tensor =>
      y
        .mul(tensor([1, 2, 3, 4]))
        .add(100)
        .relu()
        .sum(1);
    const { attributions } = deepLift(model, x());
    await expectClose(attributions, await flat(x().mul(tensor([1, 2, 3, 4]))));
  });

  it('names the operation that has no rule', () => {
    const sorted = (y: Tensor): Tensor => y.sort(1).values.slice([0, 0], [null, 1]).reshape([2]);
    const own = (y: Tensor): Tensor => y.logSumExp(1);
    expect(() => deepLift(own, x())).toThrow(
      'deepLift: there is no rule of differences for an operation with a gradient of its own (of add): explain the model up to there, or take integratedGradients.',
    );
    expect(() => deepLift(sorted, x())).not.toThrow(); // a permutation, with a gather
  });

  it('refuses a model that goes another way with the baseline', () => {
    let calls = 0;
    const model = (y: Tensor): Tensor => (calls++ === 0 ? y.exp() : y.tanh()).sum(1);
    expect(() => deepLift(model, x())).toThrow(
      'deepLift: the model does exp with the input and tanh with the baseline: it must do the same with both.',
    );
  });
});

it('50 steps of integrated gradients are one program, scores and convergence with them', async () => {
  const inner = cpu();
  let runs = 0;
  const counting: Backend = {
    name: inner.name,
    limits: inner.limits,
    upload: (data, type) => inner.upload(data, type),
    download: (buffer) => inner.download(buffer),
    release: (buffer) => inner.release(buffer),
    idle: () => inner.idle(),
    compile: async (program) => {
      const made = await inner.compile(program);
      return {
        run: (inputs, scalars) => {
          runs++;
          return made.run(inputs, scalars);
        },
        release: () => made.release(),
      };
    },
  };
  setDefaultBackend(counting);
  try {
    const model = network();
    await model.forward(picture()).data(); // the weights are there
    runs = 0;
    const { attributions, convergenceDelta } = integratedGradients(model, picture(), { target: 1, steps: 50 });
    await Promise.all([attributions.data(), convergenceDelta.data()]);
    expect(runs).toBe(1);
  } finally {
    setDefaultBackend(cpu());
  }
});

describe('any model as it is', () => {
  it('several inputs, each with its attribution', async () => {
    const model = (a: Tensor, b: Tensor): Tensor => a.mul(b.sum(1, { keepAxes: true })).sum(1);
    const [a, b] = [tensor([[1, 2]]), tensor([[3, 4, 5]])];
    const [ofA, ofB] = saliency(model, [a, b]);
    expect(ofA.shape).toEqual([1, 2]);
    await expectClose(ofB, [3, 3, 3]);
    for (const method of [integratedGradients, deepLift]) {
      const { attributions, convergenceDelta } = method(model, [a, b], { baseline: [0, tensor([1, 1, 1])] });
      expect(attributions[1].shape).toEqual([1, 3]);
      await expectZero(convergenceDelta, 1e-3);
    }
  });

  it('an embedding, whose indices have no gradient', async () => {
    setSeed(5);
    const model = new Sequential(new Embedding(10, 4), new Tanh(), new Flatten(), new Linear(12, 2));
    const words = tensor([[3, 1, 7], [2, 2, 9]], { dtype: 'int32' }); // biome-ignore format: rows
    const found = layerIntegratedGradients(model, words, { layer: '0', target: [1, 0] });
    expect(found.attributions.shape).toEqual([2, 3, 4]);
    await expectZero(found.convergenceDelta, 1e-3);
    await expectClose(
      found.baselineScores,
      await flat(
        concat(
          [model.forward(words.mul(0)).slice([0, 1], [1, 2]), model.forward(words.mul(0)).slice([0, 0], [1, 1])],
          0,
        ).reshape([2]),
      ),
    );
  });

  it('a ReLU however it is written, and the model is as it was', async () => {
    const layer = new ReLU();
    const own = Object.getOwnPropertyNames(layer);
    const model = new Sequential(new Linear(2, 2), layer, new Linear(2, 1));
    const written = (x: Tensor): Tensor =>
      x
        .maximum(0)
        .mul(tensor([1, -1]))
        .sum(1);
    await expectClose(guidedBackpropagation(written, tensor([[2, 3]])), [1, 0]);
    await expectClose(deconvolution(written, tensor([[-2, 3]])), [1, 0]);
    layerConductance(model, tensor([[1, 2]]), { layer: '1' });
    expect(Object.getOwnPropertyNames(layer)).toEqual(own);
  });

  it('targets: one, one for each, a tensor, a function', async () => {
    const model = (x: Tensor): Tensor => x.matmul(tensor([[1, 2], [3, 4]])); // biome-ignore format: rows
    const x = tensor([[1, 1], [1, 1]]); // biome-ignore format: rows
    await expectClose(saliency(model, x, { target: 1 }), [2, 4, 2, 4]);
    await expectClose(saliency(model, x, { target: [0, 1] }), [1, 3, 2, 4]);
    await expectClose(saliency(model, x, { target: tensor([0, 1], { dtype: 'int32' }) }), [1, 3, 2, 4]);
    await expectClose(saliency(model, x, { target: (y) => y.sum(1) }), [3, 7, 3, 7]);
  });

  it('tells what is wrong', () => {
    const model = (x: Tensor): Tensor => x;
    const x = tensor([[1, 2], [3, 4]]); // biome-ignore format: rows
    expect(() => saliency(model, x)).toThrow(
      'saliency: the model gives [2, 2]: say which of the 2 classes, { target: 0 }, or one for each sample.',
    );
    expect(() => saliency(model, x, { target: 2 })).toThrow(
      "saliency: target is 2: the model's output has the classes 0 to 1.",
    );
    expect(() => saliency(model, x, { target: [1] })).toThrow(
      'saliency: 1 targets for 2 samples: give one class for all, or one for each.',
    );
    expect(() => saliency((y) => y.unsqueeze(2), x)).toThrow(
      'saliency: the model made [2, 2, 1] of 2 samples: with other outputs than [2] and [2, classes], target must be a function that makes [2] of them.',
    );
    expect(() => integratedGradients(model, x, { target: 0, baseline: tensor([1, 2, 3]) })).toThrow(
      'integratedGradients: the baseline [3] does not spread over the input [2, 2]: give one sample [2], one for each, or a number.',
    );
    expect(() => integratedGradients(model, x, { target: 0, steps: 0 })).toThrow(
      'integratedGradients: steps is 0: it is a whole number of at least 1.',
    );
    expect(() => gradCam(new Sequential(new ReLU()), x, { layer: 'conv', target: 0 })).toThrow(
      "gradCam: the model has no layer 'conv': there are 0.",
    );
    expect(() => gradCam(new Sequential(new ReLU()), x, { layer: '0', target: 0 })).toThrow(
      'gradCam: the layer ReLU() gives [2, 2]: choose one whose result is [N, channels, ...space].',
    );
    const twice = new Tanh();
    const both = (y: Tensor): Tensor => twice.forward(twice.forward(y));
    expect(() => layerConductance(both, x, { layer: twice, target: 0 })).toThrow(
      'layerConductance: the layer Tanh() was called 2 times when the model is called: choose one that is called once and gives a tensor.',
    );
    expect(() => neuronConductance(new Sequential(new ReLU()), x, { layer: '0', neuron: 2, target: 0 })).toThrow(
      'neuronConductance: the layer gives [2, 2], which has no neuron [2].',
    );
  });
});

describe('rules from outside', () => {
  it('of core: what a rule gives must fit, and another point may be taken', async () => {
    const x = tensor([1, 2]);
    expect(() =>
      withChainRule(
        () => [tensor([1])],
        () => gradients(x.exp().sum(), [x]),
      ),
    ).toThrow('withChainRule: the rule for sum gave [1] for an input of the shape [2].');
    const { result, nodeOf } = traceGraph(() => x.mul(tensor([3, 4])));
    const [left] = applyChainRule(nodeOf(result), tensor([1, 1]), [x, tensor([30, 40])]);
    expect(await left?.array()).toEqual([30, 40]);
    expect(() => applyChainRule(nodeOf(result), tensor([1]))).toThrow(
      'applyChainRule: the cotangent [1] must have the shape of the result, [2].',
    );
    const [plain] = gradients(x.exp().sum(), [x]); // the rule is gone
    expect((await plain.array(1)).map((value) => value.toFixed(3))).toEqual(['2.718', '7.389']);
  });
});
