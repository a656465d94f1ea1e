/**
 * Do they like it? Sentences of reviews, read by three networks: attention on words and pairs of words and another one on their
 * letters, whose decisions are sums of one share for each of these, and an LSTM that reads in both directions. Together they have
 * to beat naive Bayes, which the first two begin as.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  bernoulli,
  concat,
  evaluate,
  isTraining,
  type Parameter,
  parameter,
  setSeed,
  type Tensor,
  tensor,
  where,
} from '@nn/core';
import { DataLoader, Dataset, lengthSampler, ragged, shuffledOrder } from '@nn/data';
import { bceWithLogits, dropout, Embedding, Linear, LSTM, sequenceMask } from '@nn/layers';
import { AdamW } from '@nn/optim';
import { saveModel } from '@nn/serialize';
import { earlyStopping, padText, predict, Training } from '@nn/train';
import { fitNaiveBayes, lettersOf, lettersOfWord, oddsOf, termsOf } from '../baselines/naive-bayes.ts';
import { type Context, shownPath } from '../context.ts';
import { count, percent, seconds } from '../format.ts';
import { drawShares } from '../pictures/words.ts';
import { shownBy, tellReport, tellStopped } from '../run.ts';
import { reviews } from '../texts/reviews.ts';

/** What attention looks at: words and their pairs, or runs of letters. */
type Kind = 'terms' | 'letters';
const partsOf = { terms: termsOf, letters: lettersOf } as const;
/** The most of them that are looked at in a sentence. */
const most = { terms: 128, letters: 256 } as const;

/** Sentences of a batch: ids of words, of terms and of letters [N, L], 0 behind their lengths. */
interface Sentences extends Readonly<Record<Kind, Tensor>> {
  readonly words: Tensor;
  readonly lengths: Readonly<Record<string, Tensor>>;
}

/** logit = s times the sum of a_i (prior_i + value(e_i)), where a = n softmax(listen(e)): each term has its share in the decision. */
class Attention {
  readonly embedding: Embedding;
  readonly listen = new Linear(16, 1);
  readonly value = new Linear(16, 1);
  /** What naive Bayes says of each term, to begin with: [terms, 1]. */
  prior: Parameter;
  /** How sure the sum is: naive Bayes is too sure of itself, for it counts as news what goes together. */
  sureness = parameter([0.3]);

  readonly kind: Kind;

  constructor(kind: Kind, ratios: readonly number[]) {
    this.kind = kind;
    this.embedding = new Embedding(ratios.length, 16);
    this.embedding.weight.assign(this.embedding.weight.mul(0.1));
    this.prior = parameter(Float32Array.from(ratios), { shape: [ratios.length, 1] });
  }

  /** Terms [N, L] to the share of each, [N, L]; in training half of them are not heard. */
  shares(terms: Tensor, lengths: Tensor): Tensor {
    const real = sequenceMask(lengths, terms.shape[1]!);
    const heard = isTraining() ? real.logicalAnd(bernoulli(terms.shape, 0.5).greater(0)) : real;
    const vectors = this.embedding.forward(terms);
    const scores = where(heard, this.listen.forward(vectors).squeeze(2), -1e9);
    const weights = scores.softmax(-1).mul(real.cast('float32').sum(-1, { keepAxes: true }));
    const said = this.prior
      .gather(terms, 0)
      .add(this.value.forward(dropout(vectors, 0.3)))
      .squeeze(2);
    return where(heard, weights.mul(said), 0);
  }

  forward({ lengths, ...batch }: Sentences): Tensor {
    return this.shares(batch[this.kind], lengths[this.kind]!).sum(-1).mul(this.sureness);
  }
}

/** The last states of both directions and the mean of all of them, to a logit. */
class Reader {
  readonly embedding: Embedding;
  readonly lstm = new LSTM(48, 48, { bidirectional: true, batchFirst: true });
  readonly output = new Linear(4 * 48, 1);

  constructor(words: number) {
    this.embedding = new Embedding(words, 48);
    this.embedding.weight.assign(this.embedding.weight.mul(0.3));
  }

