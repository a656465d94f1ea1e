/**
 * The pointer-generator: a recurrent encoder-decoder that may also copy words of the source, known or not, and remembers what it
 * has looked at. Owns the mixture of both distributions and the coverage. (See, Liu and Manning 2017.)
 */
import { arange, checkOptions, concat, type Tensor, tensor, ValueError, where, zeros } from '@nn/core';
import { dropout, Linear } from '@nn/layers';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { unitsOf, WordLevelModel } from '../tokenizers/word-level.ts';
import {
  AttentionLSTM,
  type AttentionLSTMOptions,
  attentionLSTMNames,
  type DecoderState,
  type LSTMMemory,
} from './attention-lstm.ts';

export interface PointerGeneratorOptions extends Omit<AttentionLSTMOptions, 'sourceVocabularySize' | 'vocabularySize'> {
  /** How many tokens there are, of source and target alike. */
  readonly vocabularySize: number;
  /** The token of words that the vocabulary lacks, which those that were copied are read as. Default 3. */
  readonly unknownId?: number;
  /** Whether attention is told what it has looked at, so that it does not say things twice. Default true. */
  readonly coverage?: boolean;
}

/** A source whose unknown words have ids of their own, from vocabularySize on. */
export interface ExtendedSource {
  /** int32 [N, S]: ids within the vocabulary. */
  readonly ids: Tensor;
  /** int32 [N, S]: the same with the ids of unknown words, `vocabularySize` plus their place among those of the row. */
  readonly extended: Tensor;
  /** How many unknown words a row of the batch has at most. */
  readonly unknown: number;
  /** bool [N, S]: which tokens are real. Default: all. */
  readonly mask?: Tensor;
  /** The unknown words of each row, for texts that copy them. */
  readonly words?: readonly (readonly string[])[];
}

/** What the decoder carries: with coverage also how much it looked at each place, [N, S]. */
export interface PointerState extends DecoderState {
  readonly coverage: Tensor;
}

/** Where probabilities are 0 their logarithm is this. */
const LEAST = 1e-12;

/**
 * Summaries that may copy: an extended source and target ids [N, L] to log-probabilities [N, L, vocabularySize + unknown] of the
 * word that follows each of the target: p P(say it) + (1 - p) (attention where it stands in the source), with p learned at each
 * step. `coverageLoss` is the mean of what is looked at twice.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { PointerGenerator } from '@nn/text';
 * const model = new PointerGenerator({ vocabularySize: 20, embedding: 4, hidden: 8 });
 * const source = { ids: tensor([[5, 3, 7]]), extended: tensor([[5, 20, 7]]), unknown: 1 };
 * const { logProbabilities } = model.forward(source, tensor([[1, 8]]));
 * console.log(logProbabilities.shape); // => [1, 2, 21]
 */
export class PointerGenerator {
  readonly vocabularySize: number;
  readonly startId: number;
  readonly endId: number;
  readonly paddingId: number;
  readonly unknownId: number;
  readonly network: AttentionLSTM;
  /** [N, hidden + 2 hidden + embedding] to the logit of saying instead of copying. */
  readonly gate: Linear;
  /** From how much was looked at, [..., 1], to the keys: [..., hidden]. */
  readonly coverage: Linear | null;

  constructor(options: PointerGeneratorOptions) {
    checkOptions('PointerGenerator', options, [...attentionLSTMNames, 'coverage', 'unknownId']);
    const { coverage = true, unknownId = 3, vocabularySize, ...others } = options;
    const { embedding = 128, hidden = 256 } = options;
    this.network = new AttentionLSTM({ ...others, sourceVocabularySize: vocabularySize });
    this.vocabularySize = vocabularySize;
    this.startId = this.network.startId;
    this.endId = this.network.endId;
    this.paddingId = this.network.paddingId;
    this.unknownId = unknownId;
    this.gate = new Linear(3 * hidden + embedding, 1);
    this.coverage = coverage ? new Linear(1, hidden, { bias: false }) : null;
  }

  /** Log-probabilities, how each step looks at the source [N, L, S], and the coverage loss. */
  forward(
    source: ExtendedSource,
    target: Tensor,
  ): { readonly logProbabilities: Tensor; readonly weights: Tensor; readonly coverageLoss: Tensor } {
    const { memory, state } = this.encode(source);
    const inputs = this.embed(target);
    const length = target.shape[1] ?? 0;
    let current = state;
    const [rows, weights, twice]: [Tensor[], Tensor[], Tensor[]] = [[], [], []];
    for (let i = 0; i < length; i++) {
      const found = this.step(inputs.at([], i), source, memory, current);
      rows.push(found.logProbabilities.unsqueeze(1));
      weights.push(found.weights.unsqueeze(1));
      twice.push(found.weights.minimum(current.coverage).sum(-1));
      current = found.state;
    }
    const coverageLoss = twice
      .reduce((a, b) => a.add(b))
      .div(length)
      .mean();
    return { logProbabilities: concat(rows, 1), weights: concat(weights, 1), coverageLoss };
  }

