/**
 * Ants or bees: a small convolutional network learns from a few photos, once as they are and once seen differently in each epoch (augmentation), with the
 * same start and the same number of steps. The test pictures are those of neither.
 */
import { setSeed } from '@nn/core';
import { dataPipeline, RandomSequence } from '@nn/data';
import { BatchNorm2d, Conv2d, crossEntropy, Dropout, Linear, MaxPool2d, relu, Sequential } from '@nn/layers';
import { Accuracy } from '@nn/metrics';
import { AdamW, oneCycle } from '@nn/optim';
import { padText, Training } from '@nn/train';
import {
  augment,
  centerCrop,
  colorJitter,
  compose,
  contactSheet,
  imagenet,
  pixelNormalization,
  planes,
  randomFlip,
  randomResizedCrop,
  randomRotation,
  type Transform,
} from '@nn/vision';
import type { Context } from '../context.ts';
import { count, percent, seconds } from '../format.ts';
import { type Photo, photos } from '../picture-data.ts';
import { savePicture } from '../pictures/save.ts';
import { shownBy, tellReport, tellStopped } from '../run.ts';

/** Pictures are kept a little larger than the network takes them, so that there is something to cut. */
const [kept, side] = [80, 64];

const block = (inputs: number, outputs: number): readonly (Conv2d | BatchNorm2d | MaxPool2d | typeof relu)[] => [
  new Conv2d(inputs, outputs, 3, { padding: 1, bias: false }),
  new BatchNorm2d(outputs),
  relu,
  new MaxPool2d(2),
];

/** [N, 3, 64, 64] to logits [N, 2]. */
const network = (): Sequential =>
  new Sequential(
    ...block(3, 16),
    ...block(16, 32),
    ...block(32, 64),
    ...block(64, 64),
    (x) => x.mean([2, 3]),
    new Dropout(0.3),
    new Linear(64, 2),
  );

const changes = (): Transform =>
  compose(
    randomFlip(),
    randomRotation(20),
    randomResizedCrop(side, { scale: [0.35, 1] }),
    colorJitter({ brightness: 0.3, contrast: 0.3, saturation: 0.3 }),
  );

export async function runPhotos(context: Context): Promise<boolean> {
  const { terminal, settings, interrupt } = context;
  const { seed, epochs = 50, batchSize = 16, learningRate = 0.004 } = settings;
  const { signal } = interrupt;
  const started = performance.now();
  const { train, test, classes, name } = await photos(settings.data, seed, kept, signal);
  terminal.line(terminal.paint('  Photos', 'bold'));
  terminal.text(
    `  ${count(train.length)} ${name} to train, ${count(test.length)} others to test: ${classes.join(' or ')}.`,
  );
  const cut = (each: readonly Photo[], transform?: Transform) =>
    dataPipeline({ length: each.length, get: (index: number) => each[index]! })
      .map((photo, { random }) =>
        transform ? augment(transform, photo, random) : { ...photo, image: centerCrop(photo.image, side) },
      )
      .map(({ image, label }) => ({ inputs: planes(image), targets: label }));
  const options = { dtypes: { targets: 'int32' }, normalize: { inputs: pixelNormalization(imagenet) } } as const;

  const figures: Record<string, number> = {};
  for (const [kind, transform] of [
    ['as they are', undefined],
    ['seen differently', changes()],
  ] as const) {
    terminal.line();
    terminal.text(`  ${terminal.paint(kind, 'bold')}`);
    setSeed(seed);
    const model = network();
    const data = cut(train, transform).batch(batchSize, { shuffle: true, seed, dropLast: true, ...options });
    const steps = epochs * Math.floor(train.length / batchSize);
    const accuracy = new Accuracy();
    const training = new Training({
      model,
      optimizer: new AdamW(model, { learningRate: oneCycle(learningRate, { steps }), weightDecay: 0.02 }),
      data,
      validation: { data: cut(test).batch(64, options), every: Math.max(1, Math.floor(epochs / 5)) },
      metrics: { accuracy },
      step: ({ inputs, targets }) => {
        const logits = model.forward(inputs);
        accuracy.update(logits, targets);
        return crossEntropy(logits, targets, { labelSmoothing: 0.1 });
      },
      epochs,
      compile: true,
      signal,
      callbacks: shownBy({ task: 'photos', title: `Photos ${kind}`, epochs: false }, context),
    });
    const { why } = await training.run();
    terminal.clear();
    if (why === 'aborted') return tellStopped(context);
    figures[kind] = (await training.evaluate(cut(test).batch(64, options))).accuracy;
  }

  const shown = train.slice(0, 8).map(({ image }) => ({ image }));
  const sheet = contactSheet(
    [
      ...shown.map(({ image }) => centerCrop(image, side)),
      ...shown.map((photo, i) => augment(changes(), photo, new RandomSequence(seed, i)).image),
    ],
    { columns: 8 },
  );
  await savePicture('photos.png', sheet, 'Eight of them as they are, and as they were seen', context);
  const most = Math.max(...[0, 1].map((label) => test.filter((photo) => photo.label === label).length)) / test.length;
  terminal.text(`  ${padText('of pictures never seen', 28)} accuracy`);
  for (const [kind, right] of Object.entries({ 'the most frequent class': most, ...figures })) {
    terminal.text(`  ${padText(kind, 28)} ${percent(right).padStart(8)}`);
  }
  const took = (performance.now() - started) / 1000;
  terminal.text(`  ${seconds(1000 * took)}.`);
  tellReport('photos', terminal, context);
  context.tell({ task: 'photos', data: name, figures, baselines: { 'most frequent class': most }, seconds: took });
  return true;
}
