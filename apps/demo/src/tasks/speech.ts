/**
 * Spoken digits: convolutions over the time of MFCC tell them apart, on takes that they have not heard of speakers that they know (the usual split), and, more honestly, on speakers that they do not know. Then
 * a recogniser reads strings of digits (speech-strings.ts).
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { specAugment } from '@nn/audio';
import { evaluate, setSeed, tensor } from '@nn/core';
import { dataPipeline, type RandomSequence } from '@nn/data';
import {
  BatchNorm1d,
  Conv1d,
  crossEntropy,
  Dropout,
  GlobalAveragePool,
  Linear,
  MaxPool1d,
  relu,
  Sequential,
} from '@nn/layers';
import { AdamW, oneCycle } from '@nn/optim';
import { saveModel } from '@nn/serialize';
import { padText, Training } from '@nn/train';
import { confusionMatrix, correctOf, drawConfusionMatrix } from '../confusion-matrix.ts';
import { type Context, shownPath } from '../context.ts';
import { count, percent, seconds } from '../format.ts';
import { shownBy, tellReport, tellStopped } from '../run.ts';
import { type Recording, spokenDigits } from '../speech-data.ts';
import { featureSize, featuresOf, nearestMean, type Sample } from '../speech-features.ts';
import { readStrings } from './speech-strings.ts';

const { frequencies, frames } = featureSize;

/** 12 coefficients in time to logits of ten digits; 35,000 weights. */
function network(): Sequential {
  const layer = (inputs: number, kernelSize: number): Sequential =>
    new Sequential(new Conv1d(inputs, 64, kernelSize, { padding: 'same' }), new BatchNorm1d(64), relu);
  return new Sequential(
    layer(frequencies, 5),
    new MaxPool1d(2),
    layer(64, 3),
    new MaxPool1d(2),
    layer(64, 3),
    new GlobalAveragePool(),
    new Dropout(0.3),
    new Linear(64, 10),
  );
}

/** The take decides: 0 to 4 are for testing, as in the data's own split. */
const isTest = ({ take }: Recording): boolean => take < 5;

export async function runSpeech(context: Context): Promise<boolean> {
  const { terminal, settings, output } = context;
  const started = performance.now();
  terminal.line(terminal.paint('  Spoken digits', 'bold'));
  const speech = await spokenDigits(settings.data, settings.seed);
  const { recordings, speakers } = speech;
  const coefficients = await featuresOf(recordings);
  const samples = recordings.map((recording, i): Sample => ({ ...recording, coefficients: coefficients[i]! }));
  const [train, test] = [samples.filter((each) => !isTest(each)), samples.filter(isTest)];
  terminal.text(
    `  ${count(samples.length)} ${speech.name} of ${speakers.length} speakers, ${count(test.length)} of them for testing: takes 0 to 4 of each digit and speaker.`,
  );

  const known = await trained(train, 'spoken digits', context);
  if (known === null) return tellStopped(context);
  const read = await readings(known, test);
  const matrix = confusionMatrix(
    test.map(({ digit }) => digit),
    read,
    10,
  );
  for (const line of drawConfusionMatrix(matrix, terminal)) terminal.text(`  ${line}`);
  terminal.line();

  const unknown: { readonly network: number; readonly rule: number }[] = [];
  for (const speaker of speakers) {
    const [others, own] = [
      samples.filter((each) => each.speaker !== speaker),
      samples.filter((each) => each.speaker === speaker),
    ];
    const model = await trained(others, `without ${speaker}`, context);
    if (model === null) return tellStopped(context);
    const found = {
      network: share(await readings(model, own), own),
      rule: share(own.map((each) => each.coefficients).map(nearestMean(others)), own),
    };
    unknown.push(found);
    terminal.text(`  ${padText(`${speaker}, unknown to the network`, 40)} ${percent(found.network)}`);
  }
  const strings = await readStrings(train, test, context);
  if (strings === null) return tellStopped(context);

  const figures = {
    accuracy: correctOf(matrix) / test.length,
    'accuracy, unknown speakers': meanOf(unknown.map(({ network }) => network)),
    'worst unknown speaker': Math.min(...unknown.map(({ network }) => network)),
    'word error rate of strings': strings.errors,
  };
  const baselines = {
    'nearest mean': share(test.map((each) => each.coefficients).map(nearestMean(train)), test),
    'nearest mean, unknown speakers': meanOf(unknown.map(({ rule }) => rule)),
    'word error rate, cut at pauses': strings.cut,
  };
  terminal.line();
  const row = (name: string, value: string, rule: string): void =>
    terminal.text(`  ${padText(name, 40)} ${value.padStart(9)} ${rule.padStart(14)}`);
  row('', 'network', 'nearest mean');
  row('digits right, known speakers', percent(figures.accuracy), percent(baselines['nearest mean']));
  row(
    'digits right, unknown speakers',
    percent(figures['accuracy, unknown speakers']),
    percent(baselines['nearest mean, unknown speakers']),
  );
  row('words wrong in strings (WER)', percent(strings.errors), percent(strings.cut));
  await mkdir(output, { recursive: true });
  const path = join(output, 'speech.safetensors');
  await saveModel(path, known);
  terminal.text(`  Saved ${shownPath(path, context)}. ${seconds(performance.now() - started)}.`);
  tellReport('speech', terminal, context);
  context.tell({
    task: 'speech',
    data: speech.name,
    figures,
    baselines,
    seconds: (performance.now() - started) / 1000,
  });
  return true;
}

