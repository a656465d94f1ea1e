/**
 * Who earns more than 50,000: one small network, and what it decides about women and men, about people of each race. Before
 * any remedy, and after eight of them: in the data, in the training, and in the decision, each with what it costs in accuracy.
 * The model card of the first network is saved beside.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setSeed, type Tensor, tensor } from '@nn/core';
import { classified, DataLoader, Dataset, encodeTable, fitTable, inputNames, splitTable, type Table } from '@nn/data';
import {
  Adversary,
  accuracyRate,
  calibrationByGroup,
  demographicParity,
  equalizedOdds,
  exponentiatedGradient,
  fitCorrelationRemover,
  fitThresholds,
  metricFrame,
  modelCard,
  reweigh,
  selectionRate,
  truePositiveRate,
} from '@nn/fairness';
import { bceWithLogits, Linear, relu, Sequential } from '@nn/layers';
import { AdamW } from '@nn/optim';
import { padText } from '@nn/train';
import { type Context, shownPath } from '../context.ts';
import { count, percent, seconds } from '../format.ts';
import { tellStopped } from '../run.ts';
import { people } from '../tabular-data.ts';

/** Rows of a part as numbers, with whom they are of: women and men of each race, races of few rows as one. */
interface People {
  readonly rows: readonly Float32Array[];
  readonly targets: Int32Array;
  readonly sex: readonly string[];
  readonly race: readonly string[];
  /** 'Female, White'. */
  readonly groups: readonly string[];
}

/** Of scikit-learn's logistic regression on the same columns, means over ten splits, by scripts/golden/fair.py. */
const others = {
  'logistic regression, accuracy': 0.85,
  'logistic regression, paritySex': 0.203,
  'logistic regression, parityRace': 0.136,
  'logistic regression, oddsSex': 0.182,
  'logistic regression, oddsRace': 0.165,
};

/** The chance of 1 of each sample, from 0 to 1: decisions are 0 and 1, of those that are drawn something between. */
type Decide = (of: People) => Promise<ArrayLike<number>>;