  forward({ words, lengths }: Sentences): Tensor {
    const steps = lengths.words!.maximum(1);
    const { output, hidden } = this.lstm.forward(dropout(this.embedding.forward(words), 0.5), { lengths: steps });
    const mean = output.sum(1).div(steps.cast('float32').unsqueeze(1));
    return this.output.forward(dropout(concat([hidden.at(0), hidden.at(1), mean], -1), 0.5)).squeeze(1);
  }
}

export async function runSentiment(context: Context): Promise<boolean> {
  const { terminal, settings, output } = context;
  const { seed, epochs = 8, batchSize = 50, learningRate = 0.002 } = settings;
  const started = performance.now();
  const { name, sentences, sides } = await reviews(settings.data, seed);
  setSeed(seed);
  const order = shuffledOrder(sentences.length, seed, 0);
  const parts = [0.8, 0.9, 1].map((end, k) =>
    order.slice(Math.round([0, 0.8, 0.9][k]! * order.length), Math.round(end * order.length)),
  );
  const [train, held, test] = parts.map((part) => Array.from(part)) as [number[], number[], number[]];
  const learned = train.map((i) => sentences[i]!);
  const bayes = (kind: Kind) =>
    fitNaiveBayes(
      learned,
      train.map((i) => sides[i]!),
      partsOf[kind],
    );
  const known = { terms: bayes('terms'), letters: bayes('letters') };
  const numbers = {
    words: numbered(learned),
    terms: numbered(learned.map(termsOf)),
    letters: numbered(learned.map(lettersOf)),
  };

  terminal.line(terminal.paint('  Do they like it?', 'bold'));
  terminal.text(
    `  ${count(train.length)} sentences to train, ${count(held.length)} to know when to stop, ${count(test.length)} others to test: ${name}.`,
  );
  terminal.text(
    `  ${count(numbers.words.size)} words, ${count(numbers.terms.size)} words and pairs, ${count(numbers.letters.size)} runs of letters that came twice.`,
  );
  terminal.line();

  const idsOf = (kind: Kind) =>
    ragged(
      sentences.map((words) => {
        const ids = partsOf[kind](words).flatMap((part) => numbers[kind].get(part) ?? []);
        return ids.length > 0 ? ids.slice(0, most[kind]) : [0];
      }),
    );
  const data = new Dataset({
    words: ragged(sentences.map((words) => words.slice(0, 64).map((word) => numbers.words.get(word) ?? 0))),
    terms: idsOf('terms'),
    letters: idsOf('letters'),
    targets: { data: Float32Array.from(sides), shape: [sides.length] },
  });
  const loaderOf = (indices: readonly number[], isTrain: boolean) => {
    const samples = data.take(indices);
    const padding = { padTo: { length: [16, 32, 48, 64, 128, 192, 256], samples: batchSize } };
    return new DataLoader(samples, {
      ...{ batchSize, seed, ...padding },
      ...(isTrain && { sampler: lengthSampler(samples.fields.words) }),
    });
  };
  const odds: Record<string, Float32Array> = {};
  const made = (kind: Kind) =>
    new Attention(
      kind,
      [...numbers[kind].keys()].map((part) => known[kind].ratios.get(part) ?? 0),
    );
  const [attention, letters, reader] = [made('terms'), made('letters'), new Reader(numbers.words.size)];
  for (const [title, model] of [
    ['attention', attention],
    ['letters', letters],
    ['LSTM', reader],
  ] as const) {
    terminal.text(`  ${terminal.paint(title, 'bold')}`);
    const training = new Training({
      model,
      optimizer: new AdamW(model, { learningRate, weightDecay: 0.05 }),
      data: loaderOf(train, true),
      validation: { data: loaderOf(held, false) },
      step: (batch) => bceWithLogits(model.forward(batch), batch.targets, { mask: batch.mask }),
      epochs,
      compile: true,
      signal: context.interrupt.signal,
      callbacks: [
        ...shownBy({ task: 'sentiment', title: `Do they like it? (${title})`, epochs: true }, context),
        earlyStopping({ monitor: 'validation.loss', patience: 2, restoreBest: model }),
      ],
    });
    const { why } = await training.run();
    terminal.clear();
    if (why === 'aborted') return tellStopped(context);
    const found: number[] = [];
    for await (const { data: logits } of predict(loaderOf(test, false), (batch) => model.forward(batch)))
      found.push(...logits);
    odds[title] = Float32Array.from(found);
  }
  odds.together = odds.attention!.map((value, i) => value + odds.letters![i]! + odds.LSTM![i]!);
  const right = (values: ArrayLike<number>): number =>
    test.filter((i, k) => (values[k]! > 0 ? 1 : 0) === sides[i]).length / test.length;
  const figures = Object.fromEntries(Object.entries(odds).map(([title, values]) => [title, right(values)]));
  const baseline = right(test.map((i) => oddsOf(known.terms, sentences[i]!)));

  terminal.line();
  terminal.text(`  ${padText('right of sentences never read', 34)}`);
  terminal.text(`  ${padText('naive Bayes', 34)} ${percent(baseline).padStart(8)}`);
  for (const [title, share] of Object.entries(figures)) {
    terminal.text(
      `  ${padText(title === 'together' ? 'all three together' : title, 34)} ${percent(share).padStart(8)}`,
    );
  }
  terminal.line();
  terminal.text(
    `  What speaks for it (${terminal.paint('+', 'green')}) and against it (${terminal.paint('-', 'red')}), by both attentions:`,
  );
  for (const i of test.slice(0, 6)) {
    const ofTerms = await sharesOf(attention, sentences[i]!, numbers.terms);
    const ofLetters = await sharesOf(letters, sentences[i]!, numbers.letters);
    const shares = ofTerms.map((share, word) => share + ofLetters[word]!);
    const sum = shares.reduce((total, share) => total + share, 0);
    terminal.text(
      `  ${sides[i] === 1 ? 'liked   ' : 'disliked'} ${(sum > 0) === (sides[i] === 1) ? ' ' : '?'} ${drawShares(sentences[i]!, shares, terminal)}`,
    );
  }

  await mkdir(output, { recursive: true });
  const path = join(output, 'sentiment.safetensors');
  await saveModel(path, { attention, letters, reader });
  terminal.line();
  terminal.text(`  Saved ${shownPath(path, context)}. ${seconds(performance.now() - started)}.`);
  tellReport('sentiment', terminal, context);
  context.tell({
    ...{ task: 'sentiment', data: name, figures, baselines: { 'naive Bayes': baseline } },
    seconds: (performance.now() - started) / 1000,
  });
  return true;
}

