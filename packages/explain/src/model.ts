/**
 * What all methods ask of a model: scores, one a sample, in evaluation mode. Owns the forms that models, inputs and targets
 * may have; the methods see functions from lists of tensors to [N].
 */
import { evaluate, isTensor, oneHot, ShapeError, showShape, type Tensor, tensor, ValueError, where } from '@nn/core';
import type { Layer } from '@nn/layers';

/** A model as it is: a layer, or any function of tensors. Samples lie along the first axis of all inputs and of the output. */
export type Explained = Layer | ((...inputs: Tensor[]) => Tensor);

/** One input, or several. */
export type Inputs = Tensor | readonly Tensor[];

/** A tensor for each input, in the same form. */
export type Like<I extends Inputs> = I extends Tensor ? Tensor : { readonly [K in keyof I]: Tensor };

/**
 * What is explained of the model's output: the class in the output [N, classes], one for all samples or one each; or a function
 * that makes a number of each sample's output, [N]. To be left out where the output is [N] or [N, 1].
 */
export type Target = number | readonly number[] | Tensor | ((output: Tensor) => Tensor);

export interface TargetOptions {
  /** See `Target`. */
  readonly target?: Target | undefined;
}

/** A number, or a tensor that spreads over the input; of several inputs one each. */
export type Baseline = number | Tensor | readonly (number | Tensor)[];

export interface BaselineOptions extends TargetOptions {
  /** What stands for "nothing there". Default 0. */
  readonly baseline?: Baseline | undefined;
}

export function listOf(inputs: Inputs): Tensor[] {
  return isTensor(inputs) ? [inputs] : [...inputs];
}

/** A list of tensors in the form of the inputs. */
export function formed<I extends Inputs>(inputs: I, list: readonly Tensor[]): Like<I> {
  // the cast: one tensor for one, a list for a list
  return (isTensor(inputs) ? list[0] : list) as Like<I>;
}

/** The inputs as a list, all with samples along their first axis. */
export function checkedInputs(
  operation: string,
  inputs: Inputs,
): { readonly list: Tensor[]; readonly samples: number } {
  const list = listOf(inputs);
  const [first] = list;
  if (!list.every(isTensor) || first === undefined) {
    throw new ValueError(
      operation,
      'the inputs are no tensors: give the tensor that the model is called with, or a list.',
    );
  }
  const samples = first.shape[0];
  if (samples === undefined || list.some(({ shape }) => shape[0] !== samples)) {
    throw new ShapeError(
      operation,
      `the inputs are ${list.map(({ shape }) => showShape(shape)).join(' and ')}: samples lie along the first axis of each, the same number.`,
      { shapes: list.map(({ shape }) => shape) },
    );
  }
  return { list, samples };
}

/** The baselines, each of the shape of its input. */
export function baselinesOf(operation: string, baseline: Baseline | undefined, inputs: readonly Tensor[]): Tensor[] {
  const given: readonly (number | Tensor)[] =
    typeof baseline === 'object' && !isTensor(baseline) ? baseline : inputs.map(() => baseline ?? 0);
  if (given.length !== inputs.length) {
    throw new ValueError(operation, `${given.length} baselines for ${inputs.length} inputs: give one each.`);
  }
  return inputs.map((x, k) => {
    const value = given[k] as number | Tensor;
    const start = typeof value === 'number' ? tensor(value).cast(x.dtype) : value;
    const rest = x.shape.slice(x.rank - start.rank);
    const fits = start.rank <= x.rank && start.shape.every((size, axis) => size === 1 || size === rest[axis]);
    if (!fits) {
      throw new ShapeError(
        operation,
        `the baseline ${showShape(start.shape)} does not spread over the input ${showShape(x.shape)}: give one sample [${x.shape.slice(1).join(', ')}], one for each, or a number.`,
        { baseline: start.shape, input: x.shape },
      );
    }
    return start.expand(x.shape);
  });
}

