/**
 * A convolutional network reads digits: drawn ones, or the files of MNIST. Trains, tests, shows what it takes for what, and
 * saves the model as safetensors.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { maxPool, setSeed, type Tensor } from '@nn/core';
import { DataLoader, fitNormalization } from '@nn/data';
import { dataParallel } from '@nn/distributed';
import { BatchNorm2d, Conv2d, crossEntropy, Linear, summary } from '@nn/layers';
import { Accuracy, ConfusionMatrix } from '@nn/metrics';
import { Adam, oneCycle } from '@nn/optim';
import { saveModel } from '@nn/serialize';
import { Training } from '@nn/train';
import { type Context, playgroundKey, shownPath } from '../context.ts';
import { drawnDigits } from '../digit-data.ts';
import { DistortedBatches } from '../distortion.ts';
import { count } from '../format.ts';
import { callbacksOf, tellReport, train, trainedIn } from '../run.ts';
import { printReport, readImages, reportSamples } from './digit-report.ts';

/** The same experiment on the page of apps/playground, which opens the model that is saved. */
const playground =
  'task=digits&layers=c8k5vp.relu.batch_c16k5vp.relu.batch&optimizer=adam&learningRate=0.01&batchSize=50';

/** Two convolutions, each with batch normalisation, relu and pooling, then a linear layer: [N, 1, size, size] to logits [N, 10]. */
class Network {
  readonly conv1 = new Conv2d(1, 8, 5);
  readonly norm1 = new BatchNorm2d(8);
  readonly conv2 = new Conv2d(8, 16, 5);
  readonly norm2 = new BatchNorm2d(16);
  readonly output: Linear;

  constructor(size: number) {
    const afterFirst = Math.floor((size - 4) / 2);
    const afterSecond = Math.floor((afterFirst - 4) / 2);
    this.output = new Linear(16 * afterSecond ** 2, 10);
  }

  forward(images: Tensor): Tensor {
    const first = maxPool(this.norm1.forward(this.conv1.forward(images)).relu(), { size: [2, 2] });
    const second = maxPool(this.norm2.forward(this.conv2.forward(first)).relu(), { size: [2, 2] });
    return this.output.forward(second.flatten(1));
  }
}

export async function runDigits(context: Context): Promise<boolean> {
  const { terminal, settings, output, group } = context;
  const { seed, batchSize = 50, learningRate = 0.01 } = settings;
  const data = context.digits ?? drawnDigits(seed, 4000, 1000);
  // Drawn digits are of many hands already.
  const isDistorted = context.digits !== undefined;
  const epochs = settings.epochs ?? (context.digits ? 12 : 3);
  setSeed(seed);
  const normalization = fitNormalization(data.train.fields.inputs, { per: 'array' });
  const normalize = { inputs: normalization };
  const model = new Network(data.size);
  // each rank has its part of every batch
  const slice = { index: group.rank, count: group.size };
  const loader = new DataLoader(data.train, { batchSize, shuffle: true, seed, normalize, slice });
  const schedule = oneCycle(learningRate, { steps: epochs * loader.length, rise: 0.2 });
  const adam = new Adam(model, { learningRate: schedule });
  const isOne = group.size === 1;
  const optimizer = isOne ? adam : await dataParallel(adam, group, { deterministic: true });

  const { parameters } = summary(model, [1, 1, data.size, data.size]);
  terminal.line(terminal.paint('  Digits', 'bold'));
  terminal.text(`  A convolutional network of ${count(parameters)} parameters: cross entropy, Adam.`);
  terminal.text(`  ${count(data.train.size)} ${data.name} to train, ${count(data.test.size)} others to test.`);
  terminal.line();

  const [accuracy, matrix] = [new Accuracy(), new ConfusionMatrix({ classes: 10 })];
  const started = performance.now();
  const training = new Training({
    model,
    optimizer,
    ...(isOne ? {} : { group }),
    data: isDistorted ? new DistortedBatches(loader, { seed, normalization }) : loader,
    validation: { data: new DataLoader(data.test, { batchSize: 250, normalize, slice }) },
    metrics: { accuracy, matrix },
    step: ({ inputs, targets }) => {
      const logits = model.forward(inputs);
      accuracy.update(logits, targets);
      matrix.update(logits, targets);
      return crossEntropy(logits, targets);
    },
    epochs,
    compile: true,
    readEvery: 10,
    signal: context.interrupt.signal,
    callbacks: callbacksOf(
      {
        task: 'digits',
        title: `Digits: ${data.name}`,
        epochs: true,
        report: {
          confusion: 'validation.matrix',
          samples: async () => reportSamples(data.test, await readImages(model, data.test, normalization)),
        },
      },
      context,
    ),
  });
  if (!(await train(training, epochs * loader.length, context))) return false;
  // all have the same model now
  if (group.rank > 0) return true;

  const took = performance.now() - started;
  const readings = await readImages(model, data.test, normalization);
  printReport(terminal, data.test, readings);
  await mkdir(output, { recursive: true });
  const path = join(output, 'digits.safetensors');
  await saveModel(path, model, {
    metadata: { normalization: JSON.stringify(normalization), [playgroundKey]: playground },
  });
  terminal.text(`  ${trainedIn(took, context)}Saved ${shownPath(path, context)}.`);
  tellReport('digits', terminal, context);
  const seen = data.train.fields.targets.data;
  const counts = Array.from({ length: 10 }, (_, digit) => seen.filter((each) => each === digit).length);
  context.tell({
    task: 'digits',
    data: data.name,
    figures: { accuracy: readings.accuracy },
    baselines: { 'most frequent digit': Math.max(...counts) / seen.length },
    seconds: took / 1000,
  });
  return true;
}
