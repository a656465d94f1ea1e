/** Functions of one row as functions of many: `vmap`, and the gradients of every sample apart. */
import { Batching } from './autograd/batching.ts';
import { checkOptions, GradientError, ShapeError, ValueError } from './errors.ts';
import { gradients } from './gradients.ts';
import { unseen } from './graph/hooks.ts';
import { type Node, placeholder } from './graph/node.ts';
import { watchUpdates } from './graph/variable.ts';
import { moveAxis } from './ops/views.ts';
import { passMark } from './padding.ts';
import { recordDraws } from './random.ts';
import { checkSynchronous } from './settings.ts';
import { normalizeAxis, show } from './shape.ts';
import { rebuild, take } from './shaped.ts';
import { nodeOf, type Tensor, wrap } from './tensor.ts';
import { type Model, parameters } from './tree.ts';

/** An axis for all, or one each; null: the same in every row. */
export type MappedAxes = number | null | readonly (number | null)[];

export interface VmapOptions {
  /** The axis of the rows, one an argument or one for all; 0 by default. All tensors of one argument have it in one place. */
  readonly in?: MappedAxes;
  /** The axis of the rows in the results, one a tensor or one for all; 0 by default. Null: the result must be the same in every row. */
  readonly out?: MappedAxes;
  /** Whether the random numbers of the function are the `same` in every row, or `different` ones. Required where it draws any. */
  readonly random?: 'same' | 'different';
}

/**
 * A function of one row as a function of many rows at once: `fn` is called once, with tensors that lack the mapped axis, and
 * what it does is done for all rows in the same few kernels. Arguments and results are tensors, or arrays and plain objects of
 * them. It may take gradients, call other functions under `vmap`, and use tensors and parameters from outside, which are the
 * same in every row; inside of it nothing can be read.
 *
 * Throws ShapeError where the arguments differ in their number of rows, and ValueError where random numbers are drawn and it
 * is not said how, or where a parameter is given a value that differs from row to row.
 *
 * @example
 * import { type Tensor, tensor, vmap } from '@nn/core';
 * const dot = (a: Tensor, b: Tensor) => a.mul(b).sum();
 * const rows = tensor([[1, 2], [3, 4], [5, 6]]);
 * console.log(await vmap(dot, { in: [0, null] })(rows, tensor([10, 1])).array()); // => [12, 34, 56]
 */
export function vmap<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  options: VmapOptions = {},
): (...args: A) => R {
  checkOptions('vmap', options, ['in', 'out', 'random']);
  return (...args) => {
    const tensors: Tensor[] = [];
    const places: (number | null)[] = [];
    const shaped = args.map((value, k) => {
      const first = tensors.length;
      const item = take(value, tensors);
      const axis = axisOf('in', options.in === undefined ? 0 : options.in, k, args.length, 'arguments');
      for (const x of tensors.slice(first)) {
        places.push(axis === null ? null : normalizeAxis('vmap', axis, x.shape.length));
      }
      return item;
    });
    const size = countRows(tensors, places);
    const rows = new Map<Node, Node>();
    const inputs = tensors.map((x, k) => {
      const axis = places[k] as number | null;
      if (axis === null) return x;
      const all = moveAxis(nodeOf('vmap', x), axis, 0);
      const row = placeholder(all.dtype, all.shape.slice(1), all.backend, all);
      passMark(x.node, row);
      rows.set(row, all);
      return wrap(row);
    });
    const call = (): R => {
      const given = shaped.map((item) => rebuild(item, (position) => inputs[position]!));
      return checkSynchronous('vmap', fn(...(given as unknown as A)));
    };
    const { result: made, updates, undo } = watchUpdates(() => recordDraws(() => unseen(call)));
    const { result, draws } = made;
    if (draws.length > 0 && options.random === undefined) {
      throw new ValueError(
        'vmap',
        "the function draws random numbers: say whether they are the same in every row or different ones: { random: 'same' } or { random: 'different' }.",
      );
    }
    const different = options.random === 'different' ? draws.map(([, draw]) => draw) : [];
    const batching = new Batching(size, rows, new Set(different));
    const torn = updates.find(({ node }) => batching.of(node) !== node);
    if (torn !== undefined) {
      undo();
      throw new ValueError(
        'vmap',
        `the function gives ${torn.variable.name || 'a parameter'} a value that differs from row to row, and it has one: return the value instead, or use evaluation mode.`,
      );
    }
    const outputs: Tensor[] = [];
    const shapedResult = take(result, outputs);
    const results = outputs.map((x, k) => {
      const axis = axisOf('out', options.out === undefined ? 0 : options.out, k, outputs.length, 'tensors');
      const node = nodeOf('vmap', x);
      if (axis !== null) {
        return wrap(moveAxis(batching.all(node), 0, normalizeAxis('vmap', axis, x.shape.length + 1)));
      }
      if (batching.of(node) === node) return x;
      throw new ValueError(
        'vmap',
        `result ${k} differs from row to row, but out says that it does not: name an axis for it.`,
      );
    });
    return rebuild(shapedResult, (position) => results[position]!) as R;
  };
}

