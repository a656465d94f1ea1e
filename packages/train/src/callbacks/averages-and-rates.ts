/**
 * Callbacks for objects of @nn/optim that a loop of your own calls by itself: averages of weights, rates that fall on a
 * plateau, layers that begin to learn later. They call, and own nothing.
 */
import { checkChoices, checkOptions, type Model, type ParameterPattern, unfreeze, ValueError } from '@nn/core';
import type { ReduceLROnPlateau, Rule, WeightAverage } from '@nn/optim';
import type { Callback, Monitored } from '../events.ts';
import { checkMonitor, watched } from './monitor.ts';

export interface WeightAverageCallbackOptions {
  /** Averages after each 'step' (EMA) or at the end of each 'epoch' (SWA). Default 'step'. */
  readonly every?: 'step' | 'epoch';
  /** Steps before the first. Default 0. */
  readonly from?: number;
}

/**
 * Averages the weights as the training goes on, and has the average in the model while it is validated: callbacks that stand
 * before this one (`checkpoint({ best })`, `earlyStopping({ restoreBest })`) take the averaged weights as the best.
 *
 * @example
 * import { Linear } from '@nn/layers';
 * import { WeightAverage } from '@nn/optim';
 * import { weightAverage } from '@nn/train';
 * const average = new WeightAverage(new Linear(2, 1), { decay: 0.99 });
 * console.log(weightAverage(average).average.updates); // => 0
 */
export function weightAverage(
  average: WeightAverage,
  options: WeightAverageCallbackOptions = {},
): Callback & { readonly average: WeightAverage } {
  checkOptions('weightAverage', options, ['every', 'from']);
  checkChoices('weightAverage', options, { every: ['step', 'epoch'] });
  const { every = 'step', from = 0 } = options;
  if (typeof average?.swapIn !== 'function') {
    throw new ValueError(
      'weightAverage',
      'give the average: weightAverage(new WeightAverage(model, { decay: 0.999 })).',
    );
  }
  if (!(from >= 0))
    throw new ValueError('weightAverage', `from is ${from}: it is a number of steps, 0 or more.`, { from });
  const handle: Callback['handle'] = async ({ type, step }) => {
    if (type === 'validating' && average.updates > 0) await average.swapIn();
    // after a validation, and also after one that was ended
    if ((type === 'validated' || type === 'rest' || type === 'stopped') && average.isSwapped) await average.swapOut();
    if (type === every && step > from) await average.update();
  };
  return { average, hears: ['validating', 'validated', 'rest', 'stopped', every], handle };
}

/**
 * Lowers the learning rates when a value no longer improves: `plateau.step(value)` at each epoch or validation. Throws ValueError
 * at the start where the plateau waits for a value to fall that is better when it rises, or the other way round.
 *
 * @example
 * import { Linear } from '@nn/layers';
 * import { ReduceLROnPlateau, SGD } from '@nn/optim';
 * import { reduceOnPlateau } from '@nn/train';
 * const optimizer = new SGD(new Linear(2, 1), { learningRate: 0.1 });
 * const callback = reduceOnPlateau(new ReduceLROnPlateau(optimizer, { patience: 3 }), { monitor: 'validation.loss' });
 * console.log(callback.plateau.best); // => null
 */
export function reduceOnPlateau<const Name extends string, R extends Rule>(
  plateau: ReduceLROnPlateau<R>,
  options: { readonly monitor: Name },
): Callback<Monitored<Name>> & { readonly plateau: ReduceLROnPlateau<R> } {
  checkOptions('reduceOnPlateau', options, ['monitor']);
  const { monitor } = options;
  checkMonitor('reduceOnPlateau', monitor);
  if (typeof plateau?.mode !== 'string') {
    throw new ValueError(
      'reduceOnPlateau',
      'give the plateau: reduceOnPlateau(new ReduceLROnPlateau(optimizer), { monitor }).',
    );
  }
  const handle: Callback<Monitored<Name>>['handle'] = (event, training) => {
    // what will never be there, or is watched the wrong way round, is told at once
    if (event.type === 'start') checkDirection(monitor, plateau.mode, training.higherIsBetter(monitor));
    const value = watched(event, monitor, training);
    if (value === undefined || !plateau.step(value)) return;
    training.warn(
      'plateau',
      `${monitor} no longer improves: the learning rate is now ${training.optimizer?.learningRates[0]}.`,
    );
  };
  return { plateau, hears: ['start', 'epoch', 'validated'], handle };
}

function checkDirection(monitor: string, mode: 'min' | 'max', higherIsBetter: boolean | null): void {
  if (higherIsBetter === null || higherIsBetter === (mode === 'max')) return;
  const [better, right] = higherIsBetter ? ['rises', 'max'] : ['falls', 'min'];
  throw new ValueError(
    'reduceOnPlateau',
    `'${monitor}' is better when it ${better}, but the plateau has mode '${mode}': new ReduceLROnPlateau(optimizer, { mode: '${right}' }).`,
    { monitor, mode },
  );
}

/**
 * Lets frozen parameters learn from an epoch on (counted from 1): fine-tuning that begins with the head alone.
 *
 * @example
 * import { freeze } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * import { unfreezeAt } from '@nn/train';
 * const model = { body: new Linear(2, 2), head: new Linear(2, 1) };
 * freeze(model.body);
 * const callbacks = [unfreezeAt(3, model.body)];
 * console.log(model.body.weight.trainable, callbacks.length); // => false 1
 */
export function unfreezeAt(epoch: number, model: Model, pattern?: ParameterPattern): Callback {
  if (!Number.isInteger(epoch) || epoch < 1) {
    throw new ValueError('unfreezeAt', `epoch is ${epoch}: it is a whole number, counted from 1.`, { epoch });
  }
  let isDone = false;
  return {
    hears: ['start', 'epoch'],
    handle: (event) => {
      // after the last step of the epoch before, and at the start of a run that is resumed later
      // a run that begins anew owes nothing to the one before
      if (event.type === 'start' && event.step === 0) isDone = false;
      if (isDone || (event.type !== 'start' && event.type !== 'epoch')) return;
      if (event.epoch + Number(event.type === 'epoch') < epoch) return;
      isDone = true;
      unfreeze(model, pattern);
    },
  };
}
