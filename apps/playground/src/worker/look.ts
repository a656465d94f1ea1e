/**
 * Looks at a session without touching it: losses and accuracies, gradients, what every unit answers over the plane or
 * for one image. All in evaluation mode, so that dropout, running statistics and random numbers stay as they are.
 */
import { compile, evaluate, gradients, type Tensor, tensor, ValueError } from '@nn/core';
import type { Network } from '../model/build.ts';
import { mostMeasured, type Problem, type Samples } from '../model/samples.ts';
import type { Goal } from '../model/spec.ts';
import { lossOf, penaltyOf } from '../model/training.ts';
import type { Device } from './devices.ts';
import { factsOf, memoryOf } from './devices.ts';
import { type BlockFrame, type Frame, grid, type Histogram, shownUnits, type UnitState } from './protocol.ts';
import type { Session } from './session.ts';
import { cutOf, viewOf } from './view.ts';

const bins = 31;
/** Samples whose outputs are counted in histograms: what is read lies on the device for a while, and maps are large. */
const mostCounted = (pixels: boolean): number => (pixels ? 16 : 600);

/** A forward pass that keeps what is between the layers. */
export interface Passage {
  readonly output: Tensor;
  /** For each block, the weighted sums. */
  readonly sums: readonly Tensor[];
  /** For each block, what goes to the next. */
  readonly outputs: readonly Tensor[];
  /** For each block, what its weights are multiplied with. */
  readonly inputs: readonly Tensor[];
}

export function pass({ parts, weighted }: Network, input: Tensor): Passage {
  const sums: Tensor[] = [];
  const outputs: Tensor[] = new Array(weighted.length);
  const inputs: Tensor[] = [];
  let value = input;
  for (const { layer, role, block } of parts) {
    if (role === 'weights') inputs[block] = value;
    value = layer.forward(value);
    if (role === 'weights') sums[block] = value;
    if (role !== 'flatten') outputs[block] = value;
  }
  return { output: value, sums, outputs, inputs };
}

interface Part {
  readonly inputs: Tensor;
  readonly targets: Tensor;
  readonly truth: ArrayLike<number>;
}

/** Tensors to look through, made once for each device. */
interface Probe {
  readonly device: Device;
  readonly problem: Problem;
  readonly train: Part;
  readonly test: Part;
  /** [grid * grid, inputs] over the plane, or [1, ...image]. */
  readonly plane: Tensor;
  /** What the loss and the penalty were when `ask` was made. */
  readonly asked: string;
  readonly ask: ReturnType<typeof askOf>;
}

const probes = new WeakMap<Session, Probe>();
const samples = new WeakMap<Session, Float32Array>();

/** The image whose feature maps are shown from now on. */
export function showSample(session: Session, pixels: Float32Array): void {
  samples.set(session, pixels);
  probes.delete(session);
}

function probeOf(session: Session): Probe {
  const known = probes.get(session);
  const { problem, device, spec } = session;
  const asked = `${spec.loss} ${spec.penalty} ${spec.penaltyRate}`;
  if (known?.device === device && known.problem === problem) {
    if (known.asked === asked) return known;
    const renewed = { ...known, asked, ask: askOf(session) };
    probes.set(session, renewed);
    return renewed;
  }
  const made: Probe = {
    device,
    problem,
    train: firstSamples(problem.train, problem.pixels),
    test: firstSamples(problem.test, problem.pixels),
    plane: problem.pixels ? sampleImage(session) : planePoints(session),
    asked,
    ask: askOf(session),
  };
  probes.set(session, made);
  return made;
}

function firstSamples(whole: Samples, pixels: boolean): Part {
  const count = Math.min(mostMeasured(pixels), whole.size);
  const part = whole.take(Int32Array.from({ length: count }, (_, i) => i));
  const { inputs, targets } = part.fields;
  const data = Float32Array.from(inputs.data, (value) => (pixels ? value / 255 : value));
  return {
    inputs: tensor(data, { shape: inputs.shape }),
    targets: tensor(targets.data, { shape: targets.shape }),
    truth: targets.data,
  };
}

function sampleImage(session: Session): Tensor {
  const { inputShape, test } = session.problem;
  const size = inputShape.reduce((product, length) => product * length, 1);
  const first = Float32Array.from(test.fields.inputs.data.subarray(0, size), (value) => value / 255);
  return tensor(samples.get(session) ?? first, { shape: [1, ...inputShape] });
}

