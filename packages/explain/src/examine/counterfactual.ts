/** What would have to be different for another answer: counterfactuals. */
import { checkOptions, gradients, showShape, type Tensor, tensor, ValueError, where } from '@nn/core';
import { callerOf, checkedInputs, type Explained, requireWhole } from '../model.ts';

export interface CounterfactualOptions {
  /** The class that is wanted, of the model's logits [N, classes]; with one output [N] or [N, 1] 1 wants it above 0, 0 below. */
  readonly wanted: number;
  /** By how much the wanted class must lead. Default 0.1, in units of the output. */
  readonly margin?: number;
  /**
   * What a change of 1 costs in each element, as a tensor that spreads over the input. Default 1; for tables 1 / (median
   * absolute deviation of the column).
   */
  readonly costs?: number | Tensor;
  /** False at what may not change (age, origin): bool, spreads over the input. */
  readonly changeable?: Tensor;
  /** The bounds of valid inputs: numbers, or tensors that spread over the input. */
  readonly minimum?: number | Tensor;
  readonly maximum?: number | Tensor;
  /** How many steps at most. Default 300. */
  readonly steps?: number;
  /** How far an element moves in a step, at a cost of 1. Default 0.05. */
  readonly learningRate?: number;
}

export interface Counterfactual {
  /** Changed inputs [N, ...]; where none was found, those as near to it as they came. */
  readonly inputs: Tensor;
  /** Whether the answer is the wanted one. */
  readonly found: boolean[];
  /** The sum of the changes by their costs. */
  readonly distances: number[];
}

/**
 * The nearest inputs with another answer: steps along the slope of the wanted class's lead, each followed by
 * one back towards the input (the proximal step of the sum of |change| x cost), so that few elements change; in the end, changes
 * that are not needed are taken back.
 * (Wachter et al. 2018.)
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { counterfactual } from '@nn/explain';
 * const approve = (x: Tensor) => x.mul(tensor([1, 0.5])).sum(1).sub(3); // income and savings
 * const { inputs, found } = await counterfactual(approve, tensor([[2, 0.5]]), { wanted: 1 });
 * const [[income = 0, savings = 0] = []] = await inputs.array(2);
 * console.log(found, income.toFixed(1), savings.toFixed(1)); // => [true] 2.9 0.5
 */
export async function counterfactual(
  model: Explained,
  x: Tensor,
  options: CounterfactualOptions,
): Promise<Counterfactual> {
  const operation = 'counterfactual';
  checkOptions(operation, options, [
    ...['wanted', 'margin', 'costs', 'changeable', 'minimum', 'maximum', 'steps', 'learningRate'],
  ]);
  const { margin = 0.1, steps = 300, learningRate = 0.05, wanted } = options;
  requireWhole(operation, 'steps', steps);
  if (!(learningRate > 0)) throw new ValueError(operation, `learningRate is ${learningRate}: it is above 0.`);
  const { samples } = checkedInputs(operation, x);
  const call = callerOf(operation, model);
  const lead = (given: Tensor): Tensor => leadOf(operation, call([given]), wanted, samples);
  const size = x.size / samples;
  const start = Float32Array.from(await x.data());
  const [costs, free, low, high] = await Promise.all(
    [options.costs ?? 1, options.changeable ?? 1, options.minimum ?? -Infinity, options.maximum ?? Infinity].map(
      (value) => spreadOver(operation, x, value),
    ),
  );
  const costOf = (data: Float32Array, i: number): number =>
    Math.abs((data[i] as number) - (start[i] as number)) * (costs?.[i] as number);
  const distanceOf = (data: Float32Array, n: number): number => {
    let sum = 0;
    for (let i = n * size; i < (n + 1) * size; i++) sum += costOf(data, i);
    return sum;
  };
  const leadsOf = async (data: Float32Array): Promise<ArrayLike<number>> =>
    lead(tensor(data, { shape: x.shape })).data();

  const now = start.slice();
  const nearest = start.slice();
  const distances = new Array<number>(samples).fill(Infinity);
  const penalty = new Float64Array(samples).fill(1);
  for (let step = 0; step <= steps; step++) {
    const given = tensor(now, { shape: x.shape });
    const leads = lead(given);
    const [slope] = gradients(leads.sum(), [given]);
    const [values, slopes] = await Promise.all([leads.data(), slope.data()]);
    for (let n = 0; n < samples; n++) {
      const [first, end] = [n * size, (n + 1) * size];
      const isThere = (values[n] as number) >= margin;
      const distance = distanceOf(now, n);
      if (isThere && distance < (distances[n] as number)) {
        distances[n] = distance;
        nearest.set(now.subarray(first, end), first);
      }
      if (step === steps) continue;
      penalty[n] = Math.min(1, (penalty[n] as number) * (isThere ? 1.1 : 0.98));
      let steepest = 1e-30;
      const gain = (i: number): number => (free?.[i] === 0 ? 0 : (slopes[i] as number) / (costs?.[i] as number));
      for (let i = first; i < end; i++) steepest = Math.max(steepest, Math.abs(gain(i)));
      for (let i = first; i < end; i++) {
        if (free?.[i] === 0) continue;
        // there: back towards the start; else ahead where it helps most for its cost, so that few elements change
        const reach = learningRate / (costs?.[i] as number);
        const ahead = (now[i] as number) - (start[i] as number) + (isThere ? 0 : (reach * gain(i)) / steepest);
        const back = 0.5 * reach * (penalty[n] as number);
        const change = Math.sign(ahead) * Math.max(0, Math.abs(ahead) - back);
        now[i] = Math.min(Math.max((start[i] as number) + change, low?.[i] as number), high?.[i] as number);
      }
    }
  }
  if (size <= MOST_TAKEN_BACK)
    await takeBack(nearest, start, size, costOf, async (trial) =>
      Array.from(await leadsOf(trial), (value, n) => (distances[n] as number) < Infinity && value >= margin),
    );
  const found = distances.map((distance) => distance < Infinity);
  for (let n = 0; n < samples; n++) {
    if (!found[n]) nearest.set(now.subarray(n * size, (n + 1) * size), n * size);
    distances[n] = distanceOf(nearest, n);
  }
  return { inputs: tensor(nearest, { shape: x.shape }), found, distances };
}

