/**
 * Digits through two numbers and back: an encoder makes a place in a plane of each, a decoder a digit of each place. With a
 * weight on the divergence it is variational: places are blurred, and drawn to a normal distribution (Kingma and Welling 2014).
 *
 *     L = mean sum BCE(x, decoder(z)) + w (mu^2 + s^2 - log s^2 - 1) / 2      z = mu + s e
 */
import { type CompiledFunction, compile, concat, setSeed, type Tensor, tensor } from '@nn/core';
import { digits, RandomSequence } from '@nn/data';
import { Linear, ReLU, Sequential } from '@nn/layers';
import { Adam } from '@nn/optim';
import { type AutoencoderFrame, codeCount, digitSide, type GeneratorSettings, tileSide } from './protocol.ts';

const size = digitSide * digitSide;
const trainCount = 1500;
const batchSize = 64;
const hidden = 128;
const measureEvery = 10;

interface Coded {
  readonly mean: Tensor;
  readonly logVariance: Tensor;
}

export class Autoencoder {
  readonly #run: number;
  readonly #random: RandomSequence;
  readonly #pixels: Float32Array;
  readonly #labels: Int32Array;
  readonly #update: CompiledFunction<[Tensor, Tensor], Tensor>;
  readonly #loss: CompiledFunction<[Tensor], Tensor>;
  readonly #encode: CompiledFunction<[Tensor], Tensor>;
  readonly #decode: CompiledFunction<[Tensor], Tensor>;
  #step = 0;
  #recent: number[] = [];
  #testLoss = Number.NaN;

  constructor({ seed, divergenceWeight, generatorRate }: GeneratorSettings, run: number) {
    this.#run = run;
    setSeed(seed);
    this.#random = new RandomSequence(seed);
    const { inputs, targets } = digits(trainCount + codeCount, { seed, distortion: 0.4 }).fields;
    this.#pixels = Float32Array.from(inputs.data, (value) => value / 255);
    this.#labels = Int32Array.from(targets.data);
    const encoder = new Sequential(new Linear(size, hidden), new ReLU(), new Linear(hidden, 4));
    const decoder = new Sequential(
      ...[new Linear(2, hidden), new ReLU(), new Linear(hidden, hidden), new ReLU(), new Linear(hidden, size)],
    );
    const optimizer = new Adam({ encoder, decoder }, { learningRate: generatorRate });
    const code = (x: Tensor): Coded => {
      const [mean, logVariance] = encoder.forward(x).split(2, 1) as [Tensor, Tensor];
      return { mean, logVariance };
    };
    // from the logits z: max(z, 0) - z x + log(1 + exp(-|z|))
    const crossEntropyOf = (z: Tensor, x: Tensor): Tensor =>
      z.relu().sub(z.mul(x)).add(z.abs().neg().exp().add(1).log()).sum(1).mean();
    this.#update = compile((x: Tensor, noise: Tensor) => {
      const { mean, logVariance } = code(x);
      const place = divergenceWeight === 0 ? mean : mean.add(logVariance.mul(0.5).exp().mul(noise));
      const divergence = mean.square().add(logVariance.exp()).sub(logVariance).sub(1).sum(1).mean().mul(0.5);
      const rebuilt = crossEntropyOf(decoder.forward(place), x);
      optimizer.step(divergenceWeight === 0 ? rebuilt : rebuilt.add(divergence.mul(divergenceWeight)));
      return rebuilt;
    });
    this.#loss = compile((x: Tensor) => crossEntropyOf(decoder.forward(code(x).mean), x));
    this.#encode = compile((x: Tensor) => code(x).mean);
    this.#decode = compile((places: Tensor) => decoder.forward(places).sigmoid());
  }

  /** Digits as a batch. */
  #digits(indices: readonly number[]): Tensor {
    const values = new Float32Array(indices.length * size);
    indices.forEach((index, row) => {
      values.set(this.#pixels.subarray(index * size, (index + 1) * size), row * size);
    });
    return tensor(values, { shape: [indices.length, size] });
  }

  async turn(): Promise<void> {
    const indices = Array.from({ length: batchSize }, () => this.#random.integer(trainCount));
    const noise = Float32Array.from({ length: 2 * batchSize }, () => this.#random.normal());
    const loss = await (await this.#update(this.#digits(indices), tensor(noise, { shape: [batchSize, 2] }))).item();
    this.#step++;
    this.#recent = [...this.#recent, loss].slice(-measureEvery);
    if (this.#step % measureEvery === 1) this.#testLoss = await (await this.#loss(this.#test())).item();
  }

  #test(): Tensor {
    return this.#digits(Array.from({ length: codeCount }, (_, i) => trainCount + i));
  }

  async look(): Promise<AutoencoderFrame> {
    const codes = await (await this.#encode(this.#test())).data('float32');
    const bounds = boundsOf(codes);
    return {
      ...{ kind: 'autoencoder', run: this.#run, step: this.#step, codes, bounds },
      trainLoss: this.#recent.reduce((sum, loss) => sum + loss, 0) / this.#recent.length,
      testLoss: this.#testLoss,
      labels: this.#labels.slice(trainCount),
      tiles: await this.#tiles(bounds),
    };
  }

  /** The digits of a grid of places, put together to one picture. */
  async #tiles([left, right, bottom, top]: AutoencoderFrame['bounds']): Promise<Float32Array> {
    const places = new Float32Array(2 * tileSide * tileSide);
    for (let row = 0; row < tileSide; row++) {
      for (let column = 0; column < tileSide; column++) {
        places[2 * (row * tileSide + column)] = left + ((column + 0.5) / tileSide) * (right - left);
        places[2 * (row * tileSide + column) + 1] = top - ((row + 0.5) / tileSide) * (top - bottom);
      }
    }
    const found = await (await this.#decode(tensor(places, { shape: [tileSide * tileSide, 2] }))).data('float32');
    const wide = tileSide * digitSide;
    const picture = new Float32Array(wide * wide);
    found.forEach((value, at) => {
      const [tile, pixel] = [Math.floor(at / size), at % size];
      const y = Math.floor(tile / tileSide) * digitSide + Math.floor(pixel / digitSide);
      const x = (tile % tileSide) * digitSide + (pixel % digitSide);
      picture[y * wide + x] = value;
    });
    return picture;
  }

  async decode(x: number, y: number): Promise<Float32Array> {
    return (await this.#decode(tensor(Float32Array.of(x, y), { shape: [1, 2] }))).data('float32');
  }

  /** A test digit, and what comes back of it. */
  async pass(index: number): Promise<{ readonly input: Float32Array; readonly output: Float32Array }> {
    const at = trainCount + index;
    const place = await this.#encode(this.#digits([at]));
    const [x = 0, y = 0] = await concat([place.flatten()], 0).data('float32');
    return { input: this.#pixels.slice(at * size, (at + 1) * size), output: await this.decode(x, y) };
  }
}

/** What holds all codes, with a margin. */
function boundsOf(codes: Float32Array): [number, number, number, number] {
  const range = (axis: 0 | 1): [number, number] => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = axis; i < codes.length; i += 2) {
      low = Math.min(low, codes[i] as number);
      high = Math.max(high, codes[i] as number);
    }
    const margin = 0.08 * (high - low) + 1e-3;
    return [low - margin, high + margin];
  };
  return [...range(0), ...range(1)];
}