/** A little earlier or later, the first or last moment repeated. */
function shifted(coefficients: Float32Array, random: RandomSequence): Float32Array {
  const by = random.integer(9) - 4;
  return coefficients.map((_, i) => {
    const t = Math.max(0, Math.min(frames - 1, (i % frames) + by));
    return coefficients[i - (i % frames) + t]! + random.uniform(-0.05, 0.05);
  });
}

/** A network that has learned from these; null where it was stopped. */
async function trained(samples: readonly Sample[], title: string, context: Context): Promise<Sequential | null> {
  const { settings, interrupt, terminal } = context;
  const { seed, epochs = 16, batchSize = 50, learningRate = 0.01 } = settings;
  setSeed(seed);
  const model = network();
  const masks = specAugment({ frequencyMasks: 1, frequencyWidth: 3, timeMasks: 1, timeWidth: 10 });
  const batches = dataPipeline(samples)
    .map(({ coefficients, digit }, { random }) => ({
      inputs: { data: shifted(coefficients, random), shape: [frequencies, frames] },
      covered: { data: masks.drawElement(featureSize, random), shape: [2, 2] },
      targets: digit,
    }))
    .batch(batchSize, { shuffle: true, seed, dtypes: { targets: 'int32' } });
  const steps = epochs * Math.ceil(samples.length / batchSize);
  const training = new Training({
    model,
    optimizer: new AdamW(model, { learningRate: oneCycle(learningRate, { steps }), weightDecay: 0.02 }),
    data: batches,
    step: ({ inputs, targets, covered }) =>
      crossEntropy(model.forward(masks.apply(inputs, covered)), targets, { labelSmoothing: 0.05 }),
    epochs,
    signal: interrupt.signal,
    callbacks: shownBy({ task: 'speech', title, epochs: false }, context),
  });
  const { why } = await training.run();
  terminal.clear();
  return why === 'aborted' ? null : model;
}

/** The digit that the network hears in each. */
async function readings(model: Sequential, samples: readonly Sample[]): Promise<Int32Array> {
  const all = new Float32Array(samples.length * frequencies * frames);
  samples.forEach(({ coefficients }, i) => {
    all.set(coefficients, i * frequencies * frames);
  });
  const x = tensor(all, { shape: [samples.length, frequencies, frames], borrow: true });
  return evaluate(() => model.forward(x).argMax(1)).data('int32');
}

/** How often the digit is the one that was said. */
const share = (read: ArrayLike<number>, samples: readonly Sample[]): number =>
  samples.filter(({ digit }, i) => read[i] === digit).length / samples.length;

const meanOf = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;
