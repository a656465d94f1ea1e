/**
 * What is it about? A pointer-generator reads a description and writes its headline, in words of its own or copied from the text, and
 * has to beat the first words and the words that stand out. No headline of the test part was ever learned.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setSeed, type Tensor } from '@nn/core';
import { DataLoader, Dataset, type Fields, shuffledOrder } from '@nn/data';
import { nll } from '@nn/layers';
import { ROUGE } from '@nn/metrics';
import { Adam, oneCycle } from '@nn/optim';
import { saveModel } from '@nn/serialize';
import { extendedSource, generateAll, PointerGenerator, type Tokenizer, wordTokenizer } from '@nn/text';
import { padText, Training } from '@nn/train';
import { firstWords, tfIdfWords } from '../baselines/extraction.ts';
import { type Context, shownPath } from '../context.ts';
import { count, seconds } from '../format.ts';
import { shownBy, tellReport, tellStopped } from '../run.ts';
import { type Headlines, headlines } from '../texts/headlines.ts';

type Pairs = Headlines['pairs'];

/** Words of a text that are read, and of a headline that are written. */
const [most, longest] = [32, 8];

export async function runSummarize(context: Context): Promise<boolean> {
  const { terminal, settings, output } = context;
  const { seed, epochs = 5, batchSize = 32, learningRate = 0.004 } = settings;
  const started = performance.now();
  const { name, pairs } = await headlines(settings.data);
  setSeed(seed);
  const { train, test } = parted(pairs, seed);
  const special = { padding: '[PAD]', unknown: '[UNK]', begin: '[CLS]', end: '[SEP]' };
  const learned = train.flatMap(({ text, headline }) => [text, headline]);
  const tokenizer = wordTokenizer(learned, { special, size: 3000 });
  const { padding, unknown, begin, end } = tokenizer.ids;
  const ids = { paddingId: padding ?? 0, unknownId: unknown ?? 0, startId: begin ?? 0, endId: end ?? 0 };
  const model = new PointerGenerator({
    vocabularySize: tokenizer.size,
    embedding: 48,
    hidden: 64,
    dropout: 0.2,
    ...ids,
  });

  terminal.line(terminal.paint('  What is it about?', 'bold'));
  terminal.text(
    `  ${count(train.length)} texts with headlines to learn from, ${count(test.length)} with other headlines to test: ${name}.`,
  );
  terminal.text(`  ${count(tokenizer.size)} words; others can be copied.`);
  terminal.line();

  const { data, unknown: room } = await samplesOf(train, tokenizer, ids);
  const loader = new DataLoader(data, { batchSize, shuffle: true, seed, dropLast: true });
  const training = new Training({
    model,
    optimizer: new Adam(model, {
      learningRate: oneCycle(learningRate, { steps: epochs * loader.length, rise: 0.2 }),
      clip: { globalNorm: 2 },
    }),
    data: loader,
    step: ({ words, extended, real, inputs, targets }) => {
      const source = { ids: words, extended, unknown: room, mask: real.greater(0) };
      const { logProbabilities, coverageLoss } = model.forward(source, inputs);
      return nll(logProbabilities.transpose(1, 2), targets).add(coverageLoss.mul(0.1));
    },
    epochs,
    compile: true,
    signal: context.interrupt.signal,
    callbacks: shownBy({ task: 'summarize', title: 'What is it about?', epochs: true }, context),
  });
  const { why } = await training.run();
  terminal.clear();
  if (why === 'aborted') return tellStopped(context);

  const length = Math.round(train.reduce((sum, { headline }) => sum + headline.split(' ').length, 0) / train.length);
  const standsOut = tfIdfWords(
    train.map(({ text }) => text),
    length,
  );
  const written = {
    'first words': test.map(({ text }) => firstWords(text, length)),
    'words that stand out': test.map(({ text }) => standsOut(text)),
    'this network': await write(model, tokenizer, test),
  };
  terminal.line();
  for (const [i, { text, headline }] of test.slice(0, 4).entries()) {
    terminal.text(`  ${terminal.paint(text, 'dim')}`);
    terminal.text(`    ${terminal.paint(written['this network'][i]!, 'green')}   (it is: ${headline})`);
  }
  terminal.line();
  terminal.text(`  ${padText('of headlines never learned', 30)} ROUGE-1  ROUGE-2  ROUGE-L`);
  const figures: Record<string, number> = {};
  const baselines: Record<string, number> = {};
  for (const [what, texts] of Object.entries(written)) {
    const rouge = new ROUGE();
    rouge.update(
      texts,
      test.map(({ headline }) => headline),
    );
    const { rouge1, rouge2, rougeL } = (await rouge.read()).epoch;
    const cells = [rouge1, rouge2, rougeL].map((value) => (value ?? 0).toFixed(3).padStart(7));
    terminal.text(`  ${padText(what, 30)} ${cells.join('  ')}`);
    if (what === 'this network') Object.assign(figures, { rouge1, rouge2, rougeL });
    else baselines[`${what} rougeL`] = rougeL ?? 0;
  }
  await mkdir(output, { recursive: true });
  const path = join(output, 'summarize.safetensors');
  await saveModel(path, model);
  terminal.text(`  Saved ${shownPath(path, context)}. ${seconds(performance.now() - started)}.`);
  tellReport('summarize', terminal, context);
  context.tell({
    ...{ task: 'summarize', data: name, figures, baselines },
    seconds: (performance.now() - started) / 1000,
  });
  return true;
}