/** Spans the plane by two other inputs, or by the principal components (null). Throws a ValueError where there are none such. */
export function turnPlane(session: Session, axes: readonly [number, number] | null): void {
  const width = session.problem.shown.names.length;
  if (axes?.some((axis) => !Number.isInteger(axis) || axis < 0 || axis >= width)) {
    throw new ValueError('/plane-axes', `${axes.join(' and ')} are not two of the ${width} inputs.`, { width });
  }
  session.view = viewOf(session.problem, axes, session.spec.task === 'drawn');
  probes.delete(session);
}

/** The plane from top left, row by row. */
function planePoints({ problem, view }: Session): Tensor {
  const width = problem.inputShape[0] ?? 2;
  const [left, right, bottom, top] = view.bounds;
  const cut = cutOf(problem, view);
  const data = new Float32Array(grid * grid * width);
  for (let row = 0; row < grid; row++) {
    for (let column = 0; column < grid; column++) {
      const across = left + ((column + 0.5) / grid) * (right - left);
      const up = top - ((row + 0.5) / grid) * (top - bottom);
      data.set(cut(across, up), (row * grid + column) * width);
    }
  }
  return tensor(data, { shape: [grid * grid, width] });
}

/** What is asked of the network for a frame. Compiled, so that what lies between is not kept as if it were an answer. */
function askOf(session: Session) {
  const { problem, network, spec, weights } = session;
  return compile((inputs: Tensor, targets: Tensor, testInputs: Tensor, testTargets: Tensor, places: Tensor) =>
    evaluate(() => {
      const train = pass(network, inputs);
      const testOutput = network.model.forward(testInputs);
      const trainLoss = lossOf(problem.goal, spec.loss, train.output, targets);
      const penalty = penaltyOf(spec, weights);
      const counted = Math.min(mostCounted(problem.pixels), inputs.shape[0] ?? 0);
      return {
        trainLoss,
        testLoss: lossOf(problem.goal, spec.loss, testOutput, testTargets),
        trainOutput: train.output,
        testOutput,
        slopes: gradients(penalty === null ? trainLoss : trainLoss.add(penalty), weights),
        activity: train.outputs.map((output) => output.at([0, counted])),
        ranges: train.outputs.slice(0, -1).map((output, block) => rangesOf(output, spec.layers[block]?.activation)),
        maps: pass(network, places).outputs,
      };
    }),
  );
}

/** Everything that the page draws at one moment. */
export async function look(session: Session, running: boolean): Promise<Frame> {
  const { problem, network, spec, loader, optimizer } = session;
  const probe = probeOf(session);
  const { weighted } = network;
  const { train, test } = probe;
  const asked = await probe.ask(train.inputs, train.targets, test.inputs, test.targets, probe.plane);
  const [trainLoss, testLoss, trainOutput, testOutput, slopes, weights, biases, activity, ranges, maps] =
    await Promise.all([
      asked.trainLoss.item(),
      asked.testLoss.item(),
      numbers(asked.trainOutput),
      numbers(asked.testOutput),
      Promise.all(asked.slopes.map(numbers)),
      Promise.all(weighted.map(({ weight }) => numbers(weight))),
      Promise.all(weighted.map(({ bias }) => (bias === null ? new Float32Array(0) : numbers(bias)))),
      Promise.all(asked.activity.map(numbers)),
      Promise.all(asked.ranges.map((of) => Promise.all(of.map(numbers)))),
      Promise.all(asked.maps.map(numbers)),
    ]);
  const blocks = weighted.map(({ weight }, block): BlockFrame => {
    const units = weight.shape[0] as number;
    const shown = Math.min(units, shownUnits);
    const row = weight.size / units;
    const isOutput = block === weighted.length - 1;
    const layer = spec.layers[block];
    const [low, high, flat] = ranges[block] ?? [];
    return {
      kind: isOutput || layer === undefined ? 'output' : layer.kind,
      shape: weight.shape,
      weights: (weights[block] as Float32Array).slice(0, shown * row),
      gradients: (slopes[block] as Float32Array).slice(0, shown * row),
      biases: biases[block] as Float32Array,
      weightHistogram: histogram(weights[block] as Float32Array),
      gradientHistogram: histogram(slopes[block] as Float32Array),
      outputHistogram: histogram(activity[block] as Float32Array),
      units: low && high && flat ? unitStates(low, high, flat) : [],
      ...mapsOf(maps[block] as Float32Array, (asked.maps[block] as Tensor).shape, shown, problem.pixels),
    };
  });
  const isQuantity = problem.goal === 'quantity';
  const frame: Frame = {
    step: session.step,
    epoch: loader.epoch,
    progress: loader.position / problem.train.size,
    learningRate: optimizer.learningRate,
    trainLoss,
    testLoss,
    trainAccuracy: isQuantity ? null : accuracy(problem.goal, trainOutput, probe.train.truth),
    testAccuracy: isQuantity ? null : accuracy(problem.goal, testOutput, probe.test.truth),
    stepMilliseconds: session.stepMilliseconds,
    memory: memoryOf(session.device),
    backend: factsOf(session.device),
    running,
    kept: session.timeline.steps,
    view: session.view,
    blocks,
    confusion: isQuantity ? null : confusion(problem.goal, problem.outputs, testOutput, probe.test.truth),
    testShares: problem.goal === 'binary' ? testOutput.map((z) => 1 / (1 + Math.exp(-z))) : null,
  };
  const { step, trainAccuracy, testAccuracy } = frame;
  if ((session.history.at(-1)?.step ?? -1) < step) {
    session.history.push({ step, trainLoss, testLoss, trainAccuracy, testAccuracy });
  }
  return frame;
}

