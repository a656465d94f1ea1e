/**
 * In training: an adversary that tells the group from what the model says, while the model learns to leave it nothing. One
 * loss and one step: on the way back to the model the adversary's gradient is turned around. (Ganin and Lempitsky 2015; Zhang,
 * Lemoine and Mitchell 2018.)
 */
import { checkOptions, concat, customGradient, oneHot, type Tensor } from '@nn/core';
import { crossEntropy, Linear, relu } from '@nn/layers';

/**
 * The value itself; its gradient times -strength.
 *
 * @example
 * import { gradients, tensor } from '@nn/core';
 * import { reverseGradient } from '@nn/fairness';
 * const x = tensor([1, 2]);
 * const [slope] = gradients(reverseGradient(x, 0.5).sum(), [x]);
 * console.log(await slope.array()); // => [-0.5, -0.5]
 */
export function reverseGradient(x: Tensor, strength = 1): Tensor {
  return customGradient(
    (input) => input.mul(1),
    (g) => [g.mul(-strength)],
  )(x);
}

export interface AdversaryOptions {
  /** Width of its hidden layer. Default 32. */
  readonly hidden?: number;
  /** How hard the model is pushed. Default 1. */
  readonly strength?: number;
  /** Classes of the target, which the adversary is then shown: for equal odds and not equal rates. Default: it is not shown. */
  readonly targetClasses?: number;
}

/**
 * Tells the group from logits [N, outputs]; its parameters are trained by the same optimizer as the model's. Add its loss to the
 * model's own: `crossEntropy(logits, y).add(adversary.loss(logits, groups))`. With `targetClasses` it sees the targets, too.
 *
 * @example
 * import { tensor, zeros } from '@nn/core';
 * import { Adversary } from '@nn/fairness';
 * const adversary = new Adversary(1, 2, { hidden: 8 });
 * console.log(adversary.loss(zeros([4, 1]), tensor([0, 1, 0, 1])).shape); // => []
 */
export class Adversary {
  readonly hidden: Linear;
  readonly output: Linear;
  readonly strength: number;
  readonly targetClasses: number;

  constructor(inputs: number, groups: number, options: AdversaryOptions = {}) {
    checkOptions('Adversary', options, ['hidden', 'strength', 'targetClasses']);
    const { hidden = 32, strength = 1, targetClasses = 0 } = options;
    this.strength = strength;
    this.targetClasses = targetClasses;
    this.hidden = new Linear(inputs + targetClasses, hidden);
    this.output = new Linear(hidden, groups);
  }

  /** The cross-entropy of the groups, int32 [N]; what it asks of the model is turned around. */
  loss(logits: Tensor, groups: Tensor, targets?: Tensor): Tensor {
    const said = reverseGradient(logits, this.strength);
    const seen =
      this.targetClasses === 0 || targets === undefined ? said : concat([said, oneHot(targets, this.targetClasses)], 1);
    return crossEntropy(this.output.forward(relu(this.hidden.forward(seen))), groups);
  }
}
