/** Metrics of fairness by group, mitigation before, in and after training, model cards. */
export type { Attribute, Attributes } from './groups.ts';
export { type CalibrationBin, calibrationByGroup, type GroupCalibration } from './metrics/calibration.ts';
export { type Estimate, type GroupedMetric, type MetricFrameOptions, metricFrame } from './metrics/metric-frame.ts';
export {
  averageOddsDifference,
  consistency,
  demographicParity,
  disparateImpact,
  equalizedOdds,
  equalOpportunity,
  type Gap,
  type GroupedOutcomes,
  type PrivilegedOutcomes,
  theilIndex,
} from './metrics/parity.ts';
export {
  accuracyRate,
  falsePositiveRate,
  type GroupMetric,
  type Outcomes,
  precisionRate,
  selectionRate,
  truePositiveRate,
} from './metrics/rates.ts';
export { Adversary, type AdversaryOptions, reverseGradient } from './mitigation/adversarial.ts';
export {
  type ExponentiatedGradientOptions,
  exponentiatedGradient,
  type FairMixture,
} from './mitigation/exponentiated-gradient.ts';
export { type CorrelationRemover, fitCorrelationRemover, reweigh } from './mitigation/preprocessing.ts';
export {
  type FairnessConstraint,
  type FittedThresholds,
  fitThresholds,
  type ThresholdRule,
} from './mitigation/threshold-optimizer.ts';
export { type ModelCardOptions, modelCard } from './report/model-card.ts';