/** Words, or parts of them, that came in at least two sentences, by number; 0 is every other one. */
function numbered(lists: readonly (readonly string[])[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const list of lists) for (const term of new Set(list)) counts.set(term, (counts.get(term) ?? 0) + 1);
  const kept = [...counts].filter(([, times]) => times >= 2).map(([term]) => term);
  return new Map(['', ...kept].map((term, i) => [term, i]));
}

/** What each word adds to the decision: the share of a pair, or of a run of letters, is that of the words that have it, in equal parts. */
async function sharesOf(
  model: Attention,
  words: readonly string[],
  known: ReadonlyMap<string, number>,
): Promise<number[]> {
  const parts = partsOf[model.kind](words)
    .filter((part) => known.has(part))
    .slice(0, most[model.kind]);
  const shares = words.map(() => 0);
  if (parts.length === 0) return shares;
  const ids = tensor([parts.map((part) => known.get(part)!)], { dtype: 'int32' });
  const found = await evaluate(() =>
    model.shares(ids, tensor([parts.length], { dtype: 'int32' })).mul(model.sureness),
  ).data();
  const places = new Map<string, number[]>(parts.map((part) => [part, []]));
  for (const [i, word] of words.entries()) {
    if (model.kind === 'letters') for (const part of new Set(lettersOfWord(word))) places.get(part)?.push(i);
    else {
      places.get(word)?.push(i);
      if (i > 0) places.get(`${words[i - 1]} ${word}`)?.push(i - 1, i);
    }
  }
  for (const [k, part] of parts.entries()) {
    const at = places.get(part)!;
    for (const i of at) shares[i]! += found[k]! / at.length;
  }
  return shares;
}
