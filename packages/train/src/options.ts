/**
 * What a training is told: its options by kind, and their checking. Owns names, defaults and the errors about them; what is
 * done with them is training.ts.
 */
import { type AbortSignalLike, checkOptions, type Model, type Tensor, ValueError } from '@nn/core';
import { type Batches, lengthOf, requireBatches, requireStep } from './batches.ts';
import type { RollBack } from './divergence.ts';
import type { Callback, Metrics, StartEvent, StepsOptimizer, ValuesOf } from './events.ts';
import { requireMetrics } from './metric-states.ts';
import type { Ranks } from './ranks.ts';
import type { WeightOptions } from './weights.ts';

/** How often values are read from the device. */
export interface ReadEvery {
  /** Default 50. */
  readonly steps?: number;
  /** Reads sooner where steps are slow. Then windows depend on the clock; losses and epochs do not. */
  readonly milliseconds?: number;
}

/** What a training is validated on. */
export interface Validation<B> {
  readonly data: Batches<B>;
  /** From a batch to the loss, updating the metrics; that of the training where not given. */
  readonly step?: (batch: B) => Tensor;
  /** Steps between two validations, with one more after the last step; at the end of each epoch where not given. */
  readonly every?: number;
}

/** What both kinds of trainings are told. */
export interface CommonOptions<B, M extends Metrics> {
  readonly model: Model;
  /** Walked once in each epoch. A `DataLoader` goes on in mid-epoch where a run was left. */
  readonly data: Batches<B>;
  /** By name; the step updates them. */
  readonly metrics?: M;
  /** The training ends after so many epochs, or so many steps: what comes first. One must be given. */
  readonly epochs?: number;
  readonly steps?: number;
  /** A number of steps, default 50. */
  readonly readEvery?: number | ReadEvery;
  readonly callbacks?: readonly (Callback<ValuesOf<M>> | Callback<ValuesOf<M>>['handle'])[];
  /** Goes back, and on with lower learning rates, where a loss is not finite; the training ends where not given. */
  readonly rollBack?: RollBack;
  /** Once it is aborted the training ends after the step that is under way, or while it waits for data; `run` can go on later. */
  readonly signal?: AbortSignalLike;
}

/** The step makes the loss; the optimizer does the rest. */
export interface TrainingOptions<B, M extends Metrics> extends CommonOptions<B, M>, WeightOptions<B> {
  readonly optimizer: StepsOptimizer & object;
  /** From a batch to the loss, a scalar; with weights the loss of each sample, [N]. Updates the metrics. */
  readonly step: (batch: B) => Tensor;
  readonly validation?: Validation<B>;
  /** Batches in one step of the optimizer, default 1: the gradient is that of their samples together. */
  readonly accumulate?: number;
  /** Compiles the step: faster for small models. It sees the tensors of a batch only. */
  readonly compile?: boolean;
  /**
   * The processes that train together, of `@nn/distributed`; then the optimizer is `await dataParallel(optimizer, group)`, data and
   * validation give each rank its part of every batch (`slice`), and losses and metrics are those of all. Callbacks that print or
   * write do so on rank 0 alone; others run on all ranks, which see the same values. `stop` and the signal of one rank end all, at
   * the latest after the next step.
   */
  readonly group?: Ranks;
}

/** The step does all: several optimizers, penalties on gradients. It returns the loss to record, which was computed. */
export interface OwnStepOptions<B, M extends Metrics> extends CommonOptions<B, M> {
  readonly optimizer?: never;
  readonly step: (batch: B) => Tensor | Promise<Tensor>;
  /** Its `step` must be given, for that of the training learns. */
  readonly validation?: Validation<B> & { readonly step: (batch: B) => Tensor };
  readonly accumulate?: never;
  readonly compile?: never;
  readonly group?: never;
  readonly classWeights?: never;
  readonly sampleWeights?: never;
  /** What a checkpoint must hold besides model, data and metrics: the optimizers. */
  readonly parts?: Readonly<Record<string, object>>;
}

const names = [
  ...['model', 'data', 'metrics', 'epochs', 'steps', 'readEvery', 'callbacks', 'rollBack', 'signal', 'optimizer'],
  ...['step', 'validation', 'accumulate', 'compile', 'classWeights', 'sampleWeights', 'parts', 'group'],
];

type RunLength = Pick<StartEvent, 'epochs' | 'stepsPerEpoch' | 'steps'>;

/** A bound that is none. */
export const endless: number = Number.POSITIVE_INFINITY;

