/** The error of a loss that is not finite, in a file of its own for those who only watch a training. */
import { ValueError } from '@nn/core';

/**
 * What a training throws where a loss is not finite: `data.step` and `data.loss` name it.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * import { SGD } from '@nn/optim';
 * import { DivergedError, Training } from '@nn/train';
 * const model = new Linear(1, 1);
 * const training = new Training({
 *   model,
 *   optimizer: new SGD(model, { learningRate: 1e30 }),
 *   data: [tensor([[1]])],
 *   step: (x) => model.forward(x).square().mean(),
 *   steps: 9,
 * });
 * try {
 *   await training.run();
 * } catch (error) {
 *   if (error instanceof DivergedError) console.log(error.data.loss); // => Infinity
 * }
 */
export class DivergedError extends ValueError {
  static override readonly name: string = 'DivergedError';

  /** `more`: what was tried against it. */
  constructor(step: number, loss: number, more = '') {
    super(
      'Training',
      `the loss of step ${step} is ${loss}: look at that batch, lower the learning rate or clip ` +
        `the gradients, and go on from a checkpoint; debug({ eager: true }) names the operation.${more}`,
      { step, loss },
    );
    this.name = 'ValueError';
  }
}
