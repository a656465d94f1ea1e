/** The public names of @nn/compress, one by one. */

export {
  type Adapter,
  adapterNames,
  addIa3,
  addLora,
  addPrefix,
  type Ia3Options,
  type LoraOptions,
  mergeAdapters,
  removeAdapter,
  unmergeAdapters,
  useAdapters,
} from './adapters/adapters.ts';
export { type AdapterFiles, type EncodeAdapterOptions, encodeAdapter, loadAdapter } from './adapters/files.ts';
export type { PrefixOptions } from './adapters/prefix.ts';
export type { AdapterTargets } from './adapters/targets.ts';
export { type Counted, cost, type ModelCostOptions, type StepCostOptions } from './cost/cost.ts';
export {
  arithmeticJoules,
  type Energy,
  EnergyMeter,
  type EnergyOptions,
  type EnergyPrices,
  energy,
  horowitzPrices,
} from './cost/energy.ts';
export { type EnergyCounters, raplCounters } from './cost/power.ts';
export type { Cost, CostRow } from './cost/table.ts';
export type { Work } from './cost/work.ts';
export { type DecideOptions, type Decisions, EarlyExits } from './distil/early-exits.ts';
export {
  attentionTransferLoss,
  attentionWeightLoss,
  type DistillationOptions,
  distillationLoss,
  type FeatureOptions,
  featureLoss,
  similarityLoss,
} from './distil/losses.ts';
export { type Factorized, type FactorizeOptions, factorize } from './infer/factorize.ts';
export { foldBatchNorm } from './infer/fold.ts';
export { type InferenceReport, readyForInference } from './infer/ready.ts';
export type { LayerPattern } from './model.ts';
export {
  cubicSparsity,
  type GradualOptions,
  GradualPruning,
  MovementScores,
  type SparsityScheduleOptions,
} from './prune/gradual.ts';
export { type PruneOptions, prune } from './prune/prune.ts';
export { removePruning, type Sparsity, sparsity } from './prune/pruning.ts';
export { InputQuantiser, type QuantisedInput } from './quantise/activations.ts';
export type { ObserverKind } from './quantise/calibrate.ts';
export { type FakeQuantiseOptions, fakeQuantise } from './quantise/fake-quantise.ts';
export { EntropyObserver, type Histogram, HistogramObserver, PercentileObserver } from './quantise/histogram.ts';
export { QuantisedInTraining } from './quantise/in-training.ts';
export {
  type ConvGeometry,
  GroupedLinear,
  QuantisedConv,
  QuantisedEmbedding,
  QuantisedLinear,
} from './quantise/layers.ts';
export { MinMaxObserver, MovingAverageObserver, type Observer, type ValueRange } from './quantise/observers.ts';
export {
  type DynamicOptions,
  type Quantised,
  type QuantiseOptions,
  quantise,
  quantiseInTraining,
  type StaticOptions,
  type TrainedOptions,
  type WeightOptions,
} from './quantise/quantise.ts';
export {
  QuantisedGRU,
  QuantisedGRUCell,
  QuantisedLSTM,
  QuantisedLSTMCell,
  QuantisedRNN,
  QuantisedRNNCell,
} from './quantise/recurrent.ts';
export {
  affineQuantisation,
  type Levels,
  type Quantisation,
  type Symmetry,
  sevenBits,
  symmetricQuantisation,
} from './quantise/scheme.ts';
export { headImportance, pruneHeads } from './structure/heads.ts';
export { type ShrinkOptions, type Shrunk, shrink } from './structure/shrink.ts';