/** The axis that an option names for its k-th of `count`. */
function axisOf(name: 'in' | 'out', axes: MappedAxes, k: number, count: number, what: string): number | null {
  if (axes === null || typeof axes === 'number') return axes;
  const axis = axes[k];
  if (axes.length === count && axis !== undefined) return axis;
  throw new ValueError(
    'vmap',
    `${name} names ${axes.length} axes, there are ${count} ${what}: give one for each, or null.`,
    {
      [name]: axes,
    },
  );
}

/** How many rows the arguments have, all the same number. */
function countRows(tensors: readonly Tensor[], places: readonly (number | null)[]): number {
  const first = places.findIndex((axis) => axis !== null);
  if (first < 0) {
    throw new ValueError('vmap', 'no argument has an axis of rows: name one in `in`, or call the function as it is.');
  }
  const rowsOf = (k: number): number => tensors[k]!.shape[places[k] as number]!;
  const size = rowsOf(first);
  const other = places.findIndex((axis, k) => axis !== null && rowsOf(k) !== size);
  if (other >= 0) {
    const tell = (k: number): string => `${rowsOf(k)} rows along axis ${places[k]} of ${show(tensors[k]!.shape)}`;
    throw new ShapeError('vmap', `the arguments differ in their rows: ${tell(first)}, ${tell(other)}.`, {
      shapes: tensors.map(({ shape }) => shape),
    });
  }
  return size;
}

/** What the samples of a batch say apart. */
export interface SampleGradients {
  /** The loss of each sample: [N]. */
  readonly losses: Tensor;
  /** In the order of `parameters(model)`, the gradients of each sample's loss: [N, ...shape of the parameter]. */
  readonly gradients: readonly Tensor[];
}

/**
 * The gradient of each sample's loss apart, as differential privacy, influence functions and the scale of gradient noise need
 * them: at about the cost of the gradient of the whole batch. `loss` is that of a batch, of one sample here: it is given
 * [1, ...] of each tensor. Random numbers (dropout) are `different` for each sample by default.
 *
 * Throws GradientError where the loss is no scalar, or does not depend on a parameter that is trained.
 *
 * @example
 * import { parameter, perSampleGradients, type Tensor, tensor } from '@nn/core';
 * const model = { weight: parameter([2]) };
 * const loss = (x: Tensor, y: Tensor) => x.mul(model.weight).sub(y).square().mean();
 * const { losses, gradients } = perSampleGradients(loss, model)(tensor([1, 3]), tensor([1, 1]));
 * console.log(await losses.array(), await gradients[0]?.array()); // => [1, 25] [[2], [30]]
 */
export function perSampleGradients<A extends readonly Tensor[]>(
  loss: (...sample: A) => Tensor,
  model: Model,
  options: { readonly random?: 'same' | 'different' } = {},
): (...batch: A) => SampleGradients {
  checkOptions('perSampleGradients', options, ['random']);
  const { random = 'different' } = options;
  return (...batch) => {
    const trained = parameters(model);
    const ofOne = (...sample: A): SampleGradients => {
      const value = loss(...(sample.map((x) => x.unsqueeze(0)) as unknown as A));
      if (value.size !== 1) {
        throw new GradientError(
          'perSampleGradients',
          `the loss of one sample must be a scalar, got ${show(value.shape)}: reduce it, with mean() or sum().`,
          { shape: value.shape },
        );
      }
      return { losses: value.reshape([]), gradients: gradients(value, trained) };
    };
    return vmap(ofOne, { random })(...batch);
  };
}