  /** A source as the decoder sees it, and the state that the decoder begins with. */
  encode({ ids, mask }: ExtendedSource): { readonly memory: LSTMMemory; readonly state: PointerState } {
    const { memory, state } = this.network.encode(ids, mask);
    return { memory, state: { ...state, coverage: zeros(ids.shape) } };
  }

  /** The next step for embedded tokens [N, embedding]: log-probabilities [N, vocabularySize + unknown]. */
  step(
    input: Tensor,
    source: ExtendedSource,
    memory: LSTMMemory,
    state: PointerState,
  ): { readonly logProbabilities: Tensor; readonly weights: Tensor; readonly state: PointerState } {
    const seen =
      this.coverage === null
        ? memory
        : { ...memory, keys: memory.keys.add(this.coverage.forward(state.coverage.unsqueeze(-1))) };
    const found = this.network.step(input, seen, state);
    const says = this.gate.forward(concat([found.state.context, found.state.hidden, input], -1)).sigmoid();
    const said = this.network.scores(found.features).softmax(-1).mul(says);
    const [batch = 0] = input.shape;
    const wide = source.unknown === 0 ? said : concat([said, zeros([batch, source.unknown])], -1);
    // each place of the source gives its weight to its word: rows apart, as one long list
    const width = this.vocabularySize + source.unknown;
    const offsets = arange(batch).mul(width).unsqueeze(1);
    const copied = found.weights.mul(says.neg().add(1));
    const places = source.extended.cast('int32').add(offsets).flatten();
    const mixed = wide.flatten().scatterAdd(places, copied.flatten()).reshape([batch, width]);
    return {
      logProbabilities: mixed.maximum(LEAST).log(),
      weights: found.weights,
      state: { ...found.state, coverage: state.coverage.add(found.weights) },
    };
  }

  /** Embedded tokens of a target; those that were copied, with ids from vocabularySize on, are read as unknown. */
  embed(target: Tensor): Tensor {
    const known = where(target.greaterEqual(this.vocabularySize), this.unknownId, target);
    return dropout(this.network.targetEmbedding.forward(known), this.network.dropout);
  }

  toString(): string {
    return `PointerGenerator(${this.network.hidden})`;
  }
}

/**
 * Texts for a PointerGenerator: ids, and ids of their own for words that the tokenizer does not know, which may then be copied.
 * For tokenizers of words (`wordTokenizer`) that have an unknown and a padding token. `targets` are ids of summaries in these terms.
 *
 * @example
 * import { extendedSource, wordTokenizer } from '@nn/text';
 * const tokenizer = wordTokenizer(['a cat sat'], { special: { padding: '[PAD]', unknown: '[UNK]' } });
 * const source = extendedSource(tokenizer, ['a dog sat', 'cat']);
 * console.log(await source.extended.array(), source.words); // => [ [ 2, 5, 4 ], [ 3, 0, 0 ] ] [ [ 'dog' ], [] ]
 */
export function extendedSource(
  tokenizer: Tokenizer,
  texts: readonly string[],
  options: { readonly maxLength?: number } = {},
): ExtendedSource & {
  readonly words: readonly (readonly string[])[];
  targets(summaries: readonly string[], most?: number): number[][];
} {
  checkOptions('extendedSource', options, ['maxLength']);
  const { unknown, padding, end } = tokenizer.ids;
  if (unknown === null || padding === null || !(tokenizer.model instanceof WordLevelModel)) {
    throw new ValueError('extendedSource', 'needs a tokenizer of words with an unknown and a padding token.');
  }
  const { model } = tokenizer;
  const words: string[][] = texts.map(() => []);
  const idsIn = (text: string, own: string[], grows: boolean): number[] =>
    unitsOf(text, model.options).map((word) => {
      const id = tokenizer.idOf(word);
      if (id !== undefined) return id;
      if (grows && !own.includes(word)) own.push(word);
      const place = own.indexOf(word);
      return place < 0 ? unknown : tokenizer.size + place;
    });
  const rows = texts.map((text, n) => {
    const units = unitsOf(text, model.options).slice(0, options.maxLength);
    return idsIn(units.join(' '), words[n]!, true);
  });
  const width = Math.max(1, ...rows.map((row) => row.length));
  const shape = [rows.length, width];
  const extended = new Int32Array(rows.length * width).fill(padding);
  const mask = new Uint8Array(rows.length * width);
  for (const [n, row] of rows.entries()) {
    extended.set(row, n * width);
    mask.fill(1, n * width, n * width + row.length);
  }
  const ids = extended.map((id) => (id < tokenizer.size ? id : unknown));
  return {
    ids: tensor(ids, { shape }),
    extended: tensor(extended, { shape }),
    mask: tensor(mask, { shape, dtype: 'bool' }),
    unknown: Math.max(0, ...words.map((own) => own.length)),
    words,
    targets: (summaries, most) =>
      summaries.map((text, n) => [
        ...idsIn(text, words[n] ?? [], false).slice(0, most),
        ...(end === null ? [] : [end]),
      ]),
  };
}
