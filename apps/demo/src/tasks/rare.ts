/**
 * One in 43: mammographies, of which 2.3 % show calcifications. Fourteen ways to train one small network on classes so unequal, each
 * with what its ranking is worth (PR-AUC and its interval), and its decisions at a threshold chosen on a validation part.
 */
import { setSeed, type Tensor } from '@nn/core';
import {
  adasyn,
  balancedSampler,
  borderlineSmote,
  classified,
  DataLoader,
  type DataLoaderOptions,
  type Dataset,
  encodeTable,
  type Field,
  fitTable,
  randomOversample,
  randomUndersample,
  removeTomekLinks,
  smote,
  splitTable,
} from '@nn/data';
import {
  balancedSoftmax,
  balancedWeights,
  classBalancedWeights,
  crossEntropy,
  equalized,
  focal,
  type Layer,
  Linear,
  ldam,
  ReLU,
  Sequential,
  seesaw,
} from '@nn/layers';
import { AdamW } from '@nn/optim';
import { bootstrapInterval, DeferredWeights, padText, Training, tuneThreshold } from '@nn/train';
import type { Context } from '../context.ts';
import { count, percent, seconds } from '../format.ts';
import { tellStopped } from '../run.ts';
import { mammographies } from '../tabular-data.ts';

type Samples = ReturnType<typeof classified>;
interface Method {
  readonly name: string;
  readonly loss?: (logits: Tensor, targets: Tensor) => Tensor;
  readonly samples?: Dataset<{ readonly inputs: Field; readonly targets: Field }>;
  readonly loading?: Pick<DataLoaderOptions, 'sampler'>;
  readonly deferred?: DeferredWeights;
}

/** Means over ten stratified splits, by scripts/golden/rare.py: scikit-learn 1.2. */
const others = { 'logistic regression': 0.595, 'the same, balanced': 0.527, 'random forest of 300': 0.75 };

/** Each way with what it changes: the loss, the samples, or which are drawn. */
function methodsOf(train: Samples, seed: number): Method[] {
  const targets = train.fields.targets.data;
  const counts = [0, 1].map((label) => targets.filter((target) => target === label).length);
  const deferred = new DeferredWeights(classBalancedWeights(counts));
  return [
    { name: 'nothing' },
    { name: 'class weights', loss: (x, y) => crossEntropy(x, y, { weight: balancedWeights(counts) }) },
    { name: 'focal loss', loss: (x, y) => focal(x, y) },
    { name: 'balanced softmax', loss: (x, y) => balancedSoftmax(x, y, counts) },
    { name: 'equalized loss', loss: (x, y) => equalized(x, y, counts, { rareShare: 0.1, strength: 0.5 }) },
    { name: 'seesaw loss', loss: (x, y) => seesaw(x, y, counts) },
    { name: 'LDAM, deferred weights', loss: (x, y) => ldam(x, y, counts, { weight: deferred.weights }), deferred },
    { name: 'balanced batches', loading: { sampler: balancedSampler(targets) } },
    { name: 'random oversampling', samples: randomOversample(train, { seed }) },
    { name: 'random undersampling', samples: randomUndersample(train, { ratio: 0.2, seed }) },
    { name: 'SMOTE', samples: smote(train, { seed }) },
    { name: 'SMOTE to 1 in 5, Tomek', samples: removeTomekLinks(smote(train, { ratio: 0.25, seed })) },
    { name: 'borderline SMOTE', samples: borderlineSmote(train, { seed }) },
    { name: 'ADASYN', samples: adasyn(train, { seed }) },
  ];
}