/** Calls the model in evaluation mode. */
export function callerOf(operation: string, model: Explained): (inputs: readonly Tensor[]) => Tensor {
  const isLayer = typeof model === 'object' && model !== null && typeof model.forward === 'function';
  if (typeof model !== 'function' && !isLayer) {
    throw new ValueError(operation, 'the model is neither a function nor has it a forward.');
  }
  return (inputs) =>
    evaluate(() => {
      if (typeof model === 'function') return model(...inputs);
      const [only, ...more] = inputs;
      if (only === undefined || more.length > 0) {
        throw new ValueError(
          operation,
          `a layer takes one input, there are ${inputs.length}: give a function, (a, b) => model.forward(a, b).`,
        );
      }
      return model.forward(only);
    });
}

/** The score of each sample: [N]. */
export function scorerOf(
  operation: string,
  model: Explained,
  target: Target | undefined,
): (inputs: readonly Tensor[]) => Tensor {
  const call = callerOf(operation, model);
  return (inputs) => selected(operation, call(inputs), target, inputs[0]?.shape[0] ?? 0);
}

/** The number that is explained of each sample's output. */
export function selected(operation: string, output: Tensor, target: Target | undefined, samples: number): Tensor {
  if (typeof target === 'function') {
    const scores = target(output);
    if (scores.rank === 1 && scores.shape[0] === samples) return scores;
    throw new ShapeError(
      operation,
      `target made ${showShape(scores.shape)} of the output ${showShape(output.shape)}: it must give one number for each of ${samples} samples, [${samples}].`,
      { output: output.shape, scores: scores.shape },
    );
  }
  const [rows, classes = 1] = output.shape;
  if (rows !== samples || output.rank > 2) {
    throw new ShapeError(
      operation,
      `the model made ${showShape(output.shape)} of ${samples} samples: with other outputs than [${samples}] and [${samples}, classes], target must be a function that makes [${samples}] of them.`,
      { output: output.shape },
    );
  }
  if (target === undefined) {
    if (output.rank === 1 || classes === 1) return output.reshape([samples]);
    throw new ValueError(
      operation,
      `the model gives ${showShape(output.shape)}: say which of the ${classes} classes, { target: 0 }, or one for each sample.`,
      { output: output.shape },
    );
  }
  const table = output.reshape([samples, classes]);
  if (typeof target === 'number') {
    checkClass(operation, target, classes);
    return table.slice([0, target], [null, target + 1]).reshape([samples]);
  }
  return where(classMask(operation, target, samples, classes), table, 0).sum(1);
}

/** True at the class of each sample: bool [N, classes]. */
function classMask(operation: string, target: readonly number[] | Tensor, samples: number, classes: number): Tensor {
  const count = isTensor(target) ? target.size : target.length;
  if (count !== samples) {
    throw new ValueError(
      operation,
      `${count} targets for ${samples} samples: give one class for all, or one for each.`,
    );
  }
  if (!isTensor(target)) for (const one of target) checkClass(operation, one, classes);
  const indices = isTensor(target) ? target.cast('int32').reshape([samples]) : tensor([...target], { dtype: 'int32' });
  return oneHot(indices, classes).cast('bool');
}

function checkClass(operation: string, target: number, classes: number): void {
  if (Number.isInteger(target) && target >= 0 && target < classes) return;
  throw new ValueError(operation, `target is ${target}: the model's output has the classes 0 to ${classes - 1}.`, {
    target,
    classes,
  });
}

/** [N, ...] to [N]: the sum over everything but the samples. */
export function sumOfEach(x: Tensor): Tensor {
  return x.rank === 1 ? x : x.sum(x.shape.map((_, axis) => axis).slice(1));
}

/** The sum over all inputs. */
export function total(list: readonly Tensor[]): Tensor {
  return list.map(sumOfEach).reduce((a, b) => a.add(b));
}

/** Numbers along the first axis of a tensor of `rank` axes. */
export function alongFirst(numbers: Tensor, rank: number): Tensor {
  return numbers.reshape([numbers.size, ...new Array<number>(rank - 1).fill(1)]);
}

/** Throws unless `value` is a whole number of at least `least`. */
export function requireWhole(operation: string, name: string, value: number, least = 1): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new ValueError(operation, `${name} is ${value}: it is a whole number of at least ${least}.`, { [name]: value });
}
