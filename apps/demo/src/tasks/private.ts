/**
 * What a network keeps of single samples. The same network learns the same digits without privacy and for smaller and smaller
 * epsilons; after each training two attacks ask who was learned from: by the losses of all samples, and by those of digits
 * with a false label, which only a network that remembers them can know.
 */
import { setSeed, type Tensor } from '@nn/core';
import { DataLoader, Dataset, fitNormalization, RandomSequence, shuffledOrder } from '@nn/data';
import { crossEntropy, Linear, relu, Sequential } from '@nn/layers';
import { Adam } from '@nn/optim';
import { lossAttack, noiseFor, PoissonLoader, PrivateOptimizer } from '@nn/privacy';
import { padText } from '@nn/train';
import type { Context } from '../context.ts';
import { drawnDigits } from '../digit-data.ts';
import { count, percent, seconds } from '../format.ts';
import { tellStopped } from '../run.ts';

/** No clipping and no noise, then what epsilon is to be. */
const epsilons = [Number.POSITIVE_INFINITY, 8, 3, 1, 0.3];
const delta = 1e-5;
/** Digits that are learned from, and as many others that are not. */
const sizes = { members: 2000, odd: 100 };

type Digits = Dataset<{
  readonly inputs: { readonly data: Uint8Array; readonly shape: readonly number[] };
  readonly targets: { readonly data: Int32Array; readonly shape: readonly number[] };
}>;

export async function runPrivate(context: Context): Promise<boolean> {
  const { terminal, settings, interrupt } = context;
  const { seed, epochs = 30, batchSize = 200, learningRate = 0.003 } = settings;
  const data = context.digits ?? drawnDigits(seed, 2 * sizes.members, 1000);
  const started = performance.now();
  const members = Math.min(sizes.members, data.train.size >> 1);
  const odd = Math.min(sizes.odd, members >> 3);
  const order = shuffledOrder(data.train.size, seed);
  // the first `odd` of each half have a label that is not theirs
  const [inside, outside] = [0, 1].map((half) =>
    mislabelled(data.train.take(order.slice(half * members, (half + 1) * members)), odd, seed + half),
  ) as [Digits, Digits];
  const normalize = { inputs: fitNormalization(data.train.fields.inputs, { per: 'array' }) };
  const pixels = data.size ** 2;

  terminal.line(terminal.paint('  What a network keeps of one sample', 'bold'));
  terminal.text(
    `  ${count(members)} ${data.name}, ${odd} of them with a false label; as many others, of which nothing was learned; ${count(data.test.size)} to test. Delta ${delta}.`,
  );
  terminal.line();
  terminal.text(
    `  ${padText('epsilon', 9)} ${'noise'.padStart(7)} ${'steps'.padStart(7)} ${'test'.padStart(8)} ${'train'.padStart(8)}   ${'attack AUC: all'} ${'false labels'.padStart(14)} ${'found'.padStart(8)}`,
  );

  const figures: Record<string, number> = {};
  for (const epsilon of epsilons) {
    setSeed(seed);
    const model = new Sequential((x: Tensor) => x.flatten(1), new Linear(pixels, 64), relu, new Linear(64, 10));
    const lossesOf = (batch: { readonly inputs: Tensor; readonly targets: Tensor }): Tensor =>
      crossEntropy(model.forward(batch.inputs), batch.targets, { reduction: 'none' });
    const optimizer = new Adam(model, { learningRate });
    let [noise, steps] = [0, 0];
    if (epsilon === Number.POSITIVE_INFINITY) {
      const loader = new DataLoader(inside, { batchSize, shuffle: true, seed, normalize });
      for (let epoch = 0; epoch < epochs; epoch++) {
        for (const batch of loader) {
          if (interrupt.signal.aborted) return tellStopped(context);
          await optimizer.step(lossesOf(batch).mean());
          steps++;
        }
      }
    } else {
      const loader = new PoissonLoader(inside, { batchSize, seed, normalize });
      noise = noiseFor({ epsilon, delta, sampleRate: loader.sampleRate, epochs });
      const budget = { epsilon, delta };
      const learner = new PrivateOptimizer(optimizer, model, { noiseMultiplier: noise, clip: 1, budget });
      while (steps < epochs * loader.length && learner.allows(loader)) {
        if (interrupt.signal.aborted) return tellStopped(context);
        await learner.step(loader.draw(), lossesOf);
        steps++;
      }
    }

    const measure = (of: Dataset<Digits['fields']>) =>
      measured(new DataLoader(of, { batchSize: 500, normalize }), model, lossesOf);
    const [known, unknown, test] = [await measure(inside), await measure(outside), await measure(data.test)];
    const all = lossAttack(known.losses, unknown.losses);
    const hard = lossAttack(known.losses.slice(0, odd), unknown.losses.slice(0, odd));
    const name = epsilon === Number.POSITIVE_INFINITY ? 'none' : String(epsilon);
    const row = [
      padText(name, 9),
      (noise === 0 ? '' : noise.toFixed(2)).padStart(7),
      count(steps).padStart(7),
      percent(test.accuracy).padStart(8),
      percent(known.accuracy).padStart(8),
      all.auc.toFixed(3).padStart(17),
      hard.auc.toFixed(3).padStart(14),
      percent(hard.truePositiveRates.at1).padStart(8),
    ];
    terminal.text(`  ${row.join(' ')}`);
    figures[`accuracy, epsilon ${name}`] = test.accuracy;
    figures[`attack AUC, epsilon ${name}`] = all.auc;
    figures[`attack AUC on false labels, epsilon ${name}`] = hard.auc;
  }

  const took = (performance.now() - started) / 1000;
  terminal.line();
  terminal.text(
    `  An AUC of 0.5 is guessing. Found: false labels that are told to have been learned, with one in ten wrong alarms. A promise of epsilon holds against every attack, also those of tomorrow. ${seconds(1000 * took)}.`,
  );
  context.tell({
    task: 'private',
    data: data.name,
    figures,
    baselines: { 'attack AUC of guessing': 0.5 },
    seconds: took,
  });
  return true;
}

/** The samples, the first of which say another digit than they show. */
function mislabelled(part: Digits, odd: number, seed: number): Digits {
  const random = new RandomSequence(seed, 11);
  const { inputs, targets } = part.fields;
  const labels = targets.data.map((label, i) => (i < odd ? (label + 1 + random.integer(9)) % 10 : label));
  return new Dataset({ inputs, targets: { ...targets, data: labels } });
}

/** The loss of each sample, in their order, and the share that is read rightly. */
async function measured(
  loader: Iterable<{ readonly inputs: Tensor; readonly targets: Tensor }>,
  model: Sequential,
  lossesOf: (batch: { readonly inputs: Tensor; readonly targets: Tensor }) => Tensor,
): Promise<{ readonly losses: readonly number[]; readonly accuracy: number }> {
  const losses: number[] = [];
  let right = 0;
  for (const batch of loader) {
    losses.push(...(await lossesOf(batch).data('float32')));
    right += await model.forward(batch.inputs).argMax(1).equal(batch.targets).cast('float32').sum().item();
  }
  return { losses, accuracy: right / losses.length };
}
