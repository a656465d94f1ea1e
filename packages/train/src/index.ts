/** The public names of @nn/train, one by one. */
export type { Batches } from './batches.ts';
export { BestWeights } from './best-weights.ts';
export {
  EarlyStopping,
  type EarlyStoppingCallbackOptions,
  type EarlyStoppingOptions,
  earlyStopping,
} from './callbacks/early-stopping.ts';
export { type ProgressOptions, progress } from './callbacks/progress.ts';
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
  ValuesOf,
  WarningEvent,
} from './events.ts';
export { duration } from './format.ts';
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
