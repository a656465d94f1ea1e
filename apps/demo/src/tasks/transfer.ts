/**
 * Learned once, used again: a network reads the digits 0 to 4; then its body is frozen, and a new head learns 5 to 9 from two samples of each. Beside it
 * the same network learns the same samples from nothing.
 */
import { freeze, setSeed, type Tensor } from '@nn/core';
import { type Classified, DataLoader, Dataset, fitNormalization, shuffledOrder } from '@nn/data';
import { BatchNorm2d, Conv2d, crossEntropy, Linear, MaxPool2d, relu, Sequential } from '@nn/layers';
import { Accuracy } from '@nn/metrics';
import { AdamW, oneCycle } from '@nn/optim';
import { padText, Training } from '@nn/train';
import type { Context } from '../context.ts';
import { drawnDigits } from '../digit-data.ts';
import { count, percent, seconds } from '../format.ts';
import { shownBy, tellReport, tellStopped } from '../run.ts';

/** A body that makes features of a picture [N, 1, size, size], and a head that makes five logits of them. */
class Network {
  readonly body: Sequential;
  readonly head: Linear;

  constructor(size: number, body?: Sequential) {
    this.head = new Linear(64 * Math.floor(size / 8) ** 2, 5);
    const block = (inputs: number, outputs: number) => [
      new Conv2d(inputs, outputs, 3, { padding: 1, bias: false }),
      new BatchNorm2d(outputs),
      relu,
      new MaxPool2d(2),
    ];
    this.body = body ?? new Sequential(...block(1, 16), ...block(16, 32), ...block(32, 64), (x) => x.flatten(1));
  }

  forward(images: Tensor): Tensor {
    return this.head.forward(this.body.forward(images));
  }
}

/** The samples of the digits from `first` on, `perClass` of each at the most, as classes 0 to 4. */
function five(data: Classified<Uint8Array>, first: number, seed: number, perClass = Number.POSITIVE_INFINITY) {
  const { data: labels } = data.fields.targets;
  const seen = [0, 0, 0, 0, 0];
  const chosen = [...shuffledOrder(data.size, seed)].filter((i) => {
    const label = labels[i]! - first;
    return label >= 0 && label < 5 && seen[label]!++ < perClass;
  });
  const part = data.take(chosen);
  const { inputs, targets } = part.fields;
  return new Dataset({ inputs, targets: { ...targets, data: targets.data.map((label) => label - first) } });
}

export async function runTransfer(context: Context): Promise<boolean> {
  const { terminal, settings, interrupt } = context;
  const { seed, batchSize = 50, learningRate = 0.005 } = settings;
  const data = context.digits ?? drawnDigits(seed, 3000, 1000);
  const started = performance.now();
  setSeed(seed);
  const normalize = { inputs: fitNormalization(data.train.fields.inputs, { per: 'array' }) };
  const [large, few] = [five(data.train, 0, seed), five(data.train, 5, seed, 2)];
  terminal.line(terminal.paint('  Learned once, used again', 'bold'));
  terminal.text(
    `  ${count(large.size)} ${data.name} of 0 to 4 for the body, ${count(few.size)} of 5 to 9 for what comes after.`,
  );
  const learn = async (title: string, model: Network, first: number, epochs: number): Promise<number | null> => {
    const train = new DataLoader(first === 0 ? large : few, { batchSize, shuffle: true, seed, normalize });
    const accuracy = new Accuracy();
    const training = new Training({
      model,
      optimizer: new AdamW(model, { learningRate: oneCycle(learningRate, { steps: epochs * train.length }) }),
      data: train,
      metrics: { accuracy },
      step: ({ inputs, targets }) => {
        const logits = model.forward(inputs);
        accuracy.update(logits, targets);
        return crossEntropy(logits, targets);
      },
      epochs,
      compile: true,
      signal: interrupt.signal,
      callbacks: shownBy({ task: 'transfer', title, epochs: false }, context),
    });
    terminal.line();
    terminal.text(`  ${terminal.paint(title, 'bold')}`);
    const { why } = await training.run();
    terminal.clear();
    if (why === 'aborted') return null;
    const test = new DataLoader(five(data.test, first, seed), { batchSize: 250, normalize });
    return (await training.evaluate(test)).accuracy;
  };

  const { epochs = 4 } = settings;
  const first = new Network(data.size);
  const right = await learn('0 to 4', first, 0, epochs);
  if (right === null) return tellStopped(context);
  freeze(first.body);
  const transferred = await learn('5 to 9, with the body frozen', new Network(data.size, first.body), 5, 25 * epochs);
  if (transferred === null) return tellStopped(context);
  const alone = await learn('5 to 9, from nothing', new Network(data.size), 5, 25 * epochs);
  if (alone === null) return tellStopped(context);

  const figures = { '0 to 4': right, '5 to 9, body frozen': transferred, gain: transferred - alone };
  terminal.line();
  terminal.text(`  ${padText('of digits never seen', 28)} accuracy`);
  for (const [what, share] of Object.entries({
    '0 to 4': right,
    '5 to 9, from nothing': alone,
    '5 to 9, body frozen': transferred,
  })) {
    terminal.text(`  ${padText(what, 28)} ${percent(share).padStart(8)}`);
  }
  const took = (performance.now() - started) / 1000;
  terminal.text(`  ${seconds(1000 * took)}.`);
  tellReport('transfer', terminal, context);
  context.tell({
    task: 'transfer',
    data: data.name,
    figures,
    baselines: { '5 to 9, from nothing': alone },
    seconds: took,
  });
  return true;
}
