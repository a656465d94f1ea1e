/** The public names of @nn/metrics, one by one. */
export { Last, Max, Mean, Min, Running, type RunningOptions, Sum, Values } from './aggregation.ts';
export {
  Accuracy,
  accuracy,
  ExactMatch,
  exactMatch,
  HammingLoss,
  hammingLoss,
  TopKAccuracy,
  type TopKOptions,
  topKAccuracy,
} from './classification/accuracy.ts';
export {
  CohenKappa,
  ConfusionMatrix,
  cohenKappa,
  confusionMatrix,
  type KappaOptions,
} from './classification/confusion.ts';
export type { Average, Score, ScoreOptions } from './classification/counts.ts';
export type { MarkOptions, PredictionOptions } from './classification/labels.ts';
export {
  BalancedAccuracy,
  type BalancedAccuracyOptions,
  balancedAccuracy,
  F1Score,
  type FBetaOptions,
  FBetaScore,
  f1Score,
  fBetaScore,
  GeometricMean,
  geometricMean,
  Jaccard,
  jaccard,
  MatthewsCorrelation,
  matthewsCorrelation,
  NegativePredictiveValue,
  negativePredictiveValue,
  OutcomeCounts,
  type Outcomes,
  Precision,
  precision,
  Recall,
  recall,
  ShotRecall,
  type ShotRecallOptions,
  type ShotRecalls,
  Specificity,
  specificity,
} from './classification/scores.ts';
export type { Weighting } from './inputs.ts';
export { type Elements, MeanMetric } from './mean-metric.ts';
export { Metric, type Reading, type Readings, read } from './metric.ts';
export { RowMetric, type RowOptions } from './row-metric.ts';
export { SumMetric } from './sum-metric.ts';
