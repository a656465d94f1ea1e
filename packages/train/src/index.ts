/** The public names of @nn/train, one by one. */
export type { Batches } from './batches.ts';
export { BestWeights } from './best-weights.ts';
export {
  reduceOnPlateau,
  unfreezeAt,
  type WeightAverageCallbackOptions,
  weightAverage,
} from './callbacks/averages-and-rates.ts';
export {
  EarlyStopping,
  type EarlyStoppingCallbackOptions,
  type EarlyStoppingOptions,
  earlyStopping,
} from './callbacks/early-stopping.ts';
export { type ProgressOptions, progress } from './callbacks/progress.ts';
export { SpikeDetector, type SpikeOptions, spikeDetection, type TimerOptions, timer } from './callbacks/spikes.ts';
export type {
  Callback,
  Controls,
  Ending,
  EpochEvent,
  Metrics,
  Monitor,
  Monitored,
  Place,
  ReadEvent,
  RestEvent,
  StartEvent,
  StepEvent,
  StepsOptimizer,
  StoppedEvent,
  TrainingEvent,
  Validated,
  ValidatedEvent,
  ValidatingEvent,
  ValuesOf,
  WarningEvent,
} from './events.ts';
export { duration } from './format.ts';
export { encodeEvent, encodeFileStart, type Summary } from './logs/event-encoder.ts';
export { bar, Progress } from './progress.ts';
export {
  type Color,
  type ColorDepth,
  type Output,
  padText,
  type Style,
  Terminal,
  widthOf,
  wrap,
} from './terminal.ts';
export {
  type EpochRow,
  type Outcome,
  type OwnStepOptions,
  type ReadEvery,
  Training,
  type TrainingOptions,
  type Validation,
} from './training.ts';
export { type Prediction, predict, type ValidateOptions, validate } from './validate.ts';
