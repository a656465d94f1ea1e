/**
 * Connectionist temporal classification: the probability of a sequence, summed over all ways to stretch it over the steps.
 * Owns the recursion over steps, in logarithms. (Graves et al. 2006.)
 */
import {
  arange,
  checkOptions,
  full,
  isTensor,
  ShapeError,
  scan,
  showShape,
  type Tensor,
  tensor,
  ValueError,
  where,
} from '@nn/core';
import { requireWhole, sizeAt } from '../layer.ts';
import { keepOver } from '../mask.ts';
import { type LossOptions, lossOptions, reduceLoss } from './reduce.ts';

export interface CtcOptions extends LossOptions {
  /** How many steps of each row of the batch count: [N]. Default all. */
  readonly inputLengths?: Tensor | readonly number[];
  /** How many labels each row of the target has: [N]. Default all. */
  readonly targetLengths?: Tensor | readonly number[];
  /** The class that stands for no label. Default 0; Keras' is 0, too, TensorFlow's the last. */
  readonly blank?: number;
  /** Whether a target that is too long for its input costs 0, not Infinity. Default false. */
  readonly zeroInfinity?: boolean;
}

/** From how many steps on the recursion is a loop of the program, which is compiled as fast for any number. */
const loopFrom = 16;

/** The logarithm of 0, for sums: finite, so that differences of it are not NaN. */
const never = -1e30;

/**
 * -log of the probability that log-probabilities [steps, N, classes], as `logSoftmax` gives them, spell the target [N, labels].
 *
 * As in PyTorch, 'mean' divides each loss by the length of its target first; Keras does not. A label outside the classes gives
 * NaN.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { ctc } from '@nn/layers';
 * // two steps of two equally likely classes; 'a', 'aa', '-a' and 'a-' are 3 of 4 ways
 * const steps = tensor([[[0.5, 0.5]], [[0.5, 0.5]]]).log();
 * console.log(Math.exp(-(await ctc(steps, tensor([[1]])).item())).toFixed(4)); // => 0.7500
 */
