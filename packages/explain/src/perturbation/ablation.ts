/** The score with a part of the input taken away: occlusion, ablation of features, permutation. */
import { checkOptions, hostUniform, isTensor, showShape, type Tensor, tensor, ValueError, vmap, where } from '@nn/core';
import { checkedInputs, type Explained, requireWhole, scorerOf, type TargetOptions } from '../model.ts';
import { absenceOf, type GroupOptions, joined, maskOf, type Players, playersOf, scoresWith } from './players.ts';

export interface AblationOptions extends TargetOptions, GroupOptions {
  /** What stands for "nothing there": a number, or a tensor that spreads over the input. Default 0. */
  readonly baseline?: number | Tensor | undefined;
}

/**
 * F(x) - F(x without a feature), for each feature; elements of one feature share the number. Lazy, all features in a batch.
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { featureAblation } from '@nn/explain';
 * const model = (x: Tensor) => x.mul(tensor([3, -2, 1])).sum(1);
 * console.log(await featureAblation(model, tensor([[5, 1, 4]])).array()); // => [[15, -2, 4]]
 */
export function featureAblation(model: Explained, x: Tensor, options: AblationOptions = {}): Tensor {
  const operation = 'featureAblation';
  checkOptions(operation, options, ['target', 'baseline', 'groups']);
  const players = playersOf(operation, x, options.groups);
  const hidden = maskOf(players, unitRows(players.count));
  return differences(operation, model, x, options, hidden);
}

/** One row for each feature, which it alone is in. */
function unitRows(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, k) => {
    const row = new Uint8Array(count);
    row[k] = 1;
    return row;
  });
}

/** F(x) - F(x without the hidden), laid on what was hidden; where windows overlap, their mean. */
function differences(operation: string, model: Explained, x: Tensor, options: AblationOptions, hidden: Tensor): Tensor {
  const score = scorerOf(operation, model, options.target);
  const without = joined(scoresWith(score, x, absenceOf(operation, x, options), hidden.logicalNot()));
  const drop = score([x]).sub(without); // [windows, N]
  const [windows = 0] = hidden.shape;
  const table = hidden.cast('float32').reshape([windows, hidden.size / windows]);
  const sums = drop.transpose().matmul(table); // [N, elements]
  return sums.div(table.sum(0).maximum(1)).reshape(x.shape);
}

export interface OcclusionOptions extends TargetOptions {
  /** The size of the window along each axis of a sample: [channels, 8, 8]. */
  readonly window: readonly number[];
  /** How far the window moves. Default 1 along each axis. */
  readonly strides?: number | readonly number[];
  /** What the window is filled with. Default 0. */
  readonly baseline?: number | Tensor | undefined;
}

/**
 * F(x) - F(x behind a window), the window moved over the whole sample: each element gets the mean of the windows that hid it.
 * Lazy, all windows in a batch. (Zeiler and Fergus 2014.)
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { occlusion } from '@nn/explain';
 * const model = (x: Tensor) => x.mul(tensor([3, -2, 1])).sum(1);
 * console.log(await occlusion(model, tensor([[5, 1, 4]]), { window: [2] }).array()); // => [[13, 7.5, 2]]
 */
export function occlusion(model: Explained, x: Tensor, options: OcclusionOptions): Tensor {
  const operation = 'occlusion';
  checkOptions(operation, options, ['target', 'window', 'strides', 'baseline']);
  checkedInputs(operation, x);
  const shape = x.shape.slice(1);
  const { window } = options;
  const strides =
    typeof options.strides === 'object'
      ? options.strides
      : shape.map(() => (options.strides as number | undefined) ?? 1);
  const fits = window.length === shape.length && window.every((size, axis) => size <= (shape[axis] as number));
  if (!fits || strides.length !== shape.length) {
    throw new ValueError(
      operation,
      `the window ${showShape(window)} and the strides ${showShape(strides)} do not fit a sample ${showShape(shape)}: give a number for each axis, no larger than it.`,
    );
  }
  for (const size of window) requireWhole(operation, 'window', size);
  for (const stride of strides) requireWhole(operation, 'strides', stride);
  return differences(operation, model, x, options, windowsOver(shape, window, strides));
}

