/**
 * Learns to tell classes apart from few samples: pictures, sounds, or spoken digits. It keeps the samples, trains on variations of
 * them, measures on those that are kept apart, and listens to sound as it comes. Messages are worker.ts, files are take.ts.
 */
import { type CompiledFunction, compile, evaluate, setSeed, type Tensor, tensor, ValueError } from '@nn/core';
import { RandomSequence } from '@nn/data';
import { crossEntropy, type Sequential } from '@nn/layers';
import { AdamW } from '@nn/optim';
import type { Image } from '@nn/vision';
import { noDigitSound, soundOf, testWords, trainWords } from './digits.ts';
import { featuresOf, modelOf, type Piece, pictureNetwork, powerOf, soundNetwork } from './networks.ts';
import { pictureOf, pictureShape, writePicture, writeVariedPicture } from './pictures.ts';
import {
  chunkLength,
  frames,
  type Heard,
  hopLength,
  mels,
  noDigit,
  type RawSample,
  type SenseFrame,
  type SenseSettings,
  soundLength,
  testEvery,
} from './protocol.ts';
import { noiseSound, type Sound, soundShape, writeVariedSound } from './sounds.ts';

const batchSize = 24;
const measureEvery = 10;
/** Samples of the test are answered so many at a time, so that two sizes are compiled. */
const manyAtOnce = 20;
const noiseCount = 12;
/** Own recordings of a digit are heard as often as all made ones together. */
const ownShare = 0.5;
/** Frames that a recorded sound may come earlier or later. */
const recordedShift = 8;

/** A picture, or a sound as it was recorded and as its spectrogram; made words have no recording. */
type Data =
  | { readonly kind: 'picture'; readonly image: Image }
  | { readonly kind: 'sound'; readonly sound: Sound; readonly samples: Float32Array | null };

export interface Sample {
  readonly label: number;
  readonly data: Data;
  readonly isTest: boolean;
  readonly isOwn: boolean;
}

/** Counts the networks of all learners: what came of one before is no longer of interest. */
let runs = 0;

export class SenseLearner {
  readonly settings: SenseSettings;
  #classes: number;
  #samples: Sample[] = [];
  #noises: Float32Array[] = [];
  #random: RandomSequence;
  #run = 0;
  #step = 0;
  #recent: number[] = [];
  #testAccuracy: number | null = null;
  #isMeasured = false;
  #firstHeard = { count: 0, right: 0 };
  #pieces: readonly Piece[] = [];
  #model!: Sequential;
  #update!: CompiledFunction<[Tensor, Tensor], Tensor>;
  #shares!: CompiledFunction<[Tensor], Tensor>;
  readonly #power: CompiledFunction<[Tensor], Tensor> = compile(powerOf);
  /** The last second that was heard. */
  readonly #second = new Float32Array(soundLength);

  private constructor(settings: SenseSettings) {
    this.settings = settings;
    this.#classes = settings.classes;
    this.#random = new RandomSequence(settings.seed);
    this.restart(settings.seed);
  }

  static async begin(settings: SenseSettings): Promise<SenseLearner> {
    const learner = new SenseLearner(settings);
    if (settings.kind === 'pictures') return learner;
    const random = new RandomSequence(settings.seed, 1);
    const sounds = Array.from({ length: noiseCount }, () => noiseSound(random));
    learner.#noises = await learner.#powersOf(sounds);
    if (settings.kind === 'digits') await learner.#addWords();
    return learner;
  }