export async function runFair(context: Context): Promise<boolean> {
  const { terminal, settings, output, interrupt } = context;
  const { seed, epochs = 6, batchSize = 128, learningRate = 0.005 } = settings;
  const table = await people(settings.data, seed);
  const started = performance.now();
  const parts = splitTable(table, { testFraction: 0.3, stratifyBy: 'income', seed });
  const inner = splitTable(parts.train, { testFraction: 0.2, stratifyBy: 'income', seed });
  const encoding = fitTable(inner.train, { targets: 'income', scale: 'standard', unknown: 'ignore' });
  const names = inputNames(encoding);
  const read = (part: Table): People => {
    const { inputs, targets } = classified(encodeTable(part, encoding)).fields;
    const rows = Array.from(targets.data, (_, i) =>
      Float32Array.from(inputs.data.slice(i * names.length, (i + 1) * names.length)),
    );
    const [sex, races] = [columnOf(part, 'sex'), columnOf(part, 'race')];
    const race = races.map((each) => (each === 'White' || each === 'Black' ? each : 'other'));
    return { rows, targets: targets.data, sex, race, groups: sex.map((each, i) => `${each}, ${race[i]}`) };
  };
  const [train, held, test] = [read(inner.train), read(inner.test), read(parts.test)];

  terminal.line(terminal.paint('  Fair decisions', 'bold'));
  terminal.text(
    `  ${count(train.rows.length)} people to train, ${count(held.rows.length)} to set thresholds, ${count(test.rows.length)} to test: ${table.name}. Who has an income above 50,000?`,
  );

  /** Trains a network; columns may be left out, samples weighed, labels others. Null where it was stopped. */
  const learn = async ({
    features = (of: People) => of.rows,
    targets = train.targets,
    weights,
    adversary,
    passes = epochs,
  }: Learning = {}): Promise<Decide | null> => {
    setSeed(seed);
    const width = features(train)[0]!.length;
    const model = new Sequential(new Linear(width, 16), relu, new Linear(16, 1));
    const optimizer = new AdamW(adversary ? { model, adversary } : model, { learningRate, weightDecay: 0.01 });
    const codes = [...new Set(train.groups)].sort();
    const loader = new DataLoader(
      new Dataset({
        inputs: { data: flat(features(train), width), shape: [train.rows.length, width] },
        targets: { data: Float32Array.from(targets), shape: [train.rows.length] },
        weights: { data: Float32Array.from(weights ?? targets.map(() => 1)), shape: [train.rows.length] },
        groups: { data: Int32Array.from(train.groups, (each) => codes.indexOf(each)), shape: [train.rows.length] },
      }),
      { batchSize, shuffle: true, seed },
    );
    for (let epoch = 0; epoch < passes; epoch++) {
      for (const batch of loader) {
        if (interrupt.signal.aborted) return null;
        const logits = model.forward(batch.inputs);
        const losses = bceWithLogits(logits.squeeze(1), batch.targets, { reduction: 'none' });
        const loss = losses.mul(batch.weights).mean();
        await optimizer.step(adversary ? loss.add(adversary.loss(logits, batch.groups)) : loss);
      }
    }
    return async (of) => {
      const rows = features(of);
      const x: Tensor = tensor(flat(rows, width), { shape: [rows.length, width] });
      return model.forward(x).squeeze(1).sigmoid().data('float32');
    };
  };

  terminal.line();
  const head = ['accuracy', 'cost', 'sex', 'race', 'sex', 'race'].map((each) => each.padStart(9)).join('');
  terminal.text(`  ${padText('', 44)}${'parity gap'.padStart(18)}${'odds gap'.padStart(18)}`);
  terminal.text(`  ${padText('', 26)}${head}`);
  const figures: Record<string, number> = {};
  let first = Number.NaN;
  const tell = (name: string, chances: ArrayLike<number>): void => {
    const found = judge(test, chances);
    if (Number.isNaN(first)) first = found.accuracy;
    const gaps = [found.paritySex, found.parityRace, found.oddsSex, found.oddsRace];
    const cost = `${(100 * (first - found.accuracy)).toFixed(1)}`;
    terminal.text(
      `  ${padText(name, 26)}${percent(found.accuracy).padStart(9)}${cost.padStart(9)}${gaps.map((gap) => gap.toFixed(3).padStart(9)).join('')}`,
    );
    for (const [what, value] of Object.entries(found)) figures[`${name}, ${what}`] = value;
  };
  const hard = (scores: ArrayLike<number>): number[] => Array.from(scores, (score) => Number(score > 0.5));

  const plain = await learn();
  if (plain === null) return tellStopped(context);
  const scores = await plain(test);
  tell('nothing done', hard(scores));

  const isOpen = names.map((name) => !/^(sex|race)\b/.test(name));
  const blind = (of: People): readonly Float32Array[] => of.rows.map((row) => row.filter((_, k) => isOpen[k]));
  const marks = (of: People): number[][] =>
    of.groups.map((_, i) => [
      Number(of.sex[i] === 'Female'),
      Number(of.race[i] === 'Black'),
      Number(of.race[i] === 'other'),
    ]);
  const remover = fitCorrelationRemover(blind(train), marks(train));
  const uncorrelated = (of: People): readonly Float32Array[] =>
    remover.transform(blind(of), marks(of)).map((row) => Float32Array.from(row));
  const ways: readonly (readonly [string, Learning])[] = [
    ['sex and race left out', { features: blind }],
    ['reweighed', { weights: reweigh(train.targets, train.groups) }],
    ['correlation removed', { features: uncorrelated }],
    ['adversary', { adversary: new Adversary(1, new Set(train.groups).size, { strength: 1 }) }],
  ];
  for (const [name, learning] of ways) {
    const decide = await learn(learning);
    if (decide === null) return tellStopped(context);
    tell(name, hard(await decide(test)));
  }

  const mixture = await exponentiatedGradient(train.targets, train.groups, {
    fit: (labels, weights) => learn({ targets: Int32Array.from(labels), weights, passes: Math.ceil(epochs / 3) }),
    predict: async (decide) => (decide === null ? train.targets.map(() => 0) : hard(await decide(train))),
    rounds: 12,
  });
  if (interrupt.signal.aborted) return tellStopped(context);
  const votes = await Promise.all(mixture.models.map(async (decide) => hard((await decide?.(test)) ?? [])));
  tell(
    'exponentiated gradient',
    test.groups.map((_, i) => votes.reduce((sum, vote, k) => sum + mixture.shares[k]! * vote[i]!, 0)),
  );

  const known = await plain(held);
  for (const [name, constraint] of [
    ['thresholds, parity', 'demographicParity'],
    ['thresholds, opportunity', 'equalOpportunity'],
    ['thresholds, odds', 'equalizedOdds'],
  ] as const) {
    const fitted = fitThresholds(known, held.targets, held.groups, { constraint });
    tell(name, fitted.probabilities(scores, test.groups));
  }

  const nobody = test.targets.filter((target) => target === 0).length / test.targets.length;
  terminal.line();
  terminal.text(`  ${padText('nobody earns more', 26)}${percent(nobody).padStart(9)}`);
  const isReal = settings.data !== undefined;
  if (isReal) {
    const [accuracy = 0, ...gaps] = Object.values(others);
    terminal.text(
      `  ${padText('logistic regression', 26)}${percent(accuracy).padStart(9)}${''.padStart(9)}${gaps.map((gap) => gap.toFixed(3).padStart(9)).join('')}  scikit-learn, ten splits`,
    );
  }
  terminal.text(
    '  Parity: how differently often groups are said to earn more. Odds: how different their errors are. Equal odds of the truth are no equal rates: here the truth itself is unequal.',
  );

  const { targets, groups } = test;
  const metrics = { accuracy: accuracyRate, selected: selectionRate, found: truePositiveRate };
  const card = modelCard({
    name: 'Income above 50,000',
    intendedUse: 'To show what remedies against unfair decisions do and cost.',
    outOfScope: 'Any decision about a person.',
    trainingData: `${count(train.rows.length)} rows: ${table.name}.`,
    evaluationData: `${count(test.rows.length)} rows of the same source.`,
    metrics: metricFrame({ targets, predictions: hard(scores), groups, metrics, bootstraps: 200, seed }),
    calibration: calibrationByGroup(targets, scores, groups),
    measures: Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, value.toFixed(3)])),
    caveats: ['Groups of few people have wide intervals.', 'The incomes are those of one year and one country.'],
  });
  await mkdir(output, { recursive: true });
  const path = join(output, 'fair.html');
  await writeFile(path, card.html);
  const took = (performance.now() - started) / 1000;
  terminal.text(`  The model card of the first network is ${shownPath(path, context)}. ${seconds(1000 * took)}.`);
  context.tell({
    task: 'fair',
    data: table.name,
    figures,
    baselines: { 'nobody earns more, accuracy': nobody, ...(isReal && others) },
    seconds: took,
  });
  return true;
}

