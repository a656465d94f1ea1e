/** Networks that make pictures: against PyTorch's layers and closed forms, and that a few steps make their losses smaller. */
import { cpu } from '@nn/backend-cpu';
import { evaluate, namedParameters, normal, setDefaultBackend, setSeed, type Tensor, tensor, zeros } from '@nn/core';
import { meanSquaredError } from '@nn/layers';
import { Adam } from '@nn/optim';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/generative.json';
import {
  Autoencoder,
  cosineSchedule,
  DcganDiscriminator,
  DcganGenerator,
  DenoisingUNet,
  Diffusion,
  discriminatorLoss,
  gaussianDivergence,
  generatorLoss,
  linearSchedule,
  stepEmbedding,
  VariationalAutoencoder,
} from '../index.ts';
import { fillWeights, noise, signature } from '../testing.ts';

beforeAll(() => setDefaultBackend(cpu()));
beforeEach(() => setSeed(4));

/** The largest difference. */
async function apart(x: Tensor, expected: ArrayLike<number>): Promise<number> {
  const values = await x.data();
  expect(values.length).toBe(expected.length);
  return Math.max(...Array.from(expected, (value, i) => Math.abs(value - values[i]!)));
}

/** Bright bars across or along dark pictures of 8 x 8, 0 to 1. */
function bars(count: number): Tensor {
  const values = new Float32Array(count * 64);
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < 64; i++) values[64 * n + i] = (n % 2 === 0 ? i % 8 : i >> 3) === (n >> 1) % 8 ? 1 : 0;
  }
  return tensor(values, { shape: [count, 1, 8, 8] });
}

async function falls(steps: number, share: number, step: () => Promise<number>): Promise<void> {
  const first = await step();
  let last = first;
  for (let k = 1; k < steps; k++) last = await step();
  expect(last).toBeLessThan(share * first);
}

describe('autoencoders', () => {
  const size = { width: 8, height: 8 };

  it('an autoencoder learns to give back what it was given', async () => {
    const model = new Autoencoder({ size, latent: 6, width: 4 });
    const optimizer = new Adam(model, { learningRate: 0.01 });
    const x = bars(16);
    await falls(40, 0.6, async () => {
      const loss = meanSquaredError(model.forward(x), x);
      await optimizer.step(loss);
      return loss.item();
    });
    expect(() => new Autoencoder({ size: { width: 10, height: 8 } })).toThrow(
      'Autoencoder: 10 x 8 pixels cannot be halved 2 times: the sides must be divisible by 4.',
    );
  });

  it('the divergence of codes is that of torch.distributions, and 0 of standard ones', async () => {
    const [mean, logVariance] = ['mean', 'logVariance'].map((name) =>
      tensor(
        noise(name, 12).map((value) => 3 * value),
        { shape: [3, 4] },
      ),
    );
    expect(
      await apart(gaussianDivergence({ mean: mean!, logVariance: logVariance! }), fixtures.divergence),
    ).toBeLessThan(1e-5);
    expect(await gaussianDivergence({ mean: zeros([1, 4]), logVariance: zeros([1, 4]) }).array()).toEqual([0]);
  });

  it('the lower bound is what its parts say, and rises', async () => {
    const model = new VariationalAutoencoder({ size, latent: 4, width: 4 });
    const x = bars(16);
    // an encoder that answers 0 and a decoder that answers 0: codes are standard, each pixel costs log 2
    for (const part of [model.encoder, model.decoder]) {
      for (const [, weight] of namedParameters(part)) weight.assign(weight.mul(0));
    }
    const { reconstruction, divergence } = evaluate(() => model.loss(x));
    expect(await reconstruction.item()).toBeCloseTo(64 * Math.log(2), 3);
    expect(await divergence.item()).toBe(0);

    const learner = new VariationalAutoencoder({ size, latent: 4, width: 8 });
    const optimizer = new Adam(learner, { learningRate: 0.01 });
    await falls(60, 0.75, async () => {
      const parts = learner.loss(x);
      const loss = parts.reconstruction.add(parts.divergence);
      await optimizer.step(loss);
      return loss.item();
    });
    const made = await evaluate(() => learner.sample(5)).data();
    expect(made.length).toBe(5 * 64);
    expect(Math.min(...made)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...made)).toBeLessThanOrEqual(1);
  });
});

