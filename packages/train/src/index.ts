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
export { RollBack, type RollBackOptions } from './divergence.ts';
export type {
  Callback,
  Controls,
  Ending,
  EpochEvent,
  Metrics,
  Monitor,
  Monitored,
  Place,
  RateGroup,
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
export {
  type ActivationReading,
  ActivationStatistics,
  ActivationWatch,
  type ActivationWatchOptions,
  activationStatistics,
} from './health/activations.ts';
export type { Finding } from './health/finding.ts';
export {
  type GradientReading,
  GradientStatistics,
  type GradientWarningOptions,
  gradientStatistics,
} from './health/gradients.ts';
export { LossWatch, type LossWatchOptions, lossWatch } from './health/loss-watch.ts';
export { checkStart, type StartOptions, startChecks } from './health/start.ts';
export { Throughput, type ThroughputOptions, type ThroughputReading, throughput } from './health/throughput.ts';
export { encodeEvent, encodeFileStart, type Summary } from './logs/event-encoder.ts';
export type { OwnStepOptions, ReadEvery, TrainingOptions, Validation } from './options.ts';
export { bar, Progress } from './progress.ts';
export type { EpochRow } from './state.ts';
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
export { type Outcome, Training } from './training.ts';
export { type Prediction, type PredictOptions, predict, type ValidateOptions, validate } from './validate.ts';
export { type LossWeights, type WeightOptions, weightedLoss } from './weights.ts';