/** A tenth of the headlines, 500 at most, with all their texts for testing. */
function parted(pairs: Pairs, seed: number): { readonly train: Pairs; readonly test: Pairs } {
  const titles = [...new Set(pairs.map(({ headline }) => headline))];
  const order = shuffledOrder(titles.length, seed, 0);
  const held = new Set(Array.from(order.slice(0, Math.min(500, Math.round(titles.length / 10))), (i) => titles[i]!));
  return {
    train: pairs.filter(({ headline }) => !held.has(headline)),
    test: pairs.filter(({ headline }) => held.has(headline)),
  };
}

interface Ids {
  readonly paddingId: number;
  readonly startId: number;
}

/** Texts and headlines as fields of one width; words that the vocabulary lacks have numbers from its size on. */
async function samplesOf(pairs: Pairs, tokenizer: Tokenizer, { paddingId, startId }: Ids) {
  const source = extendedSource(
    tokenizer,
    pairs.map(({ text }) => text),
    { maxLength: most },
  );
  const rows = source.targets(
    pairs.map(({ headline }) => headline),
    longest - 1,
  );
  const field = async (x: Tensor) => ({ data: await x.data('int32'), shape: x.shape });
  const padded = (of: (row: readonly number[]) => readonly number[], fill: number) => ({
    data: Int32Array.from(
      rows.flatMap((row) => [...of(row), ...new Array<number>(longest).fill(fill)].slice(0, longest)),
    ),
    shape: [rows.length, longest],
  });
  const fields = {
    words: await field(source.ids),
    extended: await field(source.extended),
    real: await field(source.mask!.cast('int32')),
    inputs: padded((row) => [startId, ...row.slice(0, -1)], paddingId),
    targets: padded((row) => row, -100),
  } satisfies Fields;
  return { data: new Dataset(fields), unknown: source.unknown };
}

/** Headlines as the network writes them. */
async function write(model: PointerGenerator, tokenizer: Tokenizer, pairs: Pairs): Promise<string[]> {
  const written: string[] = [];
  for (let at = 0; at < pairs.length; at += 100) {
    const texts = pairs.slice(at, at + 100).map(({ text }) => text);
    const source = extendedSource(tokenizer, texts, { maxLength: most });
    for (const { text } of await generateAll(model, source, { tokenizer, maxTokens: longest, temperature: 0 }))
      written.push(text);
  }
  return written;
}