describe('diffusion', () => {
  it('schedules are those of the papers', () => {
    const of = (variances: Float64Array, every: number): number[] =>
      [...new Diffusion({ variances }).left].filter((_, t) => t % every === 0);
    of(linearSchedule(1000), 111).forEach((value, i) => {
      expect(value / fixtures.schedules.linear[i]!).toBeCloseTo(1, 8);
    });
    of(cosineSchedule(100), 11).forEach((value, i) => {
      expect(value / fixtures.schedules.cosine[i]!).toBeCloseTo(1, 8);
    });
    expect(() => new Diffusion({ variances: [0.1, 1] })).toThrow(
      'Diffusion: the variance of step 1 is 1: it must be above 0 and below 1.',
    );
  });

  it('adds noise so that the variance of standard pictures stays', async () => {
    const diffusion = new Diffusion({ variances: linearSchedule(50) });
    const [x, added] = [normal([50, 400]), normal([50, 400])];
    const step = tensor(Int32Array.from({ length: 50 }, (_, i) => i));
    const noisy = diffusion.noised(x, added, step);
    const spread = await noisy.square().mean(1).array(1);
    for (const variance of spread) expect(Math.abs(variance - 1)).toBeLessThan(0.35);
    expect(await apart(diffusion.noiseOf(noisy, x, step).sub(added), new Float32Array(20_000))).toBeLessThan(1e-3);
  });

  it('finds the only picture there is, in any number of steps and with any chance', async () => {
    const diffusion = new Diffusion({ variances: cosineSchedule(40) });
    const only = tensor([[0.25, -0.5, 1]]);
    const knowing = (x: Tensor, step: Tensor): Tensor => diffusion.noiseOf(x, only.expand(x.shape), step);
    for (const [steps, eta] of [
      [1, 0],
      [7, 0],
      [40, 0],
      [40, 1],
      [10, 0.5],
    ] as const) {
      const made = await diffusion.sample(knowing, [4, 3], { steps, eta, clip: false });
      expect(
        await apart(
          made,
          [0, 1, 2, 3].flatMap(() => [0.25, -0.5, 1]),
        ),
        `${steps} ${eta}`,
      ).toBeLessThan(2e-3);
    }
  });

  // for pictures of N(0, s^2) the best answer is known: noise = sqrt(1 - a) x / (a s^2 + 1 - a)
  const optimal =
    (diffusion: Diffusion, variance: number) =>
    (x: Tensor, step: Tensor): Tensor => {
      const left = tensor(Float32Array.from(diffusion.left)).gather(step).unsqueeze(1);
      const rest = left.neg().add(1);
      return x.mul(rest.sqrt()).div(left.mul(variance).add(rest));
    };

  it.each([0, 1])('draws a normal distribution with the variance it learned, eta %d', async (eta) => {
    const diffusion = new Diffusion({ variances: cosineSchedule(100) });
    const made = await diffusion.sample(optimal(diffusion, 0.25), [1, 4000], { eta, clip: false });
    // exactly in the limit of many steps
    expect(Math.abs(Math.sqrt(await made.square().mean().item()) - 0.5)).toBeLessThan(0.05);
  });

  it('one step with eta 1 has the mean and the variance of the posterior of Ho et al. (2020), equation 7', async () => {
    const variances = linearSchedule(20);
    const diffusion = new Diffusion({ variances });
    const { left } = diffusion;
    // two steps of two: from step 19 to step 9, whose a and b the formula has in place of neighbours'
    const [a, before] = [left[19]!, left[9]!];
    const alpha = a / before;
    const start = 0.8;
    const picture = 0.3;
    const mean = (Math.sqrt(before) * (1 - alpha) * picture + Math.sqrt(alpha) * (1 - before) * start) / (1 - a);
    const variance = ((1 - before) / (1 - a)) * (1 - alpha);
    const seen: Tensor[] = [];
    const knowing = (x: Tensor, step: Tensor): Tensor => {
      seen.push(x);
      return diffusion.noiseOf(x, x.mul(0).add(picture), step);
    };
    const begun = tensor(new Float32Array(5000).fill(start), { shape: [1, 5000] });
    await diffusion.sample(knowing, [1, 5000], { steps: 2, eta: 1, noise: begun });
    const values = await seen[1]!.flatten().array(1);
    const average = values.reduce((sum, each) => sum + each, 0) / values.length;
    const spread = values.reduce((sum, each) => sum + (each - average) ** 2, 0) / values.length;
    expect(Math.abs(average - mean)).toBeLessThan(4 * Math.sqrt(variance / values.length));
    expect(Math.abs(spread / variance - 1)).toBeLessThan(0.1);
  });

  it('equal noise makes equal pictures; an abort stops; wrong counts are refused', async () => {
    const diffusion = new Diffusion({ variances: cosineSchedule(10) });
    const network = new DenoisingUNet({ width: 4, multipliers: [1] });
    const denoise = (x: Tensor, step: Tensor): Tensor => network.forward(x, step);
    const begun = tensor(await normal([2, 1, 4, 4]).data(), { shape: [2, 1, 4, 4] });
    const [one, other] = [0, 1].map(() => diffusion.sample(denoise, [2, 1, 4, 4], { noise: begun }));
    expect(await apart(await one!, await (await other!).data())).toBe(0);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(diffusion.sample(denoise, [1, 1, 4, 4], { signal })).rejects.toThrow('enough');
    await expect(diffusion.sample(denoise, [1, 1, 4, 4], { steps: 11 })).rejects.toThrow(
      'sample: steps is 11: a whole number from 1 to the 10 of the schedule.',
    );
  });

  it('a network of classes learns which noise was added', async () => {
    const diffusion = new Diffusion({ variances: cosineSchedule(20) });
    const network = new DenoisingUNet({ width: 8, classes: 2 });
    const x = bars(16).mul(2).sub(1);
    const labels = tensor(Int32Array.from({ length: 16 }, (_, n) => n % 2));
    // the first answer is 0, and the mean square of the noise is 1
    expect(await diffusion.loss((noisy, step) => network.forward(noisy, step, labels), x).item()).toBeCloseTo(1, 0);
    const optimizer = new Adam(network, { learningRate: 0.005 });
    await falls(60, 0.7, async () => {
      const loss = diffusion.loss((noisy, step) => network.forward(noisy, step, labels), x);
      await optimizer.step(loss);
      return loss.item();
    });
    const step = tensor(new Int32Array(1));
    expect(() => network.forward(zeros([1, 1, 8, 8]), step)).toThrow('DenoisingUNet: it has classes: give the labels.');
    expect(() => network.forward(zeros([1, 1, 7, 8]), step, step)).toThrow(
      'DenoisingUNet: 8 x 7 pixels: the sides must be divisible by 2.',
    );
  });

  it('steps are waves', async () => {
    const waves = await stepEmbedding(tensor(Int32Array.of(0, 3)), 4).array(2);
    const expected = [0, 3].map((t) => [Math.sin(t), Math.sin(t / 100), Math.cos(t), Math.cos(t / 100)]);
    waves.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(expected.flat()[i]!, 6);
    });
  });
});

