/**
 * Encoder and decoder of LSTMs, with attention between: the source is read in both directions, the decoder looks at it
 * before each token. Owns the architecture and its names; the pointer-generator builds on it.
 */
import { checkOptions, concat, type Tensor, zeros } from '@nn/core';
import { AdditiveAttention, dropout, Embedding, Linear, LSTM, LSTMCell, type LSTMState } from '@nn/layers';
import { checkPairCall, type PairCall } from './encoder-decoder.ts';
import { checkIds, checkSizes } from './parts.ts';

export interface AttentionLSTMOptions {
  /** How many tokens the source has. */
  readonly sourceVocabularySize: number;
  /** How many tokens the target has. Default: as many as the source. */
  readonly vocabularySize?: number;
  /** Width of embeddings. Default 128. */
  readonly embedding?: number;
  /** Width of each direction of the encoder, and of the decoder. Default 256. */
  readonly hidden?: number;
  /** Share of values dropped in training: of embeddings, and before the output. Default 0.1. */
  readonly dropout?: number;
  /** The token that targets begin with. Default 1. */
  readonly startId?: number;
  /** The token that ends a target. Default 2. */
  readonly endId?: number;
  /** Default 0. */
  readonly paddingId?: number;
}

export const attentionLSTMNames: readonly string[] = [
  ...['sourceVocabularySize', 'vocabularySize', 'embedding', 'hidden'],
  ...['dropout', 'startId', 'endId', 'paddingId'],
];

/** A source after the encoder. */
export interface LSTMMemory {
  /** [N, S, 2 hidden] */
  readonly output: Tensor;
  /** What the scores of attention add up with the decoder's state: [N, S, hidden]. */
  readonly keys: Tensor;
  /** bool [N, S]: which tokens are real. */
  readonly mask: Tensor | null;
}

/** What the decoder carries from token to token: [N, hidden], and what it saw last, [N, 2 hidden]. */
export interface DecoderState extends LSTMState {
  readonly context: Tensor;
}

/** One step of the decoder. */
export interface DecoderStep {
  readonly state: DecoderState;
  /** Before the output layer: [N, hidden]. */
  readonly features: Tensor;
  /** How it looks at the source: [N, S]. */
  readonly weights: Tensor;
  /** The embedded token: [N, embedding]. */
  readonly input: Tensor;
}

/**
 * A recurrent encoder-decoder: source ids [N, S] and target ids [N, L] to scores [N, L, vocabularySize] of the token that follows
 * each of the target. A bidirectional LSTM reads the source; before each token the decoder's LSTM is given what additive attention
 * saw last. (Bahdanau, Cho and Bengio 2015; Luong, Pham and Manning 2015 for feeding it in.)
 *
 * Parameters: `source_embedding.weight`, `encoder.weight_ih_l0`, ..., `bridge_hidden`, `bridge_cell`, `target_embedding`, `decoder`
 * (an LSTMCell), `attention_query`, `attention_key`, `attention.scale`, `combine`, `output`.
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { AttentionLSTM } from '@nn/text';
 * const model = new AttentionLSTM({ sourceVocabularySize: 20, vocabularySize: 30, embedding: 4, hidden: 8 });
 * console.log(model.forward(tensor([[5, 6, 7]]), tensor([[1, 8]])).shape); // => [1, 2, 30]
 */
export class AttentionLSTM {
  readonly vocabularySize: number;
  readonly startId: number;
  readonly endId: number;
  readonly paddingId: number;
  readonly contextLength: number = Number.POSITIVE_INFINITY;
  readonly hidden: number;
  readonly dropout: number;
  readonly sourceEmbedding: Embedding;
  readonly encoder: LSTM;
  readonly bridgeHidden: Linear;
  readonly bridgeCell: Linear;
  readonly targetEmbedding: Embedding;
  readonly decoder: LSTMCell;
  readonly attentionQuery: Linear;
  readonly attentionKey: Linear;
  readonly attention: AdditiveAttention;
  readonly combine: Linear;
  readonly output: Linear;

