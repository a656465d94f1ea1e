/**
 * Softmax over very many classes whose frequencies fall steeply: the frequent ones stand alone, the rare ones in clusters with
 * ever narrower projections (Grave et al. 2017). Owns the head, the tails and what a class's probability is made of.
 */
import { checkOptions, concat, showShape, type Tensor, ValueError, where } from '@nn/core';
import { requireLastAxis, requireWhole } from './layer.ts';
import { Linear } from './linear.ts';
import { Sequential } from './sequential.ts';

export interface AdaptiveLogSoftmaxWithLossOptions {
  /** Each cluster's projection is narrower than the last by this. Default 4. */
  readonly divisor?: number;
  /** Whether the head has a bias. Default false. */
  readonly headBias?: boolean;
}

/**
 * Log-probabilities of `classes` classes, sorted by falling frequency: those below the first cutoff in the head, those from one
 * cutoff to the next in a cluster. Input [N, inputs], target int32 [N].
 *
 * Parameters and defaults are those of PyTorch's `nn.AdaptiveLogSoftmaxWithLoss`: `head.weight`, `tail.0.0.weight`,
 * `tail.0.1.weight`, ... All clusters are computed for all rows: it saves parameters, and less time than where sizes may depend
 * on values. Throws ValueError for cutoffs that do not rise from 1 to below `classes`.
 *
 * @example
 * import { tensor, zeros } from '@nn/core';
 * import { AdaptiveLogSoftmaxWithLoss } from '@nn/layers';
 * const layer = new AdaptiveLogSoftmaxWithLoss(16, 1000, [10, 100]);
 * console.log(layer.forward(zeros([4, 16]), tensor([3, 50, 999, 0])).output.shape); // => [4]
 * console.log(layer.logProbabilities(zeros([4, 16])).shape); // => [4, 1000]
 */
export class AdaptiveLogSoftmaxWithLoss {
  readonly inputs: number;
  readonly classes: number;
  /** Where clusters begin, and the number of classes at the end. */
  readonly cutoffs: readonly number[];
  head: Linear;
  readonly tail: readonly Sequential[];

  constructor(
    inputs: number,
    classes: number,
    cutoffs: readonly number[],
    options: AdaptiveLogSoftmaxWithLossOptions = {},
  ) {
    this.inputs = inputs;
    this.classes = classes;
    const name = String(this);
    checkOptions(name, options, ['divisor', 'headBias']);
    requireWhole(name, 'inputs', inputs);
    requireWhole(name, 'classes', classes);
    const { divisor = 4, headBias = false } = options;
    const rises = cutoffs.every(
      (cutoff, i) => Number.isInteger(cutoff) && cutoff > (cutoffs[i - 1] ?? 0) && cutoff < classes,
    );
    if (cutoffs.length === 0 || !rises) {
      throw new ValueError(name, `the cutoffs are ${showShape(cutoffs)}: they must rise, from 1 to below ${classes}.`, {
        cutoffs,
      });
    }
    this.cutoffs = [...cutoffs, classes];
    const [first = 1] = cutoffs;
    this.head = new Linear(inputs, first + cutoffs.length, { bias: headBias });
    this.tail = cutoffs.map((cutoff, i) => {
      const width = Math.floor(inputs / divisor ** (i + 1));
      if (width < 1) {
        throw new ValueError(name, `cluster ${i} has no width left: ${inputs} / ${divisor}^${i + 1} is below 1.`, {
          divisor,
        });
      }
      const size = (this.cutoffs[i + 1] ?? classes) - cutoff;
      return new Sequential(new Linear(inputs, width, { bias: false }), new Linear(width, size, { bias: false }));
    });
  }

  /** The log-probability of each target [N], and their mean, negative, as a loss. NaN for a target that is no class. */
  forward(input: Tensor, target: Tensor): { readonly output: Tensor; readonly loss: Tensor } {
    const { head, clusters } = this.#parts(input);
    const classes = target.cast('int32');
    const [first = 1] = this.cutoffs;
    const pick = (rows: Tensor, index: Tensor, most: number): Tensor =>
      rows.takeAlong(index.clamp(0, most - 1).unsqueeze(1), 1).squeeze(1);
    let output = pick(head, classes, first);
    clusters.forEach((cluster, i) => {
      const [from = 0, to = 0] = this.cutoffs.slice(i, i + 2);
      const inside = head.at([], first + i).add(pick(cluster, classes.sub(from), to - from));
      output = where(classes.greaterEqual(from), inside, output);
    });
    const isClass = classes.greaterEqual(0).logicalAnd(classes.less(this.classes));
    output = where(isClass, output, Number.NaN);
    return { output, loss: output.mean().neg() };
  }

  /** All log-probabilities: [N, classes]. */
  logProbabilities(input: Tensor): Tensor {
    const { head, clusters } = this.#parts(input);
    const [first = 1] = this.cutoffs;
    const tails = clusters.map((cluster, i) => cluster.add(head.at([], [first + i, first + i + 1])));
    return concat([head.at([], [0, first]), ...tails], 1);
  }

  /** The most probable class of each row: int32 [N]. */
  predict(input: Tensor): Tensor {
    return this.logProbabilities(input).argMax(1);
  }

  #parts(input: Tensor): { readonly head: Tensor; readonly clusters: readonly Tensor[] } {
    requireLastAxis(String(this), input, this.inputs);
    return {
      head: this.head.forward(input).logSoftmax(1),
      clusters: this.tail.map((cluster) => cluster.forward(input).logSoftmax(1)),
    };
  }

  toString(): string {
    return `AdaptiveLogSoftmaxWithLoss(${this.inputs}, ${this.classes})`;
  }
}