describe('the pair of DCGAN', () => {
  const options = { size: 16, channels: 2, width: 3 };

  it('equals PyTorch with the same weights', async () => {
    const [generator, discriminator] = [new DcganGenerator({ ...options, latent: 5 }), new DcganDiscriminator(options)];
    expect([signature(generator), signature(discriminator)]).toEqual(fixtures.gan.signatures);
    const code = tensor(
      noise('code', 15).map((value) => 2 * value),
      { shape: [3, 5, 1, 1] },
    );
    for (const mode of ['evaluation', 'training'] as const) {
      fillWeights(generator);
      fillWeights(discriminator);
      const answer = (): readonly [Tensor, Tensor] => {
        const made = generator.forward(code);
        return [made, discriminator.forward(made)];
      };
      const [made, logits] = mode === 'evaluation' ? evaluate(answer) : answer();
      expect(await apart(made, fixtures.gan[mode].made), mode).toBeLessThan(1e-4);
      expect(await apart(logits, fixtures.gan[mode].logits), mode).toBeLessThan(1e-3);
    }
    expect(() => new DcganGenerator({ size: 28 })).toThrow(
      'DcganGenerator: size is 28: it must be 8, 16, 32 or a further power of 2.',
    );
  });

  it('each side learns against the other', async () => {
    const generator = new DcganGenerator({ size: 8, channels: 1, width: 8, latent: 4 });
    const discriminator = new DcganDiscriminator({ size: 8, channels: 1, width: 8 });
    const settings = { learningRate: 0.002, betas: [0.5, 0.999] } as const;
    const [forger, judge] = [new Adam(generator, settings), new Adam(discriminator, settings)];
    const real = bars(16).mul(2).sub(1);
    const weights = async (model: object): Promise<number[]> =>
      Promise.all([...namedParameters(model).values()].slice(0, 1).map((each) => each.square().sum().item()));
    await falls(25, 0.8, async () => {
      const made = generator.forward(generator.noise(16)).stopGradient();
      const loss = discriminatorLoss(discriminator.forward(real), discriminator.forward(made));
      await judge.step(loss);
      return loss.item();
    });
    const before = await weights(discriminator);
    await falls(25, 0.8, async () => {
      const loss = generatorLoss(discriminator.forward(generator.forward(generator.noise(16))));
      await forger.step(loss);
      return loss.item();
    });
    expect(await weights(discriminator)).toEqual(before);
  });
});
