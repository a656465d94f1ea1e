/** The public names of @nn/compress, one by one. */

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
export {
  attentionTransferLoss,
  attentionWeightLoss,
  type DistillationOptions,
  distillationLoss,
  type FeatureOptions,
  featureLoss,
  similarityLoss,
} from './distil/losses.ts';
