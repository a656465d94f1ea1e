export { Adam, type AdamOptions, AdamW } from './adam.ts';
export { type Clip, clipByGlobalNorm, clipByNorm, clipByValue, globalNorm } from './clipping.ts';
export { readLoss } from './finite.ts';
export type { Complete, OptimizerOptions, ParameterGroup, ParameterSource } from './groups.ts';
export { Optimizer, OptimizerGroup, type Rider, type Rule, type Update, type UpdateContext } from './optimizer.ts';
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from './plateau.ts';
export { RMSprop, type RMSpropOptions } from './rmsprop.ts';
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