export async function runRare(context: Context): Promise<boolean> {
  const { terminal, settings, interrupt } = context;
  const { seed, epochs = 20, batchSize = 128, learningRate = 0.005 } = settings;
  const started = performance.now();
  const table = await mammographies(settings.data, seed);
  const parts = splitTable(table, { testFraction: 0.3, stratifyBy: 'calcification', seed });
  const inner = splitTable(parts.train, { testFraction: 0.25, stratifyBy: 'calcification', seed });
  const encoding = fitTable(inner.train, { targets: 'calcification', scale: 'standard' });
  const [train, held, test] = [inner.train, inner.test, parts.test].map((rows) =>
    classified(encodeTable(rows, encoding)),
  ) as [Samples, Samples, Samples];
  const rare = (samples: Samples): number => samples.fields.targets.data.filter((target) => target === 1).length;

  terminal.line(terminal.paint('  Rare cases', 'bold'));
  terminal.text(
    `  ${count(train.size)} to train, ${count(held.size)} to choose the threshold, ${count(test.size)} to test, ${percent(rare(test) / test.size)} of them positive: ${table.name}.`,
  );
  terminal.line();
  terminal.text(
    `  ${padText('trained with', 24)} ${'PR-AUC'.padStart(7)} ${'95 %'.padStart(14)} ${'recall'.padStart(8)} ${'precision'.padStart(10)} ${'F1'.padStart(6)}`,
  );
  const figures: Record<string, number> = {};
  for (const { name, loss = crossEntropy, samples = train, loading, deferred } of methodsOf(train, seed)) {
    setSeed(seed);
    const model = new Sequential(new Linear(6, 32), new ReLU(), new Linear(32, 2));
    const training = new Training({
      model,
      optimizer: new AdamW(model, { learningRate, weightDecay: 0.01 }),
      data: new DataLoader(samples, { batchSize, shuffle: loading === undefined, seed, dropLast: true, ...loading }),
      step: ({ inputs, targets }: { readonly inputs: Tensor; readonly targets: Tensor }) =>
        loss(model.forward(inputs), targets),
      // as many steps for all, however many samples a way leaves or makes
      steps: Math.floor(train.size / batchSize) * epochs,
      signal: interrupt.signal,
      callbacks: deferred ? [untilDeferred(deferred, Math.floor(train.size / batchSize) * epochs)] : [],
    });
    const { why } = await training.run();
    if (why === 'aborted') return tellStopped(context);
    const [chosen, seen] = [await scoresOf(model, held), await scoresOf(model, test)];
    const { threshold } = tuneThreshold(chosen, held.fields.targets.data, { resamples: 1 });
    const labels = test.fields.targets.data;
    const hits = [...seen].filter((score, i) => score >= threshold && labels[i] === 1).length;
    const called = [...seen].filter((score) => score >= threshold).length;
    const [recall, precision] = [hits / rare(test), hits / Math.max(1, called)];
    const area = averagePrecision(seen, labels);
    const { low, high } = bootstrapInterval(seen.length, area, { resamples: 500 });
    figures[name] = area(new Uint32Array(seen.length).fill(1));
    const f1 = (2 * hits) / (called + rare(test));
    terminal.text(
      `  ${padText(name, 24)} ${figures[name].toFixed(3).padStart(7)} ${`${low.toFixed(3)}-${high.toFixed(3)}`.padStart(14)} ${percent(recall).padStart(8)} ${percent(precision).padStart(10)} ${f1.toFixed(2).padStart(6)}`,
    );
  }
  terminal.line();
  if (settings.data !== undefined) {
    for (const [name, value] of Object.entries(others)) {
      terminal.text(`  ${padText(name, 24)} ${value.toFixed(3).padStart(7)}  scikit-learn, mean of ten splits`);
    }
  }
  const [best = '', area = 0] = Object.entries(figures).sort(([, a], [, b]) => b - a)[0] ?? [];
  terminal.text(
    `  Best here: ${terminal.paint(`${best}, ${area.toFixed(3)}`, 'bold', 'green')}. With ${rare(test)} positive samples small differences are chance: see the intervals. ${seconds(performance.now() - started)}.`,
  );
  context.tell({
    task: 'rare',
    data: table.name,
    figures,
    baselines:
      settings.data === undefined ? { chance: rare(test) / test.size } : { chance: rare(test) / test.size, ...others },
    seconds: (performance.now() - started) / 1000,
  });
  return true;
}

/** Trainings here are counted in steps: the weights come for the last fifth of them. */
function untilDeferred(deferred: DeferredWeights, steps: number) {
  return {
    hears: ['step'] as const,
    handle: ({ type, step }: { readonly type: string; readonly step: number }): void => {
      if (type === 'step') deferred.update(step + 1, steps);
    },
  };
}

/** How far the logit of a positive leads. */
async function scoresOf(model: Layer, samples: Samples): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  for await (const { inputs } of new DataLoader(samples, { batchSize: 2000 })) {
    const logits = model.forward(inputs);
    parts.push(
      await logits
        .slice([0, 1], [null, 2])
        .sub(logits.slice([0, 0], [null, 1]))
        .data('float32'),
    );
  }
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/** The average precision of samples that were drawn so often: sum of (R_n - R_(n-1)) P_n, from the highest score down. */
function averagePrecision(scores: Float32Array, labels: ArrayLike<number>): (drawn: Uint32Array) => number {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number));
  return (drawn) => {
    let [hits, called, sum, before, pending] = [0, 0, 0, Number.NaN, 0];
    for (const i of order) {
      if (scores[i] !== before && called > 0) {
        sum += (pending * hits) / called;
        pending = 0;
      }
      before = scores[i] as number;
      called += drawn[i] as number;
      if (labels[i] !== 1) continue;
      hits += drawn[i] as number;
      pending += drawn[i] as number;
    }
    if (called > 0) sum += (pending * hits) / called;
    return hits === 0 ? Number.NaN : sum / hits;
  };
}
