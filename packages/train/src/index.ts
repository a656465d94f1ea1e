/** The public names of @nn/train, one by one. */
export type { Batches } from './batches.ts';
export { BestWeights } from './best-weights.ts';
export {
  reduceOnPlateau,
  unfreezeAt,
  type WeightAverageCallbackOptions,
  weightAverage,
} from './callbacks/averages-and-rates.ts';
export { type DashboardOptions, dashboard } from './callbacks/dashboard.ts';
export {
  EarlyStopping,
  type EarlyStoppingCallbackOptions,
  type EarlyStoppingOptions,
  earlyStopping,
} from './callbacks/early-stopping.ts';
export { type ProgressOptions, progress } from './callbacks/progress.ts';
export { SpikeDetector, type SpikeOptions, spikeDetection } from './callbacks/spikes.ts';
export { type TimerOptions, timer } from './callbacks/timer.ts';
export { DivergedError } from './diverged-error.ts';
export { RollBack, type RollBackOptions } from './divergence.ts';
export type {
  Callback,
  Controls,
  Ending,
  EpochEvent,
  Heard,
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
export { type BootstrapOptions, bootstrapInterval, type Interval } from './imbalance/bootstrap.ts';
export { DeferredWeights } from './imbalance/deferred.ts';
export { correctPriors, type PriorOptions } from './imbalance/priors.ts';
export {
  type ThresholdCounts,
  type ThresholdGoal,
  type TunedThreshold,
  type TuneThresholdOptions,
  tuneThreshold,
} from './imbalance/threshold.ts';
export { encodeEvent, encodeFileStart, type Hyperparameters, type Summary } from './logs/event-encoder.ts';
export type { OwnStepOptions, ReadEvery, TrainingOptions, Validation } from './options.ts';
export { type Prediction, type PredictOptions, predict } from './predict.ts';
export { bar, Progress } from './progress.ts';
export type { Ranks } from './ranks.ts';
export { type RecordedTerminal, type RecordTerminalOptions, recordTerminal } from './recorded-terminal.ts';
export { type Curve, Curves } from './report/curves.ts';
export { type Line, type LineChartOptions, lineChart } from './report/line-chart.ts';
export type { ReportSample } from './report/report-page.ts';
export { type MeasuresEnergy, RunReport, type RunReportOptions } from './report/run-report.ts';
export {
  type BatchSizeFinding,
  type BatchSizeRow,
  type FindBatchSizeOptions,
  findBatchSize,
} from './search/batch-size.ts';
export { type CrossValidateOptions, type CrossValidation, crossValidate } from './search/cross-validate.ts';
export { type FindLearningRateOptions, findLearningRate, type LearningRateFinding } from './search/learning-rate.ts';
export {
  type Budget,
  type HalvingSearchOptions,
  type PlainSearchOptions,
  type SearchResult,
  search,
  searchTable,
  type TrialResult,
  type TrialRow,
} from './search/search.ts';
export {
  type Choice,
  choice,
  type Range,
  type RangeOptions,
  range,
  type SettingsOf,
  type Space,
} from './search/space.ts';
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
export { type ValidateOptions, validate } from './validate.ts';
export { type LossWeights, type WeightOptions, weightedLoss } from './weights.ts';
export type { WorkerLike } from './workers/channel.ts';
export {
  type Servable,
  type Served,
  serveTraining,
  type TrainInWorkerOptions,
  trainInWorker,
  type WorkerOutcome,
  type WorkerRun,
} from './workers/run.ts';
export { serveTrials, type Trial, type TrialContext, type Workers } from './workers/trials.ts';
export { giveWeights, takeWeights, type Weight, type Weights } from './workers/weights.ts';
