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
export {
  canaryExposure,
  epsilonLowerBound,
  type LowerBoundOptions,
  likelihoodRatios,
  lossAttack,
  type MembershipReport,
  membershipReport,
} from './audit/membership.ts';
export type { AdaptiveClipping, Clipping } from './clipping.ts';
export type { RandomSource } from './cryptographic.ts';
export {
  type MaskedClient,
  type MaskedRequest,
  maskedClient,
  type SecureSums,
} from './federated/masked.ts';
export {
  type MessagePortLike,
  remoteClient,
  remoteMaskedClient,
  type SocketLike,
  serveClient,
  socketPort,
} from './federated/ports.ts';
export {
  type FederatedClient,
  type FederatedOptions,
  FederatedServer,
  type RoundReport,
  type TrainRequest,
} from './federated/server.ts';
export { dirichletSplit } from './federated/skew.ts';
export {
  type ClientUpdate,
  coordinateMedian,
  type FederatedStrategy,
  fedAdagrad,
  fedAdam,
  fedAvg,
  fedAvgM,
  fedYogi,
  krum,
  type ServerOptions,
  trimmedMean,
} from './federated/strategies.ts';
export { loadModelVector, modelVector, proximalTerm } from './federated/vectors.ts';
export { PoissonLoader, type PoissonLoaderOptions, type PrivateBatch } from './loader.ts';
export {
  type GradientOptimizer,
  PrivateOptimizer,
  type PrivateOptimizerOptions,
  type PrivateStep,
} from './private-optimizer.ts';
export {
  type Advertisement,
  type RevealedShare,
  type SealedShares,
  SecureClient,
  type SecureRoundOptions,
  secureSum,
  simulateSecureSum,
} from './secure/aggregation.ts';
export { dequantizeSum, quantizeVector } from './secure/quantize.ts';
export { joinSecret, type SecretShare, splitSecret } from './secure/shamir.ts';
