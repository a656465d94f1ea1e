/**
 * One experiment being trained: its samples, network, optimizer and position, on a device that may be changed at any
 * step. What the page sees of it is look.ts and walk.ts; messages are main.ts.
 */
import { move, namedParameters, type Parameter, setDefaultBackend, type Tensor, tensor, ValueError } from '@nn/core';
import { DataLoader, type Normalization } from '@nn/data';
import { encodeCheckpoint, encodeModel, loadCheckpoint, loadModel, parseSafetensors } from '@nn/serialize';
import { DivergedError, Training, type TrainingEvent } from '@nn/train';
import { buildNetwork, type Network } from '../model/build.ts';
import { type Dropped, makeProblem, type Problem, readTable, tableFacts, tableOf } from '../model/samples.ts';
import type { Spec } from '../model/spec.ts';
import { type AnyOptimizer, dropsLast, lossOf, makeOptimizer, penaltyOf, rateOf } from '../model/training.ts';
import { decodeSpec, encodeSpec } from '../model/url.ts';
import { type Device, factsOf, openDevice } from './devices.ts';
import { pixelScaleOf, renaming, takePixels } from './foreign.ts';
import type { Built, Measurement, Points, View } from './protocol.ts';
import { Timeline } from './timeline.ts';
import { chooseAxes, viewOf } from './view.ts';

/** Pixels 0 to 255 become 0 to 1. */
const pixelScale: Normalization = { per: 'array', offset: [0], divisor: [255] };

/** Measurements that a checkpoint carries. */
const longestHistory = 500;
const metadataKey = 'nn.playground';

export class Session {
  spec: Spec;
  problem: Problem;
  readonly network: Network;
  readonly dropped: Dropped;
  optimizer: AnyOptimizer;
  device: Device;
  loader: DataLoader;
  history: Measurement[] = [];
  /** Moments to go back to. */
  readonly timeline: Timeline = new Timeline();
  /** Whether it stands at an earlier moment than it had come to. */
  #isBack = false;
  /** The plane that is shown. */
  view: View;
  /** Milliseconds of one step. */
  stepMilliseconds = 0;
  #timed = { steps: 0, milliseconds: 0 };
  /** The training as it is set now: it makes a step when it is asked for its next event. */
  #events: AsyncGenerator<TrainingEvent<object>, void>;

  private constructor(spec: Spec, dropped: Dropped, device: Device) {
    this.spec = spec;
    this.dropped = dropped;
    this.device = device;
    setDefaultBackend(device.backend);
    this.problem = makeProblem(spec, dropped);
    this.view = viewOf(this.problem, chooseAxes(this.problem), spec.task === 'drawn');
    this.network = buildNetwork(spec, this.problem.inputShape, this.problem.outputs);
    this.optimizer = makeOptimizer(spec, this.network.model);
    this.loader = this.#makeLoader();
    this.#events = this.#train();
  }

  static async make(spec: Spec, dropped: Dropped): Promise<Session> {
    return new Session(spec, dropped, await openDevice(spec.backend));
  }

  get step(): number {
    return this.optimizer.stepCount;
  }

  get weights(): Parameter[] {
    return this.network.weighted.map(({ weight }) => weight);
  }

