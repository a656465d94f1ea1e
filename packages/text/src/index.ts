/** Language: tokenizers and their trainers, architectures with the names of the originals, generation token by token. */
export { type BeamSearchOptions, beamSearch, type Hypothesis } from './generation/beam.ts';
export { type ChoiceOptions, tokenChances } from './generation/choose.ts';
export {
  type Constraint,
  type ConstraintState,
  oneOfTexts,
  textConstraint,
  type Verdict,
} from './generation/constraint.ts';
export {
  type Finish,
  type Generated,
  type GeneratedToken,
  type GenerateOptions,
  generate,
  generateAll,
} from './generation/generate.ts';
export type { Prompt, TaskOptions } from './generation/prompts.ts';
export type { CausalModel, Generative, SequenceModel } from './generation/run.ts';
export { type Exercise, type MaskTokensOptions, maskTokens, teacherForcing } from './learning/mask.ts';
export { type PackedField, type PackedRows, type PackOptions, packTexts } from './learning/pack.ts';
export {
  AttentionLSTM,
  type AttentionLSTMOptions,
  type DecoderState,
  type DecoderStep,
  type LSTMMemory,
} from './models/attention-lstm.ts';
export {
  Bert,
  BertForMaskedLM,
  BertForSequenceClassification,
  type BertForSequenceClassificationOptions,
  type BertOptions,
  type EncoderCall,
} from './models/bert.ts';
export type { Memory, PairCall, TargetCall } from './models/encoder-decoder.ts';
export { GPT2, type GPT2Options } from './models/gpt2.ts';
export { Llama, type LlamaOptions } from './models/llama.ts';
export { Marian, type MarianOptions } from './models/marian.ts';
export type { ActivationName, Configuration } from './models/parts.ts';
export {
  type ExtendedSource,
  extendedSource,
  PointerGenerator,
  type PointerGeneratorOptions,
  type PointerState,
} from './models/pointer-generator.ts';
export {
  type FromPretrainedOptions,
  fromPretrained,
  type Pretrained,
  type PretrainedFolder,
  type PretrainedModel,
} from './models/pretrained.ts';
export type { DecoderCall } from './models/sight.ts';
export { T5, type T5Options } from './models/t5.ts';
export type { JsonSource } from './read.ts';
export type { BatchOptions, TokenBatch } from './tokenizers/batch.ts';
export { type LoadTokenizerOptions, loadTokenizer, type TokenizerLibrary } from './tokenizers/load.ts';
export type { ModelJson, TokenModel } from './tokenizers/model.ts';
export { characterTokenizer, type PlainTokenizerOptions, wordTokenizer } from './tokenizers/plain.ts';
export type { Place, Role, SpecialTokens, Template } from './tokenizers/special.ts';
export {
  type DecodeOptions,
  type EncodeOptions,
  type TextOrPair,
  Tokenizer,
  type TokenizerParts,
} from './tokenizers/tokenizer.ts';
export { type TrainBpeOptions, type TrainTokenizerOptions, trainBpe } from './tokenizers/train-bpe.ts';
export { type TrainUnigramOptions, trainUnigram } from './tokenizers/train-unigram.ts';
export { type TrainWordPieceOptions, trainWordPiece } from './tokenizers/train-word-piece.ts';
export type { Texts } from './tokenizers/words.ts';
