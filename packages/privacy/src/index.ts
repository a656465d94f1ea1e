/** Differentially private training with its accounting, audits, federated training and secure aggregation. */
export { PrivacyAccountant, type PrivacyBudget } from './accounting/accountant.ts';
export {
  type AccountingMethod,
  type EpsilonOptions,
  epsilonOf,
  type NoiseOptions,
  noiseFor,
} from './accounting/epsilon.ts';
export type { PrivateSteps } from './accounting/mechanism.ts';
export { renyiDivergence } from './accounting/rdp.ts';
export type { AdaptiveClipping, Clipping } from './clipping.ts';
export type { RandomSource } from './cryptographic.ts';
export { PoissonLoader, type PoissonLoaderOptions, type PrivateBatch } from './loader.ts';
export {
  type GradientOptimizer,
  PrivateOptimizer,
  type PrivateOptimizerOptions,
  type PrivateStep,
} from './private-optimizer.ts';