  #makeLoader(): DataLoader {
    const { batchSize, seed, layers } = this.spec;
    const { train, pixels } = this.problem;
    return new DataLoader(train, {
      batchSize,
      shuffle: true,
      seed,
      dropLast: dropsLast(train.size, batchSize, layers),
      ...(pixels && { normalize: { inputs: pixelScale } }),
    });
  }

  /** The steps from here on, without an end; where they are in the data is the loader's, how many there were the optimizer's. */
  #train(): AsyncGenerator<TrainingEvent<object>, void> {
    const { spec, problem, network, optimizer, weights, loader } = this;
    const training = new Training({
      model: network.model,
      optimizer,
      data: loader,
      step: ({ inputs, targets }) => {
        // the casts: every problem has these fields
        const loss = lossOf(problem.goal, spec.loss, network.model.forward(inputs as Tensor), targets as Tensor);
        const penalty = penaltyOf(spec, weights);
        return penalty === null ? loss : loss.add(penalty);
      },
      steps: Number.MAX_SAFE_INTEGER,
      compile: true,
    });
    return training[Symbol.asyncIterator]();
  }

  /** Goes on with what was set anew. The training before rests after a step: nothing of it is under way. */
  async #trainAnew(): Promise<void> {
    await this.#events.return();
    this.#events = this.#train();
  }

  /** One step of training. Rejects with a ValueError where the losses are no numbers any more. */
  async trainStep(): Promise<void> {
    if (this.#isBack) this.#branch();
    const started = performance.now();
    try {
      for (;;) {
        const { done, value: event } = await this.#events.next();
        if (done || event.type === 'step') break;
      }
    } catch (error) {
      this.#events = this.#train();
      throw error instanceof DivergedError ? divergence(error.data.loss, this.step) : error;
    }
    this.#time(performance.now() - started);
  }

  /** Steps to the end of the epoch, or of the next one where this one is over. */
  get stepsOfEpoch(): number {
    const { length, position } = this.loader;
    const left = length - Math.ceil(position / this.spec.batchSize);
    return left > 0 ? left : length;
  }

  /** Keeps this moment, if it is time for one. */
  async keep(): Promise<void> {
    const { step, spec, timeline } = this;
    if (this.#isBack || !timeline.isDue(step)) return;
    const { model } = this.network;
    timeline.keep({
      step,
      spec,
      bytes: await encodeCheckpoint({ model, optimizer: this.optimizer, loader: this.loader }),
    });
  }

  /** Goes back, or forth again, to the last moment that is not after a step; what came after is only lost by training on. */
  async rewind(step: number): Promise<void> {
    const moment = this.timeline.before(step);
    if (moment === undefined) return;
    await this.retune(moment.spec);
    const { model } = this.network;
    await loadCheckpoint(moment.bytes, { model, optimizer: this.optimizer, loader: this.loader });
    await this.#trainAnew();
    this.#isBack = moment.step < (this.timeline.steps.at(-1) ?? 0);
  }

  /** From here on it goes another way. */
  #branch(): void {
    this.#isBack = false;
    this.timeline.cutAfter(this.step);
    this.history = this.history.filter(({ step }) => step <= this.step);
  }

  /** Means over a fifth of a second: single steps are shorter than the clock's ticks, and the first ones compile. */
  #time(milliseconds: number): void {
    const timed = this.#timed;
    timed.steps++;
    timed.milliseconds += milliseconds;
    if (timed.milliseconds < 200 && this.stepMilliseconds > 0 && this.step > 3) return;
    this.stepMilliseconds = timed.milliseconds / timed.steps;
    this.#timed = { steps: 0, milliseconds: 0 };
  }

  /** Changes what needs no new network: rate, schedule, loss, penalty, batch size, and the optimizer itself. */
  async retune(wanted: Spec): Promise<void> {
    const before = this.spec;
    const { loss, optimizer, learningRate, schedule, scheduleSteps, batchSize, penalty, penaltyRate } = wanted;
    const training = { loss, optimizer, learningRate, schedule, scheduleSteps, batchSize, penalty, penaltyRate };
    const spec: Spec = { ...before, ...training };
    this.spec = spec;
    if (spec.batchSize !== before.batchSize) {
      const { epoch } = this.loader;
      this.loader = this.#makeLoader();
      this.loader.rewind(epoch);
    }
    if (spec.optimizer === before.optimizer) {
      this.optimizer.learningRate = rateOf(spec);
    } else {
      const steps = this.optimizer.stepCount;
      this.optimizer = makeOptimizer(spec, this.network.model);
      this.optimizer.stepCount = steps;
    }
    await this.#trainAnew();
  }

  /** Goes on with other points that were drawn. Rejects, and changes nothing, where they are too few. */
  async takePoints({ points }: Spec): Promise<void> {
    const spec: Spec = { ...this.spec, points };
    this.problem = makeProblem(spec, this.dropped);
    this.spec = spec;
    const { epoch } = this.loader;
    this.loader = this.#makeLoader();
    this.loader.rewind(epoch);
    this.timeline.clear(); // those moments are of other data
    await this.#trainAnew();
  }

  /** Puts a number in place of one weight, or of the unit's bias where `input` is -1. Throws a ValueError where there is none such. */
  async edit(block: number, unit: number, input: number, value: number): Promise<void> {
    const layer = this.network.weighted[block];
    const parameter = input < 0 ? layer?.bias : layer?.weight;
    const [units = 0] = parameter?.shape ?? [];
    const row = (parameter?.size ?? 0) / Math.max(1, units);
    if (!parameter || !Number.isFinite(value) || !(unit >= 0 && unit < units) || input >= row) {
      throw new ValueError('/no-such-weight', `Layer ${block + 1} has no weight ${input + 1} of unit ${unit + 1}.`, {
        layer: block + 1,
        unit: unit + 1,
      });
    }
    const values = Float32Array.from((await parameter.data()) as Float32Array);
    values[unit * row + Math.max(0, input)] = value;
    if (this.#isBack) this.#branch();
    parameter.assign(tensor(values, { shape: parameter.shape }));
  }

  /** Goes on on another device, in the middle of an epoch. Rejects, and changes nothing, where there is none. */
  async swap(spec: Spec): Promise<void> {
    const device = await openDevice(spec.backend);
    await move(this.network.model, this.optimizer, device.backend);
    setDefaultBackend(device.backend);
    this.device = device;
    this.spec = spec;
    this.stepMilliseconds = 0;
    await this.#trainAnew(); // losses that wait to be read are on the device before
  }

  async save(as: 'model' | 'checkpoint'): Promise<Uint8Array> {
    const { model } = this.network;
    if (as === 'model') return encodeModel(model, { metadata: { [metadataKey]: encodeSpec(this.spec) } });
    return encodeCheckpoint(
      { model, optimizer: this.optimizer, loader: this.loader },
      { notes: { spec: encodeSpec(this.spec), history: this.history.slice(-longestHistory).map(toRow) } },
    );
  }

  /**
   * A session from the bytes of a model or checkpoint. Rejects with a FormatError for damaged files and for models that
   * do not fit; `this` stays as it is either way.
   */
  async load(bytes: Uint8Array): Promise<Session> {
    const { metadata, tensors } = parseSafetensors(bytes);
    if (metadata.has('nn.checkpoint')) {
      const { notes } = await loadCheckpoint(bytes, {}, { random: false });
      const { spec, history } = Object(notes) as { spec?: unknown; history?: unknown };
      const made = await Session.make(this.#specOf(spec), this.dropped);
      const { optimizer, loader } = made;
      await loadCheckpoint(bytes, { model: made.network.model, optimizer, loader });
      made.history = Array.isArray(history) ? history.flatMap(fromRow) : [];
      return made;
    }
    const made = await Session.make(this.#specOf(metadata.get(metadataKey)), this.dropped);
    const { model } = made.network;
    await loadModel(bytes, model, { rename: renaming(tensors, namedParameters(model)) });
    const scale = made.problem.pixels ? pixelScaleOf(metadata) : null;
    if (scale !== null) await takePixels(made.network, scale);
    return made;
  }

  /** The experiment that a file names; the present one for files from elsewhere. The device stays. */
  #specOf(text: unknown): Spec {
    return { ...(typeof text === 'string' ? decodeSpec(text) : this.spec), backend: this.spec.backend };
  }

  /** What the page must know once. */
  describe(): Built {
    const { problem, spec, dropped } = this;
    const file = spec.task === 'table' ? tableOf(spec, dropped) : undefined;
    const table = file === undefined ? null : tableFacts(readTable(file));
    return {
      spec,
      goal: problem.goal,
      inputShape: problem.inputShape,
      inputNames: problem.inputNames,
      shownNames: problem.shown.names,
      features: problem.features,
      classNames: problem.classNames,
      inputScale: problem.normalization,
      targetScale: problem.targetNormalization,
      view: this.view,
      train: pointsOf(problem, 'train'),
      test: pointsOf(problem, 'test'),
      trainSize: problem.train.size,
      testSize: problem.test.size,
      parameterCount: this.optimizer.parameters.reduce((sum, { size }) => sum + size, 0),
      columns: table?.columns ?? [],
      file: file === undefined ? null : { name: file.name, encoding: file.encoding },
      reading: table?.reading ? { ...table.reading, warnings: [...table.reading.warnings, ...problem.warnings] } : null,
      target: problem.targetName,
      gallery: galleryOf(problem),
      backend: factsOf(this.device),
      history: this.history,
    };
  }
}

/** Why training ends where its numbers do. */
export function divergence(loss: unknown, step: number): ValueError {
  return new ValueError(
    '/diverged',
    `Training stopped: the loss is ${loss} after ${step} steps. Try a smaller learning rate.`,
    { loss, step },
  );
}

function pointsOf(problem: Problem, part: 'train' | 'test'): Points {
  const { inputs, targets } = problem.shown[part].fields;
  const width = problem.pixels ? 0 : (inputs.shape[1] ?? 1);
  return {
    inputs: problem.pixels ? new Float32Array(0) : Float32Array.from(inputs.data),
    width,
    targets: Float32Array.from(targets.data),
  };
}

/** The first images of the test part, at most 40. */
function galleryOf({ pixels, test }: Problem): Built['gallery'] {
  if (!pixels) return null;
  const { inputs, targets } = test.fields;
  const [count = 0, , side = 0] = inputs.shape;
  const shown = Math.min(40, count);
  const data = Float32Array.from(inputs.data.subarray(0, shown * side * side), (value) => value / 255);
  return { pixels: data, labels: [...targets.data.subarray(0, shown)], side };
}

function toRow({ step, trainLoss, testLoss, trainAccuracy, testAccuracy }: Measurement): (number | null)[] {
  return [step, trainLoss, testLoss, trainAccuracy, testAccuracy];
}

function fromRow(row: unknown): Measurement[] {
  if (!Array.isArray(row)) return [];
  const [step, trainLoss, testLoss, trainAccuracy = null, testAccuracy = null] = row as (number | null)[];
  if (typeof step !== 'number' || typeof trainLoss !== 'number' || typeof testLoss !== 'number') return [];
  return [{ step, trainLoss, testLoss, trainAccuracy, testAccuracy }];
}
