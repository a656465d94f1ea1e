/**
 * English to German: a small Transformer on the sentences of Multi30k, with one vocabulary of pieces for both languages. BLEU of the
 * validation part by beam search, beside what copying the source would get. Minutes an epoch: for longer runs by hand.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { evaluate, setSeed, tensor } from '@nn/core';
import { DataLoader, Dataset, lengthSampler, ragged } from '@nn/data';
import { crossEntropy, sequenceMask } from '@nn/layers';
import { BLEU } from '@nn/metrics';
import { AdamW, oneCycle } from '@nn/optim';
import { saveModel } from '@nn/serialize';
import { beamSearch, Marian, type Tokenizer, teacherForcing, trainBpe } from '@nn/text';
import { padText, Training } from '@nn/train';
import { type Context, shownPath } from '../context.ts';
import { count, seconds } from '../format.ts';
import { drawHeatMap } from '../pictures/heat-map.ts';
import { shownBy, tellReport, tellStopped } from '../run.ts';
import { multi30k, type Pairs } from '../texts/multi30k.ts';

const longest = 48;

export async function runSentences(context: Context, folder: string): Promise<boolean> {
  const { terminal, settings, output } = context;
  const { seed, epochs = 10, batchSize = 64, learningRate = 0.002 } = settings;
  const started = performance.now();
  const [train, test] = await Promise.all([multi30k(folder, 'train'), multi30k(folder, 'val')]);
  setSeed(seed);
  const special = { padding: '<pad>', begin: '<s>', end: '</s>' };
  const tokenizer = await trainBpe([...train.sources, ...train.targets], { size: 6000, special });
  const { padding, begin, end } = tokenizer.ids;
  const ids = { paddingId: padding ?? 0, startId: begin ?? 0, endId: end ?? 0 };
  const size = { dimension: 128, heads: 4, encoderLayers: 2, decoderLayers: 2, contextLength: 64 };
  const model = new Marian({ vocabularySize: tokenizer.size, ...size, ...ids, dropout: 0.15, startDeviation: 0.05 });

  terminal.line(terminal.paint('  English to German', 'bold'));
  terminal.text(
    `  ${count(train.sources.length)} sentences to learn from, ${count(test.sources.length)} to test; ${count(tokenizer.size)} pieces of words.`,
  );
  const data = loaderOf(train, tokenizer, { batchSize, seed, paddingId: ids.paddingId });
  const steps = epochs * data.length;
  const training = new Training({
    model,
    optimizer: new AdamW(model, {
      learningRate: oneCycle(learningRate, { steps, rise: 0.15 }),
      clip: { globalNorm: 1 },
      weightDecay: 0.01,
    }),
    data,
    step: ({ sources, targets, lengths }) => {
      const real = (name: 'sources' | 'targets', width: number) => sequenceMask(lengths[name]!.maximum(1), width);
      const told = teacherForcing(targets, {
        startId: ids.startId,
        mask: sequenceMask(lengths.targets!, targets.shape[1]!),
      });
      const scores = model.forward(sources, told.inputs, { sourceMask: real('sources', sources.shape[1]!) });
      return crossEntropy(scores.transpose(1, 2), told.targets, { labelSmoothing: 0.1 });
    },
    epochs,
    compile: true,
    signal: context.interrupt.signal,
    callbacks: shownBy({ task: 'translate', title: 'English to German', epochs: true }, context),
  });
  const { why } = await training.run();
  terminal.clear();
  if (why === 'aborted') return tellStopped(context);

  const [bleu, copied] = [new BLEU(), new BLEU()];
  const said: string[] = [];
  for (let at = 0; at < test.sources.length; at += 32) {
    const found = await beamSearch(model, test.sources.slice(at, at + 32), { tokenizer, beams: 4, maxTokens: longest });
    for (const [{ text }] of found) said.push(text);
    terminal.live([`  translated ${count(said.length)} of ${count(test.sources.length)}`]);
  }
  terminal.clear();
  bleu.update(said, test.targets);
  copied.update(test.sources, test.targets);
  const [reached, baseline] = [(await bleu.read()).epoch, (await copied.read()).epoch];
  terminal.line();
  for (let i = 0; i < 4; i++) {
    terminal.text(`  ${test.sources[i]}`);
    terminal.text(`    ${terminal.paint(said[i]!, 'green')}`);
    terminal.text(`    ${terminal.paint(test.targets[i]!, 'dim')}`);
  }
  await look(model, tokenizer, test.sources[0]!, said[0]!, context);
  terminal.line();
  terminal.text(`  ${padText('BLEU of sentences never read, beam 4', 40)}`);
  terminal.text(`  ${padText('the source as it is', 40)} ${(100 * baseline).toFixed(1)}`);
  terminal.text(`  ${padText('this network', 40)} ${(100 * reached).toFixed(1)}`);
  terminal.text(`  ${terminal.paint(bleu.signature, 'dim')}`);
  await mkdir(output, { recursive: true });
  const path = join(output, 'translate-sentences.safetensors');
  await saveModel(path, model);
  terminal.text(`  Saved ${shownPath(path, context)}. ${seconds(performance.now() - started)}.`);
  tellReport('translate', terminal, context);
  context.tell({
    ...{ task: 'translate', data: 'Multi30k, English to German', figures: { BLEU: 100 * reached, epochs } },
    ...{ baselines: { 'BLEU of the source': 100 * baseline }, seconds: (performance.now() - started) / 1000 },
  });
  return true;
}

/** Batches of sentences of similar lengths. */
function loaderOf(
  { sources, targets }: Pairs,
  tokenizer: Tokenizer,
  { batchSize, seed, paddingId }: { readonly batchSize: number; readonly seed: number; readonly paddingId: number },
) {
  const end = tokenizer.ids.end ?? 0;
  const samples = new Dataset({
    sources: ragged(sources.map((text) => tokenizer.encode(text).slice(0, longest))),
    targets: ragged(targets.map((text) => [...tokenizer.encode(text, { special: false }).slice(0, longest - 1), end])),
  });
  return new DataLoader(samples, {
    ...{ batchSize, seed, sampler: lengthSampler(samples.fields.targets, { window: 100 }) },
    padTo: { samples: batchSize, length: [16, 24, 32, longest], values: { sources: paddingId, targets: paddingId } },
  });
}

/** How the last layer of the decoder looks at the source, the mean of its heads. */
async function look(
  model: Marian,
  tokenizer: Tokenizer,
  source: string,
  said: string,
  { terminal }: Context,
): Promise<void> {
  const from = tokenizer.encode(source);
  const to = tokenizer.encode(said, { special: false });
  if (to.length === 0) return;
  const target = tensor([[model.startId, ...to.slice(0, -1)]], { dtype: 'int32' });
  const weights = evaluate(() =>
    model
      .withWeights(tensor([from], { dtype: 'int32' }), target)
      .weights.at(-1)!
      .mean(1)
      .at(0),
  );
  const data = await weights.data();
  const rows = to.map((_, row) => Array.from(data.subarray(row * from.length, (row + 1) * from.length)));
  const names = (ids: readonly number[]): string[] => ids.map((id) => tokenizer.decode([id], { special: true }).trim());
  terminal.line();
  for (const line of drawHeatMap(rows, { rows: names(to), columns: names(from) }, terminal)) terminal.line(`  ${line}`);
}