export async function numbers(of: Tensor): Promise<Float32Array> {
  const data = await of.data();
  return data instanceof Float32Array ? data : Float32Array.from(data);
}

/** [grid * grid, units] turned to [units, grid, grid]; a feature map [1, units, h, w] as it is; a dense layer of images [1, units] as points. */
function mapsOf(
  data: Float32Array,
  shape: readonly number[],
  shown: number,
  pixels: boolean,
): { maps: Float32Array; mapShape: readonly [number, number] } {
  if (pixels) {
    const [, , height = 1, width = 1] = shape;
    return { maps: data.slice(0, shown * height * width), mapShape: [height, width] };
  }
  const [points = 0, units = 1] = shape;
  const maps = new Float32Array(shown * points);
  for (let unit = 0; unit < shown; unit++) {
    for (let point = 0; point < points; point++) maps[unit * points + point] = data[point * units + unit] as number;
  }
  return { maps, mapShape: [grid, grid] };
}

/** The class that an output row names. */
export function guess(goal: Goal, output: Float32Array, row: number, outputs: number): number {
  if (goal === 'binary') return (output[row] as number) > 0 ? 1 : 0;
  let best = 0;
  for (let k = 1; k < outputs; k++) {
    if ((output[row * outputs + k] as number) > (output[row * outputs + best] as number)) best = k;
  }
  return best;
}

function accuracy(goal: Goal, output: Float32Array, truth: ArrayLike<number>): number {
  const outputs = output.length / truth.length;
  let right = 0;
  for (let i = 0; i < truth.length; i++) if (guess(goal, output, i, outputs) === truth[i]) right++;
  return right / truth.length;
}

function confusion(goal: Goal, outputs: number, output: Float32Array, truth: ArrayLike<number>): Frame['confusion'] {
  const size = goal === 'binary' ? 2 : outputs;
  const counts = new Array<number>(size * size).fill(0);
  for (let i = 0; i < truth.length; i++) {
    const at = (truth[i] as number) * size + guess(goal, output, i, outputs);
    counts[at] = (counts[at] as number) + 1;
  }
  return { size, counts };
}

export function histogram(values: Float32Array): Histogram {
  let range = 0;
  for (const value of values) if (Math.abs(value) > range && Number.isFinite(value)) range = Math.abs(value);
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    const bin = range === 0 ? bins >> 1 : Math.min(bins - 1, Math.floor(((value / range + 1) / 2) * bins));
    if (bin >= 0) counts[bin] = (counts[bin] as number) + 1;
  }
  return { range, counts };
}

/** The smallest and the largest output of each unit over all samples and places, and the share that is flat: [units] each. */
export function rangesOf(output: Tensor, activation = 'linear'): readonly [low: Tensor, high: Tensor, flat: Tensor] {
  const axes = output.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
  return [output.min(axes), output.max(axes), isFlat(activation, output).cast('float32').mean(axes)];
}

/** Where an activation is flat: near an end of its range. */
function isFlat(activation: string, output: Tensor): Tensor {
  if (activation === 'tanh') return output.abs().greater(0.98);
  if (activation === 'sigmoid') return output.sub(0.5).abs().greater(0.48);
  return output.less(output); // nowhere
}

/**
 * A unit is dead when it puts out the same for every sample (a relu that never fires), and saturated when nearly all
 * of its outputs stand at an end of its range, where the activation is flat and no gradient comes through.
 */
export function unitStates(low: Float32Array, high: Float32Array, flat: Float32Array): UnitState[] {
  return Array.from(low, (least, unit) => {
    if ((high[unit] as number) - least < 1e-6) return 'dead';
    return (flat[unit] as number) > 0.95 ? 'saturated' : 'alive';
  });
}
