/**
 * Days in forty languages become ISO dates: an LSTM with attention reads letter by letter, and is tested on years that it never saw.
 * With the Multi30k files in `--data` it is sentences instead: translate-sentences.ts.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { evaluate, setSeed, type Tensor, tensor } from '@nn/core';
import { DataLoader, Dataset, dense, lengthSampler, ragged } from '@nn/data';
import { crossEntropy, sequenceMask } from '@nn/layers';
import { Adam, oneCycle } from '@nn/optim';
import { saveModel } from '@nn/serialize';
import { AttentionLSTM, characterTokenizer, generateAll, type Tokenizer, teacherForcing } from '@nn/text';
import { padText, Training } from '@nn/train';
import { type Context, shownPath } from '../context.ts';
import { count, percent, seconds } from '../format.ts';
import { drawHeatMap } from '../pictures/heat-map.ts';
import { shownBy, tellReport, tellStopped } from '../run.ts';
import { type WrittenDay, writtenDays } from '../texts/dates.ts';
import { runSentences } from './translate-sentences.ts';

/** What the program does without learning: the runtime's own parser, which reads English. */
function parsed(text: string): string {
  const milliseconds = Date.parse(`${text} UTC`);
  return Number.isNaN(milliseconds) ? '' : new Date(milliseconds).toISOString().slice(0, 10);
}

export async function runTranslate(context: Context): Promise<boolean> {
  if (context.settings.data !== undefined) return runSentences(context, context.settings.data);
  const { terminal, settings, output } = context;
  const { seed, epochs = 6, batchSize = 64, learningRate = 0.005 } = settings;
  const started = performance.now();
  const days = writtenDays(12_000, { heldOut: false, seed });
  const unseen = writtenDays(1000, { heldOut: true, seed });
  const languages = new Set(days.map(({ language }) => language)).size;
  setSeed(seed);
  const special = { padding: '␀', unknown: '?', begin: '^', end: '$' };
  const tokenizer = characterTokenizer(
    [...days, ...unseen].flatMap(({ text, iso }) => [text, iso]),
    { special },
  );
  const { begin, end, padding } = tokenizer.ids;
  const ids = { startId: begin ?? 0, endId: end ?? 0, paddingId: padding ?? 0 };
  const model = new AttentionLSTM({
    sourceVocabularySize: tokenizer.size,
    embedding: 32,
    hidden: 64,
    dropout: 0,
    ...ids,
  });

  terminal.line(terminal.paint('  Days in many languages', 'bold'));
  terminal.text(
    `  ${count(days.length)} days of ${languages} languages to learn from, ${count(unseen.length)} of other years to test.`,
  );
  for (const { text, iso } of days.slice(0, 4)) terminal.text(`  ${padText(text, 34)} ${terminal.paint(iso, 'dim')}`);
  terminal.line();

  const samples = new Dataset({
    sources: ragged(days.map(({ text }) => tokenizer.encode(text))),
    targets: dense(
      days.map(({ iso }) => [...tokenizer.encode(iso, { special: false }), ids.endId]),
      'int32',
    ),
  });
  const data = new DataLoader(samples, {
    ...{ batchSize, seed, sampler: lengthSampler(samples.fields.sources) },
    padTo: { samples: batchSize, length: [16, 24, 32, 48], values: { sources: ids.paddingId } },
  });
  const steps = epochs * data.length;
  const training = new Training({
    model,
    optimizer: new Adam(model, { learningRate: oneCycle(learningRate, { steps, rise: 0.2 }), clip: { globalNorm: 1 } }),
    data,
    step: ({ sources, targets, lengths, mask }) => {
      const sourceMask = sequenceMask(lengths.sources!.maximum(1), sources.shape[1]!);
      const told = teacherForcing(targets, { startId: ids.startId });
      const scores = model.forward(sources, told.inputs, { sourceMask });
      return crossEntropy(scores.transpose(1, 2), told.targets, {
        mask: mask.greater(0).unsqueeze(1).expand(targets.shape),
      });
    },
    epochs,
    compile: true,
    signal: context.interrupt.signal,
    callbacks: shownBy({ task: 'translate', title: 'Days in many languages', epochs: true }, context),
  });
  const { why } = await training.run();
  terminal.clear();
  if (why === 'aborted') return tellStopped(context);

  const said = await read(model, tokenizer, unseen);
  const right = unseen.filter(({ iso }, i) => said[i] === iso).length / unseen.length;
  const baseline = unseen.filter(({ text, iso }) => parsed(text) === iso).length / unseen.length;
  terminal.line();
  const wrong = unseen.flatMap((day, i) => (said[i] === day.iso ? [] : [{ ...day, said: said[i]! }]));
  for (const day of wrong.slice(0, 4)) {
    terminal.text(`  wrong: ${padText(day.text, 34)} ${terminal.paint(day.said, 'red')}, it is ${day.iso}`);
  }
  await look(model, tokenizer, unseen.find(({ language }) => language === 'de') ?? unseen[0]!, context);
  terminal.line();
  terminal.text(`  ${padText('right to the last digit, of other years', 42)}`);
  terminal.text(`  ${padText("the runtime's Date.parse", 42)} ${percent(baseline).padStart(8)}`);
  terminal.text(`  ${padText('this network', 42)} ${percent(right).padStart(8)}`);
  await mkdir(output, { recursive: true });
  const path = join(output, 'translate.safetensors');
  await saveModel(path, model);
  terminal.text(`  Saved ${shownPath(path, context)}. ${seconds(performance.now() - started)}.`);
  tellReport('translate', terminal, context);
  context.tell({
    ...{ task: 'translate', data: `days in ${languages} languages`, figures: { exact: right } },
    ...{ baselines: { 'Date.parse': baseline }, seconds: (performance.now() - started) / 1000 },
  });
  return true;
}

/** What the network makes of days. */
async function read(model: AttentionLSTM, tokenizer: Tokenizer, days: readonly WrittenDay[]): Promise<string[]> {
  const said: string[] = [];
  for (let at = 0; at < days.length; at += 250) {
    const texts = days.slice(at, at + 250).map(({ text }) => text);
    for (const { text } of await generateAll(model, texts, { tokenizer, maxTokens: 12, temperature: 0 }))
      said.push(text);
  }
  return said;
}

/** Where the network looked for each digit. */
async function look(
  model: AttentionLSTM,
  tokenizer: Tokenizer,
  { text, iso }: WrittenDay,
  { terminal }: Context,
): Promise<void> {
  const whole = (ids: readonly number[]): Tensor => tensor([ids], { dtype: 'int32' });
  const source = tokenizer.encode(text);
  const { inputs } = teacherForcing(whole(tokenizer.encode(iso, { special: false })), { startId: model.startId });
  const weights = evaluate(() => model.withWeights(whole(source), inputs).weights.at(0));
  const data = await weights.data();
  const width = source.length;
  const rows = [...iso].map((_, row) => Array.from(data.subarray(row * width + 1, (row + 1) * width - 1)));
  terminal.line();
  terminal.text('  Where it looks for each digit:');
  const names = { rows: [...iso], columns: [...text] };
  for (const line of drawHeatMap(rows, names, terminal)) terminal.line(`  ${line}`);
}
