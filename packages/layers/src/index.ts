export {
  gelu,
  glu,
  hardSigmoid,
  hardSwish,
  logSigmoid,
  mish,
  sigmoid,
  silu,
  sparseSigmoid,
} from './activations/gates.ts';
export {
  HardSigmoid,
  HardSwish,
  LogSigmoid,
  Mish,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softsign,
  Tanh,
  TanhShrink,
} from './activations/layers.ts';
export {
  CELU,
  ELU,
  GELU,
  GLU,
  HardShrink,
  HardTanh,
  LeakyReLU,
  LogSoftmax,
  Softmax,
  Softmax2d,
  Softmin,
  Softplus,
  SoftShrink,
  Threshold,
} from './activations/layers-with-options.ts';
export { exponential, hardShrink, hardTanh, softShrink, softsign, tanh, tanhShrink } from './activations/odd.ts';
export {
  celu,
  elu,
  leakyRelu,
  relu,
  relu6,
  selu,
  softplus,
  sparsePlus,
  squareplus,
  type ThresholdOptions,
  threshold,
} from './activations/rectifiers.ts';
export { logSoftmax, softmax, softmin, sparsemax } from './activations/shares.ts';
export { PReLU, RReLU } from './activations/slopes.ts';
export { AdaptiveLogSoftmaxWithLoss, type AdaptiveLogSoftmaxWithLossOptions } from './adaptive-log-softmax.ts';
export { AdditiveAttention, type AdditiveAttentionMasks, type AdditiveAttentionOptions } from './attention/additive.ts';
export { type AttentionOptions, attention } from './attention/attention.ts';
export { KeyValueCache } from './attention/cache.ts';
export {
  GroupedQueryAttention,
  type GroupedQueryAttentionMasks,
  type GroupedQueryAttentionOptions,
} from './attention/grouped-query.ts';
export {
  type AttentionMasks,
  type InProjection,
  MultiheadAttention,
  type MultiheadAttentionOptions,
} from './attention/multihead.ts';
export {
  LearnedPositionalEncoding,
  type PositionalEncodingOptions,
  SinusoidalPositionalEncoding,
} from './attention/positional.ts';
export {
  type AttentionPrefix,
  attentionLayersOf,
  type KeysAndValues,
  type PrefixableAttention,
} from './attention/prefix.ts';
export { alibiSlopes, type RotaryOptions, rotary } from './attention/rotary.ts';
export type { Neighbourhood, Positions, Visibility } from './attention/visibility.ts';
export { Bilinear, Identity } from './bilinear.ts';
export { type Captured, type CaptureOptions, capture } from './capture.ts';
export { Conv1d, Conv2d, Conv3d, type ConvOptions } from './convolution/conv.ts';
export {
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeOptions,
} from './convolution/conv-transpose.ts';
export {
  DepthwiseConv1d,
  DepthwiseConv2d,
  type DepthwiseConvOptions,
  SeparableConv1d,
  SeparableConv2d,
} from './convolution/separable.ts';
export { type WholeConvolutionOptions, wholeConvolution } from './convolution/whole.ts';
export {
  CosineSimilarity,
  type CosineSimilarityOptions,
  cosineSimilarity,
  type NormalizeOptions,
  normalize,
  PairwiseDistance,
  type PairwiseDistanceOptions,
  pairwiseDistance,
} from './distance.ts';
export { EinsumDense, type EinsumDenseOptions } from './einsum-dense.ts';
export { Embedding, type EmbeddingOptions } from './embedding/embedding.ts';
export { type BagOptions, EmbeddingBag, type EmbeddingBagOptions } from './embedding/embedding-bag.ts';
export { ReversibleEmbedding, type ReversibleEmbeddingOptions } from './embedding/reversible-embedding.ts';
export {
  gainOf,
  type KaimingOptions,
  kaimingNormal,
  kaimingUniform,
  lecunNormal,
  lecunUniform,
  type Nonlinearity,
  type OrthogonalOptions,
  orthogonal,
  type TruncatedNormalOptions,
  truncatedNormal,
  type XavierOptions,
  xavierNormal,
  xavierUniform,
} from './initializers/initializers.ts';
export { dirac, sparse, type VarianceScalingOptions, varianceScaling } from './initializers/structured-initializers.ts';
export type { Layer } from './layer.ts';
export { Linear, type LinearOptions } from './linear.ts';
export {
  type BceWithLogitsOptions,
  type BinaryCrossEntropyOptions,
  type BinaryFocalOptions,
  bceWithLogits,
  binaryCrossEntropy,
  binaryFocal,
} from './losses/binary.ts';
export type { ClassLossOptions } from './losses/classes.ts';
export {
  type CrossEntropyOptions,
  crossEntropy,
  type FocalOptions,
  focal,
  type GeneralizedCrossEntropyOptions,
  generalizedCrossEntropy,
  nll,
} from './losses/cross-entropy.ts';
export { type CtcOptions, ctc } from './losses/ctc.ts';
export {
  type CircleOptions,
  type CosineEmbeddingOptions,
  circle,
  cosineEmbedding,
  type InfoNceOptions,
  infoNce,
  negativeCosineSimilarity,
  type TripletMarginOptions,
  type TripletMarginWithDistanceOptions,
  tripletMargin,
  tripletMarginWithDistance,
} from './losses/embedding.ts';
export {
  type GaussianNllOptions,
  gaussianNll,
  type KlDivergenceOptions,
  klDivergence,
  type PoissonNllOptions,
  poissonNll,
} from './losses/likelihood.ts';
export {
  adjustLogits,
  balancedSoftmax,
  balancedWeights,
  type ClassCounts,
  classBalancedWeights,
  type EqualizedOptions,
  equalized,
  type LdamOptions,
  type LogitAdjustedOptions,
  ldam,
  logitAdjusted,
  type SeesawOptions,
  seesaw,
} from './losses/long-tail.ts';
export {
  categoricalHinge,
  type HingeEmbeddingOptions,
  hinge,
  hingeEmbedding,
  type MarginRankingOptions,
  type MultiLabelSoftMarginOptions,
  type MultiMarginOptions,
  marginRanking,
  multiLabelMargin,
  multiLabelSoftMargin,
  multiMargin,
  softMargin,
  squaredHinge,
} from './losses/margin.ts';
export { type DiceOptions, dice, type TverskyOptions, tversky } from './losses/overlap.ts';
export type { LossOptions, Reduction } from './losses/reduce.ts';
export {
  type HuberOptions,
  huber,
  l1,
  logCosh,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  type SmoothL1Options,
  smoothL1,
} from './losses/regression.ts';
export { type MaskOptions, sequenceMask } from './mask.ts';
export { Dropout1d, Dropout2d, Dropout3d } from './noise/channel-dropout.ts';
export { Dropout, dropout } from './noise/dropout.ts';
export { AlphaDropout, FeatureAlphaDropout, GaussianDropout, GaussianNoise } from './noise/noise.ts';
export {
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  type InstanceNormOptions,
} from './normalization/instance-norm.ts';
export {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  type BatchNormOptions,
  GroupNorm,
  type GroupNormOptions,
  LayerNorm,
  type LayerNormOptions,
} from './normalization/normalization.ts';
export {
  LocalResponseNorm,
  type LocalResponseNormOptions,
  RMSNorm,
  type RMSNormOptions,
} from './normalization/rms-norm.ts';
export { type SpectralNormOptions, spectralNorm } from './normalization/spectral-norm.ts';
export { UnitNormalization, type UnitNormalizationOptions } from './normalization/unit.ts';
export { updateBatchNorm } from './normalization/update-batch-norm.ts';
export { parametrize, removeWeightNorm, type WeightNormOptions, weightNorm } from './normalization/weight-norm.ts';
export {
  CircularPad1d,
  CircularPad2d,
  CircularPad3d,
  ConstantPad1d,
  ConstantPad2d,
  ConstantPad3d,
  type Padding,
  ReflectionPad1d,
  ReflectionPad2d,
  ReflectionPad3d,
  ReplicationPad1d,
  ReplicationPad2d,
  ReplicationPad3d,
  ZeroPad1d,
  ZeroPad2d,
  ZeroPad3d,
} from './padding/pads.ts';
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
} from './pooling/adaptive.ts';
export { FractionalMaxPool2d, FractionalMaxPool3d, type FractionalMaxPoolOptions } from './pooling/fractional.ts';
export { GlobalAveragePool, GlobalMaxPool, type GlobalPoolOptions } from './pooling/global.ts';
export { LPPool1d, LPPool2d, LPPool3d, type LPPoolOptions } from './pooling/lp-pool.ts';
export { MaxUnpool1d, MaxUnpool2d, MaxUnpool3d, type MaxUnpoolOptions } from './pooling/unpool.ts';
export {
  AvgPool1d,
  AvgPool2d,
  AvgPool3d,
  type AvgPoolOptions,
  MaxPool1d,
  MaxPool2d,
  MaxPool3d,
  type MaxPoolOptions,
} from './pooling/windows.ts';
export { Flatten, Permute, RepeatVector, Unflatten } from './rearrange/axes.ts';
export {
  ChannelShuffle,
  Fold,
  type PatchOptions,
  PixelShuffle,
  PixelUnshuffle,
  Unfold,
} from './rearrange/patches.ts';
export { Upsample } from './rearrange/upsample.ts';
export {
  type Cell,
  type CellOptions,
  type LSTMState,
  type State,
  type StateName,
  startState,
} from './recurrent/cell.ts';
export {
  GRUCell,
  LSTMCell,
  type LSTMCellOptions,
  RNNCell,
  type RNNCellOptions,
} from './recurrent/cells.ts';
export { ConvLSTM1d, ConvLSTM2d, ConvLSTM3d } from './recurrent/conv-lstm.ts';
export { gruStep, lstmStep } from './recurrent/equations.ts';
export { LayerNormLSTM, type LayerNormLSTMOptions } from './recurrent/layer-norm-lstm.ts';
export { GRU, LSTM, type LSTMOptions, RNN, type RNNOptions } from './recurrent/networks.ts';
export {
  type LSTMResult,
  type LSTMStart,
  Recurrent,
  type RecurrentOptions,
  type RecurrentResult,
  type RecurrentStart,
} from './recurrent/recurrent.ts';
export { type LayerLike, Sequential } from './sequential.ts';
export { type Summarized, type Summary, type SummaryOptions, type SummaryRow, summary } from './summary.ts';
export {
  type DecoderMasks,
  TransformerDecoderLayer,
  type TransformerDecoderLayerOptions,
} from './transformer/decoder-layer.ts';
export { TransformerEncoderLayer, type TransformerEncoderLayerOptions } from './transformer/encoder-layer.ts';
export type { TransformerActivation, TransformerLayerOptions } from './transformer/feed-forward.ts';
export {
  type DecoderLayer,
  type DecoderStackMasks,
  type EncoderLayer,
  type EncoderStackMasks,
  TransformerDecoder,
  TransformerEncoder,
  type TransformerStackOptions,
} from './transformer/stacks.ts';
export { Transformer, type TransformerMasks, type TransformerOptions } from './transformer/transformer.ts';
export { type WarmupOptions, warmup } from './warmup.ts';
export { type Found, layersOf, type Watched, watch } from './watch.ts';
export {
  LazyBatchNorm1d,
  LazyBatchNorm2d,
  LazyBatchNorm3d,
  LazyConv1d,
  LazyConv2d,
  LazyConv3d,
  LazyConvTranspose1d,
  LazyConvTranspose2d,
  LazyConvTranspose3d,
  LazyInstanceNorm1d,
  LazyInstanceNorm2d,
  LazyInstanceNorm3d,
  LazyLinear,
} from './wrappers/lazy.ts';
export { Masking, TimeDistributed } from './wrappers/sequence.ts';
