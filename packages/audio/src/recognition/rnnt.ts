/**
 * The loss of transducers (RNN-T, Graves 2012): the probability of labels, summed over all ways to read steps and to write labels between them. Owns the recursion over the diagonals of the
 * table of steps and labels, in logarithms, which is one loop of the program.
 */
import {
  arange,
  checkOptions,
  isTensor,
  logAddExp,
  ShapeError,
  scan,
  type Tensor,
  tensor,
  ValueError,
  where,
} from '@nn/core';

export interface RnntOptions {
  /** How many steps of each row count: [N]; all by default. */
  readonly inputLengths?: Tensor | readonly number[];
  /** How many labels each row of the target has: [N]; all by default. */
  readonly targetLengths?: Tensor | readonly number[];
  /** The class that reads a step and writes nothing; the last one by default (-1), as in torchaudio. */
  readonly blank?: number;
  /** 'mean' over rows by default. */
  readonly reduction?: 'mean' | 'sum' | 'none';
}

/** The logarithm of 0, for sums: finite, so that differences of it are not NaN. */
const never = -1e30;

function lengthsOf(
  name: string,
  given: RnntOptions['inputLengths'],
  batch: number,
  least: number,
  most: number,
): Tensor {
  if (isTensor(given)) {
    if (given.rank === 1 && given.shape[0] === batch) return given.cast('int32');
    throw new ShapeError('rnnt', `${name} must be [${batch}], got [${given.shape.join(', ')}].`, {
      [name]: given.shape,
    });
  }
  const lengths = given ?? new Array<number>(batch).fill(most);
  const isWrong = lengths.some((length) => !Number.isInteger(length) || length < least || length > most);
  if (lengths.length === batch && !isWrong) return tensor(Int32Array.from(lengths), { constant: given === undefined });
  throw new ValueError(
    'rnnt',
    `${name} must be ${batch} whole numbers from ${least} to ${most}, got [${lengths.join(', ')}].`,
    { [name]: lengths },
  );
}

/**
 * -log of the probability that a transducer whose logits are [N, steps, labels + 1, classes] writes the target [N, labels], as torchaudio's `rnnt_loss`. Logits at (t, u) are those after t steps
 * read and u labels written; they are normalised here. A label that is no class gives NaN.
 *
 * @example
 * import { rnnt } from '@nn/audio';
 * import { tensor, zeros } from '@nn/core';
 * // two steps, one label, two equally likely classes: the label before or after the first blank, 2 ways of 3 choices each
 * console.log(Math.exp(-(await rnnt(zeros([1, 2, 2, 2]), tensor([[0]])).item())).toFixed(3)); // => 0.250
 */
