/**
 * A generator against a discriminator in the plane (Goodfellow et al. 2014): one turns noise into points, the other tells them
 * from real ones, and each learns from the other.
 *
 *     L_D = mean softplus(-D(x)) + mean softplus(D(G(z)))      L_G = mean softplus(-D(G(z)))
 */
import { type CompiledFunction, compile, concat, gradients, setSeed, stack, type Tensor, tensor } from '@nn/core';
import { blobs, circles, moons, RandomSequence, spirals } from '@nn/data';
import { LeakyReLU, Linear, ReLU, Sequential } from '@nn/layers';
import { Adam } from '@nn/optim';
import { type GanFrame, type GeneratorSettings, mapSide, pointCount, reach, type ShapeName } from './protocol.ts';

const batchSize = 128;
const poolSize = 2000;
const width = 32;
/** How near a made point must be to a real one. */
const near = 0.12;

const softplus = (x: Tensor): Tensor => x.relu().add(x.abs().neg().exp().add(1).log());

export class Gan {
  readonly #settings: GeneratorSettings;
  readonly #run: number;
  readonly #pool: Float32Array;
  readonly #random: RandomSequence;
  readonly #fixedNoise: Float32Array;
  readonly #teachDiscriminator: CompiledFunction<[Tensor, Tensor], Tensor>;
  readonly #teachGenerator: CompiledFunction<[Tensor], Tensor>;
  readonly #show: CompiledFunction<[Tensor, Tensor], Tensor>;
  #step = 0;
  #losses: readonly [number, number] = [Number.NaN, Number.NaN];

  constructor(settings: GeneratorSettings, run: number) {
    const { shape, generatorRate, discriminatorRate, seed } = settings;
    this.#settings = settings;
    this.#run = run;
    setSeed(seed);
    this.#random = new RandomSequence(seed);
    this.#pool = pointsOf(shape, seed);
    this.#fixedNoise = this.#noise(pointCount);
    const generator = new Sequential(
      ...[new Linear(2, width), new ReLU(), new Linear(width, width), new ReLU(), new Linear(width, 2)],
    );
    const discriminator = new Sequential(
      ...[
        new Linear(2, width),
        new LeakyReLU({ slope: 0.2 }),
        new Linear(width, width),
        new LeakyReLU({ slope: 0.2 }),
        new Linear(width, 1),
      ],
    );
    const options = { betas: [0.5, 0.99] as const };
    const ofDiscriminator = new Adam(discriminator, { ...options, learningRate: discriminatorRate });
    const ofGenerator = new Adam(generator, { ...options, learningRate: generatorRate });
    this.#teachDiscriminator = compile((real: Tensor, noise: Tensor) => {
      const made = generator.forward(noise).stopGradient();
      const loss = softplus(discriminator.forward(real).neg())
        .mean()
        .add(softplus(discriminator.forward(made)).mean());
      ofDiscriminator.step(loss);
      return loss;
    });
    this.#teachGenerator = compile((noise: Tensor) => {
      const loss = softplus(discriminator.forward(generator.forward(noise)).neg()).mean();
      ofGenerator.step(loss);
      return loss;
    });
    // the made points, the way in which the discriminator believes them more, and what it thinks of the plane
    this.#show = compile((noise: Tensor, plane: Tensor) => {
      const made = generator.forward(noise);
      const [pulls] = gradients(discriminator.forward(made).sum(), [made]);
      return concat([made.flatten(), (pulls as Tensor).flatten(), discriminator.forward(plane).sigmoid().flatten()], 0);
    });
  }

  #noise(count: number): Float32Array {
    return Float32Array.from({ length: 2 * count }, () => this.#random.uniform(-1, 1));
  }

  async turn(): Promise<void> {
    const shape = [batchSize, 2];
    const real = new Float32Array(2 * batchSize);
    for (let i = 0; i < batchSize; i++) {
      const at = 2 * this.#random.integer(poolSize);
      real.set(this.#pool.subarray(at, at + 2), 2 * i);
    }
    const first = await this.#teachDiscriminator(tensor(real, { shape }), tensor(this.#noise(batchSize), { shape }));
    const second = await this.#teachGenerator(tensor(this.#noise(batchSize), { shape }));
    this.#step++;
    if (this.#step % 10 === 1) {
      const [d = Number.NaN, g = Number.NaN] = await stack([first, second]).data('float32');
      this.#losses = [d, g];
    }
  }

  async look(): Promise<GanFrame> {
    const noise = tensor(this.#fixedNoise, { shape: [pointCount, 2] });
    const plane = tensor(planePoints(), { shape: [mapSide * mapSide, 2] });
    const found = await (await this.#show(noise, plane)).data('float32');
    const made = found.slice(0, 2 * pointCount);
    const real = this.#pool.slice(0, 2 * pointCount);
    return {
      ...{ kind: 'gan', run: this.#run, step: this.#step, real, made },
      ...{ discriminatorLoss: this.#losses[0], generatorLoss: this.#losses[1] },
      pulls: found.slice(2 * pointCount, 4 * pointCount),
      belief: found.slice(4 * pointCount),
      coverage: coverageOf(real, made),
    };
  }

  get settings(): GeneratorSettings {
    return this.#settings;
  }
}

function planePoints(): Float32Array {
  const at = (place: number): number => ((2 * place + 1) / mapSide - 1) * reach;
  return Float32Array.from({ length: 2 * mapSide * mapSide }, (_, i) => {
    const place = i >> 1;
    return i % 2 === 0 ? at(place % mapSide) : -at(Math.floor(place / mapSide));
  });
}

/** Real points of a shape, within -1.2 to 1.2. */
function pointsOf(shape: ShapeName, seed: number): Float32Array {
  const options = { seed, noise: 0.04 };
  const { inputs } = {
    ring: () => circles(poolSize, options),
    moons: () => moons(poolSize, options),
    islands: () => blobs(poolSize, { seed, classes: 5, noise: 0.12 }),
    spiral: () => spirals(poolSize, { seed, noise: 0.02 }),
  }[shape]().fields;
  const points = Float32Array.from(inputs.data);
  for (const axis of [0, 1]) {
    const values = points.filter((_, i) => i % 2 === axis);
    const [low, high] = values.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [Infinity, -Infinity]);
    for (let i = axis; i < points.length; i += 2) {
      points[i] = 2.2 * (((points[i] as number) - low) / (high - low) - 0.5);
    }
  }
  return points;
}

/** The share of points with one of the others near them. */
export function coverageOf(points: Float32Array, others: Float32Array): number {
  let covered = 0;
  for (let i = 0; i < points.length; i += 2) {
    for (let k = 0; k < others.length; k += 2) {
      const distance = Math.hypot(
        (points[i] as number) - (others[k] as number),
        (points[i + 1] as number) - (others[k + 1] as number),
      );
      if (distance > near) continue;
      covered++;
      break;
    }
  }
  return (2 * covered) / points.length;
}
