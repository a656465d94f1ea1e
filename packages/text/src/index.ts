export type { JsonSource } from './read-json.ts';
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
