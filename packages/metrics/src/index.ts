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
  CalibrationError,
  type CalibrationErrorOptions,
  type CalibrationOptions,
  fitTemperature,
  type ReliabilityBin,
  ReliabilityTable,
} from './classification/calibration.ts';
export {
  CohenKappa,
  ConfusionMatrix,
  cohenKappa,
  confusionMatrix,
  type KappaOptions,
} from './classification/confusion.ts';
export type { Average, Score, ScoreOptions } from './classification/counts.ts';
export type { PredictionOptions } from './classification/labels.ts';
export { BrierScore, brierScore, HingeLoss, hingeLoss, LogLoss, logLoss } from './classification/likelihood.ts';
export type { MarkOptions } from './classification/marks.ts';
export { MatthewsCorrelation, matthewsCorrelation } from './classification/matthews.ts';
export { OutcomeCounts, type Outcomes } from './classification/outcomes.ts';
export {
  F1Score,
  type FBetaOptions,
  FBetaScore,
  f1Score,
  fBetaScore,
  Jaccard,
  jaccard,
} from './classification/overlap.ts';
export {
  BalancedAccuracy,
  type BalancedAccuracyOptions,
  balancedAccuracy,
  GeometricMean,
  geometricMean,
  ShotRecall,
  type ShotRecallOptions,
  type ShotRecalls,
} from './classification/recalls.ts';
export {
  NegativePredictiveValue,
  negativePredictiveValue,
  Precision,
  precision,
  Recall,
  recall,
  Specificity,
  specificity,
} from './classification/scores.ts';
export {
  type Area,
  type AreaOptions,
  AUROC,
  AveragePrecision,
  type AveragePrecisionOptions,
  auroc,
  averagePrecision,
  type CurveAverage,
  LogAUROC,
  type LogAurocOptions,
} from './curves/areas.ts';
export type { PrecisionRecallPoints, RocPoints } from './curves/curve.ts';
export type { CurveOptions } from './curves/curve-metric.ts';
export {
  EqualErrorRate,
  PrecisionAtRecall,
  PrecisionRecallCurve,
  RecallAtPrecision,
  RocCurve,
  SensitivityAtSpecificity,
  SpecificityAtSensitivity,
} from './curves/points.ts';
export { HostMetric } from './host-metric.ts';
export type { Weighting } from './inputs.ts';
export { type Elements, MeanMetric } from './mean-metric.ts';
export { Metric, type Reading } from './metric.ts';
export { drawCurve, drawDots } from './pictures/braille.ts';
export { confusionSvg, precisionRecallSvg, reliabilitySvg, rocSvg, type SvgOptions } from './pictures/svg.ts';
export {
  type ConfusionOptions,
  type DrawOptions,
  drawConfusion,
  drawPrecisionRecall,
  drawReliability,
  drawRoc,
} from './pictures/terminal.ts';
export { type Readings, type ReadOptions, read, readings } from './read.ts';
export {
  CosineSimilarity,
  cosineSimilarity,
  LogCoshError,
  logCoshError,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  MeanSquaredLogarithmicError,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  RootMeanSquaredError,
  rootMeanSquaredError,
  SymmetricMeanAbsolutePercentageError,
  symmetricMeanAbsolutePercentageError,
} from './regression/errors.ts';
export {
  ContinuousRankedProbability,
  continuousRankedProbability,
  QuantileError,
  type QuantileOptions,
  quantileError,
  TweedieDeviance,
  type TweedieOptions,
  tweedieDeviance,
} from './regression/forecasts.ts';
export {
  ConcordanceCorrelation,
  concordanceCorrelation,
  ExplainedVariance,
  explainedVariance,
  type NormalizedOptions,
  NormalizedRootMeanSquaredError,
  normalizedRootMeanSquaredError,
  PearsonCorrelation,
  pearsonCorrelation,
  type R2Options,
  R2Score,
  RelativeSquaredError,
  r2Score,
  relativeSquaredError,
} from './regression/moments.ts';
export { KendallCorrelation, SpearmanCorrelation } from './regression/ranks.ts';
export { WeightedAbsolutePercentageError, weightedAbsolutePercentageError } from './regression/ratios.ts';
export {
  HitRate,
  MeanAveragePrecision,
  MeanReciprocalRank,
  NDCG,
  type NdcgOptions,
  PrecisionAtK,
  RecallAtK,
  type RetrievalOptions,
  RPrecision,
  type TopOptions,
} from './retrieval.ts';
export { RowMetric, type RowOptions } from './row-metric.ts';
export {
  type ImageOptions,
  MultiScaleSimilarity,
  multiScaleSimilarity,
  PeakSignalToNoise,
  peakSignalToNoise,
  StructuralSimilarity,
  structuralSimilarity,
  TotalVariation,
  totalVariation,
} from './signal/images.ts';
export {
  type DistortionOptions,
  PermutationInvariantSiSnr,
  permutationInvariantSiSnr,
  ScaleInvariantSignalToDistortion,
  ScaleInvariantSignalToNoise,
  SignalToDistortion,
  SignalToNoise,
  scaleInvariantSignalToDistortion,
  scaleInvariantSignalToNoise,
  signalToNoise,
} from './signal/sounds.ts';
export { SumMetric } from './sum-metric.ts';
export { AnswerMatch, type AnswerScores, DistinctNgrams, type DistinctOptions } from './text/answers.ts';
export { BLEU, type BleuOptions } from './text/bleu.ts';
export { ChrF, type ChrfOptions } from './text/chrf.ts';
export {
  CharacterErrorRate,
  EditDistance,
  type EditDistanceOptions,
  editDistance,
  MatchErrorRate,
  WordErrorRate,
  WordInformationLost,
} from './text/edit-distance.ts';
export { BitsPerByte, Perplexity, type PerplexityOptions, perplexity } from './text/perplexity.ts';
export { ROUGE, type RougeKind, type RougeScores } from './text/rouge.ts';
export { type TerOptions, TranslationEditRate } from './text/ter.ts';
