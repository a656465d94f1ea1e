/**
 * What is where: a U-Net says for each pixel whether it belongs to a disc, a square, a triangle or the ground. Pictures are drawn; intersection over union
 * tells how well the areas meet.
 */
import { evaluate, setSeed, type Tensor } from '@nn/core';
import { dataPipeline } from '@nn/data';
import { crossEntropy, summary } from '@nn/layers';
import { Jaccard } from '@nn/metrics';
import { AdamW, oneCycle } from '@nn/optim';
import { padText, Training } from '@nn/train';
import {
  augment,
  compose,
  contactSheet,
  type Image,
  imageOf,
  imageTensor,
  planes,
  randomAffine,
  randomFlip,
  UNet,
} from '@nn/vision';
import type { Context } from '../context.ts';
import { count, percent, seconds } from '../format.ts';
import { drawnScene, shapeNames } from '../picture-data.ts';
import { savePicture } from '../pictures/save.ts';
import { shownBy, tellReport, tellStopped } from '../run.ts';

const side = 32;
const classes = shapeNames.length;
const [trainSize, testSize] = [600, 100];

/** Classes as colours: black, red, green, blue. */
function colored(data: ArrayLike<number>): Image {
  const pixels = new Uint8Array(3 * data.length);
  for (let i = 0; i < data.length; i++) if (data[i]! > 0) pixels[3 * i + data[i]! - 1] = 255;
  return imageOf(pixels, side, side, 3);
}

export async function runSegment(context: Context): Promise<boolean> {
  const { terminal, settings, interrupt } = context;
  const { seed, epochs = 24, batchSize = 16, learningRate = 0.01 } = settings;
  const started = performance.now();
  setSeed(seed);
  const model = new UNet({ classes, width: 12, depth: 2 });
  terminal.line(terminal.paint('  Shapes', 'bold'));
  terminal.text(
    `  A U-Net of ${count(summary(model, [1, 3, side, side]).parameters)} parameters, ${count(trainSize)} drawn pictures to train, ${count(testSize)} others to test.`,
  );
  terminal.line();

  const source = (first: number, length: number) => ({
    length,
    get: (index: number) => drawnScene(seed, first + index, side),
  });
  // masks are moved along, and never blended
  const changes = compose(
    randomFlip({ horizontal: 0.5, vertical: 0.5 }),
    randomAffine({ degrees: 20, scale: [0.8, 1.2] }),
  );
  const fields = ({ image, mask }: { readonly image: Image; readonly mask: Image }) => ({
    inputs: planes(image),
    targets: { data: Int32Array.from(mask.data), shape: [side, side] },
  });
  const options = { normalize: { inputs: { per: 'array', offset: [127.5], divisor: [64] } } } as const;
  const train = dataPipeline(source(0, trainSize))
    .map((scene, { random }) => augment(changes, scene, random))
    .map(fields)
    .batch(batchSize, { shuffle: true, seed, ...options });
  const test = dataPipeline(source(trainSize, testSize)).map(fields).batch(50, options);

  const meanIou = new Jaccard({ classes, average: 'macro' });
  const training = new Training({
    model,
    optimizer: new AdamW(model, {
      learningRate: oneCycle(learningRate, { steps: epochs * Math.ceil(trainSize / batchSize) }),
    }),
    data: train,
    validation: { data: test },
    metrics: { meanIou },
    step: ({ inputs, targets }) => {
      const logits = model.forward(inputs);
      meanIou.update(logits.argMax(1), targets);
      return crossEntropy(logits, targets);
    },
    epochs,
    compile: true,
    signal: interrupt.signal,
    callbacks: shownBy({ task: 'segment', title: 'Shapes', epochs: true }, context),
  });
  const { why } = await training.run();
  terminal.clear();
  if (why === 'aborted') return tellStopped(context);

  const ofClass = new Jaccard({ classes, average: 'none' });
  const nothing = new Jaccard({ classes, average: 'macro' });
  for await (const { inputs, targets } of test) {
    const found = evaluate((): Tensor => model.forward(inputs).argMax(1));
    ofClass.update(found, targets);
    nothing.update(found.mul(0), targets);
  }
  const areas = await ofClass.read();
  const all = [areas.epoch].flat();
  const mean = all.reduce((sum, each) => sum + each, 0) / classes;
  const ground = (await nothing.read()).epoch;
  terminal.text(`  ${padText('of pictures never seen', 28)}      IoU`);
  for (const [k, name] of shapeNames.entries()) terminal.text(`  ${padText(name, 28)} ${percent(all[k]!).padStart(8)}`);
  terminal.text(`  ${padText('their mean', 28)} ${percent(mean).padStart(8)}`);
  terminal.text(`  ${padText('mean of "all is ground"', 28)} ${percent(ground).padStart(8)}`);

  const shown = Array.from({ length: 8 }, (_, i) => drawnScene(seed, trainSize + i, side));
  const x = imageTensor(shown.map(({ image }) => image))
    .mul(255 / 64)
    .sub(127.5 / 64);
  const found = await evaluate(() => model.forward(x).argMax(1)).data();
  const answers = shown.map((_, i) => colored(found.subarray(i * side * side, (i + 1) * side * side)));
  const sheet = [...shown.map(({ image }) => image), ...shown.map(({ mask }) => colored(mask.data)), ...answers];
  await savePicture(
    'segment.png',
    contactSheet(sheet, { columns: 8 }),
    'Pictures, what is there, what was found',
    context,
  );
  const took = (performance.now() - started) / 1000;
  terminal.text(`  ${seconds(1000 * took)}.`);
  tellReport('segment', terminal, context);
  const figures = { 'mean IoU': mean, ...Object.fromEntries(shapeNames.map((name, k) => [`IoU ${name}`, all[k]!])) };
  context.tell({
    task: 'segment',
    data: 'drawn shapes',
    figures,
    baselines: { 'mean IoU, all ground': ground },
    seconds: took,
  });
  return true;
}
