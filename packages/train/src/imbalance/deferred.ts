/** Deferred re-weighting: class weights that come when the network has learned to see, for the last part of a training. */
import { checkOptions, type Parameter, parameter, tensor, ValueError } from '@nn/core';
import type { Callback, Heard } from '../events.ts';

/**
 * Weights of classes that are 1 at first and `weights` for the rest, for losses that take `weight`: LDAM-DRW is `ldam` with them.
 * In a loop of your own call `update(epoch, epochs)` before each epoch (from 1); as a callback it does so itself. The weights are
 * a tensor that changes, so that no step is compiled anew. (Cao et al. 2019: the last fifth.)
 *
 * Throws ValueError for a share outside 0 to 1, and for epochs that are no whole numbers from 1.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend } from '@nn/core';
 * import { classBalancedWeights } from '@nn/layers';
 * import { DeferredWeights } from '@nn/train';
 * setDefaultBackend(cpu());
 * const deferred = new DeferredWeights(classBalancedWeights([90, 10], { beta: 0 }).map((w, k) => w * (k + 1)));
 * deferred.update(8, 10);
 * const before = await deferred.weights.array();
 * deferred.update(9, 10); // crossEntropy(logits, targets, { weight: deferred.weights })
 * console.log(before, await deferred.weights.array()); // => [1, 1] [1, 2]
 */
export class DeferredWeights implements Callback {
  /** [classes] */
  readonly weights: Parameter;
  readonly #later: readonly number[];
  readonly #after: number;
  #isOn = false;
  #epochs: number | null = null;

  constructor(weights: readonly number[], options: { readonly after?: number } = {}) {
    checkOptions('DeferredWeights', options, ['after']);
    const { after = 0.8 } = options;
    if (!(after >= 0 && after <= 1)) {
      throw new ValueError('DeferredWeights', `after is ${after}: it is a share of the epochs, 0 to 1.`, { after });
    }
    if (!Array.isArray(weights)) {
      throw new ValueError('DeferredWeights', 'the weights are a list, a number for each class: [0.5, 4].');
    }
    const wrong = weights.findIndex((weight) => !(weight >= 0 && Number.isFinite(weight)));
    if (weights.length === 0 || wrong >= 0) {
      throw new ValueError(
        'DeferredWeights',
        `the weight of class ${Math.max(wrong, 0)} is ${weights[wrong]}: it is 0 or more.`,
      );
    }
    [this.#later, this.#after] = [[...weights], after];
    this.weights = parameter(
      weights.map(() => 1),
      { buffer: true },
    );
  }

  /** Whether the weights are there. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Before an epoch, counted from 1, of so many. */
  update(epoch: number, epochs: number): void {
    if (!(Number.isInteger(epoch) && epoch >= 1 && Number.isInteger(epochs) && epochs >= 1)) {
      throw new ValueError('DeferredWeights', `epoch ${epoch} of ${epochs}: both are whole numbers from 1.`, {
        epoch,
        epochs,
      });
    }
    // 0.55 of 100 is a little more than 55 in float64
    const isOn = epoch - 1 >= this.#after * epochs - 1e-9 * epochs;
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    this.weights.assign(tensor(this.#later.map((weight) => (isOn ? weight : 1))));
  }

  readonly hears: readonly Heard[] = ['start', 'epoch'];
  readonly handle: Callback['handle'] = (event) => {
    if (event.type === 'start') {
      if (event.epochs === null) {
        throw new ValueError(
          'DeferredWeights',
          'the training has no number of epochs to defer by: new Training({ epochs }).',
        );
      }
      this.#epochs = event.epochs;
      this.update(event.epoch, event.epochs);
    }
    // after the last step of an epoch, for the next one
    if (event.type === 'epoch' && this.#epochs !== null) this.update(event.epoch + 1, this.#epochs);
  };
}
