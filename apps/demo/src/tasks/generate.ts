/**
 * Digits that nobody wrote: a variational autoencoder learns what digits look like, and decodes codes that are drawn. How well it knows them is told in
 * nats: the bound on -log p(x) of digits it never saw, beside what each pixel's mean alone would give.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { evaluate, setSeed } from '@nn/core';
import { DataLoader } from '@nn/data';
import { AdamW, oneCycle } from '@nn/optim';
import { saveModel } from '@nn/serialize';
import { padText, Training } from '@nn/train';
import { contactSheet, imagesOf, VariationalAutoencoder } from '@nn/vision';
import { type Context, shownPath } from '../context.ts';
import { drawnDigits } from '../digit-data.ts';
import { count, seconds } from '../format.ts';
import { savePicture } from '../pictures/save.ts';
import { shownBy, tellReport, tellStopped } from '../run.ts';

export async function runGenerate(context: Context): Promise<boolean> {
  const { terminal, settings, output, interrupt } = context;
  const data = context.digits ?? drawnDigits(settings.seed, 2000, 500);
  const { seed, epochs = context.digits ? 15 : 10, batchSize = 100, learningRate = 0.004 } = settings;
  const started = performance.now();
  setSeed(seed);
  const { size } = data;
  const model = new VariationalAutoencoder({ size: { width: size, height: size }, latent: 16 });
  const normalize = { inputs: { per: 'array', offset: [0], divisor: [255] } } as const;
  const train = new DataLoader(data.train, { batchSize, shuffle: true, seed, normalize, dropLast: true });
  const test = new DataLoader(data.test, { batchSize: 250, normalize });
  terminal.line(terminal.paint('  Digits that nobody wrote', 'bold'));
  terminal.text(
    `  A variational autoencoder with codes of 16 numbers: ${count(data.train.size)} ${data.name} to train.`,
  );
  terminal.line();

  const training = new Training({
    model,
    optimizer: new AdamW(model, { learningRate: oneCycle(learningRate, { steps: epochs * train.length }) }),
    data: train,
    validation: { data: test },
    step: ({ inputs }) => {
      const { reconstruction, divergence } = model.loss(inputs);
      return reconstruction.add(divergence);
    },
    epochs,
    compile: true,
    signal: interrupt.signal,
    callbacks: shownBy({ task: 'generate', title: 'Digits that nobody wrote', epochs: true }, context),
  });
  const { why } = await training.run();
  terminal.clear();
  if (why === 'aborted') return tellStopped(context);

  const nats = (await training.evaluate(test)).loss;
  const alone = pixelsAlone(data.train.fields.inputs.data, data.test.fields.inputs.data, size * size);
  terminal.text(`  ${padText('of digits never seen', 28)} nats for each, the fewer the better`);
  terminal.text(`  ${padText('each pixel by its mean', 28)} ${alone.toFixed(1).padStart(6)}`);
  terminal.text(`  ${padText('this network, at the most', 28)} ${nats.toFixed(1).padStart(6)}`);

  const { inputs } = test.peek();
  const given = inputs.slice([0], [10]);
  const [seen, again, made] = await Promise.all([
    imagesOf(given),
    imagesOf(evaluate(() => model.reconstruct(given))),
    imagesOf(evaluate(() => model.sample(80))),
  ]);
  await savePicture(
    'digits-again.png',
    contactSheet([...seen, ...again], { columns: 10 }),
    'Ten, and what is left of them',
    context,
  );
  await savePicture('digits-made.png', contactSheet(made, { columns: 10 }), 'Eighty that nobody wrote', context);
  await mkdir(output, { recursive: true });
  const path = join(output, 'generate.safetensors');
  await saveModel(path, model);
  const took = (performance.now() - started) / 1000;
  terminal.text(`  Saved ${shownPath(path, context)}. ${seconds(1000 * took)}.`);
  tellReport('generate', terminal, context);
  context.tell({
    ...{ task: 'generate', data: data.name, seconds: took },
    figures: { 'nats, upper bound': nats },
    baselines: { 'nats of pixel means': alone },
  });
  return true;
}

/** Nats of a picture where each pixel is told by its mean over the training pictures alone: the mean cross entropy of the test. */
function pixelsAlone(train: Uint8Array, test: Uint8Array, area: number): number {
  const means = new Float64Array(area);
  for (let i = 0; i < train.length; i++) means[i % area]! += train[i]! / 255;
  const pictures = train.length / area;
  for (let i = 0; i < area; i++) means[i] = Math.min(0.999, Math.max(0.001, means[i]! / pictures));
  let sum = 0;
  for (let i = 0; i < test.length; i++) {
    const [ink, mean] = [test[i]! / 255, means[i % area]!];
    sum -= ink * Math.log(mean) + (1 - ink) * Math.log(1 - mean);
  }
  return sum / (test.length / area);
}
