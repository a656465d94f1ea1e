export {
  ELU,
  GELU,
  HardSigmoid,
  HardSwish,
  LeakyReLU,
  LogSoftmax,
  Mish,
  ReLU,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
} from './activation-layers.ts';
export {
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  logSoftmax,
  mish,
  relu,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  tanh,
} from './activations.ts';
export {
  type AttentionMasks,
  type AttentionOptions,
  attention,
  MultiheadAttention,
  type MultiheadAttentionOptions,
  type Visibility,
} from './attention.ts';
export { Conv1d, Conv2d, type ConvOptions, ConvTranspose2d, type ConvTransposeOptions } from './conv.ts';
export { type CrossEntropyOptions, crossEntropy } from './cross-entropy.ts';
export { Dropout, dropout } from './dropout.ts';
export { Embedding, type EmbeddingOptions } from './embedding.ts';
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
} from './initializers.ts';
export type { Layer } from './layer.ts';
export { Linear, type LinearOptions } from './linear.ts';
export {
  type BceWithLogitsOptions,
  type BinaryCrossEntropyOptions,
  bceWithLogits,
  binaryCrossEntropy,
  type HuberOptions,
  huber,
  type KlDivergenceOptions,
  klDivergence,
  type LossOptions,
  l1,
  meanSquaredError,
  type Reduction,
} from './losses.ts';
export { type MaskOptions, sequenceMask } from './mask.ts';
export {
  BatchNorm1d,
  BatchNorm2d,
  type BatchNormOptions,
  GroupNorm,
  type GroupNormOptions,
  LayerNorm,
  type LayerNormOptions,
} from './normalization.ts';
export {
  AvgPool1d,
  AvgPool2d,
  type AvgPoolOptions,
  Flatten,
  MaxPool1d,
  MaxPool2d,
  type MaxPoolOptions,
} from './pool.ts';
export {
  LearnedPositionalEncoding,
  type PositionalEncodingOptions,
  SinusoidalPositionalEncoding,
} from './positional.ts';
export {
  type CellParameters,
  GRU,
  LSTM,
  type LSTMResult,
  type LSTMStart,
  type RecurrentOptions,
  type RecurrentResult,
  type RecurrentStart,
  RNN,
  type RNNOptions,
} from './recurrent.ts';
export { type LayerLike, Sequential } from './sequential.ts';
export { type Summarized, type Summary, type SummaryOptions, type SummaryRow, summary } from './summary.ts';
export { TransformerEncoderLayer, type TransformerEncoderLayerOptions } from './transformer.ts';
export { type WarmupOptions, warmup } from './warmup.ts';