  async #addWords(): Promise<void> {
    for (const [isTest, words] of [
      [false, trainWords()],
      [true, testWords()],
    ] as const) {
      const powers = await this.#powersOf(words.map(({ samples }) => samples));
      words.forEach(({ digit, length }, i) => {
        const sound = soundOf(powers[i] as Float32Array, length);
        this.#samples.push({ label: digit, data: { kind: 'sound', sound, samples: null }, isTest, isOwn: false });
      });
    }
  }

  /** Spectrograms of seconds. */
  async #powersOf(sounds: readonly Float32Array[]): Promise<Float32Array[]> {
    const powers: Float32Array[] = [];
    const size = mels * frames;
    for (let from = 0; from < sounds.length; ) {
      const rows = sounds.length - from >= manyAtOnce ? manyAtOnce : 1;
      const samples = new Float32Array(rows * soundLength);
      for (let row = 0; row < rows; row++) samples.set(sounds[from + row] as Float32Array, row * soundLength);
      const found = await (await this.#power(tensor(samples, { shape: [rows, soundLength] }))).data('float32');
      for (let row = 0; row < rows; row++) powers.push(found.slice(row * size, (row + 1) * size));
      from += rows;
    }
    return powers;
  }

  get #shape(): readonly number[] {
    return this.settings.kind === 'pictures' ? pictureShape : soundShape;
  }

  /** A new network for the classes and samples that are there. */
  restart(seed: number): void {
    setSeed(seed);
    const isPictures = this.settings.kind === 'pictures';
    this.#pieces = isPictures ? pictureNetwork(this.#classes) : soundNetwork(this.#classes);
    const model = modelOf(this.#pieces);
    const read = isPictures ? (x: Tensor): Tensor => x : featuresOf;
    const optimizer = new AdamW(model, { learningRate: 3e-3, weightDecay: 0.01 });
    this.#model = model;
    this.#update = compile((x: Tensor, labels: Tensor) => {
      const loss = crossEntropy(model.forward(read(x)), labels);
      optimizer.step(loss);
      return loss;
    });
    this.#shares = compile((x: Tensor) => evaluate(() => model.forward(read(x)).softmax(1)));
    this.#random = new RandomSequence(seed);
    this.#run = ++runs;
    this.#step = 0;
    this.#recent = [];
    this.#testAccuracy = null;
    this.#isMeasured = false;
  }

  addClass(): void {
    this.#classes++;
    this.restart(this.settings.seed);
  }

  removeClass(label: number): void {
    this.#classes--;
    this.#samples = this.#samples
      .filter((sample) => sample.label !== label)
      .map((sample) => (sample.label > label ? { ...sample, label: sample.label - 1 } : sample));
    this.restart(this.settings.seed);
  }

  clear(label: number): void {
    this.#samples = this.#samples.filter((sample) => sample.label !== label || !sample.isOwn);
    this.#isMeasured = false;
  }

  async add(label: number, raw: readonly RawSample[]): Promise<void> {
    const { kind } = this.settings;
    for (const sample of raw) {
      const data = await this.#read(sample);
      if (kind === 'digits' && label !== noDigit) {
        const shares = await this.#answer([data]);
        this.#firstHeard = {
          count: this.#firstHeard.count + 1,
          right: this.#firstHeard.right + (bestOf(shares) === label ? 1 : 0),
        };
      }
      const before = this.#samples.filter((other) => other.label === label && other.isOwn).length;
      // the test of digits is the made voices: few words are recorded, and each is worth to be learned
      const isTest = kind !== 'digits' && before % testEvery === testEvery - 1;
      this.#samples.push({ label, data, isTest, isOwn: true });
    }
    this.#isMeasured = false;
  }

  async #read(sample: RawSample): Promise<Data> {
    if (sample instanceof Uint8ClampedArray) return { kind: 'picture', image: pictureOf(sample) };
    const [power = new Float32Array()] = await this.#powersOf([sample]);
    return { kind: 'sound', sound: { power, earlier: recordedShift, later: recordedShift }, samples: sample };
  }

  /** Shares of the classes for each, one row after the other. */
  async #answer(all: readonly Data[]): Promise<Float32Array> {
    const size = this.#shape.reduce((product, length) => product * length, 1);
    const result = new Float32Array(all.length * this.#classes);
    for (let from = 0; from < all.length; from += manyAtOnce) {
      const part = all.slice(from, from + manyAtOnce);
      const rows = all.length === 1 ? 1 : manyAtOnce;
      const inputs = new Float32Array(rows * size);
      part.forEach((data, row) => {
        if (data.kind === 'picture') writePicture(data.image, inputs, row * size);
        else inputs.set(data.sound.power, row * size);
      });
      const shares = await this.#sharesOf(inputs, rows);
      result.set(shares.subarray(0, part.length * this.#classes), from * this.#classes);
    }
    return result;
  }

  async #sharesOf(inputs: Float32Array, rows: number): Promise<Float32Array> {
    return (await this.#shares(tensor(inputs, { shape: [rows, ...this.#shape] }))).data('float32');
  }

  /** A step on variations of samples, as many of each class as of any other. */
  async turn(): Promise<void> {
    const byClass = Array.from({ length: this.#classes }, (_, label) =>
      this.#samples.filter((sample) => sample.label === label && !sample.isTest),
    );
    const isMade = (label: number): boolean => this.settings.kind === 'digits' && label === noDigit;
    if (byClass.some((samples, label) => samples.length === 0 && !isMade(label))) {
      throw new ValueError('/few-samples', 'Each class needs samples.');
    }
    const size = this.#shape.reduce((product, length) => product * length, 1);
    const inputs = new Float32Array(batchSize * size);
    const labels = new Int32Array(batchSize);
    const words = isMade(noDigit) ? byClass.slice(0, noDigit).flat().map(soundIn) : [];
    for (let row = 0; row < batchSize; row++) {
      const label = this.#random.integer(this.#classes);
      labels[row] = label;
      const sample = this.#draw(byClass[label] ?? []);
      if (sample !== null) this.#vary(sample, inputs, row * size);
      else inputs.set(noDigitSound(words, this.#noises, this.#random), row * size);
    }
    const x = tensor(inputs, { shape: [batchSize, ...this.#shape] });
    const loss = await (await this.#update(x, tensor(labels, { dtype: 'int32' }))).item();
    this.#step++;
    this.#recent = [...this.#recent, loss].slice(-measureEvery);
    if (this.#step % measureEvery === 0) await this.#measure();
    else this.#isMeasured = false;
  }

  /** One of the samples of a class; null for one that is made. */
  #draw(samples: readonly Sample[]): Sample | null {
    const own = samples.filter(({ isOwn }) => isOwn);
    const made = samples.filter(({ isOwn }) => !isOwn);
    const isOwn = own.length > 0 && (this.settings.kind !== 'digits' || this.#random.uniform(0, 1) < ownShare);
    const from = isOwn ? own : made;
    return from[this.#random.integer(Math.max(1, from.length))] ?? null;
  }

  #vary({ data }: Sample, inputs: Float32Array, at: number): void {
    if (data.kind === 'picture') writeVariedPicture(data.image, this.#random, inputs, at);
    else writeVariedSound(data.sound, this.#noises, this.#random, inputs, at);
  }

  async #measure(): Promise<void> {
    const test = this.#samples.filter(({ isTest }) => isTest);
    const shares = await this.#answer(test.map(({ data }) => data));
    const right = test.filter(({ label }, i) => {
      return bestOf(shares.subarray(i * this.#classes, (i + 1) * this.#classes)) === label;
    }).length;
    this.#testAccuracy = test.length === 0 ? null : right / test.length;
    this.#isMeasured = true;
  }

  async look(): Promise<SenseFrame> {
    if (this.#step === 0) this.#testAccuracy = null;
    else if (!this.#isMeasured && this.#recent.length > 0 && this.#testAccuracy === null) await this.#measure();
    return {
      ...{ run: this.#run, step: this.#step, testAccuracy: this.#testAccuracy, firstHeard: this.#firstHeard },
      trainLoss: this.#recent.reduce((sum, loss) => sum + loss, 0) / this.#recent.length,
      testCount: this.#samples.filter(({ isTest }) => isTest).length,
      counts: Array.from({ length: this.#classes }, (_, label) => {
        const own = this.#samples.filter((sample) => sample.label === label && sample.isOwn);
        const test = own.filter(({ isTest }) => isTest).length;
        return { train: own.length - test, test };
      }),
    };
  }

  async judge(sample: RawSample): Promise<Float32Array> {
    return this.#answer([await this.#read(sample)]);
  }

  /**
   * Goes on listening: an opinion at the end of each chunk, however many come at once, so that a busy machine hears late and not
   * less. The columns that a chunk brings are shown but for the last, which reach beyond its end.
   */
  async hear(samples: Float32Array): Promise<Heard> {
    const chunks = Math.floor(samples.length / chunkLength);
    const count = chunkLength / hopLength;
    const columns = new Float32Array(chunks * count * mels);
    const shares = new Float32Array(chunks * this.#classes);
    for (let chunk = 0; chunk < chunks; chunk++) {
      this.#second.copyWithin(0, chunkLength);
      const newest = samples.subarray(chunk * chunkLength, (chunk + 1) * chunkLength);
      this.#second.set(newest, soundLength - chunkLength);
      const [power = new Float32Array()] = await this.#powersOf([this.#second]);
      shares.set(await this.#sharesOf(power, 1), chunk * this.#classes);
      for (let t = 0; t < count; t++) {
        for (let mel = 0; mel < mels; mel++) {
          const level = power[mel * frames + frames - 1 - count + t] as number;
          columns[(chunk * count + t) * mels + mel] = 10 * Math.log10(Math.max(1e-10, level));
        }
      }
    }
    return { columns, shares };
  }

  /** What files are made of. */
  get taken(): { readonly model: Sequential; readonly pieces: readonly Piece[]; readonly samples: readonly Sample[] } {
    return { model: this.#model, pieces: this.#pieces, samples: this.#samples.filter(({ isOwn }) => isOwn) };
  }
}

/** The sound of a sample that is one. */
function soundIn({ data }: Sample): Sound {
  if (data.kind === 'sound') return data.sound;
  throw new ValueError('/no-sound', 'A picture has no sound.');
}

function bestOf(shares: Float32Array): number {
  return shares.indexOf(Math.max(...shares));
}