export function ctc(logProbabilities: Tensor, target: Tensor, options: CtcOptions = {}): Tensor {
  checkOptions('ctc', options, [...lossOptions, 'inputLengths', 'targetLengths', 'blank', 'zeroInfinity']);
  if (logProbabilities.rank !== 3 || sizeAt(logProbabilities, 0) === 0) {
    throw new ShapeError(
      'ctc',
      `log-probabilities must be [steps, N, classes] with a step or more, got ${showShape(logProbabilities.shape)}.`,
      { shape: logProbabilities.shape },
    );
  }
  const [steps = 0, batch = 0, classes = 0] = logProbabilities.shape;
  if (target.rank !== 2 || target.shape[0] !== batch) {
    throw new ShapeError('ctc', `the target must be [${batch}, labels], got ${showShape(target.shape)}.`, {
      target: target.shape,
      batch,
    });
  }
  const { blank = 0, zeroInfinity = false, reduction = 'mean', mask } = options;
  requireWhole('ctc', 'blank', blank, 0);
  if (blank >= classes) {
    throw new ValueError('ctc', `blank is ${blank}: there are ${classes} classes.`, { blank, classes });
  }
  const labels = sizeAt(target, 1);
  const inputLengths = lengthsOf('inputLengths', options.inputLengths, batch, steps);
  const targetLengths = lengthsOf('targetLengths', options.targetLengths, batch, labels);
  const indices = target.dtype === 'int32' ? target : target.cast('int32');

  // blank, label, blank, label, ..., blank: [N, 2 labels + 1]
  const states = 2 * labels + 1;
  const isLabel = arange(states).mod(2).equal(1);
  const spread =
    labels === 0
      ? null
      : indices
          .unsqueeze(2)
          .expand([batch, labels, 2])
          .reshape([batch, 2 * labels]);
  const doubled =
    spread === null
      ? arange(1).expand([batch, 1])
      : spread.pad([
          [0, 0],
          [0, 1],
        ]);
  const symbols = where(isLabel, doubled, blank);
  // a label may follow another at once, unless they are equal: then a blank must part them
  const differs = symbols.notEqual(shift(symbols, 2, -1));
  const maySkip = isLabel.logicalAnd(differs);

  const keep = mask === undefined ? null : keepOver('ctc', mask, { shape: [batch] });
  const visible = keep === null ? logProbabilities : where(keep.unsqueeze(1), logProbabilities, 0);
  const emissions = visible.maximum(never).takeAlong(symbols.clamp(0, classes - 1).expand([steps, batch, states]), 2);

  const after = (before: Tensor, emission: Tensor, step: Tensor): Tensor => {
    const skipped = where(maySkip, shift(before, 2, never), never);
    const next = logAddExp(before, shift(before, 1, never), skipped).add(emission);
    return where(inputLengths.greater(step).unsqueeze(1), next, before);
  };
  let paths = where(arange(states).less(2), emissions.at(0), never);
  if (steps < loopFrom)
    for (let step = 1; step < steps; step++)
      paths = after(paths, emissions.at(step), full([], step, { dtype: 'int32' }));
  else {
    const rest = { emission: emissions.at([1, null]), step: arange(1, steps) };
    const turn = (before: Tensor, { emission, step }: typeof rest) => ({
      carry: after(before, emission, step),
      output: null,
    });
    paths = scan(turn, paths, rest).carry;
  }
  // complete are those that end with the last label or the blank behind it
  const last = targetLengths.mul(2).unsqueeze(1);
  const isEnd = arange(states)
    .equal(last)
    .logicalOr(arange(states).equal(last.sub(1)));
  const total = where(isEnd, paths, never).logSumExp(1);

  const isPossible = total.greater(never / 10);
  const possible = where(isPossible, total.neg(), zeroInfinity ? 0 : Number.POSITIVE_INFINITY);
  const isOutside = indices.less(0).logicalOr(indices.greaterEqual(classes));
  const isUsed = arange(labels).less(targetLengths.unsqueeze(1));
  const losses = where(isOutside.logicalAnd(isUsed).any(1), Number.NaN, possible);
  if (reduction !== 'mean') return reduceLoss('ctc', losses, options);
  return reduceLoss('ctc', losses.div(targetLengths.maximum(1).cast('float32')), options);
}

/** States moved on by some places, with `value` where nothing comes from. */
function shift(x: Tensor, places: number, value: number): Tensor {
  const states = sizeAt(x, 1);
  return x
    .pad(
      [
        [0, 0],
        [places, 0],
      ],
      value,
    )
    .slice([0, 0], [null, states]);
}

/** log(e^a + e^b + e^c), elementwise. */
function logAddExp(a: Tensor, b: Tensor, c: Tensor): Tensor {
  const top = a.maximum(b).maximum(c).stopGradient();
  const sum = [a, b, c].map((x) => x.sub(top).exp()).reduce((x, y) => x.add(y));
  return sum.log().add(top);
}

function lengthsOf(what: string, given: Tensor | readonly number[] | undefined, batch: number, most: number): Tensor {
  if (given === undefined) return full([batch], most, { dtype: 'int32' });
  if (!isTensor(given)) {
    const wrong = given.findIndex((length) => !Number.isInteger(length) || length < 0 || length > most);
    if (wrong !== -1) {
      throw new ValueError(
        'ctc',
        `${what}[${wrong}] is ${given[wrong]}: it must be a whole number from 0 to ${most}.`,
        {
          [what]: given,
          most,
        },
      );
    }
  }
  const lengths = isTensor(given) ? given : tensor(Int32Array.from(given));
  if (lengths.rank !== 1 || lengths.shape[0] !== batch) {
    throw new ShapeError(
      'ctc',
      `${what} must have a number for each of the ${batch} rows: [${batch}], got ${showShape(lengths.shape)}.`,
      { [what]: lengths.shape, batch },
    );
  }
  return lengths.dtype === 'int32' ? lengths : lengths.cast('int32');
}