/** Numbers of the options, with their defaults. */
export interface Numbers {
  readonly epochs: number;
  readonly steps: number;
  /** Steps between two validations; endless where they come at the end of each epoch. */
  readonly every: number;
  readonly batchesOfStep: number;
  readonly read: { readonly steps: number; readonly milliseconds: number };
}

/** Checks everything that can be told from the options alone; answers their numbers. */
export function checkTrainingOptions<B, M extends Metrics>(
  options: TrainingOptions<B, M> | OwnStepOptions<B, M>,
): Numbers {
  checkOptions('Training', options, names);
  checkKinds(options);
  const { data, epochs = endless, steps = endless, validation, metrics, optimizer, readEvery = 50 } = options;
  requireStep('Training', 'step', options.step);
  requireBatches('Training', 'data', data);
  if (epochs === endless && steps === endless) {
    throw new ValueError('Training', 'give epochs or steps: it would never end.');
  }
  if (epochs !== endless) checkCount('epochs', epochs);
  if (steps !== endless) checkCount('steps', steps);
  requireMetrics('Training', metrics ?? {});
  if (validation !== undefined) {
    checkOptions('Training.validation', validation, ['data', 'step', 'every']);
    requireBatches('Training', 'validation.data', validation.data);
    if (validation.data === data) {
      throw new ValueError('Training', 'validation.data is the data itself: give a loader of its own.');
    }
    if (validation.step === undefined && optimizer === undefined) {
      throw new ValueError('Training', 'the step makes updates itself: give validation.step.');
    }
    if (validation.every !== undefined) checkCount('validation.every', validation.every);
  }
  const own = ['model', 'data', 'validation', 'metrics', 'callbacks', 'training'];
  const twice = own.find((name) => optimizer === undefined && name in (options.parts ?? {}));
  if (twice !== undefined) throw new ValueError('Training', `parts has '${twice}', which the training adds.`);
  const every = typeof readEvery === 'number' ? { steps: readEvery } : readEvery;
  checkOptions('Training.readEvery', every, ['steps', 'milliseconds']);
  const { milliseconds = endless } = every;
  if (!(milliseconds > 0)) {
    throw new ValueError('Training', `readEvery.milliseconds is ${milliseconds}: it is a number above 0.`);
  }
  return {
    epochs,
    steps,
    every: validation?.every ?? endless,
    batchesOfStep: checkCount('accumulate', options.accumulate ?? 1),
    read: {
      steps: checkCount('readEvery', every.steps ?? 50),
      milliseconds,
    },
  };
}

/** Throws a ValueError that names the option unless it is a whole number, 1 or more. */
function checkCount(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new ValueError('Training', `${option} is ${value}: it is a whole number, 1 or more.`, { [option]: value });
}

/** For JavaScript, which has no types: what is of another kind is told here, and not where it is used. */
function checkKinds<B, M extends Metrics>(options: TrainingOptions<B, M> | OwnStepOptions<B, M>): void {
  const { model, optimizer, signal, callbacks = [] } = options;
  const has = (value: unknown, name: string): boolean => typeof Object(value)[name] === 'function';
  const isList = Array.isArray(callbacks);
  const kinds: readonly (readonly [name: string, isRight: boolean, what: string])[] = [
    ['model', typeof model === 'object' && model !== null, 'a layer, or an object of layers'],
    ['optimizer', optimizer === undefined || has(optimizer, 'step'), 'one of @nn/optim, new Adam(model, ...)'],
    ['signal', signal === undefined || has(signal, 'throwIfAborted'), 'an AbortSignal'],
    [
      'callbacks',
      isList && callbacks.every((one) => typeof one === 'function' || has(one, 'handle')),
      'a list of functions or objects with handle: [progress()]',
    ],
  ];
  const wrong = kinds.find(([, isRight]) => !isRight);
  if (wrong !== undefined) throw new ValueError('Training', `${wrong[0]} must be ${wrong[2]}.`);
}

/** How long a run is, as its 'start' event says: null where the data does not tell. */
export function lengthOfRun(data: object, { epochs, steps, batchesOfStep }: Numbers): RunLength {
  const batches = lengthOf(data);
  const stepsPerEpoch = batches === null ? null : Math.ceil(batches / batchesOfStep);
  const end = Math.min((stepsPerEpoch ?? endless) * epochs, steps);
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  return { epochs: finite(epochs), stepsPerEpoch, steps: finite(end) };
}