interface Learning {
  readonly features?: (of: People) => readonly Float32Array[];
  readonly targets?: Int32Array;
  readonly weights?: Float64Array;
  readonly adversary?: Adversary;
  readonly passes?: number;
}

/** Rows one behind the other. */
function flat(rows: readonly Float32Array[], width: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) values.set(row, i * width);
  return values;
}

function columnOf(table: Table, name: string): string[] {
  return Array.from(table.columns.find((each) => each.name === name)?.values ?? [], String);
}

/** What decisions are worth, and how far groups are apart. Of drawn decisions each sample counts by its chances. */
function judge({ targets, sex, race }: People, chances: ArrayLike<number>) {
  const size = targets.length;
  // each sample twice: decided 1 as often as its chance says, else 0
  const twice = <T>(list: ArrayLike<T>): T[] => [...Array.from(list), ...Array.from(list)];
  const weights = [...Array.from(chances), ...Array.from(chances, (chance) => 1 - chance)];
  const predictions = Array.from({ length: 2 * size }, (_, i) => Number(i < size));
  const outcomes = { targets: twice(targets), predictions, weights };
  const gaps = (groups: readonly string[]) => ({
    parity: demographicParity({ ...outcomes, groups: twice(groups) }).difference,
    odds: equalizedOdds({ ...outcomes, groups: twice(groups) }).difference,
  });
  const [bySex, byRace] = [gaps(sex), gaps(race)];
  return {
    accuracy: targets.reduce((sum, target, i) => sum + (target === 1 ? chances[i]! : 1 - chances[i]!), 0) / size,
    paritySex: bySex.parity,
    parityRace: byRace.parity,
    oddsSex: bySex.odds,
    oddsRace: byRace.odds,
  };
}