/**
 * One element of each sample after the other, the smallest change first: back to the start where the answer stays as it is, and
 * else as far back as it stays.
 */
async function takeBack(
  changed: Float32Array,
  start: Float32Array,
  size: number,
  costOf: (data: Float32Array, i: number) => number,
  isThere: (trial: Float32Array) => Promise<boolean[]>,
): Promise<void> {
  const orders = Array.from({ length: changed.length / size }, (_, n) =>
    Array.from({ length: size }, (__, k) => n * size + k).sort((a, b) => costOf(changed, a) - costOf(changed, b)),
  );
  for (const share of [1, 0.5, 0.25, 0.125, 0.0625, 0.03125]) {
    for (let turn = 0; turn < size; turn++) {
      const trial = changed.slice();
      const places = orders.map((order) => order[turn] as number);
      for (const i of places) trial[i] = (trial[i] as number) + share * ((start[i] as number) - (trial[i] as number));
      const stays = await isThere(trial);
      places.forEach((i, n) => {
        if (stays[n]) changed[i] = trial[i] as number;
      });
    }
  }
}

/** Changes are taken back one by one for samples of at most so many elements. */
const MOST_TAKEN_BACK = 64;

/** How far the wanted class leads the best of the others: [N]. */
function leadOf(operation: string, output: Tensor, wanted: number, samples: number): Tensor {
  const classes = output.rank === 1 ? 1 : (output.shape[1] ?? 0);
  const most = Math.max(1, classes - 1);
  if (output.shape[0] !== samples || output.rank > 2 || !Number.isInteger(wanted) || wanted < 0 || wanted > most) {
    throw new ValueError(
      operation,
      `wanted is ${wanted}, the model gives ${showShape(output.shape)} for ${samples} samples: it must be a class, 0 to ${most}, of [N, classes] or [N].`,
    );
  }
  if (classes === 1) {
    const score = output.reshape([samples]);
    return wanted === 1 ? score : score.neg();
  }
  const isWanted = tensor(Array.from({ length: classes }, (_, k) => k === wanted));
  const others = where(isWanted, -Infinity, output).max(1);
  return output
    .slice([0, wanted], [null, wanted + 1])
    .reshape([samples])
    .sub(others);
}

async function spreadOver(operation: string, x: Tensor, value: number | Tensor): Promise<ArrayLike<number>> {
  if (typeof value === 'number') return new Float32Array(x.size).fill(value);
  const fits =
    value.rank <= x.rank &&
    value.shape.every((size, axis) => size === 1 || size === x.shape[axis + x.rank - value.rank]);
  if (!fits) {
    throw new ValueError(operation, `${showShape(value.shape)} does not spread over the input ${showShape(x.shape)}.`);
  }
  return value.expand(x.shape).data();
}
