/**
 * The classic first network: two inputs, four hidden neurons, one output, all sigmoids, trained by gradient descent on the
 * mean squared error to tell the points of two moons apart. After it, the picture of what it makes of the plane.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { evaluate, setSeed, type Tensor, tensor } from '@nn/core';
import { DataLoader, moons } from '@nn/data';
import { Linear, meanSquaredError, xavierUniform } from '@nn/layers';
import { Accuracy, drawCurve } from '@nn/metrics';
import { SGD } from '@nn/optim';
import { saveModel } from '@nn/serialize';
import { padText, type Terminal, Training } from '@nn/train';
import { type Context, playgroundKey, shownPath } from '../context.ts';
import { count, percent } from '../format.ts';
import { drawPlane, type Frame, gridOf } from '../pictures/plane.ts';
import { callbacksOf, tellReport, train, trainedIn } from '../run.ts';

const samples = 400;
const noise = 0.15;

/** The same experiment on the page of apps/playground, which opens the model that is saved. */
const playground = (batchSize: number, learningRate: number): string =>
  `task=moons&samples=${2 * samples}&noise=${noise}&testFraction=0.5&layers=d4.sigmoid&loss=meanSquaredError&optimizer=sgd&learningRate=${learningRate}&batchSize=${batchSize}`;

/** y = sigmoid(W2 sigmoid(W1 x + b1) + b2): [N, 2] to [N, 1], the probability of the second moon. */
class Network {
  readonly hidden = new Linear(2, 4);
  readonly output = new Linear(4, 1);

  constructor() {
    // Sigmoids that start almost flat learn slowly: wider initial weights than usual.
    for (const { weight } of [this.hidden, this.output]) weight.assign(xavierUniform(weight.shape, { gain: 3 }));
  }

  forward(x: Tensor): Tensor {
    return this.output.forward(this.hidden.forward(x).sigmoid()).sigmoid();
  }
}

export async function runMoons(context: Context): Promise<boolean> {
  const { terminal, settings, output } = context;
  const { seed, epochs = 2000, learningRate = 8 } = settings;
  const batchSize = Math.min(settings.batchSize ?? samples, samples);
  setSeed(seed);
  const dataset = moons(samples, { seed, noise });
  const unseen = moons(samples, { seed: seed + 1, noise });
  const model = new Network();
  const optimizer = new SGD(model, { learningRate });
  const loader = new DataLoader(dataset, { batchSize, shuffle: batchSize < samples, seed });

  terminal.line(terminal.paint('  Two moons', 'bold'));
  terminal.text('  A 2-4-1 network of sigmoids: mean squared error, plain gradient descent.');
  terminal.text(`  ${samples} points to train, ${samples} others to test.`);
  terminal.line();

  // The curve needs no more than this many losses, however many epochs there are.
  const every = Math.ceil(epochs / 400);
  const caption = (top: number): string => `0 to ${top.toFixed(3)}, epochs 1 to ${count(epochs)}`;
  const frame = frameFor(terminal, caption(0).length);
  const fits = terminal.columns >= frame.columns + caption(0).length + 6 && terminal.rows >= frame.rows + 4;
  const picture = async (test?: number): Promise<string[]> => {
    const rows = training.history;
    const { loss, accuracy: share } = rows.at(-1)?.values ?? { loss: Number.NaN, accuracy: Number.NaN };
    const losses = rows.filter((_, at) => at % every === 0).map(({ values }) => values.loss);
    const grid = gridOf(frame, terminal);
    const guesses = await evaluate(() => model.forward(tensor(grid, { shape: [grid.length / 2, 2] }))).data();
    const points = { positions: dataset.fields.inputs.data, classes: dataset.fields.targets.data };
    const plane = drawPlane(frame, guesses, points, terminal);
    const top = Math.max(...losses, 0.001);
    const curve = drawCurve(
      losses,
      Math.ceil(epochs / every),
      top,
      Math.min(26, terminal.columns - 4),
      6,
      terminal.isInteractive,
    );
    const beside = [
      terminal.paint('loss per epoch', 'bold'),
      ...curve.map((line) => terminal.paint(line, 'cyan')),
      terminal.paint(caption(top), 'dim'),
      '',
      `epoch     ${count(training.epochs)}`,
      `loss      ${loss.toFixed(4)}`,
      `accuracy  ${percent(share)}`,
      ...(test === undefined ? [] : [`test      ${terminal.paint(percent(test), 'bold', 'green')}`]),
    ];
    if (!fits) return [...plane, ...beside].map((line) => `  ${line}`);
    return plane.map((line, row) => `  ${padText(line, frame.columns)}   ${beside[row] ?? ''}`);
  };

  const started = performance.now();
  const accuracy = new Accuracy({ task: 'binary', from: 'probabilities' });
  const training = new Training({
    model,
    optimizer,
    data: loader,
    metrics: { accuracy },
    step: ({ inputs, targets }) => {
      const guesses = model.forward(inputs);
      accuracy.update(guesses.squeeze(1), targets);
      return meanSquaredError(guesses, targets.cast('float32').unsqueeze(1));
    },
    epochs,
    compile: true,
    signal: context.interrupt.signal,
    callbacks: callbacksOf(
      {
        task: 'moons',
        title: 'Two moons',
        epochs: false,
        ...(fits && { above: async () => [...(await picture()), ''] }),
      },
      context,
    ),
  });
  if (!(await train(training, epochs * loader.length, context))) return false;

  const { inputs, targets } = new DataLoader(unseen, { batchSize: samples }).peek();
  const guesses = evaluate(() => model.forward(inputs));
  if (!terminal.isInteractive) terminal.line();
  const test = (await countCorrect(guesses, targets.cast('float32').unsqueeze(1)).item()) / samples;
  for (const line of await picture(test)) terminal.text(line.trimEnd());
  await mkdir(output, { recursive: true });
  const path = join(output, 'moons.safetensors');
  await saveModel(path, model, { metadata: { [playgroundKey]: playground(batchSize, learningRate) } });
  terminal.line();
  terminal.text(`  ${trainedIn(performance.now() - started, context)}Saved ${shownPath(path, context)}.`);
  tellReport('moons', terminal, context);
  context.tell({
    task: 'moons',
    data: 'drawn points',
    figures: { accuracy: test, loss: training.history.at(-1)?.values.loss ?? Number.NaN },
    baselines: { chance: 0.5 },
    seconds: (performance.now() - started) / 1000,
  });
  return true;
}

/** As large as the screen allows beside the curve; characters are about twice as high as wide, and the part of the plane 3 : 2. */
function frameFor(terminal: Terminal, beside: number): Frame {
  const most = Math.max(3, Math.floor((terminal.columns - 3) / 3));
  const room = Math.floor((terminal.columns - beside - 6) / 3);
  const rows = Math.min(most, Math.max(10, Math.min(24, terminal.rows - 9, room)));
  return { left: -1.75, right: 2.75, bottom: -1.25, top: 1.75, columns: 3 * rows, rows };
}

/** How many of the guesses [N, 1] are on the side of the truth. */
function countCorrect(guesses: Tensor, truth: Tensor): Tensor {
  return guesses.greater(0.5).equal(truth.greater(0.5)).cast('int32').sum();
}
