export { Adadelta, type AdadeltaOptions } from './adadelta.ts';
export { Adafactor, type AdafactorOptions } from './adafactor.ts';
export { Adagrad, type AdagradOptions } from './adagrad.ts';
export { Adam, type AdamOptions, AdamW } from './adam.ts';
export { Adamax, type AdamaxOptions } from './adamax.ts';
export { Adan, type AdanOptions } from './adan.ts';
export { ASGD, type ASGDOptions } from './asgd.ts';
export { AveragingOptimizer } from './averaging.ts';
export { type Clip, clipByGlobalNorm, clipByNorm, clipByValue, globalNorm } from './clipping.ts';
export {
  type Constraint,
  maxNorm,
  minMaxNorm,
  type NormAxes,
  nonNegative,
  unitNorm,
} from './constraints.ts';
export { type CyclicOptions, cosineWarmRestarts, cyclic } from './cycles.ts';
export {
  constantFactor,
  inverseTimeDecay,
  multiplicativeDecay,
  noam,
  piecewiseConstant,
  polynomialDecay,
} from './decays.ts';
export { readLoss } from './finite.ts';
export { FTRL, type FTRLOptions } from './ftrl.ts';
export { GradScaler, type GradScalerOptions } from './grad-scaler.ts';
export { centralize, type GradientContext, type GradientTransform, gradientNoise } from './gradient-transforms.ts';
export type { Complete, Defaults, OptimizerOptions, ParameterGroup, ParameterSource } from './groups.ts';
export { LAMB, type LAMBOptions } from './lamb.ts';
export { LBFGS, type LBFGSOptions } from './lbfgs.ts';
export { Lion, type LionOptions } from './lion.ts';
export { Lookahead, type LookaheadOptions } from './lookahead.ts';
export { Muon, type MuonOptions } from './muon.ts';
export { NAdam, type NAdamOptions } from './nadam.ts';
export {
  type Kept,
  Optimizer,
  OptimizerGroup,
  type Rider,
  type Rule,
  type Update,
  type UpdateContext,
} from './optimizer.ts';
export { l1Penalty, l2Penalty, orthogonalPenalty } from './penalties.ts';
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from './plateau.ts';
export { RAdam, type RAdamOptions } from './radam.ts';
export { RMSprop, type RMSpropOptions } from './rmsprop.ts';
export { Rprop, type RpropOptions } from './rprop.ts';
export { SAM, type SAMOptions } from './sam.ts';
export { ScheduleFreeAdamW, type ScheduleFreeAdamWOptions } from './schedule-free.ts';
export {
  cosineAnnealing,
  cosineDecay,
  exponentialDecay,
  linearRamp,
  multiStepDecay,
  type OneCycleOptions,
  oneCycle,
  product,
  type Schedule,
  sequence,
  stepDecay,
  warmUp,
} from './schedules.ts';
export { SGD, type SGDOptions } from './sgd.ts';
export { WeightAverage, type WeightAverageOptions } from './weight-average.ts';