  constructor(options: AttentionLSTMOptions) {
    checkOptions('AttentionLSTM', options, attentionLSTMNames);
    const { sourceVocabularySize, vocabularySize = sourceVocabularySize, embedding = 128, hidden = 256 } = options;
    checkSizes('AttentionLSTM', { sourceVocabularySize, vocabularySize, embedding, hidden });
    this.vocabularySize = vocabularySize;
    this.hidden = hidden;
    this.startId = options.startId ?? 1;
    this.endId = options.endId ?? 2;
    this.paddingId = options.paddingId ?? 0;
    this.dropout = options.dropout ?? 0.1;
    this.sourceEmbedding = new Embedding(sourceVocabularySize, embedding);
    this.encoder = new LSTM(embedding, hidden, { bidirectional: true, batchFirst: true });
    this.bridgeHidden = new Linear(2 * hidden, hidden);
    this.bridgeCell = new Linear(2 * hidden, hidden);
    this.targetEmbedding = new Embedding(vocabularySize, embedding);
    this.decoder = new LSTMCell(embedding + 2 * hidden, hidden);
    this.attentionQuery = new Linear(hidden, hidden, { bias: false });
    this.attentionKey = new Linear(2 * hidden, hidden);
    this.attention = new AdditiveAttention(hidden);
    this.combine = new Linear(3 * hidden, hidden);
    this.output = new Linear(hidden, vocabularySize);
  }

  /** Scores of the next token after each of the target: [N, L, vocabularySize]. */
  forward(source: Tensor, target: Tensor, call: PairCall = {}): Tensor {
    return this.withWeights(source, target, call).output;
  }

  /** As `forward`, with how each step looks at the source: [N, L, S]. */
  withWeights(
    source: Tensor,
    target: Tensor,
    call: PairCall = {},
  ): { readonly output: Tensor; readonly weights: Tensor } {
    checkPairCall('AttentionLSTM', call);
    const { memory, state } = this.encode(source, call.sourceMask);
    const steps = this.steps(target, memory, state);
    const features = concat(
      steps.map((step) => step.features.unsqueeze(1)),
      1,
    );
    return {
      output: this.scores(features),
      weights: concat(
        steps.map((step) => step.weights.unsqueeze(1)),
        1,
      ),
    };
  }

  /** A source as the decoder sees it, and the state that the decoder begins with. */
  encode(source: Tensor, mask?: Tensor): { readonly memory: LSTMMemory; readonly state: DecoderState } {
    const [batch] = checkIds('AttentionLSTM', source);
    const lengths = mask?.cast('int32').sum(-1);
    const input = dropout(this.sourceEmbedding.forward(source), this.dropout);
    const { output, hidden, cell } = this.encoder.forward(input, { ...(lengths && { lengths }) });
    const both = (x: Tensor): Tensor => concat([x.at(0), x.at(1)], -1);
    return {
      memory: { output, keys: this.attentionKey.forward(output), mask: mask ?? null },
      state: {
        hidden: this.bridgeHidden.forward(both(hidden)).tanh(),
        cell: this.bridgeCell.forward(both(cell)).tanh(),
        context: zeros([batch, 2 * this.hidden]),
      },
    };
  }

  /** The decoder along a target [N, L], each token given as it should have been said. */
  steps(target: Tensor, memory: LSTMMemory, start: DecoderState): DecoderStep[] {
    const [, length] = checkIds('AttentionLSTM', target);
    const inputs = dropout(this.targetEmbedding.forward(target), this.dropout);
    const steps: DecoderStep[] = [];
    for (let i = 0; i < length; i++) {
      steps.push(this.step(inputs.at([], i), memory, steps.at(-1)?.state ?? start));
    }
    return steps;
  }

  /** One step for embedded tokens [N, embedding]. */
  step(input: Tensor, memory: LSTMMemory, state: DecoderState): DecoderStep {
    const next = this.decoder.forward(concat([input, state.context], -1), state);
    const query = this.attentionQuery.forward(next.hidden).unsqueeze(1);
    const { mask } = memory;
    const found = this.attention.withWeights(query, memory.keys, memory.output, {
      ...(mask && { visible: mask.unsqueeze(1) }),
    });
    const context = found.output.squeeze(1);
    const features = this.combine.forward(concat([next.hidden, context], -1)).tanh();
    return { state: { ...next, context }, features, weights: found.weights.squeeze(1), input };
  }

  scores(features: Tensor): Tensor {
    return this.output.forward(dropout(features, this.dropout));
  }

  toString(): string {
    return `AttentionLSTM(${this.hidden})`;
  }
}
