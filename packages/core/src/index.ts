/** The public names of @nn/core, one by one. */

export { autocast, type ProductDType } from './autocast.ts';
export type {
  Alu,
  Axes,
  Backend,
  Body,
  BufferType,
  DType,
  Executable,
  Group,
  Hint,
  Kernel,
  Limits,
  Loop,
  Measured,
  Op,
  Program,
  Shape,
  Step,
  TensorData,
} from './backend.ts';
export { applyChainRule, type ChainStep, withChainRule } from './chain-rule.ts';
export { classCountOf, markClassCount } from './class-count.ts';
export { type AffineForm, affine } from './compile/affine.ts';
export { type CompiledFunction, compile } from './compile-function.ts';
export {
  arange,
  checkIndices,
  eye,
  type FillOptions,
  full,
  linspace,
  oneHot,
  ones,
  onesLike,
  tensor,
  zeros,
  zerosLike,
} from './create.ts';
export { type DebugOptions, debug } from './debug.ts';
export {
  defineOperation,
  type Index,
  type IndexSpace,
  type Lowering,
  type OperationDefinition,
  type OperationRows,
  type OperationUse,
  type OperationValues,
  type TensorType,
  type Value,
} from './define-operation.ts';
export {
  BackendError,
  checkChoices,
  checkOptions,
  DTypeError,
  DuplicateCoreError,
  excerpt,
  FormatError,
  GradientError,
  isNNError,
  NNError,
  ShapeError,
  StaleTensorError,
  ValueError,
} from './errors.ts';
export { explain } from './explain.ts';
export {
  angle,
  complex,
  complexProduct,
  conjugate,
  imaginaryPart,
  magnitude,
  realPart,
} from './fourier/complex.ts';
export {
  type Fourier2Options,
  type FourierNorm,
  type FourierOptions,
  fft,
  fft2,
  fftFrequencies,
  fftShift,
  ifft,
  ifft2,
  ifftShift,
  irfft,
  irfft2,
  rfft,
  rfft2,
  rfftFrequencies,
} from './fourier/fourier.ts';
export {
  blackmanWindow,
  hammingWindow,
  hannWindow,
  type IstftOptions,
  istft,
  type ShortTimeOptions,
  type StftOptions,
  stft,
  type WindowOptions,
} from './fourier/short-time.ts';
export {
  type AveragePoolOptions,
  averagePool,
  type ConvolutionOptions,
  concat,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  einsum,
  maxPool,
  type PoolOptions,
  stack,
  type TransposedConvolutionOptions,
  where,
} from './functional.ts';
export {
  type AdaptiveSize,
  adaptiveAveragePool,
  adaptiveMaxPool,
  maxPoolWithIndices,
  maxUnpool,
  type PooledMaxima,
} from './functions/adaptive-pooling.ts';
export {
  chunk,
  type DiffOptions,
  diff,
  maskedFill,
  repeat,
  repeatInterleave,
  roll,
  rot90,
  tile,
} from './functions/arrange.ts';
export {
  argWhere,
  type BincountOptions,
  bincount,
  type Distinct,
  maskedSelect,
  nonzero,
  unique,
  uniqueConsecutive,
} from './functions/by-values.ts';
export { halfBytes, lowBits } from './functions/bytes.ts';
export { copySign, hypot, lerp, sinc } from './functions/combinations.ts';
export {
  bucketize,
  countNonzero,
  type HistogramOptions,
  histogram,
  type SearchSortedOptions,
  searchSorted,
} from './functions/counting.ts';
export { erfc, erfinv } from './functions/error-functions.ts';
export { digamma, lgamma, polygamma } from './functions/gamma.ts';
export { acosh, asinh, atanh, cosh, sinh } from './functions/hyperbolic.ts';
export { type InterpolateOptions, type InterpolationMode, interpolate } from './functions/interpolate.ts';
export { exp2, log2, log10, logAddExp, logit, xlogy } from './functions/logarithms.ts';
export {
  blockDiagonal,
  cross,
  type DiagonalOptions,
  diagEmbed,
  diagonal,
  kron,
  meshgrid,
  outer,
  trace,
  tril,
  triu,
} from './functions/matrices.ts';
export {
  nanMax,
  nanMean,
  nanMin,
  nanProd,
  nanStandardDeviation,
  nanSum,
  nanVariance,
} from './functions/nan-aware.ts';
export { cdist, cosineSimilarity, matrixNorm, normalize, pdist, vectorNorm } from './functions/norms.ts';
export { circularPad, type PadAmounts, reflectionPad, replicationPad } from './functions/padding.ts';
export {
  channelShuffle,
  fold,
  type PatchOptions,
  pixelShuffle,
  pixelUnshuffle,
  unfold,
} from './functions/patches.ts';
export {
  bitwiseNot,
  isFinite,
  isInfinite,
  isNaN,
  type NanToNumOptions,
  nanToNum,
} from './functions/predicates.ts';
export {
  kthValue,
  median,
  mode,
  nanMedian,
  nanQuantile,
  type QuantileInterpolation,
  type QuantileOptions,
  quantile,
} from './functions/quantiles.ts';
export { cummax, cummin, cumprod, logCumSumExp, type Placed } from './functions/running.ts';
export { affineGrid, type GridSampleOptions, gridSample } from './functions/sampling.ts';
export {
  type IndexPutOptions,
  indexAdd,
  indexCopy,
  indexPut,
  indexReduce,
  maskedScatter,
  type ScatterReduceOptions,
  scatter,
  scatterReduce,
} from './functions/scatter.ts';
export { type Reduction, type SegmentOptions, segmentReduce } from './functions/segments.ts';
export { acos, asin, atan, atan2 } from './functions/trigonometry.ts';
export { type GradientCheckOptions, gradcheck } from './gradcheck.ts';
export {
  checkpoint,
  customGradient,
  grad,
  gradients,
  gradientsOrNull,
  hvp,
  noGradient,
  stopGradient,
  valueAndGrad,
} from './gradients.ts';
export { Counter } from './graph/counter.ts';
export type { NumberSource } from './graph/node.ts';
export type { Condition } from './graph/recorder.ts';
export { bytesFrom, decodeUtf8, realmTag } from './host-bytes.ts';
export type { NestedNumbers, TensorOptions } from './host-data.ts';
export { hessian, type JacobianOptions, jacobian } from './jacobian.ts';
export { det, slogdet } from './linalg/determinants.ts';
export { eigh, qr, svd } from './linalg/factorisations.ts';
export { lstsq, matrixRank, pinv, type RankOptions } from './linalg/least-squares.ts';
export { matrixExp, matrixPower } from './linalg/powers.ts';
export {
  cholesky,
  choleskySolve,
  inverse,
  solve,
  type TriangularSolveOptions,
  triangularSolve,
} from './linalg/solving.ts';
export { jvp, linearize, vjp } from './linearize.ts';
export { backup, move, moveTensor, recover } from './move.ts';
export { isPadded, markPadded } from './padding.ts';
export { isParameter, type Parameter, type ParameterOptions, parameter } from './parameter.ts';
export { type PrepareOptions, prepare } from './prepare.ts';
export { type KernelTime, type Profile, profile } from './profile.ts';
export {
  bernoulli,
  categorical,
  hostNormal,
  hostNormalLater,
  hostUniform,
  hostUniformLater,
  normal,
  RandomGenerator,
  type RandomState,
  randomInteger,
  randomState,
  repeatable,
  setRandomState,
  setSeed,
  uniform,
  withRandom,
} from './random.ts';
export { randomValue } from './random-value.ts';
export { labelled, plannedPrograms, type RecordedProgram, recordPrograms } from './record-programs.ts';
export { type ScanOptions, scan, type Turn, whileLoop } from './scan.ts';
export { type ErrorClass, receivedError, type SentError, sentError } from './sent-error.ts';
export { checkRoom, evaluate, getDefaultBackend, isTraining, setDefaultBackend, setTraining } from './settings.ts';
export { show as showShape } from './shape.ts';
export { type AbortSignalLike, untilAborted } from './signal.ts';
export {
  type DataOf,
  type IndexItem,
  isTensor,
  type NestedArray,
  type NumbersOfRank,
  type ReduceOptions,
  type Tensor,
  type TensorLike,
} from './tensor.ts';
export { type CompositeNode, type GraphNode, type GraphTrace, traceGraph } from './trace-graph.ts';
export {
  castParameters,
  claimParameters,
  freeze,
  type ParameterPattern,
  unfreeze,
  warnOfUnclaimed,
} from './training.ts';
export { isStateful, type Model, namedParameters, parameters, type Stateful, treeChildren, walkTree } from './tree.ts';
export { computeWaiting, isCompiling, numberSource, onReplay, replace, replayWhile } from './update.ts';
export { type MappedAxes, perSampleGradients, type SampleGradients, type VmapOptions, vmap } from './vmap.ts';
export { whenAll } from './when-all.ts';