export function rnnt(logits: Tensor, target: Tensor, options: RnntOptions = {}): Tensor {
  checkOptions('rnnt', options, ['inputLengths', 'targetLengths', 'blank', 'reduction']);
  if (!isTensor(logits) || logits.rank !== 4) {
    const shape = isTensor(logits) ? `[${logits.shape.join(', ')}]` : String(logits);
    throw new ShapeError('rnnt', `logits must be [N, steps, labels + 1, classes], got ${shape}.`);
  }
  const [batch, steps, states, classes] = logits.shape as [number, number, number, number];
  const labels = states - 1;
  if (target.rank !== 2 || target.shape[0] !== batch || target.shape[1] !== labels) {
    throw new ShapeError('rnnt', `the target must be [${batch}, ${labels}], got [${target.shape.join(', ')}].`, {
      target: target.shape,
    });
  }
  const { reduction = 'mean' } = options;
  const blank = (options.blank ?? -1) < 0 ? classes + (options.blank ?? -1) : options.blank!;
  if (!Number.isInteger(blank) || blank < 0 || blank >= classes) {
    throw new ValueError('rnnt', `blank is ${options.blank}: there are ${classes} classes.`, { blank: options.blank });
  }
  if (!['mean', 'sum', 'none'].includes(reduction)) {
    throw new ValueError('rnnt', `no reduction '${String(reduction)}': 'mean', 'sum' or 'none'.`, { reduction });
  }
  const inputLengths = lengthsOf('inputLengths', options.inputLengths, batch, 1, steps);
  const targetLengths = lengthsOf('targetLengths', options.targetLengths, batch, 0, labels);

  const logs = logits.logSoftmax(-1);
  const read = logs.slice([0, 0, 0, blank], [null, null, null, blank + 1]).squeeze(3);
  const given = target.dtype === 'int32' ? target : target.cast('int32');
  const indices = given.clamp(0, classes - 1); // behind a target's length anything may stand
  const write =
    labels === 0
      ? null
      : logs
          .slice([0, 0, 0, 0], [null, null, labels, null])
          .takeAlong(indices.reshape([batch, 1, labels, 1]).expand([batch, steps, labels, 1]), 3)
          .squeeze(3);

  // On diagonal d stand the places (t, u) with t + u = d. alpha(t, u) comes from (t - 1, u) by a blank, from (t, u - 1) by a label.
  const diagonals = steps + labels;
  const skewed = (x: Tensor, width: number, later: number): Tensor => {
    const rows = new Int32Array(diagonals * width);
    const real = new Uint8Array(diagonals * width);
    for (let d = 0; d < diagonals; d++) {
      for (let u = 0; u < width; u++) {
        const t = d - u - later;
        rows[d * width + u] = Math.max(0, Math.min(steps - 1, t));
        real[d * width + u] = t >= 0 && t < steps ? 1 : 0;
      }
    }
    const places = tensor(rows, { shape: [1, diagonals, width], constant: true }).expand([batch, diagonals, width]);
    const isReal = tensor(real, { shape: [1, diagonals, width], constant: true }).cast('bool');
    return where(isReal, x.takeAlong(places, 1), never).transpose(0, 1);
  };
  // what leads to diagonal d: the blank of (d - 1 - u, u), and the label u - 1 of (d - u, u - 1)
  const byBlank = skewed(read, states, 1);
  const byLabel =
    write === null
      ? byBlank.mul(0).add(never)
      : skewed(write, labels, 1).pad(
          [
            [0, 0],
            [0, 0],
            [1, 0],
          ],
          never,
        );
  const start = where(arange(states).equal(0), 0, never).expand([batch, states]);
  const turn = (before: Tensor, { blanks, written }: { blanks: Tensor; written: Tensor }) => {
    const shifted = before
      .pad(
        [
          [0, 0],
          [1, 0],
        ],
        never,
      )
      .slice([0, 0], [null, states]);
    const next = logAddExp(before.add(blanks), shifted.add(written)).maximum(never);
    return { carry: next, output: next };
  };
  const inputs = { blanks: byBlank.slice([1, 0, 0]), written: byLabel.slice([1, 0, 0]) };
  const rest = diagonals > 1 ? scan(turn, start, inputs).outputs : null;
  const alphas = rest === null ? start.unsqueeze(0) : concatFirst(start, rest);

  // The end: the last step is read when all labels are written.
  const isLastLabel = arange(states).equal(targetLengths.unsqueeze(1)); // [N, states]
  const lastDiagonal = inputLengths.add(targetLengths).sub(1);
  const isEnd = arange(diagonals).unsqueeze(1).equal(lastDiagonal).unsqueeze(2).logicalAnd(isLastLabel);
  const isLastStep = arange(steps)
    .equal(inputLengths.sub(1).unsqueeze(1))
    .unsqueeze(2)
    .logicalAnd(isLastLabel.unsqueeze(1));
  const ways = where(isEnd, alphas, 0)
    .sum([0, 2])
    .add(where(isLastStep, read, 0).sum([1, 2]))
    .neg();
  const isOutside = given.notEqual(indices).logicalAnd(arange(labels).less(targetLengths.unsqueeze(1)));
  const losses = labels === 0 ? ways : where(isOutside.any(1), Number.NaN, ways);
  return reduction === 'none' ? losses : reduction === 'sum' ? losses.sum() : losses.mean();
}

const concatFirst = (first: Tensor, rest: Tensor): Tensor => {
  const [count, ...shape] = rest.shape as [number, ...number[]];
  const padded = rest.pad([[1, 0], ...shape.map((): [number, number] => [0, 0])]);
  return where(
    arange(count + 1)
      .equal(0)
      .reshape([count + 1, ...shape.map(() => 1)]),
    first,
    padded,
  );
};