/** A window at every place, the last ones cut off by the edge: bool [windows, ...shape]. */
function windowsOver(shape: readonly number[], window: readonly number[], strides: readonly number[]): Tensor {
  const counts = shape.map(
    (size, axis) => Math.ceil((size - (window[axis] as number)) / (strides[axis] as number)) + 1,
  );
  const windows = counts.reduce((product, count) => product * count, 1);
  const size = shape.reduce((product, n) => product * n, 1);
  const data = new Uint8Array(windows * size);
  for (let w = 0; w < windows; w++) {
    for (let i = 0; i < size; i++) {
      let [place, element, isInside] = [w, i, true];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const start = (place % (counts[axis] as number)) * (strides[axis] as number);
        const at = element % (shape[axis] as number);
        isInside &&= at >= start && at < start + (window[axis] as number);
        place = Math.floor(place / (counts[axis] as number));
        element = Math.floor(element / (shape[axis] as number));
      }
      data[w * size + i] = Number(isInside);
    }
  }
  return tensor(data, { shape: [windows, ...shape], dtype: 'bool' });
}

/**
 * F(x) - F(x with a feature taken from another sample of the batch), for each feature. The permutations are drawn by the seed.
 *
 * @example
 * import { tensor, type Tensor } from '@nn/core';
 * import { featurePermutation } from '@nn/explain';
 * const model = (x: Tensor) => x.slice([0, 0], [null, 1]).reshape([3]);
 * const found = await featurePermutation(model, tensor([[1, 5], [1, 6], [1, 7]])).array();
 * console.log(found); // => [[0, 0], [0, 0], [0, 0]]
 */
export function featurePermutation(model: Explained, x: Tensor, options: TargetOptions & GroupOptions = {}): Tensor {
  const operation = 'featurePermutation';
  checkOptions(operation, options, ['target', 'groups']);
  const players = playersOf(operation, x, options.groups);
  const score = scorerOf(operation, model, options.target);
  const orders = tensor(
    Array.from({ length: players.count }, () => drawnOrder(x.shape[0] as number)),
    {
      dtype: 'int32',
    },
  );
  const mixed = vmap((mask: Tensor, order: Tensor) => score([where(mask, x.gather(order, 0), x)]));
  const masks = maskOf(players, unitRows(players.count));
  const drop = score([x]).sub(mixed(masks, orders)).transpose(); // [N, features]
  return onElements(drop, players).reshape(x.shape);
}

/** [N, features] to [N, elements]. */
function onElements(values: Tensor, { groups }: Players): Tensor {
  return values.gather(tensor(groups), 1);
}

function drawnOrder(count: number): number[] {
  const keys = hostUniform(count);
  return Array.from({ length: count }, (_, i) => i).sort((a, b) => (keys[a] as number) - (keys[b] as number));
}

/** How much worse a score gets without what a feature tells. */
export interface PermutationImportance {
  /** The mean drop of each feature. */
  readonly means: number[];
  /** The standard deviation of the drop over the repeats. */
  readonly standardDeviations: number[];
}

/**
 * How much a score of the whole data (accuracy, AUROC; higher is better) drops when one feature is shuffled over the samples:
 * what the model makes of it on data that it has not seen. (Breiman 2001; scikit-learn's permutation_importance.)
 *
 * @example
 * import { setSeed, tensor } from '@nn/core';
 * import { permutationImportance } from '@nn/explain';
 * setSeed(1);
 * const x = tensor([[0, 5], [1, 6], [0, 7], [1, 8]]);
 * const accuracy = async (given: typeof x) => given.slice([0, 0], [null, 1]).reshape([4]).equal(tensor([0, 1, 0, 1])).cast('float32').mean().item();
 * const { means } = await permutationImportance(accuracy, x, { repeats: 50 });
 * console.log((means[0] ?? 0) > 0.3, means[1]); // => true 0
 */
export async function permutationImportance(
  score: (x: Tensor) => Promise<number> | Tensor,
  x: Tensor,
  options: GroupOptions & { readonly repeats?: number } = {},
): Promise<PermutationImportance> {
  const operation = 'permutationImportance';
  checkOptions(operation, options, ['groups', 'repeats']);
  const { repeats = 5 } = options;
  requireWhole(operation, 'repeats', repeats);
  const players = playersOf(operation, x, options.groups);
  const measured = async (given: Tensor): Promise<number> => {
    const value = score(given);
    return isTensor(value) ? value.item() : value;
  };
  const whole = await measured(x);
  const means: number[] = [];
  const standardDeviations: number[] = [];
  for (const row of unitRows(players.count)) {
    const mask = maskOf(players, [row]);
    const drops: number[] = [];
    for (let turn = 0; turn < repeats; turn++) {
      const order = tensor(drawnOrder(x.shape[0] as number), { dtype: 'int32' });
      drops.push(whole - (await measured(where(mask, x.gather(order, 0), x))));
    }
    const mean = drops.reduce((sum, drop) => sum + drop, 0) / repeats;
    means.push(mean);
    standardDeviations.push(Math.sqrt(drops.reduce((sum, drop) => sum + (drop - mean) ** 2, 0) / repeats));
  }
  return { means, standardDeviations };
}
